"""Working time: the ordinary week and its hours, seasons, half days, days off and swapped ones."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias

from notifier.domain.instant import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.instant import Instant

Span: TypeAlias = tuple[time, time]
Spans: TypeAlias = tuple[Span, ...]

NOON: Final = time(12)
"""Where the morning of a half day ends, and its afternoon begins."""


class DayKind(StrEnum):
    """What an exception in the calendar makes of its day."""

    OFF = "off"
    WORK = "work"
    HALF = "half"
    """A working day with half its hours: a day limit counts it whole, an hour limit its hours."""


class Half(StrEnum):
    """Which half of a half day is worked."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


SEARCH_LIMIT = 400
"""Days looked at before a calendar without a working day is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """Hours of their own from ``first`` to ``last``, both included; ``by_weekday``: Monday 0."""

    name: str
    first: date
    last: date
    hours: Spans
    by_weekday: Mapping[int, Spans] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """One year of a calendar, worked out once: its working days in order, and the time in them.

    ``worked`` has one entry more than ``days``: the ms that count before each day, and in all.
    ``is_announced``: its days off are written, and are no estimate.
    """

    days: tuple[date, ...]
    worked: tuple[Instant, ...]
    is_announced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """``week``: working weekdays, Monday 0. ``exceptions`` win over the week.

    ``hours``: the spans of one working day; ``by_weekday``: those of a weekday that differs.
    A weekday with hours outside ``week`` is a reception: open, and no part of a limit.
    ``halves`` and ``own_hours`` say of an exception when it is worked.

    ``day_length``: the ms that a whole day's ``hours`` count for; None: as many as they are.
    ``provisional_years``: years whose days off were not yet announced when the table was written.
    """

    name: str
    week: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    exceptions: Mapping[date, DayKind] = field(default_factory=dict)
    names: Mapping[date, str] = field(default_factory=dict)
    hours: Spans = ((time(7, 30), time(11, 30)), (time(13, 30), time(17)))
    by_weekday: Mapping[int, Spans] = field(default_factory=dict)
    seasons: tuple[Season, ...] = ()
    halves: Mapping[date, Half] = field(default_factory=dict)
    own_hours: Mapping[date, Spans] = field(default_factory=dict)
    day_length: Instant | None = None
    provisional_years: frozenset[int] = frozenset()
    _years: dict[int, Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    def is_working(self, day: date) -> bool:
        """Whether ``day`` counts as a working day; half a one does."""
        kind = self.exceptions.get(day)
        return kind is not DayKind.OFF if kind else day.weekday() in self.week

    def is_reception(self, day: date) -> bool:
        """Whether the office is open on ``day`` though it is no working day."""
        if self.is_working(day) or self.exceptions.get(day) is DayKind.OFF:
            return False
        return bool(self._season(day).by_weekday.get(day.weekday()))

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

    def spans(self, day: date) -> Spans:
        """The working time of ``day``, in order; empty on a day off.

        A day that is worked in exchange for another has the usual hours, or its own.
        """
        if not self.is_working(day):
            return ()
        if day in self.own_hours:
            return self.own_hours[day]
        season = self._season(day)
        spans = season.hours
        if day.weekday() in self.week:
            spans = season.by_weekday.get(day.weekday(), spans)
        half = self.halves.get(day)
        return half_of(spans, half) if half else spans

    def closes(self, day: date) -> time:
        """When the working ``day`` ends, and with it a limit of days."""
        spans = self.spans(day)
        if not spans:
            raise ValueError(f"calendar {self.name} has no working time on {day}")
        return spans[-1][1]

    def counts(self, day: date, worked: Instant) -> Instant:
        """How much of a limit ``worked`` ms of ``day`` count for, in ms: more in a longer day."""
        if self.day_length is None:
            return worked
        return worked * self.day_length // length(self._season(day).hours)

    def takes(self, day: date, counted: Instant) -> Instant:
        """The least ms of work on ``day`` that count for ``counted`` ms of a limit."""
        if self.day_length is None:
            return counted
        return -(-counted * length(self._season(day).hours) // self.day_length)

    def year(self, number: int) -> Year:
        """The working days of the year ``number``."""
        found = self._years.get(number)
        if found is None:
            first = date(number, 1, 1)
            all_days = (
                first + timedelta(days=n) for n in range((date(number, 12, 31) - first).days + 1)
            )
            days = tuple(day for day in all_days if self.is_working(day))
            counted = (self.counts(day, length(self.spans(day))) for day in days)
            found = Year(
                days=days,
                worked=(0, *accumulate(counted)),
                is_announced=number not in self.provisional_years and self._is_written(number),
            )
            self._years[number] = found
        return found

    def year_after(self, number: int, step: int = 1) -> int:
        """The year beside ``number``; ``ValueError`` where neither has a working day."""
        if not (self.year(number).days or self.year(number + step).days):
            raise ValueError(
                f"calendar {self.name} has no working day in {number} and {number + step}"
            )
        return number + step

    def next_working(self, day: date) -> date:
        """``day`` itself, or the next working day after it (Civil Code art 148(5))."""
        return day if self.is_working(day) else self.after(day, 1)

    def after(self, day: date, count: int) -> date:
        """The ``count``-th working day after ``day``, which is not counted (Civil Code art 147)."""
        _check(count)
        number = day.year
        place = bisect_right(self.year(number).days, day) + count - 1
        while place >= (held := len(self.year(number).days)):
            place -= held
            number = self.year_after(number)
        return self.year(number).days[place]

    def before(self, day: date, count: int) -> date:
        """The ``count``-th working day before ``day``."""
        _check(count)
        number = day.year
        place = bisect_left(self.year(number).days, day) - count
        while place < 0:
            number = self.year_after(number, -1)
            place += len(self.year(number).days)
        return self.year(number).days[place]

    def days_between(self, start: date, end: date) -> int:
        """The working days after ``start``, up to and with ``end``; 0 where it is not later."""
        if end <= start:
            return 0
        whole = sum(len(self.year(number).days) for number in range(start.year, end.year))
        return (
            whole
            + bisect_right(self.year(end.year).days, end)
            - bisect_right(self.year(start.year).days, start)
        )

    def provisional(self, first: date, last: date) -> tuple[int, ...]:
        """The years from ``first`` to ``last`` whose days off are not announced, or not written."""
        return tuple(
            year for year in range(first.year, last.year + 1) if not self.year(year).is_announced
        )

    def _is_written(self, year: int) -> bool:
        return any(
            day.year == year and kind is DayKind.OFF for day, kind in self.exceptions.items()
        )

    def _season(self, day: date) -> Season | WorkingCalendar:
        """Whose hours ``day`` has."""
        return next((found for found in self.seasons if found.first <= day <= found.last), self)


def length(spans: Spans) -> Instant:
    """How long the spans are together, in ms."""
    return sum(since_midnight(closes) - since_midnight(opens) for opens, closes in spans)


def since_midnight(clock: time) -> Instant:
    """The ms of a day before ``clock``."""
    return (
        clock.hour * HOUR
        + clock.minute * MINUTE
        + clock.second * SECOND
        + clock.microsecond // 1_000
    )


def half_of(spans: Spans, half: Half) -> Spans:
    """The part of the spans before noon, or after it."""
    if half is Half.MORNING:
        return tuple((opens, min(closes, NOON)) for opens, closes in spans if opens < NOON)
    return tuple((max(opens, NOON), closes) for opens, closes in spans if closes > NOON)


def within(spans: Spans, others: Spans) -> Spans:
    """What lies in the spans and in the ``others`` too."""
    shared = (
        (max(opens, first), min(closes, last)) for opens, closes in spans for first, last in others
    )
    return tuple((opens, closes) for opens, closes in shared if opens < closes)


def _check(count: int) -> None:
    if count < 1:
        raise ValueError("the number of working days must be 1 or more")
