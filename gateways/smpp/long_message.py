"""Long messages: how parts name the whole they belong to, and how they are put together again.

User data headers: 3GPP TS 23.040 9.2.3.24.1 (8-bit reference) and 9.2.3.24.8 (16-bit).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from gateways.smpp.pdu import Party, ShortMessage, Tag

HAS_HEADER: Final = 0x40
"""The bit of esm_class that says that a user data header stands before the text."""

_EIGHT_BIT: Final = 0x00
_SIXTEEN_BIT: Final = 0x08


class Joining(StrEnum):
    """How the parts of a message are told to belong together."""

    UDH = "udh"
    """A user data header with a reference of 8 bits: one of 16 leaves 66 characters of UCS-2, and
    texts are cut for the 67 that are paid for."""
    SAR = "sar"
    PAYLOAD = "payload"
    """Not cut by us: the whole in message_payload, and the centre cuts it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Part ``number`` (from 1) of ``total``, of the message ``reference``."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one PDU carries: ``header`` before the text, or ``tlvs`` beside it."""

    esm_class: int = 0
    header: bytes = b""
    tlvs: dict[int, bytes] = field(default_factory=dict)


ALONE: Final = Part()


def reference_of(key: str) -> int:
    """A reference (16 bits) that is the same on every attempt.

    So a part that is sent later still belongs to those that were taken before.
    """
    return int.from_bytes(blake2b(key.encode(), digest_size=2).digest(), "big")


def placed(joining: Joining, place: Place) -> Part:
    """What the part at ``place`` carries beside its text."""
    total, number = place.total, place.number
    match joining:
        case Joining.UDH:
            header = bytes((5, _EIGHT_BIT, 3, place.reference & 0xFF, total, number))
            return Part(esm_class=HAS_HEADER, header=header)
        case Joining.SAR:
            return Part(
                tlvs={
                    Tag.SAR_MSG_REF_NUM: place.reference.to_bytes(2, "big"),
                    Tag.SAR_TOTAL_SEGMENTS: bytes((total,)),
                    Tag.SAR_SEGMENT_SEQNUM: bytes((number,)),
                }
            )
        case Joining.PAYLOAD:
            return ALONE


def split_header(message: ShortMessage) -> tuple[Place | None, bytes]:
    """Where a message stands in a longer one, and its octets without the header.

    Raises ``ValueError`` for a header that is longer than the message, or that breaks off.
    """
    octets = message.octets
    if not message.esm_class & HAS_HEADER:
        return _place_by_tlvs(message), octets
    if not octets or octets[0] + 1 > len(octets):
        raise ValueError("its user data header is longer than the message")
    header, rest = octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
    return _place_in(header), rest


def _place_in(header: bytes) -> Place | None:
    at = 0
    while at < len(header):
        if at + 2 > len(header) or at + 2 + header[at + 1] > len(header):
            raise ValueError("its user data header breaks off")
        element, value = header[at], header[at + 2 : at + 2 + header[at + 1]]
        if element == _EIGHT_BIT and len(value) == 3:
            return _sound(Place(value[0], value[1], value[2]))
        if element == _SIXTEEN_BIT and len(value) == 4:
            return _sound(Place(int.from_bytes(value[:2], "big"), value[2], value[3]))
        at += 2 + len(value)
    return None


def _place_by_tlvs(message: ShortMessage) -> Place | None:
    values = [
        message.tlvs.get(tag)
        for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    ]
    if not all(values):
        return None
    return _sound(Place(*(int.from_bytes(value or b"", "big") for value in values)))


def _sound(place: Place) -> Place | None:
    """One of one, and what is numbered wrongly, is a message of its own (TS 23.040)."""
    return place if place.total > 1 and 1 <= place.number <= place.total else None


MOST: Final = 10_000
"""Messages that may lack a part at a time; then the oldest is forgotten, whose parts were kept."""

Whole = tuple[str, str, str, int, int]
"""What parts must share: bind, source, destination, reference, total."""


@dataclass(slots=True)
class Gathered:
    """Parts that have come, by number, each with what waits for it; ``since`` in elapsed ms."""

    since: int
    total: int
    data_coding: int
    octets: dict[int, bytes] = field(default_factory=dict, repr=False)
    waiting: list[Any] = field(default_factory=list, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether none is missing."""
        return len(self.octets) == self.total

    def joined(self) -> bytes:
        """What has come, in order; octets, since a character may be cut between two parts."""
        return b"".join(self.octets[number] for number in sorted(self.octets))


class Gathering:
    """Parts of long messages until they are whole, the oldest first."""

    def __init__(self) -> None:
        self._by_whole: OrderedDict[Whole, Gathered] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_whole)

    def add(
        self, bind: str, message: ShortMessage, place: Place, octets: bytes, now: int
    ) -> tuple[Whole, Gathered]:
        """Put one part in its place; a doubled one changes nothing."""
        whole = _whole(bind, message.source, message.destination, place)
        gathered = self._by_whole.get(whole)
        if gathered is None:
            if len(self._by_whole) >= MOST:
                self._by_whole.popitem(last=False)
            gathered = Gathered(since=now, total=place.total, data_coding=message.data_coding)
            self._by_whole[whole] = gathered
        gathered.octets.setdefault(place.number, octets)
        return whole, gathered

    def take(self, whole: Whole) -> None:
        """Forget it: it was handed on."""
        self._by_whole.pop(whole, None)

    def over(self, before: int) -> list[tuple[Whole, Gathered]]:
        """Those whose first part came before then (elapsed ms)."""
        return [(whole, one) for whole, one in self._by_whole.items() if one.since < before]


def _whole(bind: str, source: Party, destination: Party, place: Place) -> Whole:
    return bind, source.number, destination.number, place.reference, place.total
