from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import TYPE_CHECKING

import pytest
from dossier_samples import at, dossier, event, installation

from notifier.domain import deadline, lasting
from notifier.domain.deadline import Moment, Plan
from notifier.domain.dossier import Dossier, apply
from notifier.domain.instant import DAY, HOUR
from notifier.domain.rules import FRESH, Rules, StateRule

if TYPE_CHECKING:
    from notifier.domain.event import DossierEvent

INSTALLATION = installation()
STATUSES = INSTALLATION.statuses
CALENDAR = INSTALLATION.calendars["vn"]
T = at("2026-11-16 09:30")
"""A Monday."""

RULE = StateRule(
    notice="uncollected",
    family="collection",
    still=frozenset({9}),
    after=(5 * DAY, 15 * DAY),
    clock=time(9),
    not_by=frozenset({"post"}),
)
HELD = StateRule(notice="held", family="held", still=frozenset({2, 4}), after=(30 * DAY,))
REMINDERS = tuple(INSTALLATION.rules.on_due())


def planned(
    before: Dossier | None, after: Dossier, now: int, *rules: StateRule
) -> list[tuple[str, str]] | None:
    """What is planned, as notice and episode, with the due date's; None where all holds."""
    own = Rules((*(rules or (RULE,)), *REMINDERS))
    calls = {"rules": own, "statuses": STATUSES, "calendar": CALENDAR, "now": now}
    of_due = deadline.replan(before, after, **calls)  # type: ignore[arg-type]
    plan = lasting.replan(of_due, before, after, **calls)  # type: ignore[arg-type]
    return None if plan is None else [(one.notice, one.episode) for one in plan.moments]


def after(before: Dossier, *events: DossierEvent) -> Dossier:
    for one in events:
        before = apply(before, one, now=one.time)
    return before


FIVE, FIFTEEN = ("uncollected", "1.1"), ("uncollected", "1.2")
FINISHED = dossier(event("received", T - DAY), event("finished", T))


@pytest.mark.parametrize(
    ("since", "clock", "number", "falls"),
    [
        ("2026-11-16 09:30", time(9), 0, "2026-11-23 09:00"),  # Saturday half past nine: Monday
        ("2026-11-13 08:00", time(9), 0, "2026-11-18 09:00"),  # Wednesday at eight: at nine
        ("2026-11-13 09:00", time(9), 0, "2026-11-18 09:00"),
        ("2026-11-13 09:01", time(9), 0, "2026-11-19 09:00"),
        ("2026-11-19 08:00", time(9), 0, "2026-11-25 09:00"),  # the 24th is a holiday
        ("2026-11-16 09:30", time(9), 1, "2026-12-02 09:00"),
        ("2026-11-16 09:30", None, 0, "2026-11-21 09:30"),
    ],
)
def test_when_a_stay_is_spoken_of(since: str, clock: time | None, number: int, falls: str) -> None:
    rule = replace(RULE, clock=clock)
    assert lasting.moment_of(rule, at(since), number, CALENDAR) == at(falls)


def test_a_state_that_is_entered_calls_for_all_its_spans() -> None:
    assert planned(dossier(event("received", T - DAY)), FINISHED, T) == [FIVE, FIFTEEN]
    assert planned(None, FINISHED, T) == [FIVE, FIFTEEN]


@pytest.mark.parametrize(("late_by", "said"), [(FRESH, [FIVE, FIFTEEN]), (FRESH + 1, [])])
def test_old_history_calls_for_nothing(late_by: int, said: list[tuple[str, str]]) -> None:
    assert planned(None, FINISHED, T + late_by) == said


@pytest.mark.parametrize("what", ["noted", "corrected", "finished", "forwarded"])
def test_the_same_stay_goes_on(what: str) -> None:
    again = after(FINISHED, event(what, T + HOUR, status=9, handler="B"))
    assert planned(FINISHED, again, T + HOUR) is None


@pytest.mark.parametrize("what", ["returned", "reopened", "withdrawn", "stopped"])
def test_a_stay_that_ends_calls_for_nothing_more(what: str) -> None:
    assert planned(FINISHED, after(FINISHED, event(what, T + DAY)), T + DAY) == []


def test_a_new_stay_is_another_occasion() -> None:
    reopened = after(FINISHED, event("reopened", T + DAY))
    again = after(reopened, event("finished", T + 2 * DAY))
    assert planned(reopened, again, T + 2 * DAY) == [
        ("uncollected", "2.1"), ("uncollected", "2.2"),
    ]  # fmt: skip
    assert planned(FINISHED, again, T + 2 * DAY) == [
        ("uncollected", "2.1"), ("uncollected", "2.2"),
    ]  # fmt: skip
    assert not lasting.lasts(RULE, again, "1.2")
    assert lasting.lasts(RULE, again, "2.1")


def test_who_gets_it_by_post_is_not_asked_to_come() -> None:
    by_post = after(FINISHED, event("noted", T + 1, return_by="post"))
    assert planned(FINISHED, by_post, T + 1) == []
    assert not lasting.lasts(RULE, by_post, "1.1")
    assert lasting.lasts(RULE, after(FINISHED, event("noted", T + 1, return_by="desk")), "1.1")


def test_once_a_dossier_whatever_the_stay() -> None:
    once = replace(RULE, once=True, after=(5 * DAY,))
    reopened = after(FINISHED, event("reopened", T + DAY))
    again = after(reopened, event("finished", T + 2 * DAY))
    assert planned(None, FINISHED, T, once) == [("uncollected", "once.1")]
    assert planned(reopened, again, T + 2 * DAY, once) == [("uncollected", "once.1")]


@pytest.mark.parametrize(
    ("episode", "later", "overtaken"),
    [("1.1", 15 * DAY - 1, False), ("1.1", 15 * DAY, True), ("1.2", 99 * DAY, False)],
)
def test_who_slept_says_only_the_last(episode: str, later: int, overtaken: bool) -> None:
    assert lasting.is_overtaken(RULE, FINISHED, episode, T + later) is overtaken


def test_a_due_date_that_moves_leaves_the_stay_planned() -> None:
    running = dossier(event("received", T, due_at=T + 10 * DAY))
    moved = after(running, event("corrected", T + DAY, due_at=T + 20 * DAY))
    assert planned(running, moved, T + DAY, HELD) == [
        ("due_soon", deadline.episode(T + 20 * DAY)),
        ("late", deadline.episode(T + 20 * DAY)),
        ("held", "1.1"),
    ]


def test_a_stay_that_begins_leaves_the_due_date_planned() -> None:
    running = dossier(event("received", T, due_at=T + 10 * DAY))
    only = replace(HELD, still=frozenset({4}))
    processing = after(running, event("processing", T + DAY))
    due = deadline.episode(T + 10 * DAY)
    assert planned(running, processing, T + DAY, only) == [
        ("due_soon", due), ("late", due), ("held", "1.1"),
    ]  # fmt: skip
    assert planned(running, processing, T + DAY) is None


def test_what_is_planned_knows_its_dossier() -> None:
    plan = lasting.replan(
        None, None, FINISHED, rules=Rules((RULE,)), statuses=STATUSES, calendar=CALENDAR, now=T
    )
    assert plan == Plan(
        moments=tuple(
            Moment(code=FINISHED.code, notice="uncollected", at=at(falls), episode=episode)
            for falls, episode in (("2026-11-23 09:00", "1.1"), ("2026-12-02 09:00", "1.2"))
        )
    )
