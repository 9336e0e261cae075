"""``python -m bench.year``: a simulated year of dossiers, and then the books of its apologies.

It runs through the service's own flows on a clock that is moved: events come in by the day, the
ticks' sweeps are run, people write and sign, and everything that is due is dispatched to a gateway
that answers at once. All of it is dispatched, the other notices too, since what takes an apology
back or holds it is decided only in the last look before it leaves.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from bench import lives
from bench.lives import Act, Delay, Lot, Way, at
from notifier import logs
from notifier.bootstrap.core import Core, configure
from notifier.cli import running
from notifier.clock import SystemClock
from notifier.domain import deadline, instant
from notifier.domain.apology import ApologyState
from notifier.domain.capabilities import Capabilities
from notifier.domain.message import Address, Inbound
from notifier.domain.outcome import Accepted, OptedOut, Permanent, Temporary, Unknown
from notifier.domain.text import unaccent
from notifier.errors import NotAllowedError
from notifier.flows.apologise import REPLACED, SECOND
from notifier.flows.dispatch import Dispatcher
from notifier.flows.give_back import GiveBack
from notifier.flows.receive import Receive
from notifier.flows.settle import SettleUnknown
from notifier.flows.together import Together
from notifier.ports import Health, HealthState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from bench.lives import Deed, Life
    from notifier.bootstrap.core import Configuration
    from notifier.domain.apology import Apology
    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Gateway, Sink, WebhookReply, WebhookRequest

OWNER: Final = "year:1"
BATCH: Final = 500
"""Events that come in together."""

HOURS: Final = (
    ("08:35", True),
    ("11:35", True),
    ("14:15", True),
    ("16:45", True),
    ("17:05", False),
    ("17:15", True),
    ("18:00", True),
    ("19:00", True),
)
"""When the day is looked at, and whether the outbox is dispatched then.

Between five o'clock and a quarter past, what has just fallen due waits in the outbox.
"""

QUEUED: Final = "queued"
SAID: Final = frozenset({QUEUED, "sending", "accepted", "delivered", "unknown"})
"""Where a message is that left, may have left, or is about to."""

LONGEST_TURN: Final = 1_800.0
"""Seconds after which dispatching is given up: something keeps a message from moving."""


class YearClock(SystemClock):
    """Civil time stands where it was put; elapsed time runs on."""

    def __init__(self, now: Instant) -> None:
        super().__init__()
        self.now = now

    def civil(self) -> Instant:
        """See ``ports.Clock``."""
        return self.now


class Carrier:
    """A gateway that answers at once, as the lot of the number says; keeps who read an apology."""

    def __init__(self, name: str, channel: str, apologised: Counter[tuple[str, str]]) -> None:
        self.name = name
        self.capabilities = Capabilities(channel=channel, rate=1e6, window=200)
        self.secrets: frozenset[str] = frozenset()
        self.sent = 0
        self._apologised = apologised

    async def start(self, sink: Sink) -> None:
        """See ``ports.Gateway``."""

    async def send(self, message: Message) -> Outcome:
        """See ``ports.Gateway``; one in a hundred is taken at the second attempt only."""
        outcome = self._outcome(message)
        if isinstance(outcome, Accepted | Unknown):
            self.sent += 1
            if message.dossier and "xin loi" in unaccent(message.text).lower():
                self._apologised[message.dossier, message.episode] += 1
        return outcome

    def _outcome(self, message: Message) -> Outcome:
        if message.tries == 1 and crc32(message.key.encode()) % 100 == 0:
            return Temporary(code="busy")
        if self.capabilities.channel != "sms":
            return Accepted()
        match message.address.value[4]:
            case Lot.NO_SUCH_NUMBER:
                return Permanent(code="no such number")
            case Lot.OPTED_OUT:
                return OptedOut(code="blocked")
            case Lot.SILENT:
                return Unknown(code="silent")
            case _:
                return Accepted()

    async def query(self, ref: str) -> Outcome | None:
        """See ``ports.Gateway``."""
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        """See ``ports.Gateway``."""
        raise NotImplementedError

    async def stop(self, drain: float) -> None:
        """See ``ports.Gateway``."""

    def health(self) -> Health:
        """See ``ports.Gateway``."""
        return Health(state=HealthState.OK)


class OneStop:
    """The one-stop system's door for signed apologies; takes every tenth at the second time."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    async def tell(self, apology: Apology, now: Instant) -> str:
        """See ``ports.SourceWebhook``."""
        del now
        self.told[apology.id] += 1
        first = self.told[apology.id] == 1
        return "it answered 503" if first and crc32(apology.id.encode()) % 10 == 0 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One delay of one life, by the dossier's code and the due date's name."""

    code: str
    kind: str
    episode: str
    delay: Delay
    may_end: frozenset[Way]


@dataclass(slots=True, kw_only=True)
class Books:
    """What the store says of the year. ``violations``: a sentence each, by the dossier's code."""

    late: int = 0
    ways: Counter[Way] = field(default_factory=Counter)
    not_late: Counter[Way] = field(default_factory=Counter)
    """The same of what was in time, or stood still, and was nevertheless to be decided."""
    apologies: Counter[str] = field(default_factory=Counter)
    """Signed ones, by their state."""
    refused_seconds: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


def configuration(store: str, keys: Path) -> Configuration:
    """The shipped one, with SMS and e-mail, a place for letters, and a one-stop system to tell."""
    shipped = configure(gateways=False)
    settings = shipped.settings
    installation = shipped.installation
    apology = settings.apology.model_copy(
        update={"return_url": "https://one-stop.example.vn/hook", "return_secret": "whsec_"}
    )
    web = settings.web.model_copy(update={"public_url": "https://motcua.example.vn"})
    return replace(
        shipped,
        settings=settings.model_copy(
            update={"store": store, "keys": str(keys), "apology": apology, "web": web}
        ),
        installation=replace(
            installation,
            ladder=replace(installation.ladder, channels=frozenset({"sms", "email"})),
        ),
    )


class Year:
    """One year on one store."""

    def __init__(
        self,
        configured: Configuration,
        *,
        dossiers: int,
        late: float,
        seed: int = 1,
        last: date = lives.LAST,
    ) -> None:
        """``late``: the share that is late; ``last``: the last day on which any is received."""
        calendars = configured.installation.calendars
        self.days = lives.Days(calendars[configured.installation.calendar])
        self.dossiers = dossiers
        self.late = late
        self.seed = seed
        self.last = last
        self.clock = YearClock(at(lives.FIRST, "07:00"))
        self.core = Core(configured, self.clock)
        self.owed: list[Owed] = []
        self.known = 0
        self.lately: set[str] = set()
        """Codes of dossiers that are late by their lives."""
        self.seconds: set[tuple[str, str]] = set()
        """Second attempts: the code, and the due date that stands."""
        self.signed: set[str] = set()
        self.faults: list[str] = []
        self.example: Life | None = None
        self.apologised: Counter[tuple[str, str]] = Counter()
        self.carriers = [Carrier(name, name, self.apologised) for name in ("sms", "email")]
        gateways: dict[str, Gateway] = {carrier.name: carrier for carrier in self.carriers}
        core = self.core
        self._settle = SettleUnknown(
            core.store, core.installation.rules, core.step_down, gateways, queued=core.queued
        )
        self._back = GiveBack(core.store, self.clock, OneStop())
        self._sink = Receive(
            "sms", core.store, self.clock, core.answering, core.step_down,
            queued=core.queued, waits=core.gather.soon,
        )  # fmt: skip
        self._heard: list[tuple[Instant, int, DossierEvent]] = []
        self._deeds: list[tuple[Instant, int, Life, Deed]] = []
        self._order = itertools.count()
        self._drafts: dict[str, str] = {}

    async def live(self, received: Callable[[int], None] = lambda _: None) -> None:
        """From the first day until nothing is expected any more; the store has to be open."""
        await self.core.store.dispatch_alone(OWNER)
        made = lives.lives(self.dossiers, self.late, self.days, self.seed, self.last)
        for day, born in made:
            for life in born:
                self._foresee(life)
            await self._day(day)
            received(len(born))
        day = self.days.after(self.last, 1)
        while self._heard or self._deeds:
            await self._day(day)
            day = self.days.after(day, 1)
        for _ in range(3):  # what is tried again, and what nobody knows, comes to its end
            await self._day(day)
            day = self.days.after(day, 1)

    def _foresee(self, life: Life) -> None:
        for heard, event in life.heard:
            heappush(self._heard, (heard, next(self._order), event))
        for deed in life.deeds:
            heappush(self._deeds, (deed.at, next(self._order), life, deed))
        for delay in life.delays:
            episode = deadline.episode(delay.due_at)
            self.owed.append(
                Owed(
                    code=life.code,
                    kind=life.kind,
                    episode=episode,
                    delay=delay,
                    may_end=life.may_end,
                )
            )
            if delay.late:
                self.lately.add(life.code)
        if life.signed:
            self.signed.add(life.code)
        if self.example is None and life.kind == "signed in time" and life.lot is Lot.FINE:
            self.example = life

    async def _day(self, day: date) -> None:
        for hour, dispatched in HOURS:
            self.clock.now = at(day, hour)
            await self._hear()
            await self.core.remind.sweep(self.clock.now)
            await self._act()
            await self._settle.sweep(self.clock.now)
            await self._back.sweep(self.clock.now)
            if dispatched:
                await self._dispatch()

    async def _hear(self) -> None:
        while self._heard and self._heard[0][0] <= self.clock.now:
            batch: list[DossierEvent] = []
            while self._heard and self._heard[0][0] <= self.clock.now and len(batch) < BATCH:
                batch.append(heappop(self._heard)[2])
            await self.core.ingest(batch)

    async def _act(self) -> None:
        while self._deeds and self._deeds[0][0] <= self.clock.now:
            _, _, life, deed = heappop(self._deeds)
            try:
                await self._do(life, deed)
            except NotAllowedError as error:
                self.faults.append(f"{life.code}: {deed.act} was not allowed: {error}")

    async def _do(self, life: Life, deed: Deed) -> None:
        apologise = self.core.apologise
        match deed.act:
            case Act.DRAFT:
                made = await apologise.draft(
                    life.code, new_due_at=deed.new_due_at, reason_key="survey", author="lan"
                )
                self._drafts[life.code] = made.id
            case Act.SIGN:
                await apologise.approve(
                    self._drafts.pop(life.code), by="minh", number=f"{life.number}/PXL",
                    signer="Trần Văn Mẫu", title="GIÁM ĐỐC",
                )  # fmt: skip
            case Act.REJECT:
                await apologise.reject(self._drafts.pop(life.code), by="minh")
            case Act.SECOND:
                await self._try_again(life, deed)
            case Act.STOP:
                said = Inbound(
                    key=f"stop-{life.number}", sender=Address("sms", life.phone), text="TC"
                )
                await self._sink.accept([said])

    async def _try_again(self, life: Life, deed: Deed) -> None:
        self.seconds.add((life.code, deadline.episode(life.delays[-1].due_at)))
        try:
            await self.core.apologise.draft(
                life.code, new_due_at=deed.new_due_at, reason_key="survey", author="lan"
            )
        except NotAllowedError:
            return
        self.faults.append(f"{life.code}: a second re-appointment was let through")

    async def _dispatch(self) -> None:
        async with asyncio.timeout(LONGEST_TURN):
            for carrier in self.carriers:
                dispatcher = self._dispatcher(carrier)
                work = asyncio.create_task(dispatcher.run())
                while await self._waits(carrier):  # noqa: ASYNC110 - it does not say when it rests
                    await asyncio.sleep(0.02)
                await dispatcher.stop(60)
                await work

    def _dispatcher(self, carrier: Carrier) -> Dispatcher:
        core = self.core
        return Dispatcher(
            carrier,
            core.store,
            self.clock,
            core.installation,
            owner=OWNER,
            step_down=core.step_down,
            together=Together(core.installation, core.composer),
        )

    async def _waits(self, carrier: Carrier) -> bool:
        async with self.core.store.read() as session:
            channel = carrier.capabilities.channel
            return bool(await session.waiting(channel, carrier.name, self.clock.now, 1))

    # -------------------------------------------------------------------------------- the books

    async def books(self) -> Books:
        """By plain reading of the store, beside what the carrier took."""
        found = Books(late=len(self.lately), violations=list(self.faults))
        rows = defaultdict(list)
        for code, episode, notice, state, reason in await self._rows(
            "SELECT dossier, episode, notice, state, reason FROM message "
            "WHERE notice IN ('late', 'apology') ORDER BY id"
        ):
            rows[code, episode].append((notice, state, reason))
        work = await self._rows("SELECT key, kind, dossier FROM work WHERE dossier IS NOT NULL")
        items: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for key, kind, code in work:
            items[code].append((key, kind))
        told = {code for (code,) in await self._rows(
            "SELECT dossier FROM message WHERE notice = 'rescheduled'"
        )}  # fmt: skip
        for one in self.owed:
            self._judge(
                one, rows.pop((one.code, one.episode), []), items[one.code], told, found
            )  # fmt: skip
        owed = {(one.code, one.episode) for one in self.owed}
        found.violations += [
            f"{code}: an apology for {episode}, for which none is owed" for code, episode in rows
        ]
        found.violations += [
            f"{code}: {count} apologies for {episode} were read"
            for (code, episode), count in self.apologised.items()
            if count > 1
        ]
        found.violations += [
            f"{code}: an apology for {episode} was read, for which none is owed"
            for code, episode in self.apologised
            if (code, episode) not in owed
        ]
        keys = {key for key, _, _ in work}
        for code, episode in sorted(self.seconds):
            if f"{SECOND}|{code}|{episode}" in keys:
                found.refused_seconds += 1
            else:
                found.violations.append(f"{code}: nobody was asked about a second attempt")
        await self._documents(found)
        found.counts = {
            name: (await self._rows(sql))[0][0]
            for name, sql in {
                "events": "SELECT count(*) FROM event",
                "messages": "SELECT count(*) FROM message",
                "known": "SELECT count(*) FROM dossier",
                "undecided": f"SELECT count(*) FROM moment WHERE at <= {self.clock.now}",
            }.items()
        }
        if found.counts["known"] != self.dossiers:
            found.violations.append(
                f"{found.counts['known']} of {self.dossiers} dossiers are there"
            )
        if found.counts["undecided"]:
            found.violations.append(f"{found.counts['undecided']} due moments were not decided")
        return found

    def _judge(
        self,
        one: Owed,
        rows: Sequence[tuple[str, str, str]],
        items: Sequence[tuple[str, str]],
        told: set[str],
        found: Books,
    ) -> None:
        said = [row for row in rows if row[1] in SAID]
        if len(said) > 1:
            notices = " and ".join(notice for notice, _, _ in said)
            found.violations.append(f"{one.code} ({one.kind}): {notices} for {one.episode}: two")
            return
        way = _way(one, rows, items, told)
        if way is Way.AUTOMATIC and not one.delay.late:
            way = Way.TOLD_LATE
        (found.ways if one.delay.late else found.not_late)[way] += 1
        if way not in one.delay.ways | one.may_end:
            wanted = " or ".join(sorted(one.delay.ways | one.may_end))
            found.violations.append(
                f"{one.code} ({one.kind}): {one.episode}: it is {way!s}; it should be {wanted}"
            )

    async def _documents(self, found: Books) -> None:
        signed = Counter[str]()
        for code, state in await self._rows("SELECT dossier, state FROM apology"):
            found.apologies[state] += 1
            if state == ApologyState.RETURNED:
                signed[code] += 1
        for code in sorted(self.signed):
            if signed[code] != 1:
                found.violations.append(f"{code}: {signed[code]} signed apologies were given back")
        found.violations += [
            f"{code}: an apology was signed that nobody wanted"
            for code in sorted(signed.keys() - self.signed)
        ]

    async def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        async with self.core.store.read() as session:
            anything: Any = session  # past the port: the books read what lies in the tables
            return [tuple(row) for row in await anything.run(sql)]

    # ------------------------------------------------------------------------------ one timeline

    async def story(self, life: Life) -> list[tuple[Instant, str, str]]:
        """What happened to one dossier, and what its applicant read, in order."""
        core = self.core
        async with core.store.read() as session:
            dossier = (await session.dossiers([life.code]))[life.code]
            rows = (await session.notices_of([life.code]))[life.code]
            acts = await session.apology_acts(
                [apology.id for apology in await session.apologies(dossiers=[life.code])]
            )
        happened: list[tuple[Instant, int, int, str, str]] = []
        for step in dossier.steps:
            words = [core.installation.statuses.word(step.status, "vi")]
            words += [f"hẹn trả {running.shown(step.due_at)}"] if step.due_at else []
            happened.append((step.at, 0, 0, step.type, ", ".join(word for word in words if word)))
        for place, act in enumerate(acts):
            words = [word for word in (act.by, act.note) if word]
            happened.append((act.at, 1, place, f"apology: {act.act}", ", ".join(words)))
        for row in rows:
            what = f"SMS ({row.notice}, {row.state.value})"
            happened.append((row.created_at, 2, 0, what, row.text))
        return [(when, what, words) for when, _, _, what, words in sorted(happened)]


def _way(
    one: Owed,
    rows: Sequence[tuple[str, str, str]],
    items: Sequence[tuple[str, str]],
    told: set[str],
) -> Way:
    """What became of a delay."""
    replaced = any(state == "superseded" and reason == REPLACED for _, state, reason in rows)
    if said := [notice for notice, state, _ in rows if state in SAID]:
        if said == ["late"]:
            return Way.AUTOMATIC
        return Way.SIGNED_INSTEAD if replaced else Way.SIGNED
    if any(kind == "call" and f"|apology|{one.episode}|" in key for key, kind in items):
        return Way.CALL
    states = {state for _, state, reason in rows if reason != REPLACED}
    if "cancelled" in states:
        return Way.REFUSED
    if "superseded" in states:
        return Way.MOVED_ON
    for key, kind in items:
        if kind in {Way.SEEN_LATE, Way.NOT_RENEWED, Way.IN_PAUSE} and one.episode in key:
            return Way(kind)
    return Way.BY_SOURCE if one.code in told and not rows else Way.NOTHING


def told_as(story: Sequence[tuple[Instant, str, str]]) -> str:
    """A story as lines for a person."""
    return "\n".join(f"{running.shown(when)}  {what:<32} {words}" for when, what, words in story)


def spans(life: Life, story: Sequence[tuple[Instant, str, str]]) -> str:
    """How long it took from the risk to the signature, the one-stop system, and the desk."""
    first: dict[str, Instant] = {}
    for when, what, _ in story:
        first.setdefault(what.split(",")[0], when)
    risk = first["SMS (due_soon"]
    parts = {
        "signed": first["apology: approve"],
        "the one-stop system told": first["apology: return"],
        "result": first["finished"],
        "returned": first["returned"],
    }
    hours = ", ".join(
        f"{name} after {(when - risk) / instant.HOUR:.1f} h" for name, when in parts.items()
    )
    return f"{life.code}: from the risk ({running.shown(risk)}): {hours}"


async def simulate(dossiers: int, late: float, seed: int, store: str) -> bool:
    """Live through it, print what the books say; whether they are right."""
    from rich.console import Console
    from rich.progress import Progress

    with tempfile.TemporaryDirectory(prefix="notifier-bench-") as name:
        address = store or f"sqlite:///{name}/notifier.db"
        configured = configuration(address, Path(name) / "keys")
        logs.configure(configured.settings.log.model_copy(update={"level": "error"}))
        year = Year(configured, dossiers=dossiers, late=late, seed=seed)
        begun = time.perf_counter()
        await year.core.store.open()
        try:
            with Progress(console=Console(stderr=True)) as progress:
                bar = progress.add_task("dossiers", total=dossiers)
                await year.live(lambda count: progress.advance(bar, count))
            lived = time.perf_counter() - begun
            found = await year.books()
            if year.example is not None:
                story = await year.story(year.example)
                print(f"{told_as(story)}\n\n{spans(year.example, story)}\n")
        finally:
            await year.core.store.close()
    _print(found, year, lived)
    return not found.violations


def _print(found: Books, year: Year, seconds: float) -> None:
    rows = [("late", str(way), f"{count:,}") for way, count in found.ways.most_common()]
    rows += [("not late", str(way), f"{count:,}") for way, count in found.not_late.most_common()]
    rows += [("signed", state, f"{count:,}") for state, count in found.apologies.most_common()]
    rows.append(("second attempt", "refused, and on the work list", f"{found.refused_seconds:,}"))
    running.show(("what", "way", "count"), rows)
    for line in found.violations:
        print(f"VIOLATION {line}")
    record = {
        "goal": "year",
        "dossiers": year.dossiers,
        "seed": year.seed,
        "sent": sum(carrier.sent for carrier in year.carriers),
        "apologies_read": sum(year.apologised.values()),
        "late": found.late,
        "ways": found.ways,
        "not_late": found.not_late,
        "apologies": found.apologies,
        "refused_seconds": found.refused_seconds,
        **found.counts,
        "violations": len(found.violations),
        "seconds": round(seconds, 1),
    }
    print(json.dumps(record, ensure_ascii=False))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.year", description=__doc__)
    parser.add_argument("--dossiers", type=int, default=128_955)
    parser.add_argument("--late", type=float, default=0.0309, help="the share that is late")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", default="", help="an address; else a file that is thrown away")
    given = parser.parse_args()
    right = running.run(simulate(given.dossiers, given.late, given.seed, given.store))
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
