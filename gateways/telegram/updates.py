"""From an update of the Bot API to what a citizen sent. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from telegram import Update
from telegram.constants import ChatType

from gateways.words import storable
from notifier.domain import instant
from notifier.domain.message import Address, Inbound, Unreadable

if TYPE_CHECKING:
    from telegram import Message as Written

    from notifier.domain.message import Incoming


def read_update(raw: Any, blob: bytes) -> tuple[Incoming, ...]:
    """What one update brings: a message, nothing for us, or ``blob`` as ``Unreadable``."""
    try:
        update = Update.de_json(raw, None)
        message = update.message
        return () if message is None or not _concerns_us(message) else (_inbound(message),)
    except Exception as error:  # noqa: BLE001 - the library raises whatever it stumbles over
        number = update_number(raw)
        key = str(number) if number else hashlib.sha256(blob).hexdigest()[:32]
        reason = f"an update that can't be read: {type(error).__name__}"
        return (Unreadable(key=f"update:{key}", reason=reason, raw=blob),)


def _concerns_us(message: Written) -> bool:
    person = message.from_user
    if message.chat.type != ChatType.PRIVATE or person is None or person.is_bot:
        return False
    has_words = message.text is not None or message.caption is not None
    return has_words or message.effective_attachment is not None


def _inbound(message: Written) -> Inbound:
    if type(message.chat.id) is not int or type(message.message_id) is not int:
        raise TypeError("no number")  # the library takes what it is given
    person = message.from_user
    return Inbound(
        key=message_key(message),
        sender=Address("telegram", str(message.chat.id)),
        text=storable(message.text or message.caption or ""),
        sent_at=instant.of(message.date),
        profile=storable((person.language_code or "") if person else ""),
        proved_phone=_own_number(message),
    )


def _own_number(message: Written) -> str:
    """The number of a shared contact that is the sender's own; anybody's card can be forwarded."""
    card, person = message.contact, message.from_user
    if card is None or person is None or card.user_id != person.id:
        return ""
    return storable(card.phone_number)


def message_key(message: Written) -> str:
    """What a message is known by: its number counts within the chat, whose id is personal."""
    chat = hashlib.sha256(str(message.chat.id).encode()).hexdigest()[:16]
    return f"{chat}:{message.message_id}"


def update_number(raw: Any) -> int:
    """The update's number, or 0 where it has none."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    return number if isinstance(number, int) else 0
