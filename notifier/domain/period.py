"""The day, week and month that a digest tells of: the last one that is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain import instant

if TYPE_CHECKING:
    from notifier.domain.instant import Instant


class Span(StrEnum):
    """How long a digest's time is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Vietnamese calendar days, both included."""

    span: Span
    first: date
    last: date

    @property
    def start(self) -> Instant:
        """Its first moment (ms)."""
        return instant.at(self.first, time())

    @property
    def end(self) -> Instant:
        """Its last moment (ms)."""
        return end_of(self.last)

    @property
    def name(self) -> str:
        """What it is called in keys: ``week|2026-11-16``."""
        return f"{self.span.value}|{self.first}"

    def words(self, locale: str) -> str:
        """As people read it."""
        first, last = f"{self.first:%d/%m/%Y}", f"{self.last:%d/%m/%Y}"
        match self.span:
            case Span.DAY:
                return f"ngày {first}" if locale == "vi" else first
            case Span.WEEK:
                return f"tuần từ {first} đến {last}" if locale == "vi" else f"{first} to {last}"
            case Span.MONTH:
                return f"tháng {self.first:%m/%Y}" if locale == "vi" else f"{self.first:%m/%Y}"


def last_over(span: Span, now: Instant) -> Period:
    """Yesterday; the week from Monday to Sunday before this one; the month before this one."""
    today = instant.local_date(now)
    match span:
        case Span.DAY:
            first = last = today - timedelta(days=1)
        case Span.WEEK:
            last = today - timedelta(days=today.weekday() + 1)
            first = last - timedelta(days=6)
        case Span.MONTH:
            last = today.replace(day=1) - timedelta(days=1)
            first = last.replace(day=1)
    return Period(span=span, first=first, last=last)


def end_of(day: date) -> Instant:
    """The last millisecond of a Vietnamese day."""
    return instant.at(day + timedelta(days=1), time()) - 1
