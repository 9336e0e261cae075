"""A real PostgreSQL server for a session of tests, and a database of its own for each test."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from builders import until

from torture.cluster import Cluster, fetch

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

PRISTINE: Final = "pristine"
"""The database that each test's own is copied from: migrated, and empty."""


class PostgresServer(Cluster):
    """One cluster, whose databases are handed out."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()
        self._free: list[str] = []

    async def new_database(self) -> str:
        """An empty one, by name: a copy of the pristine one, or one that was given back."""
        if self._free:
            return self._free.pop()
        name = f"test_{next(self._numbers)}"
        await self.administer(f"CREATE DATABASE {name} TEMPLATE {PRISTINE}")
        return name

    async def give_back(self, name: str) -> None:
        """Empty it for the next test: copying one anew takes much longer on a slow disk."""
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"

        async def alone() -> bool:
            return await fetch(self.address(name), others) == [(1,)]

        await until(alone)
        tables = await fetch(
            self.address(name),
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' "
            "AND table_name <> 'store_version'",
        )
        deletes = "; ".join(f"DELETE FROM {table}" for (table,) in tables)
        await fetch(self.address(name), f"DO $$ BEGIN {deletes}; END $$")
        self._free.append(name)

    async def drop_database(self, name: str) -> None:
        """Whoever is still connected is cut off."""
        await self.administer(f"DROP DATABASE {name} WITH (FORCE)")


def aside(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work`` for whoever can't await it: in a thread with a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
