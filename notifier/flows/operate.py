"""What staff decide by hand: messages whose fate nobody knows, and what could not be taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.message import State, message_id
from notifier.errors import InputError
from notifier.flows.ingest import Fate
from notifier.ports import Moved, Quarantined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from notifier.domain.event import DossierEvent
    from notifier.flows.ingest import Ingest
    from notifier.ports import Clock, OutboxRow, Store

MOST: Final = 100_000
"""Messages that are settled in one transaction."""

SENT_AGAIN: Final = instant.DAY
"""How long (ms) a message that staff send again may still leave, where its own time is over."""


class Settled(StrEnum):
    """What staff found out of a message of unknown fate."""

    DELIVERED = "delivered"
    FAILED = "failed"
    AGAIN = "again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What became of an item that was read again: a sentence where it stays."""

    id: int
    taken: bool
    reason: str = ""


class Operate:
    """Each act is recorded with who did it, and doing it again changes nothing."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ingest: Ingest,
        read_events: Callable[[str, bytes], Sequence[DossierEvent | Quarantined] | None],
        queued: Callable[[], None],
    ) -> None:
        """``read_events`` reads what came in at a door; None where it holds no events."""
        self._store = store
        self._clock = clock
        self._ingest = ingest
        self._read_events = read_events
        self._queued = queued

    async def unknown(self, *, notice: str = "", gateway: str = "") -> list[OutboxRow]:
        """Messages of unknown fate, newest first."""
        async with self._store.read() as session:
            rows = await session.outbox(state=State.UNKNOWN, limit=MOST)
        return [row for row in rows if notice in {"", row.notice} and gateway in {"", row.gateway}]

    async def resolve(self, ids: Sequence[str], settled: Settled, by: str) -> int:
        """Settle messages of unknown fate; how many still were so."""
        now = self._clock.civil()
        async with self._store.write() as session:
            rows = {row.id: row for row in await session.outbox(state=State.UNKNOWN, limit=MOST)}
            known = [rows[id_] for id_ in dict.fromkeys(ids) if id_ in rows]
            done = await session.move([_settled(row, settled, by, now) for row in known], now)
            await session.settle_work([f"unknown|{row.id}" for row in known], by, now)
        if done and settled is Settled.AGAIN:
            self._queued()
        return done

    async def retry(self, ids: Sequence[str], by: str) -> list[str]:
        """Send failed or expired messages again, as new ones; the ids of those that are new.

        Final stays final: the new message has a key of its own, made of the old one and of when
        that ended, so that asking twice sends once. Raises ``InputError`` where one is not final.
        """
        now = self._clock.civil()
        async with self._store.write() as session:
            found = {id_: await session.outbox_row(id_) for id_ in dict.fromkeys(ids)}
            rows = [_ended(id_, row) for id_, row in found.items()]
            again = []
            for message, row in zip(
                await session.messages([row.id for row in rows]), rows, strict=True
            ):
                key = f"{message.key}|again|{row.updated_at}"
                again.append(
                    replace(
                        message,
                        id=message_id(key, now),
                        key=key,
                        created_at=now,
                        not_before=now,
                        best_before=now + SENT_AGAIN,
                        attempts=0,
                        accepted_parts=(),
                        rung=0,
                        spent=0,
                    )
                )
            added = await session.add_messages(again)
            for row in rows:
                await session.settle_work([f"unknown|{row.id}", f"failed|{row.id}"], by, now)
        if added:
            self._queued()
        return [message.id for message in again if message.key in added]

    async def release(self, ids: Sequence[int], by: str) -> list[Released]:
        """Read events and records again; those that are taken now are settled."""
        released = []
        for item_id in dict.fromkeys(ids):
            async with self._store.read() as session:
                rows = await session.quarantined(ids=[item_id])
                raw = await session.quarantined_raw(item_id)
            if not rows or raw is None:
                released.append(Released(id=item_id, taken=False, reason="it is not there"))
            elif (items := self._read_events(rows[0].door, raw)) is None:
                reason = f"what came in at {rows[0].door} can be shown and dropped only"
                released.append(Released(id=item_id, taken=False, reason=reason))
            else:
                released.append(await self._release(item_id, items, by))
        return released

    async def drop(self, ids: Sequence[int], by: str) -> int:
        """Take items off for good: the record stays, what they held does not."""
        async with self._store.write() as session:
            return await session.settle_quarantined(ids, "dropped", by, self._clock.civil())

    async def _release(
        self, item_id: int, items: Sequence[DossierEvent | Quarantined], by: str
    ) -> Released:
        results = await self._ingest(items)
        left = [result.reason for result in results if result.fate is Fate.QUARANTINED]
        if left:
            return Released(id=item_id, taken=False, reason=left[0])
        async with self._store.write() as session:
            await session.settle_quarantined([item_id], "released", by, self._clock.civil())
        return Released(id=item_id, taken=True)


def _settled(row: OutboxRow, settled: Settled, by: str, now: int) -> Moved:
    if settled is Settled.AGAIN:
        return Moved(
            id=row.id,
            state=State.QUEUED,
            reason=f"sent again by {by}",
            not_before=now,
            best_before=max(row.best_before, now + SENT_AGAIN),
        )
    state = State.DELIVERED if settled is Settled.DELIVERED else State.FAILED
    return Moved(id=row.id, state=state, reason=f"settled by {by}")


def _ended(id_: str, row: OutboxRow | None) -> OutboxRow:
    if row is None:
        raise InputError(f"there is no message {id_}; see: notifier outbox list")
    if row.state not in {State.FAILED, State.EXPIRED}:
        raise InputError(
            f"message {id_} is {row.state.value}; only a failed or expired one is sent again. "
            "One of unknown fate is settled with: notifier outbox resolve"
        )
    return row
