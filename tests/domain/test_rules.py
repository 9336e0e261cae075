from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dossier_samples import at, dossier, event, installation

from notifier.domain import notice
from notifier.domain.dossier import Dossier, Rescheduled, apply
from notifier.domain.rules import FRESH

if TYPE_CHECKING:
    from notifier.domain.event import DossierEvent

RULES = installation().rules
T = at("2026-11-16 09:00")


def called_for(*events: DossierEvent, late_by: int = 0) -> list[str]:
    """The notices of each event in turn, heard ``late_by`` ms after it happened."""
    found: Dossier | None = None
    said: list[str] = []
    for one in events:
        before, now = found, one.time + late_by
        found = apply(before, one, now=now)
        said += [rule.notice for rule in RULES.entered(before, found, now=now)]
    return said


@pytest.mark.parametrize(
    ("came_from", "entered", "said"),
    [
        (None, "received", ["received"]),
        (None, "processing", ["received"]),  # the first that is heard of it
        (None, "submitted", ["submitted"]),
        ("submitted", "received", ["received"]),
        ("refused", "received", ["received"]),
        ("received", "processing", []),
        ("processing", "received", []),
        ("supplement-requested", "supplemented", ["supplemented"]),  # it was received long ago
        ("payment-requested", "paid", ["resumed"]),
        ("stopped", "resumed", ["resumed"]),
        ("stopped", "finished", ["result_ready"]),
        ("finished", "reopened", []),
        ("returned", "received", []),
        ("noted", "received", ["received"]),  # known, without a state
        ("received", "supplement-requested", ["supplement_requested"]),
        ("received", "payment-requested", ["payment_requested"]),
        ("received", "finished", ["result_ready"]),
        (None, "finished", ["result_ready"]),
        ("finished", "returned", ["returned"]),
        ("received", "withdrawn", ["withdrawn"]),
        ("submitted", "refused", ["refused"]),
        ("received", "stopped", ["paused"]),
    ],
)
def test_what_a_change_calls_for(came_from: str | None, entered: str, said: list[str]) -> None:
    before = dossier(event(came_from, T)) if came_from else None
    after = apply(before, event(entered, T + 1), now=T + 1)
    assert [rule.notice for rule in RULES.entered(before, after, now=T + 1)] == said


def test_the_same_state_again_calls_for_nothing() -> None:
    assert called_for(event("finished", T), event("finished", T + 1)) == ["result_ready"]


@pytest.mark.parametrize(
    ("late_by", "said"), [(0, ["result_ready"]), (FRESH, ["result_ready"]), (FRESH + 1, [])]
)
def test_what_lies_back_more_than_a_day_notifies_nobody(late_by: int, said: list[str]) -> None:
    assert called_for(event("finished", T), late_by=late_by) == said


def test_a_whole_history_at_once_says_only_where_it_stands() -> None:
    after = dossier(event("received", T), event("processing", T + 1), event("finished", T + 2))
    assert [rule.notice for rule in RULES.entered(None, after, now=T + 3)] == ["result_ready"]


def test_an_older_event_that_comes_late_says_nothing() -> None:
    assert called_for(event("finished", T + 10), event("received", T)) == ["result_ready"]


def test_a_second_result_is_a_second_notice_and_a_repeated_one_is_not() -> None:
    found: Dossier | None = None
    keys: list[str] = []
    for number, type_ in enumerate(["finished", "finished", "reopened", "finished"]):
        before, found = found, apply(found, event(type_, T + number), now=T + number)
        keys += [
            notice.of_transition(rule, found).key
            for rule in RULES.entered(before, found, now=T + number)
        ]
    assert keys == [
        "H10.19-250703-0001|result|1|applicant",
        "H10.19-250703-0001|result|2|applicant",
    ]


DUE, LATER = at("2026-11-20 17:00"), at("2026-11-27 17:00")
RECEIVED = event("received", T, due_at=DUE)


def moved(when: int, due_at: int = LATER, reason: str = "", **carried: object) -> DossierEvent:
    """A re-appointment, as a source hands it over."""
    again = Rescheduled(due_at=due_at, reason=reason)
    return event("rescheduled", when, **{"rescheduled": again, "due_at": due_at, **carried})


@pytest.mark.parametrize(
    ("why", "events", "said"),
    [
        ("the appointment is moved", [moved(T + 1)], ["rescheduled"]),
        ("the same again", [moved(T + 1), moved(T + 2, reason="khác")], ["rescheduled"]),
        ("and moved once more", [moved(T + 1), moved(T + 2, LATER + 1)], ["rescheduled"] * 2),
        ("another due date without one", [event("corrected", T + 1, due_at=LATER)], []),
        ("taken back", [moved(T + 1), event("corrected", T + 2, rescheduled=None)],
         ["rescheduled"]),
        ("overtaken by another due date", [event("corrected", T + 5, due_at=DUE), moved(T + 1)],
         []),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)  # fmt: skip
def test_a_new_appointment_is_told_once(
    why: str, events: list[DossierEvent], said: list[str]
) -> None:
    """NĐ 61/2018 art 19(9)."""
    found = dossier(RECEIVED)
    notices: list[str] = []
    for one in events:
        before, found = found, apply(found, one, now=T + 5)
        notices += [rule.notice for rule in RULES.rescheduled(before, found, now=T + 5)]
    assert notices == said, why


@pytest.mark.parametrize(("late_by", "said"), [(FRESH, 1), (FRESH + 1, 0)])
def test_an_appointment_that_was_moved_more_than_a_day_ago_is_told_nobody(
    late_by: int, said: int
) -> None:
    after = dossier(RECEIVED, moved(T + 1))
    assert len(RULES.rescheduled(None, after, now=T + 1 + late_by)) == said


def test_every_rule_is_found_by_its_notice() -> None:
    assert {rule.notice for rule in RULES.rules} == {
        "received", "supplement_requested", "payment_requested", "result_ready", "returned",
        "due_soon", "late", "rescheduled", "apology", "submitted", "supplemented", "paused",
        "resumed", "refused", "withdrawn", "uncollected", "rating",
    }  # fmt: skip
    assert all(RULES.named(rule.notice) is rule for rule in RULES.rules)
    assert RULES.named("dropped") is None
    assert {rule.notice for rule in RULES.on_due()} == {"due_soon", "late"}
    assert {rule.notice for rule in RULES.on_state()} == {"uncollected", "rating"}
    signed = RULES.on_apology()
    assert signed is not None
    assert signed.notice == "apology"


def test_the_automatic_apology_can_be_left_out() -> None:
    left = RULES.without_automatic("apology")
    assert {rule.notice for rule in RULES.rules} - {rule.notice for rule in left.rules} == {"late"}
