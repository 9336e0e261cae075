"""What went before a question: the asker's own dossiers, what they asked, how often."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from rapidfuzz.distance import OSA

from notifier.domain import instant
from notifier.domain.inquiry import Intent
from notifier.domain.status import DeadlineClock

if TYPE_CHECKING:
    from notifier.domain.dossier import Dossier
    from notifier.domain.inquiry import Inquiry, Keywords
    from notifier.domain.instant import Instant
    from notifier.domain.status import Statuses

FOLLOW_UP: Final = 30 * instant.MINUTE
"""For how long (ms) "when will it be done" still means the dossier asked for before."""

HELP_PAUSE: Final = 10 * instant.MINUTE
"""Who is not understood is told so once in this time (ms); people see to the rest."""

MOST_ASKED: Final = 20
"""Texts of one sender within ``HELP_PAUSE`` that are answered; more come from a machine."""

MOST_SHOWN: Final = 3
"""Dossiers in one answer."""

MOST_MISTYPED: Final = 2
"""Characters wrong, missing, too many or swapped in a code that still nearly matches another."""

MOST_OFFERED: Final = 2
"""Codes that one unknown code is asked back with."""

LONGEST_GATHERING: Final = 10 * instant.SECOND
"""How long (ms) fragments are waited for at the most, however many come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one sender wrote lately.

    ``texts`` and ``not_understood`` are counts; ``codes``: those asked for last; ``offered``:
    those that the last text was answered with as a question, and ``intent`` what that text wanted.
    """

    texts: int = 0
    not_understood: int = 0
    codes: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    intent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """``own``: the asker's dossiers, latest first; ``said``: what they wrote before."""

    own: tuple[Dossier, ...] = field(default=(), repr=False)
    said: Said = Said()

    @property
    def is_a_loop(self) -> bool:
        """Whether the sender writes as only a machine does."""
        return self.said.texts >= MOST_ASKED

    def meant(self, words: str, statuses: Statuses) -> tuple[str, ...]:
        """The codes that a question without one is about: the last asked for, else their own.

        Of their own the one whose serial stands in ``words``; else those that are still open or
        wait to be collected; else the latest.
        """
        if self.said.codes:
            return self.said.codes[:MOST_SHOWN]
        named = _by_serial(words, self.own)
        waiting = [dossier for dossier in self.own if _waits(dossier, statuses)]
        return tuple(dossier.code for dossier in (named or waiting or self.own[:1])[:MOST_SHOWN])

    def nearly(self, code: str) -> tuple[str, ...]:
        """The asker's own codes that ``code`` may be a slip of, nearest first.

        Only ever their own: of others' dossiers it must not be learnt that they exist.
        """
        near = [
            (distance, dossier.code)
            for dossier in self.own
            if 0 < (distance := OSA.distance(code, dossier.code)) <= MOST_MISTYPED
        ]
        return tuple(found for _, found in sorted(near)[:MOST_OFFERED])


def resolved(inquiry: Inquiry, said: Said, keywords: Keywords) -> Inquiry:
    """``inquiry`` with the code that it picks from those offered before; else as it is.

    A pick wants what the text wanted that was asked back; who says no is told where a code stands.
    """
    if not said.offered or inquiry.codes or inquiry.either:
        return inquiry
    number = re.fullmatch(r"(?:so |ma |cai )?([1-9])", inquiry.words)
    if number and int(number[1]) <= len(said.offered):
        picked = said.offered[int(number[1]) - 1]
    elif len(said.offered) == 1 and _fits(keywords.yes, inquiry):
        picked = said.offered[0]
    elif _fits(keywords.no, inquiry):
        return replace(inquiry, intent=Intent.CODE_HELP, by="no to a code that was asked back")
    else:
        return inquiry
    wanted = Intent(said.intent) if said.intent in frozenset(Intent) else Intent.STATUS
    return replace(
        inquiry,
        codes=(picked,),
        intent=Intent.STATUS if wanted is Intent.UNKNOWN else wanted,
        by="a code that was asked back",
    )


def _fits(pattern: re.Pattern[str] | None, inquiry: Inquiry) -> bool:
    return pattern is not None and pattern.search(f" {inquiry.words} ") is not None


def gathered_until(first: Instant, now: Instant, wait: int) -> Instant:
    """Until when fragments that began at ``first`` wait, another having come; all in ms."""
    return min(now + wait, first + LONGEST_GATHERING)


def _by_serial(words: str, own: tuple[Dossier, ...]) -> list[Dossier]:
    """Who has lost the rest of the code says its last figures: "số 0012 nộp hôm 3/7"."""
    numbers = {number.lstrip("0") for number in re.findall(r"\b0*[1-9]\d{1,6}\b", words)}
    return [dossier for dossier in own if dossier.code.rpartition("-")[2].lstrip("0") in numbers]


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
    clock = statuses.clock(dossier.status, dossier.facts)
    return dossier.status == READY or clock is not DeadlineClock.ENDED
