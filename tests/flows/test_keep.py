"""A code that was asked for too early: answered when its dossier appears, or said to be unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import KEPT, PHONE, Centre, code, inbound, number_of, received
from engines import on_every_store

from notifier.domain import instant
from notifier.domain.message import Lane

OTHER = number_of(7)
SENSITIVE = "Đăng ký nuôi con nuôi"


async def ask(centre: Centre, key: str, *numbers: int, by: str = OTHER) -> None:
    text = "HS " + " ".join(code(number) for number in numbers)
    await centre.receive().accept([inbound(text, key=key, sender=f"sms:{by}")])


async def later(centre: Centre) -> list[str]:
    """What was said later than at once, oldest first."""
    return [row.text for row in await centre.outbox() if row.key.startswith("kept|")]


@on_every_store
async def test_it_is_answered_when_the_dossier_appears(centre: Centre) -> None:
    await ask(centre, "1", 1)
    centre.clock.now += instant.HOUR
    await centre.push(received(1))
    [text] = await later(centre)
    assert code(1) in text
    assert "da duoc tiep nhan" in text
    await centre.push(replace(received(1), id="again"))
    assert len(await later(centre)) == 1


async def test_or_said_to_be_unknown_when_the_time_is_over(centre: Centre) -> None:
    await ask(centre, "1", 1)
    centre.clock.now += KEPT - 1
    assert await centre.keep.sweep(centre.clock.now) == 0
    centre.clock.now += 1
    assert await centre.keep.sweep(centre.clock.now) == 1
    assert await centre.keep.sweep(centre.clock.now) == 0
    [text] = await later(centre)
    assert "chua co ho so" in text
    await centre.push(received(1))
    assert len(await later(centre)) == 1


async def test_the_applicant_is_told_more_than_a_stranger(centre: Centre) -> None:
    await centre.receive().accept(
        [
            inbound(f"HS {code(1)}", key="1", sender=f"sms:{PHONE}"),
            inbound(f"HS {code(1)}", key="2", sender=f"sms:{OTHER}"),
        ]
    )
    await centre.push(received(1, reason="Thiếu chữ ký"))
    assert sorted("Thieu chu ky" in text for text in await later(centre)) == [False, True]


async def test_what_is_nobody_elses_business_is_never_answered(centre: Centre) -> None:
    await ask(centre, "1", 1, 2)
    await centre.push(received(1, procedure_name=SENSITIVE))
    assert await later(centre) == []
    centre.clock.now += KEPT
    await centre.keep.sweep(centre.clock.now)
    known, unknown = sorted(await later(centre))
    assert known.replace(code(1), "") == unknown.replace(code(2), "")


@on_every_store
async def test_at_most_three_wait_for_one_sender(centre: Centre) -> None:
    await ask(centre, "1", 1, 2)
    await ask(centre, "2", 3, 4, 5)
    await ask(centre, "3", 6, by=number_of(8))
    await centre.push(*(received(number) for number in range(1, 7)))
    told = [number for number in range(1, 7) if any(code(number) in t for t in await later(centre))]
    assert told == [1, 2, 3, 6]


async def test_it_keeps_quiet_hours_and_the_right_to_refuse(centre: Centre) -> None:
    await ask(centre, "1", 1)
    centre.clock.now = instant.read_iso("2026-11-23T23:30:00+07:00")
    await centre.push(received(1))
    [row] = [row for row in await centre.outbox() if row.key.startswith("kept|")]
    assert row.lane is Lane.NOTICE
    assert instant.iso(row.not_before) == "2026-11-24T07:00:00+07:00"


@pytest.mark.parametrize("text", ["TC", "dung gui tin nua"])
async def test_who_refused_is_not_told_that_it_is_unknown(centre: Centre, text: str) -> None:
    await ask(centre, "1", 1)
    await centre.receive().accept([inbound(text, key="2", sender=f"sms:{OTHER}")])
    centre.clock.now += KEPT
    await centre.keep.sweep(centre.clock.now)
    assert await later(centre) == []
