"""The report and the digest over a real store, from events to figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import DUE, NOW, code, event, received
from doubles.gateway import ScriptedGateway
from engines import on_every_store

from notifier.domain.dossier import Rescheduled, UnitRef
from notifier.domain.instant import DAY, HOUR
from notifier.domain.message import Address
from notifier.domain.period import Span, last_over
from notifier.domain.promise import Apologised, Standing
from notifier.domain.tally import Asked, By
from notifier.flows.digest import Digest
from notifier.flows.report import Reporting

if TYPE_CHECKING:
    from builders import Centre

    from notifier.flows.report import Report
    from notifier.rendering import Templates

WARD = {"unit": UnitRef(code="X1", name="UBND phường Một")}
OFFICE = {"unit": UnitRef(code="S1", name="Sở Hai")}
LEADER = Address("email", "lanh.dao@example.gov.vn")


async def report(centre: Centre, *by: By, at: int | None = None) -> Report:
    reporting = Reporting(centre.store, centre.installation)
    return await reporting(Asked(start=0, at=centre.clock.now if at is None else at, by=by))


async def four_dossiers(centre: Centre) -> None:
    """One early, one late with an apology, one appointed anew and finished by that, one paused."""
    await centre.push(received(1, **WARD), received(2, **WARD), received(3, **OFFICE))
    await centre.push(received(4, **OFFICE))
    centre.clock.now = NOW + DAY
    await centre.push(event("finished", number=1, at=NOW + DAY))
    await centre.push(event("payment-requested", number=4, at=NOW + DAY))
    made = Rescheduled(due_at=DUE + 7 * DAY, reason="đo lại")
    await centre.push(
        event("rescheduled", number=3, at=NOW + DAY, due_at=made.due_at, rescheduled=made)
    )
    centre.clock.now = DUE + HOUR
    await centre.sweep()
    await centre.turn(centre.dispatcher(ScriptedGateway()))
    centre.clock.now = DUE + 4 * DAY
    await centre.push(
        event("finished", number=2, at=DUE + 4 * DAY), event("finished", number=3, at=DUE + 4 * DAY)
    )


@on_every_store
async def test_from_events_to_figures(centre: Centre) -> None:
    await four_dossiers(centre)
    counted = await report(centre, By.UNIT)
    total = counted.total
    assert (total.done, total.early, total.late, total.first_late) == (3, 2, 1, 2)
    assert (total.moved, total.owed, total.apologised) == (1, 2, 1)
    assert total.apologised_by == {Apologised.AUTOMATIC: 1}
    assert total.aside == {Standing.PAUSED: 1}
    assert [(line.labels, line.tally.done, line.tally.apologised) for line in counted.lines] == [
        (("Sở Hai",), 1, 0),
        (("UBND phường Một",), 2, 1),
    ]


async def test_what_was_open_then_stays_so_in_the_report_of_then(centre: Centre) -> None:
    await four_dossiers(centre)
    then = (await report(centre, at=DUE + HOUR)).total
    assert (then.done, then.open_late, then.open_first_late, then.open_in_time) == (1, 1, 2, 1)


async def test_an_event_that_changes_nothing_that_is_reported_writes_nothing(
    centre: Centre,
) -> None:
    await centre.push(received(1, **WARD))
    centre.rows("SELECT 1")
    async with centre.store.write() as session:
        await session.run("UPDATE promise SET late_days = 77")  # type: ignore[attr-defined]
    await centre.push(event("processing", at=NOW + HOUR // 10, handler="Tổ 1"))
    assert centre.rows("SELECT late_days FROM promise") == [(77,)]
    await centre.push(event("finished", at=NOW + HOUR // 9))
    assert centre.rows("SELECT late_days FROM promise") == [(0,)]


async def test_a_failed_request_leaves_its_place_to_the_next(centre: Centre) -> None:
    await centre.push(received(1, **WARD))
    await centre.push(received(2, **WARD))
    assert centre.rows("SELECT unit FROM place") == [("X1",)]
    await centre.restart()
    await centre.push(received(3, **WARD))
    assert centre.rows("SELECT unit FROM place") == [("X1",)]


@on_every_store
async def test_what_is_lost_is_worked_out_anew(centre: Centre) -> None:
    await four_dossiers(centre)
    before = await report(centre, By.LEVEL, By.MONTH)
    async with centre.store.write() as session:
        await session.run("DELETE FROM promise")  # type: ignore[attr-defined]
        await session.run("DELETE FROM place")  # type: ignore[attr-defined]
    assert (await report(centre)).total.done == 0
    heard: list[int] = []
    assert await Reporting(centre.store, centre.installation).rebuild(heard.append) == 4
    assert heard == [4]
    assert await report(centre, By.LEVEL, By.MONTH) == before


def digest_of(centre: Centre, templates: Templates, *, span: Span | None = Span.WEEK) -> Digest:
    return Digest(
        centre.store,
        centre.installation,
        templates,
        Reporting(centre.store, centre.installation),
        queued=centre._ring,
        span=span,
        to=[LEADER],
    )


async def test_the_digest_says_the_figures_and_names_the_worst(
    centre: Centre, templates: Templates
) -> None:
    await four_dossiers(centre)
    centre.clock.now = DUE + 10 * DAY
    told = last_over(Span.MONTH, DUE + 10 * DAY)
    text = await digest_of(centre, templates).text(told)
    assert "tháng 11/2026" in text
    assert "Đang giải quyết 2 hồ sơ, trong đó 1 đã quá hạn." in text
    assert "Đã giải quyết 1 hồ sơ, đúng hẹn 100,00%" in text
    assert "Phải xin lỗi 2 hồ sơ quá hạn, đã xin lỗi 1." in text
    assert "- UBND phường Một: 0 hồ sơ xong quá hạn, 1 đang quá hạn" in text
    assert "- Sở Hai" not in text
    english = await digest_of(centre, templates).text(told, locale="en")
    assert "An apology is owed for 2 late dossiers, and was made for 1." in english


async def test_of_nothing_the_digest_says_so(centre: Centre, templates: Templates) -> None:
    text = await digest_of(centre, templates).text(last_over(Span.DAY, NOW))
    assert "Không có hồ sơ nào được giải quyết xong." in text
    assert "Phải xin lỗi" not in text


async def test_it_is_sent_once_a_period_whoever_comes_first(
    centre: Centre, templates: Templates
) -> None:
    first, second = digest_of(centre, templates), digest_of(centre, templates)
    assert await first.sweep(NOW) == 1
    assert await first.sweep(NOW + HOUR) == 0
    assert await second.sweep(NOW + HOUR) == 0
    assert await second.sweep(NOW + 7 * DAY) == 1
    assert centre.rung == 2
    assert len(await centre.outbox()) == 2
    assert all("lanh.dao" not in row.key for row in await centre.outbox())


async def test_a_gateway_for_letters_sends_it(centre: Centre, templates: Templates) -> None:
    gateway = ScriptedGateway()
    gateway.capabilities = type(gateway.capabilities)(channel="email", rate=10, window=1)
    await digest_of(centre, templates).sweep(NOW)
    await centre.turn(centre.dispatcher(gateway))
    [sent] = gateway.sent
    assert sent.address == LEADER
    assert sent.text.startswith("Tình hình hẹn trả kết quả tuần từ 16/11/2026 đến 22/11/2026")


@pytest.mark.parametrize("span", [None, Span.WEEK])
async def test_without_a_span_or_an_address_nothing_is_counted(
    centre: Centre, templates: Templates, span: Span | None
) -> None:
    digest = digest_of(centre, templates, span=span)
    if span is not None:
        digest._to = ()
    assert await digest.sweep(NOW) == 0
    assert await centre.outbox() == []


async def test_codes_are_named_by_nobody_in_it(centre: Centre, templates: Templates) -> None:
    await four_dossiers(centre)
    text = await digest_of(centre, templates).text(last_over(Span.MONTH, DUE + 10 * DAY))
    assert code(2) not in text
