"""A bind that is kept: made again whenever it ends, ever more slowly while it can't be made."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from typing import TYPE_CHECKING, Final

from gateways.smpp.link import Link, NoAnswerError, NotWrittenError
from gateways.smpp.pdu import Command, Pdu, bind_body
from notifier.ports import HealthState

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateways.smpp.settings import Settings

SHORTEST_REST: Final = 0.5
LONGEST_REST: Final = 30.0
"""Seconds between two tries to bind; each rest is up to twice the last, by chance."""

UNBIND_WITHIN: Final = 1.0
"""Seconds that a centre has to say goodbye."""


class UnreachableError(Exception):
    """No link could be made now, and nothing was written."""


class RefusedError(Exception):
    """The centre refused our bind with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the bind was refused with status {status:#010x}")
        self.status = status


class Binding:
    """One bind of one kind; ``link`` is usable, or says why there is none."""

    def __init__(
        self,
        settings: Settings,
        way: Command,
        *,
        on_request: Callable[[Link, Pdu], None],
        note: Callable[[HealthState, str], None],
    ) -> None:
        self._settings = settings
        self._way = way
        self._on_request = on_request
        self._note = note
        self._link: Link | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._wanted = asyncio.Event()
        self._refused: RefusedError | None = None

    @property
    def sends(self) -> bool:
        """Whether messages may go this way."""
        return self._way is not Command.BIND_RECEIVER

    def start(self) -> None:
        """Begin to bind."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Unbind, and bind no more."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        link, self._link = self._link, None
        if link is not None and link.is_open:
            with contextlib.suppress(NoAnswerError, NotWrittenError, TimeoutError):
                async with asyncio.timeout(UNBIND_WITHIN):
                    await link.ask(Command.UNBIND)
            link.close("we unbound")

    async def link(self) -> Link:
        """The link, bound. Where there is none, one try is made now, and waited for.

        Raises ``RefusedError`` or ``UnreachableError``.
        """
        if self._link is None or not self._link.is_open:
            self._tried.clear()
            self._wanted.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.connect_timeout + 1):
                    await self._tried.wait()
        if self._link is not None and self._link.is_open:
            return self._link
        raise self._refused or UnreachableError

    async def _keep(self) -> None:
        rest = SHORTEST_REST
        while True:
            self._wanted.clear()
            try:
                self._refused = None
                self._link = await self._bound()
            except RefusedError as error:
                self._refused = error
                self._note(HealthState.DOWN, str(error))
            except (OSError, TimeoutError, NoAnswerError, NotWrittenError) as error:
                self._note(
                    HealthState.DOWN, f"the message centre can't be reached: {type(error).__name__}"
                )
            else:
                self._note(HealthState.OK, "")
                rest = SHORTEST_REST
                self._tried.set()
                reason = await asyncio.shield(self._link.closed)
                self._note(HealthState.DEGRADED, f"the link ended: {reason}")
                continue
            self._tried.set()
            # Whoever wants to send now does not wait for the rest to end.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest * random.uniform(0.5, 1.0)):  # noqa: S311
                    await self._wanted.wait()
            rest = min(rest * 2, LONGEST_REST)

    async def _bound(self) -> Link:
        settings = self._settings
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(settings.connect_timeout):
            _, link = await loop.create_connection(
                lambda: Link(
                    on_request=self._on_request,
                    answer_within=settings.timeout,
                    idle=settings.enquire_after,
                    window=settings.window,
                ),
                settings.host,
                settings.port,
                ssl=_context(settings),
            )
            try:
                answer = await link.ask(
                    self._way,
                    bind_body(settings.system_id, settings.password, settings.system_type),
                )
            except BaseException:
                link.abort("the bind came to nothing")
                raise
        if answer.status:
            link.close("the bind was refused")
            raise RefusedError(answer.status)
        return link


def _context(settings: Settings) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=settings.tls_ca or None) if settings.tls else None
