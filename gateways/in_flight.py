"""The attempts that a gateway has under way, so that it can stop in order."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class InFlight:
    """Every attempt runs inside ``attempt``; ``drain`` waits for them, then ends the rest."""

    def __init__(self) -> None:
        self._deadlines: set[asyncio.Timeout] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Raises ``TimeoutError`` inside the attempt's own task when ``drain`` runs out."""
        async with asyncio.timeout(None) as deadline:
            self._deadlines.add(deadline)
            self._idle.clear()
            try:
                yield
            finally:
                self._deadlines.discard(deadline)
                if not self._deadlines:
                    self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Returns once nothing is in flight, after ``seconds`` at the latest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        now = asyncio.get_running_loop().time()
        for deadline in tuple(self._deadlines):
            deadline.reschedule(now)
        await self._idle.wait()
