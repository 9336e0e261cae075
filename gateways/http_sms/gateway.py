"""The gateway to an HTTP SMS provider: one request a message, one session, no second try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateways.condition import Condition
from gateways.exchange import Exchange, HttpAnswer
from gateways.http_sms.answer import read_answer
from gateways.http_sms.callback import read_call
from gateways.http_sms.request import basic_token, prepare
from gateways.http_sms.settings import HmacCheck, SecretCheck, Settings, further_faults
from gateways.settings import read_table
from notifier.domain.capabilities import Capabilities, InboundBy, TextUnit
from notifier.domain.capabilities import Receipts as ReceiptsKind
from notifier.domain.instant import SECOND
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.errors import WebhookError
from notifier.ports import HealthState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateways.http_sms.request import Prepared
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Clock, Health, Sink, WebhookReply, WebhookRequest

_SHORTEST_SECRET: Final = 4
"""Anything shorter occurs in ordinary words, and hiding it would make the logs unreadable."""


class HttpSmsGateway:
    """Any provider that takes one HTTP request a message; see the example in ``config``."""

    def __init__(self, name: str, settings: Mapping[str, Any], clock: Clock) -> None:
        self.name = name
        self._settings = read_table(Settings, name, settings, further_faults(name, settings))
        self.capabilities = _capabilities(self._settings)
        self._condition = Condition(clock)
        request = self._settings.request
        self._exchange = Exchange(
            window=self._settings.window,
            timeout=request.timeout,
            connect_timeout=request.connect_timeout,
            keep_alive=request.keep_alive,
        )

    def __repr__(self) -> str:
        return f"HttpSmsGateway({self.name!r})"

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(
            secret for secret in _secrets(self._settings) if len(secret) >= _SHORTEST_SECRET
        )

    async def start(self, sink: Sink) -> None:
        """Opens no connection: the first message does."""
        self._exchange.open()

    async def stop(self, drain: float) -> None:
        await self._exchange.close(drain)

    async def send(self, message: Message) -> Outcome:
        outcome = await self._attempt(prepare(message, self._settings), message)
        self._note(outcome)
        if isinstance(outcome, Unknown) and self.capabilities.suppresses_duplicates:
            return Temporary(code=outcome.code, detail=outcome.detail)
        return outcome

    async def query(self, ref: str) -> Outcome | None:
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        path = request.path.rstrip("/")
        for callback in (self._settings.receipts, self._settings.inbound):
            if callback is not None and callback.path == path:
                return read_call(request, callback)
        raise WebhookError(f"the gateway {self.name} has no callback at this path")

    def health(self) -> Health:
        return self._condition.health

    async def _attempt(self, prepared: Prepared, message: Message) -> Outcome:
        answer = await self._exchange.ask(
            prepared.method, prepared.url, headers=prepared.headers, body=prepared.body
        )
        if not isinstance(answer, HttpAnswer):
            return answer
        hidden = {message.text, message.address.value, *_secrets(self._settings)}
        return read_answer(answer, self._settings.answer, hidden)

    def _note(self, outcome: Outcome) -> None:
        match outcome:
            case Temporary(code="connect"):
                self._condition.note(HealthState.DOWN, "the provider can't be reached")
            case Temporary(code="stopped"):
                pass
            case Unknown(code=code):
                self._condition.note(HealthState.DEGRADED, f"no verdict on a message: {code}")
            case Permanent(code=code, scope=Scope.ACCOUNT | Scope.CONFIGURATION):
                self._condition.note(HealthState.DOWN, f"the provider refuses us: {code}")
            case Accepted() | Permanent() | OptedOut() | Throttled() | Temporary() | Partial():
                self._condition.note(HealthState.OK)


def _capabilities(settings: Settings) -> Capabilities:
    return Capabilities(
        channel="sms",
        inbound=InboundBy.WEBHOOK if settings.inbound else InboundBy.NONE,
        receipts=ReceiptsKind.DELIVERED if settings.receipts else ReceiptsKind.NONE,
        suppresses_duplicates=settings.suppresses_duplicates * SECOND,
        text_unit=TextUnit.SEGMENTS,
        max_units=settings.max_segments,
        rate=settings.rate,
        window=settings.window,
        recipient_gap=round(settings.recipient_gap * SECOND),
    )


def _secrets(settings: Settings) -> Iterator[str]:
    yield from settings.secrets.values()
    basic = settings.request.basic_auth
    if basic is not None:
        yield from (basic.user, basic.password, basic_token(basic.user, basic.password))
    for callback in (settings.receipts, settings.inbound):
        for check in callback.auth if callback is not None else ():
            if isinstance(check, SecretCheck | HmacCheck):
                yield check.secret
