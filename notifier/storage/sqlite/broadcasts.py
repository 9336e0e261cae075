"""Broadcasts and their lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.domain.message import State
from notifier.storage.records.broadcasts import (
    BROADCAST,
    BROADCAST_ACT,
    RECIPIENT,
    BroadcastRecords,
    broadcast_row,
    read_broadcast,
)
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.audience import Recipient
    from notifier.domain.broadcast import Broadcast, BroadcastState
    from notifier.domain.instant import Instant


class BroadcastRows(BroadcastRecords, Rows):
    """The tables ``broadcast``, ``recipient`` and ``broadcast_act``."""

    async def add_broadcast(self, broadcast: Broadcast) -> None:
        """See ``ports.Session``."""
        await self.insert(f"INSERT INTO broadcast ({BROADCAST})", [broadcast_row(broadcast)])

    async def add_recipients(self, broadcast_id: str, recipients: Sequence[Recipient]) -> int:
        """See ``ports.Session``."""
        added = await self.insert(
            f"INSERT OR IGNORE INTO recipient ({RECIPIENT})",
            self._recipient_rows(broadcast_id, recipients),
            "RETURNING row",
        )
        return len(added)

    async def broadcast(self, broadcast_id: str) -> Broadcast | None:
        """See ``ports.Session``."""
        rows = await self.run(f"SELECT {BROADCAST} FROM broadcast WHERE id = ?", (broadcast_id,))
        return read_broadcast(rows[0]) if rows else None

    async def broadcasts(self, state: BroadcastState | None = None) -> list[Broadcast]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {BROADCAST} FROM broadcast WHERE ?1 IS NULL OR state = ?1 ORDER BY id DESC",
            (state,),
        )
        return [read_broadcast(row) for row in rows]

    async def move_broadcast(
        self, broadcast: Broadcast, to: BroadcastState, by: str, act: str, now: Instant
    ) -> bool:
        """See ``ports.Session``."""
        rows = await self.run(
            "UPDATE broadcast SET state = ?1, "
            "approver = CASE WHEN ?1 = 'approved' THEN ?2 ELSE approver END "
            "WHERE id = ?3 AND state = ?4 RETURNING id",
            (to, by, broadcast.id, broadcast.state),
        )
        if rows:
            await self.insert(
                f"INSERT INTO broadcast_act ({BROADCAST_ACT})", [(broadcast.id, now, act, by)]
            )
        return bool(rows)

    async def recipients(self, broadcast_id: str, after: int, limit: int) -> list[Recipient]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT row, body_sealed FROM recipient WHERE broadcast = ? AND row > ? "
            "ORDER BY row LIMIT ?",
            (broadcast_id, after, limit),
        )
        return self._recipients(rows)

    async def release_recipients(self, broadcast_id: str, up_to_row: int, count: int) -> None:
        """See ``ports.Session``."""
        await self.run(
            "UPDATE broadcast SET released = released + ?, released_row = max(released_row, ?) "
            "WHERE id = ?",
            (count, up_to_row, broadcast_id),
        )

    async def released_up_to(self, broadcast_id: str) -> int:
        """See ``ports.Session``."""
        rows = await self.run("SELECT released_row FROM broadcast WHERE id = ?", (broadcast_id,))
        return int(rows[0][0]) if rows else 0

    async def broadcast_counts(self, broadcast_id: str) -> dict[State, int]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT state, count(*) FROM message WHERE broadcast = ? GROUP BY state",
            (broadcast_id,),
        )
        return {State(state): count for state, count in rows}

    async def open_of_broadcast(self, broadcast_id: str, limit: int) -> int:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT count(*) FROM (SELECT 1 FROM message WHERE broadcast = ? "
            "AND state IN ('queued', 'sending') LIMIT ?)",
            (broadcast_id, limit),
        )
        return int(rows[0][0])

    async def cancel_broadcast(self, broadcast_id: str, reason: str, now: Instant) -> int:
        """See ``ports.Session``."""
        rows = await self.run(
            "UPDATE message SET state = 'cancelled', reason = ?, updated_at = ? "
            "WHERE broadcast = ? AND state = 'queued' RETURNING id",
            (reason, now, broadcast_id),
        )
        return len(rows)
