"""The store as a parameter: what the torture does to one beside the contract, an engine at a time.

A further engine is a class like ``Sqlite`` and a line in ``ENGINES``. PostgreSQL's makes a schema
of its own for each round, locks with ``LOCK TABLE``, and promotes its standby in ``promote``.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final, Protocol

from notifier.storage.sqlite import store as sqlite_store

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE: Final = 250
"""Ms that a statement of the service waits for a lock here: a lock longer than that is a fault."""

NOT_A_BYTE: Final = 4_096
"""A file that may not be larger than this can't take a page of a store any more."""

HISTORY: Final = (
    "CREATE TABLE torture_history (message TEXT, old TEXT, new TEXT)",
    (
        "CREATE TRIGGER torture_moved AFTER UPDATE OF state ON message WHEN old.state <> new.state "
        "BEGIN INSERT INTO torture_history VALUES (old.id, old.state, new.state); END"
    ),
)


class EngineUnderTest(Protocol):
    """One store of one round."""

    address: str
    """What NOTIFIER_STORE says."""
    can_promote: bool
    """Whether it has a standby."""

    def in_service(self) -> None:
        """Called in the service's process before its parts are made."""

    def watch(self) -> None:
        """From now on every change of a message's state is written down, in its transaction."""

    def moves(self) -> list[tuple[str, str, str]]:
        """Each such change: the message, its state before and after."""

    def quarantined(self) -> set[str]:
        """The keys of what is kept in quarantine."""

    def damage(self) -> str:
        """A sentence, where the store is damaged; empty where it is whole."""

    async def lock(self, seconds: float) -> None:
        """Another process holds it for so long."""

    def fill(self, pid: int) -> None:
        """From now on the service ``pid`` finds the disk full."""

    def relieve(self, pid: int) -> None:
        """There is room again."""

    async def promote(self) -> None:
        """The standby takes over, under load."""


class Sqlite:
    """A file. The disk is full where the process may not write beyond the first page of a file."""

    can_promote = False

    def __init__(self, folder: Path) -> None:
        self._path = folder / "notifier.db"
        self.address = f"sqlite:///{self._path}"

    def in_service(self) -> None:
        sqlite_store.PRAGMAS = (f"PRAGMA busy_timeout = {PATIENCE}", *sqlite_store.PRAGMAS[1:])  # type: ignore[misc]

    def watch(self) -> None:
        with closing(self._connected()) as connection:
            for statement in HISTORY:
                connection.execute(statement)

    def moves(self) -> list[tuple[str, str, str]]:
        with closing(self._connected()) as connection:
            return connection.execute("SELECT * FROM torture_history ORDER BY rowid").fetchall()

    def quarantined(self) -> set[str]:
        with closing(self._connected()) as connection:
            return {key for (key,) in connection.execute("SELECT key FROM quarantine")}

    def damage(self) -> str:
        with closing(self._connected()) as connection:
            [(said,)] = connection.execute("PRAGMA integrity_check(1)")
        return "" if said == "ok" else f"the store is damaged: {said}"

    async def lock(self, seconds: float) -> None:
        with closing(self._connected()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            connection.execute("ROLLBACK")

    def fill(self, pid: int) -> None:
        self._allow(pid, NOT_A_BYTE)

    def relieve(self, pid: int) -> None:
        self._allow(pid, resource.RLIM_INFINITY)

    async def promote(self) -> None:
        raise NotImplementedError("a file has no standby")

    def _allow(self, pid: int, most: int) -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, timeout=5)


ENGINES: Final = {"sqlite": Sqlite}


def engine(kind: str, folder: Path) -> EngineUnderTest:
    """A new, empty store of this kind; raises ``ValueError`` for one that is not known."""
    if kind not in ENGINES:
        raise ValueError(f"there is no store {kind}; there are {', '.join(sorted(ENGINES))}")
    return ENGINES[kind](folder)
