"""What nobody knows is found out in order: the same key, the provider asked, a report, a person."""

from __future__ import annotations

import pytest
from builders import Centre, message
from doubles.gateway import ScriptedGateway
from engines import on_every_store

from notifier.domain import instant
from notifier.domain.message import State
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Outcome,
    Permanent,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.domain.retry import UNKNOWN_WAIT

LOST = Unknown(code="reset", detail="no verdict came")


async def lost(centre: Centre, gateway: ScriptedGateway, **changes: object) -> None:
    """A message that ``gateway`` sent, and no verdict came."""
    await centre.queue(message("a", **changes))
    await centre.turn(centre.dispatcher(gateway))
    assert await centre.states() == {"a": "unknown"}


@on_every_store
async def test_with_the_same_key_by_the_same_gateway_only(centre: Centre) -> None:
    sure = ScriptedGateway(LOST, name="sure", suppresses_duplicates=instant.DAY)
    other = ScriptedGateway(name="other")
    await lost(centre, sure, notice="late")
    settle = centre.settle_with({"sure": sure, "other": other})
    assert await settle.sweep(centre.clock.now) == 1
    await centre.turn(centre.dispatcher(other))
    assert other.keys == []
    assert await centre.states() == {"a": "queued"}
    await centre.turn(centre.dispatcher(sure))
    assert sure.keys == ["a", "a"]
    assert await centre.states() == {"a": "accepted"}
    assert await centre.work() == []


@on_every_store
async def test_a_later_try_of_it_stays_with_that_gateway(centre: Centre) -> None:
    sure = ScriptedGateway(
        LOST, Temporary(code="busy"), name="sure", suppresses_duplicates=instant.DAY
    )
    other = ScriptedGateway(name="other")
    await lost(centre, sure)
    await centre.settle_with({"sure": sure}).sweep(centre.clock.now)
    await centre.turn(centre.dispatcher(sure))
    centre.clock.now += instant.HOUR
    await centre.turn(centre.dispatcher(other))
    assert other.keys == []
    await centre.turn(centre.dispatcher(sure))
    assert await centre.states() == {"a": "accepted"}


async def test_one_that_is_lost_again_and_again_comes_to_people(centre: Centre) -> None:
    sure = ScriptedGateway(name="sure", usual=LOST, suppresses_duplicates=instant.DAY)
    await lost(centre, sure)
    settle = centre.settle_with({"sure": sure})
    for _ in range(20):
        centre.clock.now += UNKNOWN_WAIT
        await settle.sweep(centre.clock.now)
        await centre.turn(centre.dispatcher(sure))
    assert await centre.states() == {"a": "unknown"}
    assert [item.kind for item in await centre.work()] == ["unknown"]
    assert len(sure.keys) == 6


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (Accepted(), State.ACCEPTED),
        (Permanent(code="105"), State.FAILED),
        (OptedOut(code="dnd"), State.FAILED),
        (Temporary(code="404"), State.QUEUED),
        (Unknown(code="?"), State.UNKNOWN),
        (Throttled(retry_after=1), State.UNKNOWN),
    ],
)
async def test_what_the_provider_says_when_asked(
    centre: Centre, told: Outcome, state: State
) -> None:
    gateway = ScriptedGateway(LOST, told=told)
    await lost(centre, gateway)
    await centre.settle_with({gateway.name: gateway}).sweep(centre.clock.now)
    assert gateway.asked == ["a"]
    assert (await centre.row("a")).state is state
    assert await centre.work() == []


async def test_a_provider_that_does_not_answer_is_asked_for_ten_minutes(centre: Centre) -> None:
    gateway = ScriptedGateway(LOST, told=Unknown(code="?"))
    await lost(centre, gateway, notice="late")
    settle = centre.settle_with({gateway.name: gateway})
    for _ in range(12):
        await settle.sweep(centre.clock.now)
        centre.clock.now += instant.MINUTE
    assert gateway.asked == ["a"] * 10
    assert [item.kind for item in await centre.work()] == ["unknown"]


async def test_a_report_that_came_while_it_was_asked_stands(centre: Centre) -> None:
    from notifier.domain.message import Receipt, ReceiptStatus

    class Slow(ScriptedGateway):
        async def query(self, ref: str) -> Outcome | None:
            report = Receipt(ref="a", status=ReceiptStatus.DELIVERED, by_key=True)
            async with centre.store.write() as session:
                await session.add_receipts(self.name, [report], centre.clock.now)
            return Permanent(code="105")

    gateway = Slow(LOST, told=Permanent(code="105"))
    await lost(centre, gateway)
    assert await centre.settle_with({gateway.name: gateway}).sweep(centre.clock.now) == 0
    assert await centre.states() == {"a": "delivered"}
