"""The two readings of time: the civil one, which a demonstration may move, and the elapsed one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifier.domain.instant import Instant


class SystemClock:
    """The system's time; ``elapsed`` starts from it and then goes by the monotonic clock."""

    def __init__(self) -> None:
        self._start = time.time_ns() - time.monotonic_ns()

    def civil(self) -> Instant:
        """See ``ports.Clock``."""
        return time.time_ns() // 1_000_000

    def elapsed(self) -> Instant:
        """See ``ports.Clock``."""
        return (self._start + time.monotonic_ns()) // 1_000_000


class MovableClock(SystemClock):
    """A civil time that starts where it is told, runs on, and can be moved forwards."""

    def __init__(self, start: Instant) -> None:
        super().__init__()
        self._ahead = start - self.elapsed()

    def civil(self) -> Instant:
        """The moved time; it runs at the usual speed."""
        return self.elapsed() + self._ahead

    def move(self, span: int) -> None:
        """Forwards by ``span`` ms; never back."""
        if span < 0:
            raise ValueError("the clock of a demonstration moves forwards only")
        self._ahead += span


class FixedClock(SystemClock):
    """A civil time that stands still, for ``--now``."""

    def __init__(self, civil: Instant) -> None:
        super().__init__()
        self._civil = civil

    def civil(self) -> Instant:
        """Always the same moment."""
        return self._civil
