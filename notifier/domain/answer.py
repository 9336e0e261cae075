"""What is answered to an inquiry: the decision, before any wording."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain import disclosure
from notifier.domain.code import parse
from notifier.domain.consent import EVERYTHING
from notifier.domain.disclosure import Level
from notifier.domain.inquiry import Intent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.disclosure import Asker, Policy
    from notifier.domain.dossier import Dossier
    from notifier.domain.inquiry import Inquiry
    from notifier.domain.unit import Units


class Say(StrEnum):
    """One part of an answer; each has a template of its name."""

    STATUS = "answer_status"
    UNKNOWN_CODE = "answer_unknown_code"
    ELSEWHERE = "answer_elsewhere"
    STOPPED = "answer_stopped"
    STOPPED_ONE = "answer_stopped_one"
    STARTED = "answer_started"
    HELP = "answer_help"
    ASK_CODE = "answer_ask_code"
    LEGAL_ACT = "answer_legal_act"
    NOT_UNDERSTOOD = "answer_not_understood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing to say; ``dossier`` is there only as far as ``level`` lets it be told."""

    say: Say
    code: str = ""
    dossier: Dossier | None = field(default=None, repr=False)
    level: Level = Level.NONE
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The parts in order, and what is to be done beside answering."""

    parts: tuple[Part, ...]
    refuse: tuple[str, ...] = ()
    """Scopes to refuse from now on (see ``consent``)."""
    resume: bool = False
    guesses: int = 0
    """Codes asked for that are not the asker's own; they count against guessing."""

    @property
    def level(self) -> Level:
        """The most that any part discloses; an answer without a dossier is level 0."""
        return Level.L1 if any(part.level is Level.L1 for part in self.parts) else Level.L0


LEGAL_ACTS = frozenset({Intent.WITHDRAW, Intent.CHANGE_CONTACT})
"""Never performed by a text message; the answer explains where."""


SMALL_TALK = frozenset({Intent.HELP, Intent.GREETING, Intent.THANKS})
"""Answered with what the service can do."""


def decide(
    inquiry: Inquiry,
    dossiers: Mapping[str, Dossier],
    asker: Asker,
    *,
    policy: Policy,
    units: Units,
) -> Answer:
    """The answer to ``inquiry``; ``dossiers`` holds those of its codes that exist."""
    looked_up = [_look_up(code, dossiers.get(code), asker, policy, units) for code in inquiry.codes]
    guesses = sum(part.level is not Level.L1 for part in looked_up)
    if inquiry.intent is Intent.OPT_OUT:
        parts = tuple(Part(say=Say.STOPPED_ONE, code=code) for code in inquiry.codes)
        return Answer(
            parts=parts or (Part(say=Say.STOPPED),), refuse=inquiry.codes or (EVERYTHING,)
        )
    if inquiry.intent is Intent.SUBSCRIBE and not inquiry.codes:
        return Answer(parts=(Part(say=Say.STARTED),), resume=True)
    if inquiry.intent in LEGAL_ACTS:
        return Answer(parts=(Part(say=Say.LEGAL_ACT),))
    if inquiry.intent in SMALL_TALK and not looked_up:
        return Answer(parts=(Part(say=Say.HELP),))
    if looked_up:
        return Answer(parts=tuple(looked_up), guesses=guesses)
    if inquiry.intent is Intent.UNKNOWN:
        return Answer(parts=(Part(say=Say.NOT_UNDERSTOOD),))
    return Answer(parts=(Part(say=Say.ASK_CODE),))


def _look_up(
    code: str, dossier: Dossier | None, asker: Asker, policy: Policy, units: Units
) -> Part:
    if dossier is not None:
        level = disclosure.level(asker, dossier, policy)
        if level is not Level.NONE:
            return Part(say=Say.STATUS, code=code, dossier=dossier, level=level)
    national = parse(code)
    place = units.elsewhere(national.level1) if national else None
    if place is not None:
        return Part(say=Say.ELSEWHERE, code=code, place=place)
    return Part(say=Say.UNKNOWN_CODE, code=code)
