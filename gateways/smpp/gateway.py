"""The gateway to a message centre over SMPP 3.4: binds that are kept, one try a message."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from gateways.condition import Condition
from gateways.in_flight import InFlight
from gateways.numbers import dialled
from gateways.settings import read_table
from gateways.smpp.alphabet import UCS2, AlphabetError, decode, encode_default, encode_ucs2
from gateways.smpp.binding import Binding, RefusedError, UnreachableError
from gateways.smpp.delivery import is_report, read_report, receipt_of, same_id
from gateways.smpp.link import NoAnswerError, NotWrittenError
from gateways.smpp.long_message import (
    ALONE,
    Gathering,
    Joining,
    Part,
    Place,
    placed,
    reference_of,
    split_header,
)
from gateways.smpp.pdu import (
    RINVMSGLEN,
    Body,
    Command,
    Party,
    Pdu,
    PduError,
    ShortMessage,
    id_body,
    query_body,
    read_data,
    read_id,
    read_short_message,
)
from gateways.smpp.settings import SHORTEST_SECRET, Settings, capabilities_of
from gateways.smpp.verdict import outcome_of
from gateways.words import storable
from notifier.domain import phone
from notifier.domain.instant import SECOND
from notifier.domain.message import Address, Inbound, Unreadable
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Outcome,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.domain.segments import Encoding
from notifier.errors import WebhookError
from notifier.ports import HealthState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateways.smpp.link import Link
    from gateways.smpp.long_message import Gathered, Whole
    from notifier.domain.message import Incoming, Message
    from notifier.ports import Clock, Health, Sink, WebhookReply, WebhookRequest

NOT_NOW: Final = 0x64
"""RX_T_APPN: the centre is to bring it again later."""

SAME_TEXT: Final = 10 * SECOND
"""A text that comes again from one sender within this (ms) is the same one, brought twice."""

PART_LOOK: Final = 0.5
"""Seconds between looks at long messages that lack a part."""


class SmppGateway:
    """Any message centre that speaks SMPP 3.4; see the example in ``config``."""

    def __init__(self, name: str, settings: Mapping[str, Any], clock: Clock) -> None:
        self.name = name
        self._settings = read_table(Settings, name, settings)
        self.capabilities = capabilities_of(self._settings)
        self._clock = clock
        self._condition = Condition(clock)
        self._in_flight = InFlight()
        self._bindings: list[Binding] = []
        self._turn = 0
        self._sink: Sink | None = None
        self._gathering = Gathering()
        self._working: set[asyncio.Task[None]] = set()
        self._heard: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._looking: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"SmppGateway({self.name!r})"

    @property
    def secrets(self) -> frozenset[str]:
        password = self._settings.password
        return frozenset({password} if len(password) >= SHORTEST_SECRET else ())

    async def start(self, sink: Sink) -> None:
        """Binds in the background; a centre that is down now is tried again."""
        if self._bindings:
            return
        self._sink = sink
        ways = {
            "transceiver": [Command.BIND_TRANSCEIVER],
            "transmitter": [Command.BIND_TRANSMITTER],
            "both": [Command.BIND_TRANSMITTER, Command.BIND_RECEIVER],
        }[self._settings.bind]
        self._bindings = [
            Binding(self._settings, way, on_request=self._on_request, note=self._condition.note)
            for way in ways
            for _ in range(self._settings.binds)
        ]
        for binding in self._bindings:
            binding.start()
        self._looking = asyncio.create_task(self._look_for_parts())

    async def stop(self, drain: float) -> None:
        bindings, self._bindings = self._bindings, []
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
            self._looking = None
        if bindings:
            await self._in_flight.drain(drain)
            if self._working:
                await asyncio.wait(self._working, timeout=drain)
            for task in tuple(self._working):
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)
            await asyncio.gather(*(binding.stop() for binding in bindings))

    async def send(self, message: Message) -> Outcome:
        try:
            units = _submits(message, self._settings)
        except AlphabetError as error:
            return Permanent(code="alphabet", detail=str(error), scope=Scope.CONTENT)
        if not self._bindings:
            return Temporary(code="stopped", detail="the gateway is not started")
        ways = [one for one in self._bindings if one.sends]
        self._turn += 1
        binding = ways[self._turn % len(ways)]
        written = False
        try:
            async with self._in_flight.attempt():
                link = await binding.link()
                written = True
                first, *others = (self._submit(link, unit) for _, unit in units)
                # A task each costs as much as the rest, and most messages are one SMS.
                verdicts = await asyncio.gather(first, *others) if others else [await first]
        except RefusedError as error:
            return outcome_of(error.status, self._settings.statuses)
        except UnreachableError:
            return Temporary(code="connect", detail="the message centre can't be reached")
        except TimeoutError:
            detail = "the gateway stopped while it was being sent"
            kind = Unknown if written else Temporary
            return kind(code="stopped", detail=detail)
        outcome = _outcome([number for number, _ in units], verdicts)
        self._note(outcome)
        return outcome

    async def query(self, ref: str) -> Outcome | None:
        """By query_sm (4.8); None where the centre does not say."""
        ways = [one for one in self._bindings if one.sends]
        if not ways or not self._settings.query:
            return None
        source = _source(self._settings)
        try:
            link = await ways[0].link()
            answer = await link.ask(Command.QUERY_SM, query_body(ref, source))
            if answer.status:
                return None
            read = Body(answer.body)
            read.text(), read.text()
            state = read.octet()
        except (NoAnswerError, NotWrittenError, RefusedError, UnreachableError, PduError):
            return None
        if state in {1, 2, 6}:
            return Accepted(refs=(ref,))
        if state in {3, 4, 5, 8}:
            return Permanent(code=f"state {state}")
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        raise WebhookError(f"the gateway {self.name} has no callback: everything comes by its link")

    def health(self) -> Health:
        return self._condition.health

    # out
    async def _submit(self, link: Link, unit: bytes) -> Accepted | _Refusal:
        try:
            async with link.places:
                answer = await link.ask(Command.SUBMIT_SM, unit)
        except NotWrittenError:
            return Temporary(code="connect", detail="the link was closed")
        except NoAnswerError as error:
            return Unknown(code=str(error), detail="no answer to a submit_sm")
        if answer.status:
            return outcome_of(answer.status, self._settings.statuses)
        try:
            found = read_id(answer.body)
        except PduError:
            found = ""
        if not found or answer.command == Command.GENERIC_NACK:
            return Unknown(code="answer", detail="the answer to a submit_sm can't be read")
        return Accepted(refs=(same_id(found, self._settings.answer_ids),))

    def _note(self, outcome: Outcome) -> None:
        match outcome:
            case Unknown(code=code):
                self._condition.note(HealthState.DEGRADED, f"no verdict on a message: {code}")
            case Permanent(code=code, scope=Scope.ACCOUNT | Scope.CONFIGURATION):
                self._condition.note(HealthState.DOWN, f"the message centre refuses us: {code}")
            case Temporary(code="connect" | "stopped"):
                pass  # the binding says how it is
            case _:
                self._condition.note(HealthState.OK)

    # in
    def _on_request(self, link: Link, request: Pdu) -> None:
        task = asyncio.create_task(self._receive(link, request))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _receive(self, link: Link, request: Pdu) -> None:
        """Answered after the commit; what can't be kept now is to come again."""
        status = NOT_NOW
        try:
            read = read_data if request.command == Command.DATA_SM else read_short_message
            message = read(request.body)
            place, octets = (None, message.octets) if is_report(message) else split_header(message)
        except (PduError, ValueError) as error:
            unreadable = _unreadable(request.body, str(error))
            status = RINVMSGLEN if await self._hand_over([unreadable]) else NOT_NOW
        else:
            if place is not None:
                self._gather(link, request, message, place, octets)
                return
            if await self._hand_over([self._meaning(message, octets)]):
                status = 0
        link.answer(request, status, id_body(""))

    def _meaning(self, message: ShortMessage, octets: bytes) -> Incoming:
        if is_report(message):
            report = read_report(message)
            if report is None:
                return _unreadable(octets, "a delivery report without an id or a state")
            return receipt_of(report, message, self._settings.receipt_ids)
        return self._inbound(message.source, message.destination, octets, message.data_coding)

    def _inbound(
        self, source: Party, destination: Party, octets: bytes, data_coding: int
    ) -> Incoming:
        try:
            text = storable(decode(octets, data_coding, self._settings.alphabet))
        except AlphabetError as error:
            return _unreadable(octets, str(error))
        sender = phone.read(source.number if source.number.startswith("+") else f"+{source.number}")
        sender = sender or phone.read(source.number)
        return Inbound(
            key=self._key(source.number, destination.number, text),
            sender=Address("sms", sender.e164 if sender else source.number),
            text=text,
            to=destination.number,
        )

    def _key(self, source: str, destination: str, text: str) -> str:
        """The protocol gives no id: the same text from one sender within seconds is the same."""
        now = self._clock.elapsed()
        while self._heard and now - next(iter(self._heard.values()))[0] > SAME_TEXT:
            self._heard.popitem(last=False)
        same = hashlib.sha256("\0".join((source, destination, text)).encode()).hexdigest()
        return self._heard.setdefault(same, (now, f"{same}:{now // SAME_TEXT}"))[1]

    def _gather(
        self, link: Link, request: Pdu, message: ShortMessage, place: Place, octets: bytes
    ) -> None:
        """Answered once the whole is committed, or the wait for its other parts is over."""
        bind = self._settings.system_id
        whole, gathered = self._gathering.add(bind, message, place, octets, self._clock.elapsed())
        gathered.waiting.append((link, request))
        if gathered.is_whole:
            self._gathering.take(whole)
            task = asyncio.create_task(
                self._complete(
                    gathered,
                    [
                        self._inbound(
                            message.source,
                            message.destination,
                            gathered.joined(),
                            gathered.data_coding,
                        )
                    ],
                )
            )
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    async def _complete(self, gathered: Gathered, incoming: Sequence[Incoming]) -> None:
        status = 0 if await self._hand_over(incoming) else NOT_NOW
        waiting, gathered.waiting = gathered.waiting, []
        for link, request in waiting:
            link.answer(request, status, id_body(""))

    async def _look_for_parts(self) -> None:
        """A centre that brings one part at a time waits for our answer before the next one.

        So a part is answered after a while without the others: kept where a person finds it, and
        here, where the others complete it.
        """
        while True:
            await asyncio.sleep(PART_LOOK)
            before = self._clock.elapsed() - round(self._settings.parts_within * SECOND)
            for whole, gathered in self._gathering.over(before):
                if gathered.waiting:
                    await self._complete(gathered, [_missing(whole, gathered)])
                if gathered.since < before - _FORGOTTEN:
                    self._gathering.take(whole)

    async def _hand_over(self, incoming: Sequence[Incoming]) -> bool:
        if self._sink is None:
            return False
        try:
            await self._sink.accept(incoming)
        except Exception:  # noqa: BLE001 - whatever the store says, the centre is to bring it again
            self._condition.note(HealthState.DEGRADED, "what came in could not be kept")
            return False
        return True


_FORGOTTEN: Final = 3600 * SECOND

_Refusal = Throttled | Temporary | Permanent | OptedOut | Unknown


def _submits(message: Message, settings: Settings) -> list[tuple[int, bytes]]:
    """The bodies of the parts that were not taken yet, each with its number from 0."""
    parts = message.plan.parts
    whole = len(parts) == 1 or settings.joining is Joining.PAYLOAD
    texts = (message.text,) if whole else parts
    reference = reference_of(message.key)
    bodies = []
    for number, text in enumerate(texts):
        if number in message.accepted_parts:
            continue
        part = ALONE
        if len(texts) > 1:
            part = placed(settings.joining, Place(reference, len(texts), number + 1))
        bodies.append((number, _body(message, text, part, settings)))
    return bodies


def _body(message: Message, text: str, part: Part, settings: Settings) -> bytes:
    gsm = message.plan.encoding is Encoding.GSM7
    octets = encode_default(text, settings.alphabet) if gsm else encode_ucs2(text)
    return ShortMessage(
        service_type=settings.service_type,
        source=_source(settings),
        destination=Party(
            settings.destination.ton,
            settings.destination.npi,
            dialled(message.address.value, settings.destination.form),
        ),
        esm_class=part.esm_class,
        registered_delivery=1 if settings.receipts else 0,
        data_coding=0 if gsm else UCS2,
        octets=part.header + octets,
        tlvs=part.tlvs,
    ).encoded()


def _source(settings: Settings) -> Party:
    return Party(settings.source.ton, settings.source.npi, settings.source.address)


def _outcome(numbers: Sequence[int], verdicts: Sequence[Accepted | _Refusal]) -> Outcome:
    """One outcome for all parts that were tried."""
    done = tuple(
        (number, verdict.refs[0])
        for number, verdict in zip(numbers, verdicts, strict=True)
        if isinstance(verdict, Accepted)
    )
    refused = [verdict for verdict in verdicts if not isinstance(verdict, Accepted)]
    if not refused:
        return Accepted(refs=tuple(ref for _, ref in done))
    worst = min(refused, key=_gravity)
    if not done:
        return worst
    if isinstance(worst, Throttled):
        worst = Temporary(code="throttled", retry_after=worst.retry_after)
    elif isinstance(worst, OptedOut):
        worst = Permanent(code=worst.code)
    return Partial(done=done, rest=worst)


def _gravity(verdict: _Refusal) -> int:
    """A part that may be out decides for all, then one that is refused for good."""
    order: tuple[type, ...] = (Unknown, OptedOut, Permanent, Temporary, Throttled)
    return order.index(type(verdict))


def _unreadable(octets: bytes, reason: str) -> Unreadable:
    key = hashlib.sha256(octets).hexdigest()
    return Unreadable(key=f"unreadable:{key}", reason=reason, raw=octets)


def _missing(whole: Whole, gathered: Gathered) -> Unreadable:
    *_, reference, total = whole
    key = hashlib.sha256(repr((whole, sorted(gathered.octets))).encode()).hexdigest()
    return Unreadable(
        key=f"parts:{key}",
        reason=f"{len(gathered.octets)} of {total} parts of a long message (reference {reference}) "
        "came; it is read when the others come",
        raw=gathered.joined(),
    )
