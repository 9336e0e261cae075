"""``python -m bench [P1 P2]``: the goals that can be measured, one after the other."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from bench import p1, p2
from bench.result import report
from notifier.cli import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.result import Figure

GOALS = {"P1": p1.measure, "P2": p2.measure}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("goals", nargs="*", metavar="GOAL", help=f"of {', '.join(GOALS)}; all")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many (default 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="more or less load (default 1)")
    given = parser.parse_args(arguments)
    if unknown := set(given.goals) - set(GOALS):
        parser.error(f"there is no goal {', '.join(sorted(unknown))}")
    print(report(running.run(_measure(given.goals or list(GOALS), given.rounds, given.scale))))


async def _measure(goals: Sequence[str], rounds: int, scale: float) -> list[Figure]:
    figures: list[Figure] = []
    for goal in goals:
        print(f"{goal} ...", file=sys.stderr)
        figures += await GOALS[goal](rounds, scale)
    return figures


if __name__ == "__main__":
    main()
