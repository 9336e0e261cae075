from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.admission import ANSWER_SHARE, Bucket, Candidate, choose
from notifier.domain.message import Lane

WINDOW = 16
PLENTY = Bucket.full(1_000, 0)


def queue(*lanes: tuple[Lane, int], segments: int = 1) -> list[Candidate]:
    """So many candidates of each lane, in order of due time within the lane."""
    return [
        Candidate(f"{lane.name}-{number}", lane, segments)
        for lane, count in lanes
        for number in range(count)
    ]


def lanes_of(chosen: list[Candidate]) -> list[Lane]:
    return [candidate.lane for candidate in chosen]


@st.composite
def waiting_lists(draw: st.DrawFn) -> list[Candidate]:
    drawn = draw(st.lists(st.tuples(st.sampled_from(Lane), st.integers(1, 5)), max_size=40))
    return [Candidate(str(number), lane, segments) for number, (lane, segments) in enumerate(drawn)]


WINDOWS = st.integers(1, 20)
BUCKETS = st.builds(
    Bucket, rate=st.floats(0.2, 100), level=st.floats(-5, 100), at=st.just(0)
)  # fmt: skip


@given(waiting_lists(), WINDOWS, st.data(), BUCKETS)
@settings(max_examples=200)
def test_what_is_chosen_is_within_the_window_and_the_rate(
    waiting: list[Candidate], window: int, data: st.DataObject, bucket: Bucket
) -> None:
    free = data.draw(st.integers(0, window))
    chosen, after = choose(waiting, free=free, window=window, bucket=bucket)
    spent = sum(candidate.segments for candidate in chosen)
    assert len(chosen) <= free
    assert len({candidate.id for candidate in chosen}) == len(chosen)
    assert after.level == pytest.approx(bucket.level - spent)
    # the last one may take the level below zero, and nothing leaves once it is there
    assert not chosen or spent - chosen[-1].segments < bucket.level


@given(waiting_lists(), WINDOWS, st.data(), BUCKETS)
@settings(max_examples=200)
def test_one_place_and_a_tenth_of_the_rate_are_left_for_answers(
    waiting: list[Candidate], window: int, data: st.DataObject, bucket: Bucket
) -> None:
    free = data.draw(st.integers(0, window))
    chosen, _ = choose(waiting, free=free, window=window, bucket=bucket)
    others = [candidate for candidate in chosen if candidate.lane is not Lane.ANSWER]
    if others:
        assert free - len(chosen) >= (1 if window > 1 else 0)
        reserve = bucket.rate * ANSWER_SHARE if bucket.rate >= 10 else 0
        before_the_last = sum(candidate.segments for candidate in chosen[:-1])
        assert bucket.level - before_the_last > reserve


@given(waiting_lists(), WINDOWS, st.data(), BUCKETS)
@settings(max_examples=200)
def test_nobody_waits_while_there_is_room(
    waiting: list[Candidate], window: int, data: st.DataObject, bucket: Bucket
) -> None:
    free = data.draw(st.integers(0, window))
    chosen, after = choose(waiting, free=free, window=window, bucket=bucket)
    left = {candidate.lane for candidate in waiting} - {Lane.ANSWER}
    all_others_chosen = all(
        candidate in chosen for candidate in waiting if candidate.lane is not Lane.ANSWER
    )
    answers_waiting = [c for c in waiting if c.lane is Lane.ANSWER and c not in chosen]
    if answers_waiting:
        assert len(chosen) == free or after.level <= 0
    elif left and not all_others_chosen:
        reserve = bucket.rate * ANSWER_SHARE if bucket.rate >= 10 else 0
        kept = 1 if window > 1 else 0
        assert free - len(chosen) <= kept or after.level <= reserve


@given(waiting_lists(), WINDOWS, BUCKETS)
@settings(max_examples=200)
def test_within_a_lane_the_first_goes_first_and_answers_go_before_all(
    waiting: list[Candidate], window: int, bucket: Bucket
) -> None:
    chosen, _ = choose(waiting, free=window, window=window, bucket=bucket)
    for lane in Lane:
        in_lane = [candidate for candidate in waiting if candidate.lane is lane]
        taken = [candidate for candidate in chosen if candidate.lane is lane]
        assert taken == in_lane[: len(taken)]
    lanes = lanes_of(chosen)
    assert lanes == sorted(lanes, key=lambda lane: lane is not Lane.ANSWER)


def test_the_last_place_of_the_window_is_for_an_answer_however_often_one_looks() -> None:
    bulk = queue((Lane.BULK, 40))
    in_flight = 0
    for _ in range(5):
        chosen, _ = choose(bulk, free=WINDOW - in_flight, window=WINDOW, bucket=PLENTY)
        in_flight += len(chosen)
    assert in_flight == WINDOW - 1
    answer = queue((Lane.ANSWER, 1))
    assert choose([*bulk, *answer], free=1, window=WINDOW, bucket=PLENTY)[0] == answer


def test_a_window_of_one_serves_everybody() -> None:
    bulk = queue((Lane.BULK, 2))
    assert choose(bulk, free=1, window=1, bucket=PLENTY)[0] == bulk[:1]


def test_the_lanes_share_by_weight_and_none_starves() -> None:
    waiting = queue((Lane.BULK, 50), (Lane.NOTICE, 50), (Lane.DEADLINE, 50))
    chosen, _ = choose(waiting, free=21, window=21, bucket=PLENTY)
    counts = [lanes_of(chosen).count(lane) for lane in (Lane.DEADLINE, Lane.NOTICE, Lane.BULK)]
    assert counts == [12, 6, 2]  # six, three and one of ten
    few, _ = choose(waiting, free=4, window=4, bucket=PLENTY)
    assert set(lanes_of(few)) == {Lane.DEADLINE, Lane.NOTICE, Lane.BULK}


def test_what_one_lane_does_not_use_the_others_take() -> None:
    waiting = queue((Lane.BULK, 50), (Lane.DEADLINE, 2))
    chosen, _ = choose(waiting, free=11, window=11, bucket=PLENTY)
    assert lanes_of(chosen).count(Lane.BULK) == 8


def test_bulk_stops_at_the_tenth_and_answers_use_it() -> None:
    bucket = Bucket(rate=20, level=2.0, at=0)
    assert choose(queue((Lane.BULK, 5)), free=9, window=9, bucket=bucket) == ([], bucket)
    answers = queue((Lane.ANSWER, 5))
    chosen, after = choose(answers, free=9, window=9, bucket=bucket)
    assert (chosen, after.level) == (answers[:2], 0)


@pytest.mark.parametrize(
    ("rate", "level", "passed", "refilled"),
    [
        (10, 0, 500, 5),
        (10, 8, 500, 10),  # at most one second's worth
        (10, -3, 100, -2),
        (0.5, 0, 1_000, 0.5),
        (0.5, 0, 60_000, 1),  # a slow gateway still saves up for one
        (10, 4, 0, 4),
        (10, 4, -1_000, 4),  # a clock that goes back takes nothing away
    ],
)
def test_the_bucket_fills_with_time(
    rate: float, level: float, passed: int, refilled: float
) -> None:
    bucket = Bucket(rate=rate, level=level, at=5_000).refilled(5_000 + passed)
    assert bucket.level == pytest.approx(refilled)


@given(st.floats(0.5, 50), st.lists(st.integers(1, 400), min_size=5, max_size=40))
@settings(max_examples=50)
def test_over_time_no_more_leaves_than_the_rate_lets(rate: float, steps: list[int]) -> None:
    bucket, now, spent = Bucket.full(rate, 0), 0, 0
    for step in steps:
        now += step
        bucket = bucket.refilled(now)
        chosen, bucket = choose(queue((Lane.ANSWER, 50), segments=3), free=50, window=50,
                                bucket=bucket)  # fmt: skip
        spent += 3 * len(chosen)
    assert spent <= max(rate, 1) + rate * now / 1000 + 3
