"""``python -m fuzz``: every door, in process and over HTTP; a JSON object ends it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fuzz import by_schema, over_http, workers
from fuzz.doors import doors
from fuzz.workers import MOST_KEPT, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.workers import Fault


def main(arguments: Sequence[str] | None = None) -> int:
    """Let everything in, and say what came of it; 1 where there was any fault."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in process (default 1 M)")
    parser.add_argument("--requests", type=int, default=20_000, help="over HTTP (default 20,000)")
    parser.add_argument("--cases", type=int, default=5_000, help="by the schema (default 5,000)")
    parser.add_argument("--seed", default="1", help="the same seed makes the same (default 1)")
    parser.add_argument("--limit", type=float, default=1.0, help="seconds an input may take")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--door", action="append", help="only this one in process; may be repeated")
    parser.add_argument("--again", metavar="DOOR:NUMBER", help="one input of a door once more")
    parser.add_argument("--keep", type=Path, default=Path("var/fuzz"), help="where faults are kept")
    given = parser.parse_args(arguments)
    every = list(doors())
    if unknown := set(given.door or ()) - set(every):
        parser.error(f"there is no door {', '.join(sorted(unknown))}; known: {', '.join(every)}")
    if given.again and given.again.rpartition(":")[0] not in every:
        parser.error(f"DOOR is one of {', '.join(every)}, and NUMBER a number")
    if given.again:
        return _again(given.again, given.seed)
    began = time.monotonic()
    report = _fuzzed(given, given.door or every)
    print(_last_line(report, given.seed, time.monotonic() - began))
    return 1 if report.faults else 0


def _keep(faults: Sequence[Fault], folder: Path, seed: str) -> None:
    kept: Counter[str] = Counter()
    for fault in faults:
        kept[fault.door] += 1
        if kept[fault.door] > MOST_KEPT:
            continue
        fault.keep(folder, seed)
        print(f"{fault.door} {fault.number}: {fault.problem.splitlines()[-1]}", file=sys.stderr)


def _fuzzed(given: argparse.Namespace, every: Sequence[str]) -> Report:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def came(bar: int, inputs: int, faults: int) -> None:
            counted[bar] = counted.get(bar, 0) + faults
            said = f"{names[bar]} ({counted[bar]} faults)"
            progress.update(progress.task_ids[bar], advance=inputs, description=said)
            task = progress.tasks[bar]
            tenth = int(task.percentage) // 10
            if not progress.console.is_terminal and tenth > tenths.get(bar, 0):
                tenths[bar] = tenth
                print(f"{said}: {task.completed:,.0f} of {task.total:,.0f}", file=sys.stderr)

        names = ("in process", "over HTTP", "by schema")
        counted, tenths = dict[int, int](), dict[int, int]()
        shares = workers.shares_of(given.inputs, every)
        progress.add_task(names[0], total=sum(shares.values()))
        progress.add_task(names[1], total=given.requests)
        progress.add_task(names[2], total=given.cases)
        report = workers.run(shares, given.seed, given.limit, given.jobs, partial(came, 0))
        _keep(report.faults, given.keep, given.seed)
        for bar, count, door in ((1, given.requests, over_http), (2, given.cases, by_schema)):
            if count:
                found = door.run(count, given.seed, given.limit, partial(came, bar))
                _keep(found.faults, given.keep, given.seed)
                report.add(found)
    return report


def _again(named: str, seed: str) -> int:
    name, _, number = named.rpartition(":")
    door = doors()[name]
    made = door.make(workers.chance_of(seed, name, int(number)))
    print(made)
    print(door.enter(made))
    return 0


def _last_line(report: Report, seed: str, seconds: float) -> str:
    return json.dumps(
        {
            "inputs": dict(report.inputs),
            "slowest_ms": {door: round(took, 1) for door, took in report.slowest.items()},
            "faults": len(report.faults),
            "outcomes": dict(sorted(report.outcomes.items())),
            "seed": seed,
            "seconds": round(seconds, 1),
        }
    )


if __name__ == "__main__":
    sys.exit(main())
