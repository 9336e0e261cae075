"""The service under test, as a forked process: its own parts, with a point before and after each.

Nothing in the service knows of points. They are put around its store's transactions, its gateway's
attempts, its sinks and its answers from outside.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from gateways import exchange
from notifier.bootstrap.service import Service
from notifier.clock import SystemClock
from notifier.domain.outcome import (
    Accepted,
    Partial,
    Permanent,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.domain.segments import plan_sms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from aiohttp import web

    from notifier.bootstrap.core import Configuration
    from notifier.domain.instant import Instant
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Session, Store
    from torture.points import Shared

KINDS: Final = {
    "begin_attempts": "journal",
    "end_attempts": "record",
    "add_events": "events",
    "add_inbound": "questions",
    "add_receipts": "receipts",
    "abandon_sending": "abandon",
    "unknown": "settle",
    "due_moments": "remind",
    "release_recipients": "broadcast",
}
"""What was done in a transaction, and what it is therefore for; the first that fits."""


class SharedClock(SystemClock):
    """Civil time is ahead or behind by what the shared memory says, from one call to the next."""

    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._shared = shared

    def civil(self) -> Instant:
        """See ``ports.Clock``."""
        return super().civil() + self._shared.ahead


class _Noted:
    """A session that remembers what was asked of it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.done: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.done.add(name)
        return getattr(self._session, name)

    @property
    def kind(self) -> str:
        """What its transaction is for."""
        return next((kind for name, kind in KINDS.items() if name in self.done), "other")


def run(configuration: Configuration, shared: Shared, *, by_part: bool) -> None:
    """Serve until SIGTERM, or until a point kills."""
    asyncio.run(_serve(configuration, shared, by_part=by_part))


async def _serve(configuration: Configuration, shared: Shared, *, by_part: bool) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    service = Service(configuration, SharedClock(shared))
    _watch_store(service.store, shared)
    for gateway in service.gateways.values():
        send = _part_by_part(gateway.send) if by_part else gateway.send
        _replace(gateway, "send", _watched_send(send, shared))
    for sink in service.sinks.values():
        _replace(sink, "accept", _then(sink.accept, "hook.acknowledged", shared))
    ingesting = service.ingesting
    _replace(ingesting, "all", _then(ingesting.all, "events.acknowledged", shared))
    _watch_answers(service, shared)
    _watch_writes(shared)
    await service.start()
    shared.ready = 1
    await stop.wait()
    await service.stop()


def _replace(part: object, name: str, method: Callable[..., Any]) -> None:
    """Put ``method`` before the one of this name: of this object, not of its class."""
    vars(part)[name] = method


def _watch_store(store: Store, shared: Shared) -> None:
    """A point at both ends of every commit, and commits that take as long as they are told to."""
    write = store.write

    @asynccontextmanager
    async def watched() -> AsyncIterator[Any]:
        async with write() as session:
            noted = _Noted(session)
            yield noted
            if shared.slow:
                await asyncio.sleep(shared.slow / 1000)
            shared.reach(f"{noted.kind}.before_commit")
        shared.reach(f"{noted.kind}.after_commit")

    _replace(store, "write", watched)


def _watched_send(
    send: Callable[[Message], Awaitable[Outcome]], shared: Shared
) -> Callable[[Message], Awaitable[Outcome]]:
    async def watched(message: Message) -> Outcome:
        shared.reach("send.begins")
        outcome = await send(message)
        shared.reach("send.answered")
        return outcome

    return watched


def _part_by_part(
    send: Callable[[Message], Awaitable[Outcome]],
) -> Callable[[Message], Awaitable[Outcome]]:
    """As a provider that takes one part a request: the only way to ``Partial`` over HTTP."""

    async def sent(message: Message) -> Outcome:
        done: list[tuple[int, str]] = []
        for number, text in enumerate(message.plan.parts):
            if number in message.accepted_parts:
                continue
            part = replace(message, key=f"{message.key}#{number}", text=text, plan=plan_sms(text))
            outcome = await send(part)
            if not isinstance(outcome, Accepted):
                return Partial(done=tuple(done), rest=_rest(outcome)) if done else outcome
            done.append((number, outcome.refs[0]))
        return Accepted(refs=tuple(ref for _, ref in done))

    return sent


def _rest(outcome: Outcome) -> Temporary | Permanent | Unknown:
    """Why no more parts were taken."""
    match outcome:
        case Temporary() | Permanent() | Unknown():
            return outcome
        case Throttled(retry_after=wait):
            return Temporary(code="throttled", retry_after=wait)
        case _:
            return Permanent(code="refused")


def _then(
    flow: Callable[[Sequence[Any]], Awaitable[Any]], point: str, shared: Shared
) -> Callable[[Sequence[Any]], Awaitable[Any]]:
    """A point behind the commit and before the answer."""

    async def watched(items: Sequence[Any]) -> Any:
        result = await flow(items)
        shared.reach(point)
        return result

    return watched


def _watch_answers(service: Service, shared: Shared) -> None:
    async def begins(request: web.Request, response: web.StreamResponse) -> None:
        shared.reach("response.begins")

    service.server._app.on_response_prepare.append(begins)


def _watch_writes(shared: Shared) -> None:
    """A point behind the head of each request to the provider, and behind its body."""

    async def head(session: Any, context: Any, params: object) -> None:
        shared.reach("send.head_written")

    async def body(session: Any, context: Any, params: object) -> None:
        shared.reach("send.body_written")

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(head)
    trace.on_request_chunk_sent.append(body)
    trace.freeze()

    def traced(*given: Any) -> aiohttp.ClientSession:
        session = opened(*given)
        session.trace_configs.append(trace)
        return session

    opened = exchange._session
    exchange._session = traced
