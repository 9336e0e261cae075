"""Delivery reports: what a deliver_sm says of a message that was submitted before.

By its optional parameters where there are any, else by its text, for whose form SMPP 3.4 appendix B
gives an example and nobody a rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from gateways.smpp.pdu import Tag
from notifier.domain.message import Receipt, ReceiptStatus

if TYPE_CHECKING:
    from gateways.smpp.pdu import ShortMessage

TYPE_MASK: Final = 0x3C
RECEIPT: Final = 0x04
INTERMEDIATE: Final = 0x20
"""Message types in esm_class (5.2.12)."""

_STATES: Final = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED",
    5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
"""message_state (5.2.28) in the words of the text form."""

MEANING: Final = {
    "DELIVRD": ReceiptStatus.DELIVERED,
    "DELIVERED": ReceiptStatus.DELIVERED,
    "EXPIRED": ReceiptStatus.FAILED,
    "DELETED": ReceiptStatus.FAILED,
    "UNDELIV": ReceiptStatus.FAILED,
    "UNDELIVERABLE": ReceiptStatus.FAILED,
    "REJECTD": ReceiptStatus.FAILED,
    "REJECTED": ReceiptStatus.FAILED,
    "ENROUTE": ReceiptStatus.PENDING,
    "ACCEPTD": ReceiptStatus.PENDING,
    "ACCEPTED": ReceiptStatus.PENDING,
    "UNKNOWN": ReceiptStatus.PENDING,
}
"""A word that is not here is kept by the core as it came, and changes nothing."""

_ID: Final = re.compile(r"\bid:\s*([^\s:]{1,65})", re.IGNORECASE)
_STATE: Final = re.compile(r"\bstat:\s*([A-Za-z]{1,20})", re.IGNORECASE)
_ERROR: Final = re.compile(r"\berr:\s*([0-9A-Za-z]{1,10})", re.IGNORECASE)

Base = Literal["text", "decimal", "hex"]
"""How ids are written: as text, or as numbers that another place writes to another base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``ref`` as it was sent; ``word`` and ``error`` are the centre's."""

    ref: str
    word: str
    error: str = ""


def is_report(message: ShortMessage) -> bool:
    """Whether a deliver_sm is about a message of ours, and not from a person."""
    kind = message.esm_class & TYPE_MASK
    return kind in {RECEIPT, INTERMEDIATE} or Tag.RECEIPTED_MESSAGE_ID in message.tlvs


def read_report(message: ShortMessage) -> Report | None:
    """What it says; None where neither an id nor a state can be found."""
    text = message.octets.decode("latin-1")
    ref = _c_string(message.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"")) or _found(_ID, text)
    state = message.tlvs.get(Tag.MESSAGE_STATE, b"")
    word = _STATES.get(int.from_bytes(state, "big"), "") if state else ""
    word = word or _found(_STATE, text).upper()
    network = message.tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    error = str(int.from_bytes(network[1:], "big")) if len(network) == 3 else ""
    if not ref or not word:
        return None
    return Report(ref=ref, word=word, error=error or _found(_ERROR, text))


def receipt_of(report: Report, message: ShortMessage, base: Base) -> Receipt:
    """The report in our words. ``base``: how this centre writes ids in reports."""
    status = MEANING.get(report.word, ReceiptStatus.PENDING)
    if message.esm_class & TYPE_MASK == INTERMEDIATE:
        status = ReceiptStatus.PENDING
    code = report.word if report.error.strip("0") == "" else f"{report.word} {report.error}"
    return Receipt(ref=same_id(report.ref, base), status=status, code=code)


def same_id(message_id: str, base: Base) -> str:
    """An id in the one form in which ids are compared.

    Centres write one id in several ways: padded with zeros or not, in either case, to base 16 in
    the answer and to base 10 in the report. What is no number in its base is compared as text.
    """
    folded = message_id.strip().casefold()
    if base != "text":
        try:
            return str(int(folded, 16 if base == "hex" else 10))
        except ValueError:
            pass
    return folded.lstrip("0") or "0"


def _c_string(value: bytes) -> str:
    return value.split(b"\0", 1)[0].decode("latin-1")


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
