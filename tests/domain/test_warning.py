from __future__ import annotations

import itertools
from datetime import date

import pytest
from dossier_samples import at, installation

from notifier.domain import warning
from notifier.domain.instant import HOUR
from notifier.domain.message import Address
from notifier.domain.unit import Unit
from notifier.domain.warning import Warnings

CALENDAR = installation().calendars["vn"]
OURS, THEIRS = Address("email", "ward@example.vn"), Address("sms", "+84912000009")
WARD = Unit(code="H19.45", name="UBND", short="P", staff=(OURS,), leaders=(OURS,))
BARE = Unit(code="H19.46", name="UBND", short="P")


@pytest.mark.parametrize(
    ("today", "days", "first", "last"),
    [
        ("2026-11-23", 0, "2026-11-23", "2026-11-23"),
        ("2026-11-23", 1, "2026-11-24", "2026-11-25"),  # a due date on the holiday among them
        ("2026-11-23", 2, "2026-11-26", "2026-11-26"),
        ("2026-11-20", 1, "2026-11-21", "2026-11-23"),  # the weekend's too
        ("2026-11-20", 2, "2026-11-24", "2026-11-25"),
    ],
)
def test_which_due_days_are_warned_of(today: str, days: int, first: str, last: str) -> None:
    found = warning.due_days(CALENDAR, date.fromisoformat(today), days)
    assert found == (date.fromisoformat(first), date.fromisoformat(last))


def test_no_due_day_is_left_out_or_listed_under_two_leads() -> None:
    spans = [warning.due_days(CALENDAR, date(2026, 11, 20), days) for days in range(6)]
    for (_, before), (first, last) in itertools.pairwise(spans):
        assert (first - before).days == 1
        assert last >= first


@pytest.mark.parametrize(
    ("start", "hours", "until"),
    [
        ("2026-11-23 08:00", 2, "2026-11-23 10:00"),
        ("2026-11-23 10:30", 4, "2026-11-23 16:30"),  # the pause at noon does not count
        ("2026-11-23 22:00", 1, "2026-11-25 08:30"),  # nor the night and the holiday
    ],
)
def test_working_hours_from_a_moment(start: str, hours: int, until: str) -> None:
    assert warning.worked_until(at(start), hours * HOUR, CALENDAR) == at(until)


@pytest.mark.parametrize(
    ("unit", "step", "told"),
    [(WARD, 1, OURS), (WARD, 2, THEIRS), (BARE, 1, THEIRS), (BARE, 2, THEIRS)],
)
def test_who_is_told_when_nobody_acts(unit: Unit, step: int, told: Address) -> None:
    assert Warnings(leaders=(THEIRS,)).leaders_of(unit, step) == (told,)


def test_the_unit_comes_before_the_office() -> None:
    policy = Warnings(staff=(THEIRS,))
    assert policy.staff_of(WARD) == (OURS,)
    assert policy.staff_of(BARE) == (THEIRS,)
    assert Warnings().leaders_of(WARD, 2) == (OURS,)
    assert Warnings().staff_of(BARE) == ()


def test_no_address_is_shown() -> None:
    shown = repr((WARD, Warnings(staff=(THEIRS,), leaders=(OURS,))))
    assert "ward@" not in shown
    assert "84912" not in shown
