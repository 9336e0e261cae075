"""One HTTP request and its answer: no second try, no redirect, no proxy of the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from gateways.in_flight import InFlight
from notifier.domain.outcome import Temporary, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession

LONGEST_ANSWER: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What came back. ``body`` is None where it was longer than we are willing to read."""

    status: int
    body: bytes | None = field(repr=False)
    retry_after: str = ""
    date: str = ""


class Exchange:
    """The HTTP side of a gateway: opened and closed with it.

    ``window``: connections at once; ``timeout`` and ``connect_timeout`` in seconds; ``keep_alive``:
    seconds that a connection is kept for the next request, 0 for one connection a request.
    """

    def __init__(
        self, *, window: int, timeout: float, connect_timeout: float, keep_alive: float = 15.0
    ) -> None:
        self._window = window
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=connect_timeout)
        self._keep: dict[str, Any] = (
            {"keepalive_timeout": keep_alive} if keep_alive else {"force_close": True}
        )
        self._in_flight = InFlight()
        self._session: ClientSession | None = None

    def open(self) -> None:
        """Opens no connection: the first request does."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._window, **self._keep)
            self._session = _session(connector, self._timeout)

    async def close(self, drain: float) -> None:
        """Waits ``drain`` seconds for what is in flight, then ends it."""
        session, self._session = self._session, None
        if session is not None:
            await self._in_flight.drain(drain)
            await session.close()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpAnswer | Temporary | Unknown:
        """The answer; ``Temporary`` where nothing was written, ``Unknown`` where something was.

        ``url`` is percent-encoded.
        """
        if self._session is None:
            return Temporary(code="stopped", detail="the gateway is not started")
        state = SimpleNamespace(written=False)
        try:
            async with self._in_flight.attempt():
                return await _ask(self._session, method, url, headers or {}, body, state)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _without_verdict(error, written=state.written)


def _session(connector: aiohttp.TCPConnector, timeout: aiohttp.ClientTimeout) -> ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_mark_written)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_once,),
        trace_configs=[trace],
        trust_env=False,
    )


class _ConnectionLostError(aiohttp.ClientError):
    """A connection broke. Not of the kind after which aiohttp sends a GET or PUT again."""


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """aiohttp repeats GET and PUT when a connection breaks, and a person would get two SMS."""
    try:
        return await handler(request)
    except aiohttp.ConnectionTimeoutError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerConnectionError) as error:
        raise _ConnectionLostError(type(error).__name__) from error


async def _mark_written(session: ClientSession, context: Any, params: object) -> None:
    context.trace_request_ctx.written = True


async def _ask(
    session: ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    state: SimpleNamespace,
) -> HttpAnswer:
    async with session.request(
        method,
        URL(url, encoded=True),
        headers=headers,
        data=body,
        allow_redirects=False,
        trace_request_ctx=state,
    ) as response:
        read = bytearray()
        async for chunk in response.content.iter_chunked(LONGEST_ANSWER):
            read += chunk
            if len(read) > LONGEST_ANSWER:
                break
        return HttpAnswer(
            status=response.status,
            body=bytes(read) if len(read) <= LONGEST_ANSWER else None,
            retry_after=response.headers.get("Retry-After", ""),
            date=response.headers.get("Date", ""),
        )


def _without_verdict(error: Exception, *, written: bool) -> Temporary | Unknown:
    """``written``: whether the request's first byte may have left us."""
    cause = error.__cause__ if isinstance(error, _ConnectionLostError) else error
    detail = type(cause).__name__
    if not written:
        return Temporary(code="connect", detail=detail)
    return Unknown(code="timeout" if isinstance(error, TimeoutError) else "lost", detail=detail)
