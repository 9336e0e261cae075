"""The gateway to the Zalo Bot Platform: one request a message, events by webhook."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateways.condition import Condition
from gateways.exchange import Exchange, HttpAnswer
from gateways.settings import read_table
from gateways.words import quote
from gateways.zalo_bot.settings import LONGEST_TEXT, Settings, capabilities_of
from gateways.zalo_bot.updates import read_event
from notifier.domain.instant import SECOND
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.errors import SignatureError
from notifier.ports import HealthState, WebhookReply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Clock, Health, Sink, WebhookRequest

SECRET_HEADER: Final = "x-bot-api-secret-token"  # noqa: S105 - the name of a header
BUSY_FOR: Final = 2 * SECOND


class _Sent(msgspec.Struct):
    message_id: str | int = ""


class _Reply(msgspec.Struct):
    ok: bool
    result: _Sent | None = None
    description: str = ""
    error_code: int = 0


class ZaloBotGateway:
    """One bot. It answers who wrote to it; a chat begins with the citizen."""

    def __init__(self, name: str, settings: Mapping[str, Any], clock: Clock) -> None:
        self.name = name
        self._settings = read_table(Settings, name, settings)
        self.capabilities = capabilities_of(self._settings)
        self._condition = Condition(clock)
        self._exchange = Exchange(
            window=self._settings.window,
            timeout=self._settings.timeout,
            connect_timeout=self._settings.connect_timeout,
        )

    def __repr__(self) -> str:
        return f"ZaloBotGateway({self.name!r})"

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset({self._settings.token, self._settings.webhook_secret})

    async def start(self, sink: Sink) -> None:
        """Opens no connection: the first message does."""
        self._exchange.open()

    async def stop(self, drain: float) -> None:
        await self._exchange.close(drain)

    async def send(self, message: Message) -> Outcome:
        if len(message.text) > LONGEST_TEXT:
            detail = f"more than {LONGEST_TEXT} characters"
            return Permanent(code="length", detail=detail, scope=Scope.CONTENT)
        body = {"chat_id": message.address.value, "text": message.text}
        answer = await self._exchange.ask(
            "POST",
            f"{self._settings.base_url}/bot{self._settings.token}/sendMessage",
            headers={"content-type": "application/json"},
            body=msgspec.json.encode(body),
        )
        outcome = (
            _read(answer, {message.text, message.address.value, *self.secrets})
            if isinstance(answer, HttpAnswer)
            else answer
        )
        self._note(outcome)
        return outcome

    async def query(self, ref: str) -> Outcome | None:
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        shown = request.headers.get(SECRET_HEADER, "").encode(errors="surrogatepass")
        if not hmac.compare_digest(shown, self._settings.webhook_secret.encode()):
            raise SignatureError("the call does not carry the bot's secret token")
        return WebhookReply(incoming=read_event(request.body))

    def health(self) -> Health:
        return self._condition.health

    def _note(self, outcome: Outcome) -> None:
        match outcome:
            case Temporary(code="connect"):
                self._condition.note(HealthState.DOWN, "Zalo can't be reached")
            case Temporary(code="stopped"):
                pass
            case Unknown(code=code):
                self._condition.note(HealthState.DEGRADED, f"no verdict on a message: {code}")
            case Permanent(code=code, scope=Scope.ACCOUNT):
                self._condition.note(HealthState.DOWN, f"Zalo refuses us: {code}")
            case _:
                self._condition.note(HealthState.OK)


def _read(answer: HttpAnswer, hidden: set[str]) -> Outcome:
    """The envelope decides, as its error may come with HTTP 200; else the HTTP status does.

    The platform's numbers are those of HTTP, as in the Bot API that it follows.
    """
    try:
        reply = msgspec.json.decode(answer.body or b"", type=_Reply)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if 200 <= answer.status < 300:
            return Unknown(code="unreadable", detail="the answer can't be read")
        return _refused(answer.status, "")
    if reply.ok and 200 <= answer.status < 300:
        ref = str(reply.result.message_id) if reply.result else ""
        return Accepted(refs=(ref,) if ref else ())
    return _refused(reply.error_code or answer.status, quote(reply.description, hidden))


def _refused(code: int, detail: str) -> Outcome:
    match code:
        case 429:
            return Throttled(retry_after=BUSY_FOR)
        case 503:
            return Temporary(code=str(code), detail=detail)
        case 401 | 404:
            return Permanent(code=str(code), detail=detail, scope=Scope.ACCOUNT)
        case 403:
            return OptedOut(code=str(code))
        case _ if 400 <= code < 500:
            return Permanent(code=str(code), detail=detail)
        case _:
            return Unknown(code=str(code), detail=detail)
