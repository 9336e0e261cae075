from __future__ import annotations

import pytest
from dossier_samples import at

from notifier.domain.period import Span, last_over


@pytest.mark.parametrize(
    ("span", "now", "first", "last", "words"),
    [
        (Span.DAY, "2026-11-23 00:00", "2026-11-22", "2026-11-22", "ngày 22/11/2026"),
        (
            Span.WEEK,
            "2026-11-23 00:00",
            "2026-11-16",
            "2026-11-22",
            "tuần từ 16/11/2026 đến 22/11/2026",
        ),
        (
            Span.WEEK,
            "2026-11-22 23:59",
            "2026-11-09",
            "2026-11-15",
            "tuần từ 09/11/2026 đến 15/11/2026",
        ),
        (Span.MONTH, "2026-01-31 10:00", "2025-12-01", "2025-12-31", "tháng 12/2025"),
        (Span.MONTH, "2026-03-01 00:00", "2026-02-01", "2026-02-28", "tháng 02/2026"),
    ],
)
def test_the_last_period_that_is_over(span, now, first, last, words):
    told = last_over(span, at(now))
    assert (str(told.first), str(told.last), told.words("vi")) == (first, last, words)
    assert (told.start, told.end) == (at(f"{first} 00:00"), at(f"{last} 23:59:59") + 999)
