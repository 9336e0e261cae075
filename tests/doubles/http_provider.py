"""A provider on loopback that speaks HTTP and behaves as it is told; a dialect is a subclass."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from aiohttp import web
from contracts.gateway import Behaviour

if TYPE_CHECKING:
    from contracts.gateway import Taken

NONSENSE = b'<html>{"CodeResult": \xff\xfe ch\xc3\xa0o'


class HttpProvider(ABC):
    """Listens on one port of 127.0.0.1, kept while it is down and up again."""

    def __init__(self) -> None:
        self.received: list[Taken] = []
        self._behaviour = Behaviour.ACCEPT
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def become(self, behaviour: Behaviour) -> None:
        """From the next request on, behave so."""
        self._released.set()
        self._released = asyncio.Event()
        self._behaviour = behaviour
        if behaviour is Behaviour.DOWN:
            await self.stop()
        elif self._runner is None:
            await self.start()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        aside = self.aside(request, body)
        if aside is not None:
            return aside
        taken = self.take(request, body)
        self.received.append(taken)
        match self._behaviour:
            case Behaviour.HANG_UP:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            case Behaviour.SILENT:
                await self._released.wait()
                return web.Response(status=500)
            case Behaviour.NONSENSE:
                return web.Response(body=NONSENSE)
            case behaviour:
                return self.answer(behaviour, taken, len(self.received))

    def aside(self, request: web.Request, body: bytes) -> web.Response | None:
        """The answer to a request that sends no message; None for one that does."""
        return None

    @abstractmethod
    def take(self, request: web.Request, body: bytes) -> Taken:
        """The message in a request."""

    @abstractmethod
    def answer(self, behaviour: Behaviour, taken: Taken, number: int) -> web.Response:
        """The answer to the ``number``-th message: accept, refuse, refuse the login, be busy."""
