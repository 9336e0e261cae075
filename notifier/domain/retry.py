"""What follows an attempt: where the message goes next, when, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, assert_never

from notifier.domain import instant
from notifier.domain.message import Lane, State
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)

if TYPE_CHECKING:
    from notifier.domain.capabilities import Capabilities
    from notifier.domain.instant import Instant
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.domain.rules import Rule

FIRST_PAUSE: Final = {
    Lane.ANSWER: 2 * instant.SECOND,
    Lane.DEADLINE: 15 * instant.SECOND,
    Lane.NOTICE: 30 * instant.SECOND,
    Lane.BULK: instant.MINUTE,
}
"""Ms before the second attempt; each further pause is twice the last, up to the longest."""

LONGEST_PAUSE: Final = instant.HOUR
MOST_ATTEMPTS: Final = 12

ALARM_PAUSE: Final = 30 * instant.SECOND
"""How long a gateway whose account or configuration was refused rests, and its messages wait."""

RESTING_PAUSE: Final = instant.MINUTE
"""The longest pause (ms) of a message whose gateway rests: all flows again soon after."""

MOST_SAME_KEY: Final = 5
"""How often a message of unknown fate is sent again with its key, where that can't double it."""

SAME_KEY_MARGIN: Final = instant.MINUTE
"""How long (ms) before a provider forgets a key it is no longer relied upon."""

ASKING: Final = 10 * instant.MINUTE
"""For how long (ms) a provider is asked what became of a message."""

UNKNOWN_WAIT: Final = 2 * instant.MINUTE
"""How long a message of unknown fate waits for a delivery report before its class decides (ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The message's next state. ``not_before`` (ms) where it is queued again.

    ``counts`` is False where the attempt is not held against it; ``alarm`` where every message of
    the gateway is concerned and staff must hear of it.
    """

    state: State
    reason: str = ""
    not_before: Instant | None = None
    counts: bool = True
    alarm: bool = False


def pause(message: Message) -> int:
    """Ms before the next attempt: doubling, with up to a quarter of jitter derived from the key."""
    doublings = min(max(message.tries - 1, 0), 20)
    doubled = min(FIRST_PAUSE[message.lane] << doublings, LONGEST_PAUSE)
    draw = blake2b(f"{message.key}#{message.attempts}".encode(), digest_size=2).digest()
    return doubled + doubled * int.from_bytes(draw, "big") // (4 * 65_535)


def verdict(
    message: Message,
    outcome: Outcome,
    *,
    now: Instant,
    resting: bool = False,
    relieved: bool = False,
) -> Verdict:
    """Where ``message`` goes after ``outcome`` of the attempt that ``message.attempts`` counts.

    ``resting``: its gateway fails whatever it is given, so no message is given up for it;
    ``relieved``: another gateway of the channel takes over, so that nothing has to wait.
    Whether it goes on over another channel instead is for ``ladder.is_over``.
    """
    match outcome:
        case Accepted():
            return Verdict(state=State.ACCEPTED, reason="duplicate" if outcome.duplicate else "")
        case Throttled():
            return _later(message, outcome, now)
        case Temporary():
            return _again(message, outcome, now, resting=resting, relieved=relieved)
        case Permanent(scope=Scope.ACCOUNT | Scope.CONFIGURATION):
            return _held(message, outcome, now, relieved=relieved)
        case Permanent():
            return Verdict(
                state=State.FAILED,
                reason=_said(outcome.code, outcome.detail),
            )
        case OptedOut():
            return Verdict(state=State.FAILED, reason=f"recipient refuses ({outcome.code})")
        case Unknown():
            return Verdict(state=State.UNKNOWN, reason=_said(outcome.code, outcome.detail))
        case Partial():
            # Parts of it have left: whatever became of the rest, the attempt stays on record.
            rest = verdict(message, outcome.rest, now=now, resting=resting, relieved=relieved)
            return replace(rest, counts=True)
        case _:
            assert_never(outcome)


class Way(StrEnum):
    """What is tried next to settle a message of unknown fate, in this order."""

    SAME_KEY = "same_key"
    """Sent again by the same gateway, whose provider drops what it has already."""
    ASK = "ask"
    """The provider can be asked."""
    WAIT = "wait"
    """A delivery report may still come."""
    AGAIN = "again"
    """Sent once more, though it may be doubled."""
    PERSON = "person"


def settle(
    message: Message,
    rule: Rule | None,
    capabilities: Capabilities | None,
    *,
    times: int,
    since: Instant,
    first_at: Instant,
    now: Instant,
) -> Way:
    """How to go on with a message that became unknown ``times`` times, the last time at ``since``.

    ``capabilities`` are those of the gateway that sent it; None where it is there no more.
    ``first_at`` is when its first attempt began: from then on the provider may know its key.
    """
    fresh = now < message.best_before
    if capabilities is not None and fresh and times <= MOST_SAME_KEY:
        remembered = capabilities.suppresses_duplicates - SAME_KEY_MARGIN
        if 0 <= now - first_at < remembered:  # before nought the clock went back: nobody knows
            return Way.SAME_KEY
    if capabilities is not None and capabilities.can_query and now - since < ASKING:
        return Way.ASK
    if now - since < UNKNOWN_WAIT:
        return Way.WAIT
    if fresh and times <= 1 and resend_after_unknown(message, rule):
        return Way.AGAIN
    return Way.PERSON


def resend_after_unknown(message: Message, rule: Rule | None) -> bool:
    """Whether a message of unknown fate may be sent once more without a person.

    An answer: yes, a doubled one does no harm. A notice: as its rule says; an apology's says no.
    What no rule asked for, such as a broadcast: not without a person.
    """
    return message.lane is Lane.ANSWER or (rule is not None and rule.resend)


def _later(message: Message, outcome: Throttled, now: Instant) -> Verdict:
    wait = max(outcome.retry_after, 1)
    if now + wait >= message.best_before:
        return Verdict(state=State.EXPIRED, reason="no time left to try again: throttled")
    return Verdict(state=State.QUEUED, reason="throttled", not_before=now + wait, counts=False)


def _held(message: Message, outcome: Permanent, now: Instant, *, relieved: bool) -> Verdict:
    """Our account or configuration was refused: no fault of this message, so it waits."""
    reason = f"held: {_said(outcome.code, outcome.detail)}"
    wait = 0 if relieved else ALARM_PAUSE
    if now + wait >= message.best_before:
        return Verdict(state=State.EXPIRED, reason=reason, alarm=True)
    return Verdict(
        state=State.QUEUED, reason=reason, not_before=now + wait, counts=False, alarm=True
    )


def _again(
    message: Message, outcome: Temporary, now: Instant, *, resting: bool, relieved: bool
) -> Verdict:
    reason = _said(outcome.code, outcome.detail)
    if message.tries >= MOST_ATTEMPTS and not resting:
        return Verdict(state=State.FAILED, reason=f"given up after {MOST_ATTEMPTS}: {reason}")
    if relieved:
        wait = 0
    else:
        own = min(pause(message), RESTING_PAUSE) if resting else pause(message)
        wait = max(own, outcome.retry_after or 0)
    if now + wait >= message.best_before:
        return Verdict(state=State.EXPIRED, reason=f"no time left to try again: {reason}")
    return Verdict(state=State.QUEUED, reason=reason, not_before=now + wait)


def _said(code: str, detail: str) -> str:
    return f"{code}: {detail}" if detail else code
