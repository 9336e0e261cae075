"""A citizen asks: the question is kept and answered once, and "stop" is heeded with its proof."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from builders import (
    AGENT_PHONE,
    DUE,
    GATEWAY,
    NAME,
    NOW,
    PHONE,
    Centre,
    code,
    event,
    inbound,
    number_of,
    received,
)
from doubles.gateway import ScriptedGateway
from engines import on_every_store

from notifier.domain import instant
from notifier.domain.dossier import SupplementRequest
from notifier.domain.message import Address, Lane, State

if TYPE_CHECKING:
    from notifier.domain.message import Inbound
    from notifier.ports import OutboxRow

MINUTE, HOUR, DAY = instant.MINUTE, instant.HOUR, instant.DAY
STRANGER = "sms:+84912999999"


@pytest.fixture
async def centre(centre: Centre) -> Centre:
    """With one dossier, whose notice of receipt has left."""
    await centre.push(received(procedure_name="Đăng ký biến động"))
    await centre.turn(centre.dispatcher(ScriptedGateway()))
    return centre


async def ask(centre: Centre, *texts: Inbound) -> list[OutboxRow]:
    """The texts come in by one gateway; all the answers that there are, oldest first."""
    await centre.receive().accept(texts)
    return await answers(centre)


async def answers(centre: Centre) -> list[OutboxRow]:
    return [row for row in await centre.outbox() if row.lane is Lane.ANSWER]


async def said_to(centre: Centre, key: str) -> str:
    """The words of the answer to the text of ``key``."""
    return (await centre.row(f"answer|{GATEWAY}|{key}")).text


async def finish(centre: Centre, number: int = 1) -> None:
    """The dossier's result is there, and the applicant would be told."""
    centre.clock.now += MINUTE
    await centre.push(event("finished", number=number, at=centre.clock.now))


# ------------------------------------------------------------------------------------- an answer


@on_every_store
async def test_a_question_and_its_answer_land_together(centre: Centre) -> None:
    rung = centre.rung
    [answer] = await ask(centre, inbound(f"HS {code()}"))
    assert answer.key == f"answer|{GATEWAY}|in-1"
    assert (answer.state, answer.not_before) == (State.QUEUED, NOW)
    assert answer.best_before == NOW + 6 * HOUR
    assert answer.to == Address("sms", PHONE).masked
    assert code() in answer.text
    assert "da duoc tiep nhan" in answer.text
    assert centre.rows("SELECT gateway, key, intent, guesses FROM inbound") == [
        (GATEWAY, "in-1", "STATUS", 0)
    ]
    assert centre.rung == rung + 1


@pytest.mark.parametrize("act", ["add_inbound", "add_messages"])
async def test_or_neither_does_and_the_provider_is_not_told(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    from notifier.storage.sqlite.store import SqliteSession

    async def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteSession, act, fail)
        with pytest.raises(OSError, match="disk is full"):
            await ask(centre, inbound(f"HS {code()}"))
    assert await answers(centre) == []
    assert centre.rows("SELECT * FROM inbound") == []
    assert len(await ask(centre, inbound(f"HS {code()}"))) == 1


@on_every_store
async def test_a_doubled_question_is_answered_once(centre: Centre) -> None:
    question = inbound(f"HS {code()}")
    assert len(await ask(centre, question, question)) == 1
    assert len(await ask(centre, question)) == 1
    await asyncio.gather(*(centre.receive().accept([question]) for _ in range(5)))
    assert len(await answers(centre)) == 1


async def test_the_same_words_again_are_another_question(centre: Centre) -> None:
    assert len(await ask(centre, inbound("HD", key="1"), inbound("HD", key="2"))) == 2


async def test_a_key_belongs_to_its_gateway(centre: Centre) -> None:
    await centre.receive("one").accept([inbound("HD", key="7")])
    await centre.receive("two").accept([inbound("HD", key="7")])
    assert len(await answers(centre)) == 2


async def test_every_text_is_answered(centre: Centre) -> None:
    texts = ["", "?", "xin chào", "asdf", "🎉", "rút hồ sơ", "HS", f"{code()} {code(2)} {code(3)}"]
    people = [f"sms:{number_of(n)}" for n in range(len(texts))]
    asked = zip(texts, people, strict=True)
    await ask(centre, *(inbound(text, key=who, sender=who) for text, who in asked))
    await centre.wait_for_rest()
    rows = await answers(centre)
    assert len(rows) == len(texts)
    assert all(row.text for row in rows)


async def test_one_that_cannot_be_worded_is_kept_and_goes_to_people(centre: Centre) -> None:
    papers = tuple(SupplementRequest(what=f"Giấy tờ thứ {n} " + "x" * 90) for n in range(9))
    centre.clock.now += MINUTE
    await centre.push(event("supplement-requested", at=centre.clock.now, supplement=papers))
    assert len(await ask(centre, inbound(f"HS {code()}"), inbound("HD", key="in-2"))) == 1
    [item] = [item for item in await centre.work() if item.kind == "not_answered"]
    assert PHONE[3:] not in repr(item)
    assert len(centre.rows("SELECT * FROM inbound")) == 2


async def test_an_answer_comes_at_night(centre: Centre) -> None:
    centre.clock.now = NOW + 14 * HOUR
    await ask(centre, inbound(f"HS {code()}"))
    gateway = ScriptedGateway()
    await centre.turn(centre.dispatcher(gateway))
    assert len(gateway.sent) == 1


async def test_an_english_question_is_answered_in_english(centre: Centre) -> None:
    [answer] = await ask(centre, inbound(f"What is the status of {code()} please"))
    assert "accepted" in answer.text


# --------------------------------------------------------------------------------- what is told


async def test_what_the_owner_hears_and_a_stranger_does_not(centre: Centre) -> None:
    centre.clock.now += MINUTE
    await centre.push(
        event(
            "supplement-requested",
            at=centre.clock.now,
            supplement=(SupplementRequest(what="Bản vẽ"),),
        )
    )
    question = f"HS {code()}"
    await ask(centre, inbound(question, key="own"))
    await ask(centre, inbound(question, key="strange", sender=STRANGER))
    own, strange = await said_to(centre, "own"), await said_to(centre, "strange")
    assert "Ban ve" in own
    assert "Ban ve" not in strange
    assert "cho bo sung" in own
    assert "cho bo sung" in strange
    assert not [text for text in (own, strange) if "Thu Nghiem" in text or NAME in text]


async def test_the_agent_is_an_owner_too(centre: Centre) -> None:
    await centre.push(received(2, agent_phone=AGENT_PHONE))
    await ask(centre, inbound(f"HS {code(2)}", sender=f"sms:{AGENT_PHONE}"))
    assert centre.rows("SELECT guesses FROM inbound") == [(0,)]


@on_every_store
async def test_past_the_guessing_limit_a_code_is_as_good_as_unknown(centre: Centre) -> None:
    """Ten codes of others in ten minutes; after that nothing tells one that exists."""
    for number in range(2, 12):
        await ask(centre, inbound(f"HS {code(number)}", key=str(number), sender=STRANGER))
    await ask(
        centre,
        inbound(f"HS {code(1)}", key="exists", sender=STRANGER),
        inbound(f"HS {code(99)}", key="does not", sender=STRANGER),
    )
    exists, does_not = await said_to(centre, "exists"), await said_to(centre, "does not")
    assert exists.replace(code(1), code(99)) == does_not


async def test_before_the_limit_it_is_told(centre: Centre) -> None:
    for number in range(2, 11):
        await ask(centre, inbound(f"HS {code(number)}", key=str(number), sender=STRANGER))
    await ask(centre, inbound(f"HS {code()}", key="tenth", sender=STRANGER))
    assert "da duoc tiep nhan" in await said_to(centre, "tenth")


async def test_the_questions_of_one_request_count_too(centre: Centre) -> None:
    many = [inbound(f"HS {code(n)}", key=f"{n:02}", sender=STRANGER) for n in range(2, 12)]
    await ask(centre, *many, inbound(f"HS {code()}", key="last", sender=STRANGER))
    assert "da duoc tiep nhan" not in await said_to(centre, "last")


async def test_the_limit_is_one_senders_and_passes(centre: Centre) -> None:
    for number in range(2, 12):
        await ask(centre, inbound(f"HS {code(number)}", key=str(number), sender=STRANGER))
    other = f"sms:{number_of(7)}"
    await ask(centre, inbound(f"HS {code()}", key="another", sender=other))
    assert "da duoc tiep nhan" in await said_to(centre, "another")
    centre.clock.now += 10 * MINUTE
    await ask(centre, inbound(f"HS {code()}", key="later", sender=STRANGER))
    assert "da duoc tiep nhan" in await said_to(centre, "later")


async def test_the_owner_is_never_guessing(centre: Centre) -> None:
    for number in range(2, 20):
        await ask(centre, inbound(f"HS {code(number)}", key=str(number)))
    await ask(centre, inbound(f"HS {code()}", key="own"))
    assert "da duoc tiep nhan" in await said_to(centre, "own")


# --------------------------------------------------------------------------------- stop and start


@on_every_store
async def test_stop_is_heeded_with_its_proof(centre: Centre) -> None:
    [confirmation] = await ask(centre, inbound("TC", key="stop-1"))
    assert "dung gui tin" in confirmation.text
    assert centre.rows("SELECT scope, proof, ended_at FROM refusal") == [
        ("", f"{GATEWAY}|stop-1", None)
    ]
    await finish(centre)
    gateway = ScriptedGateway()
    await centre.turn(centre.dispatcher(gateway))
    assert gateway.keys == [f"answer|{GATEWAY}|stop-1"]
    row = await centre.row(f"{code()}|result|1|applicant")
    assert (row.state, row.reason) == (State.CANCELLED, "the recipient refuses")


async def test_stop_cancels_what_was_queued_before_it(centre: Centre) -> None:
    await finish(centre)
    await ask(centre, inbound("TC"))
    gateway = ScriptedGateway()
    await centre.turn(centre.dispatcher(gateway))
    assert gateway.keys == [f"answer|{GATEWAY}|in-1"]


async def test_a_doubled_stop_is_confirmed_once_and_proved_by_the_first(centre: Centre) -> None:
    await ask(centre, inbound("TC", key="1"), inbound("TC", key="1"))
    assert len(await answers(centre)) == 1
    await ask(centre, inbound("TC", key="2"))
    assert centre.rows("SELECT proof FROM refusal") == [(f"{GATEWAY}|1",)]


async def test_who_stopped_is_still_answered(centre: Centre) -> None:
    await ask(centre, inbound("TC", key="1"), inbound(f"HS {code()}", key="2"))
    assert "da duoc tiep nhan" in await said_to(centre, "2")
    await centre.turn(centre.dispatcher(ScriptedGateway()))
    assert {row.state for row in await answers(centre)} == {State.ACCEPTED}


async def test_stop_is_one_persons(centre: Centre) -> None:
    await centre.push(received(2, phone=number_of(2)))
    await ask(centre, inbound("TC", sender=STRANGER))
    gateway = ScriptedGateway()
    await centre.turn(centre.dispatcher(gateway))
    assert f"{code(2)}|received|1|applicant" in gateway.keys


async def test_stop_for_one_dossier_leaves_the_others(centre: Centre) -> None:
    await centre.push(received(2))
    await centre.turn(centre.dispatcher(ScriptedGateway()))
    [confirmation] = await ask(centre, inbound(f"dung nhan tin {code(1)}"))
    assert code(1) in confirmation.text
    await finish(centre, 1)
    await finish(centre, 2)
    await centre.turn(centre.dispatcher(ScriptedGateway()))
    states = await centre.states()
    assert states[f"{code(1)}|result|1|applicant"] == "cancelled"
    assert states[f"{code(2)}|result|1|applicant"] == "accepted"


@pytest.mark.parametrize("stop", ["TC", f"dung nhan tin {code()}"], ids=["all", "one dossier"])
@on_every_store
async def test_start_resumes_and_the_record_stays(centre: Centre, stop: str) -> None:
    await ask(centre, inbound(stop, key="1"))
    centre.clock.now += 1
    await ask(centre, inbound("DK", key="2"))
    await finish(centre)
    await centre.turn(centre.dispatcher(ScriptedGateway()))
    assert (await centre.row(f"{code()}|result|1|applicant")).state is State.ACCEPTED
    [(proof, ended_at, ended_by)] = centre.rows("SELECT proof, ended_at, ended_by FROM refusal")
    assert (proof, ended_at, ended_by) == (f"{GATEWAY}|1", NOW + 1, f"{GATEWAY}|2")


async def test_the_last_word_of_a_request_counts(centre: Centre) -> None:
    stop, start = inbound("TC", key="1"), inbound("DK", key="2")
    async with centre.store.read() as session:
        assert await session.refusals([stop.sender]) == {}
    await ask(centre, stop, start)
    async with centre.store.read() as session:
        assert await session.refusals([stop.sender]) == {}
    await ask(centre, inbound("DK", key="3"), inbound("TC", key="4"))
    async with centre.store.read() as session:
        assert await session.refusals([stop.sender]) == {stop.sender: frozenset({""})}


async def test_an_old_stop_that_comes_again_does_not_undo_a_start(centre: Centre) -> None:
    """A provider that pushes for ever must not make us deaf to what was said since."""
    stop = inbound("TC", key="1")
    await ask(centre, stop)
    await ask(centre, inbound("DK", key="2"))
    await ask(centre, stop)
    async with centre.store.read() as session:
        assert await session.refusals([stop.sender]) == {}


async def test_a_question_about_the_due_date_is_answered_with_it(centre: Centre) -> None:
    [answer] = await ask(centre, inbound(f"bao gio xong {code()}"))
    assert instant.local(DUE).strftime("%d/%m/%Y") in answer.text
