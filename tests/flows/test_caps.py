"""Nobody is written to more often than the caps allow, and what waits says why."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import DUE, NOW, Centre, code, event, message, moment, number_of, received
from doubles.gateway import ScriptedGateway
from engines import on_every_store

from notifier.domain import instant
from notifier.domain.caps import Caps
from notifier.domain.message import Lane, State
from notifier.domain.outcome import Partial, Permanent, Temporary, Unknown

if TYPE_CHECKING:
    from notifier.domain.installation import Installation
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome

MINUTE, HOUR, DAY = instant.MINUTE, instant.HOUR, instant.DAY
LONG = "Ho so cua Ong/Ba da co ket qua. " * 8
"""Two SMS."""


@pytest.fixture
def installation(installation: Installation) -> Installation:
    """Three broadcasts and four notices a day."""
    return replace(installation, caps=Caps(bulk=3, notices=4))


async def send(centre: Centre, *steps: Any, **options: Any) -> ScriptedGateway:
    """All that may leave now leaves; the gateway that took it."""
    gateway = ScriptedGateway(*steps, **{"window": 50, **options})
    await centre.turn(centre.dispatcher(gateway))
    return gateway


def bulk(name: str, person: int = 1, **changes: Any) -> Message:
    return message(name, lane=Lane.BULK, to=f"sms:{number_of(person)}", **changes)


@on_every_store
async def test_a_fourth_broadcast_waits_for_the_first_to_be_a_day_old(centre: Centre) -> None:
    for hour in range(3):
        await centre.queue(bulk(f"b{hour}", at=centre.clock.now))
        assert (await send(centre)).keys == [f"b{hour}"]
        centre.clock.now += HOUR
    fourth = bulk("fourth", at=centre.clock.now, best_before=NOW + 3 * DAY)
    await centre.queue(fourth, bulk("another's", person=2, at=centre.clock.now))
    assert (await send(centre)).keys == ["another's"]
    row = await centre.row("fourth")
    assert (row.state, row.not_before, row.attempts) == (State.QUEUED, NOW + DAY, 0)
    assert row.best_before == fourth.best_before
    assert row.reason == "over the cap: 3 broadcasts to this address in 24 hours"
    centre.clock.now = NOW + DAY
    assert (await send(centre)).keys == ["fourth"]
    assert (await centre.row("fourth")).reason == ""


@on_every_store
async def test_those_of_one_claim_count_for_each_other(centre: Centre) -> None:
    await centre.queue(*(bulk(f"{person}-{n}", person) for person in (1, 2) for n in range(5)))
    gateway = await send(centre)
    assert Counter(str(sent.address) for sent in gateway.sent) == {
        f"sms:{number_of(1)}": 3,
        f"sms:{number_of(2)}": 3,
    }


@on_every_store
async def test_what_can_not_wait_so_long_expires_and_says_why(centre: Centre) -> None:
    late = bulk("late", at=NOW + 1, best_before=NOW + 1 + DAY)
    centre.clock.now += 1
    await centre.queue(*(bulk(f"b{n}") for n in range(3)), late)
    gateway = await send(centre)
    assert sorted(gateway.keys) == ["b0", "b1", "b2"]
    row = await centre.row("late")
    assert row.state is State.EXPIRED
    assert row.reason.startswith("over the cap: 3 broadcasts")
    assert "best-before" in row.reason


@on_every_store
async def test_notices_have_a_cap_of_their_own_and_the_rest_is_free(centre: Centre) -> None:
    to = f"sms:{number_of(1)}"
    lanes = (Lane.ANSWER, Lane.DEADLINE, Lane.NOTICE, Lane.BULK)
    await centre.queue(*(message(f"{lane.name} {n}", lane=lane, to=to) for lane in lanes
                         for n in range(6)))  # fmt: skip
    gateway = await send(centre)
    assert Counter(sent.lane for sent in gateway.sent) == {
        Lane.ANSWER: 6,
        Lane.DEADLINE: 6,
        Lane.NOTICE: 4,
        Lane.BULK: 3,
    }


async def test_an_answer_that_was_promised_is_not_held_back(centre: Centre) -> None:
    await centre.queue(*(message(f"n{n}") for n in range(4)))
    await send(centre)
    await centre.queue(message("found", notice="answer"), message("n4"))
    assert (await send(centre)).keys == ["found"]


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [(Permanent(code="E7"), False), (Temporary(code="busy"), False), (Unknown(code="lost"), True)],
    ids=["refused", "to be tried again", "of unknown fate"],
)
async def test_what_did_not_leave_does_not_count(
    centre: Centre, outcome: Outcome, counts: bool
) -> None:
    await centre.queue(bulk("a"), bulk("b"), bulk("c", at=NOW + 1))
    centre.clock.now = NOW + 1
    await send(centre, None, None, outcome)
    await centre.queue(bulk("d", at=NOW + 1))
    assert (await send(centre)).keys == ([] if counts else ["d"])


async def test_the_second_half_follows_the_first(centre: Centre) -> None:
    """A person who has half of a text is not left with it for a day."""
    await centre.queue(bulk("long", text=LONG))
    await send(centre, Partial(done=((0, "r1"),), rest=Temporary(code="busy")))
    await centre.queue(*(bulk(f"b{n}") for n in range(3)))
    await send(centre)
    centre.clock.now = (await centre.row("long")).not_before
    assert (await send(centre)).keys == ["long"]


async def test_a_second_try_is_looked_at_again(centre: Centre) -> None:
    await centre.queue(bulk("first", best_before=NOW + 3 * DAY))
    await send(centre, Temporary(code="busy"))
    await centre.queue(*(bulk(f"b{n}") for n in range(3)))
    await send(centre)
    centre.clock.now = (await centre.row("first")).not_before
    assert (await send(centre)).sent == []
    assert (await centre.row("first")).not_before == NOW + DAY


async def test_what_waits_costs_no_rate_and_holds_up_nobody(centre: Centre) -> None:
    later = NOW + 3 * DAY
    many = [bulk(f"b{n:02}", best_before=later) for n in range(40)]
    await centre.queue(*many, bulk("other", person=2, at=NOW))
    gateway = await send(centre, rate=4, window=4)
    assert "other" in gateway.keys
    assert Counter((await centre.states()).values()) == {"queued": 37, "accepted": 4}


@on_every_store
async def test_two_processes_at_once_keep_one_cap(centre: Centre) -> None:
    other = centre.another()
    await other.store.open()
    try:
        for round_ in range(6):
            await centre.queue(
                *(bulk(f"{round_}-{person}-{n}", person) for person in range(5) for n in range(3))
            )
            one, two = ScriptedGateway(name="one", window=8), ScriptedGateway(name="two", window=8)
            await asyncio.gather(
                centre.turn(centre.dispatcher(one)), other.turn(other.dispatcher(two))
            )
        await centre.turn(centre.dispatcher(ScriptedGateway(window=50)))
        rows = await centre.outbox(state=State.ACCEPTED)
    finally:
        await other.store.close()
    people = Counter(row.key.split("-")[1] for row in rows)
    assert people == {str(person): 3 for person in range(5)}


# ------------------------------------------------------------- what gives way while it still waits

NIGHT = moment("2026-11-23 22:30")


async def waiting_and_set_aside(centre: Centre) -> tuple[list[str], list[tuple[str, str]]]:
    rows = await centre.outbox()
    return (
        [row.notice for row in rows if row.state is State.QUEUED],
        [(row.notice, row.reason) for row in rows if row.state is State.SUPERSEDED],
    )


@on_every_store
async def test_a_newer_notice_supersedes_what_waits_for_the_morning(centre: Centre) -> None:
    centre.clock.now = NIGHT
    await centre.push(received(1, phone=number_of(1)), received(2, phone=number_of(2)))
    centre.clock.now += MINUTE
    await centre.push(event("finished", at=centre.clock.now))
    assert await waiting_and_set_aside(centre) == (
        ["received", "result_ready"],
        [("received", "the dossier has moved on")],
    )
    centre.clock.now = moment("2026-11-24 07:00")
    gateway = await send(centre)
    assert {(sent.notice, sent.dossier) for sent in gateway.sent} == {
        ("received", code(2)),
        ("result_ready", code(1)),
    }


async def test_a_newer_occasion_supersedes_the_older(centre: Centre) -> None:
    """Papers are asked for, brought, and others are asked for, all in one night."""
    centre.clock.now = NOW
    await centre.push(received())
    await send(centre)
    centre.clock.now = NIGHT
    for what in ("supplement-requested", "processing", "supplement-requested"):
        centre.clock.now += MINUTE
        await centre.push(event(what, at=centre.clock.now))
    assert await waiting_and_set_aside(centre) == (
        ["supplement_requested"],
        [
            ("supplement_requested", "the dossier has moved on"),
            ("supplemented", "the dossier has moved on"),
        ],
    )


async def test_what_has_left_is_left_alone(centre: Centre) -> None:
    await centre.push(received())
    await send(centre, Unknown(code="lost"))
    await centre.push(event("finished", at=NOW + 1))
    assert await centre.states() == {
        f"{code()}|received|1|applicant": "unknown",
        f"{code()}|result|1|applicant": "queued",
    }


async def test_what_is_said_of_a_deadline_is_left_to_the_last_look(centre: Centre) -> None:
    """It is owed: a result entered by mistake, and taken back in time, does not cost it."""
    await centre.push(received())
    await send(centre)
    centre.clock.now = DUE + 6 * HOUR
    await centre.sweep()
    centre.clock.now += MINUTE
    await centre.push(event("finished", at=centre.clock.now))
    assert await waiting_and_set_aside(centre) == (["late", "result_ready"], [])
    centre.clock.now += MINUTE
    await centre.push(event("corrected", at=centre.clock.now, status=4))
    centre.clock.now = DUE + 16 * HOUR
    assert [sent.notice for sent in (await send(centre)).sent] == ["late"]
