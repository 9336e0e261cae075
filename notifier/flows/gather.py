"""Texts without a code or a keyword wait a moment for the rest; then they are answered as they are.

People write in pieces, one line a message. What waits lies in the store, so that it is answered
even where the process ends before its time has come.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifier.domain.instant import Instant
    from notifier.flows.answer import Answering
    from notifier.ports import Clock, Store

BATCH: Final = 200

LOOK: Final = 0.25
"""Seconds between looks while something waits."""

log = structlog.get_logger()


class Gather:
    """Answers what has waited long enough."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        answering: Answering,
        queued: Callable[[], None],
        *,
        wait: int,
    ) -> None:
        """``wait``: how long (ms) a text waits for the rest."""
        self._store = store
        self._clock = clock
        self._answering = answering
        self._queued = queued
        self._wait = wait / 1000
        self._until = 0.0
        self._watching: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Something waits: look for it until its time has come."""
        self._until = asyncio.get_running_loop().time() + self._wait
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Look no more; what waits is answered at the next start."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def sweep(self, now: Instant) -> int:
        """Answer what has waited long enough by the elapsed time; how many there were."""
        async with self._store.read() as session:
            if not await session.fragments_over(self._clock.elapsed(), 1):
                return 0
        async with self._store.write() as session:
            due = await session.fragments_over(self._clock.elapsed(), BATCH)
            senders = {one.inbound.sender for one in due}
            await session.hold(sorted(map(str, senders)))
            # What was completed or answered before we held its sender is not there any more.
            due = await session.fragments_over(self._clock.elapsed(), BATCH)
            over = [one for one in due if one.inbound.sender in senders]
            queued = await self._answering.take_gathered(session, over, now)
        if queued:
            self._queued()
        return len(over)

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            ended = clock() > self._until
            try:
                await self.sweep(self._clock.civil())
            except Exception:
                log.exception("gather.failed")  # the tick looks again
            if ended and clock() > self._until:  # another one may have come meanwhile
                return
            await asyncio.sleep(LOOK)
