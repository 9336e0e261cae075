"""What people and providers send us: acknowledged only after the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.domain.message import Inbound, Receipt, Unreadable
from notifier.flows.answer import Taken
from notifier.flows.group_commit import GroupCommit
from notifier.ports import Quarantined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from notifier.domain.message import Incoming
    from notifier.flows.answer import Answering
    from notifier.flows.ladder import StepDown
    from notifier.ports import Clock, Store


class Receive:
    """The sink of one gateway: questions, delivery reports and what can't be read."""

    def __init__(
        self,
        gateway: str,
        store: Store,
        clock: Clock,
        answering: Answering,
        step_down: StepDown,
        queued: Callable[[], None],
        waits: Callable[[], None],
    ) -> None:
        """``waits`` is called where a text waits for the rest."""
        self._gateway = gateway
        self._store = store
        self._clock = clock
        self._answering = answering
        self._step_down = step_down
        self._queued = queued
        self._waits = waits
        self._group: GroupCommit[Incoming, None] = GroupCommit(self._take)

    async def accept(self, incoming: Sequence[Incoming]) -> None:
        """Returns once all of it is committed."""
        await self._group.all(incoming)

    async def drain(self) -> None:
        """Returns once nothing is waiting to be committed."""
        await self._group.drain()

    async def _take(self, incoming: Sequence[Incoming]) -> list[None]:
        now = self._clock.civil()
        inbound = [item for item in incoming if isinstance(item, Inbound)]
        receipts = [item for item in incoming if isinstance(item, Receipt)]
        unreadable = [item for item in incoming if isinstance(item, Unreadable)]
        taken = Taken()
        async with self._store.write() as session:
            stepped = 0
            if receipts and await session.add_receipts(self._gateway, receipts, now):
                stepped = await self._step_down.fallen(session, now)
            if unreadable:
                await session.quarantine(
                    [
                        Quarantined(
                            door=f"hooks/{self._gateway}",
                            key=item.key,
                            reason=item.reason,
                            raw=item.raw,
                            at=now,
                        )
                        for item in unreadable
                    ]
                )
            if inbound:
                taken = await self._answering.take(session, self._gateway, inbound, now)
        if taken.queued or stepped:
            self._queued()
        if taken.waits:
            self._waits()
        return [None] * len(incoming)
