from __future__ import annotations

from datetime import time

import pytest
from dossier_samples import at
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain import instant
from notifier.domain.quiet import Hours

HOURS = Hours(opens=time(7), closes=time(22))


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-11-20 06:59", "2026-11-20 07:00"),
        ("2026-11-20 07:00", "2026-11-20 07:00"),
        ("2026-11-20 12:30", "2026-11-20 12:30"),
        ("2026-11-20 21:59:59", "2026-11-20 21:59:59"),
        ("2026-11-20 22:00", "2026-11-21 07:00"),
        ("2026-11-20 23:59", "2026-11-21 07:00"),
        ("2026-11-21 00:00", "2026-11-21 07:00"),
        ("2026-12-31 22:30", "2027-01-01 07:00"),
        ("2026-11-20T15:30:00Z", "2026-11-21 07:00"),  # 22:30 in Vietnam
    ],
)
def test_when_a_message_may_leave(now: str, leaves: str) -> None:
    assert HOURS.next_open(at(now)) == at(leaves)


@given(st.integers(at("2026-01-01"), at("2027-01-01")), st.times(), st.times())
def test_the_next_opening_is_open_and_less_than_a_day_away(
    now: int, one: time, other: time
) -> None:
    opens, closes = sorted([one.replace(microsecond=0), other.replace(microsecond=0)])
    if opens == closes:
        return
    hours = Hours(opens=opens, closes=closes)
    leaves = hours.next_open(now)
    assert now <= leaves < now + instant.DAY
    assert hours.next_open(leaves) == leaves
