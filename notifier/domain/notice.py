"""A notice: one thing that one person is to be told about one dossier, once.

Its identity is derived from the dossier, so that a restart, a re-push, another channel or a
corrected phone makes no second one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from notifier.domain import deadline, email, lasting, phone
from notifier.domain.message import Lane
from notifier.domain.rules import (
    ApologyRule,
    DueRule,
    RescheduleRule,
    Rule,
    StateRule,
    TransitionRule,
)

if TYPE_CHECKING:
    from notifier.domain.dossier import Dossier
    from notifier.domain.instant import Instant
    from notifier.domain.status import Statuses

MOVED_ON: Final = "the dossier has moved on"
"""Why a notice that waited is superseded."""


class Role(StrEnum):
    """In what part a person hears of a dossier."""

    APPLICANT = "applicant"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is told: the agent where there is one, else the applicant."""

    role: Role
    phone: phone.Phone | None = field(repr=False)
    name: str | None = field(repr=False)
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """``episode`` tells one occasion from the next: a due date, the number of the supplement."""

    rule: Rule
    dossier: Dossier = field(repr=False)
    episode: str
    person: Person

    @property
    def key(self) -> str:
        """Dossier, family, episode and role: at most one notice a key, for ever."""
        return notice_key(self.dossier.code, self.rule.family, self.episode, self.person.role)


def notice_key(code: str, family: str, episode: str, role: Role) -> str:
    """The identity of a notice."""
    return f"{code}|{family}|{episode}|{role.value}"


def person_of(dossier: Dossier) -> Person:
    """Who is told about ``dossier``."""
    facts = dossier.facts
    if facts.agent_phone or facts.agent_name:
        return Person(
            role=Role.AGENT,
            phone=phone.read(facts.agent_phone or ""),
            name=facts.agent_name,
            email=email.read(facts.agent_email or ""),
        )
    return Person(
        role=Role.APPLICANT,
        phone=phone.read(facts.applicant_phone or ""),
        name=facts.applicant_name,
        email=email.read(facts.applicant_email or ""),
    )


def of_transition(rule: TransitionRule, dossier: Dossier) -> Notice:
    """The notice of a state that was entered."""
    return Notice(
        rule=rule,
        dossier=dossier,
        episode=str(dossier.times_entered(rule.entering)),
        person=person_of(dossier),
    )


def of_due(rule: DueRule | RescheduleRule, dossier: Dossier, episode: str) -> Notice:
    """The notice of a due date that nears, has passed, or was moved."""
    return Notice(rule=rule, dossier=dossier, episode=episode, person=person_of(dossier))


def of_apology(rule: ApologyRule, dossier: Dossier, episode: str) -> Notice:
    """The notice of an apology that was signed for the due date ``episode``."""
    return Notice(rule=rule, dossier=dossier, episode=episode, person=person_of(dossier))


def of_state(rule: StateRule, dossier: Dossier, episode: str) -> Notice:
    """The notice of a state that lasts."""
    return Notice(rule=rule, dossier=dossier, episode=episode, person=person_of(dossier))


def still_true(rule: Rule, dossier: Dossier, episode: str, statuses: Statuses) -> bool:
    """Whether the notice may leave now: the dossier has not moved on since it was made."""
    if dossier.status not in rule.still:
        return False
    if isinstance(rule, TransitionRule):
        return True
    if isinstance(rule, StateRule):
        return lasting.lasts(rule, dossier, episode)
    due_at = dossier.facts.due_at
    replaced = _replaced(dossier)
    if isinstance(rule, ApologyRule):
        due_at = replaced
    elif isinstance(rule, DueRule) and rule.after is not None and replaced is not None:
        # What has begun to leave when another date was signed is owed still: what had not begun
        # was taken back with the signature.
        due_at = replaced if deadline.episode(replaced) == episode else due_at
    return (
        due_at is not None
        and deadline.episode(due_at) == episode
        and not deadline.is_stale(dossier, statuses)
    )


def _replaced(dossier: Dossier) -> Instant | None:
    """The due date whose place a date has taken that was signed here, and that still holds."""
    made = dossier.facts.rescheduled
    return made.replaces if made is not None and made.due_at == dossier.facts.due_at else None


def gives_way(rule: Rule | None, episode: str, newer: Notice, statuses: Statuses) -> str:
    """Why the notice of ``rule`` that still waits need not wait any longer; empty where it does.

    A newer occasion of its family says the same, and any newer notice is the time to drop what is
    no longer true. What is said of a deadline is owed: a state that is entered by mistake, and
    taken back before the morning, must not cost it, so that waits for the last look.
    """
    if rule is None or rule.lane is not Lane.NOTICE:
        return ""
    if not still_true(rule, newer.dossier, episode, statuses):
        return MOVED_ON
    if rule.family == newer.rule.family and episode != newer.episode:
        return "a newer notice of the same kind waits"
    return ""
