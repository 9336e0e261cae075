"""Connections, transactions, migrations, and who dispatches."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import asyncpg

from notifier.domain import instant
from notifier.errors import StoreError
from notifier.storage.address import masked
from notifier.storage.migrations import lacking
from notifier.storage.postgres.apologies import ApologyRows
from notifier.storage.postgres.bindings import BindingRows
from notifier.storage.postgres.broadcasts import BroadcastRows
from notifier.storage.postgres.dossiers import DossierRows
from notifier.storage.postgres.outbox import OutboxRows
from notifier.storage.postgres.people import PeopleRows
from notifier.storage.postgres.promises import PromiseRows
from notifier.storage.postgres.rates import RateRows
from notifier.storage.postgres.rows import CLOCK, FAILURES, sentence, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from notifier.storage.postgres.rows import Connection
    from notifier.storage.sealing import Sealer

PACKAGE: Final = "notifier.storage.postgres"

CONNECTIONS: Final = 8
"""Of one process, at most; who needs one more waits."""

CONNECT: Final = 10.0
"""Seconds to connect, and to wait for a free connection beyond those of a statement."""

STATEMENT: Final = 30_000
"""Ms that the server works on a statement, waiting for others included."""

IDLE: Final = 60_000
"""Ms after which the server ends a transaction whose process says nothing more."""

NO_ANSWER: Final = 45.0
"""Seconds without an answer after which the server counts as gone."""

LEASE: Final = 60 * instant.SECOND
"""How long a process counts as alive after it was last heard of (ms, the server's clock)."""

FORGOTTEN: Final = instant.DAY
"""How long the name of a dead process is kept (ms)."""

WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

MIGRATING: Final = 7_214_002
"""The advisory lock of whoever migrates; names are held by 64-bit ones, this one is of two."""


class PostgresSession(
    DossierRows,
    PromiseRows,
    OutboxRows,
    RateRows,
    PeopleRows,
    BindingRows,
    BroadcastRows,
    ApologyRows,
):
    """All tables in one transaction."""


class PostgresStore:
    """A Store in a PostgreSQL database. Any number of processes may do anything at once."""

    def __init__(self, address: str, sealer: Sealer, *, lease: int = LEASE) -> None:
        """``address`` is ``postgresql://user:password@host/database``; ``lease`` in ms."""
        self._address = address
        self._name = masked(address)
        self._sealer = sealer
        self._lease = lease
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._owner = ""
        self._heart: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and migrate; several processes may do so at once."""
        try:
            self._pool = await asyncpg.create_pool(
                self._address,
                min_size=1,
                max_size=CONNECTIONS,
                timeout=CONNECT,
                command_timeout=NO_ANSWER,
                statement_cache_size=200,
                reset=_nothing,
                server_settings={
                    "application_name": "motcua-notifier",
                    "statement_timeout": str(STATEMENT),
                    "idle_in_transaction_session_timeout": str(IDLE),
                    "synchronous_commit": "on",
                    "jit": "off",
                },
            )
            async with self._transaction(WRITE) as connection:
                await self._migrate(connection)
        except StoreError:
            await self.close()
            raise
        except FAILURES as error:
            await self.close()
            raise StoreError(self._not_opened(sentence(error))) from error
        except (ValueError, TypeError):  # said of the address, and it may quote the password
            await self.close()
            raise StoreError(self._not_opened("the address can't be read")) from None

    async def close(self) -> None:
        """Close every connection; as a dispatcher it is gone at once, not when its lease ends."""
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.wait([self._heart])
            self._heart = None
            with suppress(StoreError):
                async with self.write() as session:
                    await session.run("DELETE FROM process WHERE owner = $1", self._owner)
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), CONNECT)
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[PostgresSession]:
        """One transaction; what depends on what it has read is held or checked by its methods."""
        async with self._transaction(WRITE) as connection:
            yield PostgresSession(connection, self._sealer, self._lease, writes=True)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[PostgresSession]:
        """One consistent view."""
        async with self._transaction(READ) as connection:
            yield PostgresSession(connection, self._sealer, self._lease, writes=False)

    async def dispatch_alone(self, owner: str) -> None:
        """Any number may dispatch: this one says that it is alive, until it is closed or dies."""
        async with self.write() as session:
            await session.run("DELETE FROM process WHERE until < " + CLOCK + " - $1", FORGOTTEN)
        await self._renew(owner)
        self._owner = owner
        self._heart = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._lease / instant.SECOND / 6)
            with suppress(StoreError):  # the next beat may get through; if none does, we are dead
                await self._renew(self._owner)

    async def _renew(self, owner: str) -> None:
        async with self.write() as session:
            await session.run(
                f"INSERT INTO process (owner, until) VALUES ($1, {CLOCK} + $2) "
                "ON CONFLICT (owner) DO UPDATE SET until = excluded.until",
                owner,
                self._lease,
            )

    def _opened(self) -> asyncpg.Pool[asyncpg.Record]:
        if self._pool is None:
            raise StoreError(f"the store {self._name} is not open")
        return self._pool

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[Connection]:
        pool = self._opened()
        with told():
            connection = await self._begun(pool, begin)
        try:
            yield connection
            with told():
                done = await connection.execute("COMMIT")
            if done != "COMMIT":
                raise StoreError("a statement failed, so nothing of its transaction is kept")
        finally:
            await asyncio.shield(self._give_back(pool, connection))

    async def _begun(self, pool: asyncpg.Pool[asyncpg.Record], begin: str) -> Connection:
        """A connection in a transaction; where the server has left those we had, a new one."""
        for last in (False, True):
            connection = await pool.acquire(timeout=CONNECT + STATEMENT / instant.SECOND)
            try:
                await connection.execute(begin)
            except BaseException as error:
                await asyncio.shield(self._give_back(pool, connection))
                if last or not isinstance(error, FAILURES):
                    raise
                await pool.expire_connections()
            else:
                return connection
        raise AssertionError

    @staticmethod
    async def _give_back(pool: asyncpg.Pool[asyncpg.Record], connection: Connection) -> None:
        """Undo what is open. A connection that does not answer is replaced by the pool."""
        with suppress(*FAILURES):
            try:
                if connection.is_in_transaction():
                    await connection.execute("ROLLBACK", timeout=CONNECT)
            except FAILURES:
                connection.terminate()
            await pool.release(connection, timeout=CONNECT)

    async def _migrate(self, connection: Connection) -> None:
        """Apply the numbered files above the store's version, one process at a time."""
        with told():
            await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", MIGRATING)
            encoding = await connection.fetchval("SHOW server_encoding")
            if encoding != "UTF8":
                raise StoreError(
                    f"the store {self._name} is encoded as {encoding}. Make its database anew with "
                    "ENCODING 'UTF8'."
                )
            version = 0
            if await connection.fetchval("SELECT to_regclass('store_version') IS NOT NULL"):
                version = await connection.fetchval("SELECT version FROM store_version")
            for number, script in lacking(PACKAGE, version, self._name):
                await connection.execute(script)
                await connection.execute("UPDATE store_version SET version = $1", number)

    def _not_opened(self, why: str) -> str:
        return (
            f"the store {self._name} can't be opened: {why}. Look whether the server runs and lets "
            "this user in, or name another store with NOTIFIER_STORE."
        )


async def _nothing(_: Connection) -> None:
    """No session keeps anything but its transaction: there is nothing to reset, at no cost."""
