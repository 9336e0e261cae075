"""The processes that are measured: the service itself, and the bare handler."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import null_gateway
from notifier.sources import standard_webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running process: where it listens, what requests to it are signed with, and its id."""

    url: str
    secret: bytes
    pid: int

    @property
    def cpu(self) -> float:
        """Seconds of processor time that it has used, all threads together."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def peak_mb(self) -> float:
        """The most memory that it has held."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kb = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        return int(kb) / 1024


@contextmanager
def service(*, rate: float, window: int = 100) -> Iterator[Server]:
    """``notifier serve`` on a new store, with the null gateway at ``rate`` segments a second."""
    with tempfile.TemporaryDirectory(prefix="notifier-bench-") as name:
        folder = Path(name)
        null_gateway.register(folder)
        (folder / "notifier.toml").write_text(
            f'[log]\nlevel = "warning"\n'
            f'[gateways.null]\nkind = "null"\nrate = {rate:f}\nwindow = {window}\n'
        )
        env = {
            **os.environ,
            "PYTHONPATH": name,
            "NOTIFIER_CONFIG": name,
            "NOTIFIER_STORE": f"sqlite:///{folder}/notifier.db",
            "NOTIFIER_WEB__PORT": "0",
        }
        with _ready([sys.executable, "-m", "notifier", "serve"], env) as (url, pid):
            keys = json.loads((folder / "notifier.db.keys").read_text())
            yield Server(url=url, secret=standard_webhooks.read_secret(keys["events"]), pid=pid)


@contextmanager
def bare() -> Iterator[Server]:
    """The bare handler."""
    secret = "whsec_" + "bench" * 8
    with _ready([sys.executable, "-m", "bench.bare", secret], dict(os.environ)) as (url, pid):
        yield Server(url=url, secret=standard_webhooks.read_secret(secret), pid=pid)


@contextmanager
def _ready(command: list[str], env: dict[str, str]) -> Iterator[tuple[str, int]]:
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if not said.startswith("ready "):
                raise RuntimeError(f"{' '.join(command[1:])} did not start; see what it said above")
            yield said.split()[1], process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)
