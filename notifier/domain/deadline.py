"""The due date: when it is near, when it has passed, and when it no longer counts.

The source is the authority for the due date; nothing here moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain import instant
from notifier.domain.rules import FRESH, DueRule
from notifier.domain.status import DeadlineClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.dossier import Dossier
    from notifier.domain.instant import Instant
    from notifier.domain.rules import Rules
    from notifier.domain.status import Statuses

CLOSING_TIME = time(17, 0)
"""When the day of a due date ends, where a source names a day and no hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A due moment: at ``at`` (ms) ``notice`` is to be decided for the due date ``episode``."""

    code: str
    notice: str
    at: Instant
    episode: str


class Missed(StrEnum):
    """Why a due date goes to a person and not to the citizen."""

    BEFORE_WE_KNEW = "late_before_first_seen"
    NOT_RENEWED = "due_not_renewed_after_supplement"
    PASSED_IN_PAUSE = "due_passed_while_the_limit_stood_still"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the due date calls for: moments to come, or a reason to ask people."""

    moments: tuple[Moment, ...] = ()
    missed: Missed | None = None


def episode(due_at: Instant) -> str:
    """The name of a due date in keys: the same moment has the same name, whoever wrote it."""
    return instant.iso(due_at)


def runs(dossier: Dossier | None, statuses: Statuses) -> bool:
    """Whether the time limit is running."""
    if dossier is None:
        return False
    return statuses.clock(dossier.status, dossier.facts) is DeadlineClock.RUNS


def is_stale(dossier: Dossier, statuses: Statuses) -> bool:
    """Whether the due date is from before a supplement, after which the limit starts from zero.

    NĐ 61/2018 art 19(4). The source has then to send a new one; until it does, the old date
    binds nobody.
    """
    due_before_pause: Instant | None = None
    due: Instant | None = None
    paused = False
    for step in dossier.steps:
        if step.due_at is not None:
            due = step.due_at
        if step.status is None:
            continue
        pauses = statuses.clock(step.status, dossier.facts) is DeadlineClock.RESTARTS
        if pauses and not paused:
            due_before_pause = due
        paused = pauses
    return due_before_pause is not None and dossier.facts.due_at == due_before_pause


def is_late(dossier: Dossier, statuses: Statuses, *, now: Instant) -> bool:
    """Whether the due date has passed while the limit runs."""
    due_at = dossier.facts.due_at
    return (
        due_at is not None
        and now > due_at
        and runs(dossier, statuses)
        and not is_stale(dossier, statuses)
    )


def replan(
    before: Dossier | None,
    after: Dossier,
    *,
    rules: Rules,
    statuses: Statuses,
    calendar: WorkingCalendar,
    now: Instant,
) -> Plan | None:
    """The moments that ``after`` calls for; None where what was planned before still holds.

    A due date that had passed before we first heard of it is nobody's reminder and no automatic
    apology: it goes to people.
    """
    due_at = after.facts.due_at
    if not runs(after, statuses) or due_at is None:
        planned = before is not None and runs(before, statuses) and before.facts.due_at is not None
        return Plan() if planned else None
    known_before = before is not None and before.facts.due_at == due_at
    if known_before and runs(before, statuses):
        return None
    if due_at < after.first_seen_at or (not known_before and due_at < now - FRESH):
        return Plan(missed=Missed.BEFORE_WE_KNEW)
    if known_before and due_at < now:
        return _resumed_past_due(before, after, due_at, statuses)
    return Plan(
        moments=tuple(
            moment
            for moment in _moments(after.code, due_at, rules, calendar)
            if moment.at > now or moment.at >= due_at
        )
    )


def still_to_come(
    dossier: Dossier,
    *,
    rules: Rules,
    statuses: Statuses,
    calendar: WorkingCalendar,
    now: Instant,
) -> tuple[Moment, ...]:
    """The moments of a due date that was planned before; the last day's may wait to be decided."""
    due_at = dossier.facts.due_at
    if not runs(dossier, statuses) or due_at is None:
        return ()
    return tuple(
        moment
        for moment in _moments(dossier.code, due_at, rules, calendar)
        if moment.at > now - FRESH
    )


def _moments(
    code: str, due_at: Instant, rules: Rules, calendar: WorkingCalendar
) -> Iterator[Moment]:
    for rule in rules.on_due():
        at = moment_of(rule, due_at, calendar)
        yield Moment(code=code, notice=rule.notice, at=at, episode=episode(due_at))


def _resumed_past_due(
    before: Dossier | None, after: Dossier, due_at: Instant, statuses: Statuses
) -> Plan:
    """The limit runs again, with a due date that has passed and that nobody has moved."""
    paused_at = before.status_since if before else None
    if paused_at is not None and due_at < paused_at:
        return Plan()  # it was late before the pause, and was dealt with then
    return Plan(missed=Missed.NOT_RENEWED if is_stale(after, statuses) else Missed.PASSED_IN_PAUSE)


def moment_of(rule: DueRule, due_at: Instant, calendar: WorkingCalendar) -> Instant:
    """When ``rule`` falls due for a due date, in ms."""
    if rule.working_days_before is None:
        return due_at + (rule.after or 0)
    day = calendar.before(instant.local_date(due_at), rule.working_days_before)
    return instant.at(day, rule.clock)
