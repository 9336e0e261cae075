"""One transaction's connection, and how a sequence becomes one statement: as arrays."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from notifier.errors import StoreConflictError, StoreError
from notifier.storage.records import Records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from notifier.storage.sealing import Sealer

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What the driver raises; no answer in time is an ``OSError`` too."""

INTEGERS: Final = frozenset(
    {
        "at", "attempts", "best_before", "created_at", "due_at", "ended_at", "faults", "first_at",
        "first_due_at", "first_seen_at", "guesses", "keep_accents", "lane", "late", "late_days",
        "level", "month", "moved", "new_due_at", "not_before", "number", "opened_at", "part",
        "place", "received_at", "recipients", "refused", "released", "released_row", "row", "rung",
        "score", "segments", "settled_at", "signed_at", "spent", "started_at", "time", "told_at",
        "units", "unknowns", "until", "updated_at", "used_at", "verdict",
    }
)  # fmt: skip
"""Columns that hold integers wherever they stand; those of a dossier's state are told apart."""

COUNTED: Final = "quarantine"
"""The one table whose rows the server numbers."""

NUL: Final = "\x00"
"""PostgreSQL takes no such character in a text; it is kept as U+FFFD, and found by it too."""

ONCE: Final = "ON CONFLICT DO NOTHING"

CLOCK: Final = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
"""The server's clock (ms), by which leases go: the one clock that all processes share."""


class Rows(Records):
    """What the tables' modules share. ``writes``: whether rows may be locked."""

    def __init__(self, connection: Connection, sealer: Sealer, lease: int, *, writes: bool) -> None:
        super().__init__(sealer)
        self._connection = connection
        self._lease = lease
        self._writes = writes

    async def run(self, sql: str, *parameters: Any) -> list[asyncpg.Record]:
        """One statement, all its rows."""
        with told():
            return list(await self._connection.fetch(sql, *map(plain, parameters)))

    async def insert(
        self, table: str, columns: str, rows: Sequence[tuple[Any, ...]], tail: str = ""
    ) -> list[asyncpg.Record]:
        """Insert ``rows`` of ``columns`` in one statement; the rows that RETURNING gives."""
        if not rows:
            return []
        names = columns.split(", ")
        arrays = ", ".join(f"${n}::{kind(table, name)}[]" for n, name in enumerate(names, start=1))
        sql = f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}) {tail}"
        return await self.run(sql, *columns_of(rows))

    async def tables(self) -> dict[str, tuple[str, ...]]:
        """See ``copying.Rows``."""
        rows = await self.run(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
        )
        tables: dict[str, tuple[str, ...]] = {}
        for table, column in rows:
            tables[table] = (*tables.get(table, ()), column)
        return tables

    async def dump(
        self, table: str, columns: Sequence[str], size: int
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """See ``copying.Rows``."""
        names = ", ".join(columns)
        with told():
            cursor = await self._connection.cursor(f"SELECT {names} FROM {table}")
            while rows := await cursor.fetch(size):
                yield [tuple(row) for row in rows]

    async def load(
        self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """See ``copying.Rows``."""
        await self.insert(table, ", ".join(columns), list(rows))
        if table == COUNTED:
            await self.run(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )

    async def lock(self, names: Sequence[str]) -> None:
        """Hold names until the transaction ends; in one order, so that no two wait crosswise."""
        keys = sorted({self._lock_key(name) for name in names})
        if keys:
            await self.run("SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) key", keys)

    async def lock_free(self, names: Sequence[str]) -> set[str]:
        """As ``lock``, but waits for nobody: those names that no other transaction holds."""
        keys = {name: self._lock_key(name) for name in names}
        rows = await self.run(
            "SELECT key FROM unnest($1::bigint[]) key WHERE pg_try_advisory_xact_lock(key)",
            sorted(set(keys.values())),
        )
        free = {key for (key,) in rows}
        return {name for name, key in keys.items() if key in free}

    def _lock_key(self, name: str) -> int:
        return int.from_bytes(self._sealer.digest(name)[:8], signed=True)

    def locked(self, how: str) -> str:
        """``how`` rows are locked, where this transaction may."""
        return how if self._writes else ""


def columns_of(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows turned into columns."""
    return [list(column) for column in zip(*rows, strict=True)]


def kind(table: str, column: str) -> str:
    """The type of a column, by its name."""
    if column.endswith(("_hash", "_sealed")):
        return "bytea"
    if column in INTEGERS or (table, column) in {("dossier", "status"), (COUNTED, "id")}:
        return "bigint"
    return "text"


def plain(value: Any) -> Any:
    """A parameter without the character that PostgreSQL refuses."""
    if isinstance(value, str):
        return value.replace(NUL, "\ufffd") if NUL in value else value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@contextmanager
def told() -> Iterator[None]:
    """What the driver raises, as errors of ours."""
    try:
        yield
    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
        raise StoreConflictError(
            "another transaction was in the way, and this one was undone. Try it again."
        ) from error
    except FAILURES as error:
        raise StoreError(f"the store does not do it: {sentence(error)}.") from error


def sentence(error: Exception) -> str:
    """What went wrong, without the rows and values that a server adds for its operator."""
    if isinstance(error, asyncpg.PostgresError) and error.args:
        return str(error.args[0])
    return str(error) or type(error).__name__
