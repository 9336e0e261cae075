from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest
from dossier_samples import installation
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.calendar import DayKind, WorkingCalendar

STATE = installation().calendars["vn"]
YEARS = range(2024, 2028)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
COUNTS = st.integers(1, 30)

UNKNOWN_TO_THE_PACKAGE = {
    # Thông báo 12729/VPCP-KGVX: Friday 2 January 2026 off, Saturday 10 January worked instead
    date(2026, 1, 2): DayKind.OFF,
    date(2026, 1, 10): DayKind.WORK,
}


@pytest.mark.parametrize(
    ("received", "limit", "due", "day_before"),
    [
        (date(2026, 11, 20), 5, date(2026, 11, 30), date(2026, 11, 27)),  # 24/11 is off
        (date(2026, 11, 23), 1, date(2026, 11, 25), date(2026, 11, 23)),
        (date(2026, 11, 22), 3, date(2026, 11, 26), date(2026, 11, 25)),  # Sunday, online
        (date(2026, 2, 12), 3, date(2026, 2, 24), date(2026, 2, 23)),  # Tết 16 to 20 February
        (date(2026, 2, 13), 1, date(2026, 2, 23), date(2026, 2, 13)),
        (date(2026, 4, 24), 1, date(2026, 4, 28), date(2026, 4, 24)),  # 27/4 for Sunday 26/4
        (date(2026, 4, 24), 5, date(2026, 5, 6), date(2026, 5, 5)),
        (date(2026, 8, 20), 3, date(2026, 8, 24), date(2026, 8, 22)),  # a worked Saturday
        (date(2026, 8, 28), 1, date(2026, 9, 3), date(2026, 8, 28)),  # 31/8 swapped
        (date(2025, 12, 31), 5, date(2026, 1, 9), date(2026, 1, 8)),  # 2/1 swapped
        (date(2026, 1, 8), 2, date(2026, 1, 10), date(2026, 1, 9)),  # due on a Saturday
    ],
)
def test_working_days_are_counted_from_the_day_after(
    received: date, limit: int, due: date, day_before: date
) -> None:
    """Civil Code art 147: the day of the event is not counted."""
    assert STATE.after(received, limit) == due
    assert STATE.before(due, 1) == day_before


@pytest.mark.parametrize(
    ("last_day", "ends"),
    [
        (date(2026, 4, 26), date(2026, 4, 28)),
        (date(2026, 2, 18), date(2026, 2, 23)),
        (date(2026, 8, 22), date(2026, 8, 22)),  # a Saturday that is worked
        (date(2026, 8, 29), date(2026, 9, 3)),
        (date(2026, 11, 25), date(2026, 11, 25)),
    ],
)
def test_a_term_that_ends_on_a_day_off_ends_on_the_next_working_day(
    last_day: date, ends: date
) -> None:
    """Civil Code art 148(5)."""
    assert STATE.next_working(last_day) == ends


@given(DAYS, COUNTS)
@settings(deadline=None)
def test_a_count_ends_on_a_working_day_and_counts_each_day_once(day: date, count: int) -> None:
    end = STATE.after(day, count)
    span = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert STATE.is_working(end)
    assert sum(STATE.is_working(passed) for passed in span) == count


@given(DAYS, COUNTS)
@settings(deadline=None)
def test_before_undoes_after_from_a_working_day(day: date, count: int) -> None:
    start = STATE.next_working(day)
    assert STATE.before(STATE.after(start, count), count) == start


@given(DAYS, COUNTS)
@settings(deadline=None)
def test_counting_in_two_steps_is_counting_in_one(day: date, count: int) -> None:
    assert STATE.after(STATE.after(day, 1), count) == STATE.after(day, count + 1)


def test_the_shipped_table_against_the_holidays_package() -> None:
    peer = holidays.country_holidays("VN", years=YEARS, language="vi")
    days = (date(2024, 1, 1) + timedelta(days=n) for n in range(4 * 366))
    differing = {
        day: DayKind.WORK if STATE.is_working(day) else DayKind.OFF
        for day in days
        if day.year in YEARS and STATE.is_working(day) != peer.is_working_day(day)
    }
    assert differing == UNKNOWN_TO_THE_PACKAGE


def test_every_exception_turns_its_day_round_and_has_a_name() -> None:
    worked = [day for day, kind in STATE.exceptions.items() if kind is DayKind.WORK]
    assert worked
    assert all(day.weekday() >= 5 for day in worked)
    assert all(day.weekday() < 5 for day in STATE.exceptions.keys() - set(worked))
    assert STATE.exceptions.keys() == STATE.names.keys()


@pytest.mark.parametrize("count", [0, -1])
def test_less_than_a_day_is_no_count(count: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        STATE.after(date(2026, 11, 20), count)


@pytest.mark.parametrize("count", [1, -1])
def test_a_calendar_without_working_days_is_given_up(count: int) -> None:
    never = WorkingCalendar(name="never", week=frozenset())
    walk = never.after if count > 0 else never.before
    with pytest.raises(ValueError, match="never has no working day"):
        walk(date(2026, 11, 20), 1)


def test_a_long_count_is_no_reason_to_give_up() -> None:
    assert STATE.after(date(2026, 1, 1), 1_000).year == 2029
