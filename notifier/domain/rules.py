"""Which change of a dossier, or which moment before or after its due date, calls for a notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING

from notifier.domain import instant
from notifier.domain.event import known_at
from notifier.domain.message import Lane

if TYPE_CHECKING:
    from notifier.domain.dossier import Dossier
    from notifier.domain.instant import Instant

NOT_KNOWN = 0
"""Stands for "no state yet" where a rule names the states that a dossier comes from."""

FRESH = instant.DAY
"""What lies further back when it is first seen notifies nobody (ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRule:
    """Fires when a dossier enters one of ``entering`` from a state in ``coming_from``.

    ``still`` are the states in which the notice stays true; ``best_before`` is in ms. ``resend``:
    whether it may leave once more when nobody knows whether it arrived. ``wait`` is how long (ms)
    the state has to last before it is spoken of: what is passed within seconds is not worth a word.
    """

    notice: str
    family: str
    entering: frozenset[int]
    coming_from: frozenset[int] | None = None
    still: frozenset[int]
    lane: Lane = Lane.NOTICE
    best_before: int = 3 * instant.DAY
    resend: bool = True
    wait: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRule:
    """Fires ``working_days_before`` the due day at ``clock``, or ``after`` ms past the due date.

    Exactly one of the two is set. ``best_before`` in ms; None: until the due date. ``resend``: as
    for ``TransitionRule``.
    """

    notice: str
    family: str
    working_days_before: int | None = None
    clock: time = time(8, 30)
    after: int | None = None
    still: frozenset[int]
    lane: Lane = Lane.DEADLINE
    best_before: int | None = None
    resend: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleRule:
    """Fires when a new appointment is made (hẹn lại); its occasion is the new due date.

    NĐ 61/2018 art 19(9): the citizen is told of it. The fields are those of ``TransitionRule``.
    """

    notice: str
    family: str
    still: frozenset[int]
    lane: Lane = Lane.DEADLINE
    best_before: int = 3 * instant.DAY
    resend: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ApologyRule:
    """Fires when an apology is signed here; its occasion is the due date that it is about.

    It shares its family with the automatic apology, so that one delay has one. The fields are
    those of ``TransitionRule``.
    """

    notice: str
    family: str
    still: frozenset[int]
    lane: Lane = Lane.DEADLINE
    best_before: int = 5 * instant.DAY
    resend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRule:
    """Fires while a dossier stays in one of ``still``: once for each span in ``after`` (ms).

    ``clock``: at this hour of a working day, the first when the span is over; None: at once.
    ``once``: once a dossier, and not each time that it enters the state. ``not_by`` are the ways of
    return (``return_by``) that it is not said for; ``unless_rated``: nor to whoever has rated it.
    ``owed`` False: who can't be reached is nobody's work. The rest as for ``TransitionRule``.
    """

    notice: str
    family: str
    still: frozenset[int]
    after: tuple[int, ...]
    clock: time | None = None
    once: bool = False
    not_by: frozenset[str] = frozenset()
    unless_rated: bool = False
    owed: bool = True
    lane: Lane = Lane.NOTICE
    best_before: int = 3 * instant.DAY
    resend: bool = True


Rule = TransitionRule | DueRule | RescheduleRule | ApologyRule | StateRule


def is_owed(rule: Rule | None) -> bool:
    """Whether people have to see to it where the notice can't be sent."""
    return not isinstance(rule, StateRule) or rule.owed


@dataclass(frozen=True, slots=True)
class Rules:
    """The installation's rules, in the order of the file."""

    rules: tuple[Rule, ...]

    def entered(
        self, before: Dossier | None, after: Dossier, *, now: Instant
    ) -> tuple[TransitionRule, ...]:
        """The rules that the change from ``before`` to ``after`` calls for; stale ones excepted."""
        came_from = before.status if before else None
        if after.status is None or after.status == came_from:
            return ()
        if now - _changed_at(before, after) > FRESH:
            return ()
        return tuple(
            rule
            for rule in self.rules
            if isinstance(rule, TransitionRule)
            and after.status in rule.entering
            and (came_from not in rule.entering)
            and (rule.coming_from is None or (came_from or NOT_KNOWN) in rule.coming_from)
        )

    def rescheduled(
        self, before: Dossier | None, after: Dossier, *, now: Instant
    ) -> tuple[RescheduleRule, ...]:
        """The rules that a new appointment calls for; one made more than a day ago excepted."""
        made = after.facts.rescheduled
        known = before.facts.rescheduled if before else None
        if made is None or (known is not None and known.due_at == made.due_at):
            return ()
        if now - after.stamps["rescheduled"][0] > FRESH or after.facts.due_at != made.due_at:
            return ()
        return tuple(rule for rule in self.rules if isinstance(rule, RescheduleRule))

    def on_due(self) -> tuple[DueRule, ...]:
        """The rules that go by the due date."""
        return tuple(rule for rule in self.rules if isinstance(rule, DueRule))

    def on_apology(self) -> ApologyRule | None:
        """The rule of the signed apology; None where the configuration has dropped it."""
        return next((rule for rule in self.rules if isinstance(rule, ApologyRule)), None)

    def without_automatic(self, family: str) -> Rules:
        """These rules, but for those of ``family`` that go by the due date alone."""
        return Rules(
            tuple(
                rule
                for rule in self.rules
                if not (isinstance(rule, DueRule) and rule.family == family)
            )
        )

    def on_state(self) -> tuple[StateRule, ...]:
        """The rules that go by how long a state has lasted."""
        return tuple(rule for rule in self.rules if isinstance(rule, StateRule))

    def named(self, notice: str) -> Rule | None:
        """The rule of a notice; None where the configuration has dropped it."""
        return next((rule for rule in self.rules if rule.notice == notice), None)


def _changed_at(before: Dossier | None, after: Dossier) -> Instant:
    """When the state changed, in ms.

    Where the dates of a source did not move with the change, it came about since they were told.
    """
    stamp = after.stamps["status"]
    earlier = before.stamps.get("status") if before else None
    return known_at(stamp) if earlier and earlier[0] == stamp[0] else stamp[0]
