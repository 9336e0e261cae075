"""Made-up dossiers, events and messages, and a whole centre of flows over a real store.

Every number is invented; 23 November 2026 is a Monday, and the 24th a holiday.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from notifier.domain import instant
from notifier.domain.event import DEFAULT_STATUS, DossierEvent, EventType
from notifier.domain.letter import Tickets
from notifier.domain.message import Address, Inbound, Lane, Message, message_id
from notifier.domain.segments import plan_sms
from notifier.flows.answer import Answering
from notifier.flows.apologise import Apologise, Publication
from notifier.flows.broadcast import Broadcasting
from notifier.flows.compose import Composer
from notifier.flows.dispatch import Dispatcher
from notifier.flows.gather import Gather
from notifier.flows.ingest import Ingest
from notifier.flows.keep import Keep
from notifier.flows.ladder import StepDown, Stranded
from notifier.flows.receive import Receive
from notifier.flows.remind import Remind
from notifier.flows.settle import SettleUnknown
from notifier.flows.warn import Warn
from notifier.ports import Attempted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from doubles.clock import StillClock

    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.outcome import Outcome
    from notifier.domain.retry import Verdict
    from notifier.flows.ingest import Ingested
    from notifier.ports import (
        Gateway,
        OutboxRow,
        Quarantined,
        Renderer,
        Session,
        Store,
        WorkItem,
    )

PHONE = "+84912000000"
AGENT_PHONE = "+84987000111"
LANDLINE = "02513000000"
NAME = "Lê Thị Thử Nghiệm"
SOURCE = "urn:test:one-stop"
GATEWAY = "scripted"


def moment(text: str) -> Instant:
    """``2026-11-23 09:00``, Vietnamese time."""
    return instant.read_iso(text.replace(" ", "T"))


NOW = moment("2026-11-23 09:00")
DUE = moment("2026-11-27 17:00")
TICKETS = Tickets(b"a key for tests alone, 32 bytes..")
KEPT = 3 * instant.DAY
"""How long a code that is not known yet waits."""
WAIT = 2 * instant.SECOND
"""How long a text that can't be understood waits for the rest."""


def code(number: int = 1) -> str:
    """The code of the ``number``-th dossier."""
    return f"H19.45-261118-{number:04}"


def number_of(person: int) -> str:
    """The made-up mobile number of the ``person``-th person."""
    return f"+8491200{person:04}"


def event(
    what: str = "received",
    *,
    number: int = 1,
    at: Instant = NOW,
    id: str = "",  # noqa: A002 - the field's own name
    **carried: Any,
) -> DossierEvent:
    """An event as a source reads it: the type's state, and what ``carried`` says."""
    type_ = EventType(what)
    status = DEFAULT_STATUS[type_]
    said = {"status": status, **carried} if status is not None else carried
    return DossierEvent(
        id=id or f"{what}-{number}-{at}",
        source=SOURCE,
        type=type_,
        code=code(number),
        code_raw=code(number),
        time=at,
        carried=said,
        raw=f"raw {what} {number}".encode(),
    )


def received(number: int = 1, *, phone: str = PHONE, **carried: Any) -> DossierEvent:
    """A dossier is received from an applicant with ``phone``, due on Friday."""
    return event(
        number=number,
        **{"applicant_phone": phone, "applicant_name": NAME, "due_at": DUE, **carried},
    )


def message(
    key: str = "notice-1",
    *,
    lane: Lane = Lane.NOTICE,
    to: str = f"sms:{PHONE}",
    text: str = "TTPVHCC: Ho so da co ket qua.",
    at: Instant = NOW,
    **changes: Any,
) -> Message:
    """A message queued at ``at``, which may leave then and for a day."""
    return Message(
        **{
            "id": message_id(key, at),
            "key": key,
            "lane": lane,
            "address": Address.parse(to),
            "text": text,
            "plan": plan_sms(text),
            "locale": "vi",
            "created_at": at,
            "not_before": at,
            "best_before": at + instant.DAY,
            "notice": "answer" if lane is Lane.ANSWER else "made_up",
            **changes,
        }
    )


def attempted(
    sent: Message, outcome: Outcome, verdict: Verdict, gateway: str = GATEWAY
) -> Attempted:
    """An attempt of ``gateway`` that ended."""
    return Attempted(message=sent, gateway=gateway, outcome=outcome, verdict=verdict)


def inbound(text: str, *, key: str = "in-1", sender: str = f"sms:{PHONE}") -> Inbound:
    """What a person wrote."""
    return Inbound(key=key, sender=Address.parse(sender), text=text)


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Returns once ``condition`` holds; fails where it does not come to hold."""
    async with asyncio.timeout(10):
        while True:
            holds = condition()
            if await holds if inspect.isawaitable(holds) else holds:
                return
            await asyncio.sleep(0.002)


class Centre:
    """The flows of one installation over a store; its clock stands until it is moved."""

    def __init__(
        self,
        make_store: Callable[[], Store],
        look: Callable[[str], list[tuple[Any, ...]]],
        clock: StillClock,
        installation: Installation,
        renderer: Renderer,
    ) -> None:
        self.clock = clock
        self.installation = installation
        self.rung = 0
        self.told_to_wait = 0
        self._make_store = make_store
        self._look = look
        self._renderer = renderer
        self.store = make_store()
        self._make_flows()

    def _make_flows(self) -> None:
        store, clock, installation = self.store, self.clock, self.installation
        self.composer = Composer(installation, self._renderer)
        self.step_down = StepDown(installation, self.composer)
        self.keep = Keep(store, installation, self.composer, queued=self._ring, span=KEPT)
        self.answering = Answering(installation, self.composer, self.keep, clock, wait=WAIT)
        self.gather = Gather(store, clock, self.answering, queued=self._ring, wait=WAIT)
        self.ingest = Ingest(
            store, clock, installation, self.composer, self.keep, queued=self._ring
        )
        self.remind = Remind(store, installation, self.composer, queued=self._ring)
        self.settle = self.settle_with({})
        self.apologise = self.apologise_with(installation)
        self.warn = self.warn_by(frozenset({"sms", "email"}))
        self.broadcasting = self.broadcasting_by(500)

    def broadcasting_by(self, slice_size: int) -> Broadcasting:
        """The broadcasts' flow, with slices of ``slice_size`` messages."""
        return Broadcasting(
            self.store, self.clock, self.composer, queued=self._ring, slice_size=slice_size
        )

    def apologise_with(self, installation: Installation) -> Apologise:
        """What people do with apologies, by an installation's own reasons, forms and signers."""
        return Apologise(
            self.store,
            self.clock,
            installation,
            self.ingest,
            self.composer,
            queued=self._ring,
            tickets=TICKETS,
            publication=Publication(url="https://motcua.example.vn"),
            gives_back=True,
        )

    def warn_by(self, channels: Collection[str]) -> Warn:
        """What warns units, where these channels have a way out."""
        return Warn(self.store, self.installation, self.composer, channels, queued=self._ring)

    def settle_with(self, gateways: Mapping[str, Gateway]) -> SettleUnknown:
        """What settles messages of unknown fate, by what these gateways can do."""
        return SettleUnknown(
            self.store, self.installation.rules, self.step_down, gateways, queued=self._ring
        )

    def stranded(self, *dispatchers: Dispatcher) -> Stranded:
        """What finds messages whose channel has no gateway that works among these."""
        return Stranded(
            self.store,
            self.clock,
            self.installation,
            self.step_down,
            works=lambda channel: any(d.works for d in dispatchers if d.channel == channel),
            queued=self._ring,
        )

    def receive(self, gateway: str = GATEWAY) -> Receive:
        """The sink of ``gateway``."""
        return Receive(
            gateway,
            self.store,
            self.clock,
            self.answering,
            self.step_down,
            queued=self._ring,
            waits=self._note_waiting,
        )

    def dispatcher(self, gateway: Gateway, **options: Any) -> Dispatcher:
        """The way out through ``gateway``."""
        return Dispatcher(
            gateway,
            self.store,
            self.clock,
            self.installation,
            owner="test:1",
            step_down=self.step_down,
            **options,
        )

    async def restart(self) -> None:
        """The process ends and another one opens the same store."""
        await self.store.close()
        self.store = self._make_store()
        await self.store.open()
        self._make_flows()

    def another(self) -> Centre:
        """A second process on the same store; its own has to be opened and closed."""
        return Centre(self._make_store, self._look, self.clock, self.installation, self._renderer)

    # what happens

    async def push(self, *items: DossierEvent | Quarantined) -> list[Ingested]:
        """Events come in, in one request."""
        return await self.ingest(items)

    async def sweep(self) -> int:
        """The due moments are looked at."""
        async with asyncio.timeout(20):
            return await self.remind.sweep(self.clock.now)

    async def wait_for_rest(self) -> int:
        """Two seconds pass, and what waited for its rest is answered."""
        self.clock.now += WAIT
        return await self.gather.sweep(self.clock.now)

    async def queue(self, *messages: Message) -> None:
        """Messages are put into the outbox."""
        async with self.store.write() as session:
            await session.add_messages(messages)

    async def turn(self, dispatcher: Dispatcher) -> None:
        """Turn the dispatcher's crank by hand, at this moment of the clock, until it rests."""
        async with asyncio.timeout(20):
            while True:
                more = await dispatcher._cycle()
                if dispatcher._in_flight:
                    await asyncio.wait(set(dispatcher._in_flight))
                elif not more and not dispatcher._ended:
                    return

    # what is there

    async def outbox(self, **which: Any) -> list[OutboxRow]:
        """The outbox, oldest first."""
        async with self.store.read() as session:
            return (await session.outbox(limit=10_000, **which))[::-1]

    async def row(self, key: str) -> OutboxRow:
        """The message of ``key``."""
        [row] = [row for row in await self.outbox() if row.key == key]
        return row

    async def notices(self) -> list[str]:
        """The notices in the outbox, oldest first."""
        return [row.notice for row in await self.outbox()]

    async def states(self) -> dict[str, str]:
        """The state of every message, by key."""
        return {row.key: row.state.value for row in await self.outbox()}

    async def work(self) -> list[WorkItem]:
        """What waits for people."""
        async with self.store.read() as session:
            return await session.work(limit=10_000)

    async def dossier(self, number: int = 1) -> Dossier | None:
        """The dossier, where there is one."""
        async with self.store.read() as session:
            return (await session.dossiers([code(number)])).get(code(number))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What another connection finds now: only what is committed."""
        return self._look(sql)

    def _ring(self) -> None:
        self.rung += 1

    def _note_waiting(self) -> None:
        self.told_to_wait += 1


async def begin(session: Session, messages: Sequence[Message], now: Instant = NOW) -> list[Message]:
    """Journal that these are being sent."""
    return await session.begin_attempts(messages, GATEWAY, "test:1", now)
