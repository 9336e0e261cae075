"""What staff decide by hand is done once, recorded, and undoes nothing that is final."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from builders import GATEWAY, NOW, Centre, attempted, begin, code, event, message
from engines import on_every_store

from notifier.domain import instant
from notifier.domain.message import State
from notifier.domain.outcome import Permanent, Scope, Unknown
from notifier.domain.retry import UNKNOWN_WAIT, verdict
from notifier.errors import InputError
from notifier.flows.operate import Operate, Settled
from notifier.ports import Quarantined
from notifier.sources import cloudevents

if TYPE_CHECKING:
    from notifier.domain.event import DossierEvent


def operate(centre: Centre) -> Operate:
    def read(door: str, raw: bytes) -> list[DossierEvent | Quarantined] | None:
        return cloudevents.read_kept(raw, centre.clock.now) if door == "events" else None

    return Operate(centre.store, centre.clock, centre.ingest, read, queued=centre._ring)


async def ended(centre: Centre, key: str, outcome: Unknown | Permanent) -> str:
    """A message whose attempt ended so; its id."""
    sent = message(key, at=centre.clock.now)
    await centre.queue(sent)
    async with centre.store.write() as session:
        [begun] = await begin(session, [sent], centre.clock.now)
        judged = verdict(begun, outcome, now=centre.clock.now)
        await session.end_attempts([attempted(begun, outcome, judged)], centre.clock.now)
    return sent.id


UNKNOWN = Unknown(code="timeout", detail="no verdict")
FAILED = Permanent(code="105", detail="no such number", scope=Scope.RECIPIENT)


@on_every_store
@pytest.mark.parametrize(
    ("settled", "state"),
    [
        (Settled.DELIVERED, State.DELIVERED),
        (Settled.FAILED, State.FAILED),
        (Settled.AGAIN, State.QUEUED),
    ],
)
async def test_a_message_of_unknown_fate_is_settled_once(
    centre: Centre, settled: Settled, state: State
) -> None:
    id_ = await ended(centre, "one", UNKNOWN)
    other = await ended(centre, "other", UNKNOWN)
    centre.clock.now += UNKNOWN_WAIT
    await centre.settle.sweep(centre.clock.now)
    assert {item.kind for item in await centre.work()} == {"unknown"}
    staff = operate(centre)
    assert await staff.resolve([id_, id_, "none"], settled, "lan") == 1
    assert await staff.resolve([id_], settled, "lan") == 0
    row = await centre.row("one")
    assert (row.state, "by lan" in row.reason) == (state, True)
    assert [item.key for item in await centre.work()] == [f"unknown|{other}"]
    assert [row.id for row in await staff.unknown()] == [other]


async def test_what_is_sent_again_has_time_to_leave(centre: Centre) -> None:
    id_ = await ended(centre, "one", UNKNOWN)
    centre.clock.now += 3 * instant.DAY
    await operate(centre).resolve([id_], Settled.AGAIN, "lan")
    row = await centre.row("one")
    assert (row.not_before, row.best_before) == (centre.clock.now, centre.clock.now + instant.DAY)


async def test_unknown_messages_are_listed_by_notice_and_gateway(centre: Centre) -> None:
    await ended(centre, "one", UNKNOWN)
    staff = operate(centre)
    assert len(await staff.unknown(notice="made_up", gateway=GATEWAY)) == 1
    assert await staff.unknown(notice="late") == []
    assert await staff.unknown(gateway="another") == []


@on_every_store
async def test_a_failed_message_is_sent_again_as_a_new_one_once(centre: Centre) -> None:
    id_ = await ended(centre, "one", FAILED)
    staff = operate(centre)
    centre.clock.now += instant.HOUR
    [new] = await staff.retry([id_], "lan")
    assert await staff.retry([id_], "lan") == []
    rows = {row.id: row for row in await centre.outbox()}
    assert rows[id_].state is State.FAILED
    assert rows[new].state is State.QUEUED
    assert rows[new].text == rows[id_].text
    assert rows[new].best_before == centre.clock.now + instant.DAY


@pytest.mark.parametrize("state", ["queued", "unknown", "none"])
async def test_only_what_is_over_is_sent_again(centre: Centre, state: str) -> None:
    if state == "unknown":
        id_ = await ended(centre, "one", UNKNOWN)
    else:
        await centre.queue(queued := message("one"))
        id_ = queued.id if state == "queued" else "none"
    with pytest.raises(InputError, match="outbox"):
        await operate(centre).retry([id_], "lan")


def cloud_event(**changes: object) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": "e-1",
            "source": "urn:test",
            "type": "dossier.received",
            "subject": code(),
            "time": instant.iso(NOW),
            "data": {},
            **changes,
        }
    ).encode()


async def kept_aside(centre: Centre, raw: bytes, door: str = "events") -> int:
    async with centre.store.write() as session:
        await session.quarantine([Quarantined(door=door, reason="why", raw=raw, at=NOW)])
        return (await session.quarantined())[-1].id


@on_every_store
async def test_an_event_from_the_future_is_taken_when_its_time_has_come(centre: Centre) -> None:
    early = event(at=NOW + instant.HOUR)
    [result] = await centre.push(
        type(early)(
            id="e-1",
            source=early.source,
            type=early.type,
            code=early.code,
            code_raw=early.code_raw,
            time=early.time,
            carried=early.carried,
            raw=cloud_event(time=instant.iso(early.time)),
        )
    )
    assert result.fate == "quarantined"
    async with centre.store.read() as session:
        [row] = await session.quarantined()
    [still] = await operate(centre).release([row.id], "lan")
    assert (still.taken, "ahead" in still.reason) == (False, True)
    assert await centre.dossier() is None
    centre.clock.now += instant.HOUR
    [taken] = await operate(centre).release([row.id], "lan")
    assert taken.taken
    assert await centre.dossier() is not None
    [again] = await operate(centre).release([row.id], "lan")
    assert (again.taken, again.reason) == (False, "it is not there")


async def test_a_list_that_was_kept_whole_is_taken_whole_or_stays(centre: Centre) -> None:
    good, bad = json.loads(cloud_event()), json.loads(cloud_event(id="", subject=code(2)))
    item = await kept_aside(centre, json.dumps([good, bad]).encode())
    [released] = await operate(centre).release([item], "lan")
    assert not released.taken
    assert "id" in released.reason
    async with centre.store.read() as session:
        assert item in [row.id for row in await session.quarantined()]


async def test_what_a_provider_sent_can_be_dropped_only(centre: Centre) -> None:
    item = await kept_aside(centre, b"{", door="hooks/sms")
    [released] = await operate(centre).release([item], "lan")
    assert (released.taken, "dropped only" in released.reason) == (False, True)
    assert await operate(centre).drop([item], "lan") == 1
    assert centre.rows("SELECT fate, settled_by FROM quarantine") == [("dropped", "lan")]
