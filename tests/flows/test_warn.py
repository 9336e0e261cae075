"""Units hear before citizens do: the daily list, the last hours, and leaders when nobody acts.

Monday 23 November 2026; Tuesday is a holiday. The office's day is 07:30-11:30 and 13:30-17:00.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import LANDLINE, NAME, PHONE, Centre, code, event, moment, received
from engines import on_every_store

from notifier.domain import instant
from notifier.domain.dossier import UnitRef
from notifier.domain.message import Address, Lane
from notifier.domain.unit import Unit, Units
from notifier.domain.warning import Warnings
from notifier.ports import WorkItem

if TYPE_CHECKING:
    from notifier.domain.instant import Instant
    from notifier.ports import OutboxRow

HOUR, DAY = instant.HOUR, instant.DAY
START = moment("2026-11-20 08:00")
STAFF, LEADER = Address("email", "mot-cua@example.vn"), Address("sms", "+84912000801")
OFFICE, HEAD = Address("sms", "+84912000802"), Address("email", "giam-doc@example.vn")
WARD = Unit(code="H19.45", name="UBND phường Bình Phước", short="P.Binh Phuoc",
            staff=(STAFF,), leaders=(LEADER,))  # fmt: skip
OTHER = Unit(code="H19.46", name="UBND phường Đồng Xoài", short="P.Dong Xoai")


def with_units(centre: Centre, *, warnings: Warnings | None = None) -> None:
    """The ward names its staff; the other leaves it to the office."""
    installation = centre.installation
    centre.installation = replace(
        installation,
        units=Units.of(installation.units.office, [WARD, OTHER], []),
        warnings=warnings or Warnings(staff=(OFFICE,), leaders=(HEAD,)),
    )
    centre._make_flows()


async def take(
    centre: Centre,
    number: int,
    due: Instant | str,
    *,
    unit: Unit = WARD,
    at: Instant = START,
    **more: Any,
) -> None:
    centre.clock.now = at
    due_at = moment(due) if isinstance(due, str) else due
    await centre.push(received(number, at=at, due_at=due_at, unit=UnitRef(code=unit.code), **more))


async def warned(centre: Centre, when: str) -> list[OutboxRow]:
    """Move the clock, sweep both, and give what staff have been told by now, oldest first."""
    centre.clock.now = moment(when)
    async with asyncio.timeout(20):
        await centre.remind.sweep(centre.clock.now)
        await centre.warn.sweep(centre.clock.now)
    return [row for row in await centre.outbox() if row.notice.startswith("staff_")]


def told(rows: list[OutboxRow]) -> list[tuple[str, str]]:
    return [(row.notice, row.to) for row in rows]


def named(row: OutboxRow) -> set[str]:
    """The codes that a message names."""
    return {code(number) for number in range(1, 100) if code(number) in row.text}


async def apologies_fail(centre: Centre) -> None:
    async with centre.store.write() as session:
        await session.run(  # type: ignore[attr-defined]
            "UPDATE message SET state = 'failed' WHERE notice = 'late'"
        )


# ------------------------------------------------------------------------------------- daily list


@on_every_store
async def test_the_daily_list(centre: Centre) -> None:
    """On Monday: what is due today, on Wednesday (with the holiday before it), and on Thursday."""
    with_units(centre)
    for number, due in enumerate(
        ("2026-11-23 17:00", "2026-11-24 17:00", "2026-11-25 17:00", "2026-11-26 17:00",
         "2026-11-27 17:00"), start=1,
    ):  # fmt: skip
        await take(centre, number, due)
    assert await warned(centre, "2026-11-23 07:44") == []
    [row] = await warned(centre, "2026-11-23 07:45")
    assert told([row]) == [("staff_daily", "email:….vn")]
    assert named(row) == {code(number) for number in (1, 2, 3, 4)}
    assert row.lane is Lane.DEADLINE
    assert row.dossier is None


@on_every_store
async def test_each_unit_gets_its_own_list_once_a_day(centre: Centre) -> None:
    with_units(centre)
    await take(centre, 1, "2026-11-25 17:00")
    await take(centre, 2, "2026-11-25 17:00", unit=OTHER)
    first = await warned(centre, "2026-11-23 07:45")
    assert sorted(told(first)) == [("staff_daily", "email:….vn"), ("staff_daily", "sms:…802")]
    assert {frozenset(named(row)) for row in first} == {frozenset({code(1)}), frozenset({code(2)})}
    await centre.restart()
    assert len(await warned(centre, "2026-11-23 09:00")) == 2
    assert len(await warned(centre, "2026-11-24 08:00")) == 2  # the holiday
    lists = [row for row in await warned(centre, "2026-11-25 08:00") if row.notice == "staff_daily"]
    assert len(lists) == 4


async def test_where_nothing_is_due_nothing_is_said(centre: Centre) -> None:
    with_units(centre)
    await take(centre, 1, "2026-12-25 17:00")
    await take(centre, 2, "2026-11-25 17:00")
    await centre.push(event("stopped", number=2, at=START + 1))
    await take(centre, 3, "2026-11-25 17:00")
    await centre.push(event("finished", number=3, at=START + 1))
    assert await warned(centre, "2026-11-23 08:00") == []
    assert await centre.work() == []


@on_every_store
async def test_the_debts_stand_on_the_list_until_somebody_says_sorry(centre: Centre) -> None:
    with_units(centre)
    await take(centre, 1, "2026-11-20 16:00")
    await take(centre, 2, "2026-11-20 16:00", phone=LANDLINE)
    assert await warned(centre, "2026-11-20 16:30") != []
    daily = [row for row in await warned(centre, "2026-11-23 08:00") if row.notice == "staff_daily"]
    assert named(daily[-1]) == {code(2)}
    assert "chưa xin lỗi" in daily[-1].text


async def test_a_list_of_hundreds_fits_and_says_how_many(centre: Centre) -> None:
    with_units(centre)
    for number in range(1, 61):
        await take(centre, number, "2026-11-25 17:00", unit=OTHER)
        await take(centre, 100 + number, "2026-11-25 17:00")
    by_sms, by_mail = sorted(
        await warned(centre, "2026-11-23 08:00"), key=lambda row: row.to, reverse=True
    )
    assert by_sms.segments <= centre.installation.sms.most
    assert "co 60" in by_sms.text
    assert "khac" in by_sms.text
    assert "60 hồ sơ" in by_mail.text
    assert "và 10 hồ sơ khác" in by_mail.text


# -------------------------------------------------------------------------------------- last hours


@on_every_store
async def test_four_working_hours_before(centre: Centre) -> None:
    """Half past three and a half hours of the afternoon, and half an hour of the morning."""
    with_units(centre)
    await take(centre, 1, "2026-11-25 17:00")
    await take(centre, 2, "2026-11-25 17:00")
    await take(centre, 3, "2026-11-26 17:00")
    before = len(await warned(centre, "2026-11-25 10:29"))
    rows = await warned(centre, "2026-11-25 11:01")
    assert told(rows[before:]) == [("staff_soon", "email:….vn")]
    assert named(rows[-1]) == {code(1), code(2)}
    assert rows[-1].best_before == moment("2026-11-25 17:00")
    assert len(await warned(centre, "2026-11-25 16:59")) == before + 1


@on_every_store
async def test_what_comes_in_late_is_told_by_itself(centre: Centre) -> None:
    with_units(centre, warnings=Warnings(staff=(OFFICE,), days=()))
    await take(centre, 1, "2026-11-23 17:00")
    await warned(centre, "2026-11-23 15:00")
    await take(centre, 2, "2026-11-23 17:00", at=moment("2026-11-23 15:10"))
    rows = [row for row in await warned(centre, "2026-11-23 15:11") if row.notice == "staff_soon"]
    assert [named(row) for row in rows] == [{code(1)}, {code(2)}]


@on_every_store
async def test_a_new_date_is_warned_of_anew(centre: Centre) -> None:
    with_units(centre, warnings=Warnings(staff=(OFFICE,), days=()))
    await take(centre, 1, "2026-11-23 17:00")
    await warned(centre, "2026-11-23 15:00")
    await centre.push(event("corrected", at=centre.clock.now, due_at=moment("2026-11-25 17:00")))
    rows = [row for row in await warned(centre, "2026-11-25 15:00") if row.notice == "staff_soon"]
    assert [named(row) for row in rows] == [{code(1)}, {code(1)}]


async def test_two_processes_tell_it_once(centre: Centre) -> None:
    with_units(centre)
    for number in range(1, 6):
        await take(centre, number, "2026-11-23 17:00")
    centre.clock.now = moment("2026-11-23 15:00")
    other = centre.warn_by({"sms", "email"})
    await asyncio.gather(*(warn.sweep(centre.clock.now) for warn in (centre.warn, other)))
    rows = [row for row in await centre.outbox() if row.notice.startswith("staff_")]
    assert Counter(row.notice for row in rows) == {"staff_daily": 1, "staff_soon": 1}


# -------------------------------------------------------------------------------------- escalation

STEPS = Warnings(staff=(OFFICE,), leaders=(HEAD,), days=(), hours=())


def steps(rows: list[OutboxRow]) -> list[str]:
    return [row.to for row in rows if row.notice == "staff_late"]


@on_every_store
async def test_leaders_hear_of_what_nobody_sees_to(centre: Centre) -> None:
    """Due on Friday at five: eight working hours later it is Wednesday morning."""
    with_units(centre, warnings=STEPS)
    await take(centre, 1, "2026-11-20 17:00", phone=LANDLINE)
    assert steps(await warned(centre, "2026-11-23 16:00")) == []
    assert steps(await warned(centre, "2026-11-25 08:31")) == ["sms:…801"]
    await centre.restart()
    assert steps(await warned(centre, "2026-11-25 16:00")) == ["sms:…801"]
    rows = await warned(centre, "2026-11-27 09:00")
    assert steps(rows) == ["sms:…801", "email:….vn"]
    assert named(rows[-1]) == {code(1)}
    assert steps(await warned(centre, "2026-12-27 09:00")) == steps(rows)


@on_every_store
@pytest.mark.parametrize("act", ["apologised", "moved", "settled", "finished"])
async def test_who_acts_is_left_in_peace(centre: Centre, act: str) -> None:
    with_units(centre, warnings=STEPS)
    phone = PHONE if act == "apologised" else LANDLINE
    await take(centre, 1, "2026-11-20 17:00", phone=phone)
    await warned(centre, "2026-11-20 17:30")
    match act:
        case "moved":
            later = moment("2026-12-20 17:00")
            await centre.push(event("corrected", at=centre.clock.now, due_at=later))
        case "finished":
            await centre.push(event("finished", at=centre.clock.now))
        case "settled":
            async with centre.store.write() as session:
                keys = [item.key for item in await session.work() if item.dossier == code(1)]
                assert await session.settle_work(keys, "lan", centre.clock.now)
    assert steps(await warned(centre, "2026-12-11 09:00")) == []


async def test_a_failed_apology_is_none(centre: Centre) -> None:
    with_units(centre, warnings=STEPS)
    await take(centre, 1, "2026-11-20 17:00")
    await warned(centre, "2026-11-20 17:30")
    await apologies_fail(centre)
    assert steps(await warned(centre, "2026-11-25 08:31")) == ["sms:…801"]


async def test_what_was_settled_before_it_was_late_is_no_act(centre: Centre) -> None:
    with_units(centre, warnings=STEPS)
    await take(centre, 1, "2026-11-20 17:00", phone=LANDLINE)
    async with centre.store.write() as session:
        await session.add_work(
            [WorkItem(key="k", kind="unreachable", dossier=code(1), opened_at=START)]
        )
        await session.settle_work(["k"], "lan", moment("2026-11-20 16:00"))
    assert steps(await warned(centre, "2026-11-25 08:31")) == ["sms:…801"]


# ------------------------------------------------------------------------------ nobody to be told


@on_every_store
async def test_without_an_address_it_is_work(centre: Centre) -> None:
    with_units(centre, warnings=Warnings())
    await take(centre, 1, "2026-11-25 17:00", unit=OTHER, phone=LANDLINE)
    assert await warned(centre, "2026-11-23 08:00") == []
    kinds = Counter(item.kind for item in await centre.work())
    assert kinds["will_be_late"] == 1
    await warned(centre, "2026-11-25 08:00")
    [item] = [item for item in await centre.work() if item.kind == "will_be_late"]
    assert code(1) in item.detail  # today's; yesterday's was taken off
    assert str(moment("2026-11-25 00:00")) <= str(item.opened_at)
    assert await warned(centre, "2026-11-27 17:00") == []
    [late] = [item for item in await centre.work() if item.kind == "late_unattended"]
    assert late.dossier == code(1)


async def test_a_channel_without_a_way_out_is_no_address(centre: Centre) -> None:
    with_units(centre)
    centre.warn = centre.warn_by({"sms"})
    await take(centre, 1, "2026-11-25 17:00")
    assert await warned(centre, "2026-11-23 08:00") == []
    [item] = [item for item in await centre.work() if item.kind == "will_be_late"]
    assert "no way to them" in item.detail


async def test_staff_read_codes_and_no_person(centre: Centre) -> None:
    with_units(centre)
    await take(centre, 1, "2026-11-23 17:00", phone=LANDLINE)
    await take(centre, 2, "2026-11-23 17:00")
    await warned(centre, "2026-11-23 15:00")
    await apologies_fail(centre)
    rows = await warned(centre, "2026-11-26 15:00")
    assert {row.notice for row in rows} == {"staff_daily", "staff_soon", "staff_late"}
    items = [item.detail for item in await centre.work()]
    for text in [*(row.text for row in rows), *(row.key for row in rows), *items]:
        for secret in (NAME, PHONE, PHONE[3:], LANDLINE, "giam-doc", "mot-cua@"):
            assert secret not in text


# ------------------------------------------------------------------------------- a month of a unit


@on_every_store
async def test_a_month_of_a_unit_comes_out_exactly(centre: Centre) -> None:
    """Each working day of December two are due at five: one is finished a working day before.

    The other is finished at four; but those of Fridays a working day later, and who waits for them
    has no mobile, so that nobody says sorry and the leader hears of it.
    """
    with_units(centre, warnings=Warnings(staff=(OFFICE,), leaders=(HEAD,), escalate=(4 * HOUR,)))
    calendar = centre.installation.calendars["vn"]
    begins = moment("2026-11-30 00:00")
    days = [begins + day * DAY for day in range(32)]
    working = [day for day in days[1:] if calendar.is_working(instant.local_date(day))]
    fridays = [day for day in working if instant.local_date(day).weekday() == 4]
    assert (len(working), len(fridays)) == (23, 4)
    entered = moment("2026-11-27 16:30")
    centre.clock.now = entered
    for number, day in enumerate(working, start=1):
        due = day + 17 * HOUR
        phone = LANDLINE if day in fridays else PHONE
        await take(centre, number, due, at=entered)
        await take(centre, 50 + number, due, at=entered, phone=phone)
    for day in [*days, days[-1] + DAY]:
        for hour in (8, 9, 11, 14, 16):
            now = day + hour * HOUR
            centre.clock.now = now
            for number, due_day in enumerate(working, start=1):
                due_date = instant.local_date(due_day)
                if hour == 9 and instant.local_date(day) == calendar.before(due_date, 1):
                    await centre.push(event("finished", number=number, at=now))
                on_time = due_day not in fridays and hour == 16 and day == due_day
                too_late = (
                    due_day in fridays
                    and hour == 16
                    and (instant.local_date(day) == calendar.after(due_date, 1))
                )
                if on_time or too_late:
                    await centre.push(event("finished", number=50 + number, at=now))
            await warned(centre, f"{instant.local(now):%Y-%m-%d %H:%M}")
    rows = [row for row in await centre.outbox() if row.notice.startswith("staff_")]
    assert Counter(row.notice for row in rows) == {
        "staff_daily": 24,  # from the last of November on
        "staff_soon": 23,  # of each day what is finished in its afternoon, or later
        "staff_late": 4,
    }
    assert all(len(named(row)) == 1 for row in rows if row.notice != "staff_daily")
