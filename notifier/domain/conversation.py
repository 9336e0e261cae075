"""What went before a question: the asker's own dossiers, what they asked, how often."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.status import DeadlineClock

if TYPE_CHECKING:
    from notifier.domain.dossier import Dossier
    from notifier.domain.status import Statuses

FOLLOW_UP: Final = 30 * instant.MINUTE
"""For how long (ms) "when will it be done" still means the dossier asked for before."""

HELP_PAUSE: Final = 10 * instant.MINUTE
"""Who is not understood is told so once in this time (ms); people see to the rest."""

MOST_ASKED: Final = 20
"""Texts of one sender within ``HELP_PAUSE`` that are answered; more come from a machine."""

MOST_SHOWN: Final = 3
"""Dossiers in one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """``own``: the asker's dossiers, latest first; ``recent``: codes asked for within FOLLOW_UP.

    ``asked`` and ``not_understood`` count the sender's texts within HELP_PAUSE.
    """

    own: tuple[Dossier, ...] = field(default=(), repr=False)
    recent: tuple[str, ...] = ()
    asked: int = 0
    not_understood: int = 0

    @property
    def is_a_loop(self) -> bool:
        """Whether the sender writes as only a machine does."""
        return self.asked >= MOST_ASKED

    def meant(self, statuses: Statuses) -> tuple[str, ...]:
        """The codes that a question without one is about: the last asked for, else their own.

        Of their own those that are still open or wait to be collected; else the latest.
        """
        if self.recent:
            return self.recent[:MOST_SHOWN]
        waiting = [dossier for dossier in self.own if _waits(dossier, statuses)]
        return tuple(dossier.code for dossier in (waiting or self.own[:1])[:MOST_SHOWN])


def score(words: str) -> int | None:
    """What a rating says, 1 to 5, from plain words; None where it can't be told."""
    found = re.search(r"\b([1-5])\b", words)
    if found:
        return int(found[1])
    satisfied = "hai long" in words or "satisfied" in words
    if re.search(r"\b(khong|chua|not)\b", words) and satisfied:
        return 2
    if satisfied:
        return 5 if re.search(r"\b(rat|very)\b", words) else 4
    return 3 if "binh thuong" in words else None


READY: Final = 9
RETURNED: Final = 10


def _waits(dossier: Dossier, statuses: Statuses) -> bool:
    return dossier.status == READY or statuses.clock(dossier.status) is not DeadlineClock.ENDED
