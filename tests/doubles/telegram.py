"""A double of Telegram's Bot API on loopback: one bot, its chats, its updates; and its rig."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

from aiohttp import web
from contracts.gateway import Behaviour, RecordingSink, Taken
from doubles.clock import StillClock
from doubles.http_provider import HttpProvider

from gateways.telegram import TelegramGateway
from notifier.domain.message import Address
from notifier.ports import WebhookRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOKEN = "7700112233:AAF_token-of-the-double-0001"
HOOK_SECRET = "hook-secret_of-the-bot"
CHAT = 5_511_223_344
PERSON = Address("telegram", str(CHAT))
CLOCK_START = 1_795_000_000


def update(number: int, **message: Any) -> dict[str, Any]:
    """An update with a message from ``PERSON``; ``message`` adds to it or replaces."""
    person = {"id": CHAT, "is_bot": False, "first_name": "A", "language_code": "vi"}
    return {
        "update_id": 9000 + number,
        "message": {
            "message_id": number,
            "date": CLOCK_START + number,
            "chat": {"id": CHAT, "type": "private", "first_name": "A"},
            "from": person,
            **message,
        },
    }


class BotApi(HttpProvider):
    """Takes ``sendMessage``; hands out ``updates`` until the offset passes them."""

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[Any] = []
        self.offsets: list[int] = []
        self.calls: list[str] = []
        self.markups: list[Any] = []
        self.webhook: dict[str, str] = {}
        self.token = TOKEN
        self.refusal: web.Response | None = None
        """Answers the next message, whatever the behaviour."""

    def aside(self, request: web.Request, body: bytes) -> web.Response | None:
        method = request.path.rpartition("/")[2]
        if request.path != f"/bot{self.token}/{method}":
            return refused(401, "Unauthorized")
        self.calls.append(method)
        match method:
            case "getMe":
                return _done({"id": 7_700_112_233, "is_bot": True, "first_name": "Một cửa"})
            case "deleteWebhook":
                self.webhook = {}
                return _done(True)
            case "setWebhook":
                self.webhook = _form(body)
                return _done(True)
            case "getUpdates":
                return self._updates(int(request.query["offset"]))
            case _:
                return None

    def _updates(self, offset: int) -> web.Response:
        if self.webhook:
            return refused(409, "Conflict: can't use getUpdates method while webhook is active")
        self.offsets.append(offset)
        return _done([item for item in self.updates if _number(item) >= offset])

    def take(self, request: web.Request, body: bytes) -> Taken:
        form = _form(body)
        self.markups.append(json.loads(form.get("reply_markup", "null")))
        return Taken(to=form["chat_id"], text=form["text"])

    def answer(self, behaviour: Behaviour, taken: Taken, number: int) -> web.Response:
        refusal, self.refusal = self.refusal, None
        if refusal is not None:
            return refusal
        match behaviour:
            case Behaviour.REFUSE:
                return refused(400, f"Bad Request: chat not found {taken.to} {taken.text} {TOKEN}")
            case Behaviour.REFUSE_LOGIN:
                return refused(401, f"Unauthorized {TOKEN}")
            case Behaviour.BUSY:
                description = "Too Many Requests: retry after 7"
                return refused(429, description, parameters={"retry_after": 7})
            case _:
                message = update(number, text=taken.text)["message"]
                return _done(message | {"from": {"id": 1, "is_bot": True, "first_name": "b"}})


def _number(item: Any) -> int:
    return item.get("update_id", 0) if isinstance(item, dict) else 0


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))


def _done(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def refused(status: int, description: str, **more: Any) -> web.Response:
    body = {"ok": False, "error_code": status, "description": description, **more}
    return web.json_response(body, status=status)


class TelegramRig:
    """The gateway over the double, by webhook; the conformance suite's ``Rig``."""

    address = PERSON
    promises_refs = True
    exempt: Mapping[str, str] = {
        "test_key_is_the_same_on_every_attempt": "the Bot API has no place for a key"
    }

    def __init__(self, **settings: Any) -> None:
        self.api = BotApi()
        self.sink = RecordingSink()
        self.clock = StillClock()
        self._settings = settings

    async def __aenter__(self) -> Self:
        await self.api.start()
        table = {
            "kind": "telegram",
            "token": TOKEN,
            "webhook_secret": HOOK_SECRET,
            "base_url": self.api.url,
            "connect_timeout": 5,
            "timeout": 0.8,
            **self._settings,
        }
        self.gateway = TelegramGateway("telegram", table, self.clock)
        await self.gateway.start(self.sink)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.gateway.stop(0)
        await self.api.stop()

    async def provider(self, behaviour: Behaviour) -> None:
        await self.api.become(behaviour)

    @property
    def received(self) -> Sequence[Taken]:
        return self.api.received

    def call(self, text: str, *, number: int = 1) -> WebhookRequest:
        return signed(update(number, text=text))

    def forged_calls(self) -> Sequence[WebhookRequest]:
        genuine = signed(update(1, text="giả"))
        headers = ({}, {SECRET_HEADER: ""}, {SECRET_HEADER: "đoán"}, {SECRET_HEADER: TOKEN})
        return [replace(genuine, headers=forged) for forged in headers]


SECRET_HEADER = "x-telegram-bot-api-secret-token"


def signed(content: Any) -> WebhookRequest:
    """A call as Telegram makes it; ``content`` as JSON, or raw where it is bytes."""
    return WebhookRequest(
        method="POST",
        path="",
        headers={SECRET_HEADER: HOOK_SECRET},
        body=content if isinstance(content, bytes) else json.dumps(content).encode(),
    )
