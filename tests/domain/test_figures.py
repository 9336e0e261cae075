from __future__ import annotations

import pytest

from notifier.domain import figures


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (124_970, 128_955, "96,91%"),
        (9_977, 10_000, "99,77%"),
        (946, 1_000, "94,60%"),
        (0, 3, "0,00%"),
        (3, 3, "100,00%"),
        (999_999, 1_000_000, "99,99%"),  # one is missing
        (0, 0, "–"),
    ],
)
def test_shares_have_a_decimal_comma_and_hide_nobody(part, whole, shown):
    assert figures.share(part, whole) == shown


def test_thousands_have_points():
    assert (figures.count(128_955), figures.count(7)) == ("128.955", "7")
    assert figures.decimal(1_234.56) == "1.234,6"
