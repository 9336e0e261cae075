"""A circuit breaker: a gateway that fails again and again rests, and is tried with one message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.outcome import Partial, Permanent, Scope, Temporary, Throttled, Unknown
from notifier.domain.retry import ALARM_PAUSE

if TYPE_CHECKING:
    from notifier.domain.instant import Instant
    from notifier.domain.outcome import Outcome

TOLERATED: Final = 3
"""Failures in a row that open the breaker."""

SHORTEST_REST: Final = 2 * instant.SECOND
LONGEST_REST: Final = 15 * instant.SECOND
"""A rest (ms) is twice the last, up to this; the first message after it shows whether it helped."""

REFUSED: Final = {
    Scope.ACCOUNT: (
        "the provider refuses our account ({}): look at the contract, the balance and the "
        "credentials"
    ),
    Scope.CONFIGURATION: (
        "the provider refuses our configuration ({}): correct the gateway's table in "
        "notifier.toml, and start again"
    ),
}
"""Why it is open at once, and what to do; one message every half minute shows when it helped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """``failures`` in a row, ``rest`` the last rest in ms, ``until`` when it ends (elapsed ms).

    ``reason`` says in a sentence why it is open, and ``since`` is when it opened (elapsed ms).
    """

    failures: int = 0
    rest: int = 0
    until: Instant = 0
    since: Instant = 0
    reason: str = ""

    @property
    def open(self) -> bool:
        """Whether it failed too often, and has not shown since that it works again."""
        return self.failures >= TOLERATED

    def usable(self, now: Instant) -> bool:
        """Whether nothing speaks against it: another gateway of its channel is not needed.

        One that is tried with a single message is not: while that is under way the others go on.
        """
        return not self.open and now >= self.until

    def places(self, free: int, *, now: Instant, in_flight: int) -> int:
        """How many of ``free`` places may be used: none while it rests, then one at a time."""
        if now < self.until:
            return 0
        if self.open:
            return min(free, 1) if in_flight == 0 else 0
        return free

    def after(self, outcome: Outcome, *, now: Instant) -> Breaker:
        """The breaker after ``outcome``. What was under way when it opened opens it no further."""
        match outcome:
            case Throttled(scope=Scope.GATEWAY, retry_after=wait):
                return replace(self, until=max(self.until, now + wait))
            case Throttled():
                return self
            case Permanent(scope=Scope.ACCOUNT | Scope.CONFIGURATION as scope):
                return Breaker(
                    failures=TOLERATED,
                    rest=ALARM_PAUSE,
                    until=now + ALARM_PAUSE,
                    since=self.since if self.open else now,
                    reason=REFUSED[scope].format(_said(outcome.code, outcome.detail)),
                )
            case Partial(rest=Permanent() as rest):
                return self.after(rest, now=now)
            case Temporary() | Unknown():
                return self._failed(_said(outcome.code, outcome.detail), now)
            case _:
                # It works; but a wait that the provider asked for is not over for that.
                return Breaker(until=0 if self.open else self.until)

    def _failed(self, why: str, now: Instant) -> Breaker:
        failures = self.failures + 1
        if failures < TOLERATED or (self.open and now < self.until):
            return replace(self, failures=failures)
        rest = min(max(2 * self.rest, SHORTEST_REST), LONGEST_REST)
        return Breaker(
            failures=failures,
            rest=rest,
            until=max(self.until, now + rest),
            since=self.since if self.open else now,
            reason=f"{failures} attempts in a row failed, the last with {why}",
        )


def _said(code: str, detail: str) -> str:
    return f"{code}: {detail}" if detail else code
