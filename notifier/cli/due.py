"""``notifier due``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from notifier.cli import running
from notifier.domain import instant, warning
from notifier.domain.warning import END_OF_DAY
from notifier.flows.due_list import DueList, is_of
from notifier.settings import read_lead

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.bootstrap.core import Core
    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.instant import Instant
    from notifier.flows.due_list import Due

HEADINGS: Final = ("due", "code", "unit", "state", "procedure")


def soon(
    folder: Path | None, unit: str, within: str, limit: int, *, as_json: bool, now: str
) -> None:
    """What falls due within so much working time, earliest first."""
    try:
        lead = read_lead(within)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    running.run(_soon(folder, unit, lead, limit, as_json=as_json, now=now))


async def _soon(
    folder: Path | None, unit: str, lead: tuple[int, str], limit: int, *, as_json: bool, now: str
) -> None:
    async with running.core(folder, now) as core:
        moment = core.clock.civil()
        installation = core.installation
        reach = {
            name: _reach(calendar, lead, moment)
            for name, calendar in installation.calendars.items()
        }
        found: list[Due] = []
        async for page in DueList(core.store, installation).pages(
            max(reach.values()), after=moment
        ):
            for one in page:
                calendar = installation.calendar_of(one.unit)
                if one.due_at <= reach[calendar.name] and (not unit or is_of(one, unit)):
                    found.append(one)
            if len(found) >= limit:
                break
        _show(core, found[:limit], as_json=as_json, late=False)


def late(
    folder: Path | None, unit: str, limit: int, *, debts: bool, as_json: bool, now: str
) -> None:
    """What is late, the latest due date last, and whether anybody has said sorry."""
    running.run(_late(folder, unit, limit, debts=debts, as_json=as_json, now=now))


async def _late(
    folder: Path | None, unit: str, limit: int, *, debts: bool, as_json: bool, now: str
) -> None:
    async with running.core(folder, now) as core:
        found: list[Due] = []
        async for page in DueList(core.store, core.installation).pages(core.clock.civil() - 1):
            found += [
                one for one in page if (one.is_debt or not debts) and (not unit or is_of(one, unit))
            ]
            if len(found) >= limit:
                break
        _show(core, found[:limit], as_json=as_json, late=True)


def _reach(calendar: WorkingCalendar, lead: tuple[int, str], now: Instant) -> Instant:
    count, unit = lead
    if unit == "h":
        return warning.worked_until(now, count * instant.HOUR, calendar)
    return instant.at(calendar.after(instant.local_date(now), count), END_OF_DAY)


def _show(core: Core, found: list[Due], *, as_json: bool, late: bool) -> None:
    rows = [_row(one, late=late) for one in found]
    if as_json:
        for row in rows:
            running.out(row)
        return
    running.show(
        (*HEADINGS, *(["apology"] if late else [])),
        [
            (
                running.shown(one.due_at),
                row["code"],
                one.unit.name,
                core.installation.statuses.word(row["status"], "vi"),
                row["procedure"] or "",
                *([row["apology"] or "none"] if late else []),
            )
            for one, row in zip(found, rows, strict=True)
        ],
    )


def _row(due: Due, *, late: bool) -> dict[str, Any]:
    facts = due.dossier.facts
    row = {
        "code": due.dossier.code,
        "due": instant.iso(due.due_at),
        "status": due.dossier.status,
        "unit": due.unit.name,
        "unit_code": due.unit.code or None,
        "procedure": facts.procedure_name or facts.procedure_code,
    }
    if late:
        row |= {"apology": due.apology.value if due.apology else None, "debt": due.is_debt}
    return row
