"""The way out: what is due is looked at again, journalled, handed to the gateway, and recorded.

One dispatcher a gateway. A cycle is one transaction: it records the attempts that ended, and
journals as *sending* the messages that window and rate admit now, before their first byte leaves.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from notifier.domain import consent, instant, ladder, retry
from notifier.domain.admission import Bucket, choose
from notifier.domain.breaker import Breaker
from notifier.domain.message import State
from notifier.domain.outcome import OptedOut, Outcome, Permanent, Unknown
from notifier.flows.last_look import LastLook
from notifier.flows.together import failed
from notifier.ports import Attempted, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address, Message
    from notifier.flows.ladder import StepDown
    from notifier.flows.together import Together
    from notifier.ports import Clock, Gateway, Session, Store

POLL: Final = 0.5
"""Seconds between looks at the outbox when nothing rings; another process may have queued."""

GATHER: Final = 0.005
"""Seconds that an ended attempt waits for others before they are recorded in one transaction."""

LONGEST_SEND: Final = 120.0
"""Seconds after which an attempt without a verdict is of unknown fate."""

LOST: Final = frozenset({State.FAILED, State.EXPIRED})
"""Where a message ends that should have arrived."""

log = structlog.get_logger()


class Dispatcher:
    """Sends what is queued for one gateway's channel."""

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        clock: Clock,
        installation: Installation,
        *,
        owner: str,
        step_down: StepDown,
        rate: float | None = None,
        window: int | None = None,
        preferred: Callable[[], bool] = lambda: True,
        relieved: Callable[[], bool] = lambda: False,
        together: Together | None = None,
    ) -> None:
        """``rate`` and ``window`` override the gateway's own; ``preferred``: is it our turn.

        ``relieved``: whether another gateway takes over what this one can't send. Without
        ``together`` each notice leaves by itself.
        """
        self._gateway = gateway
        self._store = store
        self._clock = clock
        self._owner = owner
        self._window = window or gateway.capabilities.window
        self._gap = gateway.capabilities.recipient_gap
        self._preferred = preferred
        self._relieved = relieved
        self._step_down = step_down
        self._last_look = LastLook(installation, together, step_down, one_each=self._gap > 0)
        # The bucket itself is in the store; it holds no more than this one did when last seen.
        self._bucket = Bucket.full(rate or gateway.capabilities.rate, clock.elapsed())
        self._in_flight: set[asyncio.Task[None]] = set()
        self._ended: list[Attempted] = []
        self._bell = asyncio.Event()
        self._breaker = Breaker()
        self._turn = asyncio.Lock()
        self._stopping = False

    @property
    def channel(self) -> str:
        """The channel whose messages it sends."""
        return self._gateway.capabilities.channel

    @property
    def gateway(self) -> str:
        """The name of its gateway."""
        return self._gateway.name

    @property
    def breaker(self) -> Breaker:
        """Whether its gateway rests, and why."""
        return self._breaker

    @property
    def usable(self) -> bool:
        """Whether it may be given all that is due: the gateways behind it are not needed."""
        return self._breaker.usable(self._clock.elapsed())

    @property
    def ready(self) -> bool:
        """Whether it may be given anything now, and be it one message on trial."""
        return self._clock.elapsed() >= self._breaker.until

    @property
    def works(self) -> bool:
        """Whether it is not known to fail; one that rests, and is tried now and then, does not."""
        return not self._breaker.open

    def ring(self) -> None:
        """Something was queued: look now."""
        self._bell.set()

    def _ring_soon(self) -> None:
        """An attempt ended: those that end together are recorded together."""
        if len(self._ended) == 1:
            asyncio.get_running_loop().call_later(GATHER, self.ring)

    async def run(self) -> None:
        """Until ``stop``; a store that fails is tried again, and nothing is forgotten."""
        while not self._stopping:
            self._bell.clear()
            try:
                async with self._turn:
                    left = await self._cycle()
            except Exception:
                log.exception("dispatch.cycle_failed", gateway=self._gateway.name)
                left = False
            if not left:
                await self._wait()

    async def stop(self, drain: float) -> None:
        """Begin nothing new; wait ``drain`` seconds for what is in flight, and record it all."""
        self._stopping = True
        self.ring()
        async with self._turn:  # what a cycle under way begins is waited for too
            if self._in_flight:
                await asyncio.wait(self._in_flight, timeout=drain)
            for task in self._in_flight:
                task.cancel()
            if self._in_flight:
                await asyncio.wait(self._in_flight)
            if self._ended:
                await self._commit(free=0, window=0)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL):
                await self._bell.wait()
        except TimeoutError:
            pass

    async def _cycle(self) -> bool:
        """One transaction; whether there may be more to do at once."""
        elapsed = self._clock.elapsed()
        under_way = len(self._in_flight)
        free = self._breaker.places(self._window - under_way, now=elapsed, in_flight=under_way)
        self._bucket = self._bucket.refilled(elapsed)
        if self._stopping or self._bucket.level <= 0:
            free = 0
        if free <= 0 and not self._ended:
            return False
        begun, moved = await self._commit(free=free, window=free + under_way)
        for message in begun:
            task = asyncio.create_task(self._send(message))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        # What was only recorded has freed its places, or its gateway, while that was written.
        return bool(begun) or moved > 0 or free <= 0

    async def _commit(self, *, free: int, window: int) -> tuple[list[Message], int]:
        """Record what ended, and claim for ``free`` places; who begins, how many were moved."""
        ended, self._ended = self._ended, []
        try:
            async with self._store.write() as session:
                if ended:
                    await self._record(session, ended)
                return await self._claim(session, free, window) if free > 0 else ([], 0)
        except BaseException:
            self._ended = ended + self._ended  # undone with the rest, so it is recorded again
            raise

    async def _claim(self, session: Session, free: int, window: int) -> tuple[list[Message], int]:
        now, elapsed = self._clock.civil(), self._clock.elapsed()
        if self._gap:  # two at once would not see whom the other writes to
            await session.hold([f"gateway|{self._gateway.name}"])
        waiting = await session.waiting(
            self.channel,
            self._gateway.name,
            now,
            free,
            pinned=not self._preferred(),  # what only this one may send waits for no other's fall
            gap=self._gap,
            elapsed=elapsed,
        )
        if not waiting:
            return [], 0
        level = await session.refill(self._gateway.name, self._bucket.rate, elapsed)
        self._bucket = replace(self._bucket, level=level, at=elapsed)
        chosen, _ = choose(waiting, free=free, window=window, bucket=self._bucket)
        if not chosen:
            return [], 0
        leaving, moved = await self._last_look(session, [one.id for one in chosen], now)
        await session.move(moved, now)
        await session.reword([joined.carrier for joined in leaving if joined.others], now)
        begun = await session.begin_attempts(
            [joined.carrier for joined in leaving], self._gateway.name, self._owner, now
        )
        if self._gap and begun:
            written = [message.address for message in begun]
            await session.spoken(self._gateway.name, written, self._gap, elapsed)
        # Only what leaves is paid for.
        self._bucket = self._bucket.taken(sum(message.plan.segments for message in begun))
        return begun, len(moved)

    async def _send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(LONGEST_SEND):
                outcome = await self._gateway.send(message)
            if not isinstance(outcome, Outcome):
                raise TypeError("the gateway's verdict is no Outcome")
        except TimeoutError:
            outcome = Unknown(code="timeout", detail="the gateway gave no verdict in time")
        except asyncio.CancelledError:
            outcome = Unknown(code="stopped", detail="the service stopped while it was being sent")
        except Exception as error:
            log.exception("gateway.raised", gateway=self._gateway.name)
            outcome = Unknown(code="raised", detail=type(error).__name__)
        self._ended.append(self._judged(message, outcome))
        self._ring_soon()

    def _judged(self, message: Message, outcome: Outcome) -> Attempted:
        before, elapsed, now = self._breaker, self._clock.elapsed(), self._clock.civil()
        self._breaker = before.after(outcome, now=elapsed)
        if self._breaker.open is not before.open:
            self._tell(before, elapsed)
        resting = self._breaker.open
        verdict = retry.verdict(
            message,
            outcome,
            now=now,
            resting=resting,
            relieved=resting and self._relieved(),
        )
        return Attempted(
            message=message,
            gateway=self._gateway.name,
            outcome=outcome,
            verdict=verdict,
            falls=ladder.is_over(message, verdict, now=now),
        )

    def _tell(self, before: Breaker, now: Instant) -> None:
        if self._breaker.open:
            log.warning("breaker.opened", gateway=self.gateway, reason=self._breaker.reason)
        else:
            lasted = (now - before.since) // instant.SECOND
            log.info("breaker.closed", gateway=self.gateway, reason=before.reason, seconds=lasted)

    async def _record(self, session: Session, ended: Sequence[Attempted]) -> None:
        now = self._clock.civil()
        fell = await session.end_attempts(ended, now)
        await session.refuse(
            [
                _refusal(attempted.message.address, attempted, now)
                for attempted in ended
                if isinstance(attempted.outcome, OptedOut)
            ]
        )
        await session.add_work(
            [_alarm(attempted, now) for attempted in ended if attempted.verdict.alarm]
        )
        await session.add_work(
            [
                failed(attempted.message, attempted.verdict.reason, now)
                for attempted in ended
                if attempted.message.also
                and attempted.verdict.state in LOST
                and not attempted.falls
            ]
        )
        if fell:
            await self._step_down.fallen(session, now)


def _refusal(address: Address, attempted: Attempted, now: Instant) -> consent.Refusal:
    return consent.Refusal(
        address=address,
        scope=consent.BLOCKED,
        at=now,
        proof=f"{attempted.gateway} said so to message {attempted.message.id}",
    )


def _alarm(attempted: Attempted, now: Instant) -> WorkItem:
    outcome = attempted.outcome
    code = outcome.code if isinstance(outcome, Permanent) else ""
    return WorkItem(
        key=f"gateway|{attempted.gateway}|{code}|{instant.local_date(now)}",
        kind="gateway",
        detail=f"{attempted.gateway} refuses our account or configuration ({code})",
        opened_at=now,
    )
