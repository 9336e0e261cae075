"""The load: requests made beforehand, over a fixed number of connections that stay open.

A plain protocol and no HTTP client, which would cost more than the handler that is measured.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length: "


class LoadError(Exception):
    """A request was not taken, so that the figure would mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What goes over the wire, and the name that its sender has for it."""

    name: str
    wire: bytes


def request(
    name: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Request:
    """An HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "host: bench", f"content-length: {len(body)}"]
    lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
    return Request(name=name, wire="\r\n".join(lines).encode() + HEAD_END + body)


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, url: str) -> Connection:
        """Connected to the server of ``url``."""
        address = urlsplit(url)
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(cls, address.hostname or "", address.port or 80))[1]

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    async def ask(self, asked: Request) -> bytes:
        """The body of the answer; ``LoadError`` for any but a 2xx."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(asked.wire)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LoadError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(HEAD_END)
        if not end:
            return
        _, found, tail = head.lower().partition(LENGTH)
        length = int(tail.partition(b"\r\n")[0]) if found else 0
        if len(rest) < length or self._answer is None:
            return
        self._buffer = rest[length:]
        if head[9:10] == b"2":
            self._answer.set_result(rest[:length])
        else:
            self._answer.set_exception(LoadError(f"{head[:12].decode()}: {rest[:300]!r}"))


async def closed(
    url: str, requests: Iterable[Request], *, connections: int
) -> tuple[float, dict[str, int]]:
    """As fast as they are answered: the seconds it took, and when each was begun (monotonic ns)."""
    waiting, begun = iter(requests), {}

    async def work(connection: Connection) -> None:
        for asked in waiting:
            begun[asked.name] = time.monotonic_ns()
            await connection.ask(asked)

    opened = [await Connection.open(url) for _ in range(connections)]
    start = time.perf_counter()
    await asyncio.gather(*map(work, opened))
    took = time.perf_counter() - start
    for connection in opened:
        connection.close()
    return took, begun


async def offered(
    url: str, requests: Sequence[Request], *, per_second: float, connections: int
) -> dict[str, int]:
    """At a fixed rate, whether answered or not: the moment when each was due (monotonic ns).

    One that finds no free connection waits, and its wait counts.
    """
    free: asyncio.Queue[Connection] = asyncio.Queue()
    opened = [await Connection.open(url) for _ in range(connections)]
    for connection in opened:
        free.put_nowait(connection)

    async def ask(asked: Request) -> None:
        connection = await free.get()
        await connection.ask(asked)
        free.put_nowait(connection)

    start = time.monotonic_ns()
    due: dict[str, int] = {}
    async with asyncio.TaskGroup() as group:
        for number, asked in enumerate(requests):
            due[asked.name] = start + round(number / per_second * 1e9)
            await asyncio.sleep((due[asked.name] - time.monotonic_ns()) / 1e9)
            group.create_task(ask(asked))
    for connection in opened:
        connection.close()
    return due


async def once(url: str, asked: Request) -> bytes:
    """One request over a connection of its own."""
    connection = await Connection.open(url)
    try:
        return await connection.ask(asked)
    finally:
        connection.close()
