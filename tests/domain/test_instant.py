from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain import instant

FIVE_PM = 1_795_168_800_000  # 2026-11-20T10:00:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T17:00:00+07:00",
        "2026-11-20T10:00:00Z",
        "2026-11-20T10:00:00.000Z",
        "2026-11-20T05:00:00-05:00",
        "2026-11-20T17:00:00",  # no offset: Vietnamese time
        "2026-11-20 17:00",
        "20261120T170000",
    ],
)
def test_every_spelling_of_a_moment_is_the_same_moment(text: str) -> None:
    assert instant.read_iso(text) == FIVE_PM
    assert instant.read_iso(text, day_ends=time(9)) == FIVE_PM


@pytest.mark.parametrize(
    ("text", "day_ends", "shown"),
    [
        ("2026-11-20", None, "2026-11-20T00:00:00+07:00"),
        ("2026-11-20", time(17), "2026-11-20T17:00:00+07:00"),
        ("20261120", time(17), "2026-11-20T17:00:00+07:00"),
        ("2026-11-20T00:00", time(17), "2026-11-20T00:00:00+07:00"),  # midnight was said
    ],
)
def test_a_day_without_an_hour(text: str, day_ends: time | None, shown: str) -> None:
    assert instant.iso(instant.read_iso(text, day_ends=day_ends)) == shown


@pytest.mark.parametrize(
    "text",
    ["", "soon", "20/11/2026", "2026-02-29", "2026-13-01", "24:00", "1999-12-31T23:59:59Z",
     "2101-01-01T00:00:00Z", "0001-01-01", "0001-01-01T00:00:00+14:00",
     "9999-12-31T23:59:59-12:00", "2026-11-20T17:00:00+99:00"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        instant.read_iso(text)


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        (datetime(2026, 11, 20, 16, 59, 59, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 17, 0, 0, tzinfo=UTC), date(2026, 11, 21)),  # midnight in Vietnam
    ],
)
def test_the_day_is_the_vietnamese_one(utc: datetime, day: date) -> None:
    assert instant.local_date(instant.of(utc)) == day


def test_a_wall_clock_and_a_naive_time_are_vietnamese() -> None:
    assert instant.at(date(2026, 11, 20), time(17)) == FIVE_PM
    assert instant.of(datetime(2026, 11, 20, 17)) == FIVE_PM  # noqa: DTZ001 - the case itself


@given(
    st.datetimes(
        datetime(2000, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        datetime(2100, 12, 30),  # noqa: DTZ001
        timezones=st.just(instant.VIETNAM),
    )
)
def test_what_is_written_is_read_back_to_the_second(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert instant.local(instant.of(whole)) == whole
    assert instant.read_iso(instant.iso(instant.of(whole))) == instant.of(whole)
    assert abs(instant.local(instant.of(moment)) - moment) <= timedelta(milliseconds=1)
