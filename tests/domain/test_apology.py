"""Who may write and sign an apology, what its new date keeps to, and when it comes late.

Tuesday 24 November 2026 is a holiday; Saturday 22 August 2026 is a working day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest
from dossier_samples import at, dossier, event, installation

from notifier.domain import apology as rules
from notifier.domain.apology import Apologies, Apology, ApologyState, LetterForm, Reason, Signer
from notifier.domain.dossier import Dossier, Rescheduled, apply
from notifier.errors import NotAllowedError

INSTALLATION = installation()
CALENDAR = INSTALLATION.calendars["vn"]
STATUSES = INSTALLATION.statuses
T = at("2026-11-16 09:00")
DUE = at("2026-11-27 17:00")

DRAFT = Apology(
    id="01912d68-783e-7000-8000-000000000001",
    dossier="H19.45-261118-0007",
    due_at=DUE,
    new_due_at=at("2026-12-04 17:00"),
    reason="chờ kết quả đo đạc",
    state=ApologyState.DRAFTED,
    author="lan",
    created_at=T,
)
LEADERS = Apologies(signers=(Signer(user="minh", name="Trần Văn Mẫu", title="GIÁM ĐỐC"),))


# ---------------------------------------------------------------------------------- the new date


@pytest.mark.parametrize(
    ("why", "due", "new", "said"),
    [
        ("a week later", "2026-11-27 17:00", "2026-12-04 17:00", ()),
        ("the next working day", "2026-11-27 17:00", "2026-11-30 09:00", ()),
        ("a Saturday that is worked", "2026-08-20 17:00", "2026-08-22 11:00", ()),
        ("the same day", "2026-11-27 09:00", "2026-11-27 17:00", ("not later",)),
        ("a day before", "2026-11-27 17:00", "2026-11-26 17:00", ("not later",)),
        ("a Saturday", "2026-11-27 17:00", "2026-11-28 17:00", ("no working day",)),
        ("a holiday, and its name", "2026-11-23 17:00", "2026-11-24 17:00", ("Văn hóa",)),
        ("all at once", "2026-11-27 17:00", "2026-08-23 17:00",
         ("not later", "has passed", "no working day")),
    ],
)  # fmt: skip
def test_the_new_date(why: str, due: str, new: str, said: tuple[str, ...]) -> None:
    now = at("2026-08-19 09:00") if "08-22" in new else at("2026-11-20 09:00")
    faults = rules.date_faults(due_at=at(due), new_due_at=at(new), calendar=CALENDAR, now=now)
    assert len(faults) == len(said), why
    for fault, word in zip(faults, said, strict=True):
        assert word in fault


@pytest.mark.parametrize(
    ("due", "in_time", "late"),
    [
        ("2026-11-27 17:00", "2026-11-26 23:59", "2026-11-27 00:00"),
        ("2026-11-30 17:00", "2026-11-27 23:59", "2026-11-28 00:00"),  # Monday: by Friday
        ("2026-11-25 17:00", "2026-11-23 23:59", "2026-11-24 00:00"),  # over the holiday
        ("2026-08-24 17:00", "2026-08-22 23:59", "2026-08-23 00:00"),  # the Saturday is worked
    ],
)
def test_one_working_day_of_lead(due: str, in_time: str, late: str) -> None:
    assert not rules.is_late(at(due), CALENDAR, now=at(in_time))
    assert rules.is_late(at(due), CALENDAR, now=at(late))


@pytest.mark.parametrize(
    ("reason", "fine"),
    [("chờ ý kiến", True), ("", False), ("  ", False), ("x" * 200, True), ("x" * 201, False)],
)
def test_a_reason_is_owed_and_has_to_fit(reason: str, fine: bool) -> None:
    assert (rules.reason_faults(reason) == ()) is fine


@pytest.mark.parametrize(
    ("why", "changes", "word"),
    [
        ("it runs", [], ""),
        ("no due date", [("corrected", {"due_at": None})], "no due date"),
        ("papers are waited for", [("supplement-requested", {})], "does not run"),
        ("finished", [("finished", {})], "does not run"),
        ("papers came, and no new date", [("supplement-requested", {}), ("supplemented", {})],
         "before the supplement"),
    ],
)  # fmt: skip
def test_only_a_limit_that_runs_is_apologised_for(
    why: str, changes: list[tuple[str, dict[str, object]]], word: str
) -> None:
    found = dossier(event("received", T, due_at=DUE))
    for number, (type_, carried) in enumerate(changes, start=1):
        found = apply(found, event(type_, T + number, **carried), now=T)
    said = rules.nothing_to_excuse(found, STATUSES)
    assert bool(said) is bool(word), why
    assert word in said


# ------------------------------------------------------------------------------- who does what


@pytest.mark.parametrize(
    ("act", "state", "by", "book", "to"),
    [
        ("approve", "drafted", "minh", Apologies(), "approved"),
        ("approve", "drafted", "lan", Apologies(), None),
        ("approve", "drafted", " LAN ", Apologies(), None),
        ("approve", "drafted", " ", Apologies(), None),
        ("approve", "drafted", "Minh", LEADERS, "approved"),
        ("approve", "drafted", "cuc", LEADERS, None),
        ("approve", "rejected", "minh", Apologies(), None),
        ("approve", "sent", "minh", Apologies(), None),
        ("reject", "drafted", "cuc", LEADERS, "rejected"),
        ("reject", "approved", "minh", LEADERS, None),
        ("withdraw", "drafted", "lan", LEADERS, "withdrawn"),
        ("withdraw", "drafted", "minh", LEADERS, None),
        ("withdraw", "sent", "lan", LEADERS, None),
        ("send", "approved", "lan", LEADERS, "sent"),
        ("send", "drafted", "lan", LEADERS, None),
        ("return", "approved", "service", LEADERS, "returned"),
        ("return", "sent", "service", LEADERS, "returned"),
        ("return", "returned", "service", LEADERS, None),
    ],
)
def test_who_may_do_what(act: str, state: str, by: str, book: Apologies, to: str | None) -> None:
    found = replace(DRAFT, state=ApologyState(state))
    if to is None:
        with pytest.raises(NotAllowedError):
            rules.check(found, act, by, book)
    else:
        assert rules.check(found, act, by, book) is ApologyState(to)


def test_every_state_is_reached_by_an_act() -> None:
    assert {to for _, to in rules.MOVES.values()} | {ApologyState.DRAFTED} == set(ApologyState)


# ------------------------------------------------------------------------------ reasons and forms


def test_a_reason_of_the_list_and_words_of_ones_own() -> None:
    book = Apologies(reasons=(Reason(key="survey", words={"vi": "chờ đo đạc"}),))
    assert book.reason("survey", "") == "chờ đo đạc"
    assert book.reason("survey", " đợt  hai. ") == "chờ đo đạc; đợt hai"
    assert book.reason("", "mất điện.") == "mất điện"
    with pytest.raises(NotAllowedError, match="survey"):
        book.reason("nothing", "x")


@pytest.mark.parametrize(
    ("day", "template"),
    [
        ("2018-12-31", None),
        ("2019-01-06", "apology_2018"),
        ("2025-09-14", "apology_2018"),
        ("2025-09-15", "apology_2025"),
        ("2027-01-01", "apology_2025"),
    ],
)
def test_the_form_that_held_on_the_day(day: str, template: str | None) -> None:
    """TT 01/2018/TT-VPCP until TT 03/2025/TT-VPCP took its place."""
    form = INSTALLATION.apology.form("apology", date.fromisoformat(day))
    assert (form.template if form else None) == template


def test_of_two_forms_the_newer() -> None:
    old = LetterForm(
        key="apology", template="a", number="04", source="", valid_from=date(2019, 1, 6)
    )
    new = replace(old, template="b", valid_from=date(2025, 9, 15))
    assert Apologies(forms=(new, old)).form("apology", date(2026, 1, 1)) == new


# ----------------------------------------------------------------- the date that was signed here


NEW = at("2026-12-04 17:00")
SIGNED = event("rescheduled", T + 10, due_at=NEW, rescheduled=Rescheduled(due_at=NEW, replaces=DUE))


def due_of(*events: object) -> int | None:
    found: Dossier | None = None
    for one in events:
        found = apply(found, one, now=T)  # type: ignore[arg-type]
    assert found is not None
    return found.facts.due_at


OWN = at("2026-12-09 17:00")
STORIES = [
    ("signed", [], NEW),
    ("the source repeats the old date", [event("noted", T + 20, due_at=DUE)], NEW),
    ("it takes the new one over", [event("noted", T + 20, due_at=NEW)], NEW),
    ("it has one of its own", [event("noted", T + 20, due_at=OWN)], OWN),
    ("and takes it back", [event("noted", T + 20, due_at=OWN), event("noted", T + 30, due_at=DUE)],
     NEW),
    ("it clears the date", [event("noted", T + 20, due_at=None)], None),
    ("it re-appoints itself, before", [
        event("rescheduled", T + 5, due_at=OWN, rescheduled=Rescheduled(due_at=OWN)),
        event("noted", T + 20, due_at=DUE)], NEW),
    ("it re-appoints itself, after", [
        event("rescheduled", T + 15, due_at=OWN, rescheduled=Rescheduled(due_at=OWN)),
        event("noted", T + 20, due_at=DUE)], DUE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "more", "due"), STORIES, ids=[why.replace(" ", "-") for why, _, _ in STORIES]
)
def test_the_source_stays_the_authority_in_any_order(
    why: str, more: list[object], due: int | None
) -> None:
    events = [event("received", T, due_at=DUE), SIGNED, *more]
    assert {due_of(*order) for order in permutations(events)} == {due}, why
