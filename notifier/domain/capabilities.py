"""What a gateway can do, as plain data; the core decides by it and asks nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class InboundBy(StrEnum):
    """How messages from people reach us."""

    NONE = "none"
    WEBHOOK = "webhook"
    POLL = "poll"
    STREAM = "stream"


class Receipts(StrEnum):
    """How far a provider reports."""

    NONE = "none"
    DELIVERED = "delivered"
    READ = "read"


class TextUnit(StrEnum):
    """What a provider counts a text in."""

    SEGMENTS = "segments"
    CHARACTERS = "characters"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """``rate``: segments (or messages) a second; ``window``: messages in flight at once.

    ``suppresses_duplicates``: for how many ms the provider itself drops a second message with the
    same key; 0 where it does not.
    """

    channel: str
    inbound: InboundBy = InboundBy.NONE
    receipts: Receipts = Receipts.NONE
    suppresses_duplicates: int = 0
    can_query: bool = False
    text_unit: TextUnit = TextUnit.SEGMENTS
    max_units: int = 10
    needs_template: bool = False
    reply_window: int | None = None
    """Ms after a person's last message within which we may write; None: always."""
    buttons: bool = False
    rate: float = 30.0
    window: int = 16
    recipient_gap: int = 0
    """Ms between two messages to one address; 0 where the provider asks for none."""
