"""``notifier deadline``"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import typer

from notifier.bootstrap.core import configure
from notifier.cli import running
from notifier.domain import due_check, instant, working_time
from notifier.domain import limit as limits
from notifier.domain.dossier import UnitRef
from notifier.domain.limit import LimitUnit
from notifier.domain.opening import DAYS
from notifier.domain.working_time import Why

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.limit import Limit
    from notifier.domain.working_time import Counted, LeftOut

WORDS: Final = {
    Why.RECEIPT: "ngày tiếp nhận",
    Why.WEEKEND: "ngày nghỉ hằng tuần",
    Why.RECEPTION: "chỉ tiếp nhận, không tính vào thời hạn",
    Why.OFF: "ngày nghỉ",
    Why.HALF: "chỉ làm việc nửa ngày",
}


def deadline(
    folder: Path | None, received: str, limit: str, unit: str, *, as_json: bool, now: str
) -> None:
    """When a dossier is due, and how that was counted; needs no store and changes nothing."""
    installation = configure(folder, gateways=False).installation
    current = running.clock(now).civil()
    calendar = _calendar(installation, unit)
    counted = working_time.due(_moment(received) if received else current, _limit(limit), calendar)
    if as_json:
        running.out(_row(counted, calendar, current))
        return
    _show(counted, calendar, current)


def _moment(text: str) -> Instant:
    try:
        return instant.read_iso(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text} is not a moment in ISO 8601, such as 2026-11-20T10:00: {error}"
        ) from None


def _limit(text: str) -> Limit:
    try:
        return limits.read(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no limit; {error}") from None


def _calendar(installation: Installation, code: str) -> WorkingCalendar:
    if not code:
        return installation.calendars[installation.calendar]
    unit = installation.units.listed(UnitRef(code=code))
    if unit is None:
        raise typer.BadParameter(f"there is no unit {code} in units/units.toml")
    return installation.calendar_of(unit)


def _row(counted: Counted, calendar: WorkingCalendar, now: Instant) -> dict[str, Any]:
    """Dates as ISO 8601, moments with their offset."""
    row = {
        "received": instant.iso(counted.received),
        "limit": str(counted.limit),
        "calendar": calendar.name,
        "due": instant.iso(counted.due),
        "warn_by": instant.iso(counted.warn_by),
        "counted": [day.isoformat() for day in counted.days],
        "left_out": [
            {"date": left.day.isoformat(), "kind": left.why.value, "why": _why(left)}
            for left in counted.left_out
        ],
        "provisional": list(counted.provisional),
        "now": instant.iso(now),
        "late": now > counted.due,
        "days_left": working_time.days_between(now, counted.due, calendar),
        "days_late": working_time.days_between(counted.due, now, calendar),
    }
    if counted.limit.unit is LimitUnit.WORKING_HOURS:
        row["counted"] = [
            {"from": instant.iso(first), "to": instant.iso(last)} for first, last in counted.spans
        ]
    return row


def _show(counted: Counted, calendar: WorkingCalendar, now: Instant) -> None:
    left = working_time.days_between(now, counted.due, calendar)
    late = working_time.days_between(counted.due, now, calendar)
    stands = f"late, {late} working day(s)" if now > counted.due else f"{left} working day(s) left"
    running.show(
        ("received", "limit", "due", "warn by", "calendar", "now"),
        [
            (
                running.shown(counted.received),
                str(counted.limit),
                running.shown(counted.due),
                running.shown(counted.warn_by),
                calendar.name,
                stands,
            )
        ],
    )
    sys.stdout.write("\n")
    days = [(day, "counted", "") for day in counted.days]
    spans = [
        (instant.local_date(first), "counted", _span(first, last)) for first, last in counted.spans
    ]
    left_out = [(one.day, "left out", _why(one)) for one in counted.left_out]
    running.show(
        ("date", "day", "", "why"),
        [
            (f"{day:%d/%m/%Y}", DAYS["vi"][day.weekday()], what, why)
            for day, what, why in sorted([*days, *spans, *left_out])
        ],
    )
    if counted.provisional:
        running.say(f"Provisional: {due_check.unannounced(counted.provisional)}.")


def _span(first: Instant, last: Instant) -> str:
    return f"{instant.local(first):%H:%M}-{instant.local(last):%H:%M}"


def _why(left: LeftOut) -> str:
    """The name of the day where it has one, and what kind it is."""
    if left.why is Why.WEEKEND:
        return f"{WORDS[left.why]} ({DAYS['vi'][left.day.weekday()]})"
    if left.why is Why.OFF:
        return left.name or WORDS[left.why]
    return f"{WORDS[left.why]} ({left.name})" if left.name else WORDS[left.why]
