"""What a rating says."""

from __future__ import annotations

import pytest

from notifier.domain.conversation import score


@pytest.mark.parametrize(
    ("words", "points"),
    [
        ("danh gia 5", 5),
        ("cho 3 sao", 3),
        ("rat hai long", 5),
        ("hai long", 4),
        ("khong hai long", 2),
        ("chua hai long lam", 2),
        ("binh thuong", 3),
        ("very satisfied", 5),
        ("khong hai long vi cho lau 1 sao", 1),
        ("danh gia may sao", None),
        ("9 sao", None),
    ],
)
def test_a_score_is_read(words: str, points: int | None) -> None:
    assert score(words) == points
