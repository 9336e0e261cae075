"""An event comes in: everything it means lands together, once, or not at all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from builders import (
    AGENT_PHONE,
    DUE,
    LANDLINE,
    NOW,
    PHONE,
    Centre,
    code,
    event,
    moment,
    received,
)
from engines import KEYS, on_every_store

from notifier.domain import instant
from notifier.domain.message import Address, Lane
from notifier.flows.ingest import Fate, Ingested
from notifier.ports import Quarantined
from notifier.storage.sealing import Sealer

MINUTE, HOUR, DAY = instant.MINUTE, instant.HOUR, instant.DAY

STORED = Ingested(fate=Fate.STORED)
DUPLICATE = Ingested(fate=Fate.DUPLICATE)
TABLES = ("event", "dossier", "moment", "message", "work")


def counted(centre: Centre) -> dict[str, int]:
    """How many rows another connection sees in each table."""
    counts = {table: centre.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
    return {table: count for table, count in counts.items() if count}


async def address_of(centre: Centre, key_part: str = "") -> Address:
    """Where the one message goes."""
    [row] = [row for row in await centre.outbox() if key_part in row.key]
    async with centre.store.read() as session:
        [message] = await session.messages([row.id])
    return message.address


# ------------------------------------------------------------------------------ one transaction


@on_every_store
async def test_a_dossier_its_moments_and_its_message_land_together(centre: Centre) -> None:
    assert await centre.push(received()) == [STORED]
    assert counted(centre) == {"event": 1, "dossier": 1, "moment": 2, "message": 1}
    assert centre.rung == 1
    [row] = await centre.outbox()
    assert (row.notice, row.dossier, row.lane) == ("received", code(), Lane.NOTICE)
    assert row.key == f"{code()}|received|1|applicant"
    assert code() in row.text


@pytest.mark.parametrize("act", ["plan_moments", "add_messages", "put_dossiers", "add_work"])
async def test_or_nothing_does(centre: Centre, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    from notifier.storage.sqlite.store import SqliteSession

    async def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteSession, act, fail)
        with pytest.raises(OSError, match="disk is full"):
            await centre.push(received())
    assert counted(centre) == {}
    assert centre.rung == 0
    assert await centre.push(received()) == [STORED]
    assert counted(centre) == {"event": 1, "dossier": 1, "moment": 2, "message": 1}


@on_every_store
async def test_many_at_once_are_answered_one_by_one(centre: Centre) -> None:
    broken = Quarantined(door="events", reason="no subject", raw=b"{}", at=NOW, key="k")
    ahead = event(number=3, at=NOW + HOUR)
    results = await centre.push(received(1), broken, received(2), received(1), ahead)
    assert [result.fate for result in results] == [
        Fate.STORED,
        Fate.QUARANTINED,
        Fate.STORED,
        Fate.DUPLICATE,
        Fate.QUARANTINED,
    ]
    assert sorted(row.dossier or "" for row in await centre.outbox()) == [code(1), code(2)]


async def test_nothing_comes_of_nothing(centre: Centre) -> None:
    assert await centre.push() == []
    assert counted(centre) == {}


# ------------------------------------------------------------------------------------------ once


@on_every_store
async def test_a_doubled_event_makes_no_second_notice(centre: Centre) -> None:
    assert await centre.push(received()) == [STORED]
    assert await centre.push(received()) == [DUPLICATE]
    assert await centre.notices() == ["received"]
    assert centre.rung == 1


async def test_a_dossier_pushed_again_under_another_id_makes_no_second_notice(
    centre: Centre,
) -> None:
    """As the national record does: the whole dossier again, under a fresh id each time."""
    for number in range(3):
        await centre.push(received(id=f"push-{number}", at=NOW + number))
    assert await centre.notices() == ["received"]


async def test_a_corrected_phone_makes_no_second_notice(centre: Centre) -> None:
    await centre.push(received())
    await centre.push(received(id="again", at=NOW + 1, phone=AGENT_PHONE))
    assert await centre.notices() == ["received"]


async def test_one_notice_for_one_step_taken_in_two_words(centre: Centre) -> None:
    """2 "received" and 4 "processing" are one occasion; 9 twice with a reopening is two."""
    await centre.push(received())
    await centre.push(event("processing", at=NOW + 1))
    assert await centre.notices() == ["received"]
    await centre.push(event("finished", at=NOW + 2))
    await centre.push(event("reopened", at=NOW + 3))
    await centre.push(event("finished", at=NOW + 4))
    assert Counter(await centre.notices()) == {"received": 1, "result_ready": 2}


async def test_what_arrives_late_notifies_of_nothing_that_is_over(centre: Centre) -> None:
    await centre.push(event("finished", at=NOW, applicant_phone=PHONE))
    await centre.push(received(at=NOW - HOUR))
    assert await centre.notices() == ["result_ready"]
    held = await centre.dossier()
    assert held
    assert held.status == 9
    assert held.facts.due_at == DUE


@on_every_store
async def test_a_whole_story_in_one_request_tells_its_end(centre: Centre) -> None:
    await centre.push(
        event("finished", at=NOW), received(at=NOW - 2 * HOUR), event("processing", at=NOW - HOUR)
    )
    assert await centre.notices() == ["result_ready"]


# ------------------------------------------------------------------------------------ quarantine


@pytest.mark.parametrize(
    ("ahead", "fate"),
    [
        (0, Fate.STORED),
        (10 * MINUTE, Fate.STORED),
        (10 * MINUTE + 1, Fate.QUARANTINED),
        (DAY, Fate.QUARANTINED),
    ],
    ids=["now", "ten minutes", "a moment more", "a day"],
)
async def test_a_time_ahead_of_ours(centre: Centre, ahead: int, fate: Fate) -> None:
    [result] = await centre.push(received(at=NOW + ahead))
    assert result.fate is fate
    kept = centre.rows("SELECT door, reason FROM quarantine")
    assert len(kept) == (fate is Fate.QUARANTINED)
    if kept:
        assert kept == [("events", result.reason)]
        assert "10 minutes" in result.reason
        assert counted(centre) == {}


async def test_a_quarantined_time_may_come_again_once_it_is_right(centre: Centre) -> None:
    early = received(at=NOW + HOUR)
    await centre.push(early)
    centre.clock.now += HOUR
    assert await centre.push(early) == [STORED]
    assert await centre.notices() == ["received"]


@pytest.mark.parametrize("status", [0, 11, 99])
async def test_a_state_nobody_knows_changes_nothing(centre: Centre, status: int) -> None:
    await centre.push(received())
    before = await centre.dossier()
    odd = event("processing", at=NOW + 1, status=status, applicant_name="Another")
    [result] = await centre.push(odd)
    assert result == Ingested(
        fate=Fate.QUARANTINED, reason=f"status {status} is not in the table of states"
    )
    assert await centre.dossier() == before
    assert await centre.notices() == ["received"]


@on_every_store
async def test_what_is_quarantined_twice_is_kept_once(centre: Centre) -> None:
    broken = Quarantined(door="events", reason="no subject", raw=b"{}", at=NOW, key="k")
    for _ in range(3):
        await centre.push(broken, received(at=NOW + DAY))
    assert len(centre.rows("SELECT * FROM quarantine")) == 2


async def test_the_bytes_of_what_is_quarantined_are_kept(centre: Centre) -> None:
    broken = Quarantined(door="events", reason="no subject", raw=b'{"odd": 1}', at=NOW, key="k")
    await centre.push(broken, replace(received(at=NOW + DAY), raw=b"early"))
    kept = {
        Sealer(KEYS).open(sealed, b"quarantine")
        for (sealed,) in centre.rows("SELECT raw_sealed FROM quarantine")
    }
    assert kept == {b'{"odd": 1}', b"early"}


# --------------------------------------------------------------------------------------- backlog


async def test_a_backlog_writes_to_nobody(centre: Centre) -> None:
    """The first day of an installation: whole years are pushed, and nobody's telephone rings."""
    finished = [
        event("finished", number=n, at=NOW - (n + 1) * DAY, applicant_phone=PHONE)
        for n in range(1, 20)
    ]
    late = [received(n, at=NOW - 30 * DAY, due_at=NOW - (n - 19) * HOUR) for n in range(20, 40)]
    await centre.push(*finished, *late)
    await centre.sweep()
    assert await centre.outbox() == []
    work = await centre.work()
    assert {item.dossier for item in work} == {code(n) for n in range(20, 40)}
    assert {item.kind for item in work} == {"late_before_first_seen"}


async def test_a_late_one_of_the_backlog_is_listed_once(centre: Centre) -> None:
    for again in range(3):
        await centre.push(received(id=f"{again}", at=NOW - 30 * DAY + again, due_at=NOW - DAY))
        await centre.sweep()
    assert len(await centre.work()) == 1
    assert await centre.outbox() == []


async def test_a_late_one_of_the_backlog_is_listed_again_for_a_new_due_date(
    centre: Centre,
) -> None:
    """Moved to another day that has passed: another broken promise, for a person to see."""
    await centre.push(received(at=NOW - 30 * DAY, due_at=NOW - 9 * DAY))
    await centre.push(event("corrected", at=NOW - DAY, due_at=NOW - 8 * DAY))
    assert len(await centre.work()) == 2
    assert await centre.outbox() == []


async def test_one_of_the_backlog_that_is_not_late_yet_is_reminded_of(centre: Centre) -> None:
    await centre.push(received(at=NOW - 30 * DAY))
    assert await centre.outbox() == []
    centre.clock.now = moment("2026-11-26 08:30")
    await centre.sweep()
    assert await centre.notices() == ["due_soon"]


@pytest.mark.parametrize(
    ("age", "told"), [(DAY, ["received"]), (DAY + 1, [])], ids=["a day old", "a moment older"]
)
async def test_what_is_more_than_a_day_old_is_no_news(
    centre: Centre, age: int, told: list[str]
) -> None:
    await centre.push(received(at=NOW - age))
    assert await centre.notices() == told


# ------------------------------------------------------------------------------------ who is told


async def test_the_applicant_is_told(centre: Centre) -> None:
    await centre.push(received(phone="0912 000 000"))
    assert await address_of(centre) == Address("sms", PHONE)


async def test_the_agent_is_told_instead(centre: Centre) -> None:
    await centre.push(received(agent_phone=AGENT_PHONE))
    assert await address_of(centre) == Address("sms", AGENT_PHONE)
    [row] = await centre.outbox()
    assert row.key.endswith("|agent")


@pytest.mark.parametrize(
    "carried",
    [{"phone": LANDLINE}, {"phone": ""}, {"phone": PHONE, "agent_phone": LANDLINE}],
    ids=["a landline", "no number", "an agent with a landline"],
)
async def test_who_cannot_be_reached_is_work_for_people(
    centre: Centre, carried: dict[str, str]
) -> None:
    await centre.push(received(**carried))
    assert await centre.outbox() == []
    [item] = await centre.work()
    assert (item.kind, item.dossier) == ("call", code())
    assert item.key == f"call|{code()}|received|1|{'agent' if len(carried) > 1 else 'applicant'}"
    assert not any(number in repr(item) for number in (PHONE[3:], LANDLINE))


# ------------------------------------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        ("2026-11-23 06:59", "2026-11-23 07:00"),
        ("2026-11-23 07:00", "2026-11-23 07:00"),
        ("2026-11-23 21:59", "2026-11-23 21:59"),
        ("2026-11-23 22:00", "2026-11-24 07:00"),
        ("2026-11-23 23:30", "2026-11-24 07:00"),
        ("2026-11-24 00:10", "2026-11-24 07:00"),
    ],
)
async def test_at_night_nobody_is_written_to(centre: Centre, at: str, leaves: str) -> None:
    centre.clock.now = moment(at)
    await centre.push(received(at=moment(at)))
    [row] = await centre.outbox()
    assert row.not_before == moment(leaves)
    assert row.best_before == moment(leaves) + 2 * DAY
