"""What a citizen is told of every state, in what words, once a stay; and what nobody is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import DUE, LANDLINE, PHONE, Centre, code, event, inbound, moment, received
from doubles.gateway import ScriptedGateway
from engines import on_every_store

from notifier.domain import instant
from notifier.domain.consent import EVERYTHING, Refusal
from notifier.domain.message import Address
from notifier.domain.rules import TransitionRule
from notifier.flows.together import Together

if TYPE_CHECKING:
    from notifier.domain.instant import Instant
    from notifier.ports import OutboxRow

SECOND, MINUTE, HOUR, DAY = instant.SECOND, instant.MINUTE, instant.HOUR, instant.DAY
MONDAY = moment("2026-11-16 09:30")


async def hear(
    centre: Centre, what: str, when: Instant | str, *, number: int = 1, **carried: Any
) -> OutboxRow | None:
    """An event comes in the moment it happens; the newest message about the dossier."""
    at = moment(when) if isinstance(when, str) else when
    centre.clock.now = at
    await centre.push(event(what, at=at, number=number, **carried))
    rows = await centre.outbox(dossier=code(number))
    return rows[-1] if rows else None


async def take(centre: Centre, number: int = 1, **carried: Any) -> None:
    centre.clock.now = MONDAY
    await centre.push(received(number, at=MONDAY, **carried))


async def at(centre: Centre, when: Instant | str) -> list[str]:
    """Move the clock, sweep, and give every notice that there is by now."""
    centre.clock.now = moment(when) if isinstance(when, str) else when
    await centre.sweep()
    return await centre.notices()


# ------------------------------------------------------------------------------------- each state


async def test_what_was_filed_is_confirmed_and_then_received(centre: Centre) -> None:
    row = await hear(centre, "submitted", MONDAY, applicant_phone=PHONE)
    assert row
    assert (row.notice, row.state) == ("submitted", "queued")
    assert "dang cho tiep nhan" in row.text
    await hear(centre, "received", MONDAY + HOUR, due_at=DUE)
    states = {one.notice: one.state.value for one in await centre.outbox()}
    assert states == {"submitted": "superseded", "received": "queued"}


async def test_a_pause_is_told_with_its_own_reason(centre: Centre) -> None:
    await take(centre, reason="cho y kien")
    row = await hear(centre, "stopped", MONDAY + DAY)
    assert row
    assert row.notice == "paused"
    assert "Ly do" not in row.text  # an older event's reason is not that of the pause
    row = await hear(centre, "resumed", MONDAY + 2 * DAY)
    assert row
    assert row.notice == "resumed"
    assert "giai quyet tiep. Hen tra: 27/11/2026" in row.text
    row = await hear(centre, "stopped", MONDAY + 3 * DAY, reason="cho ket qua do dac")
    assert row
    assert "Ly do: cho ket qua do dac." in row.text
    assert [one.notice for one in await centre.outbox()] == [
        "received", "paused", "resumed", "paused",
    ]  # fmt: skip


async def test_after_a_supplement_the_limit_is_counted_anew(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "supplement-requested", MONDAY + DAY)
    row = await hear(centre, "supplemented", MONDAY + 2 * DAY)
    assert row
    assert row.notice == "supplemented"
    assert "Thoi han duoc tinh lai tu dau." in row.text
    assert "Hen tra" not in row.text  # the old date binds nobody
    await hear(centre, "supplement-requested", MONDAY + 3 * DAY)
    row = await hear(centre, "supplemented", MONDAY + 4 * DAY, due_at=DUE + 7 * DAY)
    assert row
    assert "Hen tra moi: 04/12/2026" in row.text


async def test_a_payment_lets_it_go_on(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "payment-requested", MONDAY + DAY)
    row = await hear(centre, "paid", MONDAY + 2 * DAY)
    assert row
    assert row.notice == "resumed"


async def test_a_refusal_says_why_and_a_withdrawal_is_confirmed(centre: Centre) -> None:
    await take(centre)
    row = await hear(centre, "refused", MONDAY + DAY, reason="khong thuoc tham quyen")
    assert row
    assert row.notice == "refused"
    assert "Ly do: khong thuoc tham quyen." in row.text
    assert "phieu tu choi" in row.text
    await take(centre, 2)
    row = await hear(centre, "withdrawn", MONDAY + DAY, number=2)
    assert row
    assert row.notice == "withdrawn"
    assert "theo yeu cau rut ho so" in row.text


@pytest.mark.parametrize(
    ("finished", "due", "early"),
    [
        ("2026-11-26 23:00", DUE, True),
        ("2026-11-27 08:00", DUE, False),  # the day itself is not ahead of time
        ("2026-11-26 08:00", None, False),
    ],
)
async def test_what_is_ahead_of_time_says_so(
    centre: Centre, finished: str, due: Instant | None, early: bool
) -> None:
    await take(centre, due_at=due)
    row = await hear(centre, "finished", finished)
    assert row
    assert ("truoc hen" in row.text) is early


@pytest.mark.parametrize(
    ("way", "ready", "gone"),
    [
        ("desk", "mang giay hen", "Da tra ket qua"),
        (None, "mang giay hen", "Da tra ket qua"),
        ("post", "qua buu dien", "qua buu dien"),
        ("online", "dichvucong.gov.vn", "truc tuyen"),
    ],
)
async def test_the_words_go_by_the_way_of_return(
    centre: Centre, way: str | None, ready: str, gone: str
) -> None:
    await take(centre)
    row = await hear(centre, "finished", MONDAY + DAY, return_by=way)
    assert row
    assert ready in row.text
    row = await hear(centre, "returned", MONDAY + 2 * DAY)
    assert row
    assert row.notice == "returned"
    assert gone in row.text


# ------------------------------------------------------------------------- passed within seconds


async def test_what_is_passed_within_seconds_is_not_told(centre: Centre) -> None:
    """Handed over at once: nobody is asked to come for it."""
    rules = tuple(
        replace(rule, wait=3 * SECOND) if isinstance(rule, TransitionRule) else rule
        for rule in centre.installation.rules.rules
    )
    centre.installation = replace(
        centre.installation, rules=replace(centre.installation.rules, rules=rules)
    )
    centre._make_flows()
    await take(centre)
    gateway = ScriptedGateway()
    dispatcher = centre.dispatcher(gateway)
    centre.clock.now = MONDAY + 3 * SECOND
    await centre.turn(dispatcher)
    await hear(centre, "finished", MONDAY + DAY)
    await centre.turn(dispatcher)
    await hear(centre, "returned", MONDAY + DAY + 2 * SECOND)
    centre.clock.now += 3 * SECOND
    await centre.turn(dispatcher)
    assert [sent.notice for sent in gateway.sent] == ["received", "returned"]
    await hear(centre, "reopened", MONDAY + 2 * DAY)
    await hear(centre, "finished", MONDAY + 3 * DAY)
    centre.clock.now += 3 * SECOND
    await centre.turn(dispatcher)
    assert [sent.notice for sent in gateway.sent][2:] == ["result_ready"]


@pytest.mark.parametrize(
    "what", ["submitted", "stopped", "refused", "withdrawn", "finished", "returned"]
)
async def test_old_history_tells_nobody_anything(centre: Centre, what: str) -> None:
    centre.clock.now = MONDAY
    await centre.push(event(what, at=MONDAY - DAY - 1, applicant_phone=PHONE))
    assert await at(centre, MONDAY + 60 * DAY) == []
    assert centre.rows("SELECT * FROM moment") == []


@on_every_store
async def test_a_push_again_tells_nobody_again(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "finished", MONDAY + DAY)
    said = await at(centre, MONDAY + 20 * DAY)
    centre.clock.now += HOUR
    await centre.push(
        event("finished", at=MONDAY + DAY, id="again"),
        event("finished", at=centre.clock.now, id="once more"),
    )
    assert await at(centre, centre.clock.now + HOUR) == said


# ---------------------------------------------------------------------------- states that last


@on_every_store
async def test_a_result_that_nobody_fetches(centre: Centre) -> None:
    """Finished on Monday: the next Monday, the Wednesday after the next, and after thirty days."""
    await take(centre)
    await hear(centre, "finished", MONDAY)
    assert "uncollected" not in await at(centre, "2026-11-23 08:59")
    for day, count in (
        ("2026-11-23 09:00", 1), ("2026-12-02 08:59", 1), ("2026-12-02 09:00", 2),
        ("2026-12-17 08:59", 2), ("2026-12-17 09:00", 3), ("2027-03-01 09:00", 3),
    ):  # fmt: skip
        await centre.restart()
        assert (await at(centre, day)).count("uncollected") == count
    assert centre.rows("SELECT * FROM moment") == []


@on_every_store
async def test_what_was_fetched_is_not_asked_for_again(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "finished", MONDAY)
    await at(centre, "2026-11-23 09:00")
    await hear(centre, "returned", "2026-11-25 10:00")
    said = await at(centre, "2027-01-31 09:00")
    assert said.count("uncollected") == 1
    row = next(row for row in await centre.outbox() if row.notice == "uncollected")
    assert row.state == "superseded"  # it had not left


@pytest.mark.parametrize("way", ["post", "online"])
async def test_who_need_not_come_is_not_asked_to(centre: Centre, way: str) -> None:
    await take(centre)
    await hear(centre, "finished", MONDAY, return_by=way)
    assert "uncollected" not in await at(centre, "2027-01-31 09:00")


async def test_after_a_stop_of_weeks_only_the_last_is_said(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "finished", MONDAY)
    assert (await at(centre, "2026-12-05 09:00")).count("uncollected") == 1
    [row] = [row for row in await centre.outbox() if row.notice == "uncollected"]
    assert "|collection|1.2|" in row.key


async def test_results_of_one_person_that_lie_there_are_one_message(centre: Centre) -> None:
    for number in (1, 2):
        await take(centre, number)
        await hear(centre, "finished", MONDAY + number, number=number)
    async with centre.store.write() as session:
        await session.run("DELETE FROM message")  # type: ignore[attr-defined]
    await at(centre, "2026-11-23 09:00")
    gateway = ScriptedGateway()
    await centre.turn(
        centre.dispatcher(gateway, together=Together(centre.installation, centre.composer))
    )
    [sent] = gateway.sent
    assert code(1) in sent.text
    assert code(2) in sent.text


# ------------------------------------------------------------------------------------- the rating


async def rated_by(centre: Centre, text: str) -> None:
    await centre.receive().accept([inbound(text, key=text)])


@on_every_store
async def test_the_rating_is_asked_for_once(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "finished", MONDAY)
    await hear(centre, "returned", MONDAY + HOUR)
    assert "rating" not in await at(centre, "2026-11-18 08:59")
    assert (await at(centre, "2026-11-18 09:00")).count("rating") == 1
    await hear(centre, "reopened", "2026-11-19 09:00")
    await hear(centre, "returned", "2026-11-20 09:00")
    assert (await at(centre, "2026-12-31 09:00")).count("rating") == 1


@on_every_store
async def test_who_has_rated_is_not_asked(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "returned", MONDAY)
    await rated_by(centre, "DG 5")
    assert "rating" not in await at(centre, "2026-12-31 09:00")


async def test_who_cannot_be_asked_to_rate_is_nobodys_work(centre: Centre) -> None:
    centre.clock.now = MONDAY
    await centre.push(received(at=MONDAY, phone=LANDLINE), event("returned", at=MONDAY + 1))
    before = await centre.work()
    assert "rating" not in await at(centre, "2026-12-31 09:00")
    assert await centre.work() == before


async def test_who_refuses_is_not_asked_to_rate(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "returned", MONDAY)
    assert "rating" in await at(centre, "2026-11-18 09:00")
    async with centre.store.write() as session:
        await session.run("DELETE FROM message WHERE notice <> 'rating'")  # type: ignore[attr-defined]
        refusal = Refusal(address=Address("sms", PHONE), scope=EVERYTHING, at=MONDAY, proof="in-1")
        await session.refuse([refusal])
    gateway = ScriptedGateway()
    await centre.turn(centre.dispatcher(gateway))
    assert gateway.sent == []
    assert {row.state.value for row in await centre.outbox()} == {"cancelled"}
