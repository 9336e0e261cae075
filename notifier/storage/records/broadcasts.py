"""Broadcasts and their lists, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifier.domain.audience import Recipient
from notifier.domain.broadcast import Broadcast, BroadcastState
from notifier.domain.message import Address
from notifier.storage.packing import pack, unpack
from notifier.storage.records.base import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BROADCAST = (
    "id, title, template, channel, keep_accents, state, author, approver, created_at, recipients, "
    "segments, refused, faults, released"
)
RECIPIENT = "broadcast, row, address_hash, body_sealed"
BROADCAST_ACT = "broadcast, at, act, by"


class BroadcastRecords(Records):
    """The tables ``broadcast``, ``recipient`` and ``broadcast_act``."""

    def _recipient_rows(
        self, broadcast_id: str, recipients: Sequence[Recipient]
    ) -> list[tuple[Any, ...]]:
        """In the order of ``RECIPIENT``."""
        return [
            (
                broadcast_id,
                recipient.row,
                self._hash(recipient.address),
                self._sealer.seal(pack([str(recipient.address), recipient.values]), b"recipient"),
            )
            for recipient in recipients
        ]

    def _recipients(self, rows: Iterable[Sequence[Any]]) -> list[Recipient]:
        """From rows of number and body."""
        found = []
        for row, sealed in rows:
            address, values = unpack(self._sealer.open(sealed, b"recipient"))
            found.append(Recipient(row=row, address=Address.parse(address), values=values))
        return found


def broadcast_row(b: Broadcast) -> tuple[Any, ...]:
    """In the order of ``BROADCAST``."""
    return (
        b.id, b.title, b.template, b.channel, b.keep_accents, b.state, b.author, b.approver,
        b.created_at, b.recipients, b.segments, b.refused, b.faults, b.released,
    )  # fmt: skip


def read_broadcast(row: Sequence[Any]) -> Broadcast:
    """From a row in the order of ``BROADCAST``."""
    (id_, title, template, channel, keep_accents, state, author, approver, created_at, recipients,
     segments, refused, faults, released) = row  # fmt: skip
    return Broadcast(
        id=id_,
        title=title,
        template=template,
        channel=channel,
        keep_accents=bool(keep_accents),
        state=BroadcastState(state),
        author=author,
        approver=approver,
        created_at=created_at,
        recipients=recipients,
        segments=segments,
        refused=refused,
        faults=faults,
        released=released,
    )
