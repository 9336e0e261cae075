"""A NATS server with JetStream from its wheel, on loopback; it can be killed and started again."""

from __future__ import annotations

import asyncio
import socket
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import Any

import nats

BINARY = Path(sysconfig.get_path("scripts")) / "nats-server"


class NatsServer:
    """Keeps its streams in ``folder``, and its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self._port}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns once it answers."""
        self._process = await asyncio.create_subprocess_exec(
            BINARY, "-js", "-sd", str(self._folder), "-a", "127.0.0.1", "-p", str(self._port),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(60):
            while True:
                with suppress(Exception):
                    client = await self.connect()
                    await client.jetstream().account_info()
                    await client.close()
                    return
                await asyncio.sleep(0.05)

    async def connect(self) -> Any:
        async def quiet(error: Exception) -> None:
            del error

        return await nats.connect(self.url, allow_reconnect=False, error_cb=quiet)

    async def kill(self) -> None:
        """SIGKILL, as a power cut does it."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
