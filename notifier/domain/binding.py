"""Tying a chat account to a telephone number, so that its holder is told what is theirs.

A number is proved by a contact that the channel vouches for, or by a code: sent by SMS to the
number and typed in the chat, or asked for by SMS from the number itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from notifier.domain import instant, phone
from notifier.domain.text import fold

if TYPE_CHECKING:
    from notifier.domain.message import Inbound

CODE_DIGITS: Final = 8
"""With the guessing limit, enough that no code is hit by trying."""

CODE_LIFETIME: Final = 10 * instant.MINUTE
"""How long a code may be typed (ms); it works once."""

MOST_CODES_A_DAY: Final = 5
"""Codes for one number, and for one account, in a day: nobody is flooded with them."""


class Wish(StrEnum):
    """What a text wants of a binding."""

    ASK_BY_SMS = "ask_by_sms"
    """From the number itself: a code to type in a chat."""
    HOW = "how"
    SEND_CODE = "send_code"
    """From a chat: a code to be sent to a number."""
    TYPE_CODE = "type_code"
    SHARE = "share"
    """A contact that the channel vouches for."""
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A wish, and the number or code in it."""

    wish: Wish
    number: phone.Phone | None = field(default=None, repr=False)
    code: str = field(default="", repr=False)


def read(message: Inbound) -> Binding | None:
    """The binding that a text wants; None for any other text."""
    by_sms = message.sender.channel == "sms"
    if message.proved_phone and not by_sms:
        return Binding(wish=Wish.SHARE, number=phone.read(message.proved_phone))
    words = " ".join(re.sub(r"[^\w+ ]", " ", fold(message.text)).split())
    if re.fullmatch(r"(huy|bo|xoa) (lk|lien ket)", words):
        return Binding(wish=Wish.UNDO)
    if words in {"lk", "lien ket", "lien ket so dien thoai"}:
        return Binding(wish=Wish.ASK_BY_SMS if by_sms else Wish.HOW)
    if by_sms:
        return None
    asked = re.fullmatch(r"(?:lk|lien ket)(?: so(?: dien thoai)?)? (\+?[\d ]{9,15})", words)
    if asked:
        number = phone.read(asked[1])
        return Binding(wish=Wish.SEND_CODE, number=number) if number else Binding(wish=Wish.HOW)
    digits = words.replace(" ", "")
    if len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit():
        return Binding(wish=Wish.TYPE_CODE, code=digits)
    return None
