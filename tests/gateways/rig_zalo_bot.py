"""The gateway ``zalo_bot`` over a double of the bot platform, by webhook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Self

from aiohttp import web
from contracts.gateway import Behaviour, RecordingSink, Taken
from doubles.clock import StillClock
from doubles.http_provider import HttpProvider

from gateways.zalo_bot import ZaloBotGateway
from notifier.domain.message import Address
from notifier.ports import WebhookRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOKEN = "4102:bot-token-of-a-test"
SECRET = "hook-secret-4102"
CHAT = "6ede9afa66b88fe6d6a9"


class Platform(HttpProvider):
    """Answers as the platform does: an envelope, whose error may come with HTTP 200."""

    def take(self, request: web.Request, body: bytes) -> Taken:
        assert request.path == f"/bot{TOKEN}/sendMessage"
        read = json.loads(body)
        return Taken(to=read["chat_id"], text=read["text"])

    def answer(self, behaviour: Behaviour, taken: Taken, number: int) -> web.Response:
        error = {Behaviour.REFUSE: 400, Behaviour.REFUSE_LOGIN: 401, Behaviour.BUSY: 429}
        if behaviour in error:
            code = error[behaviour]
            return web.json_response(
                {"ok": False, "description": f"no: {taken.text}", "error_code": code}
            )
        return web.json_response({"ok": True, "result": {"message_id": f"m{number}"}})


class Rig:
    """The conformance suite's rig."""

    address = Address("zalo_bot", CHAT)
    promises_refs = True
    exempt: ClassVar[Mapping[str, str]] = {
        "test_key_is_the_same_on_every_attempt": "the platform has no place for a key"
    }

    async def __aenter__(self) -> Self:
        self.platform = Platform()
        await self.platform.start()
        self.sink = RecordingSink()
        self.gateway = ZaloBotGateway(
            "zalo_bot",
            {
                "token": TOKEN,
                "webhook_secret": SECRET,
                "base_url": self.platform.url,
                "timeout": 1.0,
                "connect_timeout": 0.9,
                "window": 50,
            },
            StillClock(),
        )
        await self.gateway.start(self.sink)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.gateway.stop(0.1)
        await self.platform.stop()

    async def provider(self, behaviour: Behaviour) -> None:
        await self.platform.become(behaviour)

    @property
    def received(self) -> Sequence[Taken]:
        return self.platform.received

    def call(self, text: str, *, number: int = 1) -> WebhookRequest:
        return call(event(text=text, message_id=f"in-{number}"))

    def forged_calls(self) -> Sequence[WebhookRequest]:
        genuine = self.call("giúp")
        return [
            WebhookRequest(method="POST", path="/", body=genuine.body, headers=headers)
            for headers in ({}, {"x-bot-api-secret-token": "wrong"}, {"x-secret": SECRET})
        ]


def event(**message: object) -> dict[str, object]:
    """A text of one citizen, as the platform calls with it."""
    return {
        "ok": True,
        "result": {
            "event_name": "message.text.received",
            "message": {
                "date": 1763600000000,
                "chat": {"id": CHAT, "chat_type": "PRIVATE"},
                "from": {"id": CHAT, "display_name": "Một người", "is_bot": False},
                **message,
            },
        },
    }


def call(event: object) -> WebhookRequest:
    """A genuine call."""
    return WebhookRequest(
        method="POST",
        path="/",
        body=json.dumps(event).encode(),
        headers={"x-bot-api-secret-token": SECRET},
    )
