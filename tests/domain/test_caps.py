from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import NOW, message
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain import caps, instant
from notifier.domain.caps import Caps
from notifier.domain.message import Lane

if TYPE_CHECKING:
    from notifier.domain.message import Message

HOUR, DAY = instant.HOUR, instant.DAY


@pytest.mark.parametrize(
    ("hours_ago", "cap", "frees_in"),
    [
        ([], 1, None),
        ([1], 2, None),
        ([0], 1, 24),
        ([23], 1, 1),
        ([24], 1, None),  # a day has passed
        ([30, 25, 24], 1, None),
        ([5, 3, 1], 3, 19),
        ([1, 5, 3], 3, 19),  # in any order
        ([5, 3, 1], 4, None),
        ([9, 5, 3, 1], 3, 19),  # more than the cap, since it was lowered: the third last counts
        ([0, 0, 0], 3, 24),
    ],
)
def test_when_one_more_may_leave(hours_ago: list[int], cap: int, frees_in: int | None) -> None:
    left = [NOW - ago * HOUR for ago in hours_ago]
    frees_at = None if frees_in is None else NOW + frees_in * HOUR
    assert caps.frees_at(left, cap, NOW) == frees_at


@given(st.lists(st.integers(0, 2 * DAY), max_size=20), st.integers(1, 6))
def test_whoever_waits_that_long_may_leave_and_not_before(ages: list[int], cap: int) -> None:
    left = [NOW - age for age in ages]
    frees_at = caps.frees_at(left, cap, NOW)
    if frees_at is None:
        assert sum(at > NOW - DAY for at in left) < cap
    else:
        assert NOW < frees_at <= NOW + DAY
        assert caps.frees_at(left, cap, frees_at) is None
        assert caps.frees_at(left, cap, frees_at - 1) == frees_at


@given(st.lists(st.integers(0, 3 * DAY), max_size=60), st.integers(1, 4))
def test_no_day_ever_has_more_than_the_cap(asked_at: list[int], cap: int) -> None:
    left: list[int] = []
    for at in sorted(asked_at):
        if caps.frees_at(left, cap, NOW + at) is None:
            left.append(NOW + at)
    assert all(sum(start <= at < start + DAY for at in left) <= cap for start in left)


@pytest.mark.parametrize(
    ("held", "concerned"),
    [
        (message(lane=Lane.BULK), True),
        (message(lane=Lane.NOTICE), True),
        (message(lane=Lane.DEADLINE), False),
        (message(lane=Lane.ANSWER), False),
        (message(lane=Lane.NOTICE, notice="answer"), False),  # one that was promised for later
        (message(lane=Lane.BULK, accepted_parts=(0,)), False),  # its first half is on the phone
    ],
    ids=["bulk", "notice", "deadline", "answer", "later answer", "half sent"],
)
def test_whom_a_cap_concerns(held: Message, concerned: bool) -> None:
    assert caps.concerns(held) is concerned


def test_each_lane_has_its_own() -> None:
    assert (Caps().of(Lane.BULK), Caps().of(Lane.NOTICE)) == (3, 10)
