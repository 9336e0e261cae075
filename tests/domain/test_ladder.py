"""Which channels come into question, in what order, and when one is over."""

from __future__ import annotations

import pytest
from builders import NOW, message

from notifier.domain.instant import DAY
from notifier.domain.ladder import Ladder, address_of, behind, is_over
from notifier.domain.message import Address, Lane, State
from notifier.domain.notice import Person, Role
from notifier.domain.phone import Phone
from notifier.domain.retry import Verdict

NUMBER = Address("sms", "+84912000001")
PERSON = Person(role=Role.APPLICANT, phone=Phone(NUMBER.value), name=None, email="an@example.vn")
DAY_AHEAD = NOW + DAY
CHATS = {NUMBER: (Address("zalo", "2"), Address("telegram", "3"), Address("telegram", "1"))}


def test_the_order_is_the_lanes_among_channels_with_a_gateway() -> None:
    ladder = Ladder(
        notices=("telegram", "zns", "sms"),
        deadlines=("sms", "telegram"),
        channels=frozenset({"sms", "telegram", "email"}),
    )
    assert ladder.of(Lane.NOTICE) == ("telegram", "sms")
    assert ladder.of(Lane.DEADLINE) == ("sms", "telegram")


@pytest.mark.parametrize(
    ("channels", "chats"),
    [({"sms"}, False), ({"sms", "zns", "email"}, False), ({"sms", "telegram"}, True)],
)
def test_accounts_matter_where_there_are_chats(channels: set[str], chats: bool) -> None:
    assert Ladder(channels=frozenset(channels)).has_chats is chats


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("sms", "sms:+84912000001"),
        ("zns", "zns:+84912000001"),
        ("email", "email:an@example.vn"),
        ("telegram", "telegram:3"),
        ("zalo", "zalo:2"),
        ("viber", None),
    ],
)
def test_where_a_person_is_reached(channel: str, address: str | None) -> None:
    found = address_of(PERSON, channel, CHATS)
    assert (str(found) if found else None) == address


@pytest.mark.parametrize("channel", ["sms", "zns", "telegram"])
def test_without_a_number_there_is_e_mail_only(channel: str) -> None:
    nobody = Person(role=Role.APPLICANT, phone=None, name=None, email="an@example.vn")
    assert address_of(nobody, channel, CHATS) is None
    assert address_of(nobody, "email", CHATS) == Address("email", "an@example.vn")


@pytest.mark.parametrize(
    ("channel", "rest"),
    [("telegram", ("sms", "email")), ("email", ()), ("zalo", ())],
)
def test_what_comes_behind(channel: str, rest: tuple[str, ...]) -> None:
    assert behind(("telegram", "sms", "email"), channel) == rest


@pytest.mark.parametrize(
    ("rungs", "state", "now", "over"),
    [
        (("sms", "email"), State.FAILED, NOW, True),
        (("sms",), State.FAILED, NOW, True),  # people call
        ((), State.FAILED, NOW, False),
        (("sms", "email"), State.EXPIRED, NOW, True),  # no time for a further try, but for another
        (("sms",), State.EXPIRED, NOW, False),
        (("sms", "email"), State.EXPIRED, DAY_AHEAD, False),
        (("sms", "email"), State.UNKNOWN, NOW, False),
        (("sms", "email"), State.ACCEPTED, NOW, False),
        (("sms", "email"), State.QUEUED, NOW, False),
    ],
)
def test_when_a_channel_is_over(rungs: tuple[str, ...], state: State, now: int, over: bool) -> None:
    assert is_over(message(rungs=rungs), Verdict(state=state), now=now) is over
