"""The simulated carrier alone, and the gateway to it beyond what every gateway promises."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from contracts.gateway import RecordingSink, message, until

from gateways.simulator import (
    Direction,
    Faults,
    Mode,
    Provider,
    SimulatorGateway,
    TextState,
    Word,
)
from gateways.simulator.phones import TEXTS_KEPT
from notifier.domain.message import Address, Inbound, Receipt, ReceiptStatus, Unreadable
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
)
from notifier.domain.segments import Encoding, SegmentPlan
from notifier.errors import ConfigurationError, StoreError, WebhookError
from notifier.ports import HealthState


def _load_rig():
    """The rig's module, by its path: this folder is no package, and its name is another's."""
    if "rig_simulator" not in sys.modules:
        path = Path(__file__).with_name("rig_simulator.py")
        spec = importlib.util.spec_from_file_location("rig_simulator", path)
        sys.modules["rig_simulator"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["rig_simulator"])
    return sys.modules["rig_simulator"]


_rig = _load_rig()
Rig, StoppedClock, SECRET, SETTINGS = _rig.Rig, _rig.StoppedClock, _rig.SECRET, _rig.SETTINGS

HOA = Address("sms", "+84912000345")
PARTS = ("Ho so H19.45-261118-0007 ", "da co ket qua.")


def in_parts(accepted: tuple[int, ...] = ()):
    plan = SegmentPlan(encoding=Encoding.GSM7, units=39, parts=PARTS)
    return replace(message(HOA, "".join(PARTS)), plan=plan, accepted_parts=accepted)


@pytest.fixture
async def carrier():
    provider = Provider(StoppedClock(), secret=SECRET, faults=Faults(receipt_after=0))
    yield provider
    await provider.close()


# ----------------------------------------------------------------------------------- the carrier


async def test_a_message_appears_on_its_phone_and_is_reported_delivered(carrier):
    sink = RecordingSink()
    carrier.listen(sink.accept)
    answer = await carrier.submit(in_parts())
    assert answer.word is Word.TAKEN
    assert [part for part, _ in answer.refs] == [0, 1]
    (text,) = carrier.phones.texts(HOA.value)
    assert (text.direction, text.state) == (Direction.IN, TextState.SENT)
    assert (text.text, text.parts, text.encoding) == ("".join(PARTS), 2, "GSM-7")
    await until(lambda: bool(sink.incoming))
    assert sink.incoming == [
        Receipt(ref=ref, status=ReceiptStatus.DELIVERED, code="DELIVRD") for _, ref in answer.refs
    ]
    assert carrier.phones.texts(HOA.value)[0].state is TextState.DELIVERED


@pytest.mark.parametrize(
    ("faults", "word", "shown", "reported"),
    [
        (Faults(mode=Mode.OK), Word.TAKEN, True, "delivered by ref"),
        (Faults(lose_receipts=True), Word.TAKEN, True, None),
        (Faults(mode=Mode.HANG_UP), Word.HUNG_UP, True, "delivered by key"),
        (Faults(mode=Mode.HANG_UP, lose_receipts=True), Word.HUNG_UP, True, None),
        (Faults(switched_off=frozenset({HOA.value})), Word.TAKEN, False, "failed by ref"),
        (Faults(opted_out=frozenset({HOA.value})), Word.OPTED_OUT, False, None),
        (Faults(mode=Mode.REFUSE), Word.REFUSED, False, None),
        (Faults(mode=Mode.LOCKED), Word.LOCKED, False, None),
        (Faults(mode=Mode.BUSY), Word.BUSY, False, None),
        (Faults(mode=Mode.DOWN), Word.UNREACHABLE, False, None),
        (Faults(mode=Mode.NONSENSE), Word.NONSENSE, False, None),
    ],
)
async def test_faults(faults, word, shown, reported):
    provider = Provider(StoppedClock(), faults=replace(faults, receipt_after=0))
    sink = RecordingSink()
    provider.listen(sink.accept)
    assert (await provider.submit(message(HOA))).word is word
    assert bool(provider.phones.texts(HOA.value)) is shown
    if reported:
        await until(lambda: bool(sink.incoming))
    await provider.close()
    reports = [
        f"{receipt.status} by {'key' if receipt.by_key else 'ref'}" for receipt in sink.incoming
    ]
    assert reports == ([reported] if reported else [])


async def test_a_slow_carrier_answers_in_the_end(carrier):
    carrier.set_faults(delay=0.01)
    assert (await carrier.submit(message(HOA))).word is Word.TAKEN


async def test_one_part_is_taken_and_the_rest_later_makes_the_same_text_whole(carrier):
    carrier.set_faults(mode="partial")
    first = await carrier.submit(in_parts())
    assert (first.word, [part for part, _ in first.refs]) == (Word.PARTLY, [0])
    assert [text.text for text in carrier.phones.texts(HOA.value)] == [PARTS[0]]
    second = await carrier.submit(in_parts(accepted=(0,)))
    assert (second.word, [part for part, _ in second.refs]) == (Word.TAKEN, [1])
    assert [text.text for text in carrier.phones.texts(HOA.value)] == ["".join(PARTS)]


async def test_a_repeated_message_is_a_second_text_unless_duplicates_are_suppressed(carrier):
    await carrier.submit(message(HOA))
    await carrier.submit(message(HOA))
    assert len(carrier.phones.texts(HOA.value)) == 2

    clock = StoppedClock()
    careful = Provider(clock, suppresses_duplicates=60_000, faults=Faults(lose_receipts=True))
    words = []
    for later in (0, 59_999, 1):
        clock.now += later
        words.append((await careful.submit(message(HOA))).word)
    assert words == [Word.TAKEN, Word.DUPLICATE, Word.TAKEN]
    assert len(careful.phones.texts(HOA.value)) == 2


async def test_an_unacknowledged_report_is_sent_again(carrier):
    taken = []

    async def refuses_once(receipts):
        taken.append(receipts)
        if len(taken) == 1:
            raise StoreError("The store is closed.")

    carrier.listen(refuses_once)
    await carrier.submit(message(HOA))
    await until(lambda: len(taken) == 2)
    assert taken[0] == taken[1]


async def test_what_a_person_writes_becomes_a_signed_call(carrier):
    call = carrier.write(HOA.value, "HS H19.45-261118-0007")
    assert call.path == "/inbound"
    assert call.headers["x-simulator-secret"] == SECRET
    assert json.loads(call.body) == {
        "id": call.id,
        "from": HOA.value,
        "text": "HS H19.45-261118-0007",
    }
    (text,) = carrier.phones.texts(HOA.value)
    assert (text.id, text.direction, text.state) == (call.id, Direction.OUT, TextState.SENT)


@pytest.mark.parametrize(
    ("arrived", "state"), [(True, TextState.DELIVERED), (False, TextState.FAILED)]
)
async def test_the_phone_shows_whether_a_text_left(carrier, arrived, state):
    call = carrier.write(HOA.value, "HD")
    carrier.written(HOA.value, call.id, arrived=arrived)
    assert carrier.phones.texts(HOA.value)[0].state is state


def test_ids_differ_from_those_of_another_run():
    first, second = (Provider(StoppedClock()).write(HOA.value, "HD").id for _ in range(2))
    assert first != second


async def test_observers_wake_on_a_change(carrier):
    seen = carrier.phones.version
    waiting = asyncio.create_task(carrier.phones.changed(seen))
    await asyncio.sleep(0)
    assert not waiting.done()
    carrier.write(HOA.value, "HD")
    assert await waiting == carrier.phones.version > seen
    waiting = asyncio.create_task(carrier.phones.changed(carrier.phones.version))
    await asyncio.sleep(0)
    carrier.set_faults(lose_receipts=True)
    assert await waiting == carrier.phones.version


def test_a_phone_forgets_its_oldest_texts():
    provider = Provider(StoppedClock())
    for number in range(TEXTS_KEPT + 5):
        provider.write(HOA.value, str(number))
    texts = provider.phones.texts(HOA.value)
    assert (len(texts), texts[0].text) == (TEXTS_KEPT, "5")


def test_an_unknown_mode_is_an_error(carrier):
    with pytest.raises(ValueError, match="explode"):
        carrier.set_faults(mode="explode")


async def test_nothing_shows_a_number(carrier):
    carrier.set_faults(opted_out=frozenset({HOA.value}), switched_off=frozenset({HOA.value}))
    call = carrier.write(HOA.value, "Tôi là Hoa")
    shown = repr([carrier, carrier.faults, call, carrier.phones, carrier.phones.texts(HOA.value)])
    assert HOA.value.removeprefix("+84") not in shown
    assert "Tôi là Hoa" not in shown
    assert SECRET not in shown


# ----------------------------------------------------------------------------------- the gateway


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.REFUSE, Permanent(code="refused", detail="the carrier refuses this recipient")),
        (
            Mode.LOCKED,
            Permanent(
                code="account-locked", detail="the carrier refuses our login", scope=Scope.ACCOUNT
            ),
        ),
        (Mode.BUSY, Throttled(retry_after=2_000)),
        (Mode.DOWN, Temporary(code="unreachable", detail="the carrier can't be reached")),
    ],
)
async def test_words_become_outcomes(mode, outcome):
    async with Rig() as rig:
        rig.gateway.provider.set_faults(mode=mode)
        assert await rig.gateway.send(message(HOA)) == outcome


async def test_opted_out_is_an_outcome_of_its_own():
    async with Rig() as rig:
        rig.gateway.provider.set_faults(opted_out=frozenset({HOA.value}))
        assert await rig.gateway.send(message(HOA)) == OptedOut(code="opted-out")


async def test_partial_names_the_part_that_was_taken():
    async with Rig() as rig:
        rig.gateway.provider.set_faults(mode=Mode.PARTIAL)
        outcome = await rig.gateway.send(in_parts())
        assert isinstance(outcome, Partial)
        ((part, ref),) = outcome.done
        assert (part, outcome.rest) == (0, Temporary(code="busy"))
        assert ref


async def test_a_suppressed_duplicate_is_accepted_as_one():
    async with Rig(suppresses_duplicates=60_000) as rig:
        await rig.gateway.send(message(HOA))
        assert await rig.gateway.send(message(HOA)) == Accepted(duplicate=True)


async def test_health_follows_the_carrier():
    rig = Rig()
    states = [rig.gateway.health().state]
    async with rig:
        for mode in (Mode.OK, Mode.DOWN, Mode.BUSY):
            rig.gateway.provider.set_faults(mode=mode)
            await rig.gateway.send(message(HOA))
            states.append(rig.gateway.health().state)
    states.append(rig.gateway.health().state)
    assert states == [
        HealthState.DOWN, HealthState.OK, HealthState.DOWN, HealthState.OK, HealthState.DOWN,
    ]  # fmt: skip


async def test_receipts_reach_the_sink():
    async with Rig() as rig:
        outcome = await rig.gateway.send(message(HOA))
        assert isinstance(outcome, Accepted)
        await until(lambda: bool(rig.sink.incoming))
        assert [receipt.ref for receipt in rig.sink.incoming] == list(outcome.refs)


async def test_the_gateway_reads_what_its_carrier_calls():
    rig = Rig()
    call = rig.gateway.provider.write(HOA.value, "TC")
    request = replace(rig.request(call.body), path=call.path, headers=call.headers)
    assert rig.gateway.read_webhook(request).incoming == (
        Inbound(key=call.id, sender=HOA, text="TC"),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"id": "t1", "text": "HD"}',
        b'{"id": "t1", "from": "hoa", "text": "HD"}',
        b'{"id": "", "from": "+84912000345", "text": "HD"}',
        b'{"id": "t1", "from": "+84912000345", "text": 7}',
    ],
)
def test_an_unreadable_call_is_kept_for_a_person(body):
    rig = Rig()
    (kept,) = rig.gateway.read_webhook(rig.request(body)).incoming
    assert isinstance(kept, Unreadable)
    assert kept.raw == body
    assert kept.reason
    assert "912000345" not in kept.reason
    assert rig.gateway.read_webhook(rig.request(body)).incoming == (kept,)


@pytest.mark.parametrize("path", ["/inbound", "inbound", "/inbound/"])
def test_the_path_may_come_with_or_without_a_slash(path):
    rig = Rig()
    body = rig.call("HD").body
    assert rig.gateway.read_webhook(rig.request(body, path=path)).incoming


@pytest.mark.parametrize(("method", "path"), [("GET", "/inbound"), ("POST", "/receipts")])
def test_another_call_is_refused(method, path):
    rig = Rig()
    with pytest.raises(WebhookError):
        rig.gateway.read_webhook(rig.request(b"{}", method=method, path=path))


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({}, ["secret"]),
        ({"secret": "short"}, ["secret"]),
        ({**SETTINGS, "timeout": 0, "rate": "fast"}, ["rate", "timeout"]),
        ({**SETTINGS, "colour": "red"}, ["colour"]),
        ({**SETTINGS, "kind": "telegram"}, ["kind"]),
    ],
)
def test_every_fault_of_the_settings_is_reported(settings, keys):
    with pytest.raises(ConfigurationError) as raised:
        SimulatorGateway("phones", settings, StoppedClock())
    assert sorted(fault.key for fault in raised.value.faults) == [
        f"gateways.phones.{key}" for key in keys
    ]
    assert "'short'" not in str(raised.value)


@pytest.mark.parametrize("body", [b'{"text": "\xff"}', b'{"a":' * 2_000], ids=["bytes", "depth"])
def test_a_call_that_json_does_not_bear_is_kept(body):
    rig = Rig()
    [item] = rig.gateway.read_webhook(rig.request(body)).incoming
    assert isinstance(item, Unreadable)
    assert item.raw == body
