"""One thing that happened to a dossier, in our own words, whatever source told us."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.instant import Instant

Stamp = tuple[int, int, str]
"""When and by what a field was last said: time in ms, rank of the event, tie-break.

The greater stamp wins. Two events of the same millisecond are ordered by how far along they are,
then by a hash of source and id: arbitrary, but the same in whatever order they arrive. Where a
source gives no time of the change, the time is the newest of its own dates, and the rank is the
arrival.
"""

PLACES = 20
"""Bits of a rank that hold the place within what arrived together."""


def known_at(stamp: Stamp) -> Instant:
    """The latest moment at which what the stamp stands for can have happened, in ms."""
    return max(stamp[0], stamp[1] >> PLACES)


class EventType(StrEnum):
    """What happened; the wire writes ``dossier.<value>``."""

    SUBMITTED = "submitted"
    RECEIVED = "received"
    REFUSED = "refused"
    PROCESSING = "processing"
    FORWARDED = "forwarded"
    SUPPLEMENT_REQUESTED = "supplement-requested"
    SUPPLEMENTED = "supplemented"
    PAYMENT_REQUESTED = "payment-requested"
    PAID = "paid"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"
    RESUMED = "resumed"
    FINISHED = "finished"
    REOPENED = "reopened"
    RETURNED = "returned"
    RESCHEDULED = "rescheduled"
    CORRECTED = "corrected"
    NOTED = "noted"


DEFAULT_STATUS: Mapping[EventType, int | None] = {
    EventType.SUBMITTED: 1,
    EventType.RECEIVED: 2,
    EventType.REFUSED: 3,
    EventType.PROCESSING: 4,
    EventType.FORWARDED: 4,
    EventType.SUPPLEMENTED: 4,
    EventType.PAID: 4,
    EventType.RESUMED: 4,
    EventType.REOPENED: 4,
    EventType.SUPPLEMENT_REQUESTED: 5,
    EventType.PAYMENT_REQUESTED: 6,
    EventType.WITHDRAWN: 7,
    EventType.STOPPED: 8,
    EventType.FINISHED: 9,
    EventType.RETURNED: 10,
    EventType.RESCHEDULED: None,
    EventType.CORRECTED: None,
    EventType.NOTED: None,
}
"""The state that an event means by its type alone; a ``status`` in its data wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierEvent:
    """One event. ``source`` with ``id`` is its identity; ``time`` orders.

    ``carried`` holds what it says: names of fields of ``dossier.Facts``, a value or None for
    "cleared". What it does not say is not in it.
    """

    id: str
    source: str
    type: EventType
    code: str
    code_raw: str
    time: Instant
    carried: Mapping[str, Any] = field(repr=False)
    arrived: Instant | None = None
    """Set where the source gave no time of the change: ``time`` is the newest of its own dates."""
    place: int = 0
    """Which of those that arrived together it is; the last one wins."""
    raw: bytes = field(default=b"", repr=False, compare=False)
    """As it came, for the quarantine."""
    door: str = field(default="events", compare=False)
    """Where it came in, for the quarantine."""

    @property
    def stamp(self) -> Stamp:
        """Its place in the order of events."""
        rank = self.carried.get("status") or 0
        if self.arrived is not None:
            rank = (self.arrived << PLACES) + min(self.place, (1 << PLACES) - 1)
        elif self.type in {EventType.RESCHEDULED, EventType.CORRECTED}:
            rank = 100  # at the same instant a correction wins over what it corrects
        tie = blake2b(f"{self.source}\x00{self.id}".encode(), digest_size=6).hexdigest()
        return (self.time, rank, tie)
