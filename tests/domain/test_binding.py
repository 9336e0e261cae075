"""Which texts are about tying an account to a number."""

from __future__ import annotations

import pytest

from notifier.domain.binding import Wish, read
from notifier.domain.message import Address, Inbound

CHAT = Address("telegram", "5")
SMS = Address("sms", "+84912000000")


def wish(text: str, sender: Address = CHAT, proved: str = "") -> Wish | None:
    found = read(Inbound(key="1", sender=sender, text=text, proved_phone=proved))
    return found.wish if found else None


@pytest.mark.parametrize(
    ("text", "by_chat", "by_sms"),
    [
        ("LK", Wish.HOW, Wish.ASK_BY_SMS),
        ("Liên kết", Wish.HOW, Wish.ASK_BY_SMS),
        ("LK 0912 000 000", Wish.SEND_CODE, None),
        ("lk +84912000000", Wish.SEND_CODE, None),
        ("LK 0251 3822222", Wish.HOW, None),  # a landline gets no SMS
        ("1234 5678", Wish.TYPE_CODE, None),
        ("12345678.", Wish.TYPE_CODE, None),
        ("1234567", None, None),
        ("HUY LK", Wish.UNDO, Wish.UNDO),
        ("hủy liên kết", Wish.UNDO, Wish.UNDO),
        ("HUY", None, None),
        ("HS H10.19-250703-0001", None, None),
        ("lk gi vay", None, None),
    ],
)
def test_what_is_wanted(text: str, by_chat: Wish | None, by_sms: Wish | None) -> None:
    assert (wish(text), wish(text, SMS)) == (by_chat, by_sms)


def test_a_contact_that_the_channel_vouches_for() -> None:
    assert wish("", proved="+84912000000") is Wish.SHARE
    assert wish("", SMS, proved="+84912000000") is None
