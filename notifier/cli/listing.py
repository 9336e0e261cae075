"""``notifier dossiers``, ``notifier timeline`` and ``notifier work``"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, Final

from notifier.cli import running
from notifier.domain import code_reader, deadline, due_check, instant
from notifier.domain.code import canonical
from notifier.domain.notice import person_of
from notifier.errors import InputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from notifier.bootstrap.core import Core
    from notifier.domain.apology import ApologyAct
    from notifier.domain.dossier import Dossier, Step
    from notifier.domain.installation import Installation
    from notifier.ports import OutboxRow

PAGE: Final = 500


def dossiers(folder: Path | None, *, as_json: bool, now: str) -> None:
    """All of them, page by page."""
    running.run(_dossiers(folder, as_json=as_json, now=now))


async def _dossiers(folder: Path | None, *, as_json: bool, now: str) -> None:
    async with running.core(folder, now) as core:
        if as_json:
            async for row in _rows(core):
                running.out(row)
            return
        running.show(
            ("code", "state", "due", "late", "unit", "procedure", "notices"),
            [
                (
                    row["code"],
                    core.installation.statuses.word(row["status"], "vi"),
                    row["due"] or "",
                    "late" if row["late"] else "",
                    row["unit"] or "",
                    row["procedure"] or "",
                    ", ".join(row["notices"]),
                )
                async for row in _rows(core)
            ],
        )


async def _rows(core: Core) -> AsyncIterator[dict[str, Any]]:
    after = ""
    while True:
        async with core.store.read() as session:
            page = await session.list_dossiers(after, PAGE)
            notices = await session.notices_of([dossier.code for dossier in page])
        for dossier in page:
            yield _row(core, dossier, notices[dossier.code])
        if len(page) < PAGE:
            return
        after = page[-1].code


def _row(core: Core, dossier: Dossier, notices: list[OutboxRow]) -> dict[str, Any]:
    facts = dossier.facts
    number = person_of(dossier).phone
    return {
        "code": dossier.code,
        "status": dossier.status,
        "due": instant.iso(facts.due_at) if facts.due_at is not None else None,
        "phone": number.e164 if number else None,
        "late": deadline.is_late(dossier, core.installation.statuses, now=core.clock.civil()),
        "unit": (facts.unit.name or facts.unit.code) if facts.unit else None,
        "procedure": facts.procedure_name or facts.procedure_code,
        "notices": [row.notice for row in notices],
    }


def timeline(folder: Path | None, code: str, *, as_json: bool) -> None:
    """One dossier from its first event to its last, across units and levels."""
    running.run(_timeline(folder, code, as_json=as_json))


async def _timeline(folder: Path | None, typed: str, *, as_json: bool) -> None:
    async with running.core(folder) as core:
        found = await dossier_typed(core, typed)
        async with core.store.read() as session:
            messages = (await session.notices_of([found.code]))[found.code]
            apologies = await session.apologies(dossiers=[found.code])
            acts = await session.apology_acts([apology.id for apology in apologies])
        holdings = [
            {
                "unit": core.installation.units.find(turn.unit).name,
                "handler": turn.handler,
                "since": instant.iso(turn.since),
                "until": instant.iso(turn.until) if turn.until is not None else None,
            }
            for turn in found.holdings()
        ]
        happened = sorted(
            [
                *((step.at, step.type, _step_words(core, step)) for step in found.steps),
                *((row.created_at, f"message: {row.notice}", row.state.value) for row in messages),
                *((act.at, f"apology: {act.act}", _act_words(act)) for act in acts),
            ]
        )
        checked = _checked(found, core.installation)
    if as_json:
        events = [{"at": instant.iso(at), "what": what, "detail": d} for at, what, d in happened]
        running.out({"code": found.code, "holdings": holdings, "events": events, "check": checked})
        return
    running.show(
        ("when", "what", "detail"),
        [(running.shown(at), what, detail) for at, what, detail in happened],
    )
    running.show(
        ("unit", "handler", "since", "until"),
        [
            (turn["unit"] or "", turn["handler"] or "", turn["since"] or "", turn["until"] or "now")
            for turn in holdings
        ],
    )
    if checked is not None:
        sys.stdout.write(_check_words(checked) + "\n")


def _checked(found: Dossier, installation: Installation) -> dict[str, Any] | None:
    """The due date that the limit gives, beside the source's; None where no limit is known.

    ``differs`` is None where the two need not agree: in a pause, after a re-appointment.
    """
    expected = due_check.expected(found, installation)
    due_at = found.facts.due_at
    if expected is None:
        return None
    is_checked = due_at is not None and due_check.is_checked(found, installation.statuses)
    return {
        "limit": str(expected.limit),
        "since": instant.iso(expected.since),
        "expected_due": instant.iso(expected.due),
        "due": instant.iso(due_at) if due_at is not None else None,
        "differs": due_check.differs(due_at, expected) if is_checked and due_at else None,
        "provisional": list(expected.provisional),
    }


def _check_words(checked: dict[str, Any]) -> str:
    words = f"by its limit of {checked['limit']} from {checked['since']}: {checked['expected_due']}"
    if checked["differs"]:
        words += f"; this differs from the source's {checked['due']}, which holds"
    if checked["provisional"]:
        words += f"; provisional, {due_check.unannounced(checked['provisional'])}"
    return words


async def dossier_typed(core: Core, typed: str) -> Dossier:
    """The dossier of a code as people write it; raises ``InputError``."""
    today = instant.local_date(core.clock.civil())
    legacy = core.installation.legacy_codes
    codes = [found.text for found in code_reader.read(typed, today=today, legacy=legacy)]
    with contextlib.suppress(ValueError):
        codes.append(canonical(typed))
    async with core.store.read() as session:
        stored = await session.dossiers(codes)
    for code in codes:
        if code in stored:
            return stored[code]
    raise InputError(f"there is no dossier {typed}; see: notifier dossiers")


def _act_words(act: ApologyAct) -> str:
    return ", ".join(word for word in (act.by, act.note) if word)


def _step_words(core: Core, step: Step) -> str:
    words = [core.installation.statuses.word(step.status, "vi")]
    if step.unit is not None:
        words.append(core.installation.units.find(step.unit).name)
    if step.due_at is not None:
        words.append(f"hẹn trả {running.shown(step.due_at)}")
    return ", ".join(word for word in words if word)


def work(folder: Path | None, kind: str, limit: int, *, as_json: bool) -> None:
    """What waits for people, oldest first."""
    running.run(_work(folder, kind, limit, as_json=as_json))


async def _work(folder: Path | None, kind: str, limit: int, *, as_json: bool) -> None:
    async with running.core(folder) as core:
        async with core.store.read() as session:
            items = await session.work(kind=kind or None, limit=limit)
        rows = [
            {
                "key": item.key,
                "kind": item.kind,
                "dossier": item.dossier,
                "detail": item.detail,
                "since": instant.iso(item.opened_at),
            }
            for item in items
        ]
        if as_json:
            for row in rows:
                running.out(row)
            return
        running.show(
            ("since", "kind", "dossier", "detail", "key"),
            [
                (
                    running.shown(item.opened_at),
                    item.kind,
                    item.dossier or "",
                    item.detail,
                    item.key,
                )
                for item in items
            ],
        )


def settle(folder: Path | None, keys: list[str], by: str) -> None:
    """Take items off the list."""
    done = running.run(_settle(folder, keys, running.user(by)))
    running.say(f"{done} of {len(keys)} settled")


async def _settle(folder: Path | None, keys: list[str], by: str) -> int:
    async with running.core(folder) as core, core.store.write() as session:
        return await session.settle_work(keys, by, core.clock.civil())
