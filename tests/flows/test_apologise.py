"""The apology by the book, from the draft to the one-stop system, over both stores.

Monday 23 November 2026 is today, the dossier is due on Friday the 27th.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    DUE,
    LANDLINE,
    NOW,
    PHONE,
    TICKETS,
    Centre,
    attempted,
    begin,
    code,
    event,
    moment,
    received,
)
from doubles.gateway import ScriptedGateway
from engines import on_every_store

from notifier.domain import instant
from notifier.domain.apology import Apologies, Apology, ApologyState, Signer
from notifier.domain.letter import Purpose
from notifier.domain.message import State
from notifier.domain.outcome import Accepted, Temporary
from notifier.domain.retry import Verdict
from notifier.errors import InputError, NotAllowedError
from notifier.flows.apologise import SECOND
from notifier.flows.give_back import ASKED_AFTER, FIRST_PAUSE, LONGEST_PAUSE, GiveBack, pause

if TYPE_CHECKING:
    from notifier.domain.instant import Instant

NEW_DUE = moment("2026-12-04 17:00")
AFTER = DUE + instant.MINUTE
REASON = "chờ kết quả đo đạc"


async def take(centre: Centre, number: int = 1, **carried: Any) -> None:
    """A dossier is received; its notice of receipt is out of the way."""
    await centre.push(received(number, **carried))
    async with centre.store.write() as session:
        await session.run("DELETE FROM message WHERE notice = 'received'")  # type: ignore[attr-defined]


async def draft(centre: Centre, number: int = 1, **changes: Any) -> Apology:
    said = {"new_due_at": NEW_DUE, "reason": REASON, "author": "lan", **changes}
    return await centre.apologise.draft(code(number), **said)


async def sign(centre: Centre, found: Apology, by: str = "minh") -> Apology:
    return await centre.apologise.approve(
        found.id, by=by, number="12/PXL", signer="Trần Văn Mẫu", title="GIÁM ĐỐC"
    )


async def at(centre: Centre, when: Instant) -> list[str]:
    """Move the clock, sweep, and give every notice that there is by now, with its state."""
    centre.clock.now = when
    await centre.sweep()
    return [f"{row.notice} {row.state}" for row in await centre.outbox()]


async def acts(centre: Centre, found: Apology) -> list[tuple[str, str]]:
    _, done = await centre.apologise.shown(found.id)
    return [(act.act, act.by) for act in done]


class OneStop:
    """The one-stop system's door: takes what it is told, or says why not."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        self.told: list[str] = []

    async def tell(self, apology: Apology, now: Instant) -> str:
        del now
        self.told.append(apology.id)
        return self.errors.pop(0) if self.errors else ""


# ----------------------------------------------------------------------------------- in good time


@on_every_store
async def test_from_the_draft_to_the_source(centre: Centre) -> None:
    await take(centre)
    made = await draft(centre, reason_key="survey", reason="")
    assert (made.state, made.late, made.due_at) == (ApologyState.DRAFTED, False, DUE)
    assert await centre.notices() == []

    signed = await sign(centre, made)
    assert (signed.state, signed.approver, signed.late) == (ApologyState.SENT, "minh", False)
    [row] = await centre.outbox()
    assert (row.notice, row.state) == ("apology", State.QUEUED)
    assert "27/11/2026" in row.text
    assert "04/12/2026" in row.text
    assert "do dac" in row.text
    assert row.best_before > DUE
    found = await centre.dossier()
    assert found is not None
    assert found.facts.due_at == NEW_DUE
    assert found.facts.rescheduled is not None
    assert found.facts.rescheduled.document is not None
    assert found.facts.rescheduled.document.number == "12/PXL"

    back = OneStop()
    assert await GiveBack(centre.store, centre.clock, back).sweep(NOW) == 1
    assert back.told == [made.id]
    shown, _ = await centre.apologise.shown(made.id)
    assert shown.state is ApologyState.RETURNED
    assert await acts(centre, made) == [
        ("draft", "lan"), ("approve", "minh"), ("send", "service"), ("return", "service"),
    ]  # fmt: skip
    # The old due date passes, and the new one has its own reminder and its own apology.
    assert await at(centre, AFTER) == ["apology queued"]
    assert (await at(centre, NEW_DUE + instant.MINUTE))[-1] == "late queued"


@on_every_store
async def test_what_the_source_repeats_does_not_undo_it(centre: Centre) -> None:
    await take(centre)
    await sign(centre, await draft(centre))
    await centre.push(event("processing", at=NOW + 1, due_at=DUE))
    found = await centre.dossier()
    assert found is not None
    assert found.facts.due_at == NEW_DUE
    assert await at(centre, AFTER) == ["apology queued"]
    assert await centre.work() == []


async def test_the_source_confirms_in_silence_and_moves_the_date_aloud(centre: Centre) -> None:
    await take(centre)
    await sign(centre, await draft(centre))
    await centre.push(event("noted", at=NOW + 1, due_at=NEW_DUE))
    assert await centre.notices() == ["apology"]
    own = moment("2026-12-09 17:00")
    await centre.push(event("corrected", at=NOW + 2, due_at=own))
    found = await centre.dossier()
    assert found is not None
    assert found.facts.due_at == own


# ----------------------------------------------------------------- beside the automatic apology


@on_every_store
async def test_a_signed_one_takes_the_place_of_one_that_waits(centre: Centre) -> None:
    await take(centre)
    assert await at(centre, AFTER) == ["late queued"]
    signed = await sign(centre, await draft(centre))
    assert (signed.state, signed.late) == (ApologyState.SENT, True)
    assert await at(centre, AFTER) == ["late superseded", "apology queued"]
    await centre.restart()
    assert await at(centre, AFTER + instant.DAY) == ["late superseded", "apology queued"]


@on_every_store
async def test_once_the_automatic_one_has_left_only_the_date_is_told(centre: Centre) -> None:
    await take(centre)
    await at(centre, AFTER)
    gateway = ScriptedGateway(Accepted(refs=("r-1",)))
    await centre.turn(centre.dispatcher(gateway))
    signed = await sign(centre, await draft(centre))
    assert signed.state is ApologyState.SENT
    assert await at(centre, AFTER) == ["late accepted", "rescheduled queued"]
    text = (await centre.outbox())[-1].text
    assert "xin loi" not in text.lower()
    assert "04/12/2026" in text


async def test_one_that_had_begun_to_leave_still_leaves(centre: Centre) -> None:
    """It is tried again after the signature: the apology is owed, and the date follows it."""
    await take(centre)
    await at(centre, AFTER)
    [late] = await centre.outbox()
    async with centre.store.write() as session:
        begun = await begin(session, await session.messages([late.id]), AFTER)
    await sign(centre, await draft(centre))
    assert await at(centre, AFTER) == ["late sending", "rescheduled queued"]
    async with centre.store.write() as session:
        verdict = Verdict(state=State.QUEUED, not_before=AFTER)
        busy = attempted(begun[0], Temporary(code="busy"), verdict)
        await session.end_attempts([busy], AFTER)
    gateway = ScriptedGateway(usual=Accepted(refs=()))
    await centre.turn(centre.dispatcher(gateway))
    assert await at(centre, AFTER) == ["late accepted", "rescheduled accepted"]


@on_every_store
async def test_one_that_never_came_is_made_up_for(centre: Centre) -> None:
    await take(centre)
    await at(centre, AFTER)
    [late] = await centre.outbox()
    async with centre.store.write() as session:
        await session.run(f"UPDATE message SET state = 'failed' WHERE id = '{late.id}'")  # type: ignore[attr-defined]
    await sign(centre, await draft(centre))
    assert await at(centre, AFTER) == ["late failed", "apology queued"]


async def test_without_the_automatic_one_a_delay_is_a_debt(centre: Centre) -> None:
    rules = centre.installation.rules.without_automatic("apology")
    centre.installation = replace(centre.installation, rules=rules)
    centre._make_flows()
    await take(centre)
    assert await at(centre, AFTER) == []
    [owed] = await centre.apologise.debts(10)
    assert (owed.dossier.code, owed.draft) == (code(1), "")


# ------------------------------------------------------------------------------------ two people


@on_every_store
async def test_two_people_and_one_apology_a_delay(centre: Centre) -> None:
    await take(centre)
    made = await draft(centre)
    with pytest.raises(NotAllowedError, match="another person"):
        await sign(centre, made, by="Lan ")
    with pytest.raises(NotAllowedError, match="already"):
        await draft(centre, author="cuc")
    rejected = await centre.apologise.reject(made.id, by="minh", note="ngày chưa hợp lý")
    assert rejected.state is ApologyState.REJECTED
    with pytest.raises(NotAllowedError, match="rejected"):
        await sign(centre, made)
    assert (await sign(centre, await draft(centre))).state is ApologyState.SENT
    assert await centre.notices() == ["apology"]


async def test_only_a_leader_signs_and_is_named_by_the_list(centre: Centre) -> None:
    leaders = Apologies(
        forms=centre.installation.apology.forms,
        signers=(Signer(user="minh", name="Trần Văn Mẫu", title="PHÓ GIÁM ĐỐC"),),
    )
    flow = centre.apologise_with(replace(centre.installation, apology=leaders))
    await take(centre)
    made = await draft(centre)
    with pytest.raises(NotAllowedError, match="leaders"):
        await flow.approve(made.id, by="cuc", number="12/PXL", signer="C", title="D")
    signed = await flow.approve(made.id, by="minh", number="12/PXL")
    assert (signed.signer, signed.title) == ("Trần Văn Mẫu", "PHÓ GIÁM ĐỐC")
    assert signed.letter["signer"] == "Trần Văn Mẫu"


async def test_a_signature_has_a_number_a_name_and_a_title(centre: Centre) -> None:
    await take(centre)
    made = await draft(centre)
    for missing in ("number", "signer", "title"):
        said = {"number": "12/PXL", "signer": "Trần", "title": "GIÁM ĐỐC", missing: " "}
        with pytest.raises(NotAllowedError, match="number"):
            await centre.apologise.approve(made.id, by="minh", **said)
    assert await centre.notices() == []


@on_every_store
async def test_a_second_re_appointment_goes_to_a_person(centre: Centre) -> None:
    await take(centre)
    await sign(centre, await draft(centre))
    centre.clock.now = NEW_DUE - instant.DAY
    for _ in range(2):
        with pytest.raises(NotAllowedError, match="once"):
            await draft(centre, new_due_at=moment("2026-12-11 17:00"))
    assert [item.kind for item in await centre.work()] == [SECOND]
    assert len(await centre.apologise.listed()) == 1


async def test_one_that_the_source_made_counts_too(centre: Centre) -> None:
    await take(centre)
    made = await draft(centre)
    from notifier.domain.dossier import Rescheduled

    moved = Rescheduled(due_at=NEW_DUE)
    await centre.push(event("rescheduled", at=NOW + 1, due_at=NEW_DUE, rescheduled=moved))
    with pytest.raises(NotAllowedError, match="once"):
        await sign(centre, made)
    assert [item.kind for item in await centre.work()] == [SECOND]


async def test_a_draft_of_another_due_date_is_not_signed(centre: Centre) -> None:
    await take(centre)
    made = await draft(centre)
    await centre.push(event("corrected", at=NOW + 1, due_at=moment("2026-11-30 17:00")))
    with pytest.raises(NotAllowedError, match="has changed"):
        await sign(centre, made)


async def test_every_fault_is_said_at_once(centre: Centre) -> None:
    await take(centre)
    with pytest.raises(NotAllowedError) as said:
        await draft(centre, new_due_at=moment("2026-11-22 17:00"), reason="")
    for word in ("reason", "not later", "has passed", "no working day"):
        assert word in str(said.value)
    with pytest.raises(InputError, match="no dossier"):
        await draft(centre, number=99)
    with pytest.raises(InputError, match="no apology"):
        await centre.apologise.shown("none")


# ------------------------------------------------------------------------- letters, and on paper


async def test_who_can_not_be_written_to_gets_the_letter_on_paper(centre: Centre) -> None:
    await take(centre, phone=LANDLINE)
    signed = await sign(centre, await draft(centre))
    assert signed.state is ApologyState.APPROVED
    assert [item.kind for item in await centre.work() if "apology" in item.detail] == ["call"]
    found = await centre.dossier()
    assert found is not None
    assert found.facts.due_at == NEW_DUE
    sent = await centre.apologise.handed_over(signed.id, by="lan", note="bưu điện")
    assert sent.state is ApologyState.SENT


async def test_tokens_open_what_was_signed_and_nothing_else(centre: Centre) -> None:
    await take(centre)
    made = await draft(centre)
    assert await centre.apologise.opened(TICKETS.check(made.id)) is None
    signed = await sign(centre, made)
    for token, purpose in (
        (centre.apologise.check_url(signed), Purpose.CHECK),
        (centre.apologise.letter_url(signed, NOW), Purpose.FETCH),
    ):
        opened = await centre.apologise.opened(token.rpartition("/")[2])
        assert opened is not None
        assert (opened[0].id, opened[1]) == (made.id, purpose)
    assert await centre.apologise.opened("nothing") is None


@on_every_store
async def test_nobody_s_name_or_number_lies_in_clear(centre: Centre) -> None:
    await take(centre)
    signed = await sign(centre, await draft(centre))
    assert signed.letter["addressee"]
    held = str(centre.rows("SELECT * FROM apology")) + repr(signed)
    for personal in (signed.letter["addressee"], PHONE, "đo đạc"):
        assert personal not in held


# ------------------------------------------------------------------------------ back to the source


@on_every_store
async def test_the_source_is_told_until_it_takes_it(centre: Centre) -> None:
    await take(centre)
    made = await sign(centre, await draft(centre))
    back = OneStop("it answered 503", "it did not answer in time")
    flow = GiveBack(centre.store, centre.clock, back)
    assert await flow.sweep(NOW) == 0
    assert await flow.sweep(NOW + pause(0) - 1) == 0
    assert len(back.told) == 1
    await centre.restart()
    flow = GiveBack(centre.store, centre.clock, back)
    assert await flow.sweep(NOW + pause(0)) == 0
    assert await flow.sweep(NOW + pause(0) + pause(1)) == 1
    assert await flow.sweep(NOW + instant.DAY) == 0
    assert back.told == [made.id] * 3


async def test_a_source_that_never_takes_it_is_a_person_s_work(centre: Centre) -> None:
    await take(centre)
    await sign(centre, await draft(centre))
    back = OneStop(*["it answered 500"] * ASKED_AFTER)
    flow = GiveBack(centre.store, centre.clock, back)
    now = NOW
    for _ in range(ASKED_AFTER):
        assert await flow.sweep(now) == 0
        now += LONGEST_PAUSE
    assert [item.kind for item in await centre.work()] == ["not_returned"]
    assert await flow.sweep(now) == 1
    assert await centre.work() == []


def test_the_pause_doubles_up_to_six_hours() -> None:
    spans = [pause(number) for number in range(30)]
    assert spans[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert spans[-1] == LONGEST_PAUSE
    assert spans == sorted(spans)


# ------------------------------------------------------------------------------------------- debts


@on_every_store
async def test_debts_are_late_dossiers_without_an_apology(centre: Centre) -> None:
    for number in range(1, 5):
        await take(centre, number)
    await centre.push(event("finished", number=4, at=NOW + 1))
    centre.clock.now = AFTER
    assert [debt.dossier.code for debt in await centre.apologise.debts(2)] == [code(1), code(2)]
    await sign(centre, await draft(centre, 1))
    made = await draft(centre, 2)
    owed = await centre.apologise.debts(10)
    assert [(debt.dossier.code, debt.draft) for debt in owed] == [(code(2), made.id), (code(3), "")]
    await centre.sweep()
    assert await centre.apologise.debts(10) == []
