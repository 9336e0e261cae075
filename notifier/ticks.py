"""Which sweep runs when. Holds no data: what is due lies in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from notifier.ports import Clock, Store

LEASE: Final = 60_000
"""How long a sweep may hold its name (elapsed ms) before another process may take over."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """``sweep`` takes the civil time in ms and says how much it did; ``every`` is in ms."""

    name: str
    every: int
    sweep: Callable[[int], Awaitable[int]]


class Ticks:
    """Runs sweeps, each under a lease of its name, so that any number of processes may tick."""

    def __init__(self, ticks: Sequence[Tick], store: Store, clock: Clock, owner: str) -> None:
        self._ticks = ticks
        self._store = store
        self._clock = clock
        self._owner = owner
        # A tick that comes late is run late, once: the library's defaults would drop it.
        self._scheduler = AsyncIOScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )

    def start(self) -> None:
        """Begin to tick."""
        for tick in self._ticks:
            self._scheduler.add_job(
                self._run, "interval", seconds=tick.every / 1000, args=[tick], id=tick.name
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Begin no further sweep."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def run_all(self) -> None:
        """Every sweep once, now: at the start, and when the clock of a demonstration was moved."""
        for tick in self._ticks:
            await self._run(tick)

    async def _run(self, tick: Tick) -> None:
        try:
            now = self._clock.elapsed()
            async with self._store.write() as session:
                mine = await session.take_lease(tick.name, self._owner, now, now + LEASE)
            if mine:
                await tick.sweep(self._clock.civil())
        except Exception:
            log.exception("tick.failed", tick=tick.name)
