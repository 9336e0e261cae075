"""The states a dossier can be in: numbers from the national list, words and clocks from config."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class DeadlineClock(StrEnum):
    """What a state does to the time limit."""

    NOT_STARTED = "not_started"
    RUNS = "runs"
    PAUSES = "pauses"
    """The limit stands still, and goes on where it stood."""
    RESTARTS = "restarts"
    """The limit stands still, and is counted again from zero afterwards (NĐ 61/2018 art 19(4))."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One state. ``words`` maps a locale to the state in a word, as a citizen reads it."""

    number: int
    clock: DeadlineClock
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Statuses:
    """The installation's table of states, by number."""

    by_number: Mapping[int, Status]

    def clock(self, number: int | None) -> DeadlineClock:
        """What the state does to the limit; nothing known is not started."""
        status = self.by_number.get(number) if number is not None else None
        return status.clock if status else DeadlineClock.NOT_STARTED

    def word(self, number: int | None, locale: str) -> str:
        """The state in a word; Vietnamese where the locale has none."""
        status = self.by_number.get(number) if number is not None else None
        if status is None:
            return ""
        return status.words.get(locale) or status.words["vi"]

    def __contains__(self, number: int) -> bool:
        return number in self.by_number
