"""The states a dossier can be in: numbers from the national list, words and clocks from config."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain import instant
from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from notifier.domain.dossier import Facts


class DeadlineClock(StrEnum):
    """What a state does to the time limit."""

    NOT_STARTED = "not_started"
    RUNS = "runs"
    PAUSES = "pauses"
    """The limit stands still, and goes on where it stood."""
    RESTARTS = "restarts"
    """The limit stands still, and is counted again from zero afterwards (NĐ 61/2018 art 19(4))."""
    ENDED = "ended"


class Ending(StrEnum):
    """With what a state ends a dossier, or sets it aside: how the report of promises counts it."""

    RESULT = "result"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One state. ``words`` maps a locale to the state in a word, as a citizen reads it."""

    number: int
    clock: DeadlineClock
    words: Mapping[str, str]
    ending: Ending | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureClock:
    """What states do to the limit of some procedures, where that differs from the table.

    ``procedures``: codes, or their national parts; ``fields``: folded names of fields. It holds for
    dossiers received from ``first`` to ``last``, both included; None: from ever, for ever.
    """

    clocks: Mapping[int, DeadlineClock]
    procedures: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    first: date | None = None
    last: date | None = None

    def holds(self, facts: Facts) -> bool:
        """Whether it is for a dossier of these facts; one without a day of receipt is of today."""
        code = facts.procedure_code or ""
        if not (
            any(code == known or code.startswith(f"{known}.") for known in self.procedures)
            or (facts.procedure_field and fold(facts.procedure_field) in self.fields)
        ):
            return False
        if facts.received_at is None:
            return self.last is None
        day = instant.local_date(facts.received_at)
        return not ((self.first and day < self.first) or (self.last and day > self.last))


@dataclass(frozen=True, slots=True)
class Statuses:
    """The installation's table of states, by number, and the procedures that differ from it."""

    by_number: Mapping[int, Status]
    by_procedure: tuple[ProcedureClock, ...] = ()

    def clock(self, number: int | None, facts: Facts | None = None) -> DeadlineClock:
        """What the state does to the limit of a dossier of these facts; unknown is not started."""
        if facts is not None and number is not None:
            for rule in self.by_procedure:
                if number in rule.clocks and rule.holds(facts):
                    return rule.clocks[number]
        status = self.by_number.get(number) if number is not None else None
        return status.clock if status else DeadlineClock.NOT_STARTED

    def ending(self, number: int | None) -> Ending | None:
        """With what the state ends a dossier; None where it does not."""
        status = self.by_number.get(number) if number is not None else None
        return status.ending if status else None

    def word(self, number: int | None, locale: str) -> str:
        """The state in a word; Vietnamese where the locale has none."""
        status = self.by_number.get(number) if number is not None else None
        if status is None:
            return ""
        return status.words.get(locale) or status.words["vi"]

    def __contains__(self, number: int) -> bool:
        return number in self.by_number
