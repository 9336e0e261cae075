"""Items that arrive together share one transaction, and nobody waits for anybody's mistake."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from builders import Centre, code, event, until

from notifier.flows.group_commit import GroupCommit
from notifier.flows.ingest import Fate

if TYPE_CHECKING:
    from collections.abc import Sequence


class Flow:
    """Doubles numbers; ``groups`` are those it was given, and each waits for ``open``."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.committed: list[int] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        await self.open.wait()
        if any(item < 0 for item in items):
            raise ValueError(f"poison in {list(items)}")
        self.committed += items
        return [2 * item for item in items]


@pytest.fixture
def flow() -> Flow:
    return Flow()


async def test_one_item_is_a_group_of_one(flow: Flow) -> None:
    assert await GroupCommit(flow)(4) == 8
    assert flow.groups == [[4]]


async def test_what_gathers_meanwhile_is_one_group(flow: Flow) -> None:
    flow.open.clear()
    group = GroupCommit(flow)
    first = asyncio.create_task(group(0))
    await until(lambda: flow.groups == [[0]])
    others = [asyncio.create_task(group(n)) for n in range(1, 6)]
    await asyncio.sleep(0)
    flow.open.set()
    assert await asyncio.gather(first, *others) == [0, 2, 4, 6, 8, 10]
    assert flow.groups == [[0], [1, 2, 3, 4, 5]]


async def test_a_group_has_a_limit(flow: Flow) -> None:
    group = GroupCommit(flow, most=2)
    assert await group.all([1, 2, 3, 4, 5]) == [2, 4, 6, 8, 10]
    assert flow.groups == [[1, 2], [3, 4], [5]]


async def test_nobody_is_answered_before_the_commit(flow: Flow) -> None:
    flow.open.clear()
    call = asyncio.create_task(GroupCommit(flow)(1))
    await until(lambda: flow.groups == [[1]])
    assert not call.done()
    flow.open.set()
    assert await call == 2
    assert flow.committed == [1]


async def test_a_poisoned_item_fails_alone(flow: Flow) -> None:
    group = GroupCommit(flow)
    results = await asyncio.gather(*map(group, [1, -2, 3]), return_exceptions=True)
    assert [results[0], results[2]] == [2, 6]
    with pytest.raises(ValueError, match=r"poison in \[-2\]"):
        raise results[1]  # type: ignore[misc]
    assert sorted(flow.committed) == [1, 3]


async def test_a_poisoned_item_alone_is_tried_once(flow: Flow) -> None:
    with pytest.raises(ValueError, match="poison"):
        await GroupCommit(flow)(-1)
    assert flow.groups == [[-1]]


async def test_one_callers_items_fail_together_and_the_good_ones_are_kept(flow: Flow) -> None:
    with pytest.raises(ValueError, match="poison"):
        await GroupCommit(flow).all([1, -2, -3, 4])
    await until(lambda: sorted(flow.committed) == [1, 4])


async def test_it_goes_on_after_a_failure(flow: Flow) -> None:
    group = GroupCommit(flow)
    with pytest.raises(ValueError, match="poison"):
        await group(-1)
    assert await group(5) == 10


@pytest.mark.parametrize("when", ["while it is committed", "while it waits"])
async def test_a_caller_that_goes_away_does_not_cancel_the_group(flow: Flow, when: str) -> None:
    flow.open.clear()
    group = GroupCommit(flow)
    under_way = asyncio.create_task(group(1))
    await until(lambda: flow.groups == [[1]])
    waiting = asyncio.create_task(group(2))
    beside = asyncio.create_task(group(3))
    await asyncio.sleep(0)
    leaving = under_way if when == "while it is committed" else waiting
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    flow.open.set()
    assert await beside == 6
    await group.drain()
    assert flow.committed == [1, 2, 3]


async def test_a_caller_that_goes_away_from_a_failing_group_harms_nobody(flow: Flow) -> None:
    group = GroupCommit(flow)
    calls = [asyncio.create_task(group(n)) for n in (1, -2, 3)]
    flow.open.clear()
    await until(lambda: flow.groups == [[1, -2, 3]])
    calls[0].cancel()
    flow.open.set()
    async with asyncio.timeout(10):
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, ValueError, int]
    assert flow.committed == [1, 3]


async def test_a_caller_that_goes_away_while_others_are_tried_alone(flow: Flow) -> None:
    calls: list[asyncio.Task[int]] = []

    async def tell(items: Sequence[int]) -> list[int]:
        if items == [-1]:
            calls[1].cancel()
            await asyncio.sleep(0)
        return await flow(items)

    group = GroupCommit(tell)
    calls += [asyncio.create_task(group(n)) for n in (-1, 2, 3)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, asyncio.CancelledError, int]
    await group.drain()
    assert flow.committed == [2, 3]


async def test_drain_waits_for_what_was_brought(flow: Flow) -> None:
    flow.open.clear()
    group = GroupCommit(flow)
    calls = [asyncio.create_task(group(n)) for n in (1, 2)]
    await until(lambda: bool(flow.groups))
    drained = asyncio.create_task(group.drain())
    await asyncio.sleep(0)
    assert not drained.done()
    flow.open.set()
    await drained
    assert flow.committed == [1, 2]
    await asyncio.gather(*calls)


async def test_draining_nothing_returns_at_once(flow: Flow) -> None:
    await GroupCommit(flow).drain()


async def test_no_items_need_no_group(flow: Flow) -> None:
    assert await GroupCommit(flow).all([]) == []
    await asyncio.sleep(0)
    assert flow.groups == []


async def test_events_that_come_at_once_are_on_disk_when_they_are_answered(centre: Centre) -> None:
    """Over the real flow and store: what another process sees is what was promised."""
    group = GroupCommit(centre.ingest)

    async def push(number: int) -> bool:
        await group(event(number=number))
        return (code(number),) in centre.rows("SELECT code FROM event")

    assert all(await asyncio.gather(*map(push, range(1, 51))))


async def test_the_same_event_twice_at_once_is_stored_once(centre: Centre) -> None:
    group = GroupCommit(centre.ingest)
    results = await asyncio.gather(*(group(event()) for _ in range(10)))
    assert Counter(result.fate for result in results) == {Fate.STORED: 1, Fate.DUPLICATE: 9}
