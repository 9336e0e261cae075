"""One notice over several channels: what did not arrive goes on, once, and at last people call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import DUE, NOW, PHONE, Centre, code, event, inbound, moment, received, until
from doubles.gateway import ScriptedGateway
from engines import on_every_store

from gateways.simulator import SimulatorGateway
from notifier.domain import instant, retry
from notifier.domain.consent import EVERYTHING, Refusal
from notifier.domain.dossier import UnitRef
from notifier.domain.message import Address, Receipt, ReceiptStatus, State
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Unknown,
)
from notifier.flows.together import Together

if TYPE_CHECKING:
    from notifier.flows.dispatch import Dispatcher
    from notifier.ports import AttemptRow, OutboxRow

pytestmark = [on_every_store]

MINUTE, HOUR, DAY = instant.MINUTE, instant.HOUR, instant.DAY
ACCOUNT = Address("telegram", "7001")
EMAIL = "an@example.vn"
RECEIVED = f"{code()}|received|1|applicant"
RUNGS = ("telegram", "sms", "email")
LONG = "Uỷ ban nhân dân một phường có tên rất dài ở tỉnh Đồng Nai"
FAILED, DELIVERED = ReceiptStatus.FAILED, ReceiptStatus.DELIVERED
NO = Permanent(code="E7")


async def laddered(
    centre: Centre, *, bound: bool = True, channels: tuple[str, ...] = RUNGS
) -> None:
    """Notices go by chat, SMS and e-mail; the person has tied a chat account to the number."""
    ladder = replace(
        centre.installation.ladder,
        notices=RUNGS,
        deadlines=("sms", "telegram", "email"),
        channels=frozenset(channels),
    )
    centre.installation = replace(centre.installation, ladder=ladder)
    centre._make_flows()
    if bound:
        async with centre.store.write() as session:
            await session.bind(ACCOUNT, Address("sms", PHONE), "proved", NOW)


def gateway(channel: str, *steps: Any, **options: Any) -> ScriptedGateway:
    return ScriptedGateway(*steps, name=f"by_{channel}", channel=channel, window=50, **options)


def dispatcher(centre: Centre, through: ScriptedGateway) -> Dispatcher:
    together = Together(centre.installation, centre.composer)
    return centre.dispatcher(through, together=together)


async def send(centre: Centre, channel: str, *steps: Any, **options: Any) -> ScriptedGateway:
    """All that waits for the channel leaves; the gateway that took it."""
    through = gateway(channel, *steps, **options)
    await centre.turn(dispatcher(centre, through))
    return through


async def report(
    centre: Centre, channel: str, ref: str, status: ReceiptStatus, *, by_key: bool = False
) -> None:
    await centre.receive(f"by_{channel}").accept([Receipt(ref=ref, status=status, by_key=by_key)])


async def history(centre: Centre, row: OutboxRow) -> list[AttemptRow]:
    async with centre.store.read() as session:
        return await session.attempts(row.id)


async def calls(centre: Centre) -> list[str]:
    """The keys of the call list."""
    return sorted(item.key for item in await centre.work() if item.kind == "call")


# ------------------------------------------------------------------------------- the first channel


async def test_a_chat_comes_first_where_there_is_one(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    row = await centre.row(RECEIVED)
    assert (row.to, row.rungs) == (ACCOUNT.masked, RUNGS)
    [sent] = (await send(centre, "telegram")).sent
    assert (sent.address, sent.plan.segments) == (ACCOUNT, 1)
    assert "đã tiếp nhận" in sent.text
    assert (await send(centre, "sms")).sent == []


async def test_the_account_that_was_tied_latest(centre: Centre) -> None:
    await laddered(centre)
    async with centre.store.write() as session:
        await session.bind(Address("telegram", "7002"), Address("sms", PHONE), "proved", NOW + 1)
        await session.bind(Address("zalo", "9"), Address("sms", PHONE), "proved", NOW + 2)
    await centre.push(received())
    [sent] = (await send(centre, "telegram")).sent
    assert sent.address == Address("telegram", "7002")
    async with centre.store.write() as session:
        await session.unbind([Address("telegram", "7002")], "asked", NOW + 3)
    await centre.push(received(2))
    [sent] = (await send(centre, "telegram")).sent
    assert sent.address == ACCOUNT


async def test_a_deadline_has_an_order_of_its_own(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    centre.clock.now = moment("2026-11-26 09:00")
    await centre.sweep()
    [row] = [row for row in await centre.outbox() if row.notice == "due_soon"]
    assert (row.to, row.rungs) == (f"sms:…{PHONE[-3:]}", ("sms", "telegram", "email"))


async def test_by_e_mail_where_there_is_no_number(centre: Centre) -> None:
    await laddered(centre, bound=False)
    await centre.push(received(phone="", applicant_email=f" {EMAIL.upper()} "))
    [sent] = (await send(centre, "email")).sent
    assert sent.address.value.endswith("@example.vn")
    assert sent.subject == f"Hồ sơ {code()} đã được tiếp nhận"
    assert sent.text.startswith("Kính gửi Ông/Bà,\n")
    assert sent.subject not in sent.text
    assert await centre.work() == []


@pytest.mark.parametrize("email", ["", "not an address", "an@localhost"])
async def test_without_any_address_people_call(centre: Centre, email: str) -> None:
    await laddered(centre, bound=False)
    await centre.push(received(phone="", applicant_email=email))
    await centre.push(received(phone="", applicant_email=email))
    assert await centre.outbox() == []
    [item] = await centre.work()
    assert (item.kind, item.key, item.dossier) == ("call", f"call|{RECEIVED}", code())


async def test_a_channel_without_a_gateway_does_not_count(centre: Centre) -> None:
    await laddered(centre, channels=("sms",))
    await centre.push(received(applicant_email=EMAIL))
    assert (await centre.row(RECEIVED)).rungs == ("sms",)
    await send(centre, "sms", NO)
    assert await calls(centre) == [f"call|{RECEIVED}"]


async def test_a_flag_of_the_dossier_closes_its_channel_only(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received(consent_sms=False, applicant_email=EMAIL))
    await send(centre, "telegram", NO)
    assert (await centre.row(RECEIVED)).to.startswith("email:")
    assert (await send(centre, "sms")).sent == []
    assert len((await send(centre, "email")).sent) == 1


# ---------------------------------------------------------------------------------- a step down


STEPS = [
    ("recipient", NO),
    ("content", Permanent(code="E8", scope=Scope.CONTENT)),
    ("template", Permanent(code="E9", scope=Scope.TEMPLATE)),
    ("opted out", OptedOut(code="blocked")),
]


@pytest.mark.parametrize("outcome", [row[1] for row in STEPS], ids=[row[0] for row in STEPS])
async def test_what_is_refused_goes_on_to_the_next(centre: Centre, outcome: Any) -> None:
    await laddered(centre)
    await centre.push(received())
    before = await centre.row(RECEIVED)
    first = await send(centre, "telegram", outcome)
    row = await centre.row(RECEIVED)
    assert (row.state, row.to, row.id) == (State.QUEUED, f"sms:…{PHONE[-3:]}", before.id)
    assert outcome.code in row.reason
    assert row.best_before == before.best_before
    second = await send(centre, "sms")
    assert first.keys == second.keys == [RECEIVED]
    assert "Da tiep nhan" in second.sent[0].text
    row = await centre.row(RECEIVED)
    assert (row.state, row.attempts, await centre.work()) == (State.ACCEPTED, 2, [])
    assert [(a.number, a.gateway, a.to) for a in await history(centre, row)] == [
        (1, "by_telegram", ACCOUNT.masked),
        (2, "by_sms", f"sms:…{PHONE[-3:]}"),
    ]
    await report(centre, "sms", "by_sms-1", DELIVERED)
    assert await centre.states() == {RECEIVED: "delivered"}


async def test_a_report_that_it_failed_too(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram")
    rung = centre.rung
    await report(centre, "telegram", "by_telegram-1", FAILED)
    assert centre.rung == rung + 1
    assert (await centre.row(RECEIVED)).state is State.QUEUED
    assert len((await send(centre, "sms")).sent) == 1


async def test_a_report_that_came_before_its_name(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await report(centre, "telegram", "by_telegram-1", FAILED)
    await send(centre, "telegram")
    assert (await centre.row(RECEIVED)).state is State.QUEUED
    assert len((await send(centre, "sms")).sent) == 1


async def test_the_words_are_those_of_the_dossier_now(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram")
    later = moment("2026-12-04 17:00")
    centre.clock.now += MINUTE
    await centre.push(
        event("corrected", at=centre.clock.now, due_at=later, applicant_phone="+84912000777")
    )
    await report(centre, "telegram", "by_telegram-1", FAILED)
    [sent] = (await send(centre, "sms")).sent
    assert "04/12/2026" in sent.text
    assert sent.address == Address("sms", "+84912000777")


async def test_what_is_true_no_more_goes_nowhere(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram")
    centre.clock.now += MINUTE
    await centre.push(event("finished", at=centre.clock.now))
    await report(centre, "telegram", "by_telegram-1", FAILED)
    row = await centre.row(RECEIVED)
    assert (row.state, "moved on" in row.reason) == (State.FAILED, True)
    assert await centre.work() == []


async def test_tries_are_counted_anew_on_each_channel(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    tries = 0
    while (row := await centre.row(RECEIVED)).to == ACCOUNT.masked:
        centre.clock.now = max(row.not_before, centre.clock.now)
        tries += len((await send(centre, "telegram", Temporary(code="busy"))).sent)
    assert 2 < tries <= retry.MOST_ATTEMPTS
    sms = await send(centre, "sms", Temporary(code="busy"), Accepted(refs=("s2",)))
    row = await centre.row(RECEIVED)
    assert row.state is State.QUEUED
    assert row.not_before - centre.clock.now <= retry.FIRST_PAUSE[row.lane] * 5 // 4
    assert len(sms.sent) == 1


async def test_a_text_of_several_parts_is_sent_whole_on_the_next_channel(centre: Centre) -> None:
    await laddered(centre, bound=False)
    sms = replace(centre.installation.sms, keep_accents=True)
    centre.installation = replace(centre.installation, sms=sms)
    centre._make_flows()
    await centre.push(received(applicant_email=EMAIL, unit=UnitRef(code="H19.9", name=LONG)))
    [sent] = (await send(centre, "sms", Partial(done=((0, "p0"),), rest=NO))).sent
    assert sent.plan.segments > 1
    [sent] = (await send(centre, "email")).sent
    assert sent.accepted_parts == ()
    await report(centre, "email", "by_email-1", DELIVERED)
    assert await centre.states() == {RECEIVED: "delivered"}


async def test_at_the_end_people_call_once(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received(applicant_email=EMAIL))
    for channel in RUNGS:
        await send(centre, channel, NO)
    row = await centre.row(RECEIVED)
    assert (row.state, row.attempts) == (State.FAILED, 3)
    assert "E7" in row.reason
    [item] = await centre.work()
    assert (item.kind, item.dossier, item.key) == ("call", code(), f"call|{RECEIVED}")
    assert "received: E7" in item.detail
    assert not any(one in repr(item) for one in (PHONE[3:], EMAIL, ACCOUNT.value))
    for channel in RUNGS:
        await report(centre, channel, f"by_{channel}-1", FAILED)
        assert (await send(centre, channel)).sent == []
    assert len(await centre.work()) == 1


async def test_when_its_time_has_passed_nobody_calls(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram")
    centre.clock.now += 3 * DAY
    await report(centre, "telegram", "by_telegram-1", FAILED)
    row = await centre.row(RECEIVED)
    assert (row.state, "best-before" in row.reason) == (State.FAILED, True)
    assert await centre.work() == []


# ------------------------------------------------------------------- nothing is said twice in doubt


async def test_what_is_of_unknown_fate_does_not_go_on(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram", Unknown(code="timeout"))
    await centre.stranded().sweep(centre.clock.now)
    centre.clock.now += HOUR
    await centre.stranded().sweep(centre.clock.now)
    row = await centre.row(RECEIVED)
    assert (row.state, row.to) == (State.UNKNOWN, ACCOUNT.masked)


async def test_what_the_provider_says_that_it_refused_goes_on(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    through = await send(centre, "telegram", Unknown(code="timeout"), told=NO)
    assert await centre.settle_with({through.name: through}).sweep(centre.clock.now) == 1
    assert len((await send(centre, "sms")).sent) == 1


async def test_an_apology_that_may_have_arrived_is_for_a_person(centre: Centre) -> None:
    """Sent with the same key while the provider drops doubles; a refusal then proves little."""
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram")
    centre.clock.now = DUE + 2 * MINUTE
    await centre.sweep()
    through = gateway("sms", Unknown(code="timeout"), NO, suppresses_duplicates=DAY)
    turned = dispatcher(centre, through)
    await centre.turn(turned)
    await centre.settle_with({through.name: through}).sweep(centre.clock.now)
    await centre.turn(turned)
    [row] = [row for row in await centre.outbox() if row.notice == "late"]
    assert (row.state, len(through.sent)) == (State.FAILED, 2)
    assert await calls(centre) == [f"call|{row.key}"]


async def stepped(centre: Centre) -> None:
    """A notice that a chat did not take, and that waits for SMS."""
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram")
    await report(centre, "telegram", "by_telegram-1", FAILED)


async def test_a_late_report_of_an_earlier_channel_ends_nothing(centre: Centre) -> None:
    await stepped(centre)
    await report(centre, "telegram", "by_telegram-1", FAILED)
    await report(centre, "telegram", RECEIVED, FAILED, by_key=True)
    assert (await centre.row(RECEIVED)).to == f"sms:…{PHONE[-3:]}"
    await send(centre, "sms")
    for status in (FAILED, DELIVERED):
        await report(centre, "telegram", "by_telegram-1", status)
        await report(centre, "telegram", RECEIVED, status, by_key=True)
        assert await centre.states() == {RECEIVED: "accepted"}
    await report(centre, "sms", "by_sms-1", DELIVERED)
    row = await centre.row(RECEIVED)
    assert (row.state, row.reason, await centre.work()) == (State.DELIVERED, "", [])


@pytest.mark.parametrize("by_key", [False, True], ids=["by name", "by our key"])
async def test_delivered_after_all_while_the_next_waits(centre: Centre, by_key: bool) -> None:
    await stepped(centre)
    ref = RECEIVED if by_key else "by_telegram-1"
    await report(centre, "telegram", ref, DELIVERED, by_key=by_key)
    assert await centre.states() == {RECEIVED: "delivered"}
    assert (await send(centre, "sms")).sent == []


async def test_delivered_after_all_while_the_next_was_being_sent(centre: Centre) -> None:
    """It is not tried a second time."""
    await stepped(centre)

    async def meanwhile(_: Any) -> Temporary:
        await report(centre, "telegram", "by_telegram-1", DELIVERED)
        return Temporary(code="busy")

    await send(centre, "sms", meanwhile)
    assert await centre.states() == {RECEIVED: "delivered"}


async def test_delivered_although_it_was_refused(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram", NO)
    await report(centre, "telegram", RECEIVED, DELIVERED, by_key=True)
    assert await centre.states() == {RECEIVED: "delivered"}


# ------------------------------------------------------------------------------------- refusals


async def test_who_blocked_us_in_a_chat_is_told_by_sms_from_then_on(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram", OptedOut(code="blocked"))
    await send(centre, "sms")
    centre.clock.now += MINUTE
    await centre.push(event("finished", at=centre.clock.now))
    assert (await send(centre, "telegram")).sent == []
    [sent] = (await send(centre, "sms")).sent
    assert sent.notice == "result_ready"
    assert (await centre.row(sent.key)).attempts == 1


@pytest.mark.parametrize("scope", [EVERYTHING, code()], ids=["everything", "this dossier"])
@pytest.mark.parametrize("said_by", [ACCOUNT, Address("sms", PHONE)], ids=["chat", "sms"])
async def test_a_persons_own_word_holds_on_every_channel(
    centre: Centre, scope: str, said_by: Address
) -> None:
    await laddered(centre)
    await centre.push(received(applicant_email=EMAIL), received(2, applicant_email=EMAIL))
    async with centre.store.write() as session:
        await session.refuse([Refusal(address=said_by, scope=scope, at=NOW, proof="g|1")])
    sent = (await send(centre, "telegram")).sent
    assert [one.dossier for one in sent] == ([] if scope == EVERYTHING else [code(2)])
    assert (await centre.row(RECEIVED)).state is State.CANCELLED
    assert await centre.work() == []


async def test_said_between_two_channels(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    await send(centre, "telegram")
    await centre.receive("by_telegram").accept([inbound("TC", sender=str(ACCOUNT))])
    await report(centre, "telegram", "by_telegram-1", FAILED)
    row = await centre.row(RECEIVED)
    assert (row.state, await centre.work()) == (State.FAILED, [])
    assert (await send(centre, "sms")).sent == []


async def test_who_wants_messages_again_says_so_on_any_channel(centre: Centre) -> None:
    await laddered(centre)
    await centre.receive("by_telegram").accept([inbound("TC", sender=str(ACCOUNT))])
    await centre.receive("by_sms").accept([inbound("DK", key="in-2")])
    await centre.push(received())
    assert RECEIVED in (await send(centre, "telegram")).keys


async def test_a_flag_that_came_later_sends_it_on(centre: Centre) -> None:
    await laddered(centre, bound=False)
    await centre.push(received(applicant_email=EMAIL))
    centre.clock.now += MINUTE
    await centre.push(event("corrected", at=centre.clock.now, consent_sms=False))
    assert (await send(centre, "sms")).sent == []
    row = await centre.row(RECEIVED)
    assert (row.state, "forbids sms" in row.reason) == (State.QUEUED, True)
    assert len((await send(centre, "email")).sent) == 1


async def test_who_is_blocked_on_the_only_channel_is_called(centre: Centre) -> None:
    await laddered(centre, bound=False)
    await centre.push(received())
    await send(centre, "sms", OptedOut(code="dnd"))
    centre.clock.now += MINUTE
    await centre.push(event("finished", at=centre.clock.now))
    assert (await send(centre, "sms")).sent == []
    assert await calls(centre) == [f"call|{code()}|{n}|1|applicant" for n in ("received", "result")]


# ------------------------------------------------------------------------------ no gateway works


async def test_a_dead_channel_is_left_after_a_while(centre: Centre) -> None:
    await laddered(centre)
    wait = centre.installation.ladder.wait
    through = gateway("telegram", usual=Permanent(code="locked", scope=Scope.ACCOUNT))
    turned, sms = dispatcher(centre, through), dispatcher(centre, gateway("sms"))
    stranded = centre.stranded(turned, sms)
    await centre.push(received())
    await centre.turn(turned)
    assert await stranded.sweep(centre.clock.now) == 0
    centre.clock.now += wait - 1
    await centre.push(received(2))
    assert await stranded.sweep(centre.clock.now) == 0
    centre.clock.now += 2 * MINUTE
    assert await stranded.sweep(centre.clock.now) == 2
    assert {row.to for row in await centre.outbox()} == {f"sms:…{PHONE[-3:]}"}
    assert await stranded.sweep(centre.clock.now) == 0


async def test_a_channel_that_came_back_is_not_left(centre: Centre) -> None:
    await laddered(centre)
    through = gateway("telegram", Permanent(code="locked", scope=Scope.ACCOUNT))
    turned = dispatcher(centre, through)
    stranded = centre.stranded(turned)
    await centre.push(received(), received(2))
    await centre.turn(turned)
    await stranded.sweep(centre.clock.now)
    centre.clock.now += MINUTE
    await centre.turn(turned)
    centre.clock.now += HOUR
    assert await stranded.sweep(centre.clock.now) == 0
    assert len(through.sent) >= 2


async def test_what_has_no_other_channel_waits(centre: Centre) -> None:
    """An outage of SMS is not a thousand calls."""
    await laddered(centre, bound=False)
    await centre.push(received())
    turned = dispatcher(centre, gateway("telegram"))
    stranded = centre.stranded(turned)
    for _ in range(3):
        await stranded.sweep(centre.clock.now)
        centre.clock.now += HOUR
    row = await centre.row(RECEIVED)
    assert (row.state, row.to) == (State.QUEUED, f"sms:…{PHONE[-3:]}")
    assert await centre.work() == []
    assert len((await send(centre, "sms")).sent) == 1


async def test_one_that_may_be_with_the_provider_waits(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received())
    through = await send(centre, "telegram", Unknown(code="timeout"), suppresses_duplicates=DAY)
    await centre.settle_with({through.name: through}).sweep(centre.clock.now)
    stranded = centre.stranded(dispatcher(centre, gateway("sms")))
    await stranded.sweep(centre.clock.now)
    centre.clock.now += HOUR
    assert await stranded.sweep(centre.clock.now) == 0
    assert (await centre.row(RECEIVED)).to == ACCOUNT.masked


# -------------------------------------------------------------------------------- several in one


async def test_several_dossiers_go_on_as_one(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received(1, applicant_email=EMAIL), received(2, applicant_email=EMAIL))
    [sent] = (await send(centre, "telegram", NO)).sent
    assert len(sent.dossiers) == 2
    [sent] = (await send(centre, "sms", NO)).sent
    assert len(sent.dossiers) == 2
    [sent] = (await send(centre, "email")).sent
    assert all(code(number) in sent.text for number in (1, 2))
    await report(centre, "email", "by_email-1", FAILED)
    assert [item.dossier for item in await centre.work()] == [code(1), code(2)]
    assert len(await calls(centre)) == 2


async def test_those_that_go_different_ways_part(centre: Centre) -> None:
    await laddered(centre, bound=False)
    emails = {1: EMAIL, 2: "binh@example.vn", 3: ""}
    await centre.push(*(received(n, applicant_email=email) for n, email in emails.items()))
    [sent] = (await send(centre, "sms")).sent
    assert len(sent.dossiers) == 3
    await report(centre, "sms", "by_sms-1", FAILED)
    sent_by_mail = (await send(centre, "email")).sent
    assert {(one.dossier, one.address.value) for one in sent_by_mail} == {
        (code(1), EMAIL),
        (code(2), "binh@example.vn"),
    }
    assert all(one.also == () for one in sent_by_mail)
    assert [item.dossier for item in await centre.work()] == [code(3)]


async def test_one_that_moved_on_meanwhile_is_said_no_more(centre: Centre) -> None:
    await laddered(centre)
    await centre.push(received(1), received(2))
    [sent] = (await send(centre, "telegram")).sent
    centre.clock.now += MINUTE
    await centre.push(event("finished", number=int(sent.dossier[-1]), at=centre.clock.now))
    await report(centre, "telegram", "by_telegram-1", FAILED)
    sent = [one for one in (await send(centre, "sms")).sent if one.notice == "received"]
    assert len(sent) == 1
    assert sent[0].also == ()


# ------------------------------------------------------------------------- the simulated carrier


@pytest.mark.parametrize(
    "faults",
    [
        {"mode": "refuse"},
        {"opted_out": frozenset({PHONE})},
        {"switched_off": frozenset({PHONE})},
    ],
    ids=["refused", "opted out", "reported undelivered"],
)
async def test_from_the_simulated_carrier_to_e_mail(centre: Centre, faults: dict[str, Any]) -> None:
    await laddered(centre, bound=False)
    settings = {"secret": "the carrier and we know this", "receipt_after": 0.01}
    carrier = SimulatorGateway("carrier", settings, centre.clock)
    carrier.provider.set_faults(**faults)
    await carrier.start(centre.receive("carrier"))
    await centre.push(received(applicant_email=EMAIL))
    await centre.turn(centre.dispatcher(carrier))

    async def goes_on() -> bool:
        return (await centre.row(RECEIVED)).to.startswith("email:")

    await until(goes_on)
    await carrier.stop(0)
    assert carrier.provider.phones.texts(PHONE) == ()
    assert len((await send(centre, "email")).sent) == 1
    await report(centre, "email", "by_email-1", DELIVERED)
    assert await centre.states() == {RECEIVED: "delivered"}


# ------------------------------------------------------------------------------------ kill-safety


async def test_the_step_is_on_disk_with_what_it_follows_from(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that can't be written takes the report, or the end of the attempt, back with it."""
    await laddered(centre)
    await centre.push(received())
    turned = dispatcher(centre, gateway("telegram", NO))

    async def broken(*_: Any) -> int:
        raise RuntimeError("the process died here")

    with monkeypatch.context() as patched:
        patched.setattr(centre.step_down, "fallen", broken)
        with pytest.raises(RuntimeError):
            await centre.turn(turned)
        assert centre.rows("SELECT state, fallen FROM message") == [("sending", "")]
        assert centre.rows("SELECT ended_at FROM attempt") == [(None,)]
    await centre.turn(turned)
    await send(centre, "sms")
    with monkeypatch.context() as patched:
        patched.setattr(centre.step_down, "fallen", broken)
        with pytest.raises(RuntimeError):
            await report(centre, "sms", "by_sms-1", FAILED)
        assert centre.rows("SELECT state, fallen FROM message") == [("accepted", "")]
        assert centre.rows("SELECT count(*) FROM receipt") == [(0,)]
    await report(centre, "sms", "by_sms-1", FAILED)
    assert (await centre.row(RECEIVED)).state is State.FAILED
    assert await calls(centre) == [f"call|{RECEIVED}"]


async def test_the_address_of_each_channel_is_found_by_its_hash(centre: Centre) -> None:
    """Caps, refusals and the like go by the address that the message is on."""
    await stepped(centre)
    await send(centre, "sms")
    async with centre.store.read() as session:
        left = await session.left_since([ACCOUNT, Address("sms", PHONE)], NOW - HOUR)
    assert {address.channel: len(times) for address, times in left.items()} == {
        "telegram": 0,
        "sms": 1,
    }
