"""The gateway to the simulated carrier: its answers as outcomes, its calls as inbound messages."""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from pydantic import Field

from gateways.condition import Condition
from gateways.in_flight import InFlight
from gateways.settings import GatewayTable, read_table
from gateways.simulator.carrier import (
    INBOUND_PATH,
    SECRET_HEADER,
    Answer,
    Faults,
    Provider,
    Word,
)
from notifier.domain.capabilities import Capabilities, InboundBy, Receipts, TextUnit
from notifier.domain.message import Address, Inbound, Unreadable
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
from notifier.errors import SignatureError, WebhookError
from notifier.ports import HealthState, WebhookReply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Clock, Health, Sink, WebhookRequest

CHANNEL: Final = "sms"
BUSY_FOR: Final = 2_000
"""How long a busy carrier asks us to wait, in ms."""


class _Settings(GatewayTable):
    """The gateway's table. Times in seconds, but ``suppresses_duplicates`` in ms."""

    kind: Literal["simulator"] = "simulator"
    secret: Annotated[str, Field(min_length=16, repr=False)]
    timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    receipt_after: Annotated[float, Field(ge=0, le=300)] = 0.4
    suppresses_duplicates: Annotated[int, Field(ge=0)] = 0
    rate: Annotated[float, Field(gt=0)] = 30.0
    window: Annotated[int, Field(ge=1)] = 16


class _InboundCall(msgspec.Struct, frozen=True):
    """What the carrier posts for a text that a person wrote."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    sender: Annotated[str, msgspec.Meta(pattern=r"^\+[1-9][0-9]{7,14}$")] = msgspec.field(
        name="from"
    )
    text: Annotated[str, msgspec.Meta(max_length=10_000)]


class SimulatorGateway:
    """The gateway to a ``Provider`` of its own, reachable as ``provider``."""

    def __init__(self, name: str, settings: Mapping[str, Any], clock: Clock) -> None:
        """Raises ``ConfigurationError`` with every fault of the table."""
        table = read_table(_Settings, name, settings)
        self.name = name
        self.capabilities = Capabilities(
            channel=CHANNEL,
            inbound=InboundBy.WEBHOOK,
            receipts=Receipts.DELIVERED,
            suppresses_duplicates=table.suppresses_duplicates,
            text_unit=TextUnit.SEGMENTS,
            rate=table.rate,
            window=table.window,
        )
        self.provider = Provider(
            clock,
            secret=table.secret,
            suppresses_duplicates=table.suppresses_duplicates,
            faults=Faults(receipt_after=table.receipt_after),
        )
        self._secret = table.secret
        self._timeout = table.timeout
        self._started = False
        self._in_flight = InFlight()
        self._condition = Condition(clock)
        self._condition.note(HealthState.DOWN, "not started")

    @property
    def secrets(self) -> frozenset[str]:
        """The secret of the carrier's calls."""
        return frozenset({self._secret})

    async def start(self, sink: Sink) -> None:
        """Usable at once; delivery reports go to ``sink``."""
        self.provider.listen(sink.accept)
        self._started = True
        self._condition.note(HealthState.OK)

    async def send(self, message: Message) -> Outcome:
        """One attempt, within the setting ``timeout``."""
        if not self._started:
            return Temporary(code="stopped", detail="the gateway is not started")
        try:
            async with self._in_flight.attempt(), asyncio.timeout(self._timeout):
                answer = await self.provider.submit(message)
        except TimeoutError:
            return self._no_verdict("no-answer", "the carrier gave no answer in time")
        return self._outcome(answer)

    async def query(self, ref: str) -> Outcome | None:
        """This carrier can't be asked."""
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        """A text that a person wrote; the shared secret stands in a header."""
        given = request.headers.get(SECRET_HEADER, "")
        # Header bytes that are no UTF-8 arrive as lone surrogates, which a plain encode() refuses.
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), self._secret.encode()):
            raise SignatureError(f"The call carries no valid {SECRET_HEADER}; set the one we know.")
        if request.method != "POST" or request.path.strip("/") != INBOUND_PATH.strip("/"):
            raise WebhookError(f"The carrier calls with POST {INBOUND_PATH} and nothing else.")
        return WebhookReply(incoming=(_read_inbound(request.body),))

    async def stop(self, drain: float) -> None:
        """Lets sends end for ``drain`` seconds; what is left has no verdict."""
        self._started = False
        await self._in_flight.drain(drain)
        self.provider.listen(None)
        await self.provider.close()
        self._condition.note(HealthState.DOWN, "stopped")

    def health(self) -> Health:
        """Down while the carrier can't be reached, and before the start."""
        return self._condition.health

    def _outcome(self, answer: Answer) -> Outcome:
        if answer.word is Word.UNREACHABLE:
            self._condition.note(HealthState.DOWN, "the carrier can't be reached")
            return Temporary(code=answer.word.value, detail="the carrier can't be reached")
        if self._started:
            self._condition.note(HealthState.OK)
        match answer.word:
            case Word.TAKEN:
                return Accepted(refs=tuple(ref for _, ref in answer.refs))
            case Word.DUPLICATE:
                return Accepted(duplicate=True)
            case Word.PARTLY:
                return Partial(done=answer.refs, rest=Temporary(code=Word.BUSY.value))
            case Word.REFUSED:
                return Permanent(
                    code=answer.word.value, detail="the carrier refuses this recipient"
                )
            case Word.LOCKED:
                return Permanent(
                    code=answer.word.value,
                    detail="the carrier refuses our login",
                    scope=Scope.ACCOUNT,
                )
            case Word.OPTED_OUT:
                return OptedOut(code=answer.word.value)
            case Word.BUSY:
                return Throttled(retry_after=BUSY_FOR)
            case Word.HUNG_UP:
                return self._no_verdict(answer.word.value, "the line broke before the answer")
            case Word.NONSENSE:
                return self._no_verdict(answer.word.value, "the answer can't be read")

    def _no_verdict(self, code: str, detail: str) -> Outcome:
        if self.capabilities.suppresses_duplicates:
            return Temporary(code=code, detail=detail)
        return Unknown(code=code, detail=detail)


def _read_inbound(body: bytes) -> Inbound | Unreadable:
    try:
        call = msgspec.json.decode(body, type=_InboundCall)
    except msgspec.DecodeError as error:
        return _unreadable(str(error), body)
    except (UnicodeDecodeError, RecursionError):
        return _unreadable("the call is not JSON in UTF-8, or nested too deep", body)
    return Inbound(key=call.id, sender=Address(CHANNEL, call.sender), text=call.text)


def _unreadable(reason: str, body: bytes) -> Unreadable:
    return Unreadable(key=sha256(body).hexdigest(), reason=reason, raw=body)
