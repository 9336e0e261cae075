"""A message centre that speaks SMPP 3.4 on loopback, and misbehaves as it is told."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from contracts.gateway import Behaviour, RecordingSink, Taken, until
from doubles.clock import StillClock

from gateways.smpp import SmppGateway
from gateways.smpp.alphabet import Alphabet, decode
from gateways.smpp.long_message import Gathering, split_header
from gateways.smpp.pdu import (
    RESPONSE,
    Command,
    Frames,
    Party,
    Pdu,
    ShortMessage,
    id_body,
    read_short_message,
)
from notifier.domain.message import Address

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from typing import Self

    from notifier.ports import WebhookRequest

PASSWORD = "s3cretpw"
BINDS = {Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER}
REFUSED, LOGIN, THROTTLED = 0x0B, 0x0E, 0x58


class Centre:
    """The double. ``taken`` is what was submitted, whole; ``answers`` what it was answered."""

    def __init__(self) -> None:
        self.behaviour = Behaviour.ACCEPT
        self.taken: list[Taken] = []
        self.submitted: list[ShortMessage] = []
        self.asked: list[Pdu] = []
        self.answers: dict[int, Pdu] = {}
        self.ids = (f"{number:010}" for number in itertools.count(1))
        self.statuses: list[int] = []
        """What the next submits are answered with; then 0."""
        self.chop = 0
        """Where it is set, what is written leaves in pieces of so many octets."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self.links: list[asyncio.StreamWriter] = []
        self._gathering = Gathering()
        self._sequence = itertools.count(1)

    async def listen(self, **options: Any) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, **options)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self.hang_up()
            await server.wait_closed()

    def hang_up(self) -> None:
        for writer in self.links:
            writer.close()
        self.links.clear()

    async def write(self, octets: bytes, link: int = 0) -> None:
        """To one of the links, in pieces where it is told to."""
        writer = self.links[link]
        step = self.chop or len(octets)
        for at in range(0, len(octets), step):
            writer.write(octets[at : at + step])
            await writer.drain()

    async def deliver(self, message: ShortMessage) -> int:
        """Bring a message or a report; its sequence number."""
        sequence = next(self._sequence)
        await self.write(Pdu(Command.DELIVER_SM, 0, sequence, message.encoded()).encoded())
        return sequence

    async def answer_to(self, sequence: int) -> Pdu:
        """What it was answered, once it is."""
        await until(lambda: sequence in self.answers)
        return self.answers[sequence]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        try:
            while arrived := await reader.read(65536):
                for unit in frames.feed(arrived):
                    if unit.is_response:
                        self.answers[unit.sequence] = unit
                    elif not await self._take(unit, writer):
                        return
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _take(self, unit: Pdu, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(unit)

        def answer(status: int = 0, body: bytes = b"") -> None:
            writer.write(Pdu(unit.command | RESPONSE, status, unit.sequence, body).encoded())

        if unit.command in BINDS:
            if self.behaviour is Behaviour.REFUSE_LOGIN:
                answer(LOGIN)
                return True
            self.links.append(writer)
            answer(0, id_body("centre"))
        elif unit.command == Command.SUBMIT_SM:
            message = read_short_message(unit.body)
            self._keep(message)
            match self.behaviour:
                case Behaviour.ACCEPT:
                    status = self.statuses.pop(0) if self.statuses else 0
                    answer(status, b"" if status else id_body(next(self.ids)))
                case Behaviour.REFUSE:
                    answer(REFUSED, message.octets[:60] + b"\0")
                case Behaviour.REFUSE_LOGIN:
                    answer(LOGIN)
                case Behaviour.BUSY:
                    answer(THROTTLED)
                case Behaviour.HANG_UP:
                    return False
                case Behaviour.NONSENSE:
                    answer(0, b"")
        else:
            answer()
        return True

    def _keep(self, message: ShortMessage) -> None:
        self.submitted.append(message)
        place, octets = split_header(message)
        if place is not None:
            whole, gathered = self._gathering.add("", message, place, octets, 0)
            if not gathered.is_whole:
                return
            self._gathering.take(whole)
            octets = gathered.joined()
        text = decode(octets, message.data_coding, Alphabet.GSM)
        self.taken.append(Taken(to=f"+{message.destination.number}", text=text))


def from_citizen(text: bytes, *, number: str = "84912000000", **more: Any) -> ShortMessage:
    """A message as a person's phone sends it to the short code 8088."""
    return ShortMessage(
        source=Party(1, 1, number), destination=Party(3, 0, "8088"), octets=text, **more
    )


def report(text: str, **more: Any) -> ShortMessage:
    """A delivery report in words."""
    return from_citizen(text.encode("latin-1"), esm_class=0x04, **more)


BY_LINK = "everything comes over the link, which is tested beside the suite"


class SmppRig:
    """A started gateway before a message centre of its own."""

    promises_refs = True
    exempt: Mapping[str, str] = {
        "test_genuine_call_is_read": BY_LINK,
        "test_forged_call_is_refused": BY_LINK,
        "test_doubled_call_has_the_same_key": BY_LINK,
        "test_calls_are_read_without_a_started_gateway": BY_LINK,
        "test_key_is_the_same_on_every_attempt": "a protocol without a place for a key",
    }

    def __init__(
        self,
        clock: StillClock | None = None,
        *,
        served: ssl.SSLContext | None = None,
        wait: bool = True,
        **settings: Any,
    ) -> None:
        """``served``: how the centre secures its side. ``wait``: until the gateway is bound."""
        self._served = served
        self._wait = wait
        self.clock = clock or StillClock()
        self.centre = Centre()
        self.sink = RecordingSink()
        self.address = Address("sms", "+84912345678")
        self._settings = settings

    async def __aenter__(self) -> Self:
        await self.centre.listen(ssl=self._served)
        self.gateway = SmppGateway(
            "carrier",
            {
                "host": "127.0.0.1",
                "port": self.centre.port,
                "system_id": "motcua",
                "password": PASSWORD,
                "timeout": 0.4,
                "connect_timeout": 1.0,
                "source": {"address": "MOTCUA"},
                "window": 100,
                **self._settings,
            },
            self.clock,
        )
        await self.gateway.start(self.sink)
        if self._wait:
            await until(lambda: bool(self.centre.links))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.gateway.stop(0.2)
        await self.centre.close()

    async def provider(self, behaviour: Behaviour) -> None:
        self.centre.behaviour = behaviour
        if behaviour is Behaviour.DOWN:
            await self.centre.close()
            await asyncio.sleep(0.05)  # the gateway sees that its link has ended
        elif self.centre._server is None:
            await self.centre.listen()
        elif behaviour is Behaviour.REFUSE_LOGIN:
            self.centre.hang_up()
            await asyncio.sleep(0.05)

    @property
    def received(self) -> Sequence[Taken]:
        return self.centre.taken

    def call(self, text: str, *, number: int = 1) -> WebhookRequest:
        raise NotImplementedError

    def forged_calls(self) -> Sequence[WebhookRequest]:
        raise NotImplementedError
