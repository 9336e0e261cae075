"""Quiet hours: when nobody is written to unless they asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING

from notifier.domain import instant

if TYPE_CHECKING:
    from notifier.domain.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Messages leave from ``opens`` until ``closes`` of the same day, Vietnamese time.

    Status notices 07:00 to 22:00, broadcasts within NĐ 91/2020's hours for bulk messages.
    """

    opens: time
    closes: time

    def next_open(self, now: Instant) -> Instant:
        """``now`` where messages may leave, else the next moment (ms) at which they may."""
        clock = instant.local(now)
        if self.opens <= clock.time() < self.closes:
            return now
        day = clock.date() + timedelta(days=clock.time() >= self.closes)
        return instant.at(day, self.opens)
