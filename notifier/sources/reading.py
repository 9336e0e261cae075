"""What every way in asks of a source's form: bytes to events, with an arrival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from notifier.errors import EventError, InputError
from notifier.sources import cloudevents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.ports import Quarantined

CLOUDEVENTS: Final = "cloudevents"
"""The name of the map that is none: what comes in are events of the event interface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When items came in (ms), and the place of the first among those of that moment."""

    at: Instant
    place: int = 0


class Reader(Protocol):
    """Reads what a source says, in its own form. Pure: the same bytes are the same events."""

    def read(self, body: bytes, arrived: Arrival) -> list[DossierEvent | Quarantined]:
        """The items, at least one; bytes that are none become one to quarantine."""

    def read_row(self, cells: Mapping[str, str], arrived: Arrival) -> DossierEvent | Quarantined:
        """A line of a table, by column."""

    def lacking(self, columns: Iterable[str]) -> str:
        """The column that a table needs and ``columns`` do not have; else an empty text."""

    def unreadable(self, raw: bytes, error: EventError, now: Instant) -> Quarantined:
        """What holds no item at all; the same bytes are kept once."""


class CloudEventReader:
    """Events of the event interface, as files and streams bring them."""

    def read(self, body: bytes, arrived: Arrival) -> list[DossierEvent | Quarantined]:
        """See ``Reader``: an event, or a list of them."""
        return cloudevents.read_kept(body, arrived.at)

    def read_row(self, cells: Mapping[str, str], arrived: Arrival) -> DossierEvent | Quarantined:
        """Never: a table has no events."""
        del cells, arrived
        raise InputError("events are not read from tables; name a source with a map of its own")

    def lacking(self, columns: Iterable[str]) -> str:
        """See ``read_row``."""
        del columns
        raise InputError("events are not read from tables; name a source with a map of its own")

    def unreadable(self, raw: bytes, error: EventError, now: Instant) -> Quarantined:
        """See ``Reader``."""
        return cloudevents.unreadable(raw, error, now)
