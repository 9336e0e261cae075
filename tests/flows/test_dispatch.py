"""The way out: looked at again, journalled, sent once, and recorded, whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    AGENT_PHONE,
    DUE,
    GATEWAY,
    NOW,
    PHONE,
    Centre,
    code,
    event,
    message,
    moment,
    number_of,
    received,
    until,
)
from doubles.gateway import ScriptedGateway, never
from engines import on_every_store

from notifier.domain import instant, retry
from notifier.domain.consent import BLOCKED, EVERYTHING, Refusal
from notifier.domain.deadline import episode
from notifier.domain.message import Address, Lane, Receipt, ReceiptStatus, State
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.flows import dispatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.flows.dispatch import Dispatcher

SECOND, MINUTE, HOUR, DAY = instant.SECOND, instant.MINUTE, instant.HOUR, instant.DAY
LONG = "Ho so cua Ong/Ba da co ket qua. " * 8
"""Two SMS."""

REFUSED_ACCOUNT = Permanent(code="locked", scope=Scope.ACCOUNT)


@asynccontextmanager
async def running(dispatcher: Dispatcher) -> AsyncIterator[Dispatcher]:
    """The dispatcher as the service runs it; stopped at the end."""
    task = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        async with asyncio.timeout(10):
            await dispatcher.stop(0)
            await task


async def send(centre: Centre, *steps: Any, **options: Any) -> ScriptedGateway:
    """All that may leave now leaves; the gateway that took it."""
    gateway = ScriptedGateway(*steps, **options)
    await centre.turn(centre.dispatcher(gateway))
    return gateway


async def history(centre: Centre, key: str) -> list[tuple[int, str, str]]:
    """The attempts of a message: number, outcome, code."""
    row = await centre.row(key)
    async with centre.store.read() as session:
        attempts = await session.attempts(row.id)
    return [(attempt.number, attempt.outcome, attempt.code) for attempt in attempts]


def damage(centre: Centre, sql: str, value: Any) -> None:
    """Change a stored row behind the service's back."""
    with closing(sqlite3.connect(centre.store._path)) as connection, connection:
        connection.execute(sql, (value,))


# ------------------------------------------------------------------------------------- the journal


@on_every_store
async def test_sending_is_on_disk_before_the_first_byte(centre: Centre) -> None:
    seen: list[Any] = []

    def look(_: Message) -> Outcome:
        seen.append(centre.rows("SELECT state, attempts, gateway FROM message"))
        seen.append(centre.rows("SELECT number, gateway, owner, started_at, ended_at FROM attempt"))
        return Accepted(refs=("r1",))

    await centre.queue(message("a"))
    await send(centre, look)
    assert seen == [[("sending", 1, GATEWAY)], [(1, GATEWAY, "test:1", NOW, None)]]
    assert await centre.states() == {"a": "accepted"}
    assert await history(centre, "a") == [(1, "accepted", "")]


OUTCOMES: list[tuple[str, Outcome, State, int, bool]] = [
    # what the gateway says, where the message goes, attempts it cost, whether it is due again
    ("accepted", Accepted(refs=("r",)), State.ACCEPTED, 1, False),
    ("accepted as a duplicate", Accepted(duplicate=True), State.ACCEPTED, 1, False),
    ("throttled", Throttled(retry_after=5 * SECOND), State.QUEUED, 0, True),
    ("temporary", Temporary(code="busy"), State.QUEUED, 1, True),
    ("permanent", Permanent(code="E7"), State.FAILED, 1, False),
    ("forbidden text", Permanent(code="E8", scope=Scope.CONTENT), State.FAILED, 1, False),
    ("account refused", REFUSED_ACCOUNT, State.QUEUED, 0, True),
    ("opted out", OptedOut(code="blocked"), State.FAILED, 1, False),
    ("unknown", Unknown(code="timeout"), State.UNKNOWN, 1, False),
]


@pytest.mark.parametrize(
    ("outcome", "state", "cost", "again"),
    [row[1:] for row in OUTCOMES],
    ids=[row[0] for row in OUTCOMES],
)
async def test_where_a_message_goes(
    centre: Centre, outcome: Outcome, state: State, cost: int, again: bool
) -> None:
    sent = message("a")
    await centre.queue(sent)
    await send(centre, outcome)
    row = await centre.row("a")
    assert (row.state, row.attempts) == (state, cost)
    assert (row.not_before > NOW) is again
    assert len(await history(centre, "a")) == cost
    if again:
        centre.clock.now = row.not_before
        assert (await send(centre)).keys == ["a"]
        assert (await centre.row("a")).state is State.ACCEPTED
        assert (await centre.row("a")).attempts == cost + 1
    else:
        centre.clock.now += HOUR
        assert (await send(centre)).sent == []


@on_every_store
async def test_the_key_is_the_same_on_every_attempt(centre: Centre) -> None:
    await centre.queue(message("a"))
    gateway = ScriptedGateway(usual=Temporary(code="busy"))
    dispatcher = centre.dispatcher(gateway)
    for _ in range(3):
        await centre.turn(dispatcher)
        centre.clock.now = (await centre.row("a")).not_before
    assert gateway.keys == ["a"] * 3
    assert [sent.attempts for sent in gateway.sent] == [1, 2, 3]


async def test_pauses_grow_until_it_is_given_up(centre: Centre) -> None:
    """The gateway takes everything else, so that it is the message's own fault."""
    await centre.queue(message("a", to="sms:+84912000001", best_before=NOW + 300 * DAY))
    hours = centre.installation.notice_hours
    gateway = ScriptedGateway(usual=lambda sent: _busy_for("a", sent))
    dispatcher = centre.dispatcher(gateway)
    pauses: list[int] = []
    while (row := await centre.row("a")).state is State.QUEUED:
        centre.clock.now = hours.next_open(max(row.not_before, centre.clock.now))
        started = centre.clock.now
        await centre.turn(dispatcher)
        pauses.append((await centre.row("a")).not_before - started)
        await centre.queue(message(f"other {len(pauses)}", lane=Lane.ANSWER, at=started))
        await centre.turn(dispatcher)
    assert gateway.keys.count("a") == retry.MOST_ATTEMPTS
    assert row.state is State.FAILED
    assert "given up" in row.reason
    assert pauses[0] >= retry.FIRST_PAUSE[Lane.NOTICE]
    assert all(pause <= retry.LONGEST_PAUSE * 5 // 4 for pause in pauses)
    assert sorted(pauses[:6]) == pauses[:6]


def _busy_for(key: str, sent: Message) -> Outcome:
    return Temporary(code="busy") if sent.key == key else Accepted(refs=(f"r-{sent.key}",))


async def test_what_has_no_time_left_expires(centre: Centre) -> None:
    await centre.queue(message("a", best_before=NOW + 10 * SECOND))
    await send(centre, Temporary(code="busy"))
    row = await centre.row("a")
    assert row.state is State.EXPIRED
    assert "busy" in row.reason


@on_every_store
async def test_only_the_parts_that_were_not_taken_are_sent_again(centre: Centre) -> None:
    await centre.queue(message("a", text=LONG))
    gateway = await send(centre, Partial(done=((0, "r1"),), rest=Temporary(code="busy")))
    centre.clock.now = (await centre.row("a")).not_before
    gateway = await send(centre, Accepted(refs=("r2",)))
    assert [sent.accepted_parts for sent in gateway.sent] == [(0,)]
    await centre.receive().accept(
        [Receipt(ref=ref, status=ReceiptStatus.DELIVERED) for ref in ("r1", "r2")]
    )
    assert await centre.states() == {"a": "delivered"}


# ------------------------------------------------------------------------------------ the last look


@on_every_store
async def test_received_never_leaves_after_result_ready(centre: Centre) -> None:
    await centre.push(received())
    centre.clock.now += MINUTE
    await centre.push(event("finished", at=centre.clock.now))
    gateway = await send(centre)
    assert [sent.notice for sent in gateway.sent] == ["result_ready"]
    row = await centre.row(f"{code()}|received|1|applicant")
    assert (row.state, row.reason) == (State.SUPERSEDED, "the dossier has moved on")
    assert await history(centre, row.key) == []


async def test_not_even_when_it_waits_for_its_second_try(centre: Centre) -> None:
    await centre.push(received())
    await send(centre, Temporary(code="busy"))
    centre.clock.now += MINUTE
    await centre.push(event("finished", at=centre.clock.now))
    centre.clock.now += HOUR
    gateway = await send(centre)
    assert [sent.notice for sent in gateway.sent] == ["result_ready"]


async def test_a_reminder_of_a_due_date_that_was_moved_never_leaves(centre: Centre) -> None:
    await centre.push(received())
    await send(centre)
    centre.clock.now = moment("2026-11-26 08:30")
    await centre.sweep()
    await centre.push(event("corrected", at=centre.clock.now, due_at=DUE + 7 * DAY))
    assert (await send(centre)).sent == []
    assert Counter((await centre.states()).values()) == {"accepted": 1, "superseded": 1}


@pytest.mark.parametrize("scope", [EVERYTHING, code()], ids=["everything", "this dossier"])
async def test_who_refuses_is_not_written_to(centre: Centre, scope: str) -> None:
    await centre.push(received())
    async with centre.store.write() as session:
        refusal = Refusal(address=Address("sms", PHONE), scope=scope, at=NOW, proof="desk")
        await session.refuse([refusal])
    assert (await send(centre)).sent == []
    [row] = await centre.outbox()
    assert (row.state, row.reason) == (State.CANCELLED, "the recipient refuses")


async def test_an_answer_is_never_refused(centre: Centre) -> None:
    async with centre.store.write() as session:
        refusal = Refusal(address=Address("sms", PHONE), scope=EVERYTHING, at=NOW, proof="desk")
        await session.refuse([refusal])
    await centre.queue(message("answer", lane=Lane.ANSWER))
    assert (await send(centre)).keys == ["answer"]


async def test_a_dossier_that_forbids_sms(centre: Centre) -> None:
    await centre.push(received(1, consent_sms=False), received(2, consent_sms=True), received(3))
    assert {sent.dossier for sent in (await send(centre)).sent} == {code(2), code(3)}
    assert (await centre.row(f"{code(1)}|received|1|applicant")).state is State.CANCELLED


@pytest.mark.parametrize("lane", Lane, ids=lambda lane: lane.name.lower())
async def test_what_is_too_old_expires(centre: Centre, lane: Lane) -> None:
    await centre.queue(message("a", lane=lane))
    centre.clock.now += DAY
    assert (await send(centre)).sent == []
    assert await centre.states() == {"a": "expired"}


@pytest.mark.parametrize(
    ("lane", "at", "opens"),
    [
        (Lane.NOTICE, "2026-11-23 22:00", "2026-11-24 07:00"),
        (Lane.DEADLINE, "2026-11-24 03:00", "2026-11-24 07:00"),
        (Lane.BULK, "2026-11-23 21:30", "2026-11-24 07:00"),
        (Lane.BULK, "2026-11-24 06:59", "2026-11-24 07:00"),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Lane) else value[5:],
)
async def test_quiet_hours_move_its_time_to_live_along(
    centre: Centre, lane: Lane, at: str, opens: str
) -> None:
    centre.clock.now = moment(at)
    await centre.queue(message("a", lane=lane, at=moment(at)))
    assert (await send(centre)).sent == []
    row = await centre.row("a")
    assert (row.state, row.reason) == (State.QUEUED, "quiet hours")
    assert row.not_before == moment(opens)
    assert row.best_before == moment(at) + DAY + (moment(opens) - moment(at))
    centre.clock.now = moment(opens)
    assert (await send(centre)).keys == ["a"]


@pytest.mark.parametrize(
    ("due", "state"), [("2026-11-24 09:00", State.QUEUED), ("2026-11-24 06:00", State.EXPIRED)]
)
async def test_a_reminder_does_not_outlive_its_due_date_in_quiet_hours(
    centre: Centre, due: str, state: State
) -> None:
    ends = moment(due)
    await centre.push(received(due_at=ends))
    reminder = message(
        "r", notice="due_soon", dossier=code(), episode=episode(ends), best_before=ends
    )
    await centre.queue(reminder)
    centre.clock.now = moment("2026-11-23 22:30")
    await send(centre)
    row = await centre.row("r")
    assert (row.state, row.best_before) == (state, ends)


async def test_a_gateway_that_gives_no_outcome(centre: Centre) -> None:
    await centre.queue(message("a"))
    await send(centre, lambda _: None)
    assert await centre.states() == {"a": "unknown"}


async def test_an_answer_leaves_at_night_and_a_notice_until_ten(centre: Centre) -> None:
    centre.clock.now = moment("2026-11-23 21:59")
    await centre.queue(message("notice", at=centre.clock.now))
    assert (await send(centre)).keys == ["notice"]
    centre.clock.now = moment("2026-11-24 02:00")
    await centre.queue(message("answer", lane=Lane.ANSWER, at=centre.clock.now))
    assert (await send(centre)).keys == ["answer"]


async def test_what_does_not_leave_costs_no_rate_and_holds_up_nobody(centre: Centre) -> None:
    """Far more than the window and the rate admit, and the one that is good leaves at once."""
    old = [message(f"old {n}", at=NOW - 2 * DAY) for n in range(50)]
    await centre.queue(*old, message("good"))
    gateway = await send(centre, rate=2, window=4)
    assert gateway.keys == ["good"]
    assert Counter((await centre.states()).values()) == {"expired": 50, "accepted": 1}


async def test_what_does_not_open_waits_for_people_and_holds_up_nobody(centre: Centre) -> None:
    """Its row was damaged, or written with other keys; beside it a notice of such a dossier."""
    await centre.push(received(1), received(2, phone=AGENT_PHONE))
    damage(centre, "UPDATE dossier SET body_sealed = zeroblob(40) WHERE code = ?", code(1))
    await centre.queue(message("torn", lane=Lane.ANSWER), message("whole", lane=Lane.ANSWER))
    damage(centre, "UPDATE message SET body_sealed = zeroblob(40) WHERE key = ?", "torn")
    gateway = await send(centre)
    assert {sent.dossier or sent.key for sent in gateway.sent} == {"whole", code(2)}
    left = {row.key: row for row in await centre.outbox(state=State.QUEUED)}
    assert {row.dossier or key: row.not_before for key, row in left.items()} == {
        "torn": NOW + HOUR,
        code(1): NOW + HOUR,
    }
    assert (left["torn"].to, left["torn"].text) == ("…", "")
    [item] = await centre.work()
    assert item.kind == "sealed"


async def test_what_does_not_open_leaves_once_it_opens_again(centre: Centre) -> None:
    await centre.queue(message("a"))
    [(sealed,)] = centre.rows("SELECT body_sealed FROM message")
    damage(centre, "UPDATE message SET body_sealed = zeroblob(40) WHERE key = ?", "a")
    assert (await send(centre)).sent == []
    damage(centre, "UPDATE message SET body_sealed = ?1", sealed)
    centre.clock.now += HOUR
    assert [sent.key for sent in (await send(centre)).sent] == ["a"]


async def test_what_is_unknown_is_decided_although_it_does_not_open(centre: Centre) -> None:
    await centre.queue(message("torn", lane=Lane.BULK), message("whole", lane=Lane.BULK))
    await send(centre, Unknown(code="timeout"), Unknown(code="timeout"))
    damage(centre, "UPDATE message SET body_sealed = zeroblob(40) WHERE key = ?", "torn")
    centre.clock.now += 10 * MINUTE
    await centre.settle.sweep(centre.clock.now)
    assert [item.kind for item in await centre.work()] == ["unknown", "unknown"]


async def test_another_channels_messages_are_left_alone(centre: Centre) -> None:
    await centre.queue(message("chat", to="telegram:12345"), message("sms"))
    assert (await send(centre)).keys == ["sms"]
    assert await centre.states() == {"chat": "queued", "sms": "accepted"}


# --------------------------------------------------------------------------------- rate and window


class Doors:
    """Sends that wait behind a door; ``most`` were there at once."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.inside: list[str] = []
        self.most = 0

    async def __call__(self, sent: Message) -> Outcome:
        self.inside.append(sent.key)
        self.most = max(self.most, len(self.inside))
        await self.open.wait()
        self.inside.remove(sent.key)
        return Accepted(refs=(f"r-{sent.key}",))


async def test_no_more_than_the_window_are_under_way(centre: Centre) -> None:
    doors = Doors()
    gateway = ScriptedGateway(usual=doors, window=5)
    await centre.queue(*(message(f"m{n}", lane=Lane.ANSWER) for n in range(20)))
    async with running(centre.dispatcher(gateway)) as dispatcher:
        await until(lambda: len(doors.inside) == 5)
        dispatcher.ring()
        await asyncio.sleep(0.02)
        assert len(doors.inside) == 5
        doors.open.set()
        await until(lambda: len(gateway.sent) == 20)
    assert doors.most == 5


async def test_an_answer_overtakes_a_full_bulk_lane(centre: Centre) -> None:
    """Of the window one place is kept, however many are waiting in the other lanes."""
    doors = Doors()
    gateway = ScriptedGateway(usual=doors, window=4)
    await centre.queue(*(message(f"bulk {n}", lane=Lane.BULK) for n in range(50)))
    async with running(centre.dispatcher(gateway)) as dispatcher:
        await until(lambda: len(doors.inside) == 3)
        await centre.queue(message("answer", lane=Lane.ANSWER))
        dispatcher.ring()
        await until(lambda: "answer" in doors.inside)
        assert gateway.keys[3] == "answer"
        doors.open.set()
        await until(lambda: len(gateway.sent) == 51)


async def test_every_lane_gets_its_share(centre: Centre) -> None:
    lanes = (Lane.DEADLINE, Lane.NOTICE, Lane.BULK)
    await centre.queue(
        *(message(f"{lane.name} {n}", lane=lane) for lane in lanes for n in range(50))
    )
    gateway = await send(centre, rate=9.5, window=100)
    assert Counter(sent.lane for sent in gateway.sent) == {
        Lane.DEADLINE: 6,
        Lane.NOTICE: 3,
        Lane.BULK: 1,
    }


async def test_the_rate_is_kept_in_segments(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}", text=LONG) for n in range(20)))
    gateway = ScriptedGateway(rate=4)
    dispatcher = centre.dispatcher(gateway)
    left = []
    for _ in range(4):
        await centre.turn(dispatcher)
        left.append(len(gateway.sent))
        centre.clock.now += SECOND
    assert left == [2, 4, 6, 8]


async def test_a_tenth_of_the_rate_is_kept_for_answers(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}") for n in range(40)))
    gateway = ScriptedGateway(rate=20, window=100)
    dispatcher = centre.dispatcher(gateway)
    await centre.turn(dispatcher)
    assert len(gateway.sent) == 18
    await centre.queue(*(message(f"a{n}", lane=Lane.ANSWER) for n in range(5)))
    await centre.turn(dispatcher)
    assert Counter(sent.lane for sent in gateway.sent) == {Lane.NOTICE: 18, Lane.ANSWER: 2}


async def test_a_clock_that_stands_sends_no_more_than_a_seconds_worth(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}", lane=Lane.ANSWER) for n in range(20)))
    gateway = ScriptedGateway()
    dispatcher = centre.dispatcher(gateway, rate=3, window=2)
    for _ in range(5):
        await centre.turn(dispatcher)
    assert len(gateway.sent) == 3


# ------------------------------------------------------------------------------- what goes wrong


async def test_a_gateway_that_raises(centre: Centre) -> None:
    await centre.queue(message("a"))
    await send(centre, RuntimeError(f"no room for {PHONE}"))
    row = await centre.row("a")
    assert row.state is State.UNKNOWN
    assert PHONE[3:] not in row.reason
    assert await history(centre, "a") == [(1, "unknown", "raised")]


async def test_a_gateway_that_never_answers(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "LONGEST_SEND", 0.01)
    await centre.queue(message("a"))
    await send(centre, never)
    assert await history(centre, "a") == [(1, "unknown", "timeout")]
    assert await centre.states() == {"a": "unknown"}


async def test_others_go_on_beside_one_that_hangs(centre: Centre) -> None:
    await centre.queue(message("a", lane=Lane.ANSWER), *(message(f"m{n}") for n in range(5)))
    gateway = ScriptedGateway(never)
    async with running(centre.dispatcher(gateway)):
        await until(lambda: len(gateway.sent) == 6)
    assert Counter((await centre.states()).values()) == {"unknown": 1, "accepted": 5}


async def test_who_blocked_us_is_not_written_to_again(centre: Centre) -> None:
    await centre.push(received())
    await send(centre, OptedOut(code="blocked"))
    centre.clock.now += MINUTE
    await centre.push(event("finished", at=centre.clock.now))
    assert (await send(centre)).sent == []
    [(scope, proof)] = centre.rows("SELECT scope, proof FROM refusal")
    assert scope == BLOCKED
    assert GATEWAY in proof
    assert (await centre.row(f"{code()}|result|1|applicant")).state is State.CANCELLED


async def test_a_throttled_gateway_rests_and_costs_no_attempt(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}") for n in range(5)))
    gateway = ScriptedGateway(Throttled(retry_after=10 * SECOND), window=1)
    dispatcher = centre.dispatcher(gateway)
    await centre.turn(dispatcher)
    assert len(gateway.sent) == 1
    assert not dispatcher.usable
    centre.clock.now += 10 * SECOND - 1
    await centre.turn(dispatcher)
    assert len(gateway.sent) == 1
    centre.clock.now += 1
    await centre.turn(dispatcher)
    assert len(gateway.sent) == 6
    assert {row.attempts for row in await centre.outbox()} == {1}


async def test_a_throttled_recipient_holds_up_nobody_else(centre: Centre) -> None:
    await centre.queue(message("m0"), message("m1", to=f"sms:{number_of(1)}", not_before=NOW + 1))
    centre.clock.now += 1
    wait = Throttled(retry_after=10 * SECOND, scope=Scope.RECIPIENT)
    gateway = await send(centre, wait, window=1)
    assert gateway.keys == ["m0", "m1"]
    assert await centre.states() == {"m0": "queued", "m1": "accepted"}


async def test_a_refused_account_alarms_people_and_the_messages_wait(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}") for n in range(3)))
    gateway = ScriptedGateway(REFUSED_ACCOUNT, window=1)
    dispatcher = centre.dispatcher(gateway)
    await centre.turn(dispatcher)
    assert len(gateway.sent) == 1
    [item] = await centre.work()
    assert item.kind == "gateway"
    assert "locked" in item.detail
    assert set((await centre.states()).values()) == {"queued"}
    centre.clock.now += retry.ALARM_PAUSE
    await centre.turn(dispatcher)
    assert set((await centre.states()).values()) == {"accepted"}


async def test_people_are_alarmed_once_a_day(centre: Centre) -> None:
    await centre.queue(message("a"))
    dispatcher = centre.dispatcher(ScriptedGateway(usual=REFUSED_ACCOUNT))
    for _ in range(5):
        await centre.turn(dispatcher)
        centre.clock.now += HOUR
    assert len(await centre.work()) == 1


async def test_the_second_gateway_of_a_route_takes_over_while_the_first_rests(
    centre: Centre,
) -> None:
    first = ScriptedGateway(REFUSED_ACCOUNT, name="first", window=1)
    second = ScriptedGateway(name="second")
    one = centre.dispatcher(first)
    two = centre.dispatcher(second, preferred=lambda: not one.usable)
    await centre.queue(*(message(f"m{n}") for n in range(4)))
    await centre.turn(two)
    assert second.sent == []
    await centre.turn(one)
    await centre.turn(two)
    assert (len(first.sent), len(second.sent)) == (1, 3)
    centre.clock.now += retry.ALARM_PAUSE
    await centre.queue(message("later", at=centre.clock.now))
    await centre.turn(one)
    await centre.turn(two)
    assert Counter(first.keys) == {first.keys[0]: 2, "later": 1}
    assert len(second.sent) == 3
    assert {row.gateway for row in await centre.outbox()} == {"first", "second"}


@on_every_store
async def test_two_gateways_of_a_channel_never_share_a_message(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}", to=f"sms:{number_of(n)}") for n in range(60)))
    one, two = ScriptedGateway(name="one", window=4), ScriptedGateway(name="two", window=4)
    await asyncio.gather(*(centre.turn(centre.dispatcher(gateway)) for gateway in (one, two)))
    assert Counter(one.keys + two.keys) == {f"m{n}": 1 for n in range(60)}
    assert one.sent
    assert two.sent


async def test_a_gateway_that_is_down_is_not_hammered(centre: Centre) -> None:
    await centre.queue(*(message(f"m{n}", lane=Lane.ANSWER) for n in range(50)))
    gateway = ScriptedGateway(usual=Temporary(code="connect"), window=1)
    dispatcher = centre.dispatcher(gateway)
    await centre.turn(dispatcher)
    assert len(gateway.sent) < 10
    gateway.usual = None
    for _ in range(10):
        centre.clock.now += MINUTE
        await centre.turn(dispatcher)
    assert set((await centre.states()).values()) == {"accepted"}


# ------------------------------------------------------------------------- a store that fails


async def test_what_ended_is_recorded_again_where_the_store_failed(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome and the next claim share a transaction: its failure may forget neither."""
    from notifier.storage.sqlite.store import SqliteSession

    gateway = ScriptedGateway(Accepted(refs=("r1",)))
    dispatcher = centre.dispatcher(gateway)
    await centre.queue(message("a"))
    assert await dispatcher._cycle()
    await until(lambda: bool(dispatcher._ended))

    async def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteSession, "waiting", fail)
        with pytest.raises(OSError, match="disk is full"):
            await dispatcher._cycle()
    assert await centre.states() == {"a": "sending"}
    await centre.turn(dispatcher)
    assert await centre.states() == {"a": "accepted"}
    assert gateway.keys == ["a"]


@pytest.mark.parametrize("act", ["waiting", "messages", "move", "begin_attempts", "end_attempts"])
async def test_it_runs_on_after_a_failure_and_sends_once(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    from notifier.storage.sqlite.store import SqliteSession

    monkeypatch.setattr(dispatch, "POLL", 0.001)
    works = getattr(SqliteSession, act)
    failures = iter([True, False, True])

    async def fail_at_times(*arguments: object, **options: object) -> Any:
        if next(failures, False):
            raise OSError("the disk is full")
        return await works(*arguments, **options)

    monkeypatch.setattr(SqliteSession, act, fail_at_times)
    await centre.queue(*(message(f"m{n}") for n in range(5)))
    gateway = ScriptedGateway(window=2)
    async with running(centre.dispatcher(gateway)):
        await until(lambda: len(gateway.sent) == 5)
        await until(_all_are(centre, "accepted"))
    assert len(set(gateway.keys)) == 5


def _all_are(centre: Centre, state: str) -> Any:
    async def all_are() -> bool:
        return set((await centre.states()).values()) == {state}

    return all_are


# ----------------------------------------------------------------------------- ringing and polling


async def test_it_leaves_when_it_is_rung(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "POLL", 60)
    gateway = ScriptedGateway()
    async with running(centre.dispatcher(gateway)) as dispatcher:
        await asyncio.sleep(0.01)
        await centre.queue(message("a"))
        dispatcher.ring()
        await until(lambda: gateway.keys == ["a"])


async def test_a_backlog_leaves_without_waiting_for_the_next_look(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "POLL", 60)
    await centre.queue(*(message(f"m{number}", lane=Lane.ANSWER) for number in range(100)))
    gateway = ScriptedGateway(window=10)
    async with running(centre.dispatcher(gateway)):
        await until(lambda: len(gateway.keys) == 100)


@on_every_store
async def test_what_another_process_queued_is_found(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "POLL", 0.01)
    gateway = ScriptedGateway()
    other = centre.another()
    await other.store.open()
    try:
        async with running(centre.dispatcher(gateway)):
            await asyncio.sleep(0.01)
            await other.queue(message("a"))
            await until(lambda: gateway.keys == ["a"])
    finally:
        await other.store.close()


# --------------------------------------------------------------------------------- stop and crash


async def test_stop_waits_for_what_is_under_way_and_records_it(centre: Centre) -> None:
    doors = Doors()
    gateway = ScriptedGateway(usual=doors)
    await centre.queue(*(message(f"m{n}") for n in range(3)))
    dispatcher = centre.dispatcher(gateway)
    task = asyncio.create_task(dispatcher.run())
    await until(lambda: len(doors.inside) == 3)
    stopping = asyncio.create_task(dispatcher.stop(10))
    await centre.queue(message("too late"))
    doors.open.set()
    await stopping
    await task
    assert Counter((await centre.states()).values()) == {"accepted": 3, "queued": 1}
    assert "too late" not in gateway.keys


@on_every_store
async def test_stop_gives_up_what_does_not_end(centre: Centre) -> None:
    await centre.queue(message("a"))
    gateway = ScriptedGateway(never)
    async with running(centre.dispatcher(gateway)):
        await until(lambda: len(gateway.sent) == 1)
    assert await history(centre, "a") == [(1, "unknown", "stopped")]


async def test_stop_in_the_middle_of_a_claim_leaves_nothing_half_done(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the cycle under way still begins is waited for, and recorded too."""
    from notifier.storage.sqlite.store import SqliteSession

    begin = SqliteSession.begin_attempts
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def begin_slowly(*arguments: Any) -> list[Message]:
        begun.set()
        await go_on.wait()
        return await begin(*arguments)

    monkeypatch.setattr(SqliteSession, "begin_attempts", begin_slowly)
    await centre.queue(message("a"))
    gateway = ScriptedGateway()
    dispatcher = centre.dispatcher(gateway)
    task = asyncio.create_task(dispatcher.run())
    await begun.wait()
    stopping = asyncio.create_task(dispatcher.stop(10))
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    await task
    assert (await centre.states(), gateway.keys) in (
        ({"a": "accepted"}, ["a"]),
        ({"a": "queued"}, []),
    )


async def test_stopping_what_never_ran(centre: Centre) -> None:
    await centre.queue(message("a"))
    await centre.dispatcher(ScriptedGateway()).stop(0)
    assert await centre.states() == {"a": "queued"}


@on_every_store
async def test_a_crash_leaves_sending_and_the_next_process_makes_it_unknown(
    centre: Centre,
) -> None:
    await centre.queue(message("a"), message("b", not_before=NOW + HOUR))
    gateway = ScriptedGateway(never)
    crashed = centre.dispatcher(gateway)
    await crashed._cycle()
    await until(lambda: gateway.keys == ["a"])
    await centre.restart()
    assert await centre.states() == {"a": "sending", "b": "queued"}
    assert (await send(centre)).sent == []
    async with centre.store.write() as session:
        assert await session.abandon_sending(NOW) == 1
    assert await centre.states() == {"a": "unknown", "b": "queued"}
    assert await history(centre, "a") == [(1, "unknown", "died")]
    for task in crashed._in_flight:
        task.cancel()
    await asyncio.gather(*crashed._in_flight)


# ----------------------------------------------------------------------------------- unknown fate


async def lost(centre: Centre, *messages: Message) -> None:
    """The messages leave, and nobody hears what became of them."""
    await centre.queue(*messages)
    await send(centre, usual=Unknown(code="timeout"), window=100)
    assert {(await centre.row(sent.key)).state for sent in messages} == {State.UNKNOWN}


async def settle(centre: Centre, after: int = retry.UNKNOWN_WAIT) -> int:
    centre.clock.now += after
    return await centre.settle.sweep(centre.clock.now)


async def test_a_delivery_report_is_waited_for(centre: Centre) -> None:
    await lost(centre, message("a", lane=Lane.ANSWER))
    assert await settle(centre, retry.UNKNOWN_WAIT - 1) == 0
    assert await settle(centre, 1) == 1


@pytest.mark.parametrize(
    ("lane", "notice", "again"),
    [
        (Lane.ANSWER, "answer", True),
        (Lane.NOTICE, "received", True),
        (Lane.NOTICE, "result_ready", True),
        (Lane.DEADLINE, "due_soon", True),
        (Lane.DEADLINE, "late", False),
        (Lane.BULK, "broadcast", False),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_once_more_by_its_class_or_left_to_people(
    centre: Centre, lane: Lane, notice: str, again: bool
) -> None:
    await lost(centre, message("a", lane=lane, notice=notice))
    rung = centre.rung
    assert await settle(centre) == again
    assert centre.rung == rung + again
    row, work = await centre.row("a"), await centre.work()
    if again:
        assert (row.state, work) == (State.QUEUED, [])
        assert (await send(centre)).keys == ["a"]
        assert await history(centre, "a") == [(1, "unknown", "timeout"), (2, "accepted", "")]
    else:
        assert row.state is State.UNKNOWN
        assert [item.kind for item in work] == ["unknown"]


@on_every_store
async def test_a_second_unknown_is_left_to_people(centre: Centre) -> None:
    await lost(centre, message("a", lane=Lane.ANSWER))
    await settle(centre)
    await send(centre, Unknown(code="timeout"))
    assert await settle(centre) == 0
    assert await centre.states() == {"a": "unknown"}
    assert len(await centre.work()) == 1
    assert await settle(centre) == 0
    assert len(await centre.work()) == 1


async def test_an_answer_that_is_no_longer_fresh_is_left_to_people(centre: Centre) -> None:
    await lost(centre, message("a", lane=Lane.ANSWER, best_before=NOW + MINUTE))
    assert await settle(centre) == 0
    assert len(await centre.work()) == 1


async def test_a_second_try_is_looked_at_again_too(centre: Centre) -> None:
    await centre.push(received())
    await send(centre, Unknown(code="timeout"))
    assert await settle(centre) == 1
    await centre.push(event("finished", at=centre.clock.now))
    gateway = await send(centre)
    assert [sent.notice for sent in gateway.sent] == ["result_ready"]


async def test_a_report_that_comes_while_the_second_try_waits_stops_it(centre: Centre) -> None:
    await lost(centre, message("a", lane=Lane.ANSWER))
    await settle(centre)
    report = Receipt(ref="a", status=ReceiptStatus.DELIVERED, by_key=True)
    await centre.receive().accept([report])
    assert (await send(centre)).sent == []
    assert await centre.states() == {"a": "delivered"}


@on_every_store
async def test_two_sweeps_at_once_send_it_once_more(centre: Centre) -> None:
    await lost(centre, *(message(f"m{n}", lane=Lane.ANSWER) for n in range(10)))
    centre.clock.now += retry.UNKNOWN_WAIT
    moved = await asyncio.gather(*(centre.settle.sweep(centre.clock.now) for _ in range(3)))
    assert sum(moved) == 10
    assert Counter((await send(centre)).keys) == {f"m{n}": 1 for n in range(10)}
