"""``notifier knowledge import`` and ``knowledge check``"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from notifier import settings
from notifier.bootstrap.core import configure
from notifier.cli import running
from notifier.domain.text import fold
from notifier.errors import InputError
from notifier.knowledge_files import PROCEDURES, csv_rows, read_procedures, table_rows, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from notifier.domain.knowledge import Procedure
    from notifier.knowledge_files import Row

EXCEL: Final = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})


def take(folder: Path | None, file: Path, kind: str) -> None:
    """Write the configuration folder's table from ``file``; nothing where a row is at fault."""
    own = settings.named_folder(folder)
    if own is None or not own.is_dir():
        raise InputError(
            "there is no configuration folder to write to; name yours with --config DIR or "
            "NOTIFIER_CONFIG"
        )
    rows = _excel_rows(file) if file.suffix.lower() in EXCEL else csv_rows(_text(file))
    procedures, faults = read_procedures(rows, str(file))
    for fault in faults:
        running.say(str(fault))
    if faults:
        running.say(f"{len(faults)} fault(s); nothing was written.")
        sys.exit(1)
    if not procedures:
        raise InputError(f"{file} lists no {kind}; nothing was written")
    target = own / PROCEDURES
    _replace(target, written(procedures))
    running.say(f"{len(procedures)} {kind} in {target}; a running service reads them at its start.")


def check(folder: Path | None) -> None:
    """What is known; exit code 2 with every fault where the files can't be used."""
    known = configure(folder, gateways=False).installation.knowledge
    running.say(f"{len(known.procedures)} procedure(s), {len(known.topics)} topic(s).")
    if known.procedures:
        oldest = min(known.procedures, key=lambda each: each.as_of)
        running.say(f"The oldest was checked on {oldest.as_of:%d/%m/%Y}: {oldest.code}.")
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
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise InputError(
            "Excel can't be read here; install motcua-notifier[excel], or save it as CSV UTF-8"
        ) from None
    try:
        sheet = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0)
        lines = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise InputError(f"{file} can't be read ({error})") from None
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
