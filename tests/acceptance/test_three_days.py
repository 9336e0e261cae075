"""The service stands still for three days over a due date: one apology, and no stale reminder."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import office
import pytest
from processes import eventually

from notifier.bootstrap.core import configure
from notifier.bootstrap.service import Service
from notifier.clock import MovableClock
from notifier.domain import instant
from notifier.domain.instant import DAY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MONDAY = "2026-11-23T08:00:00+07:00"
DUE = "2026-11-24T17:00:00+07:00"
SIMULATOR = {
    "simulator": {
        "kind": "simulator",
        "secret": office.SIMULATOR_SECRET,
        "receipt_after": 0.01,
    }
}


class Days:
    """An office whose service is started and stopped as the days go by."""

    def __init__(self, folder) -> None:
        self.config = office.write_config(folder / "config", gateways=SIMULATOR)
        self.clock = MovableClock(instant.read_iso(MONDAY))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Service]:
        service = Service(configure(self.config), self.clock)
        await service.start()
        try:
            yield service
            await eventually(lambda: nothing_waits(service), "all has left")
        finally:
            await service.stop()

    def move_to(self, moment: str) -> None:
        self.clock.move(instant.read_iso(moment) - self.clock.civil())


async def nothing_waits(service):
    async with service.store.read() as session:
        rows = await session.outbox()
    return all(row.state == "delivered" for row in rows)


async def notices(service):
    async with service.store.read() as session:
        rows = await session.notices_of([office.CODE])
    return [row.notice for row in rows[office.CODE]]


def texts(service):
    return [text.text for text in service.gateways["simulator"].provider.phones.texts(office.PHONE)]


async def push(service, event):
    body = office.encoded(event)
    headers = office.signed(service.keys.events, body)
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{service.url}/v1/events", data=body, headers=headers) as answer,
    ):
        assert (await answer.json())["results"][0]["result"] == "stored"


@pytest.fixture
def days(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFIER_STORE", f"sqlite:///{tmp_path}/notifier.db")
    monkeypatch.setenv("NOTIFIER_WEB__PORT", "0")
    return Days(tmp_path)


async def test_reminded_then_three_days_of_silence_then_one_apology(days):
    async with days.working() as service:
        await push(service, office.event(time=MONDAY, received_at=MONDAY, due_at=DUE))
        days.move_to("2026-11-23T08:31:00+07:00")
        await service.ticks.run_all()
        assert await notices(service) == ["received", "due_soon"]

    days.clock.move(3 * DAY)
    async with days.working() as service:
        assert await notices(service) == ["received", "due_soon", "late"]
        await service.ticks.run_all()
    [apology] = texts(service)
    assert "xin loi" in apology
    assert "24/11/2026" in apology

    days.clock.move(DAY)
    async with days.working() as service:
        await service.ticks.run_all()
        assert await notices(service) == ["received", "due_soon", "late"]
    assert texts(service) == []


async def test_a_reminder_that_fell_into_the_silence_is_not_sent_after_the_due_date(days):
    async with days.working() as service:
        await push(service, office.event(time=MONDAY, received_at=MONDAY, due_at=DUE))

    days.clock.move(3 * DAY)
    async with days.working() as service:
        assert await notices(service) == ["received", "late"]


async def test_a_result_that_came_in_the_silence_needs_no_apology(days):
    async with days.working() as service:
        await push(service, office.event(time=MONDAY, received_at=MONDAY, due_at=DUE))

    days.move_to("2026-11-24T16:00:00+07:00")
    async with days.working() as service:
        await push(service, office.event("finished", time="2026-11-24T15:30:00+07:00"))

    days.clock.move(2 * DAY)
    async with days.working() as service:
        assert "late" not in await notices(service)
        assert "result_ready" in await notices(service)


async def test_a_due_date_that_was_moved_before_the_silence_is_the_one_that_counts(days):
    new_due = "2026-12-04T17:00:00+07:00"
    async with days.working() as service:
        await push(service, office.event(time=MONDAY, received_at=MONDAY, due_at=DUE))
        await push(
            service,
            office.event(
                "rescheduled",
                time="2026-11-23T08:00:30+07:00",
                rescheduled={"due_at": new_due, "reason": "chờ kết quả đo đạc"},
            ),
        )

    days.clock.move(3 * DAY)
    async with days.working() as service:
        assert await notices(service) == ["received", "rescheduled"]
