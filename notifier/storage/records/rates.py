"""How much a gateway may send at once, as it is kept: in whole millionths of a segment."""

from __future__ import annotations

from typing import Final

from notifier.domain.admission import Bucket

MILLIONTHS: Final = 1_000_000
"""So fine that what is lost by rounding down is nothing, however often it is reckoned."""


def gain_of(rate: float) -> float:
    """Millionths that a bucket gains in one ms, at ``rate`` segments a second."""
    return rate * MILLIONTHS / 1000


def most_of(rate: float) -> int:
    """Millionths that a full bucket holds."""
    return int(Bucket.full(rate, 0).level * MILLIONTHS)
