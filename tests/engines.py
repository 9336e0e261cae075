"""Open, empty stores of each engine, as the shared contract asks for them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from builders import NOW
from postgres_server import aside

from notifier.storage.postgres import PostgresStore
from notifier.storage.postgres.rows import CLOCK
from notifier.storage.sealing import Keys, Sealer
from notifier.storage.sqlite import MemoryStore, SqliteStore
from torture.cluster import fetch

if TYPE_CHECKING:
    from pathlib import Path

    from postgres_server import PostgresServer

    from notifier.storage.postgres.store import PostgresSession as Session

KEYS = Keys.fresh()

on_every_store = pytest.mark.parametrize("centre", ["sqlite", "postgres"], indirect=True)
"""A flow's test that runs over each engine."""


class SqliteEngine:
    """A store in a file of ``folder``."""

    takes_turns = True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notifier.db"
        self.store = self.make_store()
        self._others: list[SqliteStore] = []

    def make_store(self) -> SqliteStore:
        """As another process makes it, not opened."""
        return SqliteStore(self.path, Sealer(KEYS))

    async def another(self) -> SqliteStore:
        other = self.make_store()
        self._others.append(other)
        await other.open()
        return other

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.look(sql)

    async def now(self) -> int:
        return NOW

    async def later(self, span: int, session: Session | None = None) -> None:
        """It goes by what it is told."""

    def look(self, sql: str) -> list[tuple[Any, ...]]:
        """As ``rows``, for whoever can't await it."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql).fetchall()

    async def close(self) -> None:
        for store in (self.store, *self._others):
            await store.close()


class MemoryEngine(SqliteEngine):
    """A store in memory; what stands for another process opens the same files."""

    def __init__(self) -> None:
        self.store = MemoryStore(Sealer(KEYS))
        self.path = self.store.path
        self._others = []


class PostgresEngine:
    """A store in a database of its own."""

    takes_turns = False

    def __init__(self, server: PostgresServer, database: str) -> None:
        self.server = server
        self.database = database
        self.address = server.address(database)
        self.store = self.make_store()
        self._others: list[PostgresStore] = []

    @classmethod
    async def fresh(cls, server: PostgresServer) -> PostgresEngine:
        """Over a new database, opened."""
        engine = cls(server, await server.new_database())
        await engine.store.open()
        return engine

    def make_store(self, **options: Any) -> PostgresStore:
        """As another process makes it, not opened."""
        return PostgresStore(self.address, Sealer(KEYS), **options)

    async def another(self, **options: Any) -> PostgresStore:
        other = self.make_store(**options)
        self._others.append(other)
        await other.open()
        return other

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await fetch(self.address, sql)

    async def now(self) -> int:
        return int((await self.rows(f"SELECT {CLOCK}"))[0][0])

    async def later(self, span: int, session: Session | None = None) -> None:
        """The server's clock can't be moved, so what was noted by it is."""
        for table in ("rate", "spoken"):
            sql = f"UPDATE {table} SET at = at - {span}"
            await (session.run(sql) if session is not None else self.rows(sql))

    def look(self, sql: str) -> list[tuple[Any, ...]]:
        """As ``rows``, for whoever can't await it."""
        return aside(fetch(self.address, sql))

    async def close(self) -> None:
        for store in (self.store, *self._others):
            await store.close()

    async def give_back(self) -> None:
        """Close, and leave the database to the next test, empty."""
        await self.close()
        await self.server.give_back(self.database)
