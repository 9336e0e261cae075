"""Tokens of letters: ours alone, each for its purpose, and no longer than they say."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.instant import DAY, HOUR
from notifier.domain.letter import Purpose, Ticket, Tickets

ID = "01912d68-783e-7000-8000-000000000001"
NOW = 1_795_000_000_000
TICKETS = Tickets(b"k" * 32)


def test_a_letter_can_be_checked_for_ever() -> None:
    read = TICKETS.read(TICKETS.check(ID), NOW + 50 * 365 * DAY)
    assert read == Ticket(apology=ID, purpose=Purpose.CHECK)


@pytest.mark.parametrize(("later", "opens"), [(0, True), (DAY, True), (DAY + HOUR + 1, False)])
def test_it_can_be_fetched_for_a_while(later: int, opens: bool) -> None:
    read = TICKETS.read(TICKETS.fetch(ID, NOW + DAY), NOW + later)
    assert read == (Ticket(apology=ID, purpose=Purpose.FETCH) if opens else None)


def test_a_token_fits_into_an_sms() -> None:
    assert len(TICKETS.fetch(ID, NOW)) <= 48


@given(st.integers(0, 31), st.integers(1, 255))
def test_no_byte_of_it_may_change(place: int, change: int) -> None:
    held = bytearray(base64.urlsafe_b64decode(TICKETS.check(ID) + "="))
    held[place] ^= change
    assert TICKETS.read(base64.urlsafe_b64encode(bytes(held)).decode(), NOW) is None


@given(st.text(max_size=60))
def test_what_is_no_token_is_none(text: str) -> None:
    assert TICKETS.read(text, NOW) is None


def test_another_key_opens_nothing() -> None:
    assert Tickets(b"x" * 32).read(TICKETS.check(ID), NOW) is None
