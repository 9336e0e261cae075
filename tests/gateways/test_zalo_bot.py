"""The Zalo Bot Platform: events and answers by tables."""

from __future__ import annotations

import json
from typing import Any

import pytest
from doubles.clock import StillClock
from hypothesis import given
from hypothesis import strategies as st

from gateways.exchange import HttpAnswer
from gateways.zalo_bot import ZaloBotGateway
from gateways.zalo_bot.gateway import _read
from gateways.zalo_bot.updates import read_event
from notifier.domain.message import Address, Inbound, Unreadable
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Outcome,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.errors import ConfigurationError

CHAT: dict[str, Any] = {"id": "6ede9afa", "chat_type": "PRIVATE"}
PERSON: dict[str, Any] = {"id": "6ede9afa", "display_name": "Một người", "is_bot": False}


def body(name: str = "message.text.received", **message: Any) -> bytes:
    written = {"message_id": "2d758cb5", "date": 1_763_600_000_000, "text": "HS 1",
               "chat": CHAT, "from": PERSON, **message}  # fmt: skip
    return json.dumps({"ok": True, "result": {"event_name": name, "message": written}}).encode()


def test_a_text() -> None:
    assert read_event(body()) == (
        Inbound(
            key="2d758cb5",
            sender=Address("zalo_bot", "6ede9afa"),
            text="HS 1",
            sent_at=1_763_600_000_000,
        ),
    )


@pytest.mark.parametrize(
    "name", ["message.unsupported.received", "message.image.received", "message.sticker.received"]
)
def test_what_is_not_in_words_is_a_message_without_words(name: str) -> None:
    [inbound] = read_event(body(name))
    assert isinstance(inbound, Inbound)
    assert inbound.text == ""


@pytest.mark.parametrize(
    "raw",
    [
        body(chat={"id": "g", "chat_type": "GROUP"}),
        body(**{"from": {**PERSON, "is_bot": True}}),
        body("follow"),
        b'{"ok": true, "result": {"event_name": "webhook.verify"}}',
    ],
    ids=["a group", "a bot", "another event", "no message"],
)
def test_what_does_not_concern_us(raw: bytes) -> None:
    assert read_event(raw) == ()


@given(
    st.binary()
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode)
)
def test_whatever_comes_is_read_or_kept(raw: bytes) -> None:
    for one in read_event(raw):
        assert isinstance(one, Unreadable)
        assert one.raw == raw


@pytest.mark.parametrize(
    "raw",
    [
        body(message_id=""),
        body(message_id="\0"),
        body(chat={"id": "\0", "chat_type": "PRIVATE"}),
        body(date=2**63),
    ],
    ids=["no id", "an id that can't be kept", "no chat", "a date beyond all years"],
)
def test_what_would_be_taken_for_another_s_is_kept_aside(raw: bytes) -> None:
    (item,) = read_event(raw)
    assert isinstance(item, Unreadable)


@pytest.mark.parametrize(
    ("status", "reply", "outcome"),
    [
        (200, {"ok": True, "result": {"message_id": "m1"}}, Accepted(refs=("m1",))),
        (200, {"ok": True, "result": {"message_id": 12}}, Accepted(refs=("12",))),
        (200, {"ok": True}, Accepted()),
        (200, {"ok": False, "error_code": 429}, Throttled(retry_after=2000)),
        (429, {"ok": False}, Throttled(retry_after=2000)),
        (200, {"ok": False, "error_code": 401}, Permanent(code="401", scope=Scope.ACCOUNT)),
        (404, None, Permanent(code="404", scope=Scope.ACCOUNT)),
        (403, {"ok": False}, OptedOut(code="403")),
        (400, {"ok": False, "description": "bad 0912345678"},
         Permanent(code="400", detail="bad …")),
        (503, None, Temporary(code="503")),
        (500, {"ok": False}, Unknown(code="500")),
        (502, {"ok": True}, Unknown(code="502")),
        (200, None, Unknown(code="unreadable", detail="the answer can't be read")),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int, reply: Any, outcome: Outcome) -> None:
    said = b"<html>" if reply is None else json.dumps(reply).encode()
    assert _read(HttpAnswer(status=status, body=said), set()) == outcome


def test_faults_of_the_table_are_named_without_their_values() -> None:
    with pytest.raises(ConfigurationError) as raised:
        ZaloBotGateway(
            "bot", {"token": "sh", "webhook_secret": "sh", "base_url": "zalo"}, StillClock()
        )
    keys = {fault.key for fault in raised.value.faults}
    assert keys == {f"gateways.bot.{key}" for key in ("token", "webhook_secret", "base_url")}
