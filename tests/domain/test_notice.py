from __future__ import annotations

import pytest
from dossier_samples import CODE, OWNER, STRANGER, at, dossier, event, installation

from notifier.domain import deadline, notice
from notifier.domain.dossier import Dossier, Rescheduled, apply
from notifier.domain.notice import Role
from notifier.domain.rules import DueRule, RescheduleRule, TransitionRule

INSTALLATION = installation()
STATUSES = INSTALLATION.statuses
RULES = INSTALLATION.rules
T = at("2026-11-16 09:00")
DUE = at("2026-11-20 17:00")
EPISODE = deadline.episode(DUE)

STILL_TRUE = {
    "submitted": {1},
    "received": {2, 4},
    "supplemented": {2, 4},
    "paused": {8},
    "resumed": {2, 4},
    "refused": {3},
    "withdrawn": {7},
    "uncollected": {9},
    "rating": {10},
    "supplement_requested": {5},
    "payment_requested": {6},
    "result_ready": {9},
    "returned": {10},
    "due_soon": {2, 4},
    "late": {2, 4},
    "rescheduled": {2, 4},
    "apology": {2, 4},
}
"""For each notice, the states in which it may still leave."""

STAYS = {"uncollected": "1.2", "rating": "once.1"}
"""Episodes of states that last."""


NEW_DUE = at("2026-11-27 17:00")
SIGNED = Rescheduled(due_at=NEW_DUE, replaces=DUE)


def in_status(number: int) -> Dossier:
    return dossier(event("noted", T, due_at=DUE, status=number))


def spoken_of(name: str, status: int) -> Dossier:
    """A dossier in ``status`` of which the notice would be true: signed for, where it says so."""
    found = in_status(status)
    if name != "apology":
        return found
    return apply(found, event("rescheduled", T + 1, due_at=NEW_DUE, rescheduled=SIGNED), now=T)


@pytest.mark.parametrize("status", range(1, 11))
@pytest.mark.parametrize("name", STILL_TRUE)
def test_a_notice_leaves_only_while_it_is_true(name: str, status: int) -> None:
    rule = RULES.named(name)
    assert rule is not None
    expected = status in STILL_TRUE[name]
    episode = STAYS.get(name, EPISODE)
    assert notice.still_true(rule, spoken_of(name, status), episode, STATUSES) is expected


def test_no_rule_is_left_out_of_the_table() -> None:
    assert STILL_TRUE.keys() == {rule.notice for rule in RULES.rules}


@pytest.mark.parametrize(
    ("why", "changes", "true"),
    [
        ("nothing happened", [], True),
        ("handed on", [("forwarded", {})], True),
        ("the same date again", [("noted", {"due_at": DUE})], True),
        ("the date moved", [("rescheduled", {"due_at": DUE + 1000})], False),
        ("the date was cleared", [("corrected", {"due_at": None})], False),
        ("finished in time", [("finished", {})], False),
        ("waiting for papers", [("supplement-requested", {})], False),
        ("papers came, the date is the old one",
         [("supplement-requested", {}), ("supplemented", {})], False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["due_soon", "late", "rescheduled"])
def test_a_notice_of_a_due_date_is_true_for_that_due_date(
    name: str, why: str, changes: list[tuple[str, dict[str, object]]], true: bool
) -> None:
    rule = RULES.named(name)
    assert isinstance(rule, DueRule | RescheduleRule)
    found = in_status(4)
    for number, (type_, carried) in enumerate(changes, start=1):
        found = apply(found, event(type_, T + number, **carried), now=T)
    assert notice.still_true(rule, found, EPISODE, STATUSES) is true, why


@pytest.mark.parametrize(
    ("name", "why", "changes", "true"),
    [
        ("apology", "signed", [], True),
        ("apology", "the source says the old date", [("noted", {"due_at": DUE})], True),
        ("apology", "the source takes the new date over", [("noted", {"due_at": NEW_DUE})], True),
        ("apology", "the source has a date of its own",
         [("noted", {"due_at": NEW_DUE + 1000})], False),
        ("apology", "finished", [("finished", {})], False),
        ("apology", "another re-appointment",
         [("rescheduled", {"due_at": NEW_DUE + 1, "rescheduled": Rescheduled(due_at=NEW_DUE + 1)})],
         False),
        ("late", "it had begun to leave", [], True),
        ("late", "finished", [("finished", {})], False),
        ("due_soon", "the date was moved", [], False),
    ],
)  # fmt: skip
def test_what_is_said_of_the_date_that_a_signed_one_replaced(
    name: str, why: str, changes: list[tuple[str, dict[str, object]]], true: bool
) -> None:
    rule = RULES.named(name)
    assert rule is not None
    found = spoken_of("apology", 4)
    for number, (type_, carried) in enumerate(changes, start=2):
        found = apply(found, event(type_, T + number, **carried), now=T)
    assert notice.still_true(rule, found, EPISODE, STATUSES) is true, why


# ------------------------------------------------------------------------------------ who is told


@pytest.mark.parametrize(
    ("carried", "role", "number"),
    [
        ({"applicant_phone": "0912 000 001"}, Role.APPLICANT, OWNER),
        ({"applicant_phone": "0912000001", "agent_phone": "0912000002"}, Role.AGENT, STRANGER),
        ({"applicant_phone": "0912000001", "agent_name": "B"}, Role.AGENT, None),
        ({"applicant_phone": "02513822222"}, Role.APPLICANT, None),  # a landline takes no SMS
        ({}, Role.APPLICANT, None),
    ],
    ids=["applicant", "agent", "agent-without-a-number", "landline", "nobody"],
)
def test_the_agent_is_told_where_there_is_one(
    carried: dict[str, object], role: Role, number: str | None
) -> None:
    person = notice.person_of(dossier(event("received", T, **carried)))
    assert person.role is role
    assert (person.phone.e164 if person.phone else None) == number


def test_a_person_is_not_written_out() -> None:
    person = notice.person_of(
        dossier(event("received", T, applicant_phone="0912000001", applicant_name="Nguyễn Văn Mẫu"))
    )
    assert "001" not in repr(person)
    assert "Mẫu" not in repr(person)


# ------------------------------------------------------------------------------- what gives way


@pytest.mark.parametrize(
    ("waiting", "episode", "newer", "reason"),
    [
        ("received", "1", ("result_ready", "1"), notice.MOVED_ON),
        ("supplement_requested", "1", ("result_ready", "1"), notice.MOVED_ON),
        ("result_ready", "1", ("result_ready", "2"), "a newer notice of the same kind waits"),
        ("result_ready", "1", ("result_ready", "1"), ""),  # it is this one
        ("received", "1", ("rescheduled", "e"), ""),  # both are true
        ("late", EPISODE, ("result_ready", "1"), ""),  # owed: left to the last look
        ("due_soon", EPISODE, ("returned", "1"), ""),
        ("dropped from the rules", "1", ("result_ready", "1"), ""),
    ],
)
def test_what_gives_way_to_a_newer_notice(
    waiting: str, episode: str, newer: tuple[str, str], reason: str
) -> None:
    rule = RULES.named(newer[0])
    assert rule is not None
    found = in_status(min(rule.still))
    said = notice.Notice(rule=rule, dossier=found, episode=newer[1], person=notice.person_of(found))
    assert notice.gives_way(RULES.named(waiting), episode, said, STATUSES) == reason


# ------------------------------------------------------------------------------------- identity


def key_of_result(found: Dossier) -> str:
    rule = RULES.named("result_ready")
    assert isinstance(rule, TransitionRule)
    return notice.of_transition(rule, found).key


def test_a_corrected_phone_and_a_repeated_push_make_no_second_notice() -> None:
    found = dossier(event("finished", T, applicant_phone="0912000001"))
    corrected = apply(found, event("corrected", T + 1, applicant_phone="0912000002"), now=T)
    pushed = apply(corrected, event("finished", T + 2), now=T)
    assert key_of_result(found) == key_of_result(corrected) == key_of_result(pushed)


def test_another_occasion_role_dossier_or_family_is_another_notice() -> None:
    keys = {
        notice.notice_key(code, family, episode, role)
        for code in (CODE, "H10.19-250703-0002")
        for family in ("result", "apology")
        for episode in ("1", EPISODE)
        for role in Role
    }
    assert len(keys) == 16


def test_the_apology_of_a_due_date_is_one_whatever_the_notice_is_called() -> None:
    rule = RULES.named("late")
    assert isinstance(rule, DueRule)
    found = in_status(4)
    assert notice.of_due(rule, found, EPISODE).key == f"{CODE}|apology|{EPISODE}|applicant"


def test_an_older_event_that_comes_late_never_gives_a_used_episode_to_a_new_occasion() -> None:
    first = dossier(event("finished", T + 10))
    used = key_of_result(first)
    filled = apply(first, event("finished", T), now=T)
    filled = apply(filled, event("reopened", T + 5), now=T)
    again = apply(filled, event("reopened", T + 20), now=T)
    again = apply(again, event("finished", T + 30), now=T)
    assert key_of_result(again) != used
