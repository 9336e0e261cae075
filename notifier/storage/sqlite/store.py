"""Connections, transactions, migrations, and who may dispatch."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import aiosqlite

from notifier.errors import StoreBusyError, StoreError
from notifier.storage.migrations import lacking
from notifier.storage.sqlite.apologies import ApologyRows
from notifier.storage.sqlite.bindings import BindingRows
from notifier.storage.sqlite.broadcasts import BroadcastRows
from notifier.storage.sqlite.dossiers import DossierRows
from notifier.storage.sqlite.outbox import OutboxRows
from notifier.storage.sqlite.people import PeopleRows
from notifier.storage.sqlite.promises import PromiseRows
from notifier.storage.sqlite.rates import RateRows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from notifier.storage.sealing import Sealer

PACKAGE: Final = "notifier.storage.sqlite"
READERS: Final = 2
BUSY_TIMEOUT: Final = 10_000
"""Ms that a statement waits for another process, such as the command line."""

PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT}",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
)


class SqliteSession(
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


class SqliteStore:
    """A Store in one file. Any process may read and write; one at a time may dispatch and tick."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        self._path = path
        self._sealer = sealer
        self._writer: aiosqlite.Connection | None = None
        self._readers: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._write_turn = asyncio.Lock()
        self._dispatch_lock: int | None = None
        self._owner: str | None = None

    async def open(self) -> None:
        """Open the file, making it where there is none, and migrate it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._writer = await self._connect()
            await self._migrate(self._writer)
            for _ in range(READERS):
                reader = await self._connect()
                await reader.execute_fetchall("PRAGMA query_only = ON")
                self._readers.put_nowait(reader)
        except StoreError:
            await self.close()
            raise
        except (OSError, aiosqlite.Error) as error:
            await self.close()
            raise StoreError(
                f"the store {self._path} can't be opened: {error}. Name another one with "
                "NOTIFIER_STORE, or mend its folder's permissions."
            ) from error

    async def close(self) -> None:
        """Close every connection and let go of the dispatcher's lock."""
        while not self._readers.empty():
            await self._readers.get_nowait().close()
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        if self._dispatch_lock is not None:
            os.close(self._dispatch_lock)
            self._dispatch_lock = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqliteSession]:
        """One transaction; writers of this process take turns, and it is on disk at the end."""
        async with self._write_turn:
            writer = self._opened()
            try:
                # The drivers' own transactions begin too late and lose concurrent updates.
                await writer.execute_fetchall("BEGIN IMMEDIATE")
                yield SqliteSession(writer, self._sealer, self._owner)
                await writer.execute_fetchall("COMMIT")
            except BaseException:
                await asyncio.shield(self._roll_back(writer))
                raise

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqliteSession]:
        """One consistent view."""
        self._opened()
        reader = await self._readers.get()
        try:
            try:
                await reader.execute_fetchall("BEGIN")
                yield SqliteSession(reader, self._sealer)
            finally:
                await asyncio.shield(self._roll_back(reader))
        finally:
            self._readers.put_nowait(reader)

    async def backup(self, to: Path) -> None:
        """The store as it stands at one moment, in a file that is whole or not there.

        Raises ``StoreError`` where the file exists or can't be written.
        """
        partial = to.with_name(to.name + ".partial")
        try:
            _refuse_taken(to)
            partial.unlink(missing_ok=True)
            partial.touch(mode=0o600)
            connection = await self._connect()
            try:
                await connection.execute_fetchall("VACUUM INTO ?", (str(partial),))
            finally:
                await connection.close()
            _keep(partial, to)
        except (OSError, aiosqlite.Error) as error:
            partial.unlink(missing_ok=True)
            raise StoreError(f"the backup {to} can't be written: {error}.") from error

    async def restore(self, backup: Path, *, replace: bool) -> None:
        """Put a backup in the place of the store, which is not open and from which nobody sends.

        With ``replace`` a store that is there is kept beside, as ``….before``; without, refused.
        Raises ``StoreError`` where the backup is damaged, or of a newer program.
        """
        if self._path.exists() and not replace:
            raise StoreError(f"the store {self._path} is there already; say --replace.")
        partial = self._path.with_name(self._path.name + ".partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock()
            shutil.copyfile(backup, partial)
            partial.chmod(0o600)
            await self._refuse_damaged(partial, backup)
            if self._path.exists():
                # What is only in the log belongs to the old file: it is folded in before.
                old = await self._connect()
                await old.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
                await old.close()
                self._path.replace(self._path.with_name(self._path.name + ".before"))
            for rest in ("-wal", "-shm"):
                self._path.with_name(self._path.name + rest).unlink(missing_ok=True)
            _keep(partial, self._path)
        except (OSError, aiosqlite.Error) as error:
            raise StoreError(f"the backup {backup} can't be restored: {error}.") from error
        finally:
            partial.unlink(missing_ok=True)
            await self.close()

    async def _refuse_damaged(self, copy: Path, backup: Path) -> None:
        connection = await aiosqlite.connect(copy, isolation_level=None)
        try:
            [(sound,)] = await connection.execute_fetchall("PRAGMA integrity_check(1)")
            [(version,)] = await connection.execute_fetchall("PRAGMA user_version")
        finally:
            await connection.close()
        if sound != "ok" or not version:
            raise StoreError(f"the backup {backup} is damaged, or no store. Take another one.")
        lacking(PACKAGE, version, str(backup))

    async def dispatch_alone(self, owner: str) -> None:
        """Take the lock beside the file; it ends with the process, however that ends."""
        self._lock()
        self._owner = owner
        async with self.write():
            # The lock proves that whoever held a lease is gone: no sweep waits for its end.
            await self._opened().execute_fetchall("DELETE FROM lease")

    def _lock(self) -> None:
        descriptor = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StoreBusyError(
                f"another process already sends from {self._path}. Stop it first; on SQLite one "
                "process at a time may dispatch. The other commands work beside it."
            ) from None
        self._dispatch_lock = descriptor

    def _opened(self) -> aiosqlite.Connection:
        if self._writer is None:
            raise StoreError(f"the store {self._path} is not open")
        return self._writer

    async def _connect(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(
            self._path, isolation_level=None, cached_statements=512
        )
        try:
            for pragma in PRAGMAS:
                await connection.execute_fetchall(pragma)
            await self._to_wal(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    @staticmethod
    async def _to_wal(connection: aiosqlite.Connection) -> None:
        """Several processes may make the file at once, and for this SQLite itself does not wait."""
        clock = asyncio.get_running_loop().time
        until = clock() + BUSY_TIMEOUT / 1000
        while True:
            try:
                await connection.execute_fetchall("PRAGMA journal_mode = WAL")
            except aiosqlite.OperationalError as error:
                if "locked" not in str(error) or clock() > until:
                    raise
                await asyncio.sleep(0.02)
            else:
                return

    @staticmethod
    async def _roll_back(connection: aiosqlite.Connection) -> None:
        """Whatever a cancelled caller left: asked in the driver's thread, behind its last work."""
        await connection.rollback()

    async def _migrate(self, writer: aiosqlite.Connection) -> None:
        """Apply the numbered files above the store's version, each in one transaction."""
        await writer.execute_fetchall("BEGIN IMMEDIATE")
        try:
            [(version,)] = await writer.execute_fetchall("PRAGMA user_version")
            for number, script in lacking(PACKAGE, version, str(self._path)):
                for statement in statements(script):
                    await writer.execute_fetchall(statement)
                await writer.execute_fetchall(f"PRAGMA user_version = {number}")
            await writer.execute_fetchall("COMMIT")
        except BaseException:
            await asyncio.shield(self._roll_back(writer))
            raise


def _refuse_taken(path: Path) -> None:
    if path.exists():
        raise FileExistsError("it is there already")


def _keep(partial: Path, to: Path) -> None:
    """Give a file its name once it is on disk; after a crash it is whole or not there."""
    _sync(partial)
    partial.replace(to)
    _sync(to.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def statements(script: str) -> list[str]:
    """The statements of a migration; it holds neither triggers nor semicolons in comments."""
    bare = re.sub(r"--[^\n]*", "", script)
    return [statement.strip() for statement in bare.split(";") if statement.strip()]
