"""``python -m torture``: worlds side by side until enough is killed; a JSON object ends it."""

from __future__ import annotations

import argparse
import gc
import json
import os
import selectors
import sys
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from torture import stores, world
from torture.books import Figures
from torture.forge import fork
from torture.provider import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

A_ROUND: Final = 30
"""Kills between an empty store and its books."""

LEFT_TO_SETTLE: Final = 0.85
"""The share of the time in which is killed."""

NOTES: Final = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Torture, and say what came of it; 1 where anything was lost, doubled in silence, or left."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000, help="how many (default 1000)")
    parser.add_argument("--seconds", type=float, default=1_800, help="at most (default 1800)")
    parser.add_argument("--store", choices=[*stores.ENGINES, "both"], default="both")
    parser.add_argument(
        "--services", type=int, default=2, help="at once on a store that lets them (default 2)"
    )
    parser.add_argument("--seed", default="1", help="the same seed draws the same (default 1)")
    parser.add_argument("--worlds", type=int, default=3 * (os.cpu_count() or 1), help="at once")
    parser.add_argument("--logs", type=Path, help="a folder to keep the services' logs in")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    if given.logs:
        given.logs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="torture-") as made:
        figures = torture(given, given.logs or Path(made))
    for note in figures.notes[:NOTES]:
        print(note, file=sys.stderr)
    print(_last_line(figures, given.seed, time.monotonic() - began))
    return 1 if figures.faults else 0


def torture(given: argparse.Namespace, folder: Path) -> Figures:
    """All worlds, each a process; their figures together."""
    with stores.makers(list(stores.ENGINES) if given.store == "both" else [given.store]) as makers:
        return _side_by_side(given, list(makers.values()), folder)


def _side_by_side(given: argparse.Namespace, makers: list[stores.Maker], folder: Path) -> Figures:
    gc.freeze()  # what is loaded stays shared between the processes
    readers: list[int] = []
    children: list[int] = []
    for number in range(given.worlds):
        share = given.kills // given.worlds + (number < given.kills % given.worlds)
        tasks = list(_tasks(given, makers, number, share, folder))
        reader, writer = os.pipe()
        children.append(fork(partial(_tell, tasks, writer)))
        os.close(writer)
        readers.append(reader)
    figures = _gathered(readers, given.kills)
    broken = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    if broken:
        raise SystemExit(f"{broken} worlds broke down; see what they wrote above")
    return figures


def _tasks(
    given: argparse.Namespace, makers: list[stores.Maker], number: int, share: int, folder: Path
) -> Iterator[world.Task]:
    until = time.monotonic() + given.seconds * LEFT_TO_SETTLE
    for turn, done in enumerate(range(0, share, A_ROUND)):
        yield world.Task(
            make_store=makers[(number + turn) % len(makers)],
            services=given.services,
            dialect=DIALECTS[(number + turn) % len(DIALECTS)],
            seed=f"{given.seed}-{number}-{turn}",
            kills=min(A_ROUND, share - done),
            until=until,
            folder=folder,
            keep_log=given.logs is not None,
        )


def _tell(tasks: Sequence[world.Task], writer: int) -> None:
    """In a world's process: play its rounds, and write what happens, one object a line."""
    with os.fdopen(writer, "w", buffering=1) as told:
        for task in tasks:
            if time.monotonic() >= task.until:
                break
            figures = world.play(task, lambda: print('{"kills": 1}', file=told))
            print(json.dumps(asdict(figures)), file=told)


def _gathered(readers: Sequence[int], kills: int) -> Figures:
    """What the worlds tell, until the last of them has ended."""
    total, selector = Figures(), selectors.DefaultSelector()
    for reader in readers:
        selector.register(os.fdopen(reader), selectors.EVENT_READ)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("kills", total=kills)
        while selector.get_map():
            for key, _ in selector.select():
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if not line:
                    selector.unregister(key.fileobj)
                    continue
                said = json.loads(line)
                if said == {"kills": 1}:
                    progress.advance(bar)
                    continue
                total += Figures(**{**said, "notes": tuple(said["notes"])})
                progress.update(bar, description=f"kills ({total.faults} faults)")
    return total


def _last_line(figures: Figures, seed: str, seconds: float) -> str:
    said = asdict(figures)
    said.pop("notes")
    tally = said.pop("tally")
    return json.dumps(
        {**said, "seed": seed, "seconds": round(seconds, 1), "tally": dict(sorted(tally.items()))}
    )


if __name__ == "__main__":
    sys.exit(main())
