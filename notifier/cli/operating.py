"""``notifier outbox unknown|resolve|retry`` and ``notifier quarantine``"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from notifier.cli import running
from notifier.domain import instant
from notifier.errors import InputError
from notifier.flows.operate import Settled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from notifier.flows.operate import Released
    from notifier.ports import OutboxRow, QuarantineRow


def unknown(folder: Path | None, notice: str, gateway: str, *, as_json: bool) -> None:
    """Messages of unknown fate."""
    rows = running.run(_unknown(folder, notice, gateway))
    if as_json:
        for row in rows:
            running.out(
                {
                    "id": row.id,
                    "notice": row.notice,
                    "gateway": row.gateway,
                    "to": row.to,
                    "dossier": row.dossier,
                    "tries": row.attempts,
                    "since": instant.iso(row.updated_at),
                    "why": row.reason,
                }
            )
        return
    running.show(
        ("id", "notice", "gateway", "to", "dossier", "tries", "since", "why"),
        [
            (
                row.id,
                row.notice,
                row.gateway,
                row.to,
                row.dossier or "",
                str(row.attempts),
                running.shown(row.updated_at),
                row.reason,
            )
            for row in rows
        ],
    )


async def _unknown(folder: Path | None, notice: str, gateway: str) -> list[OutboxRow]:
    async with running.core(folder) as core:
        return await core.operate.unknown(notice=notice, gateway=gateway)


def resolve(
    folder: Path | None,
    ids: Sequence[str],
    settled: str,
    *,
    every: bool,
    notice: str,
    gateway: str,
    by: str,
) -> None:
    """Settle messages of unknown fate."""
    if every == bool(ids):
        raise typer.BadParameter("name messages, or say --all for those that unknown lists")
    asked, done = running.run(
        _resolve(folder, ids, Settled(settled), notice, gateway, running.user(by))
    )
    running.say(f"{done} of {asked} settled as {settled}")


async def _resolve(
    folder: Path | None, ids: Sequence[str], settled: Settled, notice: str, gateway: str, by: str
) -> tuple[int, int]:
    async with running.core(folder) as core:
        if not ids:
            ids = [row.id for row in await core.operate.unknown(notice=notice, gateway=gateway)]
        return len(ids), await core.operate.resolve(ids, settled, by)


def retry(folder: Path | None, ids: Sequence[str], by: str) -> None:
    """Send failed or expired messages again; the new ids go to standard output."""
    new = running.run(_retry(folder, ids, running.user(by)))
    for message_id in new:
        running.out({"id": message_id})
    running.say(f"{len(new)} of {len(ids)} sent again")


async def _retry(folder: Path | None, ids: Sequence[str], by: str) -> list[str]:
    async with running.core(folder) as core:
        return await core.operate.retry(ids, by)


def quarantined(folder: Path | None, door: str, limit: int, *, as_json: bool) -> None:
    """What could not be taken."""
    rows = running.run(_quarantined(folder, door, limit))
    if as_json:
        for row in rows:
            running.out(
                {
                    "id": row.id,
                    "door": row.door,
                    "reason": row.reason,
                    "since": instant.iso(row.at),
                    "bytes": row.size,
                }
            )
        return
    running.show(
        ("id", "since", "door", "why", "bytes"),
        [(str(row.id), running.shown(row.at), row.door, row.reason, str(row.size)) for row in rows],
    )


async def _quarantined(folder: Path | None, door: str, limit: int) -> list[QuarantineRow]:
    async with running.core(folder) as core, core.store.read() as session:
        return await session.quarantined(door=door or None, limit=limit)


def show_quarantined(folder: Path | None, item: int) -> None:
    """The bytes of one item."""
    sys.stdout.buffer.write(running.run(_raw(folder, item)) + b"\n")


async def _raw(folder: Path | None, item: int) -> bytes:
    async with running.core(folder) as core, core.store.read() as session:
        raw = await session.quarantined_raw(item)
    if raw is None:
        raise InputError(f"there is no item {item}; see: notifier quarantine list")
    return raw


def release(folder: Path | None, items: Sequence[int], by: str) -> None:
    """Read items again; one that stays is a failure, and says why."""
    released = running.run(_release(folder, items, running.user(by)))
    for one in released:
        running.say(f"{one.id}: {'taken' if one.taken else one.reason}")
    if not all(one.taken for one in released):
        sys.exit(1)


async def _release(folder: Path | None, items: Sequence[int], by: str) -> list[Released]:
    async with running.core(folder) as core:
        return await core.operate.release(items, by)


def drop(folder: Path | None, items: Sequence[int], by: str) -> None:
    """Take items off for good."""
    done = running.run(_drop(folder, items, running.user(by)))
    running.say(f"{done} of {len(items)} dropped")


async def _drop(folder: Path | None, items: Sequence[int], by: str) -> int:
    async with running.core(folder) as core:
        return await core.operate.drop(items, by)
