"""From an event of the bot platform to what a citizen sent. Pure."""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec

from gateways.words import storable
from notifier.domain.message import Address, Inbound, Incoming, Unreadable

TEXT = "message.text.received"
WITHOUT_WORDS = "message."
"""A picture, a sticker or a voice note: somebody wrote, and it is not in words."""

Number = str | int


class Person(msgspec.Struct):
    """``from``"""

    id: Number
    is_bot: bool = False


class Chat(msgspec.Struct):
    """``chat``; ``PRIVATE`` is one citizen, anything else a group."""

    id: Number
    chat_type: str = "PRIVATE"


class Written(msgspec.Struct):
    """``message``; ``date`` in ms."""

    message_id: Number
    chat: Chat
    person: Annotated[Person, msgspec.Meta()] = msgspec.field(name="from")
    text: str = ""
    date: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] | None = None


class Event(msgspec.Struct):
    """One event."""

    event_name: str
    message: Written | None = None


class Envelope(msgspec.Struct):
    """What a call of the platform holds; an older form has the event by itself."""

    result: Event


def read_event(body: bytes) -> tuple[Incoming, ...]:
    """What one call brings: a message, nothing for us, or the body as ``Unreadable``."""
    try:
        event = msgspec.json.decode(body, type=Envelope, strict=False).result
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return (_unreadable(type(error).__name__, body),)
    message = event.message
    if message is None or not event.event_name.startswith(WITHOUT_WORDS):
        return ()
    if message.person.is_bot or message.chat.chat_type.upper() != "PRIVATE":
        return ()
    key, chat = storable(str(message.message_id)), storable(str(message.chat.id))
    if not key or not chat:
        return (_unreadable("a message or a chat without an id", body),)
    return (
        Inbound(
            key=key,
            sender=Address("zalo_bot", chat),
            text=storable(message.text) if event.event_name == TEXT else "",
            sent_at=message.date,
        ),
    )


def _unreadable(why: str, body: bytes) -> Unreadable:
    key = hashlib.sha256(body).hexdigest()[:32]
    return Unreadable(key=f"event:{key}", reason=f"an event that can't be read: {why}", raw=body)
