"""What the due date should be by the limit, from the states a dossier has been in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from dossier_samples import at, dossier, event, installation
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain import due_check, instant, limit, working_time
from notifier.domain.dossier import Facts, Rescheduled
from notifier.domain.knowledge import Knowledge, Procedure
from notifier.domain.status import DeadlineClock, ProcedureClock, Statuses

if TYPE_CHECKING:
    from notifier.domain.event import DossierEvent

STATE = installation().calendars["vn"]
STATUSES = installation().statuses

NOVEMBER = "2026-11-"


def steps(*said: str, **carried: object) -> tuple[DossierEvent, ...]:
    """Events such as ``20 10:00 received``, all of November 2026."""
    events = []
    for one in said:
        day, clock, what = one.split()
        events.append(event(what, f"{NOVEMBER}{day} {clock}", **carried))
    return tuple(events)


def expected(*said: str, written: str = "5d", statuses: Statuses = STATUSES) -> str | None:
    found = due_check.expected_due(dossier(*steps(*said)), limit.read(written), statuses, STATE)
    return f"{instant.local(found.due):%m-%d %H:%M}" if found else None


@pytest.mark.parametrize(
    ("said", "written", "due"),
    [
        (["20 10:00 received"], "5d", "11-30 17:00"),
        (["20 10:00 submitted"], "5d", None),
        (["16 10:00 submitted", "20 10:00 received"], "5d", "11-30 17:00"),
        (["20 10:00 received", "23 09:00 processing"], "5d", "11-30 17:00"),
        # a supplement starts it from zero; while papers are awaited nothing is due
        (["20 10:00 received", "23 09:00 supplement-requested"], "5d", None),
        (
            ["20 10:00 received", "23 09:00 supplement-requested", "26 09:00 supplemented"],
            "5d",
            "12-03 17:00",
        ),
        (
            ["20 10:00 received", "23 09:00 supplement-requested", "23 14:00 payment-requested",
             "26 09:00 paid"],
            "5d",
            "12-03 17:00",
        ),
        (  # the wish for papers came before the receipt: the receipt is when they came
            ["18 10:00 submitted", "19 10:00 supplement-requested", "20 10:00 processing"],
            "5d",
            "11-30 17:00",
        ),
        # a pause adds the working days that it took: of 23, 25, 26 the last two
        (["20 10:00 received", "23 09:00 payment-requested"], "5d", None),
        (
            ["20 10:00 received", "23 09:00 payment-requested", "26 09:00 paid"],
            "5d",
            "12-02 17:00",
        ),
        (
            ["20 10:00 received", "23 09:00 payment-requested", "23 11:00 paid"],
            "5d",
            "11-30 17:00",
        ),
        (["20 10:00 received", "20 11:00 stopped", "21 08:00 resumed"], "5d", "11-30 17:00"),
        # paused on its last day: the day on which it goes on is the last
        (["20 10:00 received", "23 09:00 stopped", "26 09:00 resumed"], "1d", "11-26 17:00"),
        (["23 10:00 received", "25 09:00 stopped", "26 09:00 resumed"], "1d", "11-26 17:00"),
        (["23 10:00 received", "25 09:00 stopped", "26 18:00 resumed"], "1d", "11-27 17:00"),
        # late before the pause: no later by it
        (["23 10:00 received", "26 09:00 stopped", "27 09:00 resumed"], "1d", "11-25 17:00"),
        (
            ["23 10:00 received", "26 09:00 stopped", "27 09:00 resumed", "28 09:00 stopped",
             "30 09:00 resumed"],
            "1d",
            "11-25 17:00",
        ),
        # hours
        (["23 08:30 received", "23 10:30 payment-requested", "25 08:30 paid"], "4h", "11-25 10:30"),
        (["23 08:30 received", "23 10:30 stopped", "23 18:00 resumed"], "4h", "11-25 09:30"),
        # at the end
        (["20 10:00 received", "26 09:00 finished"], "5d", "11-30 17:00"),
        (["20 10:00 received", "26 09:00 finished", "27 09:00 returned"], "5d", "11-30 17:00"),
        (["20 10:00 received", "23 09:00 stopped", "26 09:00 withdrawn"], "5d", None),
        (["20 10:00 refused"], "5d", None),
        (["20 10:00 received", "26 09:00 finished", "27 09:00 reopened"], "5d", "12-01 17:00"),
    ],
)  # fmt: skip
def test_the_limit_is_counted_through_the_states(
    said: list[str], written: str, due: str | None
) -> None:
    assert expected(*said, written=written) == due


def test_the_count_begins_with_the_receipt_that_the_source_names() -> None:
    late_news = event("processing", "2026-11-26 09:00", received_at=at("2026-11-20 10:00"))
    found = due_check.expected_due(dossier(late_news), limit.read("5d"), STATUSES, STATE)
    assert found is not None
    assert (instant.iso(found.due), found.since) == (
        "2026-11-30T17:00:00+07:00",
        at("2026-11-20 10:00"),
    )
    assert found.provisional == ()


def test_what_is_counted_with_an_unannounced_year_says_so() -> None:
    received = event("received", "2026-12-30 10:00")
    found = due_check.expected_due(dossier(received), limit.read("5d"), STATUSES, STATE)
    assert found is not None
    assert found.provisional == (2027,)
    assert found.words == (
        "2027-01-07T17:00:00+07:00 (5d from 2026-12-30T10:00:00+07:00), "
        "provisional: the days off of 2027 are not announced"
    )


# --------------------------------------------------------------------------- pauses by procedure

LAND = ProcedureClock(
    procedures=frozenset({"1.009994"}),
    fields=frozenset({"dat dai"}),
    clocks={6: DeadlineClock.RUNS, 8: DeadlineClock.ENDED},
    first=date(2026, 7, 1),
    last=date(2026, 12, 31),
)
WITH_LAND = replace(STATUSES, by_procedure=(LAND,))
RECEIVED = at("2026-11-20 10:00")


@pytest.mark.parametrize(
    ("facts", "clock"),
    [
        (Facts(procedure_code="1.009994", received_at=RECEIVED), "runs"),
        (Facts(procedure_code="1.009994.000.00.00.H19", received_at=RECEIVED), "runs"),
        (Facts(procedure_code="1.0099945", received_at=RECEIVED), "pauses"),
        (Facts(procedure_field="Đất đai", received_at=RECEIVED), "runs"),
        (Facts(procedure_field="Hộ tịch", received_at=RECEIVED), "pauses"),
        (Facts(procedure_code="1.009994", received_at=at("2026-06-30 16:00")), "pauses"),
        (Facts(procedure_code="1.009994", received_at=at("2026-07-01 00:00")), "runs"),
        (Facts(procedure_code="1.009994", received_at=at("2026-12-31 23:00")), "runs"),
        (Facts(procedure_code="1.009994", received_at=at("2027-01-01 08:00")), "pauses"),
        (Facts(procedure_code="1.009994"), "pauses"),  # received nobody knows when
        (Facts(), "pauses"),
        (None, "pauses"),
    ],
)
def test_a_procedure_may_have_pauses_of_its_own(facts: Facts | None, clock: str) -> None:
    assert WITH_LAND.clock(6, facts) is DeadlineClock(clock)
    assert WITH_LAND.clock(5, facts) is DeadlineClock.RESTARTS


def test_the_count_follows_the_procedure() -> None:
    said = ("20 10:00 received", "23 09:00 payment-requested", "26 09:00 paid")
    events = steps(*said, procedure_code="1.009994", received_at=RECEIVED)
    due = [
        due_check.expected_due(dossier(*events), limit.read("5d"), statuses, STATE)
        for statuses in (STATUSES, WITH_LAND)
    ]
    assert [found and f"{instant.local(found.due):%m-%d}" for found in due] == ["12-02", "11-30"]


# ------------------------------------------------------------------------------------- the check


@pytest.mark.parametrize(
    ("written", "due", "is_another"),
    [
        ("5d", "2026-11-30 17:00", False),
        ("5d", "2026-11-30 10:00", False),  # the hour of receipt, as some systems have it
        ("5d", "2026-12-01 17:00", True),
        ("5d", "2026-11-27 17:00", True),
        ("8h", "2026-11-23 10:30", False),
        ("8h", "2026-11-23 10:30:59", False),
        ("8h", "2026-11-23 10:31", True),
        ("0d", "2026-11-20 17:00", False),
    ],
)
def test_which_dates_differ(written: str, due: str, is_another: bool) -> None:
    received = dossier(event("received", "2026-11-20 10:00", due_at=at(due)))
    found = due_check.expected_due(received, limit.read(written), STATUSES, STATE)
    assert found is not None
    assert due_check.differs(at(due), found) is is_another


DUE = at("2026-12-02 17:00")
GOES = event("received", "2026-11-20 10:00", due_at=DUE)


@pytest.mark.parametrize(
    ("further", "is_checked"),
    [
        ([], True),
        ([event("payment-requested", "2026-11-23 09:00")], False),
        ([event("supplement-requested", "2026-11-23 09:00")], False),
        (  # the old date binds nobody, which is said otherwise
            [event("supplement-requested", "2026-11-23 09:00"),
             event("supplemented", "2026-11-25 09:00")],
            False,
        ),
        (
            [event("supplement-requested", "2026-11-23 09:00"),
             event("supplemented", "2026-11-25 09:00", due_at=DUE + instant.DAY)],
            True,
        ),
        (
            [event("rescheduled", "2026-11-27 09:00", due_at=DUE + instant.DAY,
                   rescheduled=Rescheduled(due_at=DUE + instant.DAY))],
            False,
        ),
        ([event("rescheduled", "2026-11-27 09:00", due_at=DUE + instant.DAY)], False),
        ([event("corrected", "2026-11-27 09:00", due_at=DUE + instant.DAY)], True),
        ([event("corrected", "2026-11-27 09:00", due_at=None)], False),
        ([event("finished", "2026-11-27 09:00")], False),
    ],
)  # fmt: skip
def test_when_the_source_has_to_agree(further: list[DossierEvent], is_checked: bool) -> None:
    assert due_check.is_checked(dossier(GOES, *further), STATUSES) is is_checked


KNOWN = Knowledge.of(
    [
        Procedure(
            code="1.001612", name="Đăng ký", source="QĐ", as_of=date(2026, 11, 1),
            limit=limit.read("3d"),
        )
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "meant"),
    [
        (Facts(limit="5d", procedure_code="1.001612"), "5d"),
        (Facts(procedure_code="1.001612"), "3d"),
        (Facts(procedure_code="1.001612.000.00.00.H19"), "3d"),
        (Facts(procedure_code="1.999999", procedure_name="Đăng ký"), None),
        (Facts(limit="soon", procedure_code="1.001612"), None),
        (Facts(), None),
    ],
)
def test_whose_limit_it_is(facts: Facts, meant: str | None) -> None:
    assert due_check.limit_of(facts, KNOWN) == (limit.read(meant) if meant else None)


# -------------------------------------------------------------------------- what holds everywhere

LIMITS = st.builds("{}{}".format, st.integers(0, 20), st.sampled_from(["d", "h", "cd"]))
WAITS = st.lists(st.integers(1, 15 * instant.DAY), min_size=1, max_size=6)
START = st.integers(at("2025-12-01 00:00"), at("2026-11-30 00:00"))


@given(START, LIMITS, WAITS)
@settings(deadline=None, max_examples=200)
def test_pauses_never_move_a_due_date_earlier(start: int, written: str, waits: list[int]) -> None:
    """Each pause that ends; in the middle of it nothing is due."""
    moment, events = start, [event("received", start)]
    due = before = working_time.due_of(start, limit.read(written), STATE)
    for i, wait in enumerate(waits):
        moment += wait
        events.append(event("payment-requested" if i % 2 == 0 else "paid", moment))
        found = due_check.expected_due(dossier(*events), limit.read(written), STATUSES, STATE)
        if i % 2 == 0:
            assert found is None
            continue
        assert found is not None
        assert found.due >= due >= before
        assert STATE.is_working(instant.local_date(found.due))
        due = found.due


@given(START, LIMITS, WAITS)
@settings(deadline=None)
def test_a_supplement_is_a_new_receipt(start: int, written: str, waits: list[int]) -> None:
    moment, events = start, [event("received", start)]
    for wait in waits:
        events.append(event("supplement-requested", moment + wait))
        moment += 2 * wait
        events.append(event("supplemented", moment))
    found = due_check.expected_due(dossier(*events), limit.read(written), STATUSES, STATE)
    assert found is not None
    assert found.due == working_time.due_of(moment, limit.read(written), STATE)
    assert found.since == moment
