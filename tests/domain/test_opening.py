"""Opening hours: what people write, what citizens read, and when it is open on a day."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from dossier_samples import installation
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.calendar import DayKind, Half, WorkingCalendar
from notifier.domain.opening import OpeningHours, read_hours, spans_words

OFFICE = "07:30-11:30, 13:30-17:00 thứ Hai đến thứ Sáu"
STATE = installation().calendars["vn"]


@pytest.mark.parametrize(
    ("typed", "vi", "en"),
    [
        (OFFICE, OFFICE, "07:30-11:30, 13:30-17:00 Monday to Friday"),
        ("07:30-11:30, 13:30-17:00", OFFICE, "07:30-11:30, 13:30-17:00 Monday to Friday"),
        ("T2-T6: 7h30-11h30, 13h30-17h", OFFICE, "07:30-11:30, 13:30-17:00 Monday to Friday"),
        ("Thứ 2 – thứ 6: sáng 7h30–11h30, chiều 13h30–17h00", OFFICE, None),
        ("từ thứ hai đến thứ sáu, 07:30 đến 11:30 và 13:30 đến 17:00", OFFICE, None),
        ("Mon-Fri 07:30-11:30, 13:30-17:00; Sat, Sun closed", OFFICE, None),
        (OFFICE + "; thứ Bảy, Chủ nhật: nghỉ", OFFICE, None),
        (OFFICE + "\n07:30-11:30 thứ Bảy", OFFICE + "; 07:30-11:30 thứ Bảy",
         "07:30-11:30, 13:30-17:00 Monday to Friday; 07:30-11:30 Saturday"),
        ("07:30-11:30 T2, T4, T6, CN", "07:30-11:30 thứ Hai, thứ Tư, thứ Sáu, Chủ nhật",
         "07:30-11:30 Monday, Wednesday, Friday, Sunday"),
        ("08:00-16:00 T2-T3; 08:00-12:00 T4-CN",
         "08:00-16:00 thứ Hai, thứ Ba; 08:00-12:00 thứ Tư đến Chủ nhật",
         "08:00-16:00 Monday, Tuesday; 08:00-12:00 Wednesday to Sunday"),
    ],
)  # fmt: skip
def test_hours_as_people_write_and_as_people_read_them(typed: str, vi: str, en: str | None) -> None:
    hours = read_hours(typed)
    assert hours.words("vi") == vi
    assert en is None or hours.words("en") == en


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("giờ hành chính", "can't be read"),
        ("", "no day has hours"),
        ("T7 nghỉ", "no day has hours"),
        ("07:30-11:30 thứ Tám", "can't be read"),
        ("7-11 T2", "can't be read"),
        ("07:30-11:30, nghỉ trưa T2", "can't be read"),
        ("T2-T6", "can't be read"),
        ("25:00-26:00 T2", "no such time of day"),
        ("11:30-07:30 T2", "opens before it closes"),
        ("07:30-11:30, 11:00-17:00 T2", "overlap"),
        ("13:30-17:00, 07:30-11:30 T2", "wrong order"),
        ("07:30-11:30 T2-T6; 08:00-11:00 T4", "Wednesday has hours twice"),
        ("07:30-11:30 T2, T2", "Monday has hours twice"),
        ("07:30-11:30 T6-T2", "from the earlier to the later"),
    ],
)
def test_hours_that_are_refused(typed: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_hours(typed)


SPANS = st.lists(
    st.builds(time, st.integers(5, 21), st.integers(0, 59)),
    unique=True, min_size=2, max_size=4,
).map(sorted).map(lambda at: tuple(zip(at[::2], at[1::2], strict=False)))  # fmt: skip
HOURS = (
    st.lists(st.just(()) | SPANS, min_size=7, max_size=7)
    .filter(any)
    .map(lambda days: OpeningHours(days=tuple(days)))
)


@given(HOURS, st.sampled_from(["vi", "en"]))
def test_what_is_written_is_read_back(hours: OpeningHours, locale: str) -> None:
    assert read_hours(hours.words(locale)) == hours


@given(st.text(max_size=60) | st.text(alphabet="0123456789:-,; thuTt", max_size=60))
def test_reading_gives_hours_or_a_sentence(text: str) -> None:
    try:
        hours = read_hours(text)
    except ValueError as refused:
        said = str(refused)
    else:
        said = ""
        assert hours.usual
    assert said == said.strip()
    assert said.count("\n") == 0


# ------------------------------------------------------------------------------------ on a day

RECEPTION = read_hours(OFFICE.replace("Sáu", "Năm") + "; 07:30-11:30 thứ Sáu, thứ Bảy")
FULL, HALF = "07:30-11:30, 13:30-17:00", "07:30-11:30"


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2026, 11, 23), FULL),  # Monday
        (date(2026, 11, 24), ""),  # a holiday
        (date(2026, 11, 27), HALF),  # a Friday
        (date(2026, 11, 28), HALF),  # a Saturday with reception
        (date(2026, 11, 29), ""),  # a Sunday
        (date(2026, 8, 22), FULL),  # a Saturday that is worked for another day
        (date(2026, 5, 1), ""),
        (date(2026, 5, 2), ""),  # the Saturday behind a Friday that is off
        (date(2026, 2, 21), ""),  # the Saturday within Tết, which the state's table does not list
        (date(2026, 4, 25), ""),  # the Saturday before a Monday that is off
    ],
)
def test_when_it_is_open(day: date, open_: str) -> None:
    assert spans_words(RECEPTION.on(day, STATE)) == open_


@pytest.mark.parametrize(
    ("day", "next_open"),
    [
        (date(2026, 11, 23), date(2026, 11, 25)),
        (date(2026, 11, 27), date(2026, 11, 28)),
        (date(2026, 11, 28), date(2026, 11, 30)),
        (date(2026, 4, 30), date(2026, 5, 4)),
    ],
)
def test_when_it_is_open_next(day: date, next_open: date) -> None:
    assert RECEPTION.next_open(day, STATE) == next_open


def test_a_calendar_without_a_day_gives_none() -> None:
    day = date(2026, 11, 23)
    never = {day + timedelta(days=number): DayKind.OFF for number in range(500)}
    assert RECEPTION.next_open(day, WorkingCalendar(name="never", exceptions=never)) is None


def test_the_usual_hours_are_those_of_most_days() -> None:
    assert spans_words(RECEPTION.usual) == FULL
    assert spans_words(read_hours("07:30-11:30 T2; 08:00-16:00 T3-T5").usual) == "08:00-16:00"
    assert spans_words(read_hours("07:30-11:30 T2; 08:00-16:00 T3").usual) == "07:30-11:30"


def test_on_half_a_day_it_is_open_in_that_half() -> None:
    friday = date(2026, 11, 27)
    calendar = WorkingCalendar(
        name="half", exceptions={friday: DayKind.HALF}, halves={friday: Half.MORNING}
    )
    hours = read_hours("07:00-11:00, 13:30-16:30 T2-T6")
    assert hours.on(friday, calendar) == ((time(7, 30), time(11)),)
