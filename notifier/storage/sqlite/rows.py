"""One transaction's connection, and how a sequence becomes few statements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from notifier.storage.records import Records

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Iterable, Sequence

    import aiosqlite

    from notifier.storage.sealing import Sealer

ROWS_A_STATEMENT = 100
"""Rows in one VALUES list: each await costs a thread hop, and longer lists cost more to parse."""


class Rows(Records):
    """What the tables' modules share. ``owner``: who dispatches, where this process does."""

    def __init__(
        self, connection: aiosqlite.Connection, sealer: Sealer, owner: str | None = None
    ) -> None:
        super().__init__(sealer)
        self._connection = connection
        self._owner = owner

    async def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """One statement, all its rows."""
        return list(await self._connection.execute_fetchall(sql, parameters))

    async def insert(
        self, head: str, rows: Sequence[Sequence[Any]], tail: str = ""
    ) -> list[sqlite3.Row]:
        """``head`` VALUES rows ``tail``, in few statements; the rows that RETURNING gives."""
        given: list[sqlite3.Row] = []
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            chunk = rows[start : start + ROWS_A_STATEMENT]
            marks = "(" + ",".join("?" * len(chunk[0])) + ")"
            sql = f"{head} VALUES {','.join([marks] * len(chunk))} {tail}"
            given += await self.run(sql, [value for row in chunk for value in row])
        return given

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One prepared statement for each row, in one hop."""
        if rows:
            await self._connection.executemany(sql, rows)

    async def tables(self) -> dict[str, tuple[str, ...]]:
        """See ``copying.Rows``."""
        rows = await self.run(
            "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c "
            "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"
        )
        tables: dict[str, tuple[str, ...]] = {}
        for table, column in rows:
            tables[table] = (*tables.get(table, ()), column)
        return tables

    async def dump(
        self, table: str, columns: Sequence[str], size: int
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """See ``copying.Rows``."""
        async with self._connection.execute(f"SELECT {', '.join(columns)} FROM {table}") as cursor:
            while rows := await cursor.fetchmany(size):
                yield [tuple(row) for row in rows]

    async def load(
        self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """See ``copying.Rows``."""
        await self.insert(f"INSERT INTO {table} ({', '.join(columns)})", rows)

    @staticmethod
    def listed(values: Iterable[Any]) -> str:
        """Values for ``json_each(?)``."""
        return json.dumps(list(values))
