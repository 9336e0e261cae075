"""Warnings to the unit before the citizen: at which lead, to whom, and who is told next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Final

from notifier.domain import working_time
from notifier.domain.instant import HOUR
from notifier.domain.limit import LimitUnit

if TYPE_CHECKING:
    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address
    from notifier.domain.unit import Unit

START_OF_DAY: Final = time(0)
END_OF_DAY: Final = time(23, 59, 59)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warnings:
    """When units are told, and by whom. Hours are working time in ms, as the calendar counts it.

    ``days``: working days before the due day that stand on the daily list, sent at ``daily``;
    ``hours``: before the due date; ``escalate``: after it, one level up at each, while nobody has
    acted. ``staff`` and ``leaders`` are told of units that name none.
    """

    days: tuple[int, ...] = (1, 2)
    hours: tuple[Instant, ...] = (4 * HOUR,)
    escalate: tuple[Instant, ...] = (8 * HOUR, 16 * HOUR)
    daily: time = time(7, 45)
    staff: tuple[Address, ...] = field(default=(), repr=False)
    leaders: tuple[Address, ...] = field(default=(), repr=False)

    def staff_of(self, unit: Unit) -> tuple[Address, ...]:
        """Who is told what a unit has to see to."""
        return unit.staff or self.staff

    def leaders_of(self, unit: Unit, step: int) -> tuple[Address, ...]:
        """Who is told when nobody acts: the unit's leaders first, from step 2 on the office's."""
        if step > 1:
            return self.leaders or unit.leaders
        return unit.leaders or self.leaders


def due_days(calendar: WorkingCalendar, today: date, days: int) -> tuple[date, date]:
    """The due days, first and last, that lie so many working days after ``today``.

    A due date on a day off is warned of with the working day that follows it.
    """
    if days == 0:
        return today, today
    last = calendar.after(today, days)
    before = calendar.after(today, days - 1) if days > 1 else today
    return before + timedelta(days=1), last


def worked_until(start: Instant, span: Instant, calendar: WorkingCalendar) -> Instant:
    """The first moment (ms) at which ``span`` ms of working time have passed since ``start``."""
    return working_time.end_of(start, LimitUnit.WORKING_HOURS, span, calendar)
