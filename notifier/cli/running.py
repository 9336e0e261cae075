"""What the commands share: an open core, the moment, the user, and output."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from notifier import logs
from notifier.bootstrap.core import Core, configure
from notifier.clock import FixedClock, SystemClock
from notifier.domain import instant, phone
from notifier.domain.message import Address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
    from pathlib import Path

    from notifier.ports import Clock

T = TypeVar("T")

PIPED_WIDTH = 1_000
"""Characters of a line where no terminal sets a limit."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, on the faster loop where it is installed."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


@asynccontextmanager
async def core(folder: Path | None, now: str = "") -> AsyncIterator[Core]:
    """The flows on an open store."""
    configuration = configure(folder, gateways=False)
    logs.configure(configuration.settings.log)
    opened = Core(configuration, clock(now))
    await opened.store.open()
    try:
        yield opened
    finally:
        await opened.store.close()


def clock(now: str) -> Clock:
    """The system's clock, or one that stands at ``--now``."""
    if not now:
        return SystemClock()
    try:
        return FixedClock(instant.read_iso(now))
    except ValueError as error:
        raise typer.BadParameter(f"{now} is not a moment in ISO 8601: {error}") from None


def user(by: str) -> str:
    """Who acts: ``--by``, NOTIFIER_USER, or the login."""
    return by or os.environ.get("NOTIFIER_USER", "") or getpass.getuser()


def address(text: str) -> Address:
    """An address as typed; a Vietnamese number may be written as people write it."""
    try:
        typed = Address.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if typed.channel == "sms" and (number := phone.read(typed.value)):
        return Address("sms", number.e164)
    return typed


def out(value: dict[str, Any]) -> None:
    """One JSON object on a line of standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def say(text: str) -> None:
    """A line for the person at the terminal, on standard error."""
    sys.stderr.write(text + "\n")


def show(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on standard output; a code or an id is folded where it has to be, and never cut."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def shown(moment: int | None) -> str:
    """A moment for people: ``20/11/2026 17:00``; empty where there is none."""
    return f"{instant.local(moment):%d/%m/%Y %H:%M}" if moment is not None else ""
