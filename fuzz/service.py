"""A real ``notifier serve`` on loopback, with every gateway, on a store that is thrown away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz import dialects
from notifier.sources import standard_webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE: Final = 60.0
"""Seconds for an answer, and for a stop; what has none by then hangs."""


@dataclass(slots=True, kw_only=True)
class Running:
    """Where the service is, and how it is called."""

    url: str
    secret: bytes = field(repr=False)
    folder: Path
    process: subprocess.Popen[str]

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.folder / "notifier.db"

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self.folder / "service.log").read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to end, and wait for that; the code it ended with."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def running() -> Iterator[Running]:
    """``notifier serve`` on a new store."""
    with tempfile.TemporaryDirectory(prefix="notifier-fuzz-") as name:
        folder = Path(name)
        _configure(folder)
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("NOTIFIER_")},
            "NOTIFIER_CONFIG": str(folder),
            "NOTIFIER_STORE": f"sqlite:///{folder}/notifier.db",
            "NOTIFIER_KEYS": f"{folder}/keys",
            "NOTIFIER_WEB__PORT": "0",
        }
        command = [sys.executable, "-m", "notifier", "serve"]
        with (
            (folder / "service.log").open("w") as log,
            subprocess.Popen(  # noqa: S603 - our own command
                command, env=env, stdout=subprocess.PIPE, stderr=log, text=True
            ) as process,
        ):
            try:
                assert process.stdout is not None
                said = process.stdout.readline()
                if not said.startswith("ready "):
                    raise SystemExit((folder / "service.log").read_text())
                keys = json.loads((folder / "keys").read_text())
                secret = standard_webhooks.read_secret(keys["events"])
                url = said.split()[1]
                yield Running(url=url, secret=secret, folder=folder, process=process)
            finally:
                process.kill()


def _configure(folder: Path) -> None:
    lines = [
        'log = { level = "info" }',
        'hours = { notices = ["00:00", "23:59"], broadcasts = ["00:00", "23:59"] }',
        f"gateways = {_toml(dialects.tables())}",
        'routes = { sms = ["simulator"], telegram = ["telegram"] }',
    ]
    (folder / "notifier.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f'"{k}" = {_toml(v)}' for k, v in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
