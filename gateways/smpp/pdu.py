"""SMPP 3.4 on the wire: frames, and the bodies of the operations that are used.

Sections named here are those of the specification "SMPP v3.4, Issue 1.2". Lengths are in octets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 0x34
RESPONSE: Final = 0x8000_0000
LAST_SEQUENCE: Final = 0x7FFF_FFFF
LONGEST_PDU: Final = 128 * 1024
"""The longest body is a payload of 64 KiB; whoever announces more is not in step with us."""

_HEADER: Final = Struct(">IIII")
_TLV: Final = Struct(">HH")
HEADER_LENGTH: Final = _HEADER.size


class Command(IntEnum):
    """Operations (5.1.2.1); the answer to one is its number with the highest bit set."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    QUERY_SM = 0x03
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103
    GENERIC_NACK = 0x8000_0000


class Tag(IntEnum):
    """Optional parameters (5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class PduError(ValueError):
    """What came is no PDU: the sentence says why. ``status`` is what the other side is told."""

    def __init__(self, problem: str, status: int) -> None:
        super().__init__(problem)
        self.status = status


RINVMSGLEN: Final = 0x01
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03


@dataclass(frozen=True, slots=True)
class Pdu:
    """One protocol unit; ``body`` is what follows the header."""

    command: int
    status: int
    sequence: int
    body: bytes = field(default=b"", repr=False)

    def encoded(self) -> bytes:
        """Header and body."""
        length = HEADER_LENGTH + len(self.body)
        return _HEADER.pack(length, self.command, self.status, self.sequence) + self.body

    @property
    def is_response(self) -> bool:
        """Whether it answers something."""
        return self.command >= RESPONSE


class Frames:
    """Cuts what arrives into PDUs, however it was cut on its way."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, arrived: bytes) -> list[Pdu]:
        """Every PDU that is whole now.

        Raises ``PduError`` where a length can't be one: nothing after it can be read any more.
        """
        held = self._held
        held += arrived
        found: list[Pdu] = []
        at, end = 0, len(held)
        try:
            while end - at >= HEADER_LENGTH:
                length, command, status, sequence = _HEADER.unpack_from(held, at)
                if not HEADER_LENGTH <= length <= LONGEST_PDU:
                    if found:
                        break  # those before it first; it is met again with the next bytes
                    raise PduError(f"a PDU announces a length of {length}", RINVCMDLEN)
                if end - at < length:
                    break
                body = bytes(held[at + HEADER_LENGTH : at + length])
                found.append(Pdu(command, status, sequence, body))
                at += length
        finally:
            del held[:at]
        return found


@dataclass(frozen=True, slots=True)
class Party:
    """An address with its type of number and numbering plan (5.2.5, 5.2.6)."""

    ton: int
    npi: int
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortMessage:
    """The body that submit_sm and deliver_sm share (4.4.1, 4.6.1).

    ``octets`` is the text with its user data header, from ``short_message`` or, where that is
    empty, from ``message_payload``.
    """

    source: Party
    destination: Party
    octets: bytes = field(default=b"", repr=False)
    service_type: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered_delivery: int = 0
    replace_if_present: int = 0
    data_coding: int = 0
    default_message: int = 0
    tlvs: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    def encoded(self) -> bytes:
        """The body of a submit_sm or deliver_sm; a text over 254 octets goes as its payload."""
        tlvs = dict(self.tlvs)
        octets = self.octets
        if len(octets) > LONGEST_SHORT_MESSAGE:
            tlvs[Tag.MESSAGE_PAYLOAD] = octets
            octets = b""
        return b"".join(
            (
                _text(self.service_type),
                _party(self.source),
                _party(self.destination),
                bytes((self.esm_class, self.protocol_id, self.priority)),
                _text(self.schedule),
                _text(self.validity),
                bytes(
                    (
                        self.registered_delivery,
                        self.replace_if_present,
                        self.data_coding,
                        self.default_message,
                        len(octets),
                    )
                ),
                octets,
                encoded_tlvs(tlvs),
            )
        )


LONGEST_SHORT_MESSAGE: Final = 254


class Body:
    """Reads a body from its beginning; every reading raises ``PduError`` past its end."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._body)

    def text(self) -> str:
        """A C-octet string. Ids and addresses are ASCII; what is not is kept as Latin-1."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise PduError("a string in a body has no end", RINVMSGLEN)
        found = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return found

    def last_text(self) -> str:
        """A C-octet string at the end of a body; some centres leave out its NUL, or all of it."""
        if self.ended:
            return ""
        if b"\0" in self._body[self._at :]:
            return self.text()
        found = self._body[self._at :].decode("latin-1")
        self._at = len(self._body)
        return found

    def octet(self) -> int:
        """One octet as a number."""
        return self.octets(1)[0]

    def octets(self, count: int) -> bytes:
        """That many octets."""
        if self._at + count > len(self._body):
            raise PduError("a body ends too early", RINVMSGLEN)
        found = self._body[self._at : self._at + count]
        self._at += count
        return found

    def party(self) -> Party:
        """An address with its two types."""
        return Party(self.octet(), self.octet(), self.text())

    def tlvs(self) -> dict[int, bytes]:
        """The optional parameters up to the end; of one that is repeated, the first."""
        found: dict[int, bytes] = {}
        while not self.ended:
            tag, length = _TLV.unpack(self.octets(_TLV.size))
            found.setdefault(tag, self.octets(length))
        return found


def read_short_message(body: bytes) -> ShortMessage:
    """The body of a submit_sm or deliver_sm; raises ``PduError``."""
    read = Body(body)
    service_type, source, destination = read.text(), read.party(), read.party()
    esm_class, protocol_id, priority = read.octets(3)
    schedule, validity = read.text(), read.text()
    registered_delivery, replace, data_coding, default, length = read.octets(5)
    octets = read.octets(length)
    tlvs = read.tlvs()
    return ShortMessage(
        service_type=service_type,
        source=source,
        destination=destination,
        esm_class=esm_class,
        protocol_id=protocol_id,
        priority=priority,
        schedule=schedule,
        validity=validity,
        registered_delivery=registered_delivery,
        replace_if_present=replace,
        data_coding=data_coding,
        default_message=default,
        octets=octets or tlvs.get(Tag.MESSAGE_PAYLOAD, b""),
        tlvs=tlvs,
    )


def read_data(body: bytes) -> ShortMessage:
    """The body of a data_sm (4.7.1), whose text is always a payload; raises ``PduError``."""
    read = Body(body)
    service_type, source, destination = read.text(), read.party(), read.party()
    esm_class, registered_delivery, data_coding = read.octets(3)
    tlvs = read.tlvs()
    return ShortMessage(
        service_type=service_type,
        source=source,
        destination=destination,
        esm_class=esm_class,
        registered_delivery=registered_delivery,
        data_coding=data_coding,
        octets=tlvs.get(Tag.MESSAGE_PAYLOAD, b""),
        tlvs=tlvs,
    )


def bind_body(system_id: str, password: str, system_type: str) -> bytes:
    """The body of each of the three binds (4.1)."""
    return b"".join(
        (_text(system_id), _text(password), _text(system_type), bytes((VERSION, 0, 0)), _text(""))
    )


def query_body(message_id: str, source: Party) -> bytes:
    """The body of a query_sm (4.8.1)."""
    return _text(message_id) + _party(source)


def id_body(message_id: str) -> bytes:
    """The body of a submit_sm_resp, and of a deliver_sm_resp, whose id is empty."""
    return _text(message_id)


def read_id(body: bytes) -> str:
    """The id in a submit_sm_resp; empty where there is none."""
    return Body(body).last_text()


def encoded_tlvs(tlvs: Mapping[int, bytes]) -> bytes:
    """Optional parameters in the order given."""
    return b"".join(_TLV.pack(tag, len(value)) + value for tag, value in tlvs.items())


def _text(text: str) -> bytes:
    return text.encode("latin-1") + b"\0"


def _party(party: Party) -> bytes:
    return bytes((party.ton, party.npi)) + _text(party.number)
