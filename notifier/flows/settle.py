"""Messages of unknown fate: what nobody knows is found out, or left to people."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from notifier.domain import retry
from notifier.domain.message import State
from notifier.domain.outcome import Accepted, OptedOut, Permanent, Temporary
from notifier.domain.retry import Way
from notifier.flows.together import failed, named
from notifier.ports import Moved, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from notifier.domain.instant import Instant
    from notifier.domain.outcome import Outcome
    from notifier.domain.rules import Rules
    from notifier.flows.ladder import StepDown
    from notifier.ports import Gateway, Store, Unsettled

BATCH: Final = 200

LONGEST_QUERY: Final = 10.0
"""Seconds that a provider may take to say what became of a message."""

log = structlog.get_logger()


class Abandon:
    """What processes that died were sending: nobody knows whether it left."""

    def __init__(self, store: Store, step_down: StepDown) -> None:
        self._store = store
        self._step_down = step_down

    async def sweep(self, now: Instant) -> int:
        """It becomes *unknown*; how many messages."""
        async with self._store.write() as session:
            left = await session.abandon_sending(now)
            if left:  # a report that came early may say that one did not arrive
                await self._step_down.fallen(session, now)
        if left:
            log.warning("dispatch.left_unknown", messages=left)
        return left


class SettleUnknown:
    """In this order: the same key again, the provider asked, a report, the class, a person."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        step_down: StepDown,
        gateways: Mapping[str, Gateway],
        queued: Callable[[], None],
    ) -> None:
        self._store = store
        self._rules = rules
        self._step_down = step_down
        self._gateways = gateways
        self._queued = queued

    async def sweep(self, now: Instant) -> int:
        """Decide what can be decided now; how many messages moved."""
        async with self._store.read() as session:
            unsettled = await session.unknown(now, BATCH)
        if not unsettled:
            return 0
        asked = [one for one in unsettled if self._way(one, now) is Way.ASK]
        # Outside of any transaction: a provider may take its time.
        outcomes = await asyncio.gather(*map(self._ask, asked))
        told = {one.message.id: outcome for one, outcome in zip(asked, outcomes, strict=True)}
        moved: list[Moved] = []
        fell: dict[str, str] = {}
        work: dict[str, WorkItem] = {}
        for one in unsettled:
            decided = _as_told(one, told.get(one.message.id), now) or self._by_way(one, now)
            match decided:
                case Moved(state=State.FAILED) if one.message.rungs:
                    fell[one.message.id] = decided.reason
                case Moved():
                    moved.append(decided)
                    if decided.state is State.FAILED and one.message.also:
                        work[one.message.id] = failed(one.message, decided.reason, now)
                case WorkItem():
                    work[one.message.id] = decided
                case None:
                    pass
        times = {one.message.id: one.times for one in unsettled}
        async with self._store.write() as session:
            # While a provider was asked, a report or another process may have settled some.
            still = {
                one.message.id
                for one in await session.unknown(now, BATCH)
                if times.get(one.message.id) == one.times
            }
            count = await session.move([move for move in moved if move.id in still], now)
            await session.add_work([work[id_] for id_ in work if id_ in still])
            lost = {id_: reason for id_, reason in fell.items() if id_ in still}
            if lost:
                await session.fall(lost, now)
                count += await self._step_down.fallen(session, now)
        if count:
            self._queued()
        return count

    def _way(self, one: Unsettled, now: Instant) -> Way:
        gateway = self._gateways.get(one.gateway)
        return retry.settle(
            one.message,
            self._rules.named(one.message.notice),
            gateway.capabilities if gateway else None,
            times=one.times,
            since=one.since,
            first_at=one.first_at,
            now=now,
        )

    async def _ask(self, one: Unsettled) -> Outcome | None:
        try:
            async with asyncio.timeout(LONGEST_QUERY):
                return await self._gateways[one.gateway].query(one.message.key)
        except Exception:
            log.exception("settle.not_told", gateway=one.gateway)
            return None

    def _by_way(self, one: Unsettled, now: Instant) -> Moved | WorkItem | None:
        match self._way(one, now):
            case Way.SAME_KEY:
                return Moved(
                    id=one.message.id,
                    state=State.QUEUED,
                    reason="sent again with the same key: the provider drops what it has",
                    not_before=now,
                    pinned=one.gateway,
                )
            case Way.AGAIN:
                return Moved(
                    id=one.message.id,
                    state=State.QUEUED,
                    reason="sent again: nobody knows whether it arrived",
                    not_before=now,
                )
            case Way.PERSON:
                return WorkItem(
                    key=f"unknown|{one.message.id}",
                    kind="unknown",
                    dossier=one.message.dossier,
                    detail=f"{named(one.message)}: nobody knows whether it arrived",
                    opened_at=now,
                )
            case Way.ASK | Way.WAIT:
                return None


def _as_told(one: Unsettled, outcome: Outcome | None, now: Instant) -> Moved | None:
    """Where it goes by what the provider says; None where that says nothing."""
    match outcome:
        case Accepted():
            return Moved(
                id=one.message.id, state=State.ACCEPTED, reason="the provider says that it has it"
            )
        case Permanent() | OptedOut():
            return Moved(
                id=one.message.id,
                state=State.FAILED,
                reason=f"the provider says so ({outcome.code})",
            )
        case Temporary():
            return Moved(
                id=one.message.id,
                state=State.QUEUED,
                reason="the provider says that it never had it",
                not_before=now,
            )
        case _:
            return None
