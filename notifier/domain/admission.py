"""Who may go now: lanes, the window and the rate of a gateway, as pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from notifier.domain.message import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.instant import Instant

WEIGHTS: Final = {Lane.DEADLINE: 6, Lane.NOTICE: 3, Lane.BULK: 1}
"""How the lanes beside the answers share what is free; each gets at least one place a round."""

ANSWER_SHARE: Final = 0.1
"""The part of the rate that only answers may use."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that is due: its id, lane and price in segments."""

    id: str
    lane: Lane
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A token bucket in segments: ``rate`` a second, at most one second's worth, read at ``at``."""

    rate: float
    level: float
    at: Instant

    @classmethod
    def full(cls, rate: float, now: Instant) -> Bucket:
        """A bucket that holds one second's worth, and never less than one segment."""
        return cls(rate=rate, level=max(rate, 1.0), at=now)

    def refilled(self, now: Instant) -> Bucket:
        """The bucket as it stands at ``now`` (elapsed ms)."""
        gained = max(now - self.at, 0) * self.rate / 1000
        return replace(self, level=min(self.level + gained, max(self.rate, 1.0)), at=now)

    def taken(self, segments: int) -> Bucket:
        """The bucket after ``segments`` left; it may go below zero by one long message."""
        return replace(self, level=self.level - segments)


def choose(
    waiting: Sequence[Candidate], *, free: int, window: int, bucket: Bucket
) -> tuple[list[Candidate], Bucket]:
    """The candidates that ``free`` places and the bucket admit, and the bucket after them.

    ``window``: all places, those in use among them; a window of one has none to keep.
    ``waiting`` is in order of due time within each lane. Answers go first; of the places one,
    and of the rate a tenth, is left for answers that may come. The rest is shared by weight, and
    what one lane does not use the others take.
    """
    chosen: list[Candidate] = []
    answers = [candidate for candidate in waiting if candidate.lane is Lane.ANSWER]
    for candidate in answers[:free]:
        if bucket.level <= 0:
            return chosen, bucket
        bucket = bucket.taken(candidate.segments)
        chosen.append(candidate)
    reserve = bucket.rate * ANSWER_SHARE if bucket.rate >= 1 / ANSWER_SHARE else 0.0
    places = free - len(chosen) - (1 if window > 1 else 0)
    for candidate in _interleaved(waiting)[: max(places, 0)]:
        if bucket.level <= reserve:
            break
        bucket = bucket.taken(candidate.segments)
        chosen.append(candidate)
    return chosen, bucket


def _interleaved(waiting: Sequence[Candidate]) -> list[Candidate]:
    """The lanes merged by weight: the k-th of a lane of weight w stands at k / w."""
    placed: list[tuple[float, int, int, Candidate]] = []
    for lane, weight in WEIGHTS.items():
        members = [candidate for candidate in waiting if candidate.lane is lane]
        placed += [(k / weight, lane, k, member) for k, member in enumerate(members)]
    placed.sort(key=lambda place: place[:3])
    return [candidate for *_, candidate in placed]
