"""A TCP proxy between the gateway and the provider that loses, breaks and delays."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from random import Random
from typing import TYPE_CHECKING, Final

from torture.weather import LINES, Line, Weather, draw

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from torture.points import Shared

CHUNK: Final = 4_096
RESETS: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing such a socket sends RST (RFC 9293, 3.10.4)."""


class FaultyLine:
    """Each connection to ``listening`` goes on to ``provider``, or does not."""

    def __init__(self, shared: Shared, provider: int, seed: str) -> None:
        """``provider``: its port on loopback."""
        self._shared = shared
        self._provider = provider
        self._chance = Random(seed)

    async def serve(self, listening: socket.socket) -> None:
        """For ever."""
        server = await asyncio.start_server(self._connected, sock=listening)
        await server.serve_forever()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        line = draw(self._chance, LINES[Weather(self._shared.weather)])
        try:
            if line is Line.BLACK_HOLE:
                await _swallow(reader)
            else:
                await self._carry(line, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _carry(self, line: Line, reader: StreamReader, writer: StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._provider)
        # A line breaks in the request, or in the answer to it.
        forth = self._copy(line if self._chance.random() < 0.5 else Line.PASS, reader, back, writer)
        home = self._copy(line, there, writer, writer)
        tasks = [asyncio.create_task(forth), asyncio.create_task(home)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            back.close()

    async def _copy(
        self, line: Line, reader: StreamReader, writer: StreamWriter, client: StreamWriter
    ) -> None:
        while chunk := await reader.read(CHUNK):
            match line:
                case Line.DELAY:
                    await asyncio.sleep(self._chance.uniform(0.02, 0.3))
                case Line.RESET:
                    writer.write(chunk[: self._chance.randrange(len(chunk) + 1)])
                    await writer.drain()
                    _reset(client)
                    return
                case Line.HALF_OPEN:
                    await _swallow(reader)
                    return
                case Line.DRIP:
                    await _drip(chunk, writer)
                    continue
                case _:
                    pass
            writer.write(chunk)
            await writer.drain()


async def _swallow(reader: StreamReader) -> None:
    """Read, and pass nothing on; the other side is left to wonder."""
    with contextlib.suppress(OSError):
        while await reader.read(CHUNK):
            pass


async def _drip(chunk: bytes, writer: StreamWriter) -> None:
    for byte in chunk:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)


def _reset(client: StreamWriter) -> None:
    held = client.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
    client.transport.abort()
