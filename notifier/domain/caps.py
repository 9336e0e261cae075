"""How often one address is written to by what nobody asked for: at most so many in 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.message import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Message

WINDOW: Final = instant.DAY
"""The span (ms) that is looked back over; it slides, and does not begin anew at midnight."""

CAPPED: Final = (Lane.NOTICE, Lane.BULK)
"""Answers were asked for; a deadline and its apology are owed, however many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Messages to one address in 24 hours.

    NĐ 91/2020 allows three bulk messages, whatever broadcasts they belong to.
    """

    bulk: int = 3
    notices: int = 10

    def of(self, lane: Lane) -> int:
        """The cap of a lane that has one."""
        return self.bulk if lane is Lane.BULK else self.notices


def concerns(message: Message) -> bool:
    """Whether a cap may hold ``message`` back; not what has begun to arrive, nor an answer."""
    return message.lane in CAPPED and message.notice != "answer" and not message.accepted_parts


def frees_at(left: Sequence[Instant], cap: int, now: Instant) -> Instant | None:
    """When (ms) the next may leave after those that ``left``; None where it may leave now."""
    recent = sorted(at for at in left if at > now - WINDOW)
    return recent[-cap] + WINDOW if len(recent) >= cap else None
