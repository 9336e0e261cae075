"""How a promise was kept: what counts as early, on time and late, and what is not counted.

The definitions are those of ``docs/promise.md``. Two due dates are told apart: the *first* one that
bound, and the *appointed* one, which stands at the end. The field publishes by the appointed date;
a dossier that was given a new appointment is late against the first all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.event import EventType
from notifier.domain.status import DeadlineClock, Ending

if TYPE_CHECKING:
    from datetime import date

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.status import Statuses
    from notifier.domain.tier import Tier
    from notifier.domain.unit import Unit


class Kept(IntEnum):
    """How a due date was kept."""

    NOT_SAID = 0
    """Not finished, or without a due date that binds."""
    EARLY = 1
    """Finished on an earlier working day than the due day. A day off counts as the next worked."""
    ON_TIME = 2
    """Finished on the due day, and not after the due moment."""
    LATE = 3
    """Finished after the due moment; or not finished while it has passed."""


class Standing(IntEnum):
    """Where a dossier stands for the report. Only the first two are counted."""

    DONE = 1
    """Finished with a result, which had a due date."""
    OPEN = 2
    """The limit runs."""
    PAUSED = 3
    """The limit stands still: papers or a payment are waited for."""
    STALE = 4
    """Its due date is from before a supplement, and the source sent no new one."""
    UNDATED = 5
    """The source never said a due date."""
    NEW = 6
    """Not accepted yet."""
    REFUSED = 7
    WITHDRAWN = 8
    STOPPED = 9


ENDED: Final = {
    Ending.RESULT: Standing.DONE,
    Ending.REFUSED: Standing.REFUSED,
    Ending.WITHDRAWN: Standing.WITHDRAWN,
    Ending.STOPPED: Standing.STOPPED,
}
REPORTED: Final = (
    "due_at", "rescheduled", "received_at", "finished_at", "unit", "procedure_code",
    "procedure_name", "procedure_field",
)  # fmt: skip
"""The facts that a report is made of, beside the timeline."""

PAUSES: Final = frozenset({DeadlineClock.PAUSES, DeadlineClock.RESTARTS})


class Apologised(StrEnum):
    """How an applicant was told that we are sorry."""

    AUTOMATIC = "automatic"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Who answers for a dossier, and of what kind it is: what reports are told by.

    ``unit`` is the code of the registry, or the key that the source gives; ``names`` of unit and
    procedure as they were first heard, which are no part of its identity.
    """

    level: str
    unit: str
    field: str
    procedure: str
    unit_name: str = ""
    procedure_name: str = ""

    @property
    def id(self) -> int:
        """A number for it, derived: the same in every process. 63 bits."""
        return _place_id(self.level, self.unit, self.field, self.procedure)


@lru_cache(maxsize=50_000)
def _place_id(*names: str) -> int:
    digest = blake2b("\x00".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The due dates of a dossier. ``moved``: how often a new appointment was made.

    ``binds``: whether they count; the one from before a supplement does not, unless it was missed.
    """

    first: Instant | None = None
    appointed: Instant | None = None
    moved: int = 0
    binds: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One dossier as the report sees it; but for the clock nothing has to be worked out again.

    ``ended_at``: when it was finished, refused, withdrawn or stopped. ``late_days``: working days
    from the first due date to its finish; 0 where it is not late, or late by less than one.
    """

    code: str
    place: Place
    received_at: Instant
    first_due_at: Instant | None = None
    due_at: Instant | None = None
    ended_at: Instant | None = None
    standing: Standing
    kept: Kept = Kept.NOT_SAID
    first_kept: Kept = Kept.NOT_SAID
    late_days: int = 0
    moved: int = 0

    @property
    def month(self) -> int:
        """The month in which it ended, 202611; 0 while it has not."""
        return month_of(self.ended_at) if self.ended_at is not None else 0

    @property
    def verdict(self) -> int:
        """Standing and both verdicts in one number, as it is stored."""
        return Verdict(standing=self.standing, kept=self.kept, first_kept=self.first_kept).number


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is counted of a dossier at some moment."""

    standing: Standing
    kept: Kept = Kept.NOT_SAID
    first_kept: Kept = Kept.NOT_SAID

    @property
    def number(self) -> int:
        """Three digits: standing, against the appointed date, against the first."""
        return self.standing * 100 + self.kept * 10 + self.first_kept

    @classmethod
    def of(cls, number: int) -> Verdict:
        """From its number."""
        standing, kept = divmod(number, 100)
        return cls(standing=Standing(standing), kept=Kept(kept // 10), first_kept=Kept(kept % 10))


def month_of(moment: Instant) -> int:
    """The Vietnamese month of a moment: 202611."""
    day = instant.local_date(moment)
    return day.year * 100 + day.month


def of(dossier: Dossier, installation: Installation) -> Promise:
    """What the report has to know of ``dossier``."""
    statuses, ref = installation.statuses, dossier.facts.unit
    unit, tier = installation.units.placed(ref) if ref else (None, None)
    due = due_of(dossier, statuses)
    standing, ended_at = _standing(dossier, due, statuses)
    appointed_kept, first_kept, late_days = Kept.NOT_SAID, Kept.NOT_SAID, 0
    if standing is Standing.DONE and ended_at is not None and due.first is not None:
        calendar = installation.calendars[installation.calendar]
        if unit is not None:
            calendar = installation.calendar_of(unit)
        appointed_kept = first_kept = kept(ended_at, due.first, calendar)
        if due.appointed is not None and due.appointed != due.first:
            appointed_kept = kept(ended_at, due.appointed, calendar)
        if first_kept is Kept.LATE:
            late_days = working_days(due.first, ended_at, calendar)
    return Promise(
        code=dossier.code,
        place=_place(dossier, unit, tier),
        received_at=_received_at(dossier, statuses),
        first_due_at=due.first,
        due_at=due.appointed,
        ended_at=ended_at,
        standing=standing,
        kept=appointed_kept,
        first_kept=first_kept,
        late_days=late_days,
        moved=due.moved,
    )


def is_untouched(before: Dossier, after: Dossier, statuses: Statuses) -> bool:
    """Whether ``of`` is surely the same for both; most events change nothing that is reported.

    They are of one history: ``after`` has what ``before`` has, and more. False where it is not
    sure: a step that came late, or one that says a due date, or does something else to the limit.
    """
    known = len(before.steps)
    if after.steps[:known] != before.steps:
        return False
    for step in after.steps[known:]:
        if step.due_at is not None and step.due_at != before.facts.due_at:
            return False
        if step.status is not None and not _is_alike(step.status, before, statuses):
            return False
    old, new = before.facts, after.facts
    return all(getattr(old, name) == getattr(new, name) for name in REPORTED)


def _is_alike(status: int, before: Dossier, statuses: Statuses) -> bool:
    clock = statuses.clock(status, before.facts)
    same_clock = clock is statuses.clock(before.status, before.facts)
    return same_clock and statuses.ending(status) is statuses.ending(before.status)


def kept(finished_at: Instant, due_at: Instant, calendar: WorkingCalendar) -> Kept:
    """How a due date was kept by what was finished then."""
    if finished_at > due_at:
        return Kept.LATE
    day = calendar.next_working(instant.local_date(finished_at))
    return Kept.EARLY if day < instant.local_date(due_at) else Kept.ON_TIME


def working_days(due_at: Instant, until: Instant, calendar: WorkingCalendar) -> int:
    """Working days after the due day, up to the day of ``until`` (Civil Code art 147)."""
    return sum(
        calendar.is_working(day)
        for day in _days(instant.local_date(due_at), instant.local_date(until))
    )


def due_of(dossier: Dossier, statuses: Statuses) -> Due:
    """The due dates that bound, from the timeline.

    A date is set aside without fault by a supplement before it passed (NĐ 61/2018 art 19(4)), by a
    correction, and by a source that moves it before it passed. It stays the first one when it
    passed while the limit ran, and when a new appointment replaced it (art 19(9)).
    """
    made = dossier.facts.rescheduled
    new_appointment = made.due_at if made is not None else None
    due: Instant | None = None
    before_supplement: Instant | None = None
    missed: Instant | None = None
    moved = 0
    clock = DeadlineClock.NOT_STARTED
    for step in dossier.steps:
        runs = clock is DeadlineClock.RUNS and due != before_supplement
        if missed is None and due is not None and runs and step.at > due:
            missed = due
        if step.due_at is not None and step.due_at != due:
            if step.type == EventType.CORRECTED.value and step.due_at != new_appointment:
                missed = None if missed == due else missed
            elif due is not None and (
                step.type == EventType.RESCHEDULED.value or step.due_at == new_appointment
            ):
                moved += 1
                if missed is None and due != before_supplement:
                    missed = due
            due = step.due_at
        if step.status is not None:
            now = statuses.clock(step.status, dossier.facts)
            if now is DeadlineClock.RESTARTS and clock is not DeadlineClock.RESTARTS:
                before_supplement = due
            clock = now
    if dossier.facts.due_at is None:  # the source took it back
        due = None
    binds = due is None or due != before_supplement or missed is not None
    return Due(first=missed if missed is not None else due, appointed=due, moved=moved, binds=binds)


def as_of(promise: Promise, *, start: Instant, at: Instant) -> Verdict | None:
    """What counts of it in a report from ``start`` to ``at`` (ms, both included); None: nothing.

    What ended within that time counts as it ended. What had come by ``at`` and had not ended
    counts as open then, also where it ended since.
    """
    ended = promise.ended_at is not None and promise.ended_at <= at
    if ended:
        return None if (promise.ended_at or 0) < start else Verdict.of(promise.verdict)
    if promise.received_at > at:
        return None
    standing = promise.standing
    if promise.ended_at is not None and standing is not Standing.STALE:
        standing = Standing.OPEN if promise.due_at is not None else Standing.UNDATED
    if standing is not Standing.OPEN:
        return Verdict(standing=standing)
    return Verdict(
        standing=standing,
        kept=_passed(promise.due_at, at),
        first_kept=_passed(promise.first_due_at, at),
    )


def _passed(due_at: Instant | None, at: Instant) -> Kept:
    return Kept.LATE if due_at is not None and due_at < at else Kept.NOT_SAID


def _standing(dossier: Dossier, due: Due, statuses: Statuses) -> tuple[Standing, Instant | None]:
    """Where it stands, and when it ended."""
    ending = statuses.ending(dossier.status)
    clock = statuses.clock(dossier.status, dossier.facts)
    ended_at = None
    if clock is DeadlineClock.ENDED:
        ended_at = _ended_at(dossier, statuses)
    if ending is not None and ending is not Ending.RESULT:
        return ENDED[ending], ended_at
    if clock is DeadlineClock.NOT_STARTED:
        return Standing.NEW, None
    if clock in PAUSES:
        return Standing.PAUSED, None
    if due.first is None:
        return Standing.UNDATED, ended_at
    if not due.binds:
        return Standing.STALE, ended_at
    return (Standing.DONE if ended_at is not None else Standing.OPEN), ended_at


def _ended_at(dossier: Dossier, statuses: Statuses) -> Instant:
    """When its present end began; of a result what the source says of it, where it says it.

    A result that is handed over was finished before; one that was taken back is finished anew.
    """
    entered: Instant | None = None
    ending: Ending | None = None
    stamp = None
    for step in dossier.steps:
        if step.status is None:
            continue
        now = statuses.ending(step.status)
        if now is not ending or entered is None:
            ending, entered, stamp = now, step.at, step.stamp
    said_at = dossier.facts.finished_at
    said_by = dossier.stamps.get("finished_at")
    if ending is Ending.RESULT and said_at is not None and said_by and stamp and said_by >= stamp:
        return said_at
    return entered if entered is not None else dossier.first_seen_at


def _received_at(dossier: Dossier, statuses: Statuses) -> Instant:
    """When it was taken, else when its limit first ran, else when we first heard of it."""
    if dossier.facts.received_at is not None:
        return dossier.facts.received_at
    for step in dossier.steps:
        if statuses.clock(step.status, dossier.facts) is DeadlineClock.RUNS:
            return step.at
    return dossier.steps[0].at if dossier.steps else dossier.first_seen_at


def _place(dossier: Dossier, listed: Unit | None, tier: Tier | None) -> Place:
    """The unit that has it, or had it last, answers."""
    facts = dossier.facts
    return Place(
        level=tier.value if tier else "",
        unit=listed.code if listed else facts.unit.key if facts.unit else "",
        field=facts.procedure_field or "",
        procedure=facts.procedure_code or facts.procedure_name or "",
        unit_name=listed.name if listed else facts.unit.name if facts.unit else "",
        procedure_name=facts.procedure_name or "",
    )


def _days(after: date, until: date) -> list[date]:
    return [after + timedelta(days=number) for number in range(1, (until - after).days + 1)]
