"""Processing limits, as events and decisions write them."""

from __future__ import annotations

import pytest

from notifier.domain import limit
from notifier.domain.limit import Limit, LimitUnit


@pytest.mark.parametrize(
    ("written", "count", "unit"),
    [
        ("5d", 5, LimitUnit.WORKING_DAYS),
        ("0d", 0, LimitUnit.WORKING_DAYS),
        ("8h", 8, LimitUnit.WORKING_HOURS),
        ("15cd", 15, LimitUnit.CALENDAR_DAYS),
        (" 5 D ", 5, LimitUnit.WORKING_DAYS),
        ("5 ngày làm việc", 5, LimitUnit.WORKING_DAYS),
        ("15 ngày", 15, LimitUnit.CALENDAR_DAYS),
        ("8 giờ làm việc", 8, LimitUnit.WORKING_HOURS),
    ],
)
def test_a_limit_is_read(written: str, count: int, unit: LimitUnit) -> None:
    read = limit.read(written)
    assert read == Limit(count=count, unit=unit)
    assert limit.read(str(read)) == read


@pytest.mark.parametrize("written", ["", "5", "d", "-5d", "5.5d", "5w", "5d 8h", "1000d", "5dd"])
def test_a_limit_that_is_none_says_how_to_write_one(written: str) -> None:
    with pytest.raises(ValueError, match='working days as "5d"'):
        limit.read(written)
