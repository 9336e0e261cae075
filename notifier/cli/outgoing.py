"""``notifier send`` and ``notifier outbox``"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import typer

from notifier.cli import running
from notifier.domain import instant
from notifier.domain.message import Lane, Message, State, message_id
from notifier.errors import InputError
from notifier.ports import Moved

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.ports import AttemptRow, OutboxRow


def send(folder: Path | None, address: str, text: str) -> None:
    """Queue one message; its id goes to standard output."""
    running.out({"id": running.run(_send(folder, address, text))})


async def _send(folder: Path | None, address: str, text: str) -> str:
    async with running.core(folder) as core:
        to = running.address(address)
        now = core.clock.civil()
        # A text may stand for itself: what looks like a template is not filled in.
        words = core.composer.plain_text(text, channel=to.channel)
        key = f"send|{uuid4()}"  # it is kept in the open and told to providers: no address in it
        message = Message(
            id=message_id(key, now),
            key=key,
            lane=Lane.NOTICE,
            address=to,
            text=words.text,
            plan=words.plan,
            locale=core.installation.locale,
            created_at=now,
            not_before=now,
            best_before=now + instant.DAY,
            notice="direct",
        )
        async with core.store.write() as session:
            await session.add_messages([message])
        running.say(f"queued: {words.plan.segments} segment(s), {words.plan.encoding}")
        return message.id


def listed(folder: Path | None, state: str, dossier: str, limit: int, *, as_json: bool) -> None:
    """The newest messages."""
    try:
        wanted = State(state) if state else None
    except ValueError:
        known = ", ".join(one.value for one in State)
        raise typer.BadParameter(f"there is no state {state}; there are {known}") from None
    rows = running.run(_listed(folder, wanted, dossier or None, limit))
    if as_json:
        for row in rows:
            running.out(_as_json(row))
        return
    running.show(
        ("id", "notice", "lane", "state", "to", "dossier", "tries", "SMS", "changed", "why"),
        [
            (
                row.id,
                row.notice,
                row.lane.name.lower(),
                row.state.value,
                row.to,
                row.dossier or "",
                str(row.attempts),
                str(row.segments),
                running.shown(row.updated_at),
                row.reason,
            )
            for row in rows
        ],
    )


async def _listed(
    folder: Path | None, state: State | None, dossier: str | None, limit: int
) -> list[OutboxRow]:
    async with running.core(folder) as core, core.store.read() as session:
        return await session.outbox(state=state, dossier=dossier, limit=limit)


def show(folder: Path | None, message_id: str, *, as_json: bool) -> None:
    """One message, and every attempt."""
    row, attempts = running.run(_show(folder, message_id))
    if as_json:
        running.out({**_as_json(row), "attempts": [_attempt(attempt) for attempt in attempts]})
        return
    running.show(("", ""), [(name, str(value)) for name, value in _as_json(row).items()])
    running.show(
        ("attempt", "gateway", "to", "started", "ended", "outcome", "code", "detail"),
        [
            (
                str(attempt.number),
                attempt.gateway,
                attempt.to,
                running.shown(attempt.started_at),
                running.shown(attempt.ended_at),
                attempt.outcome,
                attempt.code,
                attempt.detail,
            )
            for attempt in attempts
        ],
    )


async def _show(folder: Path | None, message_id: str) -> tuple[OutboxRow, list[AttemptRow]]:
    async with running.core(folder) as core, core.store.read() as session:
        row = await session.outbox_row(message_id)
        if row is None:
            raise InputError(f"there is no message {message_id}; see: notifier outbox list")
        return row, await session.attempts(message_id)


def cancel(folder: Path | None, message_id: str, by: str) -> None:
    """Take back a message that has not left."""
    running.run(_cancel(folder, message_id, running.user(by)))
    running.say("cancelled")


async def _cancel(folder: Path | None, message_id: str, by: str) -> None:
    async with running.core(folder) as core, core.store.write() as session:
        moved = Moved(id=message_id, state=State.CANCELLED, reason=f"cancelled by {by}")
        if not await session.move([moved], core.clock.civil()):
            row = await session.outbox_row(message_id)
            state = f"it is {row.state.value}" if row else "there is no such message"
            raise InputError(f"message {message_id} can't be cancelled: {state}")


def _as_json(row: OutboxRow) -> dict[str, Any]:
    shown = asdict(row)
    for name in ("created_at", "not_before", "best_before", "updated_at"):
        shown[name] = instant.iso(shown[name])
    return {**shown, "lane": row.lane.name.lower(), "state": row.state.value}


def _attempt(attempt: AttemptRow) -> dict[str, Any]:
    shown = asdict(attempt)
    for name in ("started_at", "ended_at"):
        shown[name] = instant.iso(shown[name]) if shown[name] is not None else None
    return shown
