"""``notifier broadcast``"""

from __future__ import annotations

import asyncio
import csv
import sys
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from notifier.cli import running
from notifier.domain import audience
from notifier.domain.broadcast import BroadcastState
from notifier.domain.message import FINAL_STATES, State
from notifier.errors import AudienceError, InputError
from notifier.flows.broadcast import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from notifier.flows.broadcast import Preview, Reading

ENDED = frozenset({BroadcastState.DONE, BroadcastState.ABORTED})


def new(
    folder: Path | None,
    file: Path,
    text: str,
    text_file: Path | None,
    *,
    title: str,
    column: str,
    accents: bool,
    by: str,
) -> None:
    """Read a list into a draft."""
    template = text or (_read_text(text_file) if text_file else "")
    if not template:
        raise typer.BadParameter("a broadcast needs --text or --text-file")
    reading = running.run(_new(folder, file, template, title or file.stem, column, accents, by))
    draft = reading.broadcast
    for fault in reading.faults[:20]:
        running.say(f"row {fault.row}: {fault.problem}")
    if draft.faults > 20:
        running.say(f"... and {draft.faults - 20} more")
    running.say(
        f"{draft.recipients} recipients, {draft.segments} SMS; left out: {draft.refused} who "
        f"refuse, {draft.faults} rows that can't be used"
    )
    running.say(f"next: notifier broadcast preview {draft.id}; another person approves it")
    running.out(_row(Standing(broadcast=draft, messages={})))


async def _new(
    folder: Path | None, file: Path, template: str, title: str, column: str, accents: bool, by: str
) -> Reading:
    async with running.core(folder) as core:
        with _bar() as bar:
            task = bar.add_task("reading the list", total=_line_count(file))
            return await core.broadcasting.new(
                audience.read(_csv_rows(file), column or _phone_column(file)),
                title=title,
                template=template,
                author=running.user(by),
                keep_accents=accents,
                progress=lambda count: bar.advance(task, count),
            )


def preview(folder: Path | None, broadcast_id: str) -> None:
    """The first texts."""
    shown = running.run(_preview(folder, broadcast_id))
    for to, text in shown.texts:
        running.say(f"{to} ({text.plan.segments} SMS, {text.plan.encoding}, {text.plan.units})")
        sys.stdout.write(text.text + "\n\n")


async def _preview(folder: Path | None, broadcast_id: str) -> Preview:
    async with running.core(folder) as core:
        return await core.broadcasting.preview(broadcast_id)


def act(folder: Path | None, broadcast_id: str, what: str, by: str) -> None:
    """approve, start, pause or abort."""
    progress = running.run(_act(folder, broadcast_id, what, running.user(by)))
    running.say(f"broadcast {broadcast_id} is {progress.broadcast.state.value}")


async def _act(folder: Path | None, broadcast_id: str, what: str, by: str) -> Standing:
    async with running.core(folder) as core:
        return await core.broadcasting.act(broadcast_id, what, by)


def status(folder: Path | None, broadcast_id: str, *, as_json: bool) -> None:
    """One broadcast, or all."""
    standings = running.run(_status(folder, broadcast_id))
    rows = [_row(standing) for standing in standings]
    if as_json:
        for row in rows:
            running.out(row)
        return
    headings = ("id", "title", "state", "author", "approver", "recipients", "sms", "messages")
    running.show(
        headings,
        [
            [
                ", ".join(f"{state} {count}" for state, count in row["messages"].items())
                if name == "messages"
                else str(row[name])
                for name in headings
            ]
            for row in rows
        ],
    )


async def _status(folder: Path | None, broadcast_id: str) -> list[Standing]:
    async with running.core(folder) as core:
        if broadcast_id:
            return [await core.broadcasting.status(broadcast_id)]
        async with core.store.read() as session:
            found = await session.broadcasts()
        return [await core.broadcasting.status(one.id) for one in found]


def watch(folder: Path | None, broadcast_id: str) -> None:
    """A bar until every message has left or the broadcast has ended."""
    running.run(_watch(folder, broadcast_id))


async def _watch(folder: Path | None, broadcast_id: str) -> None:
    left = FINAL_STATES | {State.ACCEPTED, State.UNKNOWN}
    async with running.core(folder) as core:
        with _bar() as bar:
            task = bar.add_task("sent", total=None)
            while True:
                standing = await core.broadcasting.status(broadcast_id)
                done = sum(standing.messages.get(state, 0) for state in left)
                bar.update(task, total=standing.broadcast.recipients, completed=done)
                if standing.broadcast.state in ENDED:
                    running.say(f"broadcast {broadcast_id} is {standing.broadcast.state.value}")
                    return
                await asyncio.sleep(0.5)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} can't be read as a text in UTF-8: {error}") from None


def _csv_rows(file: Path) -> Iterator[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                yield {key: value or "" for key, value in row.items() if isinstance(key, str)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AudienceError(f"{file} can't be read as CSV in UTF-8: {error}") from None


def _phone_column(file: Path) -> str:
    first = next(_csv_rows(file), None)
    if first is None:
        raise AudienceError(f"{file} has no rows under its heading")
    column = audience.phone_column(first)
    if column is None:
        known = ", ".join(first)
        raise AudienceError(
            f"{file} has no column of numbers; name it with --column (there are: {known})"
        )
    return column


def _line_count(file: Path) -> int | None:
    try:
        with file.open("rb") as lines:
            return max(
                sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b"")) - 1, 1
            )
    except OSError:
        return None


def _row(standing: Standing) -> dict[str, Any]:
    found = standing.broadcast
    return {
        "id": found.id,
        "title": found.title,
        "state": found.state.value,
        "author": found.author,
        "approver": found.approver,
        "recipients": found.recipients,
        "sms": found.segments,
        "refused": found.refused,
        "faults": found.faults,
        "released": found.released,
        "messages": {state.value: count for state, count in standing.messages.items()},
    }
