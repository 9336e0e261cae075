"""The carrier: takes messages, shows them on phones, reports delivery; fails as it is told to."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateways.simulator.phones import Direction, Phones, Text, TextState
from notifier.domain.message import Receipt, ReceiptStatus
from notifier.errors import NotifierError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Message
    from notifier.ports import Clock

SECRET_HEADER: Final = "x-simulator-secret"  # noqa: S105 - the header's name, not a secret
INBOUND_PATH: Final = "/inbound"
SUBMISSIONS_KEPT: Final = 2_000
RECEIPT_TRIES: Final = 3


class Mode(StrEnum):
    """What the carrier does with the next messages, until told otherwise."""

    OK = "ok"
    REFUSE = "refuse"
    """Refuses the recipient for good."""
    LOCKED = "locked"
    """Refuses our login."""
    BUSY = "busy"
    DOWN = "down"
    """Can't be reached: nothing is read."""
    HANG_UP = "hang_up"
    """Takes the message, and the line breaks before its answer."""
    SILENT = "silent"
    """Reads the message, and never answers."""
    NONSENSE = "nonsense"
    """Answers something nobody can read."""
    PARTIAL = "partial"
    """Takes one part of a message of several, and is busy for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong. Times in seconds; numbers in E.164.

    ``delay`` comes before every answer, ``receipt_after`` between the message and its delivery
    report. Phones that are ``switched_off`` get nothing, and the report says so.
    """

    mode: Mode = Mode.OK
    delay: float = 0.0
    receipt_after: float = 0.4
    lose_receipts: bool = False
    opted_out: frozenset[str] = field(default=frozenset(), repr=False)
    switched_off: frozenset[str] = field(default=frozenset(), repr=False)


class Word(StrEnum):
    """The carrier's words for what it did with a message."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    PARTLY = "partly"
    REFUSED = "refused"
    OPTED_OUT = "opted-out"
    LOCKED = "account-locked"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    HUNG_UP = "hung-up"
    NONSENSE = "nonsense"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the carrier says to one submission. ``refs``: its ids by part number from 0."""

    word: Word
    refs: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The carrier's call to our hook for a text that was written on a phone.

    ``path`` is what follows ``/hooks/<gateway>``; ``id`` names the text on the phone.
    """

    id: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Provider:
    """A carrier and its subscribers' phones.

    What it keeps is bounded, so it can be driven for as long as one likes.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        secret: str = "",
        suppresses_duplicates: int = 0,
        faults: Faults | None = None,
    ) -> None:
        """``secret`` signs its calls; ``suppresses_duplicates`` in ms, 0 for a carrier that
        sends a message again when it is told to again."""
        self.faults = faults or Faults()
        self.phones = Phones()
        self.submitted: deque[Message] = deque(maxlen=SUBMISSIONS_KEPT)
        """Every submission that was read, whatever became of it, oldest first."""
        self._clock = clock
        self._secret = secret
        self._suppresses = suppresses_duplicates
        self._taken: OrderedDict[str, Instant] = OrderedDict()
        self._run = token_hex(4)  # ids of one run must not repeat those of another
        self._numbers = count(1)
        self._listener: Callable[[Sequence[Receipt]], Awaitable[None]] | None = None
        self._reports: set[asyncio.Task[None]] = set()

    # what people see and do

    def write(self, number: str, text: str) -> Call:
        """A person writes ``text``; the call that brings it to us is the caller's to make."""
        shown = Text(
            id=self._next("t"),
            direction=Direction.OUT,
            text=text,
            at=self._clock.civil(),
            state=TextState.SENT,
        )
        self.phones.add(number, shown)
        return Call(
            id=shown.id,
            path=INBOUND_PATH,
            headers={SECRET_HEADER: self._secret, "content-type": "application/json"},
            body=msgspec.json.encode({"id": shown.id, "from": number, "text": text}),
        )

    def written(self, number: str, text_id: str, *, arrived: bool) -> None:
        """Says on the phone whether the call of ``write`` was answered well."""
        self.phones.mark(number, text_id, TextState.DELIVERED if arrived else TextState.FAILED)

    def set_faults(self, **changes: Any) -> None:
        """Changes some of the ``faults``, from the next message on. ``mode`` may be its word."""
        if "mode" in changes:
            changes["mode"] = Mode(changes["mode"])
        self.faults = replace(self.faults, **changes)
        self.phones.touch()

    # what the gateway does

    def listen(self, listener: Callable[[Sequence[Receipt]], Awaitable[None]] | None) -> None:
        """Who gets the delivery reports; None: they are made and thrown away."""
        self._listener = listener

    async def submit(self, message: Message) -> Answer:
        """Takes one message, by the ``faults`` of this moment."""
        faults = self.faults
        if faults.mode is Mode.DOWN:
            return Answer(word=Word.UNREACHABLE)
        self.submitted.append(message)
        if faults.delay:
            await asyncio.sleep(faults.delay)
        match faults.mode:
            case Mode.REFUSE:
                return Answer(word=Word.REFUSED)
            case Mode.LOCKED:
                return Answer(word=Word.LOCKED)
            case Mode.BUSY:
                return Answer(word=Word.BUSY)
            case Mode.NONSENSE:
                return Answer(word=Word.NONSENSE)
            case Mode.SILENT:
                return await _never()
            case Mode.OK | Mode.HANG_UP | Mode.PARTIAL:
                return self._take(message, faults)

    async def close(self) -> None:
        """Drops the delivery reports that are still on their way."""
        reports = tuple(self._reports)
        for report in reports:
            report.cancel()
        await asyncio.gather(*reports, return_exceptions=True)

    # what goes on inside

    def _take(self, message: Message, faults: Faults) -> Answer:
        number = message.address.value
        if number in faults.opted_out:
            return Answer(word=Word.OPTED_OUT)
        if self._is_repeated(message.key):
            return Answer(word=Word.DUPLICATE)
        rest = [n for n in range(message.plan.segments) if n not in message.accepted_parts]
        partly = faults.mode is Mode.PARTIAL and len(rest) > 1
        refs = tuple((part, self._next("r")) for part in (rest[:1] if partly else rest))
        shown = self._deliver(message, refs, faults)
        if not partly:
            self._taken[message.key] = self._clock.elapsed()
        if faults.mode is Mode.HANG_UP:  # we never learn its refs, so it reports by our key
            self._report_later(shown, number, (message.key,), faults)
            return Answer(word=Word.HUNG_UP)
        self._report_later(shown, number, tuple(ref for _, ref in refs), faults)
        return Answer(word=Word.PARTLY if partly else Word.TAKEN, refs=refs)

    def _is_repeated(self, key: str) -> bool:
        horizon = self._clock.elapsed() - self._suppresses
        while self._taken and next(iter(self._taken.values())) <= horizon:
            self._taken.popitem(last=False)
        return self._suppresses > 0 and key in self._taken

    def _deliver(self, message: Message, refs: tuple[tuple[int, str], ...], faults: Faults) -> Text:
        """Puts the parts on the phone: as a text of their own, or into the one they continue."""
        number = message.address.value
        begun = self._begun(number, message) if message.accepted_parts else None
        refs = (*begun.refs, *refs) if begun else refs
        shown = Text(
            id=begun.id if begun else self._next("t"),
            direction=Direction.IN,
            text="".join(message.plan.parts[part] for part in sorted(dict(refs))),
            at=self._clock.civil(),
            state=TextState.SENT,
            parts=len(refs),
            encoding=message.plan.encoding.value,
            refs=refs,
            key=message.key,
        )
        if begun:
            self.phones.put(number, shown)
        elif number not in faults.switched_off:
            self.phones.add(number, shown)
        return shown

    def _begun(self, number: str, message: Message) -> Text | None:
        return next((text for text in self.phones.texts(number) if text.key == message.key), None)

    def _report_later(self, text: Text, number: str, refs: tuple[str, ...], faults: Faults) -> None:
        if faults.lose_receipts:
            return
        off = number in faults.switched_off
        receipts = tuple(
            Receipt(
                ref=ref,
                status=ReceiptStatus.FAILED if off else ReceiptStatus.DELIVERED,
                code="ABSENT" if off else "DELIVRD",
                by_key=ref == text.key,
            )
            for ref in refs
        )
        report = asyncio.create_task(self._report(receipts, text.id, number, faults))
        self._reports.add(report)
        report.add_done_callback(self._reports.discard)

    async def _report(
        self, receipts: Sequence[Receipt], text_id: str, number: str, faults: Faults
    ) -> None:
        await asyncio.sleep(faults.receipt_after)
        if number not in faults.switched_off:
            self.phones.mark(number, text_id, TextState.DELIVERED)
        for _ in range(RECEIPT_TRIES):
            if self._listener is None:
                return
            try:
                await self._listener(receipts)
            except NotifierError:  # not committed, so not acknowledged: a carrier tries again
                await asyncio.sleep(faults.receipt_after)
            else:
                return

    def _next(self, kind: str) -> str:
        return f"{kind}-{self._run}-{next(self._numbers)}"


async def _never() -> Answer:
    pending: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    return await pending
