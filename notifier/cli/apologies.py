"""``notifier apology``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from notifier.cli import running
from notifier.cli.listing import dossier_typed
from notifier.domain.apology import ApologyState
from notifier.errors import InputError, NotAllowedError
from notifier.web.apologies import debt_row, read_new_due, row

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.domain.apology import Apology, ApologyAct
    from notifier.flows.apologise import Debt


def listed(folder: Path | None, state: str, dossier: str, limit: int, *, as_json: bool) -> None:
    """Newest first."""
    found = running.run(_listed(folder, state, dossier, limit))
    if as_json:
        for one in found:
            running.out(row(one))
        return
    running.show(
        ("id", "dossier", "state", "due", "new due", "author", "approver", "number"),
        [
            (
                one.id,
                one.dossier,
                one.state.value + (" (late)" if one.late else ""),
                running.shown(one.due_at),
                running.shown(one.new_due_at),
                one.author,
                one.approver,
                one.number,
            )
            for one in found
        ],
    )


async def _listed(folder: Path | None, state: str, dossier: str, limit: int) -> list[Apology]:
    try:
        named = ApologyState(state) if state else None
    except ValueError:
        known = ", ".join(state.value for state in ApologyState)
        raise typer.BadParameter(f"there is no state {state}; there are {known}") from None
    async with running.core(folder) as core:
        code = (await dossier_typed(core, dossier)).code if dossier else ""
        return await core.apologise.listed(state=named, dossier=code, limit=limit)


def show(folder: Path | None, apology_id: str, *, as_json: bool) -> None:
    """One, and who did what."""
    found, acts, check, letter = running.run(_show(folder, apology_id))
    shown = {**row(found, acts), "check_url": check, "letter_url": letter}
    if as_json:
        running.out(shown)
        return
    running.show(
        ("", ""),
        [
            (name, str(value))
            for name, value in shown.items()
            if name != "acts" and value not in {None, ""}
        ],
    )
    running.show(
        ("when", "act", "by", "note"),
        [(running.shown(act.at), act.act, act.by, act.note) for act in acts],
    )


async def _show(folder: Path | None, apology_id: str) -> tuple[Apology, list[ApologyAct], str, str]:
    async with running.core(folder) as core:
        found, acts = await core.apologise.shown(apology_id)
        if not found.letter:
            return found, acts, "", ""
        letter = core.apologise.letter_url(found, core.clock.civil())
        return found, acts, core.apologise.check_url(found), letter


def draft(
    folder: Path | None, code: str, new_due: str, reason_key: str, reason: str, by: str, now: str
) -> None:
    """Write one; another person signs it."""
    made = running.run(_draft(folder, code, new_due, reason_key, reason, by, now))
    if made.late:
        running.say("it comes with less than one working day before the due date: a late apology")
    running.say(f"next: notifier apology approve {made.id} --number ...; another person signs it")
    running.out(row(made))


async def _draft(
    folder: Path | None, typed: str, new_due: str, reason_key: str, reason: str, by: str, now: str
) -> Apology:
    async with running.core(folder, now) as core:
        found = await dossier_typed(core, typed)
        return await core.apologise.draft(
            found.code,
            new_due_at=read_new_due(new_due),
            reason_key=reason_key,
            reason=reason,
            author=running.user(by),
        )


def approve(
    folder: Path | None,
    apology_id: str,
    *,
    number: str,
    signer: str,
    title: str,
    by: str,
    now: str,
) -> None:
    """Sign it."""
    signed = running.run(_approve(folder, apology_id, number, signer, title, by, now))
    if signed.state is ApologyState.APPROVED:
        running.say(
            "the applicant can't be written to: print the letter, and then say "
            f"notifier apology handover {signed.id}"
        )
    running.out(row(signed))


async def _approve(
    folder: Path | None, apology_id: str, number: str, signer: str, title: str, by: str, now: str
) -> Apology:
    async with running.core(folder, now) as core:
        return await core.apologise.approve(
            apology_id, by=running.user(by), number=number, signer=signer, title=title
        )


def act(folder: Path | None, apology_id: str, what: str, note: str, by: str) -> None:
    """reject, withdraw or handover."""
    running.out(row(running.run(_act(folder, apology_id, what, note, running.user(by)))))


async def _act(folder: Path | None, apology_id: str, what: str, note: str, by: str) -> Apology:
    async with running.core(folder) as core:
        acts = {
            "reject": core.apologise.reject,
            "withdraw": core.apologise.withdraw,
            "handover": core.apologise.handed_over,
        }
        return await acts[what](apology_id, by=by, note=note)


def letter(folder: Path | None, apology_id: str, file: Path) -> None:
    """The signed letter as a file: PDF, or its first page as PNG."""
    made = running.run(_letter(folder, apology_id, picture=file.suffix.lower() == ".png"))
    try:
        file.write_bytes(made)
    except OSError as error:
        raise InputError(f"{file} can't be written: {error.strerror}") from None
    running.say(f"{file}: {len(made)} bytes")


async def _letter(folder: Path | None, apology_id: str, *, picture: bool) -> bytes:
    async with running.core(folder) as core:
        found, _ = await core.apologise.shown(apology_id)
        if not found.letter:
            raise NotAllowedError(f"apology {found.id} is {found.state.value}, and not signed")
        drawn = core.letters.png if picture else core.letters.pdf
        return await drawn(found.template, found.letter)


def debts(folder: Path | None, limit: int, *, as_json: bool, now: str) -> None:
    """Late dossiers that nobody has apologised for."""
    owed = running.run(_debts(folder, limit, now))
    rows: list[dict[str, Any]] = [debt_row(debt) for debt in owed]
    if as_json:
        for one in rows:
            running.out(one)
        return
    running.show(
        ("dossier", "due", "unit", "why", "draft"),
        [
            (
                one["dossier"],
                running.shown(debt.dossier.facts.due_at),
                one["unit"] or "",
                one["why"],
                one["draft"] or "",
            )
            for one, debt in zip(rows, owed, strict=True)
        ],
    )


async def _debts(folder: Path | None, limit: int, now: str) -> list[Debt]:
    async with running.core(folder, now) as core:
        return await core.apologise.debts(limit)
