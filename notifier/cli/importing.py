"""``notifier import``"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

import typer

from notifier.cli import running
from notifier.errors import NotifierError
from notifier.flows.group_commit import GroupCommit
from notifier.flows.ingest import Fate
from notifier.ports import Quarantined
from notifier.sources.files import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress

    from notifier.domain.event import DossierEvent
    from notifier.flows.ingest import Ingested
    from notifier.sources.files import Part

AT_A_TIME: Final = 250
"""Items of one transaction: a running service waits for its turn no longer than that takes."""

SHOWN: Final = 50
"""Faults that are named one by one."""


@dataclass(slots=True)
class _Count:
    """What became of the items; ``bad`` could not be read, ``asked`` are a person's to decide."""

    stored: int = 0
    duplicate: int = 0
    bad: int = 0
    asked: int = 0
    failed: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, part: Part, result: Ingested | BaseException) -> str:
        """Count it; a sentence where somebody has to know."""
        if isinstance(result, BaseException):
            if not isinstance(result, NotifierError):
                raise result
            self.failed += 1
            return f"{part.place}: it could not be stored: {result}"
        if result.fate is Fate.STORED:
            self.stored += 1
        elif result.fate is Fate.DUPLICATE:
            self.duplicate += 1
        else:
            asked = isinstance(part.item, Quarantined) and part.item.understood
            self.asked += asked
            self.bad += not asked
            return f"{part.place}: {result.reason}"
        return ""

    @property
    def words(self) -> str:
        """One line for a person."""
        told = [f"{self.stored} stored"]
        told += [f"{self.duplicate} known already"] if self.duplicate else []
        told += [f"{self.asked} kept for a person to look at"] if self.asked else []
        told += [f"{self.bad} could not be read, and are kept"] if self.bad else []
        told += [f"{self.failed} could not be stored"] if self.failed else []
        total = self.stored + self.duplicate + self.asked + self.bad + self.failed
        return f"{total} record(s): {', '.join(told)}."


def take(folder: Path | None, file: Path, source: str, now: str) -> None:
    """Exit code 1 where something could not be read or stored; all the rest is taken."""
    count = running.run(_take(folder, file, source, now))
    running.say(count.words)
    if count.asked or count.bad:
        running.say(f"See: notifier quarantine list --door sources/{source}")
    if count.bad or count.failed:
        sys.exit(1)


async def _take(folder: Path | None, file: Path, source: str, now: str) -> _Count:
    count = _Count()
    async with running.core(folder, now) as core:
        reader = core.configuration.readers.get(source)
        if reader is None:
            known = ", ".join(sorted(core.configuration.readers))
            raise typer.BadParameter(f"there is no source {source}; there are {known}")
        contents = open_file(file, reader, core.clock.civil())
        ingest: GroupCommit[DossierEvent | Quarantined, Ingested] = GroupCommit(
            core.ingest, most=AT_A_TIME
        )
        with _bar() as bar:
            task = bar.add_task(file.name, total=contents.total)
            while parts := list(islice(contents.parts, AT_A_TIME)):
                results = await asyncio.gather(
                    *(ingest(part.item) for part in parts), return_exceptions=True
                )
                for part, result in zip(parts, results, strict=True):
                    if said := count.add(part, result):
                        count.faults.append(said)
                        _tell(bar, count.faults, said)
                bar.update(task, completed=parts[-1].done)
            bar.update(task, completed=contents.total)
    if len(count.faults) > SHOWN:
        running.say(f"... and {len(count.faults) - SHOWN} more")
    return count


def _tell(bar: Progress, faults: list[str], said: str) -> None:
    if len(faults) <= SHOWN:
        bar.console.print(said, markup=False, highlight=False, soft_wrap=True)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
