"""Files of a source: JSON, one push a line, CSV, Excel. Each item with the place it stands in."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from notifier.errors import EventError, InputError
from notifier.knowledge_files import csv_rows, table_rows
from notifier.sources.reading import Arrival
from notifier.sources.tables import EXCEL, sheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.knowledge_files import Row
    from notifier.ports import Quarantined
    from notifier.sources.reading import Reader

CSV: Final = frozenset({".csv"})

TOO_MANY: Final = "columns too many"
"""What ``knowledge_files`` calls cells without a heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One item of a file. ``place``: ``line 12, record 3``; ``done``: how far the file is read."""

    place: str
    item: DossierEvent | Quarantined
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The items of a file; ``total`` is what ``done`` of the last one comes to."""

    total: int
    parts: Iterator[Part]


def open_file(path: Path, reader: Reader, now: Instant) -> Contents:
    """The items of ``path``, read as they are asked for.

    They arrived when the file was written, so that the same file is the same items. Raises
    ``InputError`` where it can't be read as a whole, also from the iterator.
    """
    suffix = path.suffix.lower()
    try:
        status = path.stat()
        arrived = min(status.st_mtime_ns // 1_000_000, now)
        if suffix in EXCEL:
            lines = sheet(path)
            rows = table_rows(
                (i, [_cell(cell) for cell in line]) for i, line in enumerate(lines, 1)
            )
            return Contents(total=len(lines), parts=_rows(rows, path, reader, arrived))
        if suffix in CSV:
            text = path.read_text("utf-8-sig")
            count = text.count("\n") + 1
            return Contents(total=count, parts=_rows(csv_rows(text), path, reader, arrived))
        return Contents(total=status.st_size, parts=_json(path, reader, arrived))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8; save it as CSV UTF-8, or as Excel") from None


def _json(path: Path, reader: Reader, arrived: Instant) -> Iterator[Part]:
    """One push a line, or one document: it is lines where the first of them stands alone."""
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"")
        file.seek(0)
        if not first:
            raise InputError(f"{path} is empty")
        lines = enumerate(file, 1) if _stands_alone(first) else iter([(0, file.read())])
        place = done = 0
        for number, line in lines:
            done += len(line)
            body = line.removeprefix(b"\xef\xbb\xbf").strip()
            if not body:
                continue
            items = reader.read(body, Arrival(at=arrived, place=place))
            place += len(items)
            for i, item in enumerate(items, 1):
                words = [f"line {number}"] if number else []
                words += [f"record {i}"] if len(items) > 1 or not words else []
                yield Part(place=", ".join(words), item=item, done=done)


def _stands_alone(line: bytes) -> bool:
    """A first line that is no JSON is a document's, where it begins as one."""
    bare = line.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        msgspec.json.decode(bare)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return not bare.startswith((b"{", b"[")) or len(bare) > 1_000
    return True


def _rows(rows: Iterator[Row], path: Path, reader: Reader, arrived: Instant) -> Iterator[Part]:
    for place, row in enumerate(_readable(rows, path)):
        if place == 0 and (column := reader.lacking(row.cells)):
            raise InputError(
                f'{path} has no column "{column}"; its heading or the source\'s map is another'
            )
        at = Arrival(at=arrived, place=place)
        item: DossierEvent | Quarantined
        if TOO_MANY in row.cells:
            error = EventError("", "the line has more cells than the heading")
            raw = msgspec.json.encode(dict(row.cells))
            item = reader.unreadable(raw, error, arrived)
        else:
            item = reader.read_row(row.cells, at)
        yield Part(place=f"line {row.number}", item=item, done=row.number)


def _readable(rows: Iterator[Row], path: Path) -> Iterator[Row]:
    try:
        yield from rows
    except csv.Error as error:
        raise InputError(f"{path} can't be read as CSV: {error}") from None


def _cell(value: Any) -> str:
    """A cell as a source writes it in JSON; a day without an hour stays one."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)
