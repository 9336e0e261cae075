from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from dossier_samples import CODE, dossier, event
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.dossier import Dossier, Facts, Fee, UnitRef, apply
from notifier.domain.event import DossierEvent, EventType
from notifier.storage.packing import pack_dossier, unpack_dossier

T = 1_795_168_800_000
WARD = UnitRef(code="H19.45", name="UBND phường Trấn Biên")
DEPARTMENT = UnitRef(code="H19.14", name="Sở Nông nghiệp và Môi trường")

CARRIED: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "status": st.integers(1, 10),
        "due_at": st.none() | st.sampled_from([T, T + 86_400_000]),
        "unit": st.sampled_from([None, WARD, DEPARTMENT]),
        "handler": st.sampled_from([None, "Tổ 1", "Tổ 2"]),
        "reason": st.sampled_from([None, "a", "b"]),
        "fees": st.sampled_from([None, (Fee(name="Lệ phí", amount=15_000),)]),
        "consent_sms": st.sampled_from([None, True, False]),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[DossierEvent]:
    """Events of one dossier, many of them at the same time."""
    return [
        DossierEvent(
            id=str(number),
            source="one-stop",
            type=draw(st.sampled_from(EventType)),
            code=CODE,
            code_raw=CODE,
            time=T + draw(st.integers(0, 3)),
            carried=draw(CARRIED),
        )
        for number in range(draw(st.integers(1, 7)))
    ]


def told(events: list[DossierEvent]) -> Dossier:
    return dossier(*events, first_seen=T)


@given(histories(), st.data())
@settings(max_examples=150, deadline=None)
def test_shuffled_and_doubled_events_end_in_the_same_dossier(
    events: list[DossierEvent], data: st.DataObject
) -> None:
    doubled = data.draw(st.lists(st.sampled_from(events), max_size=5))
    shuffled = data.draw(st.permutations([*events, *doubled]))
    assert told(shuffled) == told(events)


@given(histories(), st.data())
@settings(max_examples=80, deadline=None)
def test_being_stored_between_any_two_events_changes_nothing(
    events: list[DossierEvent], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    found: Dossier | None = None
    for one, is_cut in zip(events, cuts, strict=True):
        found = apply(found, one, now=T)
        if is_cut:
            found = unpack_dossier(CODE, pack_dossier(found))
    assert found == told(events)


@given(histories())
@settings(max_examples=100, deadline=None)
def test_of_each_field_the_newest_that_carries_it_wins(events: list[DossierEvent]) -> None:
    after = told(events)
    for name in (field.name for field in fields(Facts)):
        saying = [one for one in events if name in one.carried]
        newest = max(saying, key=lambda one: one.stamp, default=None)
        assert getattr(after.facts, name) == (newest.carried[name] if newest else None)
        assert after.stamps.get(name) == (newest.stamp if newest else None)


@given(histories())
@settings(max_examples=50, deadline=None)
def test_a_repeated_event_gives_the_very_same_dossier(events: list[DossierEvent]) -> None:
    after = told(events)
    for one in events:
        assert apply(after, one, now=T + 999) is after


def test_null_clears_and_what_is_absent_stays() -> None:
    filled = dossier(event("received", T, reason="thiếu chữ ký", handler="Tổ 1"))
    after = apply(filled, event("noted", T + 1, reason=None), now=T)
    assert after.facts == replace(filled.facts, reason=None)


def test_an_older_event_fills_what_nobody_said_since() -> None:
    after = dossier(
        event("finished", T + 10, unit=DEPARTMENT),
        event("received", T, unit=WARD, applicant_name="A"),
    )
    assert (after.status, after.facts.unit, after.facts.applicant_name) == (9, DEPARTMENT, "A")


def test_a_late_clearing_does_not_clear_what_is_newer() -> None:
    after = dossier(event("noted", T + 10, reason="mới"), event("noted", T, reason=None))
    assert after.facts.reason == "mới"


def test_the_status_may_fall() -> None:
    reopened = dossier(event("finished", T), event("reopened", T + 1))
    assert (reopened.status, reopened.status_since) == (4, T + 1)


def test_first_seen_is_when_we_heard_and_stays() -> None:
    first = apply(None, event("received", T), now=T + 500)
    assert first.first_seen_at == T + 500
    assert apply(first, event("noted", T - 9, reason="x"), now=T + 900).first_seen_at == T + 500


@pytest.mark.parametrize(
    ("steps", "since"),
    [
        ([("received", 0)], 0),
        ([("received", 0), ("processing", 5)], 5),
        ([("processing", 5), ("forwarded", 7), ("paid", 9)], 5),  # the same state all the time
        ([("finished", 2), ("reopened", 4), ("finished", 8)], 8),  # the second time counts
        ([("finished", 2), ("noted", 6)], 2),  # a note enters nothing
        ([("noted", 1)], None),
    ],
)
def test_since_when_it_is_in_its_state(steps: list[tuple[str, int]], since: int | None) -> None:
    found = dossier(*(event(type_, T + after) for type_, after in steps))
    assert found.status_since == (None if since is None else T + since)


@pytest.mark.parametrize(
    ("types", "times"),
    [
        (["received"], 0),
        (["received", "supplement-requested"], 1),
        (["supplement-requested", "supplement-requested"], 1),  # said twice, entered once
        (["supplement-requested", "supplemented", "supplement-requested"], 2),
        (["supplement-requested", "noted", "supplement-requested"], 1),
    ],
)
def test_how_often_a_state_was_entered(types: list[str], times: int) -> None:
    found = dossier(*(event(type_, T + number) for number, type_ in enumerate(types)))
    assert found.times_entered(frozenset({5})) == times


def test_who_has_it_since_when_and_who_had_it_across_levels() -> None:
    """Liên thông: the commune receives, the department decides, the commune hands over."""
    found = dossier(
        event("received", T, unit=WARD, handler="Một cửa"),
        event("processing", T + 5, unit=WARD),
        event("forwarded", T + 10, unit=DEPARTMENT, from_unit=WARD),
        event("processing", T + 12, unit=DEPARTMENT, handler="Phòng Đăng ký"),
        event("noted", T + 14, reason="chờ thẩm định"),
        event("finished", T + 20, unit=WARD),
    )
    turns = [(turn.unit, turn.handler, turn.since, turn.until) for turn in found.holdings()]
    assert turns == [
        (WARD, "Một cửa", T, T + 10),
        (DEPARTMENT, "Phòng Đăng ký", T + 10, T + 20),
        (WARD, None, T + 20, None),
    ]


def test_a_turn_that_comes_late_takes_its_place_in_the_middle() -> None:
    found = dossier(
        event("received", T, unit=WARD),
        event("finished", T + 20, unit=WARD),
        event("forwarded", T + 10, unit=DEPARTMENT),
    )
    assert [turn.unit for turn in found.holdings()] == [WARD, DEPARTMENT, WARD]


def test_a_unit_without_a_code_is_told_by_its_name() -> None:
    found = dossier(
        event("received", T, unit=UnitRef(code="", name="Phòng A")),
        event("forwarded", T + 1, unit=UnitRef(code="", name="Phòng B")),
    )
    assert [turn.unit.name for turn in found.holdings()] == ["Phòng A", "Phòng B"]


def test_a_dossier_shows_nothing_of_a_person() -> None:
    shown = repr(
        dossier(
            event("received", T, applicant_phone="0912000001", applicant_name="Nguyễn Văn Mẫu",
                  agent_email="mau@example.vn")
        )
    )  # fmt: skip
    assert not any(secret in shown for secret in ("0912000001", "Mẫu", "mau@"))
