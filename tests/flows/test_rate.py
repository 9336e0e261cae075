"""How fast messages leave: by the gateway, by the recipient, and while gateways fail."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from builders import NOW, Centre, message, number_of
from doubles.gateway import ScriptedGateway
from engines import on_every_store
from structlog.testing import capture_logs

from notifier.bootstrap.service import joined
from notifier.domain import instant, retry
from notifier.domain.breaker import LONGEST_REST, TOLERATED
from notifier.domain.message import Lane, State
from notifier.domain.outcome import Accepted, Permanent, Scope, Temporary
from notifier.ports import Moved

if TYPE_CHECKING:
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.flows.dispatch import Dispatcher

SECOND, MINUTE, HOUR = instant.SECOND, instant.MINUTE, instant.HOUR
DOWN = Temporary(code="connect", detail="refused")
LONG = "Ho so cua Ong/Ba da co ket qua. " * 8
"""Two SMS."""


# --------------------------------------------------------------------------------- by the gateway


async def test_a_restart_does_not_fill_the_bucket(centre: Centre) -> None:
    await centre.queue(
        *(message(f"m{n}", to=f"sms:{number_of(n + 1)}", text=LONG) for n in range(20))
    )
    gateway = ScriptedGateway(rate=10)
    await centre.turn(centre.dispatcher(gateway))
    assert len(gateway.sent) == 5
    await centre.restart()
    await centre.turn(centre.dispatcher(gateway))
    assert len(gateway.sent) == 5


async def test_a_clock_that_was_set_back_stops_nothing(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}", lane=Lane.ANSWER, at=NOW - HOUR) for n in range(9)))
    gateway = ScriptedGateway(rate=3)
    await centre.turn(centre.dispatcher(gateway))
    centre.clock.now -= HOUR
    dispatcher = centre.dispatcher(gateway)
    await centre.turn(dispatcher)
    centre.clock.now += SECOND
    await centre.turn(dispatcher)
    assert len(gateway.sent) == 6


@on_every_store
async def test_many_processes_keep_one_rate(centre: Centre) -> None:
    """So slow that none of them gains what the first one owes."""
    processes = [centre, centre.another(), centre.another()]
    await centre.queue(*(message(f"m{n}", lane=Lane.ANSWER, text=LONG) for n in range(9)))
    gateways = [ScriptedGateway(rate=0.001) for _ in processes]
    for process, gateway in zip(processes, gateways, strict=True):
        async with AsyncExitStack() as stack:
            if process is not centre:
                await process.store.open()
                stack.push_async_callback(process.store.close)
            await process.turn(process.dispatcher(gateway))
    assert [len(gateway.sent) for gateway in gateways] == [1, 0, 0]


async def test_where_nothing_waits_nothing_is_written(centre: Centre) -> None:
    await centre.turn(centre.dispatcher(ScriptedGateway(recipient_gap=SECOND)))
    assert centre.rows("SELECT count(*) FROM rate") == [(0,)]


# ------------------------------------------------------------------------------- by the recipient


@on_every_store
async def test_one_message_at_a_time_to_one_recipient_in_their_order(centre: Centre) -> None:
    """Whoever else is written to does not wait for it, and no attempt is counted."""
    mine = [message(f"m{n}", lane=Lane.ANSWER, at=NOW + n) for n in range(3)]
    theirs = [message(f"t{n}", to=f"sms:{number_of(n + 1)}", at=NOW + 9) for n in range(20)]
    await centre.queue(*mine, *theirs)
    centre.clock.now += 10
    gateway = ScriptedGateway(recipient_gap=HOUR, window=4)
    dispatcher = centre.dispatcher(gateway)
    await centre.turn(dispatcher)
    assert set(gateway.keys) == {"m0", *(f"t{n}" for n in range(20))}
    late = await centre.row("m1")
    assert (late.state, late.attempts, late.not_before) == (State.QUEUED, 0, NOW + 1)


async def test_it_leaves_when_the_gap_is_over(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}", lane=Lane.ANSWER, at=NOW + n) for n in range(4)))
    centre.clock.now += 10
    gateway = ScriptedGateway(recipient_gap=SECOND)
    dispatcher = centre.dispatcher(gateway)
    left = []
    for _ in range(7):
        await centre.turn(dispatcher)
        left.append(list(gateway.keys))
        centre.clock.now += SECOND // 2
    await centre.queue(message("newer", lane=Lane.ANSWER, at=centre.clock.now))
    assert left[0] == left[1] == ["m0"]
    assert left[2] == ["m0", "m1"]
    assert left[6] == ["m0", "m1", "m2", "m3"]


async def test_a_restart_forgets_nobody(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}", lane=Lane.ANSWER, at=NOW + n) for n in range(2)))
    centre.clock.now += 10
    gateway = ScriptedGateway(recipient_gap=SECOND)
    await centre.turn(centre.dispatcher(gateway))
    await centre.restart()
    await centre.turn(centre.dispatcher(gateway))
    assert gateway.keys == ["m0"]


# ------------------------------------------------------------------------- while gateways fail


def route(centre: Centre, *gateways: ScriptedGateway) -> list[Dispatcher]:
    """Dispatchers in order of preference, joined as the service joins them."""
    return list(joined(list(gateways), centre.dispatcher))


async def pass_time(centre: Centre, dispatchers: list[Dispatcher], span: int) -> None:
    """Each looks once a second, for ``span`` ms."""
    ends = centre.clock.now + span
    while centre.clock.now < ends:
        for dispatcher in dispatchers:
            await centre.turn(dispatcher)
        centre.clock.now += SECOND


@pytest.mark.parametrize("count", [1, 40])
async def test_an_hour_with_all_gateways_down(centre: Centre, count: int) -> None:
    """Nothing fails, nothing flaps, and all of it flows when one comes back."""
    window = 8
    one = ScriptedGateway(name="one", usual=DOWN, window=window)
    two = ScriptedGateway(name="two", usual=DOWN, window=window)
    dispatchers = route(centre, one, two)
    await centre.queue(*(message(f"m{n}", to=f"sms:{number_of(n + 1)}") for n in range(count)))
    await pass_time(centre, dispatchers, HOUR)
    assert set((await centre.states()).values()) == {"queued"}
    most = window + TOLERATED + HOUR // LONGEST_REST + 4  # rests of 2, 4 and 8 s come first
    assert len(one.sent) <= most
    assert len(two.sent) <= most
    of_each = Counter(one.keys) + Counter(two.keys)
    assert max(of_each.values()) <= retry.MOST_ATTEMPTS + HOUR // retry.ALARM_PAUSE
    two.usual = None
    await pass_time(centre, dispatchers, 2 * retry.RESTING_PAUSE)
    assert set((await centre.states()).values()) == {"accepted"}


async def test_what_the_first_can_t_send_the_second_takes_at_once(centre: Centre) -> None:
    """Also what the first is tried with, every time that it has rested."""
    one = ScriptedGateway(name="one", usual=DOWN)
    two = ScriptedGateway(name="two")
    dispatchers = route(centre, one, two)
    await centre.queue(*(message(f"m{n}", to=f"sms:{number_of(n + 1)}") for n in range(4)))
    await pass_time(centre, dispatchers, 2 * MINUTE)
    assert set((await centre.states()).values()) == {"accepted"}
    for number in range(5):
        await centre.queue(message(f"later {number}", lane=Lane.ANSWER, at=centre.clock.now))
        for dispatcher in (*dispatchers, *dispatchers):
            await centre.turn(dispatcher)
        assert (await centre.row(f"later {number}")).state is State.ACCEPTED
        centre.clock.now += LONGEST_REST
    assert max(Counter(one.keys[-5:]).values()) == 1


async def test_while_the_first_is_on_trial_the_second_goes_on(centre: Centre) -> None:
    """A trial may take two minutes; the channel does not wait for its end."""
    one = ScriptedGateway(name="one", usual=DOWN)
    two = ScriptedGateway(name="two")
    first, second = route(centre, one, two)
    await centre.queue(*(message(f"m{n}", to=f"sms:{number_of(n + 1)}") for n in range(4)))
    await centre.turn(first)
    centre.clock.now += MINUTE
    sent: list[str] = []

    async def look_meanwhile(trial: Message) -> Outcome:
        await centre.turn(second)
        sent.extend(two.keys)
        return Accepted(refs=(trial.key,))

    one.usual = look_meanwhile
    await centre.turn(first)
    assert len(sent) == 3
    assert first.usable


async def test_what_only_the_second_may_send_leaves_while_the_first_is_well(
    centre: Centre,
) -> None:
    """It was sent by the second, and may be sent again under the same key there only."""
    one, two = ScriptedGateway(name="one"), ScriptedGateway(name="two")
    first, second = route(centre, one, two)
    await centre.queue(message("bound"), message("free"))
    async with centre.store.write() as session:
        move = Moved(id=message("bound").id, state=State.QUEUED, reason="again", pinned="two")
        await session.move([move], NOW)
    await centre.turn(second)
    await centre.turn(first)
    assert (one.keys, two.keys) == (["free"], ["bound"])


async def test_it_is_said_once_that_a_gateway_rests_and_once_that_it_is_back(
    centre: Centre,
) -> None:
    refused = Permanent(code="103", detail="no balance", scope=Scope.ACCOUNT)
    gateway = ScriptedGateway(usual=refused)
    dispatcher = centre.dispatcher(gateway)
    await centre.queue(*(message(f"m{n}", to=f"sms:{number_of(n + 1)}") for n in range(4)))
    with capture_logs() as logs:
        await pass_time(centre, [dispatcher], 5 * MINUTE)
        assert dispatcher.breaker.open
        assert dispatcher.breaker.since == NOW
        gateway.usual = None
        await pass_time(centre, [dispatcher], 2 * MINUTE)
    said = [entry for entry in logs if entry["event"].startswith("breaker.")]
    assert [entry["event"] for entry in said] == ["breaker.opened", "breaker.closed"]
    assert "the balance" in said[0]["reason"]
    assert said[1]["seconds"] >= 5 * 60
    assert not dispatcher.breaker.open
