"""Signed apologies go back to the one-stop system, again and again until it has taken them.

What is to be told is a row that lands with the signature, so that a crash loses nothing; the other
side knows by the id what it has had.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.apology import MOVES
from notifier.flows.apologise import SERVICE
from notifier.ports import WorkItem

if TYPE_CHECKING:
    from notifier.domain.instant import Instant
    from notifier.ports import Clock, Return, SourceWebhook, Store

BATCH: Final = 20
"""Returns of one sweep; what is left waits for the next tick."""

FIRST_PAUSE: Final = 30 * instant.SECOND
LONGEST_PAUSE: Final = 6 * instant.HOUR

ASKED_AFTER: Final = 8
"""Attempts without success after which a person is asked: more than an hour has passed."""

NOT_RETURNED: Final = "not_returned"
"""The kind of work that an apology is which the one-stop system does not take."""


def pause(attempts: int) -> int:
    """How long to wait (ms) after so many attempts: twice as long each time, up to six hours."""
    return int(min(FIRST_PAUSE * 2 ** min(attempts, 20), LONGEST_PAUSE))


class GiveBack:
    """The sweep that tells the one-stop system."""

    def __init__(self, store: Store, clock: Clock, webhook: SourceWebhook) -> None:
        self._store = store
        self._clock = clock
        self._webhook = webhook

    async def sweep(self, now: Instant) -> int:
        """Tell what is due, one after the other; how many were taken."""
        async with self._store.read() as session:
            due = await session.due_returns(now, BATCH)
        taken = 0
        for one in due:
            # No transaction is open meanwhile: the other side may take its time.
            error = await self._webhook.tell(one.apology, self._clock.elapsed())
            await self._record(one, error, now)
            taken += not error
        return taken

    async def _record(self, one: Return, error: str, now: Instant) -> None:
        async with self._store.write() as session:
            if error:
                await session.put_off_return(one.apology.id, now + pause(one.attempts), error)
                if one.attempts + 1 >= ASKED_AFTER:
                    await session.add_work([_not_returned(one, error, now)])
                return
            await session.end_return(one.apology.id, now)
            found = await session.apology(one.apology.id)
            starts, to = MOVES["return"]
            if found is not None and found.state in starts:
                await session.move_apology(
                    replace(found, state=to), found.state, SERVICE, "return", "", now
                )
            await session.settle_work([f"{NOT_RETURNED}|{one.apology.id}"], SERVICE, now)


def _not_returned(one: Return, error: str, now: Instant) -> WorkItem:
    return WorkItem(
        key=f"{NOT_RETURNED}|{one.apology.id}",
        kind=NOT_RETURNED,
        dossier=one.apology.dossier,
        detail=f"the one-stop system does not take the new date ({error}); enter it there by hand",
        opened_at=now,
    )
