"""When an office is open: spans of the clock by weekday, read as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from notifier.domain.calendar import SEARCH_LIMIT, DayKind, Span, within
from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from notifier.domain.calendar import WorkingCalendar

HOW: Final = '"07:30-11:30, 13:30-17:00 thứ Hai đến thứ Sáu; 07:30-11:30 thứ Bảy"'

DAYS: Final[Mapping[str, Sequence[str]]] = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
TO: Final[Mapping[str, str]] = {"vi": "đến", "en": "to"}
ORDINARY_DAYS: Final = (0, 1, 2, 3, 4)
"""What hours without a day mean."""

_WEEKDAYS: Final = {
    **{fold(name): day for names in DAYS.values() for day, name in enumerate(names)},
    **{name[:3].lower(): day for day, name in enumerate(DAYS["en"])},
    **{f"thu {day + 2}": day for day in range(6)},
    **{f"t{day + 2}": day for day in range(6)},
    "cn": 6,
}
_DAY: Final = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_CLOCK: Final = r"([0-9]{1,2})[:hg]([0-9]{2})?"
_SPAN: Final = re.compile(rf"\b{_CLOCK} ?(?:-|den|toi|to) ?{_CLOCK}(?![0-9:])")
_RANGE: Final = re.compile(rf"\b({_DAY}) ?(?:-|den|toi|to) ?({_DAY})\b")
_ONE_DAY: Final = re.compile(rf"\b({_DAY})\b")
_WORD: Final = re.compile(r"[^\s,:.&+()]+")
_FILLING: Final = frozenset(
    {"va", "and", "tu", "from", "cac", "ngay", "buoi", "sang", "chieu", "gio"}
)
_CLOSED: Final = frozenset({"nghi", "closed"})
_DASHES: Final = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """``days``: the spans of each weekday, Monday first; a day without one is closed."""

    days: tuple[tuple[Span, ...], ...]

    @property
    def usual(self) -> tuple[Span, ...]:
        """The spans of most open days; of the earlier ones where as many have others."""
        return max(filter(None, self.days), key=self.days.count, default=())

    def on(self, day: date, calendar: WorkingCalendar) -> tuple[Span, ...]:
        """When it is open on ``day``; empty where it is closed.

        A day that is worked in exchange for another has the usual hours, and half a day those of
        its half. A Saturday or Sunday
        beside a day off counts as closed: one visit later is better than one in vain.
        """
        match calendar.exceptions.get(day):
            case DayKind.OFF:
                return ()
            case DayKind.WORK:
                return self.usual
            case DayKind.HALF:
                usual = self.days[day.weekday()] or self.usual
                return within(usual, calendar.spans(day)) or calendar.spans(day)
            case None:
                return () if calendar.is_in_break(day) else self.days[day.weekday()]

    def next_open(self, day: date, calendar: WorkingCalendar) -> date | None:
        """The first day after ``day`` on which it is open; None where none is near."""
        later = (day + timedelta(days=days) for days in range(1, SEARCH_LIMIT))
        return next((found for found in later if self.on(found, calendar)), None)

    def words(self, locale: str) -> str:
        """For people: ``07:30-11:30, 13:30-17:00 thứ Hai đến thứ Sáu; 07:30-11:30 thứ Bảy``."""
        alike: dict[tuple[Span, ...], list[int]] = {}
        for day, spans in enumerate(self.days):
            if spans:
                alike.setdefault(spans, []).append(day)
        return "; ".join(
            f"{spans_words(spans)} {_days_words(days, locale)}" for spans, days in alike.items()
        )


def spans_words(spans: Sequence[Span]) -> str:
    """``07:30-11:30, 13:30-17:00``"""
    return ", ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in spans)


def read_hours(text: str) -> OpeningHours:
    """The hours that people write: spans and their days, apart by semicolons or lines.

    Spans without a day are those of Monday to Friday. Raises ``ValueError`` with a sentence.
    """
    days: dict[int, tuple[Span, ...]] = {}
    for section in re.split(r"[;\n]", text):
        if not section.strip():
            continue
        spans, meant = _section(fold(section.translate(_DASHES)))
        for day in meant:
            if day in days:
                raise ValueError(f"{DAYS['en'][day]} has hours twice; write each day once")
            days[day] = spans
    hours = OpeningHours(days=tuple(days.get(day, ()) for day in range(7)))
    if not hours.usual:
        raise ValueError(f"no day has hours; write them as {HOW}")
    return hours


def _section(text: str) -> tuple[tuple[Span, ...], list[int]]:
    spans = tuple(_span(found) for found in _SPAN.finditer(text))
    rest = _SPAN.sub(" ", text)
    meant: list[int] = []
    for found in _RANGE.finditer(rest):
        first, last = _WEEKDAYS[found[1]], _WEEKDAYS[found[2]]
        if first >= last:
            raise ValueError("a range of days runs from the earlier to the later, such as T2-T6")
        meant += range(first, last + 1)
    rest = _RANGE.sub(" ", rest)
    meant += [_WEEKDAYS[found[1]] for found in _ONE_DAY.finditer(rest)]
    left = set(_WORD.findall(_ONE_DAY.sub(" ", rest))) - _FILLING
    is_closed = bool(left & _CLOSED) and not spans
    if (left and not (is_closed and left <= _CLOSED)) or not (spans or is_closed):
        raise ValueError(f"the hours can't be read; write them as {HOW}")
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        raise ValueError("two spans of a day overlap, or stand in the wrong order")
    return spans, meant or [*ORDINARY_DAYS]


def _span(found: re.Match[str]) -> Span:
    hour, minute, last_hour, last_minute = (int(part or 0) for part in found.groups())
    try:
        span = time(hour, minute), time(last_hour, last_minute)
    except ValueError:
        raise ValueError("there is no such time of day; write 07:30 to 17:00") from None
    if span[0] >= span[1]:
        raise ValueError("a span opens before it closes; hours don't run over midnight")
    return span


def _days_words(days: Sequence[int], locale: str) -> str:
    """``thứ Hai đến thứ Sáu``, or one after the other where they are apart."""
    names = DAYS[locale]
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{names[days[0]]} {TO[locale]} {names[days[-1]]}"
    return ", ".join(names[day] for day in days)
