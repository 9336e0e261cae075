"""The event interface as a source: signed requests of CloudEvents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.errors import EventError
from notifier.sources import cloudevents, standard_webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.event import DossierEvent
    from notifier.ports import Clock, Quarantined


class EventApi:
    """Checks the signature, and reads every event that a request holds."""

    def __init__(self, clock: Clock, *, secret: bytes, tolerance: int) -> None:
        """``tolerance``: how old a request may be, and how far ahead (ms)."""
        self._clock = clock
        self._secret = secret
        self._tolerance = tolerance

    def read(
        self, body: bytes, content_type: str, headers: Mapping[str, str]
    ) -> list[DossierEvent | Quarantined]:
        """See ``ports.HttpSource``."""
        standard_webhooks.verify(
            self._secret, headers, body, now=self._clock.elapsed(), tolerance=self._tolerance
        )
        now = self._clock.civil()
        try:
            items = cloudevents.read_body(body, content_type, headers)
        except EventError as error:
            return [cloudevents.unreadable(body, error, now)]
        return [cloudevents.read_item(item, now) for item in items]
