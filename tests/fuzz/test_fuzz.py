"""The short fuzzing: every door, in process and over HTTP. ``make fuzz`` is the long one."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fuzz import workers
from fuzz.doors import doors

ROOT = Path(__file__).parents[2]


async def test_no_door_gives_way(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "fuzz", "--inputs", "20000", "--requests", "300", "--cases", "100"),
        # How long an input takes is for the long one to say, on a machine with nothing else to do.
        *("--limit", "60", "--keep", str(tmp_path)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    said = json.loads(out.splitlines()[-1])
    assert said["faults"] == 0
    assert set(said["inputs"]) == {*doors(), "http", "schema"}
    assert (said["inputs"]["http"], said["inputs"]["schema"]) == (300, 100)
    for wanted in ("events: taken", "events: quarantined", "hooks/telegram: inbound",
                   "inquiry: answered", "http: events 202", "http: hooks 200",
                   "schema: stored, and in the store"):  # fmt: skip
        assert said["outcomes"][wanted] > 0


class Planted:
    """A door behind which something is wrong."""

    name = "planted"

    def make(self, chance: Any) -> int:
        return chance.randrange(10)

    def enter(self, made: int) -> str:
        if made == 3:
            raise ValueError(made)
        return "taken"


def test_what_is_wrong_behind_a_door_is_a_fault() -> None:
    report = workers.Report()
    for number in range(100):
        workers.enter(Planted(), "1", number, 60.0, report)
    assert report.inputs["planted"] == 100
    assert 0 < len(report.faults) == report.outcomes["planted: fault"] < 100
    assert "ValueError: 3" in report.faults[0].problem


def test_what_takes_too_long_is_a_fault() -> None:
    report = workers.Report()
    for number in range(100):
        workers.enter(Planted(), "1", number, -1.0, report)
    assert len(report.faults) == 100


@pytest.mark.parametrize("name", doors())
def test_an_input_can_be_made_again(name: str) -> None:
    door = doors()[name]
    assert all(
        repr(door.make(workers.chance_of("1", name, number)))
        == repr(door.make(workers.chance_of("1", name, number)))
        for number in range(30)
    )
