"""A circuit breaker: a gateway that fails again and again rests, and is tried with one message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.outcome import Permanent, Scope, Temporary, Throttled, Unknown
from notifier.domain.retry import ALARM_PAUSE

if TYPE_CHECKING:
    from notifier.domain.instant import Instant
    from notifier.domain.outcome import Outcome

TOLERATED: Final = 3
"""Failures in a row that open the breaker."""

SHORTEST_REST: Final = 2 * instant.SECOND
LONGEST_REST: Final = 15 * instant.SECOND
"""A rest (ms) is twice the last, up to this; the first message after it shows whether it helped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """``failures`` in a row, ``rest`` the last rest in ms, ``until`` when it ends (elapsed ms)."""

    failures: int = 0
    rest: int = 0
    until: Instant = 0

    def places(self, free: int, *, now: Instant, in_flight: int) -> int:
        """How many of ``free`` places may be used: none while it rests, then one at a time."""
        if now < self.until:
            return 0
        if self.failures >= TOLERATED:
            return min(free, 1) if in_flight == 0 else 0
        return free

    def after(self, outcome: Outcome, *, now: Instant) -> Breaker:
        """The breaker after ``outcome``. What was under way when it opened opens it no further."""
        match outcome:
            case Throttled(scope=Scope.GATEWAY, retry_after=wait):
                return replace(self, until=max(self.until, now + wait))
            case Throttled():
                return self
            case Permanent(scope=Scope.ACCOUNT | Scope.CONFIGURATION):
                return Breaker(failures=TOLERATED, rest=ALARM_PAUSE, until=now + ALARM_PAUSE)
            case Temporary() | Unknown():
                return self._failed(now)
            case _:
                return Breaker()

    def _failed(self, now: Instant) -> Breaker:
        failures = self.failures + 1
        if now < self.until or failures < TOLERATED:
            return replace(self, failures=failures)
        rest = min(max(2 * self.rest, SHORTEST_REST), LONGEST_REST)
        return Breaker(failures=failures, rest=rest, until=now + rest)
