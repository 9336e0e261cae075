"""The short torture: some thirty kills, and nothing lost, doubled in silence, or left in doubt.

A world each on SQLite, on PostgreSQL, and on one whose standby takes over.

``make torture`` is the long one. That a fault would be noticed: ``python -m torture.planted``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def test_killed_again_and_again_nothing_is_lost() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(
            "-m",
            "torture",
            "--kills",
            "24",
            "--seconds",
            "45",
            "--worlds",
            "3",
            "--store",
            "both",
        ),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    said = json.loads(out.splitlines()[-1])
    assert said["kills"] > 0
    assert said["events"] > 0
    assert said["questions"] > 0
    assert said["messages"] > 0
    faults = ("lost", "doubled_unmarked", "unknown_left", "went_back")
    assert {name: said[name] for name in faults} == dict.fromkeys(faults, 0)
