"""SMPP 3.4: the codec by tables and properties, the gateway before a centre that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import ssl
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from contracts.gateway import Behaviour, message, until, watched
from doubles.clock import StillClock
from doubles.smsc import SmppRig, from_citizen, report
from hypothesis import given
from hypothesis import strategies as st

from gateways.smpp import SmppGateway
from gateways.smpp.alphabet import Alphabet, AlphabetError, decode, encode_default
from gateways.smpp.delivery import Report, is_report, read_report, receipt_of, same_id
from gateways.smpp.link import Link
from gateways.smpp.long_message import (
    HAS_HEADER,
    Gathering,
    Joining,
    Place,
    placed,
    reference_of,
    split_header,
)
from gateways.smpp.pdu import (
    LAST_SEQUENCE,
    LONGEST_PDU,
    Command,
    Frames,
    Party,
    Pdu,
    PduError,
    ShortMessage,
    Tag,
    encoded_tlvs,
    read_data,
    read_id,
    read_short_message,
)
from gateways.smpp.verdict import outcome_of
from notifier.domain.message import Inbound, Receipt, ReceiptStatus, Unreadable
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.domain.segments import plan_sms
from notifier.errors import ConfigurationError, WebhookError
from notifier.ports import HealthState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.domain.segments import SegmentPlan


@pytest.fixture
async def rig() -> AsyncIterator[SmppRig]:
    async with watched(SmppRig) as rig:
        assert isinstance(rig, SmppRig)
        yield rig


def sms(rig: SmppRig, text: str, *, number: int = 1) -> Message:
    return replace(message(rig.address, text, number=number), plan=plan_sms(text))


# ---------------------------------------------------------------------------------------- frames

UNITS = st.lists(
    st.builds(
        Pdu,
        st.sampled_from([*map(int, Command), 0x80000004, 0x12345]),
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.binary(max_size=40),
    ),
    max_size=8,
)


@given(UNITS, st.lists(st.integers(0, 400)))
def test_frames_are_the_same_however_they_were_cut(units: list[Pdu], cuts: list[int]) -> None:
    stream = b"".join(unit.encoded() for unit in units)
    frames = Frames()
    found: list[Pdu] = []
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for start, end in itertools.pairwise(edges):
        found += frames.feed(stream[start:end])
    assert found == units


@pytest.mark.parametrize("length", [0, 1, 15, LONGEST_PDU + 1, 0xFFFFFFFF])
def test_a_length_that_can_not_be_one_is_refused(length: int) -> None:
    with pytest.raises(PduError, match=str(length)):
        Frames().feed(length.to_bytes(4, "big") + bytes(12))


def test_what_stands_before_a_wrong_length_is_read_first() -> None:
    frames = Frames()
    good = Pdu(Command.ENQUIRE_LINK, 0, 7)
    assert frames.feed(good.encoded() + bytes(16)) == [good]
    with pytest.raises(PduError):
        frames.feed(b"")


# ---------------------------------------------------------------------------------------- bodies

NUMBERS = st.text("0123456789+MOTCUA", max_size=20)
PARTIES = st.builds(Party, st.integers(0, 255), st.integers(0, 255), NUMBERS)
BODIES = st.builds(
    ShortMessage,
    source=PARTIES,
    destination=PARTIES,
    octets=st.binary(max_size=700),
    service_type=st.text("CMT", max_size=5),
    esm_class=st.integers(0, 255),
    registered_delivery=st.integers(0, 255),
    data_coding=st.integers(0, 255),
)


@given(BODIES)
def test_a_body_is_read_as_it_was_written(body: ShortMessage) -> None:
    read = read_short_message(body.encoded())
    assert replace(read, tlvs={}) == body
    assert (Tag.MESSAGE_PAYLOAD in read.tlvs) == (len(body.octets) > 254)


@given(BODIES, st.integers(0, 30))
def test_a_body_that_breaks_off_is_refused(body: ShortMessage, at: int) -> None:
    with pytest.raises(PduError):
        read_short_message(replace(body, octets=bytes(30)).encoded()[: at - 31])


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    for read in (read_short_message, read_data):
        with contextlib.suppress(PduError):
            read(octets)


@pytest.mark.parametrize(
    ("body", "found"),
    [(b"abc\0", "abc"), (b"abc", "abc"), (b"\0", ""), (b"", ""), (b"a\0rest", "a")],
)
def test_an_id_with_and_without_its_end(body: bytes, found: str) -> None:
    assert read_id(body) == found


def test_data_sm_carries_its_text_as_payload() -> None:
    body = (
        b"CMT\0\x01\x0184912\0\x03\x008088\0"
        + bytes((0x40, 1, 8))
        + encoded_tlvs({0x0424: "đ".encode("utf-16-be"), 0x1402: b"vendor"})
    )
    read = read_data(body)
    assert (read.source.number, read.destination.number) == ("84912", "8088")
    assert (read.esm_class, read.registered_delivery, read.data_coding) == (0x40, 1, 8)
    assert read.octets == "đ".encode("utf-16-be")


# ------------------------------------------------------------------------------------- alphabets

GSM = st.text(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà\n\r\f^{}\\[~]|€"
)


@given(GSM)
def test_the_gsm_alphabet_there_and_back(text: str) -> None:
    octets = encode_default(text, Alphabet.GSM)
    assert decode(octets, 0, Alphabet.GSM) == text
    assert len(octets) == plan_sms(text).units if text else octets == b""


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"\x00H", 0x00, "@H"),
        (b"\x1b\x65", 0x00, "€"),
        (b"\x1b\x41", 0x00, "A"),
        (b"A\x1b", 0x00, "A"),
        (b"\x00H", 0x10, "@H"),
        (b"\x00H", 0xF1, "@H"),
        ("Hồ sơ".encode("utf-16-be"), 0x08, "Hồ sơ"),
        ("Hồ sơ".encode("utf-16-be"), 0x18, "Hồ sơ"),
        ("👍".encode("utf-16-be"), 0x08, "👍"),
        (b"\xd8\x3d", 0x08, "\ufffd"),
        (b"caf\xe9", 0x03, "café"),
    ],
)
def test_what_codings_mean(octets: bytes, coding: int, text: str) -> None:
    assert decode(octets, coding, Alphabet.GSM) == text


@pytest.mark.parametrize(
    ("octets", "coding"), [(b"\x80", 0x00), (b"\x00", 0x08), (b"x", 0x04), (b"x", 0xF5)]
)
def test_what_is_no_text_is_refused_without_being_quoted(octets: bytes, coding: int) -> None:
    with pytest.raises(AlphabetError):
        decode(octets, coding, Alphabet.GSM)


def test_a_text_that_the_alphabet_lacks_is_not_sent_with_question_marks() -> None:
    with pytest.raises(AlphabetError, match="ascii lacks"):
        encode_default("đ", Alphabet.ASCII)


# --------------------------------------------------------------------------------- long messages

PLACES = st.integers(2, 255).flatmap(
    lambda total: st.builds(Place, st.integers(0, 0xFFFF), st.just(total), st.integers(1, total))
)
NO_ONE = Party(0, 0, "")


@given(PLACES, st.sampled_from([Joining.UDH, Joining.SAR]), st.binary(max_size=140))
def test_a_place_is_read_as_it_was_written(place: Place, joining: Joining, octets: bytes) -> None:
    part = placed(joining, place)
    found, rest = split_header(
        ShortMessage(
            source=NO_ONE,
            destination=NO_ONE,
            esm_class=part.esm_class,
            octets=part.header + octets,
            tlvs=part.tlvs,
        )
    )
    reference = place.reference & (0xFF if joining is Joining.UDH else 0xFFFF)
    assert found == replace(place, reference=reference)
    assert rest == octets


@pytest.mark.parametrize(
    ("header", "place"),
    [
        (b"\x05\x00\x03\x07\x02\x01", Place(7, 2, 1)),
        (b"\x06\x08\x04\x01\x02\x03\x02", Place(0x102, 3, 2)),
        (b"\x09\x24\x02\x01\x02\x00\x03\x07\x02\x02", Place(7, 2, 2)),
        (b"\x06\x05\x04\x0b\x84\x23\xf0", None),
        (b"\x05\x00\x03\x07\x01\x01", None),
        (b"\x05\x00\x03\x07\x02\x03", None),
        (b"\x05\x00\x03\x07\x02\x00", None),
        (b"\x00", None),
    ],
    ids=["8 bit", "16 bit", "behind another", "ports", "one of one", "beyond", "zeroth", "empty"],
)
def test_headers_are_walked(header: bytes, place: Place | None) -> None:
    found, rest = split_header(
        ShortMessage(source=NO_ONE, destination=NO_ONE, esm_class=HAS_HEADER, octets=header + b"hi")
    )
    assert (found, rest) == (place, b"hi")


@pytest.mark.parametrize("octets", [b"", b"\x05", b"\x03\x00\x03\x07", b"\x01\x00"])
def test_a_header_that_breaks_off_is_refused(octets: bytes) -> None:
    broken = ShortMessage(source=NO_ONE, destination=NO_ONE, esm_class=HAS_HEADER, octets=octets)
    with pytest.raises(ValueError, match="header"):
        split_header(broken)


@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=4))
def test_parts_come_in_any_order_and_doubled(order: list[int], doubled: list[int]) -> None:
    gathering = Gathering()
    parts = [b"mot ", b"hai ", b"ba ", b"bon"]
    for number in [*order[:-1], *(one for one in doubled if one != order[-1]), order[-1]]:
        whole, gathered = gathering.add(
            "b", from_citizen(b""), Place(7, 4, number + 1), parts[number], 0
        )
    assert gathered.is_whole
    assert gathered.joined() == b"mot hai ba bon"
    gathering.take(whole)
    assert len(gathering) == 0


@pytest.mark.parametrize("other", ["bind", "source", "destination", "reference", "total"])
def test_parts_of_two_messages_never_mix(other: str) -> None:
    """Two citizens whose phones count alike."""
    gathering = Gathering()
    mine = from_citizen(b"")
    gathering.add("b", mine, Place(7, 2, 1), b"mine", 0)
    theirs = {
        "bind": ("c", mine, Place(7, 2, 2)),
        "source": ("b", from_citizen(b"", number="84913"), Place(7, 2, 2)),
        "destination": ("b", replace(mine, destination=Party(3, 0, "8383")), Place(7, 2, 2)),
        "reference": ("b", mine, Place(8, 2, 2)),
        "total": ("b", mine, Place(7, 3, 2)),
    }[other]
    _, gathered = gathering.add(*theirs, b"theirs", 0)
    assert gathered.joined() == b"theirs"
    assert not gathered.is_whole


@given(st.text(min_size=1))
def test_the_reference_of_a_message_never_changes(key: str) -> None:
    assert reference_of(key) == reference_of(key)
    assert 0 <= reference_of(key) <= 0xFFFF


# --------------------------------------------------------------------------------------- reports

TEXTS = [
    ("id:0123456789 sub:001 dlvrd:001 submit date:2611201000 stat:DELIVRD err:000 text:Ho so",
     Report(ref="0123456789", word="DELIVRD", error="000")),
    ("id:AB12 stat:UNDELIV err:1A", Report(ref="AB12", word="UNDELIV", error="1A")),
    ("ID: 77 Stat: Expired", Report(ref="77", word="EXPIRED")),
    ("stat:DELIVRD id:c0ffee-1", Report(ref="c0ffee-1", word="DELIVRD")),
    ("id:5 sub:001 stat:BLOCKED err:", Report(ref="5", word="BLOCKED")),
    ("Ho so cua toi", None),
    ("id:5", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), TEXTS)
def test_reports_in_words(text: str, found: Report | None) -> None:
    assert read_report(report(text)) == found


def test_a_report_by_its_parameters_wins_over_its_words() -> None:
    tlvs = {
        Tag.RECEIPTED_MESSAGE_ID: b"77\0",
        Tag.MESSAGE_STATE: b"\x05",
        Tag.NETWORK_ERROR_CODE: b"\x03\x00\x0b",
    }
    found = read_report(report("id:1 stat:DELIVRD err:000", tlvs=tlvs))
    assert found == Report(ref="77", word="UNDELIV", error="11")


@pytest.mark.parametrize(
    ("word", "esm_class", "status"),
    [
        ("DELIVRD", 0x04, ReceiptStatus.DELIVERED),
        ("DELIVRD", 0x20, ReceiptStatus.PENDING),
        ("UNDELIV", 0x04, ReceiptStatus.FAILED),
        ("REJECTD", 0x04, ReceiptStatus.FAILED),
        ("ENROUTE", 0x04, ReceiptStatus.PENDING),
        ("BLOCKED", 0x04, ReceiptStatus.PENDING),
    ],
)
def test_what_a_word_means(word: str, esm_class: int, status: ReceiptStatus) -> None:
    said = from_citizen(f"id:1 stat:{word} err:000".encode(), esm_class=esm_class)
    found = read_report(said)
    assert found is not None
    assert receipt_of(found, said, "text") == Receipt(ref="1", status=status, code=word)


@pytest.mark.parametrize(
    ("answered", "answer_base", "reported", "report_base"),
    [
        ("0000000123", "text", "123", "text"),
        ("AB12", "text", "ab12", "text"),
        ("1A2B", "hex", "6699", "decimal"),
        ("6699", "decimal", "00001a2b", "hex"),
        ("c0ffee-1", "hex", "C0FFEE-1", "decimal"),
        ("000", "text", "0", "text"),
    ],
)
def test_one_id_written_in_two_ways(
    answered: str, answer_base: str, reported: str, report_base: str
) -> None:
    assert same_id(answered, answer_base) == same_id(reported, report_base)  # type: ignore[arg-type]


def test_ids_that_differ_stay_apart() -> None:
    assert len({same_id(one, "text") for one in ("1", "2", "10", "a1", "1a")}) == 5


def test_a_citizen_who_writes_about_an_id_is_no_report() -> None:
    assert not is_report(from_citizen(b"id:123 stat:DELIVRD"))


# -------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x58, Throttled(retry_after=1000)),
        (0x14, Throttled(retry_after=1000)),
        (0x08, Temporary(code="RSYSERR")),
        (0x64, Temporary(code="RX_T_APPN")),
        (0x0B, Permanent(code="RINVDSTADR", scope=Scope.RECIPIENT)),
        (0x0E, Permanent(code="RINVPASWD", scope=Scope.ACCOUNT)),
        (0x0A, Permanent(code="RINVSRCADR", scope=Scope.ACCOUNT)),
        (0x01, Permanent(code="RINVMSGLEN", scope=Scope.CONTENT)),
        (0x0431, Permanent(code="0x0431", scope=Scope.RECIPIENT)),
        (0x0400, Temporary(code="0x0400")),
        (0x0401, OptedOut(code="0x0401")),
    ],
)
def test_what_a_status_means(status: int, outcome: Outcome) -> None:
    assert outcome_of(status, {"0x0400": "temporary", "0x401": "opted_out"}) == outcome


# ---------------------------------------------------------------------------------- the gateway

LONG = "Ho so cua Ong/Ba da co ket qua, moi den nhan. " * 5


@pytest.mark.parametrize("joining", list(Joining), ids=str)
@pytest.mark.parametrize("text", [LONG, "Hồ sơ đã có kết quả. " * 8, "€" * 120, "🎉" * 50])
async def test_long_messages_arrive_whole(joining: Joining, text: str) -> None:
    async with SmppRig(joining=joining.value) as rig:
        outcome = await rig.gateway.send(sms(rig, text))
    plan: SegmentPlan = plan_sms(text)
    assert isinstance(outcome, Accepted)
    assert len(outcome.refs) == (1 if joining is Joining.PAYLOAD else plan.segments)
    assert [taken.text for taken in rig.received] == [text]
    most = 70_000 if joining is Joining.PAYLOAD else 160 if "GSM" in plan.encoding else 140
    assert all(len(one.octets) <= most for one in rig.centre.submitted)


async def test_only_what_was_not_taken_is_sent_again_under_the_same_reference(
    rig: SmppRig,
) -> None:
    rig.centre.statuses = [0, 0x08]
    first = await rig.gateway.send(sms(rig, LONG))
    assert isinstance(first, Partial)
    assert isinstance(first.rest, Temporary)
    [(taken, _)] = first.done
    again = await rig.gateway.send(replace(sms(rig, LONG), accepted_parts=(taken,)))
    assert isinstance(again, Accepted)
    assert len(again.refs) == 1
    assert len(rig.centre.submitted) == 3
    references = {one.octets[3] for one in rig.centre.submitted}
    assert len(references) == 1
    assert LONG in {one.text for one in rig.received}


async def test_what_is_submitted(rig: SmppRig) -> None:
    await rig.gateway.send(sms(rig, "Ho so {da} xong"))
    [body] = rig.centre.submitted
    assert body.source == Party(5, 0, "MOTCUA")
    assert body.destination == Party(1, 1, "84912345678")
    assert (body.registered_delivery, body.data_coding, body.esm_class) == (1, 0, 0)
    assert body.octets == b"Ho so \x1b(da\x1b) xong"


async def test_a_lost_link_leaves_nobody_waiting_and_is_made_again(rig: SmppRig) -> None:
    await rig.provider(Behaviour.SILENT)
    sending = asyncio.create_task(rig.gateway.send(sms(rig, "mot")))
    await until(lambda: bool(rig.received))
    rig.centre.hang_up()
    assert await sending == Unknown(code="lost", detail="no answer to a submit_sm")
    await rig.provider(Behaviour.ACCEPT)
    assert isinstance(await rig.gateway.send(sms(rig, "hai", number=2)), Accepted)
    assert rig.gateway.health().state is HealthState.OK


async def test_no_answer_in_time_is_unknown_and_the_link_stays(rig: SmppRig) -> None:
    await rig.provider(Behaviour.SILENT)
    outcome = await rig.gateway.send(sms(rig, "mot"))
    assert outcome == Unknown(code="timeout", detail="no answer to a submit_sm")
    await rig.provider(Behaviour.ACCEPT)
    assert isinstance(await rig.gateway.send(sms(rig, "hai", number=2)), Accepted)
    assert len(rig.centre.links) == 1


async def test_what_the_centre_writes_may_come_octet_by_octet(rig: SmppRig) -> None:
    rig.centre.chop = 1
    sequence = await rig.centre.deliver(from_citizen(b"HS H10.19-250703-0001"))
    assert (await rig.centre.answer_to(sequence)).status == 0
    [inbound] = rig.sink.incoming
    assert isinstance(inbound, Inbound)
    assert inbound.text == "HS H10.19-250703-0001"
    assert inbound.sender.value == "+84912000000"
    assert inbound.to == "8088"


async def test_many_units_in_one_piece(rig: SmppRig) -> None:
    bodies = [from_citizen(f"tin {n}".encode(), number=f"8491200{n:04}") for n in range(300)]
    await rig.centre.write(
        b"".join(
            Pdu(Command.DELIVER_SM, 0, n + 1, body.encoded()).encoded()
            for n, body in enumerate(bodies)
        )
    )
    await until(lambda: len(rig.centre.answers) == 300)
    assert all(answer.status == 0 for answer in rig.centre.answers.values())
    assert len(rig.sink.incoming) == 300


async def test_nothing_is_acknowledged_that_could_not_be_kept(rig: SmppRig) -> None:
    async def fail(incoming: object) -> None:
        raise OSError("disk full")

    kept, rig.sink.accept = rig.sink.accept, fail  # type: ignore[method-assign]
    sequence = await rig.centre.deliver(from_citizen(b"HS"))
    assert (await rig.centre.answer_to(sequence)).status == 0x64
    rig.sink.accept = kept  # type: ignore[method-assign]
    again = await rig.centre.deliver(from_citizen(b"HS"))
    assert (await rig.centre.answer_to(again)).status == 0


async def test_the_same_text_brought_twice_has_one_key(rig: SmppRig) -> None:
    """A centre that lost our answer brings it again."""
    for text, later in (("HS 1", 0), ("HS 1", 3_000), ("HS 2", 0), ("HS 1", 20_000)):
        rig.clock.now += later
        await rig.centre.answer_to(await rig.centre.deliver(from_citizen(text.encode())))
    keys = [one.key for one in rig.sink.incoming if isinstance(one, Inbound)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


async def test_a_long_question_is_acknowledged_when_all_of_it_is_kept(rig: SmppRig) -> None:
    text = "Hồ sơ của tôi 👍 nộp ngày 3/7 sao chưa thấy gì".encode("utf-16-be")
    first, second = (
        from_citizen(
            placed(Joining.UDH, Place(7, 2, n + 1)).header + text[n * 35 : n * 35 + 35 + n * 99],
            esm_class=HAS_HEADER,
            data_coding=8,
        )
        for n in range(2)
    )
    late = await rig.centre.deliver(second)
    await asyncio.sleep(0.05)
    assert late not in rig.centre.answers
    early = await rig.centre.deliver(first)
    assert (await rig.centre.answer_to(early)).status == 0
    assert (await rig.centre.answer_to(late)).status == 0
    [inbound] = rig.sink.incoming
    assert isinstance(inbound, Inbound)
    assert inbound.text == text.decode("utf-16-be")


async def test_a_centre_that_brings_one_part_at_a_time_is_answered() -> None:
    clock = StillClock()
    async with SmppRig(clock, parts_within=1) as rig:
        parts = [
            from_citizen(placed(Joining.UDH, Place(7, 2, n + 1)).header + text, esm_class=0x40)
            for n, text in enumerate((b"HS H10.19", b"-250703-0001"))
        ]
        waiting = await rig.centre.deliver(parts[0])
        await asyncio.sleep(0.05)
        clock.now += 2_000
        assert (await rig.centre.answer_to(waiting)).status == 0
        [missing] = rig.sink.incoming
        assert isinstance(missing, Unreadable)
        assert "1 of 2 parts" in missing.reason
        await rig.centre.answer_to(await rig.centre.deliver(parts[1]))
    inbound = rig.sink.incoming[1]
    assert isinstance(inbound, Inbound)
    assert inbound.text == "HS H10.19-250703-0001"


async def test_reports_reach_the_message(rig: SmppRig) -> None:
    outcome = await rig.gateway.send(sms(rig, "mot"))
    assert isinstance(outcome, Accepted)
    await rig.centre.answer_to(
        await rig.centre.deliver(report("id:1 stat:DELIVRD err:000 text:mot"))
    )
    assert rig.sink.incoming == [
        Receipt(ref=outcome.refs[0], status=ReceiptStatus.DELIVERED, code="DELIVRD")
    ]


@pytest.mark.parametrize(
    "body",
    [
        from_citizen(b"\x05", esm_class=HAS_HEADER),
        from_citizen(b"\x00", data_coding=8),
        from_citizen(b"binary", data_coding=4),
        report("no report at all"),
    ],
)
async def test_what_can_not_be_read_is_kept_and_stops_nothing(
    rig: SmppRig, body: ShortMessage
) -> None:
    await rig.centre.answer_to(await rig.centre.deliver(body))
    await rig.centre.answer_to(await rig.centre.deliver(from_citizen(b"HS")))
    unreadable, inbound = rig.sink.incoming
    assert isinstance(unreadable, Unreadable)
    assert isinstance(inbound, Inbound)


async def test_what_is_no_smpp_ends_the_link_and_a_new_one_is_made(rig: SmppRig) -> None:
    await rig.centre.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await until(lambda: len(rig.centre.links) == 2)
    assert isinstance(await rig.gateway.send(sms(rig, "mot")), Accepted)


async def test_a_centre_may_ask_whether_we_are_there_and_say_goodbye(rig: SmppRig) -> None:
    await rig.centre.write(Pdu(Command.ENQUIRE_LINK, 0, 11).encoded())
    assert (await rig.centre.answer_to(11)).command == Command.ENQUIRE_LINK | 0x80000000
    await rig.centre.write(Pdu(0x777, 0, 12).encoded())
    nack = await rig.centre.answer_to(12)
    assert (nack.command, nack.status) == (Command.GENERIC_NACK, 0x03)
    await rig.centre.write(Pdu(Command.UNBIND, 0, 13).encoded())
    assert (await rig.centre.answer_to(13)).command == Command.UNBIND | 0x80000000
    await until(lambda: len(rig.centre.links) == 2)


async def test_a_silent_centre_is_asked_and_then_left() -> None:
    async with SmppRig(enquire_after=0.2) as rig:
        await until(lambda: any(one.command == Command.ENQUIRE_LINK for one in rig.centre.asked))
        links = len(rig.centre.links)
        rig.centre._take = _say_nothing  # type: ignore[method-assign]
        await until(lambda: "does not answer" in rig.gateway.health().reason)
        assert links == 1


async def _say_nothing(unit: Pdu, writer: object) -> bool:
    return True


async def test_unbind_is_said_when_we_stop(rig: SmppRig) -> None:
    await rig.gateway.stop(1)
    assert rig.centre.asked[-1].command == Command.UNBIND


async def test_two_kinds_of_bind() -> None:
    async with SmppRig(bind="both", binds=2) as rig:
        await until(lambda: len(rig.centre.links) == 4)
        kinds = sorted(one.command for one in rig.centre.asked)
        assert kinds == [Command.BIND_RECEIVER] * 2 + [Command.BIND_TRANSMITTER] * 2
        for number in range(4):
            await rig.gateway.send(sms(rig, f"tin {number}", number=number))
        assert len(rig.received) == 4


async def test_sequence_numbers_start_again_after_the_last(rig: SmppRig) -> None:
    [binding] = rig.gateway._bindings
    link = await binding.link()
    assert isinstance(link, Link)
    link._sequence = LAST_SEQUENCE - 1
    for number in range(3):
        await rig.gateway.send(sms(rig, f"tin {number}", number=number))
    used = [one.sequence for one in rig.centre.asked if one.command == Command.SUBMIT_SM]
    assert used == [LAST_SEQUENCE, 1, 2]


async def test_the_window_is_kept() -> None:
    async with SmppRig(window=3, timeout=5) as rig:
        await rig.provider(Behaviour.SILENT)
        sending = [
            asyncio.create_task(rig.gateway.send(sms(rig, f"tin {n}", number=n))) for n in range(9)
        ]
        await until(lambda: len(rig.received) == 3)
        await asyncio.sleep(0.1)
        assert len(rig.received) == 3
        rig.centre.hang_up()
        outcomes = await asyncio.gather(*sending)
    assert sum(isinstance(one, Unknown) for one in outcomes) == 3
    assert sum(isinstance(one, Temporary) for one in outcomes) == 6, "nothing of them was written"


async def test_over_tls(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(  # noqa: ASYNC221, S603 - a command of ours, over before anything begins
        [
            shutil.which("openssl") or "openssl", "req", "-x509", "-newkey", "ec",
            "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    async with SmppRig(tls=True, tls_ca=str(certificate), served=served) as rig:
        assert isinstance(await rig.gateway.send(sms(rig, "mot")), Accepted)
    strangers = SmppRig(tls=True, served=served, wait=False)
    async with strangers:
        outcome = await strangers.gateway.send(sms(strangers, "mot"))
        assert isinstance(outcome, Temporary), "a certificate that nobody vouches for"


async def test_query(rig: SmppRig) -> None:
    assert await rig.gateway.query("1") is None, "a switch, off by itself"


async def test_a_callback_is_no_way_in(rig: SmppRig) -> None:
    with pytest.raises(WebhookError, match="by its link"):
        rig.gateway.read_webhook(None)  # type: ignore[arg-type]


def test_all_faults_of_a_table_are_named_together() -> None:
    with pytest.raises(ConfigurationError) as raised:
        SmppGateway(
            "carrier",
            {"port": 0, "password": "x" * 65, "joining": "glue", "statuses": {"88": "throttled"}},
            StillClock(),
        )
    keys = {fault.key.split(".")[2] for fault in raised.value.faults}
    assert keys == {"host", "port", "system_id", "password", "joining", "statuses"}
    assert "xxx" not in str(raised.value)
