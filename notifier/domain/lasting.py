"""A state that lasts: what is said to those who wait, or are waited for, some time after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from notifier.domain import deadline, instant
from notifier.domain.deadline import Moment, Plan
from notifier.domain.rules import FRESH, StateRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.dossier import Dossier
    from notifier.domain.instant import Instant
    from notifier.domain.rules import Rules
    from notifier.domain.status import Statuses

ONCE: Final = "once"
"""Stands in an episode for the number of the entry, where a rule speaks once a dossier."""


def entry(rule: StateRule, dossier: Dossier) -> str:
    """Which stay in the state this is; empty where the rule has nothing to say of the dossier."""
    if dossier.status not in rule.still or (dossier.facts.return_by or "") in rule.not_by:
        return ""
    return ONCE if rule.once else str(dossier.times_entered(rule.still))


def lasts(rule: StateRule, dossier: Dossier, episode: str) -> bool:
    """Whether the stay that ``episode`` names goes on."""
    named = entry(rule, dossier)
    return bool(named) and episode.rpartition(".")[0] == named


def is_overtaken(rule: StateRule, dossier: Dossier, episode: str, now: Instant) -> bool:
    """Whether the next span is over too: the service stood still, and one notice is enough."""
    since = dossier.inside_since(rule.still)
    number = int(episode.rpartition(".")[2])
    return since is not None and number < len(rule.after) and since + rule.after[number] <= now


def replan(
    plan: Plan | None,
    before: Dossier | None,
    after: Dossier,
    *,
    rules: Rules,
    statuses: Statuses,
    calendar: WorkingCalendar,
    now: Instant,
) -> Plan | None:
    """``plan``, which is the due date's, with the moments of states; None where all still holds.

    A state that was entered more than a day before we heard of it calls for nothing.
    """
    concerned = rules.on_state()
    changed = [rule for rule in concerned if _stay(rule, before) != _stay(rule, after)]
    if plan is None and not changed:
        return None
    if plan is None:
        plan = Plan(
            moments=deadline.still_to_come(
                after, rules=rules, statuses=statuses, calendar=calendar, now=now
            )
        )
    moments: list[Moment] = []
    for rule in concerned:
        _, since = _stay(rule, after) or ("", None)
        if since is None:
            continue
        if rule not in changed:  # what fell due a moment ago may not have been decided yet
            moments += _moments(rule, after, since, calendar, later_than=now - FRESH)
        elif now - since <= FRESH:
            moments += _moments(rule, after, since, calendar, later_than=now)
    return replace(plan, moments=(*plan.moments, *moments))


def moment_of(rule: StateRule, since: Instant, number: int, calendar: WorkingCalendar) -> Instant:
    """When the span of this number (from 0) of a stay since then (ms) is to be spoken of, in ms."""
    over = since + rule.after[number]
    if rule.clock is None:
        return over
    day = instant.local_date(over)
    if instant.at(day, rule.clock) < over:
        day += timedelta(days=1)
    return instant.at(calendar.next_working(day), rule.clock)


def _stay(rule: StateRule, dossier: Dossier | None) -> tuple[str, Instant | None] | None:
    """Which stay the rule speaks of, and since when it lasts; None where of none."""
    named = entry(rule, dossier) if dossier else ""
    return (named, dossier.inside_since(rule.still)) if dossier and named else None


def _moments(
    rule: StateRule,
    dossier: Dossier,
    since: Instant,
    calendar: WorkingCalendar,
    *,
    later_than: Instant,
) -> Iterator[Moment]:
    stay = entry(rule, dossier)
    for number in range(len(rule.after)):
        at = moment_of(rule, since, number, calendar)
        if at > later_than:
            yield Moment(
                code=dossier.code, notice=rule.notice, at=at, episode=f"{stay}.{number + 1}"
            )
