"""What a run found, as a table for people and a JSON object for the record."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LIBRARIES: Final = ("motcua-notifier", "aiohttp", "aiosqlite", "msgspec", "cryptography", "uvloop")
SYNC_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured thing. ``met`` is None where there is no goal, or its peer was not measured."""

    goal: str
    what: str
    value: float
    unit: str
    ratio: float | None = None
    """To the peer of the same run."""
    wanted: str = ""
    met: bool | None = None
    processor_us: float | None = None
    """What one took of the server's processor time: steadier than a rate on a busy machine."""
    note: str = ""


def report(figures: Sequence[Figure]) -> str:
    """The table, and the JSON object as its last line."""
    rows = [("goal", "what", "value", "ratio", "wanted", "met", "processor", "")]
    rows += [
        (
            figure.goal,
            figure.what,
            f"{figure.value:,.{0 if figure.value >= 100 else 1}f} {figure.unit}",
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.wanted,
            {True: "yes", False: "NO", None: "-"}[figure.met],
            "" if figure.processor_us is None else f"{figure.processor_us:,.0f} µs each",
            figure.note,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*table, json.dumps(record(figures), ensure_ascii=False)])


def record(figures: Sequence[Figure]) -> dict[str, Any]:
    """One JSON object: on what it was measured, with what, and what was found."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "versions": versions(),
        "goals": [asdict(figure) for figure in figures],
    }


def machine() -> dict[str, Any]:
    """What a figure depends on most."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    names = [
        line.partition(":")[2].strip() for line in cpuinfo.splitlines() if "model name" in line
    ]
    return {
        "system": platform.platform(),
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_average": os.getloadavg()[0],
        "store_on": tempfile.gettempdir(),
        "fdatasync_per_s": round(syncs_a_second()),
    }


def versions() -> dict[str, str]:
    """Of what the service stands on."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def syncs_a_second() -> float:
    """How often 4 KiB reach the disk where the store lies; a commit can't be faster."""
    count, until = 0, time.perf_counter() + SYNC_SECONDS
    with tempfile.TemporaryFile() as file:
        while time.perf_counter() < until:
            os.pwrite(file.fileno(), bytes(4096), 4096 * (count % 256))
            os.fdatasync(file.fileno())
            count += 1
    return count / SYNC_SECONDS
