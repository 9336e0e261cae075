"""What may be told, decided in one place: from who asks, and how well we know it.

TT 01/2018/TT-VPCP art 16(2)(d): without authentication, the dossier's code and degree of
completion only; with it, the person's own data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain import instant, phone
from notifier.domain.message import Address
from notifier.domain.text import fold

if TYPE_CHECKING:
    from notifier.domain.dossier import Dossier


class Level(StrEnum):
    """How much. ``NONE``: the words of an unknown code, and nothing that tells it from one."""

    NONE = "none"
    L0 = "L0"
    """The code alone: the state in a word, late or not, where to ask."""
    L1 = "L1"
    """The applicant's own phone or account: procedure, papers, fees, reason, division."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks. ``guesses``: codes that were not theirs, asked lately, in ten minutes and a day."""

    address: Address = field(repr=False)
    proved_phones: frozenset[str] = field(default=frozenset(), repr=False)
    """Numbers (E.164) that a chat account has proved to be its own."""
    guesses_lately: int = 0
    guesses_today: int = 0
    tried_runs: frozenset[str] = frozenset()
    """Runs of codes (``run_of``) that somebody is trying out, whoever that is."""

    @property
    def phones(self) -> frozenset[str]:
        """Every number that this asker is known to hold."""
        own = {self.address.value} if self.address.channel == "sms" else set()
        return self.proved_phones | own

    @property
    def numbers(self) -> tuple[Address, ...]:
        """Where a dossier of theirs would send its messages: their numbers, in order."""
        return tuple(Address("sms", number) for number in sorted(self.phones))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The installation's settings. ``sensitive`` are procedure codes and folded words of titles."""

    due_date_for_anyone: bool = True
    handler_for_owner: bool = False
    sensitive_codes: frozenset[str] = frozenset()
    sensitive_words: tuple[str, ...] = ()
    most_guesses_lately: int = 10
    most_guesses_a_day: int = 30
    most_guesses_of_a_run: int = 30


GUESSING_WINDOW = 10 * instant.MINUTE
"""What "lately" means for guesses (ms)."""

RUN_WINDOW = instant.HOUR
"""How long a guessed code counts for its run (ms)."""


def run_of(code: str) -> str:
    """What a code shares with its neighbours: the unit and the day, which serials follow.

    Of another form all but its last two characters, so that a run is a hundred codes.
    """
    return code.rpartition("-")[0] or code[:-2]


def owns(asker: Asker, dossier: Dossier) -> bool:
    """Whether one of the asker's numbers is the applicant's or the agent's."""
    numbers = {
        number.e164
        for raw in (dossier.facts.applicant_phone, dossier.facts.agent_phone)
        if raw and (number := phone.read(raw))
    }
    return not numbers.isdisjoint(asker.phones)


def words_of(title: str) -> str:
    """The words of a procedure's title, without accents, case or punctuation."""
    return " ".join(re.findall(r"[^\W_]+", fold(title)))


def is_sensitive(dossier: Dossier, policy: Policy) -> bool:
    """Whether the very existence of the dossier is nobody else's business."""
    # 1.000948.H38 and 1.000948.000.00.00.H38 are what one agency makes of procedure 1.000948.
    code = (dossier.facts.procedure_code or "").strip()
    if any(code == one or code.startswith(f"{one}.") for one in policy.sensitive_codes):
        return True
    title = words_of(f"{dossier.facts.procedure_name or ''} {dossier.facts.procedure_field or ''}")
    # Whole words: "thay đổi họ" is sensitive, "thay đổi hoạt động" is not.
    return any(re.search(rf"\b{re.escape(word)}\b", title) for word in policy.sensitive_words)


def level(asker: Asker, dossier: Dossier, policy: Policy) -> Level:
    """What ``asker`` may know of ``dossier``."""
    if owns(asker, dossier):
        return Level.L1
    if is_sensitive(dossier, policy) or is_over_limit(asker, policy):
        return Level.NONE
    if run_of(dossier.code) in asker.tried_runs:
        return Level.NONE
    return Level.L0


def is_over_limit(asker: Asker, policy: Policy) -> bool:
    """Whether the asker has asked for too many codes that are not theirs."""
    return (
        asker.guesses_lately >= policy.most_guesses_lately
        or asker.guesses_today >= policy.most_guesses_a_day
    )
