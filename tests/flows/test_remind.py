"""Due dates: a reminder before, one apology after, and nothing twice whatever happens meanwhile.

Tuesday 24 November 2026 is a holiday: the working day before Wednesday the 25th is Monday.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import DUE, LANDLINE, NOW, Centre, code, event, moment, received
from doubles.gateway import ScriptedGateway
from engines import on_every_store

from notifier.domain import deadline, instant
from notifier.domain.deadline import Moment
from notifier.domain.message import State
from notifier.flows.ingest import Fate

if TYPE_CHECKING:
    from notifier.domain.dossier import Dossier

MINUTE, HOUR, DAY = instant.MINUTE, instant.HOUR, instant.DAY
FRIDAY = moment("2026-11-20 09:00")


async def at(centre: Centre, when: str | int) -> list[str]:
    """Move the clock, sweep, and give every notice that there is by now."""
    centre.clock.now = when if isinstance(when, int) else moment(when)
    await centre.sweep()
    return await centre.notices()


async def hear(centre: Centre, what: str, when: int, **carried: Any) -> None:
    """An event comes in the moment it happens."""
    centre.clock.now = when
    [result] = await centre.push(event(what, at=when, **carried))
    assert result.fate is Fate.STORED


async def kinds(centre: Centre) -> list[str]:
    """What waits for people."""
    return [item.kind for item in await centre.work()]


async def take(centre: Centre, *, due_at: int = DUE, at: int = FRIDAY, number: int = 1) -> None:
    """A dossier is received; its notice of receipt is out of the way."""
    centre.clock.now = at
    await centre.push(received(number, at=at, due_at=due_at))
    async with centre.store.write() as session:
        await session.run("DELETE FROM message WHERE notice = 'received'")  # type: ignore[attr-defined]


# ----------------------------------------------------------------------------------------- before


@pytest.mark.parametrize(
    ("due", "before", "reminded"),
    [
        ("2026-11-27 17:00", "2026-11-26 08:29", "2026-11-26 08:30"),
        ("2026-11-25 17:00", "2026-11-23 08:29", "2026-11-23 08:30"),
        ("2026-11-30 09:00", "2026-11-27 08:29", "2026-11-27 08:30"),
    ],
    ids=["the day before", "over the holiday of 24/11", "over the weekend"],
)
async def test_the_working_day_before(centre: Centre, due: str, before: str, reminded: str) -> None:
    await take(centre, due_at=moment(due))
    assert await at(centre, before) == []
    assert await at(centre, reminded) == ["due_soon"]
    [row] = await centre.outbox()
    assert row.best_before == moment(due)
    assert instant.local(moment(due)).strftime("%d/%m/%Y") in row.text


async def test_nobody_is_reminded_of_what_was_filed_too_late_for_it(centre: Centre) -> None:
    """Received at nine for the next working day: the reminder's hour has passed."""
    await take(centre, at=NOW, due_at=moment("2026-11-25 17:00"))
    assert await at(centre, "2026-11-25 16:59") == []


@on_every_store
async def test_a_moved_due_date_is_reminded_of_again(centre: Centre) -> None:
    await take(centre, due_at=moment("2026-11-25 17:00"))
    assert await at(centre, "2026-11-23 08:30") == ["due_soon"]
    await hear(centre, "corrected", moment("2026-11-23 10:00"), due_at=DUE)
    assert await at(centre, "2026-11-25 17:01") == ["due_soon"]
    assert await at(centre, "2026-11-26 08:30") == ["due_soon", "due_soon"]
    assert len({row.key for row in await centre.outbox()}) == 2


async def test_a_due_date_moved_before_the_reminder_is_reminded_of_once(centre: Centre) -> None:
    await take(centre, due_at=moment("2026-11-25 17:00"))
    await hear(centre, "corrected", FRIDAY, due_at=DUE)
    assert await at(centre, "2026-11-23 08:30") == []
    assert await at(centre, "2026-11-26 08:30") == ["due_soon"]


# ------------------------------------------------------------------------------------------ after


@on_every_store
async def test_late_is_one_apology(centre: Centre) -> None:
    await take(centre)
    await at(centre, "2026-11-26 08:30")
    assert await at(centre, DUE + MINUTE - 1) == ["due_soon"]
    assert await at(centre, DUE + MINUTE) == ["due_soon", "late"]
    for day in range(1, 10):
        assert await at(centre, DUE + day * DAY) == ["due_soon", "late"]


@on_every_store
async def test_a_date_that_was_moved_and_moved_back_is_apologised_for_after_all(
    centre: Centre,
) -> None:
    """The apology waited while its date was moved, and was taken back; then its date was back."""
    await take(centre)
    for again in range(1, 3):
        await at(centre, DUE + 10 * again * MINUTE)
        await hear(centre, "corrected", DUE + (10 * again + 2) * MINUTE, due_at=DUE + 7 * DAY)
        await centre.turn(centre.dispatcher(ScriptedGateway()))
        await hear(centre, "corrected", DUE + (10 * again + 4) * MINUTE, due_at=DUE)
    gateway = ScriptedGateway()
    for _ in range(3):
        await at(centre, DUE + HOUR)
        await centre.turn(centre.dispatcher(gateway))
    late = [row for row in await centre.outbox() if row.notice == "late"]
    assert sorted(row.state for row in late) == [
        State.ACCEPTED,
        State.SUPERSEDED,
        State.SUPERSEDED,
    ]
    assert [sent.notice for sent in gateway.sent] == ["late"]


async def test_an_apology_at_night_waits_for_the_morning(centre: Centre) -> None:
    night = moment("2026-11-26 23:00")
    await take(centre, due_at=night)
    await at(centre, night + MINUTE)
    row = (await centre.outbox())[-1]
    assert (row.notice, row.not_before) == ("late", moment("2026-11-27 07:00"))


async def test_each_broken_promise_has_an_apology_of_its_own(centre: Centre) -> None:
    await take(centre)
    await at(centre, DUE + HOUR)
    later = DUE + 7 * DAY
    await hear(centre, "corrected", DUE + 2 * HOUR, due_at=later)
    assert (await at(centre, later + HOUR)).count("late") == 2


@pytest.mark.parametrize("end", ["finished", "returned", "withdrawn", "refused"])
async def test_what_ended_in_time_is_nothing_to_speak_of(centre: Centre, end: str) -> None:
    await take(centre)
    await hear(centre, end, FRIDAY + 1)
    said = await at(centre, DUE + DAY)
    assert "late" not in said
    assert "due_soon" not in said
    left = centre.rows("SELECT notice FROM moment")
    assert {notice for (notice,) in left} <= {"uncollected", "rating"}


async def test_who_cannot_be_reached_is_work_for_people(centre: Centre) -> None:
    centre.clock.now = FRIDAY
    await centre.push(received(at=FRIDAY, phone=LANDLINE))
    await at(centre, DUE + HOUR)
    assert await centre.outbox() == []
    assert [item.key.split("|")[2] for item in await centre.work()] == [
        "received",
        "apology",
    ]


# --------------------------------------------------------------------------- neither lost nor twice


async def test_sweeping_twice_says_nothing_twice(centre: Centre) -> None:
    await take(centre)
    for when in ("2026-11-26 08:30", "2026-11-26 08:30", "2026-11-26 08:31"):
        assert await at(centre, when) == ["due_soon"]
    assert await at(centre, DUE + MINUTE) == ["due_soon", "late"]
    assert await at(centre, DUE + MINUTE) == ["due_soon", "late"]


@on_every_store
async def test_a_restart_loses_and_repeats_nothing(centre: Centre) -> None:
    await take(centre)
    await centre.restart()
    assert await at(centre, "2026-11-26 08:30") == ["due_soon"]
    await centre.restart()
    assert await at(centre, "2026-11-26 08:30") == ["due_soon"]
    await centre.restart()
    assert await at(centre, DUE + HOUR) == ["due_soon", "late"]


async def test_after_a_pause_of_three_days_what_is_still_true_is_said_once(
    centre: Centre,
) -> None:
    """The reminder's day went by while nobody swept: the apology is what is left to say."""
    await take(centre, number=1, due_at=moment("2026-11-25 17:00"))
    await take(centre, number=2, due_at=moment("2026-11-27 17:00"))
    await centre.restart()
    await at(centre, "2026-11-26 09:00")
    assert {row.dossier: row.notice for row in await centre.outbox()} == {
        code(1): "late",
        code(2): "due_soon",
    }


@on_every_store
async def test_two_sweeps_at_once(centre: Centre) -> None:
    for number in range(1, 30):
        await take(centre, number=number)
    other = centre.another()
    await other.store.open()
    try:
        for when in (moment("2026-11-26 08:30"), DUE + MINUTE):
            centre.clock.now = when
            swept = await asyncio.gather(*(one.sweep() for one in (centre, other, centre, other)))
            assert sum(swept) == 29
    finally:
        await other.store.close()
    assert sorted(await centre.notices()) == ["due_soon"] * 29 + ["late"] * 29


async def test_a_sweep_that_fails_is_done_again(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifier.storage.sqlite.store import SqliteSession

    await take(centre)

    async def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteSession, "drop_moments", fail)
        with pytest.raises(OSError, match="disk is full"):
            await at(centre, "2026-11-26 08:30")
    assert await centre.outbox() == []
    assert await at(centre, "2026-11-26 08:30") == ["due_soon"]


async def test_a_sweep_does_all_that_is_due(centre: Centre) -> None:
    """More than one transaction's worth."""
    centre.clock.now = FRIDAY
    await centre.push(*(received(n, at=FRIDAY) for n in range(1, 502)))
    centre.clock.now = moment("2026-11-26 08:30")
    assert await centre.sweep() == 501
    assert centre.rung == 4
    assert (await centre.notices()).count("due_soon") == 501


async def test_a_moment_without_its_dossier_is_dropped(centre: Centre) -> None:
    await take(centre)
    async with centre.store.write() as session:
        await session.run("DELETE FROM dossier")  # type: ignore[attr-defined]
    assert await at(centre, DUE + HOUR) == []
    assert centre.rows("SELECT * FROM moment") == []


@pytest.mark.parametrize("why", ["the limit stands still", "the due date was another"])
async def test_a_moment_that_fits_no_longer_says_nothing(centre: Centre, why: str) -> None:
    """Whoever planned it: what the dossier says now decides."""
    await take(centre)
    due_at = DUE if why == "the limit stands still" else DUE - DAY
    if due_at == DUE:
        await hear(centre, "payment-requested", FRIDAY + 1)
    left = Moment(code=code(), notice="late", at=due_at + MINUTE, episode=deadline.episode(due_at))
    async with centre.store.write() as session:
        await session.plan_moments({code(): [left]})
    assert "late" not in await at(centre, DUE + HOUR)
    assert centre.rows("SELECT * FROM moment") == []


async def test_a_rule_that_was_dropped_says_nothing(centre: Centre) -> None:
    await take(centre)
    rules = centre.installation.rules
    kept = tuple(rule for rule in rules.rules if rule.notice != "due_soon")
    centre.installation = replace(centre.installation, rules=replace(rules, rules=kept))
    await centre.restart()
    assert await at(centre, "2026-11-26 08:30") == []
    assert await at(centre, DUE + MINUTE) == ["late"]


# ---------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize("pause", ["supplement-requested", "payment-requested", "stopped"])
async def test_while_the_limit_stands_still_nothing_is_due(centre: Centre, pause: str) -> None:
    await take(centre)
    await hear(centre, pause, FRIDAY + 1)
    before = await centre.notices()
    assert await at(centre, "2026-11-26 08:30") == before
    assert await at(centre, DUE + 10 * DAY) == before
    assert await kinds(centre) == []


@pytest.mark.parametrize(
    ("pause", "resume"), [("payment-requested", "paid"), ("stopped", "resumed")]
)
async def test_after_a_pause_the_same_due_date_counts_again(
    centre: Centre, pause: str, resume: str
) -> None:
    await take(centre)
    await hear(centre, pause, FRIDAY + 1)
    await hear(centre, resume, FRIDAY + 2)
    said = await at(centre, DUE + HOUR)
    assert said.count("late") == 1
    assert await kinds(centre) == []


async def test_after_a_supplement_the_old_due_date_is_a_matter_for_people(
    centre: Centre,
) -> None:
    """NĐ 61/2018 art 19(4): the limit starts from zero, so that the old date binds nobody."""
    await take(centre)
    await hear(centre, "supplement-requested", FRIDAY + 1)
    await hear(centre, "supplemented", FRIDAY + 2)
    said = await at(centre, DUE + HOUR)
    assert "late" not in said
    assert "due_soon" not in said
    assert await kinds(centre) == ["due_not_renewed_after_supplement"]
    await at(centre, DUE + DAY)
    assert len(await kinds(centre)) == 1


async def test_after_a_supplement_a_new_due_date_counts(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "supplement-requested", FRIDAY + 1)
    await hear(centre, "supplemented", FRIDAY + 2, due_at=DUE + 7 * DAY)
    assert "late" not in await at(centre, DUE + HOUR)
    assert (await at(centre, DUE + 7 * DAY + HOUR)).count("late") == 1
    assert await kinds(centre) == []


async def test_a_due_date_that_passed_in_a_pause_is_a_matter_for_people(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "payment-requested", FRIDAY + 1)
    await hear(centre, "paid", DUE + DAY)
    assert "late" not in await at(centre, DUE + 2 * DAY)
    assert await kinds(centre) == ["due_passed_while_the_limit_stood_still"]


async def test_what_was_apologised_for_before_a_pause_is_not_again(centre: Centre) -> None:
    await take(centre)
    assert (await at(centre, DUE + HOUR)).count("late") == 1
    await hear(centre, "stopped", DUE + 2 * HOUR)
    await hear(centre, "resumed", DUE + 3 * HOUR)
    assert (await at(centre, DUE + DAY)).count("late") == 1
    assert await kinds(centre) == []


async def test_a_finished_dossier_that_is_reopened_is_due_again(centre: Centre) -> None:
    await take(centre)
    await hear(centre, "finished", FRIDAY + 1)
    await hear(centre, "reopened", FRIDAY + 2)
    assert (await at(centre, "2026-11-26 08:30")).count("due_soon") == 1


async def test_the_moments_of_a_dossier_are_those_of_its_due_date(centre: Centre) -> None:
    await take(centre)
    held: Dossier | None = await centre.dossier()
    assert held
    assert held.facts.due_at == DUE
    assert centre.rows("SELECT notice, at FROM moment ORDER BY at") == [
        ("due_soon", moment("2026-11-26 08:30")),
        ("late", DUE + MINUTE),
    ]
