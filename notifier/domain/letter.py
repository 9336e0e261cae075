"""What a letter says, and the tokens that open it: to check it for ever, to fetch it a while."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from notifier.domain import instant

if TYPE_CHECKING:
    from notifier.domain.apology import Apologies, Apology
    from notifier.domain.dossier import Dossier
    from notifier.domain.instant import Instant
    from notifier.domain.unit import Unit

MAC_BYTES: Final = 12
"""96 bits of HMAC-SHA256: a guess that is asked over HTTP finds none."""

HOURS: Final = instant.HOUR
FOR_EVER: Final = 0

PERSONS: Final = frozenset({"person", "individual", "citizen"})
"""Kinds of applicants that are addressed as Ông/Bà."""


class Purpose(IntEnum):
    """What a token opens."""

    CHECK = 1
    """The page that says whether a letter is genuine: in the QR code, without an end."""
    FETCH = 2
    """The letter itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a genuine token says: the letter, and what may be done with it."""

    apology: str
    purpose: Purpose


class Tickets:
    """Makes and reads tokens with the installation's key."""

    def __init__(self, key: bytes) -> None:
        """``key``: at least 32 bytes, used for nothing else."""
        self._key = key

    def check(self, apology_id: str) -> str:
        """The token of the QR code."""
        return self._token(apology_id, Purpose.CHECK, FOR_EVER)

    def fetch(self, apology_id: str, until: Instant) -> str:
        """The token that gives the letter until then (ms), to the hour."""
        return self._token(apology_id, Purpose.FETCH, -(-until // HOURS))

    def read(self, token: str, now: Instant) -> Ticket | None:
        """What a token says; None where it is not ours, was changed, or is over."""
        try:
            held = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), b"-_", validate=True)
            body, mac = held[:-MAC_BYTES], held[-MAC_BYTES:]
            if len(body) != 20 or not hmac.compare_digest(mac, self._mac(body)):
                return None
            purpose = Purpose(body[16])
        except (binascii.Error, ValueError):
            return None
        until = int.from_bytes(body[17:], "big")
        if until != FOR_EVER and now > until * HOURS:
            return None
        return Ticket(apology=str(UUID(bytes=body[:16])), purpose=purpose)

    def _token(self, apology_id: str, purpose: Purpose, hour: int) -> str:
        body = UUID(apology_id).bytes + bytes([purpose]) + hour.to_bytes(3, "big")
        return base64.urlsafe_b64encode(body + self._mac(body)).decode().rstrip("=")

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, b"letter" + body, hashlib.sha256)[:MAC_BYTES]


def values(
    apology: Apology, dossier: Dossier, unit: Unit, book: Apologies, *, check_url: str
) -> dict[str, str]:
    """The values of the letter of a signed apology, for a template: texts only.

    The fields are those of the form of TT 01/2018/TT-VPCP and TT 03/2025/TT-VPCP: addressee,
    receipt, due date, reason, new date, signer.
    """
    facts = dossier.facts
    signed = instant.local(apology.signed_at or apology.created_at)
    return {
        "superior": book.superior,
        "agency": unit.name,
        "place": book.place,
        "number": apology.number,
        "day": f"{signed:%d}",
        "month": f"{signed:%m}",
        "year": f"{signed:%Y}",
        "addressee": facts.applicant_name or "",
        "is_person": "yes" if (facts.applicant_kind or "person") in PERSONS else "",
        "code": dossier.code,
        "procedure": facts.procedure_name or "",
        "received": _day(facts.received_at),
        "due": _hour(apology.due_at),
        "passed": "yes" if (apology.signed_at or 0) > apology.due_at else "",
        "reason": apology.reason,
        "new_due": _hour(apology.new_due_at),
        "contact": unit.phone,
        "title": apology.title,
        "signer": apology.signer,
        "check_url": check_url,
    }


def _day(moment: Instant | None) -> str:
    return f"ngày {instant.local(moment):%d tháng %m năm %Y}" if moment is not None else ""


def _hour(moment: Instant) -> str:
    at = instant.local(moment)
    return f"{at:%H} giờ {at:%M}, {_day(moment)}"
