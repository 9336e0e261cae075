"""The gateway to an HTTP SMS provider: one request a message, one session, no second try."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from gateways.condition import Condition
from gateways.http_sms.answer import HttpAnswer, read_answer
from gateways.http_sms.callback import read_call
from gateways.http_sms.request import basic_token, prepare
from gateways.http_sms.settings import HmacCheck, SecretCheck, Settings, further_faults
from gateways.in_flight import InFlight
from gateways.settings import read_table
from notifier.domain.capabilities import Capabilities, InboundBy, TextUnit
from notifier.domain.capabilities import Receipts as ReceiptsKind
from notifier.domain.instant import SECOND
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.errors import WebhookError
from notifier.ports import HealthState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession

    from gateways.http_sms.request import Prepared
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Clock, Health, Sink, WebhookReply, WebhookRequest

LONGEST_ANSWER: Final = 64 * 1024
_SHORTEST_SECRET: Final = 4
"""Anything shorter occurs in ordinary words, and hiding it would make the logs unreadable."""


class HttpSmsGateway:
    """Any provider that takes one HTTP request a message; see the example in ``config``."""

    def __init__(self, name: str, settings: Mapping[str, Any], clock: Clock) -> None:
        self.name = name
        self._settings = read_table(Settings, name, settings, further_faults(name, settings))
        self.capabilities = _capabilities(self._settings)
        self._condition = Condition(clock)
        self._in_flight = InFlight()
        self._session: ClientSession | None = None

    def __repr__(self) -> str:
        return f"HttpSmsGateway({self.name!r})"

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(
            secret for secret in _secrets(self._settings) if len(secret) >= _SHORTEST_SECRET
        )

    async def start(self, sink: Sink) -> None:
        """Opens no connection: the first message does."""
        if self._session is None:
            self._session = _session(self._settings)

    async def stop(self, drain: float) -> None:
        session, self._session = self._session, None
        if session is not None:
            await self._in_flight.drain(drain)
            await session.close()

    async def send(self, message: Message) -> Outcome:
        outcome = await self._attempt(prepare(message, self._settings), message)
        self._note(outcome)
        if isinstance(outcome, Unknown) and self.capabilities.suppresses_duplicates:
            return Temporary(code=outcome.code, detail=outcome.detail)
        return outcome

    async def query(self, ref: str) -> Outcome | None:
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        path = request.path.rstrip("/")
        for callback in (self._settings.receipts, self._settings.inbound):
            if callback is not None and callback.path == path:
                return read_call(request, callback)
        raise WebhookError(f"the gateway {self.name} has no callback at this path")

    def health(self) -> Health:
        return self._condition.health

    async def _attempt(self, prepared: Prepared, message: Message) -> Outcome:
        if self._session is None:
            return Temporary(code="stopped", detail="the gateway is not started")
        state = SimpleNamespace(written=False)
        try:
            async with self._in_flight.attempt():
                answer = await _ask(self._session, prepared, state)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _without_verdict(error, written=state.written)
        hidden = {message.text, message.address.value, *_secrets(self._settings)}
        return read_answer(answer, self._settings.answer, hidden)

    def _note(self, outcome: Outcome) -> None:
        match outcome:
            case Temporary(code="connect"):
                self._condition.note(HealthState.DOWN, "the provider can't be reached")
            case Temporary(code="stopped"):
                pass
            case Unknown(code=code):
                self._condition.note(HealthState.DEGRADED, f"no verdict on a message: {code}")
            case Permanent(code=code, scope=Scope.ACCOUNT | Scope.CONFIGURATION):
                self._condition.note(HealthState.DOWN, f"the provider refuses us: {code}")
            case Accepted() | Permanent() | OptedOut() | Throttled() | Temporary() | Partial():
                self._condition.note(HealthState.OK)


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


def _session(settings: Settings) -> ClientSession:
    keep_alive = settings.request.keep_alive
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_mark_written)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.window, **_keep(keep_alive)),
        timeout=aiohttp.ClientTimeout(
            total=settings.request.timeout, connect=settings.request.connect_timeout
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_once,),
        trace_configs=[trace],
        trust_env=False,
    )


def _keep(seconds: float) -> dict[str, Any]:
    return {"keepalive_timeout": seconds} if seconds else {"force_close": True}


async def _ask(session: ClientSession, prepared: Prepared, state: SimpleNamespace) -> HttpAnswer:
    async with session.request(
        prepared.method,
        URL(prepared.url, encoded=True),
        headers=prepared.headers,
        data=prepared.body,
        allow_redirects=False,
        trace_request_ctx=state,
    ) as response:
        body = bytearray()
        async for chunk in response.content.iter_chunked(LONGEST_ANSWER):
            body += chunk
            if len(body) > LONGEST_ANSWER:
                break
        return HttpAnswer(
            status=response.status,
            body=bytes(body) if len(body) <= LONGEST_ANSWER else None,
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


def _capabilities(settings: Settings) -> Capabilities:
    return Capabilities(
        channel="sms",
        inbound=InboundBy.WEBHOOK if settings.inbound else InboundBy.NONE,
        receipts=ReceiptsKind.DELIVERED if settings.receipts else ReceiptsKind.NONE,
        suppresses_duplicates=settings.suppresses_duplicates * SECOND,
        text_unit=TextUnit.SEGMENTS,
        max_units=settings.max_segments,
        rate=settings.rate,
        window=settings.window,
        recipient_gap=round(settings.recipient_gap * SECOND),
    )


def _secrets(settings: Settings) -> Iterator[str]:
    yield from settings.secrets.values()
    basic = settings.request.basic_auth
    if basic is not None:
        yield from (basic.user, basic.password, basic_token(basic.user, basic.password))
    for callback in (settings.receipts, settings.inbound):
        for check in callback.auth if callback is not None else ():
            if isinstance(check, SecretCheck | HmacCheck):
                yield check.secret
