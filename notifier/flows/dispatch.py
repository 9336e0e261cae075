"""The way out: what is due is looked at again, journalled, handed to the gateway, and recorded.

One dispatcher a gateway. A cycle is one transaction: it records the attempts that ended, and
journals as *sending* the messages that window and rate admit now, before their first byte leaves.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from notifier.domain import caps, consent, instant, notice, retry
from notifier.domain.admission import Bucket, choose
from notifier.domain.breaker import Breaker
from notifier.domain.broadcast import BroadcastState
from notifier.domain.message import Lane, State
from notifier.domain.outcome import OptedOut, Outcome, Permanent, Unknown
from notifier.domain.rules import DueRule
from notifier.errors import SealedError
from notifier.flows.together import Joined, failed
from notifier.ports import Attempted, Moved, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from notifier.domain.broadcast import Broadcast
    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address, Message
    from notifier.domain.rules import Rule
    from notifier.flows.together import Together
    from notifier.ports import Clock, Gateway, Session, Store

POLL: Final = 0.5
"""Seconds between looks at the outbox when nothing rings; another process may have queued."""

GATHER: Final = 0.005
"""Seconds that an ended attempt waits for others before they are recorded in one transaction."""

LONGEST_SEND: Final = 120.0
"""Seconds after which an attempt without a verdict is of unknown fate."""

PAUSED_LOOK: Final = 5 * instant.SECOND
"""How often a message of a paused broadcast is looked at again (ms)."""

SEALED_LOOK: Final = instant.HOUR
"""How often what does not open is tried again (ms): the right keys may have been put back."""

NO_MORE: Final = frozenset({State.SUPERSEDED, State.CANCELLED})
"""Where what is to be told no more goes, by the look at its dossier or its recipient."""

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
        rate: float | None = None,
        window: int | None = None,
        preferred: Callable[[], bool] = lambda: True,
        together: Together | None = None,
    ) -> None:
        """``rate`` and ``window`` override the gateway's own; ``preferred``: is it our turn.

        Without ``together`` each notice leaves by itself.
        """
        self._gateway = gateway
        self._store = store
        self._clock = clock
        self._installation = installation
        self._owner = owner
        self._window = window or gateway.capabilities.window
        self._preferred = preferred
        self._together = together
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
    def usable(self) -> bool:
        """Whether it may be given messages now."""
        return self._clock.elapsed() >= self._breaker.until

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
        if self._stopping or self._bucket.level <= 0 or not self._preferred():
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
        now = self._clock.civil()
        waiting = await session.waiting(self.channel, self._gateway.name, now, free)
        chosen, _ = choose(waiting, free=free, window=window, bucket=self._bucket)
        if not chosen:
            return [], 0
        allowed, moved = await self._looked_at(session, [one.id for one in chosen], now)
        leaving, held = await self._within_caps(
            session, await self._joined(session, allowed, now), now
        )
        moved += held
        moved += [move for joined in leaving for move in joined.moved]
        await session.move(moved, now)
        await session.reword([joined.carrier for joined in leaving if joined.others], now)
        begun = await session.begin_attempts(
            [joined.carrier for joined in leaving], self._gateway.name, self._owner, now
        )
        # Only what leaves is paid for.
        self._bucket = self._bucket.taken(sum(message.plan.segments for message in begun))
        return begun, len(moved)

    async def _looked_at(
        self, session: Session, ids: Sequence[str], now: Instant
    ) -> tuple[list[Message], list[Moved]]:
        """As ``_looked_at_again``; what does not open waits for people and stops nothing else."""
        try:
            return await self._looked_at_again(session, await session.messages(ids), now)
        except SealedError:
            if len(ids) == 1:
                await session.add_work([_sealed(now)])
                return [], [_put_off(ids[0], now)]
        leaving: list[Message] = []
        moved: list[Moved] = []
        for id_ in ids:
            left, put_off = await self._looked_at(session, [id_], now)
            leaving += left
            moved += put_off
        return leaving, moved

    async def _looked_at_again(
        self, session: Session, messages: Sequence[Message], now: Instant
    ) -> tuple[list[Message], list[Moved]]:
        """Those that may leave, and where the others go: the last look before sending."""
        codes = [code for message in messages for code, _ in message.dossiers]
        dossiers = await session.dossiers(codes) if codes else {}
        asked_not_to = await session.refusals(
            [message.address for message in messages if message.lane is not Lane.ANSWER]
        )
        broadcasts = {
            broadcast_id: await session.broadcast(broadcast_id)
            for broadcast_id in {message.broadcast for message in messages if message.broadcast}
        }
        leaving: list[Message] = []
        moved: list[Moved] = []
        for message in messages:
            scopes = asked_not_to.get(message.address, frozenset())
            bulk = broadcasts.get(message.broadcast) if message.broadcast else None
            move = _stopped_with(bulk, message, now)
            if move is None and message.also and self._together:
                move = await self._looked_at_each(
                    session, self._together, message, dossiers, scopes, now
                )
            elif move is None:
                dossier = dossiers.get(message.dossier) if message.dossier else None
                move = self._reason_to_stay(message, dossier, scopes, now)
            if move is None:
                leaving.append(message)
            else:
                moved.append(move)
        return leaving, moved

    async def _looked_at_each(
        self,
        session: Session,
        together: Together,
        message: Message,
        dossiers: Mapping[str, Dossier],
        scopes: frozenset[str],
        now: Instant,
    ) -> Moved | None:
        """Where a message goes that speaks of several dossiers: each of them is looked at.

        Where some are to be told no more, the others part from it, unless half of it has arrived.
        """
        looks = [
            (code, episode, self._reason_to_stay(
                replace(message, dossier=code, episode=episode, also=()),
                dossiers.get(code),
                scopes,
                now,
            ))
            for code, episode in message.dossiers
        ]  # fmt: skip
        told = [look for look in looks if look[2] is None or look[2].state not in NO_MORE]
        if len(told) in {0, len(looks)} or message.accepted_parts:
            move = (told or looks)[0][2]
            if move is not None and move.state is State.EXPIRED:
                await session.add_work([failed(message, move.reason, now)])
            return move
        true = [(dossiers[code], episode) for code, episode, _ in told if code in dossiers]
        apart, work = together.apart(message, true, now)
        await session.add_messages(apart)
        await session.add_work(work)
        reason = f"parted, since not all it says is to be told: {notice.MOVED_ON}"
        return Moved(id=message.id, state=State.SUPERSEDED, reason=reason)

    async def _joined(
        self, session: Session, messages: Sequence[Message], now: Instant
    ) -> list[Joined]:
        """What may leave, with what can be said at once as one."""
        groups = self._together.candidates(messages) if self._together else []
        if not (self._together and groups):
            return [Joined(carrier=message) for message in messages]
        dossiers = await session.dossiers(
            sorted({code for group in groups for one in group for code, _ in one.dossiers})
        )
        found = [joined for group in groups for joined in self._together.join(group, dossiers, now)]
        carriers = {joined.carrier.id: joined for joined in found}
        others = {one.id for joined in found for one in joined.others}
        return [
            carriers.get(message.id) or Joined(carrier=message)
            for message in messages
            if message.id not in others
        ]

    async def _within_caps(
        self, session: Session, allowed: Sequence[Joined], now: Instant
    ) -> tuple[list[Joined], list[Moved]]:
        """Those that no cap holds back, and where the others go; each that leaves counts.

        What goes to an address that another process decides about stays as it is, for a moment.
        """
        concerned = [one.carrier.address for one in allowed if caps.concerns(one.carrier)]
        if not concerned:
            return list(allowed), []
        left = await session.left_since(list(dict.fromkeys(concerned)), now - caps.WINDOW)
        leaving: list[Joined] = []
        moved: list[Moved] = []
        for joined in allowed:
            message = joined.carrier
            if not caps.concerns(message):
                leaving.append(joined)
            elif message.address in left:
                so_far = left[message.address]
                if self._over_cap(message, so_far, now) is None:
                    leaving.append(joined)
                    so_far.append((message.lane, now))
                else:
                    held = [self._over_cap(one, so_far, now) for one in joined.messages]
                    moved += [move for move in held if move is not None]
        return leaving, moved

    def _over_cap(
        self, message: Message, left: Sequence[tuple[Lane, Instant]], now: Instant
    ) -> Moved | None:
        """It waits until one more may leave, where that is not too late for it."""
        cap = self._installation.caps.of(message.lane)
        times = [at for lane, at in left if lane is message.lane]
        frees_at = caps.frees_at(times, cap, now)
        if frees_at is None:
            return None
        what = "broadcasts" if message.lane is Lane.BULK else "notices"
        reason = f"over the cap: {cap} {what} to this address in 24 hours"
        if frees_at < message.best_before:
            return Moved(id=message.id, state=State.QUEUED, reason=reason, not_before=frees_at)
        reason += ", and its best-before passes before it may leave"
        return Moved(id=message.id, state=State.EXPIRED, reason=reason)

    def _reason_to_stay(
        self, message: Message, dossier: Dossier | None, scopes: frozenset[str], now: Instant
    ) -> Moved | None:
        installation = self._installation
        if now >= message.best_before:
            return Moved(id=message.id, state=State.EXPIRED, reason="its best-before has passed")
        if message.lane is Lane.ANSWER:
            return None
        if consent.refuses(scopes, lane=message.lane, dossier=message.dossier):
            return Moved(id=message.id, state=State.CANCELLED, reason="the recipient refuses")
        rule = installation.rules.named(message.notice)
        if dossier is not None:
            if rule and not notice.still_true(
                rule, dossier, message.episode, installation.statuses
            ):
                return Moved(id=message.id, state=State.SUPERSEDED, reason=notice.MOVED_ON)
            if not consent.allows(dossier, message.address.channel):
                return Moved(
                    id=message.id,
                    state=State.CANCELLED,
                    reason=f"the dossier forbids {message.address.channel}",
                )
        hours = (
            installation.broadcast_hours if message.lane is Lane.BULK else installation.notice_hours
        )
        opens = hours.next_open(now)
        return _until_open(message, rule, opens, now) if opens > now else None

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
        verdict = retry.verdict(message, outcome, now=self._clock.civil())
        self._breaker = self._breaker.after(outcome, now=self._clock.elapsed())
        return Attempted(
            message=message, gateway=self._gateway.name, outcome=outcome, verdict=verdict
        )

    async def _record(self, session: Session, ended: Sequence[Attempted]) -> None:
        now = self._clock.civil()
        await session.end_attempts(ended, now)
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
                if attempted.message.also and attempted.verdict.state in LOST
            ]
        )


class Abandon:
    """What processes that died were sending: nobody knows whether it left."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def sweep(self, now: Instant) -> int:
        """It becomes *unknown*; how many messages."""
        async with self._store.write() as session:
            left = await session.abandon_sending(now)
        if left:
            log.warning("dispatch.left_unknown", messages=left)
        return left


def _until_open(message: Message, rule: Rule | None, opens: Instant, now: Instant) -> Moved:
    """Quiet hours: it waits, and its time to live moves along, but for a reminder's due date."""
    until_due = isinstance(rule, DueRule) and rule.best_before is None
    if until_due and opens >= message.best_before:
        return Moved(
            id=message.id, state=State.EXPIRED, reason="its best-before lies in quiet hours"
        )
    return Moved(
        id=message.id,
        state=State.QUEUED,
        reason="quiet hours",
        not_before=opens,
        best_before=message.best_before + (0 if until_due else opens - now),
    )


def _stopped_with(bulk: Broadcast | None, message: Message, now: Instant) -> Moved | None:
    """Where a message goes while its broadcast does not run."""
    if bulk is None or bulk.state in {BroadcastState.RUNNING, BroadcastState.DONE}:
        return None
    if bulk.state is BroadcastState.PAUSED:
        later = now + PAUSED_LOOK
        return Moved(
            id=message.id,
            state=State.QUEUED,
            reason="the broadcast is paused",
            not_before=later,
            best_before=message.best_before + PAUSED_LOOK,
        )
    return Moved(id=message.id, state=State.CANCELLED, reason="the broadcast was aborted")


def _refusal(address: Address, attempted: Attempted, now: Instant) -> consent.Refusal:
    return consent.Refusal(
        address=address,
        scope=consent.EVERYTHING,
        at=now,
        proof=f"{attempted.gateway} said so to message {attempted.message.id}",
    )


def _put_off(message_id: str, now: Instant) -> Moved:
    """It keeps waiting, since nothing is wrong with it once it opens again."""
    return Moved(
        id=message_id,
        state=State.QUEUED,
        reason="what is stored of it, or of its dossier, does not open",
        not_before=now + SEALED_LOOK,
    )


def _sealed(now: Instant) -> WorkItem:
    """Once a day: with the wrong keys no message opens."""
    return WorkItem(
        key=f"sealed|{instant.local_date(now)}",
        kind="sealed",
        detail="messages wait that do not open: written with other keys, or damaged; put the key "
        "file back that lay beside the store",
        opened_at=now,
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
