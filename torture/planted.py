"""``python -m torture.planted``: is a fault noticed? Each is planted into a copy and tortured.

A proof that nothing is lost is worth what it would say if something were.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).parents[1]
COPIED: Final = ("notifier", "gateways", "templates", "config", "torture", "tests")

SETTLE: Final = "notifier/flows/settle.py"
DISPATCH: Final = "notifier/flows/dispatch.py"
OUTBOX: Final = "notifier/storage/sqlite/outbox.py"
POSTGRES: Final = "notifier/storage/postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A fault: in ``file`` each first text is replaced by the second.

    ``by_model``: the outbox's contract and state machine have to notice it, not the torture.
    """

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    by_model: bool = False
    store: str = "sqlite"


FAULTS: Final = (
    Planted(
        name="claim: begun whatever its state",
        file=OUTBOX,
        changes=(
            ("\"updated_at = ? WHERE state = 'queued' AND id IN", '"updated_at = ? WHERE id IN'),
        ),
        by_model=True,
    ),
    Planted(
        name="claim: what is of unknown fate is taken too",
        file=OUTBOX,
        changes=(
            (
                "FROM message WHERE state = 'queued' \"\n            \"AND channel",
                "FROM message WHERE state IN ('queued', 'unknown') \"\n            \"AND channel",
            ),
            (
                "\"updated_at = ? WHERE state = 'queued' AND id IN",
                "\"updated_at = ? WHERE state IN ('queued', 'unknown') AND id IN",
            ),
        ),
    ),
    Planted(
        name="journal: sent before it is committed",
        file=DISPATCH,
        changes=(
            (
                "        for message in begun:\n            task",
                "        for message in ():\n            task",
            ),
            (
                "        # Only what leaves is paid for.\n",
                (
                    "        for message in begun:\n"
                    "            task = asyncio.create_task(self._send(message))\n"
                    "            self._in_flight.add(task)\n"
                    "            task.add_done_callback(self._in_flight.discard)\n"
                    "        await asyncio.sleep(0.05)\n"
                ),
            ),
        ),
    ),
    Planted(
        name="record: what ended is not written down",
        file=DISPATCH,
        changes=(
            ("        fell = await session.end_attempts(ended, now)\n", "        fell = False\n"),
        ),
    ),
    Planted(
        name="record: a dead process's messages are queued again",
        file=OUTBOX,
        changes=(
            (
                "\"UPDATE message SET state = 'unknown', unknowns",
                "\"UPDATE message SET state = 'queued', unknowns",
            ),
        ),
    ),
    Planted(
        name="dedupe: an event is new each time",
        file="notifier/flows/ingest.py",
        changes=(
            (
                "            new = await session.add_events(events, now)\n",
                (
                    "            await session.add_events(events, now)\n"
                    "            new = [True] * len(events)\n"
                ),
            ),
        ),
    ),
    Planted(
        name="dedupe: each attempt has a key of its own",
        file="gateways/http_sms/request.py",
        changes=(('"key": message.key,', '"key": f"{message.key}/{message.attempts}",'),),
    ),
    Planted(
        name="acknowledge: a question before its commit",
        file="notifier/flows/receive.py",
        changes=(
            (
                "from typing import TYPE_CHECKING\n\n",
                "import asyncio\nfrom typing import TYPE_CHECKING\n\n",
            ),
            (
                "        await self._group.all(incoming)",
                "        self._early = asyncio.ensure_future(self._group.all(incoming))",
            ),
        ),
    ),
    Planted(
        name="acknowledge: an event before its notices",
        file="notifier/flows/ingest.py",
        changes=(
            (
                "            messages = await self.take(session, fresh, now, places=places)\n",
                (
                    "        async with self._store.write() as session:\n"
                    "            messages = await self.take(session, fresh, now, places=places)\n"
                ),
            ),
        ),
    ),
    Planted(
        name="unknown: tried again as if it were proven not taken",
        file="notifier/domain/retry.py",
        changes=(
            (
                "return Verdict(state=State.UNKNOWN, reason=_said(outcome.code, outcome.detail))",
                "return _again(message, Temporary(code=outcome.code), now)",
            ),
        ),
    ),
    Planted(
        name="unknown: nobody is asked",
        file=SETTLE,
        changes=(
            (
                "            await session.add_work([work[id_] for id_ in work if id_ in still])\n",
                "",
            ),
        ),
    ),
    Planted(
        name="final: a late report reopens what has failed",
        file=OUTBOX,
        changes=(
            (
                "((message.state IN ('accepted', 'unknown')",
                "((message.state IN ('accepted', 'unknown', 'failed')",
            ),
        ),
        by_model=True,
    ),
    Planted(
        name="ladder: a report of the last channel ends the next one",
        file=OUTBOX,
        changes=(("reference.rung = message.rung AS own", "1 AS own"),),
        by_model=True,
    ),
    Planted(
        name="claim: two services begin the same",
        file=f"{POSTGRES}/outbox.py",
        changes=(
            (
                "f\"{self.locked('FOR UPDATE SKIP LOCKED')}) AS lane_{{}}\"",
                '") AS lane_{}"',
            ),
            (
                "f\"AND state = 'queued' ORDER BY id FOR UPDATE SKIP LOCKED), alive",
                'f"ORDER BY id FOR UPDATE), alive',
            ),
        ),
        store="postgres",
    ),
    Planted(
        name="durable: a commit does not wait for the standby",
        file=f"{POSTGRES}/store.py",
        changes=(('"synchronous_commit": "on"', '"synchronous_commit": "off"'),),
        store="failover",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant each fault, and say who noticed; 1 where one was not noticed."""
    parser = argparse.ArgumentParser(prog="python -m torture.planted", description=__doc__)
    parser.add_argument("--only", default="", help="the faults whose name holds this")
    parser.add_argument("--kills", type=int, default=60, help="for each fault (default 60)")
    parser.add_argument("--seconds", type=float, default=60, help="at most, for each (default 60)")
    given = parser.parse_args(arguments)
    missed = 0
    for fault in FAULTS:
        if given.only not in fault.name:
            continue
        noticed, said = _noticed(fault, given.kills, given.seconds)
        missed += not noticed
        print(f"{'noticed' if noticed else 'MISSED '}  {fault.name}: {said}", flush=True)
    return 1 if missed else 0


def _noticed(fault: Planted, kills: int, seconds: float) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        copy = Path(name)
        for folder in COPIED:
            skipped = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(ROOT / folder, copy / folder, ignore=skipped)
        shutil.copy(ROOT / "pyproject.toml", copy)
        plant(fault, copy)
        if fault.by_model:
            return _by_model(copy)
        return _by_torture(copy, fault.store, kills, seconds)


def plant(fault: Planted, copy: Path) -> None:
    """Make the changes; raises ``ValueError`` where the code is no longer what they replace."""
    path = copy / fault.file
    text = path.read_text(encoding="utf-8")
    for old, new in fault.changes:
        if text.count(old) != 1:
            raise ValueError(f"{fault.name}: {fault.file} no longer holds once: {old.strip()}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def _by_model(copy: Path) -> tuple[bool, str]:
    ran = _run(copy, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
               "tests/storage", "-k", "outbox or ladder")  # fmt: skip
    return ran.returncode == 1, ran.stdout.strip().splitlines()[-1]


def _by_torture(copy: Path, store: str, kills: int, seconds: float) -> tuple[bool, str]:
    ran = _run(copy, "-m", "torture", "--kills", str(kills), "--seconds", str(seconds),
               "--store", store)  # fmt: skip
    if ran.returncode != 1 or not ran.stdout:
        return False, ran.stderr.strip()[-300:]
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    said.pop("tally")
    return True, json.dumps(said)


def _run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
