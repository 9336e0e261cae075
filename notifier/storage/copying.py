"""A store copied into an empty one of any engine, table by table, and compared row by row."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Protocol

from notifier.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

PASSING: Final = frozenset({"lease", "process", "rate", "spoken", "store_version"})
"""Tables that say who runs now, and what left just now; they go by a clock of the store's own."""

BATCH: Final = 2_000
"""Rows that are read and written at once."""


class Rows(Protocol):
    """The rows of a transaction, as they are kept: sealed values stay sealed."""

    async def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of every table, by its name."""

    def dump(
        self, table: str, columns: Sequence[str], size: int
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """All rows of a table, ``size`` at a time."""

    async def load(
        self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Write rows into a table."""


class Copied(Protocol):
    """A store that can be copied, or copied into."""

    def read(self) -> AbstractAsyncContextManager[Rows]:
        """One consistent view."""

    def write(self) -> AbstractAsyncContextManager[Rows]:
        """One transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a table holds: how many rows, and a sum of their digests that knows no order."""

    rows: int = 0
    digest: int = 0

    def with_rows(self, rows: Sequence[tuple[Any, ...]]) -> Content:
        """The content with more rows."""
        return Content(
            rows=self.rows + len(rows), digest=(self.digest + sum(map(_digest, rows))) % 2**128
        )


async def copy(source: Copied, target: Copied, progress: Callable[[str, int], None]) -> int:
    """Copy all rows in one transaction, and compare what arrived; how many rows.

    ``progress`` hears each table and how many of its rows are written. The source may be in use:
    it is read as it stood at one moment. Raises ``StoreError`` where the target is not empty, or
    does not hold what was read.
    """
    async with source.read() as reading, target.write() as writing:
        tables = {
            name: columns
            for name, columns in (await reading.tables()).items()
            if name not in PASSING
        }
        await _refuse_unlike(tables, writing)
        read = {}
        for name, columns in tables.items():
            read[name] = await _copy_table(reading, writing, name, columns, progress)
    async with target.read() as reading:
        for name, columns in tables.items():
            arrived = await _content(reading, name, columns)
            if arrived != read[name]:
                raise StoreError(
                    f"of table {name} {read[name].rows} rows were read and {arrived.rows} stand in "
                    "the copy, or they differ. Do not use the copy; make it anew."
                )
    return sum(content.rows for content in read.values())


async def _refuse_unlike(tables: dict[str, tuple[str, ...]], writing: Rows) -> None:
    there = await writing.tables()
    for name, columns in tables.items():
        if set(there.get(name, ())) != set(columns):
            raise StoreError(
                f"the two stores differ in table {name}: one of them is of another version. Start "
                "the newest program once on each."
            )
        async for rows in writing.dump(name, columns, 1):
            if rows:
                raise StoreError(f"table {name} of the target is not empty. Name an empty store.")


async def _copy_table(
    reading: Rows,
    writing: Rows,
    name: str,
    columns: Sequence[str],
    progress: Callable[[str, int], None],
) -> Content:
    content = Content()
    async for rows in reading.dump(name, columns, BATCH):
        await writing.load(name, columns, rows)
        content = content.with_rows(rows)
        progress(name, content.rows)
    return content


async def _content(reading: Rows, name: str, columns: Sequence[str]) -> Content:
    content = Content()
    async for rows in reading.dump(name, columns, BATCH):
        content = content.with_rows(rows)
    return content


def _digest(row: tuple[Any, ...]) -> int:
    """Of a row in any engine's values; PostgreSQL keeps U+FFFD where SQLite keeps NUL."""
    plain = [value.replace("\x00", "\ufffd") if isinstance(value, str) else value for value in row]
    return int.from_bytes(blake2b(repr(plain).encode(), digest_size=16).digest(), "big")
