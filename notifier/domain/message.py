"""A message to one person over one channel, its states and its lane; what comes back for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

from notifier.domain.segments import SegmentPlan

if TYPE_CHECKING:
    from notifier.domain.instant import Instant


class Lane(IntEnum):
    """Who goes first. Answers keep a slot and a tenth of the rate; the others are weighted."""

    ANSWER = 0
    DEADLINE = 1
    NOTICE = 2
    BULK = 3


class State(StrEnum):
    """Where a message stands. States only move forward, and the last ones are final.

    ``queued`` → ``sending`` → ``accepted`` → ``delivered`` or ``failed``; a refusal that is
    temporary queues it again with the attempt on record.
    """

    QUEUED = "queued"
    SENDING = "sending"
    """Journalled before its first byte leaves; what a dead process left here becomes unknown."""
    ACCEPTED = "accepted"
    """The provider has it; that is not delivery."""
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It may be out: never sent again in silence, never forgotten."""
    EXPIRED = "expired"
    """Its best-before passed first."""
    CANCELLED = "cancelled"
    """A person, a refusal or an aborted broadcast took it back."""
    SUPERSEDED = "superseded"
    """No longer true when its turn came."""


FINAL_STATES = frozenset(
    {State.DELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED, State.SUPERSEDED}
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached: ``sms:+84912000000``, ``telegram:12345``. Masked when shown."""

    channel: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """``channel:value``; raises ``ValueError`` for any other form."""
        channel, colon, value = text.partition(":")
        if not (colon and channel.isidentifier() and channel.islower() and value.strip()):
            raise ValueError("an address is written channel:value, such as sms:+84912000000")
        return cls(channel, value.strip())

    def __str__(self) -> str:
        return f"{self.channel}:{self.value}"

    def __repr__(self) -> str:
        return f"Address({self.masked})"

    @property
    def masked(self) -> str:
        """For logs and pages: the channel and the last three characters."""
        return f"{self.channel}:…{self.value[-3:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message in the outbox.

    ``key`` is its identity and the idempotency key on every attempt: at most one message a key.
    ``text`` is what the person reads, with the accent policy applied; ``plan`` how it is cut.
    """

    id: str
    key: str
    lane: Lane
    address: Address = field(repr=False)
    text: str = field(repr=False)
    plan: SegmentPlan = field(repr=False)
    locale: str
    created_at: Instant
    not_before: Instant
    best_before: Instant
    notice: str
    """The notice family (``received``, ``apology``), or ``answer``, ``broadcast``."""
    dossier: str | None = None
    """The dossier's code, where the message is about one."""
    episode: str = ""
    also: tuple[tuple[str, str], ...] = ()
    """The other dossiers that the text speaks of, each with its episode."""
    broadcast: str | None = None
    buttons: tuple[str, ...] = ()
    contact_button: str = ""
    """The label of a button that shares the person's own number, where the channel has such."""
    attempts: int = 0
    accepted_parts: tuple[int, ...] = ()
    """Parts (from 0) that a provider has already taken; only the others are sent again."""
    subject: str = field(default="", repr=False)
    """What an e-mail is headed by; empty on other channels."""
    rungs: tuple[str, ...] = ()
    """The channels that it may go over, in order; it is on its address's. Empty: on that only."""
    rung: int = 0
    """How often it went on to another channel."""
    spent: int = 0
    """How many of its attempts were over earlier channels."""

    @property
    def dossiers(self) -> tuple[tuple[str, str], ...]:
        """Each dossier that it speaks of, with its episode; its own first."""
        return ((self.dossier, self.episode), *self.also) if self.dossier else ()

    @property
    def tries(self) -> int:
        """Attempts over the channel that it is on."""
        return self.attempts - self.spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What a person sent us. ``key``: unique within the gateway; the same key is the same text."""

    key: str
    sender: Address = field(repr=False)
    text: str = field(repr=False)
    to: str = ""
    """The number or account that they wrote to."""
    sent_at: Instant | None = None
    """When the provider says it was sent."""
    profile: str = ""
    """Language hint of the channel, such as ``en``; empty where there is none."""
    proved_phone: str = field(default="", repr=False)
    """A number that the channel vouches to be the sender's own; empty where there is none."""


def message_id(key: str, now: Instant) -> str:
    """A UUID of version 7 (RFC 9562) for the message of ``key``: ordered by time, not drawn.

    The same key and time (ms) give the same id.
    """
    tail = int.from_bytes(blake2b(key.encode(), digest_size=10).digest(), "big")
    number = (now & ((1 << 48) - 1)) << 80 | tail
    number = number & ~(0xF << 76) | 0x7 << 76  # the version
    number = number & ~(0x3 << 62) | 0x2 << 62  # the variant
    return str(UUID(int=number))


class ReceiptStatus(StrEnum):
    """What a delivery report says."""

    PENDING = "pending"
    """An intermediate report: changes nothing."""
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A delivery report for one provider reference, or for our own key where ``by_key``."""

    ref: str
    status: ReceiptStatus
    code: str = ""
    """The provider's word for it, kept as sent."""
    by_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something a provider sent that can't be read: kept for a person, acknowledged, counted."""

    key: str
    reason: str
    raw: bytes = field(repr=False)


Incoming = Inbound | Receipt | Unreadable
