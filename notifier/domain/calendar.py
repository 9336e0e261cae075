"""Working days: the ordinary week, the days off that the state decides, and the swapped ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class DayKind(StrEnum):
    """What an exception in the calendar makes of its day."""

    OFF = "off"
    WORK = "work"


SEARCH_LIMIT = 400
"""Days looked at before a calendar without a working day is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """``week``: working weekdays, Monday 0. ``exceptions`` win over the week.

    ``hours``: the office's spans of one working day. ``provisional_years``: years whose days off
    were not yet announced when the table was written.
    """

    name: str
    week: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    exceptions: Mapping[date, DayKind] = field(default_factory=dict)
    names: Mapping[date, str] = field(default_factory=dict)
    hours: tuple[tuple[time, time], ...] = ((time(7, 30), time(11, 30)), (time(13, 30), time(17)))
    provisional_years: frozenset[int] = frozenset()

    def is_working(self, day: date) -> bool:
        """Whether ``day`` counts as a working day."""
        kind = self.exceptions.get(day)
        return kind is DayKind.WORK if kind else day.weekday() in self.week

    def is_in_break(self, day: date) -> bool:
        """Whether ``day`` is no day of the week and the nearest one before or after it is off.

        The Saturday of a long weekend is one; the state lists only the weekdays of a holiday.
        """
        if day.weekday() in self.week:
            return False
        steps = [timedelta(days=number) for number in range(1, 7)]
        nearest = (
            next((found for found in beside if found.weekday() in self.week), day)
            for beside in ((day - step for step in steps), (day + step for step in steps))
        )
        return any(self.exceptions.get(found) is DayKind.OFF for found in nearest)

    def next_working(self, day: date) -> date:
        """``day`` itself, or the next working day after it (Civil Code art 148(5))."""
        return day if self.is_working(day) else self.after(day, 1)

    def after(self, day: date, count: int) -> date:
        """The ``count``-th working day after ``day``, which is not counted (Civil Code art 147)."""
        return self._walk(day, count, timedelta(days=1))

    def before(self, day: date, count: int) -> date:
        """The ``count``-th working day before ``day``."""
        return self._walk(day, count, timedelta(days=-1))

    def _walk(self, day: date, count: int, step: timedelta) -> date:
        if count < 1:
            raise ValueError("the number of working days must be 1 or more")
        idle = 0
        while count:
            day += step
            idle += 1
            if self.is_working(day):
                count -= 1
                idle = 0
            if idle > SEARCH_LIMIT:
                raise ValueError(f"calendar {self.name} has no working day within {idle} days")
        return day
