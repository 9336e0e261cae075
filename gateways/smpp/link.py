"""One connection to a message centre: requests and their answers, and what the centre asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from gateways.smpp import pdu
from gateways.smpp.pdu import Command, Frames, Pdu, PduError

if TYPE_CHECKING:
    from collections.abc import Callable

SWEEP: Final = 0.1
"""Seconds between looks for requests whose answer is overdue."""

MOST_INBOUND: Final = 1_000
"""Requests of the centre that are worked on at a time; then it is not read from for a while."""


class NoAnswerError(Exception):
    """A request was written, and no answer came: in time, or before the connection ended."""


class NotWrittenError(Exception):
    """The connection was closed before the request was written."""


class Link(asyncio.Protocol):
    """Requests are matched to answers by sequence number, and written together where they can be.

    ``answer_within``: seconds that the centre has for an answer. ``idle``: seconds without a word
    after which it is asked whether it is still there.
    """

    def __init__(
        self,
        *,
        on_request: Callable[[Link, Pdu], None],
        answer_within: float,
        idle: float,
        window: int,
    ) -> None:
        self._on_request = on_request
        self._answer_within = answer_within
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._sequence = 0
        self._pending: dict[int, tuple[float, asyncio.Future[Pdu]]] = {}
        self._unwritten: list[bytes] = []
        self._under_way = 0
        self._heard_at = self._loop.time()
        self._sweep: asyncio.TimerHandle | None = None
        self._asked_if_there = False
        self.places = asyncio.Semaphore(window)
        """For whoever asks much: how many requests the centre allows at a time."""
        self.closed: asyncio.Future[str] = self._loop.create_future()
        """Done once the connection has ended, with the reason in words."""

    # asyncio's side
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._sweep = self._loop.call_later(SWEEP, self._look)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self._asked_if_there = False
        try:
            arrived = self._frames.feed(data)
            while arrived:
                for unit in arrived:
                    self._take(unit)
                arrived = self._frames.feed(b"")
        except PduError as error:
            self._write(Pdu(Command.GENERIC_NACK, error.status, 0).encoded())
            self.close(f"the message centre sent what is no PDU: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._sweep is not None:
            self._sweep.cancel()
        for _, answer in self._pending.values():
            if not answer.done():
                answer.set_exception(NoAnswerError("lost"))
                answer.exception()  # seen: whoever waited may have been cancelled
        self._pending.clear()
        if not self.closed.done():
            self.closed.set_result(type(exc).__name__ if exc else "the message centre hung up")

    # our side
    @property
    def is_open(self) -> bool:
        """Whether something can be written."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, command: int, body: bytes = b"") -> Pdu:
        """Write a request and wait for its answer.

        Raises ``NotWrittenError`` or ``NoAnswerError``. The request is registered before it is
        written, since its answer may be here sooner than we are.
        """
        if not self.is_open:
            raise NotWrittenError
        sequence = self._next_sequence()
        answer: asyncio.Future[Pdu] = self._loop.create_future()
        self._pending[sequence] = (self._loop.time() + self._answer_within, answer)
        self._write(Pdu(command, 0, sequence, body).encoded())
        try:
            return await answer
        finally:
            self._pending.pop(sequence, None)

    def answer(self, request: Pdu, status: int = 0, body: bytes = b"") -> None:
        """Answer a request of the centre that ``on_request`` was given."""
        if self._under_way == MOST_INBOUND and self._transport is not None:
            self._transport.resume_reading()
        self._under_way -= 1
        self._write(Pdu(request.command | pdu.RESPONSE, status, request.sequence, body).encoded())

    def close(self, reason: str) -> None:
        """End the connection, once what is written has left."""
        if not self.closed.done():
            self.closed.set_result(reason)
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str) -> None:
        """End the connection at once: nobody is there any more."""
        if not self.closed.done():
            self.closed.set_result(reason)
        if self._transport is not None:
            self._transport.abort()

    def _take(self, unit: Pdu) -> None:
        if unit.is_response:
            _, answer = self._pending.get(unit.sequence, (0.0, None))
            if answer is not None and not answer.done():
                answer.set_result(unit)
            return
        match unit.command:
            case Command.DELIVER_SM | Command.DATA_SM:
                self._under_way += 1
                if self._under_way == MOST_INBOUND and self._transport is not None:
                    self._transport.pause_reading()
                self._on_request(self, unit)
            case Command.ENQUIRE_LINK:
                self._respond(unit)
            case Command.UNBIND:
                self._respond(unit)
                self.close("the message centre unbound us")
            case Command.ALERT_NOTIFICATION:
                pass  # has no answer (4.12)
            case _:
                nack = Pdu(Command.GENERIC_NACK, pdu.RINVCMDID, unit.sequence)
                self._write(nack.encoded())

    def _respond(self, unit: Pdu) -> None:
        self._write(Pdu(unit.command | pdu.RESPONSE, 0, unit.sequence).encoded())

    def _next_sequence(self) -> int:
        sequence = self._sequence
        while True:
            sequence = sequence % pdu.LAST_SEQUENCE + 1
            if sequence not in self._pending:
                self._sequence = sequence
                return sequence

    def _write(self, octets: bytes) -> None:
        """What is written in one turn of the loop leaves in one piece."""
        if not self._unwritten:
            self._loop.call_soon(self._flush)
        self._unwritten.append(octets)

    def _flush(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        if unwritten and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(unwritten))

    def _look(self) -> None:
        """Requests that waited long enough get no answer; a silent centre is asked for a word."""
        now = self._loop.time()
        for until, answer in self._pending.values():
            if until > now:
                break  # all have the same span, so they are in order of their end
            if not answer.done():
                answer.set_exception(NoAnswerError("timeout"))
                answer.exception()
        silent = now - self._heard_at
        if self._asked_if_there and silent > self._idle + self._answer_within:
            self.abort("the message centre does not answer any more")
            return
        if not self._asked_if_there and silent > self._idle:
            self._asked_if_there = True
            self._write(Pdu(Command.ENQUIRE_LINK, 0, self._next_sequence()).encoded())
        self._sweep = self._loop.call_later(SWEEP, self._look)
