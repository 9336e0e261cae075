"""The clock of working time: when a limit ends, what it counts, and how much lies between.

The day of receipt is not counted (Civil Code art 147); hours run from the moment of receipt
(art 147(1)); what ends on a day off ends with the next working day (art 148(5)). A limit of days
ends when the office closes on its last day.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.calendar import DayKind, since_midnight
from notifier.domain.limit import Limit, LimitUnit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.instant import Instant

HAND_OVER: Final = time(15)
"""What is received later goes to its handler on the next working day (NĐ 61/2018 art 18(2))."""


class Why(StrEnum):
    """Why a day, or half of it, is not counted."""

    RECEIPT = "receipt"
    WEEKEND = "weekend"
    RECEPTION = "reception"
    """Open for people, and no working day."""
    OFF = "off"
    HALF = "half"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A day that is not counted; ``name``: what the calendar calls it, where it has a name."""

    day: date
    why: Why
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A limit from receipt to its end, with the reckoning. Instants in ms.

    ``days`` are the days counted of a limit of days, ``spans`` the time counted of one of hours.
    ``provisional``: the years it passed through whose days off are not announced.
    """

    received: Instant
    limit: Limit
    due: Instant
    warn_by: Instant
    days: tuple[date, ...] = ()
    spans: tuple[tuple[Instant, Instant], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    provisional: tuple[int, ...] = ()


def due(received: Instant, limit: Limit, calendar: WorkingCalendar) -> Counted:
    """When a dossier received at ``received`` (ms) is due, and how that was counted."""
    due_at = due_of(received, limit, calendar)
    first, last = instant.local_date(received), instant.local_date(due_at)
    by_hours = limit.unit is LimitUnit.WORKING_HOURS and limit.count > 0
    days: tuple[date, ...] = ()
    if limit.count and not by_hours:
        end = last
        if limit.unit is LimitUnit.CALENDAR_DAYS:
            end = first + timedelta(days=limit.count)
        days = tuple(
            day
            for day in days_from(first + timedelta(days=1), end)
            if limit.unit is LimitUnit.CALENDAR_DAYS or calendar.is_working(day)
        )
    warned = warn_by(due_at, calendar)
    return Counted(
        received=received,
        limit=limit,
        due=due_at,
        warn_by=warned,
        days=days,
        spans=tuple(_spans(received, due_at, calendar)) if by_hours else (),
        left_out=tuple(_left_out(first, last, frozenset(days), limit, calendar)),
        provisional=calendar.provisional(min(first, instant.local_date(warned)), last),
    )


def due_of(received: Instant, limit: Limit, calendar: WorkingCalendar) -> Instant:
    """When it is due, in ms, without the reckoning.

    A limit of 0 is within the day: for what is received after 15:00, within the next working day.
    """
    if limit.count == 0:
        return within_day(received, calendar, latest=HAND_OVER)
    return end_of(received, limit.unit, amount(limit), calendar)


def amount(limit: Limit) -> int:
    """What a limit counts down: days, or ms of working time."""
    is_hours = limit.unit is LimitUnit.WORKING_HOURS
    return limit.count * instant.HOUR if is_hours else limit.count


def end_of(start: Instant, unit: LimitUnit, left: int, calendar: WorkingCalendar) -> Instant:
    """When what is ``left`` of a limit (days, or ms of working time) ends, counted from ``start``.

    Nothing left is within the day.
    """
    if left <= 0:
        return within_day(start, calendar)
    day = instant.local_date(start)
    match unit:
        case LimitUnit.WORKING_DAYS:
            return close_of(calendar.after(day, left), calendar)
        case LimitUnit.CALENDAR_DAYS:
            return close_of(calendar.next_working(day + timedelta(days=left)), calendar)
        case LimitUnit.WORKING_HOURS:
            return _worked_off(start, left, calendar)


def within_day(start: Instant, calendar: WorkingCalendar, *, latest: time | None = None) -> Instant:
    """The end of the working day of ``start``, or of the next one after ``latest`` or closing."""
    day = instant.local_date(start)
    if not calendar.is_working(day):
        return close_of(calendar.after(day, 1), calendar)
    closes = close_of(day, calendar)
    if start >= closes or (latest is not None and start > instant.at(day, latest)):
        return close_of(calendar.after(day, 1), calendar)
    return closes


def used(start: Instant, end: Instant, unit: LimitUnit, calendar: WorkingCalendar) -> int:
    """How much of a limit passes from ``start`` to ``end``: days, or ms of working time."""
    match unit:
        case LimitUnit.WORKING_DAYS:
            return days_between(start, end, calendar)
        case LimitUnit.CALENDAR_DAYS:
            return max(0, (instant.local_date(end) - instant.local_date(start)).days)
        case LimitUnit.WORKING_HOURS:
            return time_between(start, end, calendar)


def days_between(start: Instant, end: Instant, calendar: WorkingCalendar) -> int:
    """The working days after the day of ``start``, up to and with that of ``end``: days late."""
    return calendar.days_between(instant.local_date(start), instant.local_date(end))


def time_between(start: Instant, end: Instant, calendar: WorkingCalendar) -> Instant:
    """The working time between the two, in ms as the calendar counts it; to the second."""
    if end <= start:
        return 0
    first, last = instant.local_date(start).year, instant.local_date(end).year
    whole = sum(calendar.year(number).worked[-1] for number in range(first, last))
    exact = whole + _worked_before(end, calendar) - _worked_before(start, calendar)
    return round(exact / instant.SECOND) * instant.SECOND


def warn_by(due_at: Instant, calendar: WorkingCalendar) -> Instant:
    """One working day before ``due_at``, at its time of day or when that day closes, if earlier.

    NĐ 61/2018 art 19(9) asks for one day, which before a Monday would be a Sunday.
    """
    moment = instant.local(due_at)
    day = calendar.before(moment.date(), 1)
    return min(instant.at(day, moment.time()), close_of(day, calendar))


def close_of(day: date, calendar: WorkingCalendar) -> Instant:
    """When the working ``day`` ends, in ms."""
    return instant.at(day, calendar.closes(day))


def days_from(first: date, last: date) -> Iterator[date]:
    """Each day, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _worked_before(moment: Instant, calendar: WorkingCalendar) -> Instant:
    """The time that counts from the start of the year of ``moment`` to it, in ms."""
    day = instant.local_date(moment)
    year = calendar.year(day.year)
    place = bisect_left(year.days, day)
    if place == len(year.days) or year.days[place] != day:
        return year.worked[place]
    clock = moment - instant.at(day, time.min)
    worked = sum(
        min(clock, since_midnight(closes)) - since_midnight(opens)
        for opens, closes in calendar.spans(day)
        if since_midnight(opens) < clock
    )
    return year.worked[place] + calendar.counts(day, worked)


def _worked_off(start: Instant, left: Instant, calendar: WorkingCalendar) -> Instant:
    """The first moment at which ``left`` ms of working time have passed since ``start``."""
    number = instant.local_date(start).year
    goal = _worked_before(start, calendar) + left
    while goal > (held := calendar.year(number).worked[-1]):
        goal -= held
        number = calendar.year_after(number)
    year = calendar.year(number)
    place = bisect_left(year.worked, goal) - 1
    day = year.days[place]
    return _after_work(day, calendar.takes(day, goal - year.worked[place]), calendar)


def _after_work(day: date, worked: Instant, calendar: WorkingCalendar) -> Instant:
    """The moment of ``day`` at which ``worked`` ms of its spans have passed."""
    midnight = instant.at(day, time.min)
    for opens, closes in calendar.spans(day):
        opened, span = since_midnight(opens), since_midnight(closes) - since_midnight(opens)
        if worked <= span:
            return midnight + opened + worked
        worked -= span
    return close_of(day, calendar)


def _spans(
    start: Instant, end: Instant, calendar: WorkingCalendar
) -> Iterator[tuple[Instant, Instant]]:
    for day in days_from(instant.local_date(start), instant.local_date(end)):
        for opens, closes in calendar.spans(day):
            first, last = max(start, instant.at(day, opens)), min(end, instant.at(day, closes))
            if first < last:
                yield first, last


def _left_out(
    first: date, last: date, counted: frozenset[date], limit: Limit, calendar: WorkingCalendar
) -> Iterator[LeftOut]:
    """The days from receipt to the end that don't count, and the half days of which half does."""
    by_hours = limit.unit is LimitUnit.WORKING_HOURS and limit.count > 0
    for day in days_from(first, last):
        name = calendar.names.get(day, "")
        if day in counted or (limit.count == 0 and day == last):
            continue
        if day == first and not by_hours:
            yield LeftOut(day=day, why=Why.RECEIPT, name=name)
        elif not calendar.is_working(day):
            yield LeftOut(day=day, why=_why(day, calendar), name=name)
        elif by_hours and calendar.exceptions.get(day) is DayKind.HALF:
            yield LeftOut(day=day, why=Why.HALF, name=name)


def _why(day: date, calendar: WorkingCalendar) -> Why:
    if day in calendar.exceptions:
        return Why.OFF
    return Why.RECEPTION if calendar.is_reception(day) else Why.WEEKEND
