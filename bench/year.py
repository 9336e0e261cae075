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
from collections import Counter
from dataclasses import replace
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import lives
from bench.books import Books, Expected, Owed, keep
from bench.carrier import Carrier, OneStop
from bench.lives import Act, Lot, at
from bench.promises import RATES
from notifier import logs
from notifier.bootstrap.core import Core, configure
from notifier.cli import running
from notifier.clock import SystemClock
from notifier.domain import deadline, instant
from notifier.domain.message import Address, Inbound
from notifier.errors import InputError, NotAllowedError
from notifier.flows.dispatch import Dispatcher
from notifier.flows.give_back import GiveBack
from notifier.flows.receive import Receive
from notifier.flows.settle import SettleUnknown
from notifier.flows.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from bench.lives import Deed, Life
    from notifier.bootstrap.core import Configuration
    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.ports import Gateway

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
        self.expected = Expected()
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
            self.expected.owed.append(
                Owed(
                    code=life.code,
                    kind=life.kind,
                    episode=episode,
                    delay=delay,
                    may_end=life.may_end,
                )
            )
            if delay.late:
                self.expected.late.add(life.code)
        if life.signed:
            self.expected.signed.add(life.code)
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
            except (NotAllowedError, InputError) as error:
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
                    self._drafts.pop(life.code, ""), by="minh", number=f"{life.number}/PXL",
                    signer="Trần Văn Mẫu", title="GIÁM ĐỐC",
                )  # fmt: skip
            case Act.REJECT:
                await apologise.reject(self._drafts.pop(life.code, ""), by="minh")
            case Act.SECOND:
                await self._try_again(life, deed)
            case Act.STOP:
                said = Inbound(
                    key=f"stop-{life.number}", sender=Address("sms", life.phone), text="TC"
                )
                await self._sink.accept([said])

    async def _try_again(self, life: Life, deed: Deed) -> None:
        self.expected.seconds.add((life.code, deadline.episode(life.delays[-1].due_at)))
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

    async def books(self) -> Books:
        """By plain reading of the store, beside what the carriers took."""
        async with self.core.store.read() as session:
            found = await keep(session, self.expected, self.apologised, self.clock.now)
        if found.counts["known"] != self.dossiers:
            found.violations.append(
                f"of {self.dossiers} dossiers {found.counts['known']} are there"
            )
        found.violations += self.faults
        return found

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
    parser.add_argument(
        "--late", type=float, default=round(1 - RATES["mixed"], 4), help="the share that is late"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", default="", help="an address; else a file that is thrown away")
    given = parser.parse_args()
    right = running.run(simulate(given.dossiers, given.late, given.seed, given.store))
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
