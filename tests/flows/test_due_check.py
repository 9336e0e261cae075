"""The source's due date beside the one that its limit gives: a difference goes to people, once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builders import NOW, Centre, code, event, moment, received

from notifier.domain import instant, limit
from notifier.domain.instant import MINUTE
from notifier.domain.knowledge import Knowledge, Procedure

if TYPE_CHECKING:
    from notifier.ports import WorkItem

FRIDAY = moment("2026-11-27 17:00")  # three working days after Monday 23, since the 24th is off
THURSDAY = moment("2026-11-26 17:00")


async def differing(centre: Centre) -> list[WorkItem]:
    return [item for item in await centre.work() if item.kind == "due_differs"]


async def test_a_date_that_agrees_is_nobody_s_work(centre: Centre) -> None:
    await centre.push(received(due_at=FRIDAY, limit="3d"))
    assert await differing(centre) == []


async def test_a_date_that_differs_is_said_once_with_both_dates(centre: Centre) -> None:
    await centre.push(received(due_at=THURSDAY, limit="3d"))
    await centre.push(event("processing", at=NOW + MINUTE, handler="Phòng Tư pháp"))
    [item] = await differing(centre)
    assert item.dossier == code()
    assert item.detail == (
        "due 2026-11-26T17:00:00+07:00 by the source, 2026-11-27T17:00:00+07:00 "
        "(3d from 2026-11-23T09:00:00+07:00) by our count; the source's holds"
    )
    dossier = await centre.dossier()
    assert dossier is not None
    assert dossier.facts.due_at == THURSDAY


async def test_each_due_date_is_said_by_itself(centre: Centre) -> None:
    await centre.push(received(due_at=THURSDAY, limit="3d"))
    later = THURSDAY + 5 * instant.DAY
    await centre.push(event("corrected", at=NOW + MINUTE, due_at=later))
    await centre.push(event("corrected", at=NOW + 2 * MINUTE, due_at=FRIDAY))
    assert [item.key.rsplit("|", 1)[1] for item in await differing(centre)] == [
        "2026-11-26T17:00:00+07:00",
        "2026-12-01T17:00:00+07:00",
    ]


async def test_a_limit_that_comes_later_is_checked_too(centre: Centre) -> None:
    await centre.push(received(due_at=THURSDAY))
    assert await differing(centre) == []
    await centre.push(event("corrected", at=NOW + MINUTE, limit="3d"))
    assert len(await differing(centre)) == 1


async def test_a_pause_that_the_source_did_not_add(centre: Centre) -> None:
    await centre.push(received(due_at=FRIDAY, limit="3d"))
    await centre.push(event("payment-requested", at=NOW + MINUTE))
    assert await differing(centre) == []
    centre.clock.now = moment("2026-11-26 09:00")
    await centre.push(event("paid", at=centre.clock.now))
    [item] = await differing(centre)
    assert "2026-12-01T17:00:00+07:00 (3d" in item.detail


async def test_an_unannounced_year_is_said(centre: Centre) -> None:
    centre.clock.now = moment("2026-12-30 09:00")
    due = moment("2027-01-05 17:00")
    await centre.push(received(at=centre.clock.now, due_at=due, limit="5d"))
    [item] = await differing(centre)
    assert "provisional: the days off of 2027 are not announced" in item.detail


async def test_the_limit_that_the_office_knows(centre: Centre) -> None:
    known = Procedure(
        code="1.001612",
        name="Đăng ký thành lập hộ kinh doanh",
        source="QĐ",
        as_of=instant.local_date(NOW),
        limit=limit.read("3d"),
    )
    centre.installation = replace(centre.installation, knowledge=Knowledge.of([known]))
    await centre.restart()
    await centre.push(
        received(1, due_at=THURSDAY, procedure_code="1.001612"),
        received(2, due_at=FRIDAY, procedure_code="1.001612"),
        received(3, due_at=THURSDAY, procedure_code="1.001613"),
    )
    assert [item.dossier for item in await differing(centre)] == [code(1)]


async def test_a_limit_that_can_t_be_read_stops_nothing(centre: Centre) -> None:
    await centre.push(received(due_at=THURSDAY, limit="as soon as it can be done"))
    assert await differing(centre) == []
    assert await centre.dossier() is not None
