"""Due moments: reminders before a due date, the apology after it, and states that last.

A moment is a row. The sweep is bounded and may run twice, late, or in two processes: the notice's
key lets each be said once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from notifier.domain import deadline, lasting, notice
from notifier.domain.deadline import Missed
from notifier.domain.message import Lane, State, message_id
from notifier.domain.rules import DueRule, StateRule
from notifier.flows.ingest import missed_work
from notifier.flows.ladder import accounts_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from notifier.domain.deadline import Moment
    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Message
    from notifier.domain.rules import Rule
    from notifier.flows.compose import Composer
    from notifier.ports import OutboxRow, Session, Store, WorkItem

BATCH: Final = 200
"""Moments decided in one transaction."""

MOST_BATCHES: Final = 500
"""Transactions of one sweep; what is left then waits for the next tick."""


class Remind:
    """Decides what has fallen due."""

    def __init__(
        self,
        store: Store,
        installation: Installation,
        composer: Composer,
        queued: Callable[[], None],
    ) -> None:
        self._store = store
        self._installation = installation
        self._composer = composer
        self._queued = queued

    async def sweep(self, now: Instant) -> int:
        """Decide every moment at or before ``now`` (ms, civil); how many there were."""
        decided = 0
        for _ in range(MOST_BATCHES):
            batch = await self._sweep_batch(now)
            decided += batch
            if batch < BATCH:
                break
        return decided

    async def _sweep_batch(self, now: Instant) -> int:
        async with self._store.write() as session:
            codes = {moment.code for moment in await session.due_moments(now, BATCH)}
            if not codes:
                return 0
            await session.hold(sorted(codes))
            # What another process decided, or put off, before we held them is not there any more.
            moments = [m for m in await session.due_moments(now, BATCH) if m.code in codes]
            dossiers = await session.dossiers(sorted(codes))
            rated = await session.rated(sorted(self._asked_to_rate(moments)))
            notices: list[notice.Notice] = []
            work: list[WorkItem] = []
            for moment in moments:
                dossier = dossiers.get(moment.code)
                decided = self._decide(moment, dossier, rated, now) if dossier else None
                if isinstance(decided, notice.Notice):
                    notices.append(decided)
                elif decided is not None:
                    work.append(decided)
            accounts = await accounts_for(session, notices, self._installation.ladder)
            composed = self._composer.notices(notices, now, accounts)
            added = await session.add_messages(composed.messages)
            known = [message for message in composed.messages if message.key not in added]
            added |= await session.add_messages(await _after_all(session, known, now))
            await session.add_work([*work, *composed.work])
            await session.drop_moments(moments)
        if added:
            self._queued()
        return len(moments)

    def _asked_to_rate(self, moments: Iterable[Moment]) -> set[str]:
        """The dossiers whose notice depends on whether they were rated."""
        asking = {rule.notice for rule in self._installation.rules.on_state() if rule.unless_rated}
        return {moment.code for moment in moments if moment.notice in asking}

    def _decide(
        self, moment: Moment, dossier: Dossier, rated: Collection[str], now: Instant
    ) -> notice.Notice | WorkItem | None:
        rule = self._installation.rules.named(moment.notice)
        if isinstance(rule, StateRule):
            return self._decide_state(rule, moment, dossier, rated, now)
        return self._decide_due(rule, moment, dossier, now)

    @staticmethod
    def _decide_state(
        rule: StateRule, moment: Moment, dossier: Dossier, rated: Collection[str], now: Instant
    ) -> notice.Notice | None:
        if not lasting.lasts(rule, dossier, moment.episode):
            return None
        if lasting.is_overtaken(rule, dossier, moment.episode, now):
            return None
        if rule.unless_rated and dossier.code in rated:
            return None
        return notice.of_state(rule, dossier, moment.episode)

    def _decide_due(
        self, rule: Rule | None, moment: Moment, dossier: Dossier, now: Instant
    ) -> notice.Notice | WorkItem | None:
        installation = self._installation
        due_at = dossier.facts.due_at
        if not isinstance(rule, DueRule) or due_at is None:
            return None
        if not deadline.runs(dossier, installation.statuses):
            return None
        if deadline.episode(due_at) != moment.episode:
            return None
        if deadline.is_stale(dossier, installation.statuses):
            return missed_work(dossier, Missed.NOT_RENEWED, now) if now > due_at else None
        if rule.working_days_before is not None and now >= due_at:
            return None
        return notice.of_due(rule, dossier, moment.episode)


async def _after_all(session: Session, known: Sequence[Message], now: Instant) -> list[Message]:
    """Of what has been said before: what never left, as its due date was moved, and moved back.

    Its key is spent, so it gets another one, made of how often that happened.
    """
    owed = [message for message in known if message.lane is Lane.DEADLINE]
    if not owed:
        return []
    rows = await session.notices_of(sorted({message.dossier or "" for message in owed}))
    again = []
    for message in owed:
        occasion = message.key.rpartition("|")[0] + "|"
        spent = [row for row in rows[message.dossier or ""] if row.key.startswith(occasion)]
        if all(map(_was_taken_back, spent)):
            key = f"{message.key}|{len(spent)}"
            again.append(replace(message, key=key, id=message_id(key, now)))
    return again


def _was_taken_back(row: OutboxRow) -> bool:
    return row.state is State.SUPERSEDED and row.reason == notice.MOVED_ON
