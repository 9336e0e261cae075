"""The main job with real processes: told before they ask, answered when they ask, nothing lost."""

from __future__ import annotations

import time

import aiohttp
import office
from contracts.gateway import Behaviour
from processes import eventually

from notifier.bootstrap.core import configure
from notifier.bootstrap.service import Service
from notifier.clock import MovableClock
from notifier.domain.instant import MINUTE


def states(rows):
    return sorted((row["notice"], row["state"]) for row in rows)


async def test_a_citizen_is_told_asks_and_is_answered(station, provider):
    async with station.serving() as service:
        answer = await service.push(office.event(due_at="2030-12-02T17:00:00+07:00"))
        assert [row["result"] for row in answer["results"]] == ["stored"]
        [notice] = await provider.has(1)
        assert notice.to == "84912000345"
        assert f"Da tiep nhan ho so {office.CODE}" in notice.text
        assert "02/12/2030" in notice.text

        assert await service.text(f"hs {office.CODE.lower()}") == 200
        _, reply = await provider.has(2)
        assert reply.to == "84912000345"
        assert f"Ho so {office.CODE} da duoc tiep nhan" in reply.text
        assert "02/12/2030" in reply.text

        # The provider calls again: the answer to it comes after the commit, so the outbox is final.
        assert await service.text(f"hs {office.CODE.lower()}") == 200
        assert len(await station.outbox()) == 2

        assert await service.report("esms-1") == 200
        assert await service.report("esms-2", status="6") == 200
        assert await service.report("esms-2", status="5") == 200
        rows = await station.outbox()
        assert states(rows) == [("answer", "failed"), ("received", "delivered")]
        assert {row["to"] for row in rows} == {"sms:…345"}

        assert await service.stop() == 0
    assert await station.outbox("--state", "sending") == []
    assert len(provider.received) == 2


async def test_a_stop_lets_what_is_in_flight_end(station, provider):
    async with station.serving() as service:
        provider.answering.clear()
        await service.push(office.event())
        await provider.has(1)
        service.process.terminate()

        async def closed():
            try:
                await service.http.get(service.url + "/health/live")
            except aiohttp.ClientError:
                return True

        await eventually(closed, "the door is closed")
        provider.answering.set()
        assert await service.process.wait() == 0
    assert states(await station.outbox()) == [("received", "accepted")]


async def test_a_stop_ends_in_order_although_nobody_hears_it(station, provider):
    async with station.serving(unheard=True) as service:
        await service.push(office.event())
        await provider.has(1)
        await service.stop()
    assert states(await station.outbox()) == [("received", "accepted")]


async def test_what_a_killed_process_was_sending_is_of_unknown_fate_and_sent_once_more(
    station, provider, monkeypatch
):
    async with station.serving() as service:
        provider.answering.clear()
        await service.push(office.event())
        await provider.has(1)
        await service.kill()
    assert states(await station.outbox()) == [("received", "sending")]
    provider.answering.set()

    async with station.serving() as service:
        [row] = await station.outbox()
        assert row["state"] == "unknown"
        assert row["reason"] == "the process ended while it was being sent"
        assert await service.stop() == 0
    assert len(provider.received) == 1

    monkeypatch.setenv("NOTIFIER_STORE", station.environment["NOTIFIER_STORE"])
    monkeypatch.setenv("NOTIFIER_WEB__PORT", "0")
    later = MovableClock(time.time_ns() // 1_000_000 + 3 * MINUTE)
    service = Service(configure(station.config), later)
    await service.start()
    try:
        first, second = await provider.has(2)
    finally:
        await service.stop()
    assert (first.key, first.text) == (second.key, second.text)
    shown = (await station.run("outbox", "show", row["id"], "--json")).row
    assert shown["state"] == "accepted"
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["unknown", "accepted"]


async def test_a_report_by_our_key_settles_what_a_killed_process_was_sending(station, provider):
    receipts = provider.table()["receipts"] | {"ref_is": "key"}
    station.configure(gateway={"receipts": receipts})
    async with station.serving() as service:
        provider.answering.clear()
        await service.push(office.event())
        [sent] = await provider.has(1)
        await service.kill()
    provider.answering.set()
    async with station.serving() as service:
        assert states(await station.outbox()) == [("received", "unknown")]
        assert await service.report(sent.key) == 200
        assert states(await station.outbox()) == [("received", "delivered")]
    assert len(provider.received) == 1


async def test_what_was_queued_when_a_process_was_killed_leaves_once(station, provider):
    people = {f"H19.45-261118-{number:04}": f"0912{number:06}" for number in range(40)}
    async with station.serving() as service:
        provider.answering.clear()
        await service.push(
            *(office.event(code=code, applicant={"phone": phone}) for code, phone in people.items())
        )
        await eventually(lambda: sent(provider, 1), "the first has left")
        await service.kill()
    provider.answering.set()
    left = {taken.key for taken in provider.received}
    async with station.serving():
        await eventually(lambda: sent(provider, 40), "the others have left")
        rows = await station.outbox("--limit", "100")
    keys = [taken.key for taken in provider.received]
    assert len(keys) == len(set(keys)) == 40
    assert {row["key"] for row in rows if row["state"] == "unknown"} == left
    assert {row["state"] for row in rows if row["key"] not in left} <= {"sending", "accepted"}


async def sent(provider, count):
    return len(provider.received) >= count


async def test_an_answer_leaves_once_the_provider_can_be_reached_again(station, provider):
    async with station.serving() as service:
        await provider.become(Behaviour.DOWN)
        await service.text("HD")

        async def tried():
            return any(
                row["attempts"] and row["state"] == "queued" for row in await station.outbox()
            )

        await eventually(tried, "an attempt that did not get through")
        await provider.become(Behaviour.ACCEPT)
        await provider.has(1)
