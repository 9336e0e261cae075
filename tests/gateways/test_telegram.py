"""The gateway to Telegram: what updates mean, what refusals mean, and polling."""

from __future__ import annotations

import asyncio
import json
import logging
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from contracts.gateway import Behaviour, RecordingSink, message, until
from doubles.clock import StillClock
from doubles.telegram import (
    CHAT,
    CLOCK_START,
    HOOK_SECRET,
    PERSON,
    TOKEN,
    TelegramRig,
    refused,
    signed,
    update,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.telegram import TelegramGateway
from gateways.telegram.settings import Settings
from gateways.telegram.updates import read_update
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
from notifier.errors import ConfigurationError, SignatureError
from notifier.ports import HealthState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.message import Incoming


def gateway(**changes: Any) -> TelegramGateway:
    table = {"token": TOKEN, "webhook_secret": HOOK_SECRET} | changes
    return TelegramGateway("telegram", table, StillClock())


def read(content: Any) -> tuple[Incoming, ...]:
    return gateway().read_webhook(signed(content)).incoming


# ---------------------------------------------------------------------------------------- updates

PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
STICKER = {
    "file_id": "f",
    "file_unique_id": "u",
    "width": 1,
    "height": 1,
    "is_animated": False,
    "is_video": False,
    "type": "regular",
}
VOICE = {"file_id": "f", "file_unique_id": "u", "duration": 2}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ({"text": "TT 000.00.15.H40-261120-0001"}, "TT 000.00.15.H40-261120-0001"),
        ({"text": "hồ sơ\nđâu rồi 🎉"}, "hồ sơ\nđâu rồi 🎉"),
        ({"text": "/start"}, "/start"),
        ({"photo": PHOTO, "caption": "giấy hẹn"}, "giấy hẹn"),
        ({"photo": PHOTO}, ""),
        ({"sticker": STICKER}, ""),
        ({"voice": VOICE}, ""),
        ({"location": {"latitude": 21.0, "longitude": 105.8}}, ""),
        ({"contact": {"phone_number": "84912345678", "first_name": "A"}}, ""),
    ],
    ids=["text", "lines", "start", "caption", "photo", "sticker", "voice", "place", "contact"],
)
def test_what_a_citizen_sends(what: dict[str, Any], text: str) -> None:
    (item,) = read(update(7, **what))
    assert isinstance(item, Inbound)
    assert item.sender == PERSON
    assert item.text == text
    assert item.sent_at == (CLOCK_START + 7) * 1000
    assert item.profile == "vi"
    assert str(CHAT) not in repr(item)


@pytest.mark.parametrize(
    ("holder", "proved"),
    [({"user_id": CHAT}, "84912345678"), ({"user_id": 999}, ""), ({}, "")],
    ids=["own card", "card of another", "card without an account"],
)
def test_only_ones_own_card_proves_a_number(holder: dict[str, Any], proved: str) -> None:
    card = {"phone_number": "84912345678", "first_name": "A", **holder}
    (item,) = read(update(7, contact=card))
    assert isinstance(item, Inbound)
    assert item.proved_phone == proved
    assert "84912345678" not in repr(item)


BOT = {"id": 5, "is_bot": True, "first_name": "b"}
GROUP = {"id": -100, "type": "supergroup", "title": "Xã"}
CHANNEL = {"id": -200, "type": "channel", "title": "Tỉnh"}
WRITTEN = update(1, text="TT")["message"]


@pytest.mark.parametrize(
    "content",
    [
        update(1, text="TT", **{"from": BOT}),
        update(1, text="TT", chat=GROUP),
        update(1, new_chat_members=[BOT]),
        {"update_id": 1, "edited_message": WRITTEN | {"edit_date": CLOCK_START}},
        {"update_id": 1, "channel_post": WRITTEN | {"chat": CHANNEL}},
        {"update_id": 1, "something_of_next_year": {"a": 1}},
    ],
    ids=["bot", "group", "joined", "edited", "channel", "new kind"],
)
def test_what_is_not_answered(content: dict[str, Any]) -> None:
    assert read(content) == ()


def test_the_same_number_in_another_chat_is_another_message() -> None:
    (one,) = read(update(1, text="TT"))
    (other,) = read(update(1, text="TT", chat={"id": 42, "type": "private"}))
    assert isinstance(one, Inbound)
    assert isinstance(other, Inbound)
    assert one.key != other.key


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"update_id": 31, "message": {"text": "TT"}}, "update:31"),
        ({"update_id": 32, "message": "text"}, "update:32"),
        ({"update_id": 33, "message": WRITTEN | {"date": 10**30}}, "update:33"),
        ({"message": WRITTEN}, "update:"),
        ([], "update:"),
        (b"{", "update:"),
        (b"\xff\xfe", "update:"),
        (b"[" * 100_000, "update:"),
    ],
    ids=["no chat", "a word", "far date", "no number", "list", "no json", "no text", "deep"],
)
def test_an_update_that_cannot_be_read_is_kept(content: Any, key: str) -> None:
    request = signed(content)
    reply = gateway().read_webhook(request)
    (item,) = reply.incoming
    assert isinstance(item, Unreadable)
    assert item.raw == request.body
    assert item.key.startswith(key)
    assert reply.status == 200, "anything else, and Telegram sends it again for ever"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(spoilt=st.sampled_from(["message_id", "date", "chat", "from", "text"]), value=JSON)
@settings(max_examples=80, deadline=None)
def test_no_update_breaks_the_reader(spoilt: str, value: Any) -> None:
    content = update(1, **({"text": "TT"} | {spoilt: value}))
    assert len(read(content)) <= 1


def test_without_a_secret_no_call_is_believed() -> None:
    polling = TelegramGateway("telegram", {"token": TOKEN, "receive": "poll"}, StillClock())
    request = signed(update(1, text="TT"))
    for headers in ({}, {"x-telegram-bot-api-secret-token": ""}, request.headers):
        with pytest.raises(SignatureError):
            polling.read_webhook(replace(request, headers=headers))


# --------------------------------------------------------------------------------------- outcomes


async def told(refusal: web.Response) -> Outcome:
    async with TelegramRig() as rig:
        rig.api.refusal = refusal
        return await rig.gateway.send(message(PERSON))


@pytest.mark.parametrize(
    ("status", "description", "outcome"),
    [
        (403, "Forbidden: bot was blocked by the user", OptedOut(code="403")),
        (403, "Forbidden: user is deactivated", OptedOut(code="403")),
        (
            400,
            "Bad Request: chat not found",
            Permanent(code="400", detail="Chat not found", scope=Scope.RECIPIENT),
        ),
        (
            400,
            "Bad Request: message is too long",
            Permanent(code="400", detail="Message is too long", scope=Scope.CONTENT),
        ),
        (
            404,
            "Not Found",
            Permanent(code="401", detail="Telegram refuses the token", scope=Scope.CONFIGURATION),
        ),
        (409, "Conflict", Temporary(code="409", detail="Conflict")),
        (429, "Too Many Requests", Throttled(retry_after=30_000, scope=Scope.RECIPIENT)),
        (500, "Internal Server Error", Unknown(code="error", detail="Internal Server Error")),
        (502, "Bad Gateway", Unknown(code="error", detail="Bad Gateway")),
        (503, "?", Temporary(code="503", detail="Telegram has no room for it now")),
    ],
)
async def test_refusal(status: int, description: str, outcome: Outcome) -> None:
    assert await told(refused(status, description)) == outcome


async def test_a_chat_that_moved_is_gone() -> None:
    moved = refused(400, "group chat was upgraded", parameters={"migrate_to_chat_id": -100})
    outcome = await told(moved)
    assert isinstance(outcome, Permanent)
    assert outcome.scope is Scope.RECIPIENT


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": True},
        {"ok": True, "result": {}},
        {"ok": True, "result": {"message_id": 1}},
        {"ok": True, "result": [1]},
        {"ok": True, "result": "x"},
        [],
        7,
    ],
    ids=str,
)
async def test_a_yes_that_cannot_be_read_is_unknown(answer: Any) -> None:
    assert isinstance(await told(web.json_response(answer)), Unknown)


async def test_a_proxy_page_is_not_quoted() -> None:
    page = web.Response(status=400, text=f"<html>{TOKEN} Hồ sơ đã có kết quả.")
    assert await told(page) == Permanent(code="400", scope=Scope.CONTENT)


async def test_throttling_is_of_the_chat_until_it_is_of_two() -> None:
    async with TelegramRig() as rig:
        await rig.provider(Behaviour.BUSY)
        scopes = []
        for chat, later in ((CHAT, 0), (CHAT, 0), (42, 1_000), (CHAT, 8_000)):
            rig.clock.now += later
            outcome = await rig.gateway.send(message(Address("telegram", str(chat))))
            assert isinstance(outcome, Throttled)
            assert outcome.retry_after == 7_000
            scopes.append(outcome.scope)
    assert scopes == [Scope.RECIPIENT, Scope.RECIPIENT, Scope.GATEWAY, Scope.RECIPIENT]


@pytest.mark.parametrize(
    ("buttons", "rows"),
    [
        ((), None),
        (("Có", "Không"), [["Có", "Không"]]),
        (("Có", "Không", "Trợ giúp"), [["Có", "Không"], ["Trợ giúp"]]),
        (
            ("000.00.15.H40-261120-0001", "Khác"),
            [["000.00.15.H40-261120-0001"], ["Khác"]],
        ),
    ],
)
async def test_buttons(buttons: tuple[str, ...], rows: Sequence[Sequence[str]] | None) -> None:
    async with TelegramRig() as rig:
        outcome = await rig.gateway.send(replace(message(PERSON), buttons=buttons))
        assert isinstance(outcome, Accepted)
        (markup,) = rig.api.markups
    shown = markup and [[key["text"] for key in row] for row in markup["keyboard"]]
    assert shown == rows


async def test_the_button_that_shares_the_number_asks_telegram_for_the_contact() -> None:
    async with TelegramRig() as rig:
        asked = replace(message(PERSON), buttons=("HD",), contact_button="Chia sẻ số")
        assert isinstance(await rig.gateway.send(asked), Accepted)
        (markup,) = rig.api.markups
    assert markup is not None
    assert markup["keyboard"] == [
        [{"text": "Chia sẻ số", "request_contact": True}],
        [{"text": "HD"}],
    ]


# -------------------------------------------------------------------------------- start, settings


async def test_a_refused_token_names_the_setting() -> None:
    async with TelegramRig() as rig:
        await rig.gateway.stop(0)
        rig.api.token = "other"
        with pytest.raises(ConfigurationError) as raised:
            await rig.gateway.start(rig.sink)
    assert [fault.key for fault in raised.value.faults] == ["gateways.telegram.token"]
    assert TOKEN not in str(raised.value)


async def test_a_blocked_network_does_not_stop_the_start() -> None:
    async with TelegramRig() as rig:
        await rig.gateway.stop(0)
        await rig.provider(Behaviour.DOWN)
        await rig.gateway.start(rig.sink)
        assert rig.gateway.health().state is HealthState.DOWN
        await rig.provider(Behaviour.ACCEPT)
        assert isinstance(await rig.gateway.send(message(PERSON)), Accepted)


async def test_the_webhook_is_registered_with_its_secret() -> None:
    async with TelegramRig(webhook_url="https://motcua.example.vn/hooks/telegram") as rig:
        await until(lambda: bool(rig.api.webhook))
        assert rig.api.webhook["secret_token"] == HOOK_SECRET
        assert json.loads(rig.api.webhook["allowed_updates"]) == ["message"]


async def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with TelegramRig() as rig:
        assert isinstance(await rig.gateway.send(message(PERSON)), Accepted)


async def test_a_proxy_that_is_down_is_proven_not_taken() -> None:
    async with TelegramRig(proxy="http://127.0.0.1:9") as rig:
        outcome = await rig.gateway.send(message(PERSON))
        assert isinstance(outcome, Temporary)
        assert not rig.received


def test_loggers_below_are_silent() -> None:
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    gateway()
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpcore.connection").isEnabledFor(logging.INFO)
    assert not logging.getLogger("telegram.Bot").isEnabledFor(logging.CRITICAL)


def test_all_faults_are_reported_together() -> None:
    wrong = {"token": "x", "receive": "pull", "base_url": "api", "colour": 1, "rate": 60}
    with pytest.raises(ConfigurationError) as raised:
        TelegramGateway("tg", wrong, StillClock())
    keys = {fault.key for fault in raised.value.faults}
    assert keys == {f"gateways.tg.{name}" for name in wrong}


def test_a_webhook_needs_its_secret() -> None:
    with pytest.raises(ConfigurationError, match="webhook_secret is required"):
        TelegramGateway("tg", {"token": TOKEN}, StillClock())


def test_the_example_explains_every_setting() -> None:
    path = Path(__file__).parents[2] / "config" / "gateways" / "telegram.example.toml"
    text = path.read_text(encoding="utf-8")
    example = tomllib.loads(text)["gateways"]["telegram"]
    secrets = {"token": TOKEN, "webhook_secret": HOOK_SECRET}
    TelegramGateway("telegram", example | secrets, StillClock())
    assert [name for name in Settings.model_fields if f"{name} = " not in text] == []


# ---------------------------------------------------------------------------------------- polling


class FailingSink(RecordingSink):
    """Fails as often as it is told, before it keeps anything."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def accept(self, incoming: Sequence[Incoming]) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the store is busy")
        await super().accept(incoming)


@pytest.fixture
def polling(monkeypatch: pytest.MonkeyPatch) -> TelegramRig:
    monkeypatch.setattr("gateways.telegram.gateway._PAUSES", (0.01,))
    rig = TelegramRig(receive="poll", poll_wait=0, webhook_secret=None)
    rig.api.webhook = {"url": "https://left.over"}
    return rig


async def test_polling_moves_on_after_the_sink_has_committed(polling: TelegramRig) -> None:
    polling.sink = FailingSink(2)
    bad = {"update_id": 9002, "message": {"text": "no chat"}}
    polling.api.updates = [update(1, text="một"), bad, update(3, text="ba")]
    async with polling as rig:
        await until(lambda: 9004 in rig.api.offsets)
    assert [type(item) for item in polling.sink.incoming] == [Inbound, Unreadable, Inbound]
    assert polling.api.offsets[:4] == [0, 0, 0, 9004], "no update is passed before it is kept"


async def test_polling_survives_what_is_not_an_update(polling: TelegramRig) -> None:
    polling.api.updates = [[], "x"]
    async with polling as rig:
        await until(lambda: len(rig.api.offsets) > 2)
        await until(lambda: rig.gateway.health().state is HealthState.DOWN)
        rig.api.updates = [update(5, text="năm")]
        await until(lambda: 9006 in rig.api.offsets)
        await until(lambda: rig.gateway.health().state is HealthState.OK)


async def test_polling_comes_back_after_an_outage(polling: TelegramRig) -> None:
    async with polling as rig:
        await until(lambda: bool(rig.api.offsets))
        await rig.provider(Behaviour.DOWN)
        await until(lambda: rig.gateway.health().state is HealthState.DOWN)
        rig.api.updates = [update(5, text="năm")]
        await rig.provider(Behaviour.ACCEPT)
        await until(lambda: 9006 in rig.api.offsets)
    assert len(polling.sink.incoming) == 1


async def test_stopping_ends_the_polling(polling: TelegramRig) -> None:
    tasks = asyncio.all_tasks()
    async with polling as rig:
        await until(lambda: bool(rig.api.offsets))
        await rig.gateway.stop(1)
        asked = len(rig.api.offsets)
        await asyncio.sleep(0.05)
        assert len(rig.api.offsets) == asked
    await until(lambda: asyncio.all_tasks() <= tasks)


@pytest.mark.parametrize("number", ["", "5", "\ud800", None, True, 5.5, [5], {"id": 5}], ids=ascii)
def test_a_chat_or_a_message_whose_id_is_no_number_is_kept_aside(number) -> None:
    of_chat, of_message = update(1, text="HD"), update(1, text="HD")
    of_chat["message"]["chat"]["id"] = number
    of_message["message"]["message_id"] = number
    for raw in (of_chat, of_message):
        [item] = read_update(raw, b"{}")
        assert isinstance(item, Unreadable)


@pytest.mark.parametrize("language", [5, ["vi"], {"code": "vi"}, True])
def test_a_language_that_is_no_word_is_not_handed_on(language) -> None:
    raw = update(1, text="HD")
    raw["message"]["from"]["language_code"] = language
    [item] = read_update(raw, b"{}")
    assert isinstance(item, Unreadable)


@pytest.mark.parametrize(("table", "gap"), [({}, 1_000), ({"recipient_gap": 2.5}, 2_500)], ids=repr)
def test_one_message_a_second_in_a_chat_unless_a_setting_says_otherwise(
    table: dict[str, float], gap: int
) -> None:
    assert gateway(**table).capabilities.recipient_gap == gap
