"""The store as a parameter: what the torture does to one beside the contract, an engine at a time.

A further engine is a class like ``Sqlite`` and a line in ``ENGINES``.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import asyncpg

from notifier import ticks
from notifier.storage.postgres import store as postgres_store
from notifier.storage.sqlite import store as sqlite_store
from torture.cluster import USER, Cluster, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

PATIENCE: Final = 250
"""Ms that a statement of the service waits for a lock here: a lock longer than that is a fault."""

LEASE: Final = 1_500
"""Ms after which a killed service is known to be dead, where the store goes by leases."""

NOT_A_BYTE: Final = 4_096
"""A file that may not be larger than this can't take a page of a store any more."""

SQLITE_HISTORY: Final = (
    "CREATE TABLE torture_history (message TEXT, old TEXT, new TEXT)",
    (
        "CREATE TRIGGER torture_moved AFTER UPDATE OF state ON message WHEN old.state <> new.state "
        "BEGIN INSERT INTO torture_history VALUES (old.id, old.state, new.state); END"
    ),
)

POSTGRES_HISTORY: Final = """
CREATE TABLE torture_history (
    number BIGINT GENERATED ALWAYS AS IDENTITY, message TEXT, was TEXT, is_now TEXT
);
CREATE FUNCTION torture_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO torture_history (message, was, is_now) VALUES (old.id, old.state, new.state);
    RETURN NULL;
END $$;
CREATE TRIGGER torture_moved AFTER UPDATE OF state ON message FOR EACH ROW
    WHEN (old.state <> new.state) EXECUTE FUNCTION torture_moved();
"""


class EngineUnderTest(Protocol):
    """One store of one round."""

    address: str
    """What NOTIFIER_STORE says."""
    can_promote: bool
    """Whether it has a standby."""
    can_share: bool
    """Whether several services may dispatch from it at once."""

    def close(self) -> None:
        """The round is over; called outside of any event loop, as the making of it is."""

    def in_service(self) -> None:
        """Called in the service's process before its parts are made."""

    async def watch(self) -> None:
        """From now on every change of a message's state is written down, in its transaction."""

    async def moves(self) -> Sequence[tuple[str, str, str]]:
        """Each such change: the message, its state before and after."""

    async def quarantined(self) -> set[str]:
        """The keys of what is kept in quarantine."""

    async def damage(self) -> str:
        """A sentence, where the store is damaged; empty where it is whole."""

    async def lock(self, seconds: float) -> None:
        """Another process holds it for so long."""

    async def fill(self, pid: int) -> None:
        """From now on the service ``pid`` can't write, as where the disk is full."""

    async def relieve(self, pid: int) -> None:
        """There is room again."""

    async def promote(self) -> None:
        """The standby takes over, under load."""


class Sqlite:
    """A file. The disk is full where the process may not write beyond the first page of a file."""

    can_promote = False
    can_share = False

    def __init__(self, folder: Path) -> None:
        self._path = folder / "notifier.db"
        self.address = f"sqlite:///{self._path}"

    def close(self) -> None:
        """Its file goes with the folder."""

    def in_service(self) -> None:
        sqlite_store.PRAGMAS = (f"PRAGMA busy_timeout = {PATIENCE}", *sqlite_store.PRAGMAS[1:])  # type: ignore[misc]

    async def watch(self) -> None:
        with closing(self._connected()) as connection:
            for statement in SQLITE_HISTORY:
                connection.execute(statement)

    async def moves(self) -> Sequence[tuple[str, str, str]]:
        with closing(self._connected()) as connection:
            return connection.execute("SELECT * FROM torture_history ORDER BY rowid").fetchall()

    async def quarantined(self) -> set[str]:
        with closing(self._connected()) as connection:
            return {key for (key,) in connection.execute("SELECT key FROM quarantine")}

    async def damage(self) -> str:
        with closing(self._connected()) as connection:
            [(said,)] = connection.execute("PRAGMA integrity_check(1)")
        return "" if said == "ok" else f"the store is damaged: {said}"

    async def lock(self, seconds: float) -> None:
        with closing(self._connected()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            connection.execute("ROLLBACK")

    async def fill(self, pid: int) -> None:
        self._allow(pid, NOT_A_BYTE)

    async def relieve(self, pid: int) -> None:
        self._allow(pid, resource.RLIM_INFINITY)

    async def promote(self) -> None:
        raise NotImplementedError("a file has no standby")

    def _allow(self, pid: int, most: int) -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, timeout=5)


class Postgres:
    """A database of a cluster that all rounds share.

    A disk can't be full for one database only: instead its server refuses whatever writes, and
    ends the sessions that it has with it, in the middle of what they do.
    """

    can_promote = False
    can_share = True

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._database = f"round_{folder.name}"
        self._servers = f"postgresql://{USER}:{cluster.password}@{cluster.place}"
        self._make()

    def _make(self, asked: str = "") -> None:
        self._asked = asked
        self.address = self._address(self._database)
        # A limit for locks and not for statements: that the machine is slow is no fault.
        limit = f'ALTER DATABASE "{self._database}" SET lock_timeout = {PATIENCE}'
        for sql in (f'CREATE DATABASE "{self._database}"', limit):
            asyncio.run(self._administer(sql))

    def close(self) -> None:
        """Whoever is still connected is cut off."""
        asyncio.run(self._administer(f'DROP DATABASE "{self._database}" WITH (FORCE)'))

    def in_service(self) -> None:
        postgres_store.PostgresStore.__init__.__kwdefaults__ = {"lease": LEASE}
        ticks.LEASE = LEASE  # type: ignore[misc]

    async def watch(self) -> None:
        connection = await asyncpg.connect(self.address)
        try:
            await connection.execute(POSTGRES_HISTORY)
        finally:
            await connection.close()

    async def moves(self) -> Sequence[tuple[str, str, str]]:
        rows = await fetch(
            self.address, "SELECT message, was, is_now FROM torture_history ORDER BY number"
        )
        return [(message, was, is_now) for message, was, is_now in rows]

    async def quarantined(self) -> set[str]:
        return {key for (key,) in await fetch(self.address, "SELECT key FROM quarantine")}

    async def damage(self) -> str:
        return ""

    async def lock(self, seconds: float) -> None:
        connection = await asyncpg.connect(self.address)
        try:
            await connection.execute("BEGIN; LOCK TABLE message IN EXCLUSIVE MODE")
            await asyncio.sleep(seconds)
        finally:
            connection.terminate()  # the server undoes what is open

    async def fill(self, pid: int) -> None:
        await self._refuse_writes("SET default_transaction_read_only = on")

    async def relieve(self, pid: int) -> None:
        await self._refuse_writes("RESET default_transaction_read_only")

    async def promote(self) -> None:
        raise NotImplementedError("this server has no standby")

    async def _refuse_writes(self, how: str) -> None:
        await self._administer(f'ALTER DATABASE "{self._database}" {how}')
        await self._administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{self._database}'"
        )

    async def _administer(self, sql: str) -> None:
        await fetch(self._address("postgres"), sql)

    def _address(self, database: str) -> str:
        return f"{self._servers}/{database}{self._asked}"


class Failover(Postgres):
    """A primary and its synchronous standby, both of this round. The standby takes over once."""

    def __init__(self, origin: Cluster, folder: Path) -> None:
        """``origin``: an empty cluster that is stopped."""
        self.can_promote = True
        self._primary = origin.copied(synchronous_standby_names="*", shared_buffers="16MB")
        self._standby = origin.copied(shared_buffers="16MB")
        self._standby.follow(self._primary)
        try:
            for server in (self._primary, self._standby):
                server.start()
            self._database = "round"
            places = f"{self._primary.place},{self._standby.place}"
            self._servers = f"postgresql://{USER}:{origin.password}@{places}"
            self._make(asked="?target_session_attrs=primary")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._standby.remove()
        self._primary.remove()

    async def promote(self) -> None:
        """The primary is gone as after the loss of power; then its standby takes over."""
        self.can_promote = False
        await asyncio.to_thread(self._primary.stop, signal.SIGQUIT)
        await self._standby.administer("SELECT pg_promote(wait => true)")


Maker: TypeAlias = Callable[[Path], EngineUnderTest]
"""Makes a new, empty store, with a folder of the round for what it keeps in files."""


@contextmanager
def _sqlite() -> Iterator[Maker]:
    yield Sqlite


@contextmanager
def _postgres() -> Iterator[Maker]:
    with _cluster() as cluster:
        cluster.start()
        yield partial(Postgres, cluster)


@contextmanager
def _failover() -> Iterator[Maker]:
    with _cluster() as cluster:
        yield partial(Failover, cluster)


@contextmanager
def _cluster() -> Iterator[Cluster]:
    """A new cluster, not started; removed at the end."""
    cluster = Cluster()
    try:
        cluster.make()
        yield cluster
    finally:
        cluster.remove()


ENGINES: Final[dict[str, Callable[[], AbstractContextManager[Maker]]]] = {
    "sqlite": _sqlite,
    "postgres": _postgres,
    "failover": _failover,
}
"""By name, what a run needs of each before its first round."""


@contextmanager
def makers(kinds: Sequence[str]) -> Iterator[dict[str, Maker]]:
    """What makes stores of these kinds, as long as the block lasts."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(ENGINES[kind]()) for kind in kinds}
