"""An event comes in: the dossier, its due moments and its messages land together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain import deadline, due_check, instant, lasting, notice, promise
from notifier.domain.deadline import Missed
from notifier.domain.dossier import apply
from notifier.domain.message import State
from notifier.flows.ladder import accounts_for
from notifier.ports import Moved, Quarantined, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from notifier.domain.deadline import Moment
    from notifier.domain.dossier import Dossier
    from notifier.domain.event import DossierEvent
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.flows.compose import Composer
    from notifier.flows.keep import Keep
    from notifier.ports import Clock, Session, Store

TOO_FAR_AHEAD = 10 * instant.MINUTE
"""A time this far (ms) ahead of receipt would win over everything that follows: quarantined."""


class Fate(StrEnum):
    """What became of an item."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """The fate of one item, and a sentence where it was quarantined."""

    fate: Fate
    reason: str = ""


MISSED_WORDS = {
    Missed.BEFORE_WE_KNEW: "the due date had passed before the dossier was first seen",
    Missed.NOT_RENEWED: "the source sent no new due date after the supplement",
    Missed.PASSED_IN_PAUSE: "it passed while the time limit stood still, and was not moved",
}


class Ingest:
    """Takes events, or what could not be read as one, and answers after the commit."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        installation: Installation,
        composer: Composer,
        keep: Keep,
        queued: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._installation = installation
        self._composer = composer
        self._keep = keep
        self._queued = queued
        self._places: set[int] = set()
        """Places that are in the store; they are never taken out, and written once a process."""

    async def __call__(self, items: Sequence[DossierEvent | Quarantined]) -> list[Ingested]:
        """One transaction for all of them; a result an item, in order."""
        now = self._clock.civil()
        checked = [self._checked(item, now) for item in items]
        events = [item for item in checked if not isinstance(item, Quarantined)]
        async with self._store.write() as session:
            await session.quarantine([item for item in checked if isinstance(item, Quarantined)])
            new = await session.add_events(events, now)
            fresh = [event for event, is_new in zip(events, new, strict=True) if is_new]
            places: set[int] = set()
            messages = await self.take(session, fresh, now, places=places)
        self._places |= places
        if messages:
            self._queued()
        fates = iter(new)
        return [
            Ingested(fate=Fate.QUARANTINED, reason=item.reason)
            if isinstance(item, Quarantined)
            else Ingested(fate=Fate.STORED if next(fates) else Fate.DUPLICATE)
            for item in checked
        ]

    def _checked(
        self, item: DossierEvent | Quarantined, now: Instant
    ) -> DossierEvent | Quarantined:
        if isinstance(item, Quarantined):
            return item
        if item.time > now + TOO_FAR_AHEAD:
            return _quarantined(item, "its time lies more than 10 minutes ahead of ours", now)
        status = item.carried.get("status")
        if status is not None and status not in self._installation.statuses:
            return _quarantined(item, f"status {status} is not in the table of states", now)
        return item

    async def take(
        self,
        session: Session,
        events: Sequence[DossierEvent],
        now: Instant,
        *,
        unsaid: frozenset[str] = frozenset(),
        places: set[int] | None = None,
    ) -> int:
        """What follows from journalled events, in their transaction; how many messages.

        ``unsaid``: families of notices that whoever calls says in words of its own. ``places``
        is told which were written, for who knows when that is committed.
        """
        if not events:
            return 0
        codes = {event.code for event in events}
        await session.hold(sorted(codes))
        before = await session.dossiers(sorted(codes))
        after = dict(before)
        for event in events:
            after[event.code] = apply(after.get(event.code), event, now=now)
        changed = [dossier for code, dossier in after.items() if dossier is not before.get(code)]
        plans: dict[str, tuple[Moment, ...]] = {}
        notices: list[notice.Notice] = []
        work: list[WorkItem] = []
        for dossier in changed:
            previous = before.get(dossier.code)
            plan = self._plan(previous, dossier, now)
            if plan is not None:
                plans[dossier.code] = plan.moments
                if plan.missed:
                    work.append(missed_work(dossier, plan.missed, now))
            if self._is_to_be_checked(previous, dossier):
                work += self._due_differs(dossier, now)
            notices += (
                one
                for one in self._notices(previous, dossier, now)
                if one.rule.family not in unsaid
            )
        accounts = await accounts_for(session, notices, self._installation.ladder)
        composed = self._composer.notices(notices, now, accounts)
        new = {dossier.code: dossier for dossier in changed if dossier.code not in before}
        kept = await self._keep.appeared(session, new, now) if new else []
        outdated = await self._outdated(
            session, [newer for newer in notices if newer.dossier.code in before]
        )
        await session.put_dossiers(changed, now)
        written = await self._put_promises(session, before, changed)
        if places is not None:
            places |= written
        await session.plan_moments(plans)
        await session.add_work([*work, *composed.work])
        await session.move(outdated, now)
        return len(await session.add_messages([*composed.messages, *kept]))

    async def _outdated(self, session: Session, newer: Sequence[notice.Notice]) -> list[Moved]:
        """What still waits of the same dossiers as ``newer`` notices, and gives way to them."""
        if not newer:
            return []
        newest = {one.dossier.code: one for one in newer}
        moved: list[Moved] = []
        for waiting in await session.queued_notices(sorted(newest)):
            reason = notice.gives_way(
                self._installation.rules.named(waiting.notice),
                waiting.episode,
                newest[waiting.dossier],
                self._installation.statuses,
            )
            if reason:
                moved.append(Moved(id=waiting.id, state=State.SUPERSEDED, reason=reason))
        return moved

    def _notices(
        self, before: Dossier | None, after: Dossier, now: Instant
    ) -> Iterator[notice.Notice]:
        rules = self._installation.rules
        for entered in rules.entered(before, after, now=now):
            yield notice.of_transition(entered, after)
        for moved in rules.rescheduled(before, after, now=now):
            yield notice.of_due(moved, after, deadline.episode(after.facts.due_at or 0))

    def _is_to_be_checked(self, before: Dossier | None, after: Dossier) -> bool:
        """Whether anything that the due date is checked by has changed."""
        if before is None or before.status != after.status:
            return True
        return any(
            getattr(before.facts, name) != getattr(after.facts, name)
            for name in ("due_at", "received_at", "limit", "procedure_code", "unit")
        )

    def _due_differs(self, dossier: Dossier, now: Instant) -> Iterator[WorkItem]:
        installation = self._installation
        if not due_check.is_checked(dossier, installation.statuses):
            return
        expected = due_check.expected(dossier, installation)
        due_at = dossier.facts.due_at
        if expected is None or due_at is None or not due_check.differs(due_at, expected):
            return
        due = deadline.episode(due_at)
        yield WorkItem(
            key=f"due_differs|{dossier.code}|{due}",
            kind="due_differs",
            dossier=dossier.code,
            detail=f"due {due} by the source, {expected.words} by our count; the source's holds",
            opened_at=now,
        )

    async def _put_promises(
        self, session: Session, before: Mapping[str, Dossier], changed: Sequence[Dossier]
    ) -> set[int]:
        """What reports know of those that changed, where it may have; the places they are of."""
        installation = self._installation
        promises = [
            promise.of(dossier, installation)
            for dossier in changed
            if (old := before.get(dossier.code)) is None
            or not promise.is_untouched(old, dossier, installation.statuses)
        ]
        places = {one.place.id: one.place for one in promises}
        new = {id_: place for id_, place in places.items() if id_ not in self._places}
        await session.put_promises(promises, list(new.values()))
        return set(new)

    def _plan(self, before: Dossier | None, after: Dossier, now: Instant) -> deadline.Plan | None:
        installation = self._installation
        calendar = installation.calendar_of(installation.units.find(after.facts.unit))
        rules, statuses = installation.rules, installation.statuses
        of_due = deadline.replan(
            before, after, rules=rules, statuses=statuses, calendar=calendar, now=now
        )
        return lasting.replan(
            of_due, before, after, rules=rules, statuses=statuses, calendar=calendar, now=now
        )


def missed_work(dossier: Dossier, missed: Missed, now: Instant) -> WorkItem:
    """A due date that a person has to look at; once a due date."""
    due = deadline.episode(dossier.facts.due_at or 0)
    return WorkItem(
        key=f"{missed.value}|{dossier.code}|{due}",
        kind=missed.value,
        dossier=dossier.code,
        detail=f"due {due}: {MISSED_WORDS[missed]}",
        opened_at=now,
    )


def _quarantined(event: DossierEvent, reason: str, now: Instant) -> Quarantined:
    return Quarantined(
        door=event.door,
        key=f"{event.source}|{event.id}|{reason}",
        reason=reason,
        raw=event.raw,
        at=now,
    )
