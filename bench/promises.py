"""``python -m bench.promises``: a store of made-up dossiers at the rates that provinces publish.

Fills it, times ``notifier report`` as a process of its own, and an answer beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from datetime import time as clock
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from notifier.bootstrap.core import Core, configure
from notifier.cli import running
from notifier.clock import FixedClock
from notifier.domain import instant, period, promise
from notifier.domain.dossier import UnitRef, apply
from notifier.domain.event import DEFAULT_STATUS, DossierEvent, EventType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation

RATES: Final = {"mixed": 0.9691, "province": 0.946, "below": 0.9977}
"""Kept: of 128,955 in eleven months; at the provincial level; below it."""

FIRST: Final = date(2026, 1, 5)
DAYS: Final = 210
"""Working days of receipt, most of eleven months."""
OPEN: Final = 0.02
SLICE: Final = 5_000
NOW: Final = instant.read_iso("2026-12-01T08:00:00")
FIELDS: Final = ("Đất đai", "Hộ tịch", "Đăng ký kinh doanh", "Xây dựng", "Chứng thực", "Lao động")


def dossiers(
    count: int, rates: str, calendar: WorkingCalendar, seed: int = 1
) -> Iterator[tuple[Dossier, bool]]:
    """Made-up dossiers, each with whether its promise was kept: the same at every run.

    ``rates``: one of ``RATES``, or ``published`` for both levels, each at its own.
    """
    chance = random.Random(seed)
    days = [FIRST]
    while len(days) < DAYS:
        days.append(calendar.after(days[-1], 1))
    due_days = {day: calendar.after(day, 5) for day in days}
    early_days = {day: calendar.after(day, 3) for day in days}
    late_days = {day: calendar.after(day, 7) for day in days}
    for number in range(count):
        day = days[number * DAYS // count]
        provincial = number % 3 == 0
        level = rates if rates != "published" else "province" if provincial else "below"
        kept = chance.random() < RATES[level]
        done = due_days[day] if chance.random() < 0.3 else early_days[day]
        finished = instant.at(done if kept else late_days[day], clock(10))
        if chance.random() < OPEN:
            finished = 0
        yield _dossier(number, day, due_days[day], finished, provincial), kept


def _dossier(number: int, day: date, due: date, finished: int, provincial: bool) -> Dossier:
    unit = number % 20 + 1 if provincial else number % 120 + 1
    name = f"Sở số {unit}" if provincial else f"UBND xã số {unit}"
    code = f"H19.{unit + 100 * provincial}-{day:%y%m%d}-{number:07}"
    received = instant.at(day, clock(9))
    field = number % len(FIELDS)
    events: list[tuple[EventType, int, dict[str, Any]]] = [
        (
            EventType.RECEIVED,
            received,
            {
                "unit": UnitRef(code=f"{'S' if provincial else 'X'}{unit}", name=name),
                "procedure_code": f"1.{number % 40:06}",
                "procedure_name": f"Thủ tục số {number % 40}",
                "procedure_field": FIELDS[field],
                "received_at": received,
                "due_at": instant.at(due, clock(17)),
                "applicant_phone": f"09{number:08}",
            },
        )
    ]
    if finished:
        events.append((EventType.FINISHED, finished, {"finished_at": finished}))
    found: Dossier | None = None
    for kind, at, said in events:
        event = DossierEvent(
            id=f"{number}-{kind}",
            source="/bench",
            type=kind,
            code=code,
            code_raw=code,
            time=at,
            carried={"status": DEFAULT_STATUS[kind], **said},
        )
        found = apply(found, event, now=at)
    assert found is not None
    return found


async def fill(core: Core, count: int, rates: str) -> Counter[str]:
    """Write them as the service does, many at once; what a count of each by itself gives."""
    counted: Counter[str] = Counter()
    installation: Installation = core.installation
    calendar = installation.calendars[installation.calendar]
    batch: list[Dossier] = []

    async def write() -> None:
        promises = [promise.of(dossier, installation) for dossier in batch]
        places = {one.place.id: one.place for one in promises}
        async with core.store.write() as session:
            await session.put_dossiers(batch, NOW)
            await session.put_promises(promises, list(places.values()))
        batch.clear()

    for dossier, kept in dossiers(count, rates, calendar):
        counted["done"] += dossier.status == 9
        counted["kept"] += dossier.status == 9 and kept
        batch.append(dossier)
        if len(batch) == SLICE:
            await write()
            print(f"\r{counted['done']:,} finished", end="", file=sys.stderr)
    await write()
    print(file=sys.stderr)
    return counted


async def _answers(core: Core, until: asyncio.Event) -> list[float]:
    """Ms that a look at one dossier's state takes, one after the other, while something goes on."""
    took: list[float] = []
    codes = [dossier.code for dossier, _ in dossiers(50, "mixed", _calendar(core))]
    while not until.is_set():
        begun = time.perf_counter()
        async with core.store.write() as session:
            await session.dossiers([codes[len(took) % len(codes)]])
        took.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(0.002)
    return took


def _calendar(core: Core) -> WorkingCalendar:
    return core.installation.calendars[core.installation.calendar]


async def _beside(core: Core, work: asyncio.Task[Any] | None, seconds: float) -> list[float]:
    end = asyncio.Event()
    answers = asyncio.create_task(_answers(core, end))
    if work is None:
        await asyncio.sleep(seconds)
    else:
        await work
    end.set()
    return await answers


def _said(what: str, took: list[float]) -> str:
    cuts = quantiles(took, n=100)
    return f"{what:<34}p50 {cuts[49]:6.2f} ms   p99 {cuts[98]:6.2f} ms   of {len(took)}"


async def measure(count: int, rates: str) -> None:
    """Fill, count, and print."""
    core = Core(configure(gateways=False), FixedClock(NOW))
    await core.store.open()
    try:
        begun = time.perf_counter()
        counted = await fill(core, count, rates)
        print(f"filled {count:,} in {time.perf_counter() - begun:.1f} s")
        wanted = counted["kept"] / counted["done"]
        print(f"kept, counted one by one: {counted['kept']:,} of {counted['done']:,}, {wanted:.4%}")
        for by in ([], ["level"], ["unit"], ["month"], ["level", "unit", "field", "month"]):
            print(_timed(by))
        print(_said("an answer's look, idle", await _beside(core, None, 3)))
        command = [sys.executable, "-m", "notifier", "report", "--by", "unit", "--json"]
        command += ["--now", instant.iso(NOW)]
        beside = asyncio.create_task(_process(command))
        print(_said("beside the command", await _beside(core, beside, 0)))
        inside = asyncio.create_task(_inside(core))
        print(_said("beside a digest in the process", await _beside(core, inside, 0)))
    finally:
        await core.store.close()


async def _process(command: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    assert await process.wait() == 0


async def _inside(core: Core) -> None:
    await core.digest(()).text(period.last_over(period.Span.MONTH, NOW))


def _timed(by: list[str]) -> str:
    options = [word for name in by for word in ("--by", name)]
    begun = time.perf_counter()
    ran = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "notifier", "report", *options, "--json", "--now", instant.iso(NOW)],
        stdout=subprocess.PIPE,
        check=True,
    )
    took = time.perf_counter() - begun
    lines = ran.stdout.splitlines()
    total = json.loads(lines[-1])
    return (
        f"report by {', '.join(by) or 'nothing':<30} {took:5.2f} s, {len(lines):,} lines, "
        f"{total['kept']:,} of {total['done']:,} kept, {total['share']:.4%}"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.promises", description=__doc__)
    parser.add_argument("--dossiers", type=int, default=1_000_000)
    parser.add_argument("--rates", choices=[*RATES, "published"], default="published")
    parser.add_argument("--store", default="", help="an address; else a file that is thrown away")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notifier-bench-") as name:
        os.environ["NOTIFIER_STORE"] = given.store or f"sqlite:///{Path(name)}/notifier.db"
        os.environ["NOTIFIER_LOG__LEVEL"] = "error"
        running.run(measure(given.dossiers, given.rates))


if __name__ == "__main__":
    main()
