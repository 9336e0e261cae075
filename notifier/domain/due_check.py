"""The due date that a limit gives, beside the one that the source says, which is the authority."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from notifier.domain import deadline, instant, limit, working_time
from notifier.domain.event import EventType
from notifier.domain.limit import Limit, LimitUnit
from notifier.domain.status import DeadlineClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.dossier import Dossier, Facts
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.knowledge import Knowledge
    from notifier.domain.status import Statuses

SAME: Final = instant.MINUTE
"""Due dates of a limit of hours that lie less than this (ms) apart are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """``due``: when the ``limit`` ends, in ms; ``since``: when its count began, the last time.

    ``provisional``: years that it passes through whose days off are not announced.
    """

    limit: Limit
    due: Instant
    since: Instant
    provisional: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """The date, what it was counted from, and whether it may still move; without a name."""
        words = f"{instant.iso(self.due)} ({self.limit} from {instant.iso(self.since)})"
        return (
            f"{words}, provisional: {unannounced(self.provisional)}" if self.provisional else words
        )


def unannounced(years: Sequence[int]) -> str:
    """Why a date that was counted with these years is provisional."""
    return f"the days off of {', '.join(map(str, years))} are not announced"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """A limit that is being counted down.

    ``running``: since when the present stretch runs; None while it stands still. ``left``: what of
    the limit was left at its start, or stands. ``due``: the end, as far as is known. ``is_over``:
    it ended before a pause.
    """

    began: Instant
    due: Instant
    left: int
    running: Instant | None
    is_over: bool = False


def expected_due(
    dossier: Dossier, limit: Limit, statuses: Statuses, calendar: WorkingCalendar
) -> Expected | None:
    """When the dossier should be due by its ``limit``, from the states it has been in.

    The count begins with the receipt, stands still in a pause, and starts from zero after a
    supplement (NĐ 61/2018 art 19(4)). None while it stands still or has not begun. A limit that
    had ended before a pause is not given more by it.
    """
    count: _Count | None = None
    ended_running = restarts = False
    for step in dossier.status_steps():
        clock = statuses.clock(step.status, dossier.facts)
        is_running = count is not None and count.running is not None
        if clock is DeadlineClock.RUNS:
            count = _running(count, step.at, dossier.facts, limit, calendar, restarts=restarts)
            restarts = False
        elif count is not None and is_running:
            count = _stopped(count, step.at, limit.unit, calendar)
        restarts = restarts or clock is DeadlineClock.RESTARTS
        ended_running = clock is DeadlineClock.ENDED and (is_running or ended_running)
    if count is None or not (ended_running or count.running is not None):
        return None
    first, last = instant.local_date(count.began), instant.local_date(count.due)
    provisional = calendar.provisional(first, last)
    return Expected(limit=limit, due=count.due, since=count.began, provisional=provisional)


def _running(
    count: _Count | None,
    at: Instant,
    facts: Facts,
    limit: Limit,
    calendar: WorkingCalendar,
    *,
    restarts: bool,
) -> _Count:
    if count is None and not restarts:
        return _begun(at if facts.received_at is None else facts.received_at, limit, calendar)
    if count is None or restarts:
        return _begun(at, limit, calendar)
    if count.running is not None:
        return count
    if count.is_over:
        return replace(count, running=at)
    due = working_time.end_of(at, limit.unit, count.left, calendar)
    return replace(count, due=max(due, count.due), running=at)


def _begun(at: Instant, limit: Limit, calendar: WorkingCalendar) -> _Count:
    due = working_time.due_of(at, limit, calendar)
    return _Count(began=at, due=due, left=working_time.amount(limit), running=at)


def _stopped(count: _Count, at: Instant, unit: LimitUnit, calendar: WorkingCalendar) -> _Count:
    gone = working_time.used(count.running or at, at, unit, calendar)
    is_over = count.is_over or at >= count.due
    return replace(count, left=max(0, count.left - gone), running=None, is_over=is_over)


def expected(dossier: Dossier, installation: Installation) -> Expected | None:
    """The same by the limit that is known, the states, and the calendar of the unit that has it."""
    limit = limit_of(dossier.facts, installation.knowledge)
    if limit is None:
        return None
    calendar = installation.calendar_of(installation.units.find(dossier.facts.unit))
    return expected_due(dossier, limit, installation.statuses, calendar)


def limit_of(facts: Facts, knowledge: Knowledge) -> Limit | None:
    """The limit that the source says; where it says none, what the office knows of the procedure.

    None where nobody says one, or what the source says can't be read.
    """
    if facts.limit:
        try:
            return limit.read(facts.limit)
        except ValueError:
            return None
    known = knowledge.coded(facts.procedure_code) if facts.procedure_code else None
    return known.limit if known else None


def is_checked(dossier: Dossier, statuses: Statuses) -> bool:
    """Whether the source's due date has to agree with the limit.

    It has not where the limit stands still, where a re-appointment moved it, and where it is from
    before a supplement, which is said otherwise.
    """
    due_at = dossier.facts.due_at
    if due_at is None or not deadline.runs(dossier, statuses):
        return False
    return not (_is_reappointed(dossier, due_at) or deadline.is_stale(dossier, statuses))


def differs(due_at: Instant, expected: Expected) -> bool:
    """Whether the source's due date is another than expected: another day, or another minute.

    Sources name a day and some hour of it for a limit of days.
    """
    if expected.limit.unit is LimitUnit.WORKING_HOURS and expected.limit.count:
        return abs(due_at - expected.due) >= SAME
    return instant.local_date(due_at) != instant.local_date(expected.due)


def _is_reappointed(dossier: Dossier, due_at: Instant) -> bool:
    moved = dossier.facts.rescheduled
    if moved is not None and moved.due_at == due_at:
        return True
    return any(
        step.type == EventType.RESCHEDULED and step.due_at == due_at for step in dossier.steps
    )
