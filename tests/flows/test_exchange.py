"""The sample of the national exchange over real stores: any order, any batches, any repetition."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import exchange_samples as samples
import pytest
from builders import moment
from engines import on_every_store

from notifier.domain import instant
from notifier.flows.group_commit import GroupCommit
from notifier.sources.reading import Arrival

if TYPE_CHECKING:
    from builders import Centre

READER = samples.reader()


async def standing(centre: Centre) -> dict[str, Any]:
    async with centre.store.read() as session:
        dossiers = await session.list_dossiers("", 10_000)
    return {dossier.code: samples.standing(dossier) for dossier in dossiers}


@on_every_store
@pytest.mark.parametrize("seed", [1, 2])
async def test_it_ends_as_it_has_to(centre: Centre, seed: int) -> None:
    centre.clock.now = samples.NOW
    ingest = GroupCommit(centre.ingest)
    bodies = samples.recut(random.Random(seed))
    for i, body in enumerate(bodies):
        await ingest.all(READER.read(body, samples.ARRIVAL))
        if i == len(bodies) // 2:
            await ingest.drain()
            await centre.restart()
            ingest = GroupCommit(centre.ingest)
    assert await standing(centre) == samples.EXPECTED
    assert await centre.outbox() == []  # nobody is told of what is long past
    async with centre.store.read() as session:
        left = await session.quarantined(door="sources/exchange")
    assert len(left) == 5


def record(**said: Any) -> dict[str, Any]:
    return {
        "MaHoSo": "H19.45-261118-0007",
        "SoDienThoai": "0912000001",
        "NgayTiepNhan": "2026-11-23 08:30:00",
        "NgayHenTra": "2026-12-01 17:00:00",
        **said,
    }


async def pushed(centre: Centre, at: str, **said: Any) -> None:
    """A record without a time of its change comes in at ``at``."""
    centre.clock.now = moment(at)
    body = json.dumps([record(**said)]).encode()
    await centre.push(*READER.read(body, Arrival(at=centre.clock.now)))


async def test_a_change_whose_dates_did_not_move_is_told_when_it_arrives(centre: Centre) -> None:
    await pushed(centre, "2026-11-23 09:00", TrangThaiHoSo=2)
    assert await centre.notices() == ["received"]
    await pushed(centre, "2026-11-27 09:00", TrangThaiHoSo=6)
    assert await centre.notices() == ["received", "payment_requested"]
    await pushed(centre, "2026-11-27 10:00", TrangThaiHoSo=6)
    await pushed(centre, "2026-11-28 10:00", TrangThaiHoSo=4)
    await pushed(centre, "2026-11-30 10:00", TrangThaiHoSo=6)
    told = ["received", "payment_requested", "resumed", "payment_requested"]
    assert await centre.notices() == told


async def test_what_is_long_past_when_it_arrives_is_told_to_nobody(centre: Centre) -> None:
    await pushed(centre, "2026-11-30 09:00", TrangThaiHoSo=6)
    await pushed(centre, "2026-11-30 10:00", TrangThaiHoSo=9, NgayKetThucXuLy="2026-11-26 10:00:00")
    assert await centre.notices() == []
    assert instant.local_date(centre.clock.now).isoformat() == "2026-11-30"
