"""Moments: integers of milliseconds since 1970 in UTC; people see Asia/Ho_Chi_Minh."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

Instant = int

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# Vietnam has kept UTC+7 without daylight saving since 1975, so no zone data is needed.
VIETNAM: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


def of(moment: datetime) -> Instant:
    """The instant of ``moment``; a naive one is Vietnamese time."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=VIETNAM)
    return round(moment.timestamp() * 1000)


def at(day: date, clock: time) -> Instant:
    """The instant at which a Vietnamese wall clock shows ``clock`` on ``day``."""
    return of(datetime.combine(day, clock, tzinfo=VIETNAM))


def local(instant: Instant) -> datetime:
    """``instant`` as Vietnamese time."""
    return datetime.fromtimestamp(instant / 1000, tz=VIETNAM)


def local_date(instant: Instant) -> date:
    """The Vietnamese calendar day that ``instant`` falls on."""
    return local(instant).date()


def iso(instant: Instant) -> str:
    """ISO 8601 with the Vietnamese offset, to the second: ``2026-11-20T17:00:00+07:00``."""
    return local(instant).isoformat(timespec="seconds")


def read_iso(text: str, *, day_ends: time | None = None) -> Instant:
    """The instant that an ISO 8601 text means; without an offset it is Vietnamese time.

    A date without a time is the start of that day, or ``day_ends`` where given.
    Raises ``ValueError`` for anything else, and for years outside 2000 to 2100.
    """
    moment = datetime.fromisoformat(text)
    if day_ends is not None and len(text) <= len("2026-11-20") and "T" not in text:
        moment = datetime.combine(moment.date(), day_ends)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=VIETNAM)
    if not 2000 <= moment.astimezone(UTC).year <= 2100:
        raise ValueError("the year lies outside 2000 to 2100")
    return of(moment)
