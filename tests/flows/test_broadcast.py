"""A notice to a list: counted, approved by a second person, handed out in slices, once each."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import NOW, Centre, message, moment, number_of
from doubles.gateway import ScriptedGateway

from notifier.domain import audience, instant
from notifier.domain.audience import Recipient, RowFault
from notifier.domain.broadcast import BroadcastState
from notifier.domain.consent import EVERYTHING, Refusal
from notifier.domain.message import Address, Lane, State
from notifier.domain.outcome import Temporary
from notifier.errors import InputError, NotAllowedError
from notifier.flows import last_look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notifier.flows.broadcast import Broadcasting, Reading

TEMPLATE = "{{ office }}: Kinh gui {{ ten }}, ngay 24/11 nghi le."


def rows(count: int, *, start: int = 0) -> list[dict[str, str]]:
    """The lines of a list, each with a number of its own."""
    return [{"ten": f"Ong/Ba {n}", "sdt": number_of(n)} for n in range(start, start + count)]


async def draft(
    centre: Centre,
    lines: Iterable[dict[str, str]] = (),
    *,
    template: str = TEMPLATE,
    author: str = "An",
    keep_accents: bool = False,
) -> Reading:
    read = audience.read(lines or rows(5), "sdt")
    return await centre.broadcasting.new(
        read, title="Nghỉ lễ", template=template, author=author, keep_accents=keep_accents
    )


async def started(
    centre: Centre, count: int = 5, *, slice_size: int = 500
) -> tuple[str, Broadcasting]:
    """A broadcast to ``count`` people, approved by another person and started."""
    id_ = (await draft(centre, rows(count))).broadcast.id
    broadcasting = centre.broadcasting_by(slice_size)
    await broadcasting.act(id_, "approve", "Bình")
    await broadcasting.act(id_, "start", "Bình")
    return id_, broadcasting


async def state_of(centre: Centre, id_: str) -> BroadcastState:
    return (await centre.broadcasting.status(id_)).broadcast.state


async def refuse(centre: Centre, person: int, scope: str = EVERYTHING) -> None:
    """A person of the list says stop."""
    address = Address("sms", number_of(person))
    async with centre.store.write() as session:
        await session.refuse([Refusal(address=address, scope=scope, at=NOW, proof="desk")])


# ------------------------------------------------------------------------------------ reading it


async def test_a_list_is_read_counted_and_kept(centre: Centre) -> None:
    told: list[int] = []
    reading = await centre.broadcasting.new(
        audience.read(rows(2_500), "sdt"),
        title="Nghỉ lễ",
        template=TEMPLATE,
        author=" An ",
        progress=told.append,
    )
    found = reading.broadcast
    assert (found.state, found.author, found.created_at) == (BroadcastState.DRAFT, "An", NOW)
    assert (found.recipients, found.segments, found.refused, found.faults) == (2_500, 2_500, 0, 0)
    assert reading.faults == ()
    assert told == [1_000, 1_000, 500]
    assert (await centre.broadcasting.status(found.id)).broadcast == found
    assert await centre.outbox() == [], "nothing leaves that nobody has approved"


async def test_who_is_left_out_is_counted_and_named_by_row(centre: Centre) -> None:
    await refuse(centre, 0)
    await refuse(centre, 1, scope="H19.45-261118-0001")
    lines = [
        *rows(3),  # rows 2 to 4: one refuses all, one refuses only a dossier
        {"ten": "x", "sdt": number_of(2)},
        {"ten": "x", "sdt": "02513000000"},
        {"ten": "x", "sdt": "khong co"},
        {"ten": "x", "sdt": ""},
        {"sdt": number_of(9)},
    ]
    reading = await draft(centre, lines)
    found = reading.broadcast
    assert (found.recipients, found.refused, found.faults) == (2, 1, 5)
    assert found.segments == 2, "only what will be sent is paid for"
    assert sorted(fault.row for fault in reading.faults) == [5, 6, 7, 8, 9]
    assert "row 4" in next(fault.problem for fault in reading.faults if fault.row == 5)
    assert "ten" in next(fault.problem for fault in reading.faults if fault.row == 9)
    shown = repr(reading) + str(reading.faults)
    assert not any(number[3:] in shown for number in (number_of(2), "02513000000"))


async def test_a_double_far_away_is_found(centre: Centre) -> None:
    lines = [*rows(1_500), *rows(1)]
    reading = await draft(centre, lines)
    assert (reading.broadcast.recipients, reading.broadcast.faults) == (1_500, 1)


async def test_the_price_counts_the_letters_it_will_have(centre: Centre) -> None:
    accents = "{{ office }}: Kính gửi {{ ten }}, ngày 24/11 nghỉ lễ. Trân trọng cảm ơn Ông/Bà."
    plain = await draft(centre, rows(3), template=accents)
    centre.clock.now += 1
    kept = await draft(centre, rows(3), template=accents, keep_accents=True)
    assert (plain.broadcast.segments, kept.broadcast.segments) == (3, 6)
    shown = await centre.broadcasting.preview(kept.broadcast.id)
    assert "Kính gửi" in shown.texts[0][1].text


@pytest.mark.parametrize(
    ("template", "lines", "why"),
    [
        ("{{ khong_co }}", rows(2), "khong_co"),
        ("{% if %}", rows(2), "template"),
        ("   ", rows(2), "empty"),
        ("x" * 500, rows(2), "SMS"),
        (TEMPLATE, [{"ten": "x", "sdt": "?"}], "row 2"),
    ],
    ids=["an unknown field", "no template", "no text", "too long", "no numbers"],
)
async def test_a_list_nobody_can_be_written_to_from(
    centre: Centre, template: str, lines: list[dict[str, str]], why: str
) -> None:
    with pytest.raises(InputError, match=why):
        await draft(centre, lines, template=template)
    async with centre.store.read() as session:
        assert await session.broadcasts() == []


async def test_the_preview_masks_the_numbers(centre: Centre) -> None:
    id_ = (await draft(centre)).broadcast.id
    shown = await centre.broadcasting.preview(id_)
    assert len(shown.texts) == 3
    assert [text.text for _, text in shown.texts] == [
        f"TTPVHCC: Kinh gui Ong/Ba {n}, ngay 24/11 nghi le." for n in range(3)
    ]
    assert not [to for to, _ in shown.texts if number_of(0)[:8] in to]


async def test_an_unknown_one_is_refused(centre: Centre) -> None:
    for look in (centre.broadcasting.status, centre.broadcasting.preview):
        with pytest.raises(InputError, match="no broadcast"):
            await look("none")


# ---------------------------------------------------------------------------- who may do what, when


async def test_another_person_has_to_approve(centre: Centre) -> None:
    id_ = (await draft(centre, author="An")).broadcast.id
    for author in ("An", " an ", "AN", ""):
        with pytest.raises(NotAllowedError):
            await centre.broadcasting.act(id_, "approve", author)
    assert await state_of(centre, id_) is BroadcastState.DRAFT
    standing = await centre.broadcasting.act(id_, "approve", "Bình")
    assert standing.broadcast.approver == "Bình"


async def test_nothing_starts_that_is_not_approved(centre: Centre) -> None:
    id_ = (await draft(centre)).broadcast.id
    with pytest.raises(NotAllowedError, match="approved"):
        await centre.broadcasting.act(id_, "start", "Bình")
    assert await centre.broadcasting.sweep(centre.clock.now) == 0


async def test_an_author_has_a_name(centre: Centre) -> None:
    with pytest.raises(NotAllowedError, match="author"):
        await draft(centre, author="  ")


@pytest.mark.parametrize("end", ["abort", "finish"])
async def test_what_has_ended_does_not_start_again(centre: Centre, end: str) -> None:
    id_, broadcasting = await started(centre)
    if end == "abort":
        await broadcasting.act(id_, "abort", "An")
    else:
        await broadcasting.sweep(centre.clock.now)
        await centre.turn(centre.dispatcher(ScriptedGateway()))
        await broadcasting.sweep(centre.clock.now)
    for act in ("approve", "start", "pause", "abort"):
        with pytest.raises(NotAllowedError):
            await broadcasting.act(id_, act, "Cúc")


async def test_who_did_what_is_on_record(centre: Centre) -> None:
    id_, broadcasting = await started(centre)
    await broadcasting.act(id_, "pause", "Cúc")
    await broadcasting.act(id_, "abort", "An")
    assert centre.rows("SELECT act, by FROM broadcast_act ORDER BY rowid") == [
        ("approve", "Bình"),
        ("start", "Bình"),
        ("pause", "Cúc"),
        ("abort", "An"),
    ]


async def test_two_approvals_at_once_are_one(centre: Centre) -> None:
    id_ = (await draft(centre)).broadcast.id
    results = await asyncio.gather(
        *(centre.broadcasting.act(id_, "approve", by) for by in ("Bình", "Cúc")),
        return_exceptions=True,
    )
    assert Counter(isinstance(result, NotAllowedError) for result in results) == {
        True: 1,
        False: 1,
    }


# ----------------------------------------------------------------------------------- handing it out


async def test_everybody_gets_it_once_and_then_it_is_done(centre: Centre) -> None:
    id_, broadcasting = await started(centre, 23, slice_size=10)
    gateway = ScriptedGateway()
    dispatcher = centre.dispatcher(gateway)
    released = []
    while await state_of(centre, id_) is BroadcastState.RUNNING:
        released.append(await broadcasting.sweep(centre.clock.now))
        await centre.turn(dispatcher)
    assert released == [10, 10, 3, 0]
    assert Counter(sent.address.value for sent in gateway.sent) == {
        number_of(n): 1 for n in range(23)
    }
    assert {sent.lane for sent in gateway.sent} == {Lane.BULK}
    standing = await broadcasting.status(id_)
    assert (standing.broadcast.state, standing.broadcast.released) == (BroadcastState.DONE, 23)
    assert standing.messages == {State.ACCEPTED: 23}


async def test_no_more_than_a_slice_waits_in_the_outbox(centre: Centre) -> None:
    _, broadcasting = await started(centre, 30, slice_size=8)
    for _ in range(3):
        await broadcasting.sweep(centre.clock.now)
        assert len(await centre.outbox(state=State.QUEUED)) == 8
    await centre.turn(centre.dispatcher(ScriptedGateway(window=2), rate=5))
    left = 8 - len(await centre.outbox(state=State.QUEUED))
    assert left == 5
    assert await broadcasting.sweep(centre.clock.now) == left
    assert len(await centre.outbox(state=State.QUEUED)) == 8


async def test_what_is_tried_again_keeps_it_open(centre: Centre) -> None:
    id_, broadcasting = await started(centre, 1)
    await broadcasting.sweep(centre.clock.now)
    await centre.turn(centre.dispatcher(ScriptedGateway(Temporary(code="busy"))))
    await broadcasting.sweep(centre.clock.now)
    assert await state_of(centre, id_) is BroadcastState.RUNNING


async def test_two_sweeps_at_once_hand_out_one_slice(centre: Centre) -> None:
    _, broadcasting = await started(centre, 30, slice_size=10)
    other = centre.another()
    await other.store.open()
    try:
        released = await asyncio.gather(
            *(one.sweep(centre.clock.now) for one in (broadcasting, other.broadcasting_by(10)) * 3)
        )
    finally:
        await other.store.close()
    assert sum(released) == 10
    assert len({row.key for row in await centre.outbox()}) == 10


async def test_a_restart_in_the_middle_loses_and_doubles_nobody(centre: Centre) -> None:
    id_, _ = await started(centre, 25, slice_size=10)
    gateway = ScriptedGateway()
    while await state_of(centre, id_) is BroadcastState.RUNNING:
        await centre.restart()
        await centre.broadcasting_by(10).sweep(centre.clock.now)
        await centre.restart()
        await centre.turn(centre.dispatcher(gateway))
    assert Counter(sent.address.value for sent in gateway.sent) == {
        number_of(n): 1 for n in range(25)
    }


async def test_a_slice_that_fails_is_handed_out_again_whole(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifier.storage.sqlite.store import SqliteSession

    id_, broadcasting = await started(centre, 5)

    async def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteSession, "release_recipients", fail)
        with pytest.raises(OSError, match="disk is full"):
            await broadcasting.sweep(centre.clock.now)
    assert await centre.outbox() == []
    assert await broadcasting.sweep(centre.clock.now) == 5
    assert (await broadcasting.status(id_)).broadcast.released == 5


async def test_rows_that_can_t_be_written_any_more_hold_up_nobody(centre: Centre) -> None:
    """A limit that was lowered after the list was read, or a template's part that is gone."""
    lines = rows(12)
    lines[4]["ten"] = lines[9]["ten"] = "Ong/Ba " * 40
    id_ = (await draft(centre, lines, template="Kinh gui {{ ten }}.")).broadcast.id
    await centre.broadcasting.act(id_, "approve", "Bình")
    await centre.broadcasting.act(id_, "start", "Bình")
    centre.composer._installation = replace(
        centre.installation, sms=replace(centre.installation.sms, most=1)
    )
    broadcasting = centre.broadcasting_by(4)
    gateway = ScriptedGateway()
    while await state_of(centre, id_) is BroadcastState.RUNNING:
        await broadcasting.sweep(centre.clock.now)
        await centre.turn(centre.dispatcher(gateway))
    assert len(gateway.sent) == 10
    work = {item.key.rpartition("|")[2]: item.detail for item in await centre.work()}
    assert set(work) == {"6", "11"}
    assert all(f"rows {row}: the text takes 2 SMS" in detail for row, detail in work.items())
    assert (await broadcasting.status(id_)).broadcast.released == 10


async def test_two_broadcasts_to_the_same_people_are_two(centre: Centre) -> None:
    await started(centre, 3)
    centre.clock.now += 1
    await started(centre, 3)
    assert await centre.broadcasting.sweep(centre.clock.now) == 6


async def test_who_refuses_after_the_list_was_read_is_not_written_to(centre: Centre) -> None:
    id_, broadcasting = await started(centre, 3)
    await refuse(centre, 1)
    await broadcasting.sweep(centre.clock.now)
    gateway = ScriptedGateway()
    await centre.turn(centre.dispatcher(gateway))
    assert {sent.address.value for sent in gateway.sent} == {number_of(0), number_of(2)}
    standing = await broadcasting.status(id_)
    assert standing.messages == {State.ACCEPTED: 2, State.CANCELLED: 1}


async def test_in_its_quiet_hours_it_waits_and_is_not_done(centre: Centre) -> None:
    id_, broadcasting = await started(centre, 3)
    centre.clock.now = moment("2026-11-23 21:45")
    await broadcasting.sweep(centre.clock.now)
    gateway = ScriptedGateway()
    await centre.turn(centre.dispatcher(gateway))
    await broadcasting.sweep(centre.clock.now)
    assert (gateway.sent, await state_of(centre, id_)) == ([], BroadcastState.RUNNING)
    centre.clock.now = moment("2026-11-24 07:00")
    await centre.turn(centre.dispatcher(gateway))
    assert len(gateway.sent) == 3


# ---------------------------------------------------------------------------- pause, resume, abort


async def test_paused_nothing_leaves_and_resumed_all_the_rest_does(centre: Centre) -> None:
    id_, broadcasting = await started(centre, 20, slice_size=8)
    await broadcasting.sweep(centre.clock.now)
    gateway = ScriptedGateway()
    dispatcher = centre.dispatcher(gateway, rate=3)
    await centre.turn(dispatcher)
    sent_before = len(gateway.sent)
    assert 0 < sent_before < 8
    await broadcasting.act(id_, "pause", "Cúc")
    for _ in range(5):
        centre.clock.now += instant.MINUTE
        assert await broadcasting.sweep(centre.clock.now) == 0
        await centre.turn(dispatcher)
    assert len(gateway.sent) == sent_before
    await broadcasting.act(id_, "start", "Bình")
    while await state_of(centre, id_) is BroadcastState.RUNNING:
        centre.clock.now += instant.MINUTE
        await broadcasting.sweep(centre.clock.now)
        await centre.turn(dispatcher)
    assert Counter(sent.address.value for sent in gateway.sent) == {
        number_of(n): 1 for n in range(20)
    }


async def test_a_pause_takes_nothing_of_its_time_to_live(centre: Centre) -> None:
    id_, broadcasting = await started(centre, 1)
    await broadcasting.sweep(centre.clock.now)
    [row] = await centre.outbox()
    lives = row.best_before - row.not_before
    await broadcasting.act(id_, "pause", "Cúc")
    for _ in range(3):
        await centre.turn(centre.dispatcher(ScriptedGateway()))
        [row] = await centre.outbox()
        assert row.not_before == centre.clock.now + last_look.PAUSED_LOOK
        assert row.best_before - row.not_before == lives
        centre.clock.now = row.not_before


async def test_aborted_what_is_queued_is_cancelled_and_no_more_comes(centre: Centre) -> None:
    id_, broadcasting = await started(centre, 20, slice_size=8)
    await broadcasting.sweep(centre.clock.now)
    gateway = ScriptedGateway()
    dispatcher = centre.dispatcher(gateway, rate=3)
    await centre.turn(dispatcher)
    standing = await broadcasting.act(id_, "abort", "An")
    assert standing.broadcast.state is BroadcastState.ABORTED
    assert standing.messages == {State.ACCEPTED: 3, State.CANCELLED: 5}
    centre.clock.now += instant.MINUTE
    assert await broadcasting.sweep(centre.clock.now) == 0
    await centre.turn(dispatcher)
    assert len(gateway.sent) == 3


async def test_a_slice_that_was_on_its_way_when_it_was_aborted_never_leaves(
    centre: Centre,
) -> None:
    id_, broadcasting = await started(centre, 3)
    await broadcasting.act(id_, "abort", "An")
    await centre.queue(message("stray", lane=Lane.BULK, broadcast=id_))
    gateway = ScriptedGateway()
    await centre.turn(centre.dispatcher(gateway))
    assert gateway.sent == []
    assert await centre.states() == {"stray": "cancelled"}


def test_the_rows_of_these_lists_are_real() -> None:
    """The builders' numbers are read as the lists' own, in order from row 2."""
    read = list(audience.read([*rows(2), {"sdt": "x"}], "sdt"))
    assert [type(row) for row in read] == [Recipient, Recipient, RowFault]
    assert [row.row for row in read] == [2, 3, 4]
