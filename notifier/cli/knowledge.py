"""``notifier knowledge import`` and ``knowledge check``"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from notifier import knowledge_files, settings, unit_files
from notifier.bootstrap.core import configure
from notifier.cli import running
from notifier.domain.text import fold
from notifier.errors import InputError
from notifier.knowledge_files import csv_rows, table_rows
from notifier.sources.tables import EXCEL, sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from notifier.domain.knowledge import Procedure
    from notifier.errors import Fault
    from notifier.knowledge_files import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table to write; ``gone``: codes that stood in the file before."""

    target: Path
    codes: tuple[str, ...]
    text: str
    gone: tuple[str, ...] = ()


def take(folder: Path | None, file: Path, kind: str) -> None:
    """Write the configuration folder's table from ``file``; nothing where a row is at fault."""
    own = settings.named_folder(folder)
    if own is None or not own.is_dir():
        raise InputError(
            "there is no configuration folder to write to; name yours with --config DIR or "
            "NOTIFIER_CONFIG"
        )
    rows = _excel_rows(file) if file.suffix.lower() in EXCEL else csv_rows(_text(file))
    read = _units if kind == "units" else _procedures
    table, faults = read(rows, str(file), own)
    for fault in faults:
        running.say(str(fault))
    if faults:
        running.say(f"{len(faults)} fault(s); nothing was written.")
        sys.exit(1)
    if not table.codes:
        raise InputError(f"{file} lists no {kind}; nothing was written")
    _replace(table.target, table.text)
    running.say(
        f"{len(table.codes)} {kind} in {table.target}; a running service reads them at its start."
    )
    if table.gone:
        running.say(f"No longer among them: {', '.join(table.gone)}.")


def _procedures(rows: Iterable[Row], file: str, own: Path) -> tuple[_Table, list[Fault]]:
    procedures, faults = knowledge_files.read_procedures(rows, file)
    table = _Table(
        target=own / knowledge_files.PROCEDURES,
        codes=tuple(each.code for each in procedures),
        text=knowledge_files.written(procedures),
    )
    return table, faults


def _units(rows: Iterable[Row], file: str, own: Path) -> tuple[_Table, list[Fault]]:
    files = settings.Files(own)
    units, faults = unit_files.read_units(rows, file, files)
    target = own / unit_files.UNITS
    codes = tuple(each.code for each in units)
    before = files.toml(target).get("unit", ()) if target.is_file() else ()
    listed = [str(unit.get("code", "")) for unit in before if isinstance(unit, dict)]
    gone = tuple(code for code in listed if code not in codes)
    return _Table(target=target, codes=codes, text=unit_files.written(units), gone=gone), faults


def check(folder: Path | None) -> None:
    """What is known; exit code 2 with every fault where the files can't be used."""
    installation = configure(folder, gateways=False).installation
    known = installation.knowledge
    running.say(f"{len(known.procedures)} procedure(s), {len(known.topics)} topic(s).")
    if known.procedures:
        oldest = min(known.procedures, key=lambda each: each.as_of)
        running.say(f"The oldest was checked on {oldest.as_of:%d/%m/%Y}: {oldest.code}.")
    units = installation.units.all
    bare = sorted(unit.code for unit in units if not (unit.address and unit.hours))
    running.say(f"{len(units)} unit(s), {len(bare)} of them without an address or hours.")
    if bare:
        running.say(f"For these the office's are told: {', '.join(bare)}.")
    for codes in _alike(known.procedures):
        running.say(f"People can't tell these apart by their titles: {', '.join(codes)}.")


def _alike(procedures: Sequence[Procedure]) -> Iterator[list[str]]:
    """The codes of procedures that share a name."""
    codes: dict[str, list[str]] = defaultdict(list)
    for each in procedures:
        for name in {fold(name) for name in (each.name, *each.also)}:
            codes[name].append(each.code)
    yield from (sharing for sharing in codes.values() if len(sharing) > 1)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file} can't be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8; save it as CSV UTF-8, or as Excel") from None


def _excel_rows(file: Path) -> Iterator[Row]:
    """The first sheet of a workbook; numbers and days as people see them."""
    lines = sheet(file)
    yield from table_rows(
        (number, [_cell(cell) for cell in line]) for number, line in enumerate(lines, start=1)
    )


def _cell(value: object) -> str:
    match value:
        case float() if value.is_integer():
            return str(int(value))
        case float():
            return f"{value:.6f}"  # a procedure's code that was typed as a number
        case date():
            return value.isoformat()[:10]
        case _:
            return str(value)


def _replace(target: Path, text: str) -> None:
    """The whole new file or the whole old one, whatever happens on the way."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - a descriptor
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
