"""The clock of working time: the worked examples, and what holds for any calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from dossier_samples import at, installation
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from notifier.domain import instant, limit, working_time
from notifier.domain.calendar import DayKind, Half, Season, WorkingCalendar, half_of
from notifier.domain.instant import HOUR
from notifier.domain.limit import Limit, LimitUnit
from notifier.domain.working_time import Why

STATE = installation().calendars["vn"]
DAYS, HOURS = LimitUnit.WORKING_DAYS, LimitUnit.WORKING_HOURS


def due(received: str, written: str, calendar: WorkingCalendar = STATE) -> str:
    return shown(working_time.due(at(received), limit.read(written), calendar).due)


def shown(moment: int) -> str:
    return f"{instant.local(moment):%Y-%m-%d %H:%M}"


# ----------------------------------------------------------------------------- the worked examples


@pytest.mark.parametrize(
    ("received", "written", "ends", "warned"),
    [
        ("2026-11-20 10:00", "5d", "2026-11-30 17:00", "2026-11-27"),  # 24/11 is off
        ("2026-11-23 10:00", "1d", "2026-11-25 17:00", "2026-11-23"),
        ("2026-11-22 10:00", "3d", "2026-11-26 17:00", "2026-11-25"),  # Sunday, online
        ("2026-02-12 10:00", "3d", "2026-02-24 17:00", "2026-02-23"),  # Tết 16 to 20 February
        ("2026-02-13 10:00", "1d", "2026-02-23 17:00", "2026-02-13"),
        ("2026-04-24 10:00", "1d", "2026-04-28 17:00", "2026-04-24"),  # 27/4 for Sunday 26/4
        ("2026-04-24 10:00", "5d", "2026-05-06 17:00", "2026-05-05"),
        ("2026-08-20 10:00", "3d", "2026-08-24 17:00", "2026-08-22"),  # a worked Saturday
        ("2026-08-28 10:00", "1d", "2026-09-03 17:00", "2026-08-28"),  # 31/8 swapped
        ("2025-12-31 10:00", "5d", "2026-01-09 17:00", "2026-01-08"),  # 2/1 swapped
        ("2026-01-08 10:00", "2d", "2026-01-10 17:00", "2026-01-09"),  # due on a Saturday
        ("2026-11-20 23:59", "5d", "2026-11-30 17:00", "2026-11-27"),  # the hour makes no odds
        ("2026-11-20 16:00", "8h", "2026-11-23 16:30", "2026-11-20"),
        ("2026-11-23 10:15", "8h", "2026-11-25 10:45", "2026-11-23"),
        ("2026-11-23 15:30", "4h", "2026-11-25 10:00", "2026-11-23"),
        ("2026-11-20 16:45", "1h", "2026-11-23 08:15", "2026-11-20"),
        ("2026-11-20 16:00", "1h", "2026-11-20 17:00", "2026-11-19"),  # not 07:30 on Monday
        ("2026-11-21 09:00", "1h", "2026-11-23 08:30", "2026-11-20"),  # received on a Saturday
        ("2026-11-23 12:10", "1h", "2026-11-23 14:30", "2026-11-20"),  # received at noon
        # the civil-code end rule, with calendar days
        ("2026-04-16 10:00", "10cd", "2026-04-28 17:00", "2026-04-24"),  # Sunday 26/4
        ("2026-02-08 10:00", "10cd", "2026-02-23 17:00", "2026-02-13"),  # Wednesday 18/2
        ("2026-08-12 10:00", "10cd", "2026-08-22 17:00", "2026-08-21"),  # a worked Saturday
        # within the day: what comes after 15:00 is handed over on the next one
        ("2026-11-20 15:00", "0d", "2026-11-20 17:00", "2026-11-19"),
        ("2026-11-20 15:01", "0d", "2026-11-23 17:00", "2026-11-20"),
        ("2026-11-23 16:00", "0d", "2026-11-25 17:00", "2026-11-23"),
        ("2026-11-22 08:00", "0d", "2026-11-23 17:00", "2026-11-20"),
    ],
)  # fmt: skip
def test_a_limit_ends(received: str, written: str, ends: str, warned: str) -> None:
    counted = working_time.due(at(received), limit.read(written), STATE)
    assert shown(counted.due) == ends
    assert str(instant.local_date(counted.warn_by)) == warned
    assert counted.provisional == ()


def test_the_reckoning_of_days() -> None:
    counted = working_time.due(at("2026-11-20 10:00"), limit.read("5d"), STATE)
    assert [day.day for day in counted.days] == [23, 25, 26, 27, 30]
    assert [(one.day.day, one.why.value, one.name) for one in counted.left_out] == [
        (20, "receipt", ""),
        (21, "weekend", ""),
        (22, "weekend", ""),
        (24, "off", "Ngày Văn hóa Việt Nam"),
        (28, "weekend", ""),
        (29, "weekend", ""),
    ]


def test_the_reckoning_of_hours() -> None:
    counted = working_time.due(at("2026-11-23 10:15"), limit.read("8h"), STATE)
    assert [(shown(first)[-5:], shown(last)[-5:]) for first, last in counted.spans] == [
        ("10:15", "11:30"),
        ("13:30", "17:00"),
        ("07:30", "10:45"),
    ]
    assert [(one.day.day, one.why) for one in counted.left_out] == [(24, Why.OFF)]


@pytest.mark.parametrize(
    ("received", "written", "years"),
    [
        ("2026-12-24 10:00", "5d", ()),
        ("2026-12-30 10:00", "1d", ()),
        ("2026-12-31 10:00", "1d", (2027,)),
        ("2026-12-31 16:00", "8h", (2027,)),
        ("2027-12-30 10:00", "5d", (2027, 2028)),  # of 2028 nothing is written
        ("2023-12-29 10:00", "1d", (2023,)),
    ],
)
def test_a_year_that_is_not_announced_is_said(
    received: str, written: str, years: tuple[int, ...]
) -> None:
    provisional = working_time.due(at(received), limit.read(written), STATE).provisional
    assert provisional == years


# ------------------------------------------------------------------------------- other calendars

EIGHT = replace(STATE, day_length=8 * HOUR)


@pytest.mark.parametrize(
    ("received", "written", "ends"),
    [  # the hour of receipt is kept, as systems that store 8 h a day have it
        ("2026-11-20 10:23", "8h", "2026-11-23 10:23"),
        ("2026-11-20 16:00", "8h", "2026-11-23 16:00"),
        ("2026-11-20 10:23", "40h", "2026-11-30 10:23"),
        ("2026-11-20 10:00", "5d", "2026-11-30 17:00"),
    ],
)
def test_a_whole_day_may_count_for_eight_hours(received: str, written: str, ends: str) -> None:
    assert due(received, written, EIGHT) == ends


HALF_FRIDAY = date(2026, 11, 27)
OWN = replace(
    STATE,
    exceptions={**STATE.exceptions, HALF_FRIDAY: DayKind.HALF},
    names={**STATE.names, HALF_FRIDAY: "Hội nghị"},
    halves={HALF_FRIDAY: Half.MORNING},
    by_weekday={5: ((time(7, 30), time(11, 30)),)},
    seasons=(
        Season(
            name="Giờ mùa hè",
            first=date(2026, 4, 16),
            last=date(2026, 10, 15),
            hours=((time(7), time(11, 30)), (time(13, 30), time(17))),
        ),
    ),
)


@pytest.mark.parametrize(
    ("received", "written", "ends"),
    [
        ("2026-11-26 16:30", "1h", "2026-11-27 08:00"),
        ("2026-11-27 10:30", "2h", "2026-11-30 08:30"),  # its afternoon is left out
        ("2026-11-26 10:00", "1d", "2026-11-27 11:30"),  # it is a day, and ends at its end
        ("2026-11-25 10:00", "3d", "2026-11-30 17:00"),
        ("2026-11-28 08:00", "1h", "2026-11-30 08:30"),  # a Saturday of reception counts nothing
        ("2026-07-06 16:30", "1h", "2026-07-07 07:30"),  # summer
        ("2026-10-15 16:30", "1h", "2026-10-16 08:00"),  # the last day of it
        ("2026-08-21 16:30", "1h", "2026-08-22 07:30"),  # a worked Saturday has the usual hours
    ],
)
def test_half_days_seasons_and_saturdays(received: str, written: str, ends: str) -> None:
    assert due(received, written, OWN) == ends


def test_why_half_a_day_or_a_saturday_is_left_out() -> None:
    counted = working_time.due(at("2026-11-27 10:30"), limit.read("2h"), OWN)
    assert [(one.day.day, one.why, one.name) for one in counted.left_out] == [
        (27, Why.HALF, "Hội nghị"),
        (28, Why.RECEPTION, ""),
        (29, Why.WEEKEND, ""),
    ]


def test_the_warning_is_no_later_than_the_day_before_ends() -> None:
    late = working_time.due(at("2026-11-25 10:00"), Limit(count=3, unit=DAYS), OWN)
    assert shown(late.warn_by) == "2026-11-27 11:30"


def test_a_swapped_day_may_have_hours_of_its_own() -> None:
    saturday = date(2026, 8, 22)
    own = replace(STATE, own_hours={saturday: ((time(8), time(10)),)})
    assert due("2026-08-21 17:00", "2h", own) == "2026-08-22 10:00"
    assert due("2026-08-20 09:00", "2d", own) == "2026-08-22 10:00"


# -------------------------------------------------------------------------- what holds everywhere

FIRST = date(2024, 1, 1)
YEARS = st.dates(FIRST, date(2026, 12, 31))
MOMENTS = st.builds(
    lambda day, seconds: instant.at(day, time.min) + seconds * instant.SECOND,
    YEARS,
    st.integers(0, 86_399),
)
SPANS = st.lists(
    st.integers(5 * 4, 21 * 4), unique=True, min_size=2, max_size=6
).map(sorted).map(
    lambda marks: tuple(
        (time(opens // 4, opens % 4 * 15), time(closes // 4, closes % 4 * 15))
        for opens, closes in zip(marks[::2], marks[1::2], strict=False)
    )
)  # fmt: skip


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """Any week, any hours, seasons, half days, days off and swapped ones."""
    hours, summer = draw(SPANS), draw(SPANS)
    kinds = draw(
        st.dictionaries(YEARS, st.sampled_from(DayKind), max_size=30)
        | st.integers(0, 700).map(
            lambda n: {FIRST + timedelta(days=n + i): DayKind.OFF for i in range(10)}
        )
    )
    halves = {}
    for day in [day for day, kind in kinds.items() if kind is DayKind.HALF]:
        half = draw(st.sampled_from(Half))
        if half_of(hours, half) and half_of(summer, half):
            halves[day] = half
    length = draw(st.none() | st.integers(1, 12).map(lambda n: n * HOUR))
    start = draw(YEARS)
    return WorkingCalendar(
        name="any",
        week=frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        exceptions=kinds,
        hours=hours,
        seasons=(Season(name="s", first=start, last=start + timedelta(days=90), hours=summer),),
        halves=halves,
        own_hours=draw(st.dictionaries(st.sampled_from(sorted(kinds)), SPANS, max_size=3))
        if kinds
        else {},
        day_length=length,
    )


ANY = st.just(STATE) | st.just(EIGHT) | st.just(OWN) | calendars()
COUNTS = st.integers(1, 60)
UNITS = st.sampled_from(LimitUnit)
many = settings(deadline=None, max_examples=100)


@given(MOMENTS, MOMENTS, COUNTS, UNITS, ANY)
@many
def test_what_is_received_later_is_due_no_earlier(
    one: int, other: int, count: int, unit: LimitUnit, calendar: WorkingCalendar
) -> None:
    one, other = sorted((one, other))
    within = Limit(count=count, unit=unit)
    assert working_time.due_of(one, within, calendar) <= working_time.due_of(
        other, within, calendar
    )


@given(MOMENTS, st.integers(0, 60), UNITS, ANY)
@many
def test_a_longer_limit_ends_no_earlier(
    received: int, count: int, unit: LimitUnit, calendar: WorkingCalendar
) -> None:
    shorter, longer = Limit(count=count, unit=unit), Limit(count=count + 1, unit=unit)
    if count == 0 and unit is HOURS:
        return  # within the day, which may be longer than an hour
    assert working_time.due_of(received, shorter, calendar) <= working_time.due_of(
        received, longer, calendar
    )


@given(MOMENTS, st.integers(0, 60), UNITS, ANY)
@many
def test_nothing_is_due_on_a_day_off_or_before_it_came(
    received: int, count: int, unit: LimitUnit, calendar: WorkingCalendar
) -> None:
    counted = working_time.due(received, Limit(count=count, unit=unit), calendar)
    day, clock = instant.local(counted.due).date(), instant.local(counted.due).time()
    assert calendar.is_working(day)
    assert any(opens <= clock <= closes for opens, closes in calendar.spans(day))
    assert counted.due > received
    assert counted.warn_by < counted.due
    assert calendar.is_working(instant.local_date(counted.warn_by))


@given(MOMENTS, COUNTS, ANY)
@many
def test_adding_and_counting_agree(received: int, count: int, calendar: WorkingCalendar) -> None:
    by_days = working_time.due(received, Limit(count=count, unit=DAYS), calendar)
    assert working_time.days_between(received, by_days.due, calendar) == count == len(by_days.days)
    by_hours = working_time.due(received, Limit(count=count, unit=HOURS), calendar)
    assert working_time.time_between(received, by_hours.due, calendar) == count * HOUR
    if calendar.day_length is None:
        assert sum(last - first for first, last in by_hours.spans) == count * HOUR


@given(MOMENTS, COUNTS, ANY)
@many
def test_no_moment_before_the_end_has_the_hours(
    received: int, count: int, calendar: WorkingCalendar
) -> None:
    end = working_time.due_of(received, Limit(count=count, unit=HOURS), calendar)
    earlier = end - instant.MINUTE
    assume(earlier > received)
    assert working_time.time_between(received, earlier, calendar) < count * HOUR


@given(MOMENTS, COUNTS, ANY)
@many
def test_each_day_is_counted_or_left_out(
    received: int, count: int, calendar: WorkingCalendar
) -> None:
    counted = working_time.due(received, Limit(count=count, unit=DAYS), calendar)
    passed = list(
        working_time.days_from(instant.local_date(received), instant.local_date(counted.due))
    )
    assert sorted([*counted.days, *(one.day for one in counted.left_out)]) == passed
    assert all(map(calendar.is_working, counted.days))


@given(MOMENTS, MOMENTS, MOMENTS, ANY)
@many
def test_what_passes_in_two_parts_passes_in_one(
    one: int, two: int, three: int, calendar: WorkingCalendar
) -> None:
    one, two, three = sorted((one, two, three))
    parts = working_time.days_between(one, two, calendar) + working_time.days_between(
        two, three, calendar
    )
    assert parts == working_time.days_between(one, three, calendar)
    time_apart = working_time.time_between(one, two, calendar) + working_time.time_between(
        two, three, calendar
    )
    assert abs(time_apart - working_time.time_between(one, three, calendar)) <= 2 * instant.SECOND


@given(MOMENTS, st.dates(date(2024, 1, 1), date(2026, 12, 31)), ANY)
@many
def test_days_between_are_those_of_the_calendar_one_by_one(
    start: int, last: date, calendar: WorkingCalendar
) -> None:
    first = instant.local_date(start)
    one_by_one = sum(
        map(calendar.is_working, working_time.days_from(first + timedelta(days=1), last))
    )
    assert working_time.days_between(start, instant.at(last, time(9)), calendar) == one_by_one
