"""One world: a store, a provider, a line, a load; a service that is killed, and then the books."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from notifier import logs
from notifier.bootstrap.core import Core, configure
from notifier.domain import instant, retry
from notifier.domain.audience import Recipient
from notifier.domain.message import Address
from torture import service, stores
from torture.books import Books, Figures, Round
from torture.forge import KILLED_BY, Forge, Process, end, fork
from torture.line import FaultyLine
from torture.load import Load
from torture.points import POINTS, Shared
from torture.provider import Provider, Took, gateway_table
from torture.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifier.bootstrap.core import Configuration
    from torture.provider import Dialect

PATIENCE: Final = 0.8
"""Seconds that a service has to come by the point at which it is to be killed."""

START: Final = 40.0
"""Seconds within which a service is ready, or has said why not."""

SETTLE: Final = 45.0
"""Seconds within which all is settled once nothing is in the way any more."""

STEP: Final = 12 * instant.MINUTE
"""How far the civil time moves at a time while all is settled (ms)."""

FURTHEST: Final = 3 * instant.HOUR
"""How far it moves at least: beyond every due date and pause, within the life of an answer."""

JUMP: Final = 20 * instant.MINUTE
"""How far the civil time jumps ahead or back while the service is killed (ms)."""

AT_A_POINT: Final = KILLED_BY + signal.SIGKILL
"""How a service ends that kills itself."""

TROUBLES: Final = ("none", "none", "none", "jump", "jump", "slow", "locked", "full")
PROMOTED: Final = 0.15
"""The share of lives in which a standby takes over, until it has; after half of them it does."""

NAMED: Final = 0.7
"""The share of kills at a named point; the others come at a random time."""

LISTED: Final = 30
"""People on the list of a round's broadcast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a round is to do. The same seed draws the same, as far as processes let it."""

    make_store: stores.Maker
    services: int
    """How many serve one store at once, where it lets them."""
    dialect: Dialect
    seed: str
    kills: int
    until: float
    """The moment (monotonic seconds) after which nothing is killed any more."""
    folder: Path
    keep_log: bool = False


def play(task: Task, killed: Callable[[], None]) -> Figures:
    """One round from an empty store to its books; ``killed`` is told of each kill."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=task.folder)))
        world = _World(task, folder, stack)
        return asyncio.run(world.round(killed))


class _Seat:
    """The place of one service: at most one at a time listens on its port."""

    def __init__(self, forge: Forge, shared: Shared) -> None:
        self._forge = forge
        self._shared = shared
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The one that was started last."""
        assert self._process is not None
        return self._process

    @property
    def serves(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.alive

    async def start(self) -> None:
        """A new service; nobody else's start is under way."""
        self._process = await self._forge.start()

    async def ready(self) -> bool:
        """Waits until it accepts requests, or has ended; which."""
        # What is waited for happens in another process.
        while self.serves and not self._shared.ready:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return self.serves


class _World:
    """The processes of one round. They are forked before there is an event loop."""

    def __init__(self, task: Task, folder: Path, stack: contextlib.ExitStack) -> None:
        chance = Random(task.seed)
        self._task = task
        self._chance = chance
        self._shared = Shared()
        self._engine = task.make_store(folder)
        stack.callback(self._engine.close)
        self._dialect = task.dialect
        line = stack.enter_context(_listening())
        provider = stack.enter_context(_listening())
        self._ports = [
            _free_port(chance) for _ in range(task.services if self._engine.can_share else 1)
        ]
        self._provider_port = provider.getsockname()[1]
        os.environ["NOTIFIER_STORE"] = self._engine.address
        configured = _configured(folder, gateway_table(self._dialect, line.getsockname()[1]))
        log = os.open(
            task.folder / f"{task.seed}.log" if task.keep_log else os.devnull,
            os.O_WRONLY | os.O_CREAT | os.O_APPEND,
            0o600,
        )
        stack.callback(os.close, log)
        double = fork(lambda: asyncio.run(self._provide(line, provider)), log=log)
        stack.callback(end, double)
        self._seats: list[_Seat] = []
        for port in self._ports:
            os.environ["NOTIFIER_WEB__PORT"] = str(port)
            configuration = configure(configured)
            forge = Forge(partial(self._serve, configuration), self._shared, log)
            stack.callback(forge.close)
            self._seats.append(_Seat(forge, self._shared))
        logs.configure(configuration.settings.log.model_copy(update={"level": "error"}))
        self._core = Core(configuration, service.SharedClock(self._shared))
        self._load = Load(self._shared, self._ports, self._core.events_secret, task.seed)
        self._tally: Counter[str] = Counter()
        self._faults: list[str] = []
        self._kills = 0

    # what the other processes do

    def _serve(self, configuration: Configuration) -> None:
        self._engine.in_service()
        service.run(configuration, self._shared, by_part=self._dialect.by_part)

    async def _provide(self, line: socket.socket, provider: socket.socket) -> None:
        hooks = [f"http://127.0.0.1:{port}/hooks/sms" for port in self._ports]
        double = Provider(self._shared, self._dialect, hooks, self._task.seed)
        faulty = FaultyLine(self._shared, self._provider_port, self._task.seed)
        await asyncio.gather(double.serve(provider), faulty.serve(line))

    # the round

    async def round(self, killed: Callable[[], None]) -> Figures:
        """Kill, settle, and look at the books."""
        await self._core.store.open()
        try:
            await self._engine.watch()
            recipients = await self._start_broadcast()
            load = asyncio.create_task(self._load.run())
            while self._kills < self._task.kills and time.monotonic() < self._task.until:
                for _ in range(await self._cycle()):
                    self._kills += 1
                    killed()
                if load.done():
                    load.result()
            await self._settle(load)
            return await self._figures(recipients)
        finally:
            await self._core.store.close()

    async def _cycle(self) -> int:
        """All serve, until one is killed, or more than one; how many were."""
        shared, chance = self._shared, self._chance
        shared.weather = chance.choices(list(Weather), (3, 6, 1))[0]
        named = chance.random() < NAMED
        if named:
            shared.arm(chance.choice(POINTS), passes=chance.choice((0, 0, 1, 3)))
        trouble = "promoted" if self._is_to_promote() else chance.choice(TROUBLES)
        self._tally[f"trouble {trouble}"] += trouble != "none"
        before_ready = not named and chance.random() < 0.15
        victim = await self._start_all(wait=not before_ready)
        making = asyncio.create_task(self._make(trouble, victim.process))
        span = chance.uniform(0.0, 0.15) if before_ready else chance.uniform(0.05, 0.7)
        serving = [seat.process for seat in self._seats]
        await Process.one_ended(serving, PATIENCE if named else span)
        codes = [process.code for process in serving if not process.alive]
        if not codes:
            await victim.process.kill()
        for code in codes or [None]:
            killed = "killed at a named point" if code == AT_A_POINT else "killed at random"
            self._tally[killed] += 1
            if code not in {None, AT_A_POINT}:
                self._faults.append(f"the service ended with {code}, and nobody had killed it")
        shared.disarm()
        shared.slow = 0
        await self._end_trouble(trouble, making, victim.process)
        return max(len(codes), 1)

    def _is_to_promote(self) -> bool:
        drawn = self._chance.random() < PROMOTED
        return self._engine.can_promote and (drawn or self._kills >= self._task.kills // 2)

    async def _start_all(self, *, wait: bool) -> _Seat:
        """Start whoever does not serve, and return once all do, or one died at a point.

        ``wait``: also for the last one. Who is to be killed where no point does it.
        """
        missing = [seat for seat in self._seats if not seat.serves]
        for seat in missing:
            await seat.start()
            if wait or seat is not missing[-1]:
                await self._ready(seat)
        return self._chance.choice(self._seats) if wait else missing[-1]

    async def _ready(self, seat: _Seat) -> None:
        """Beside others it may find the store locked, and end: whoever runs it starts it again."""
        async with asyncio.timeout(START):
            while not await seat.ready():
                if seat.process.code == AT_A_POINT or len(self._seats) == 1:
                    break
                self._tally["started again"] += 1
                await seat.start()

    async def _make(self, trouble: str, process: Process) -> None:
        """Trouble for the service while it runs."""
        shared, chance = self._shared, self._chance
        match trouble:
            case "jump":
                for _ in range(3):
                    shared.ahead = chance.randrange(-JUMP, JUMP)
                    await asyncio.sleep(0.1)
            case "slow":
                shared.slow = chance.randrange(20, 400)
            case "locked":
                with contextlib.suppress(Exception):
                    await self._engine.lock(2 * stores.PATIENCE / 1000)
            case "promoted":
                await self._engine.promote()
            case "full":
                await asyncio.sleep(chance.uniform(0, 0.2))
                await self._engine.fill(process.pid)
                await asyncio.sleep(chance.uniform(0.1, 0.4))
                if chance.random() < 0.5:
                    await self._engine.relieve(process.pid)
            case _:
                pass

    async def _end_trouble(
        self, trouble: str, making: asyncio.Task[None], process: Process
    ) -> None:
        """Nothing of it is left, but for a promotion, which is waited for."""
        if trouble != "promoted":
            making.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await making
        if trouble == "full":
            await self._engine.relieve(process.pid)

    # the end

    async def _settle(self, load: asyncio.Task[None]) -> None:
        """Everything in its way is taken away; what the store forgot and what does not settle is
        noted."""
        self._shared.weather = Weather.FAIR
        self._load.close()
        await self._start_all(wait=True)
        done, _ = await asyncio.wait([load], timeout=SETTLE)
        if not done:
            load.cancel()
            self._faults.append(f"{self._load.open} were not taken within {SETTLE:.0f} s")
        self._faults += await self._load.repeat()
        until = time.monotonic() + SETTLE
        furthest = self._shared.ahead + FURTHEST
        while time.monotonic() < until:
            far = self._shared.ahead >= furthest
            if far and not await self._open():
                break
            self._shared.ahead += retry.UNKNOWN_WAIT if far else STEP
            await asyncio.sleep(0.25)
        for process in [seat.process for seat in self._seats]:
            code = await process.stop(START)
            if code != 0:
                self._faults.append(f"the service ended with {code} when it was asked to stop")
                await process.kill()

    async def _open(self) -> int:
        """Messages that are on their way, or of a fate that nobody has been asked about."""
        async with self._core.store.read() as session:
            counts = await session.outbox_counts()
            unknown = await session.unknown(self._core.clock.civil() + instant.DAY, 1)
        moving = sum(count for (_, state), count in counts.items() if state != "unknown")
        return moving + len(unknown)

    async def _figures(self, recipients: list[str]) -> Figures:
        books = await self._provider_books()
        async with self._core.store.read() as session:
            rows = await session.outbox(limit=1_000_000)
            attempts = {row.id: await session.attempts(row.id) for row in rows}
            work = await session.work(limit=1_000_000)
        figures = Books(
            Round(
                dialect=self._dialect,
                cases=self._load.cases,
                questions=self._load.asked,
                recipients=recipients,
                rows=rows,
                attempts=attempts,
                work=work,
                moves=await self._engine.moves(),
                took=[Took(**took) for took in books["took"]],
                faults=self._faults,
                quarantined=len(await self._engine.quarantined()),
                strange=books["strange"],
                damage=await self._engine.damage(),
            )
        ).figures()
        self._tally.update({f"provider: {name}": times for name, times in books["drawn"].items()})
        self._tally.update(
            {f"point {name}": times for name, times in self._shared.reached().items()}
        )
        return replace(figures, kills=self._kills, tally=dict(Counter(figures.tally) + self._tally))

    async def _provider_books(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._provider_port}/books"
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            books: dict[str, Any] = await response.json()
            return books

    async def _start_broadcast(self) -> list[str]:
        """A list that is handed out while the service is killed; the keys of its messages."""
        template = "Kinh gui Ong/Ba so {{ so }}: bo phan mot cua nghi ngay le, xin hen Ong/Ba sau."
        if self._dialect.by_part:
            template += " Ho so van duoc tiep nhan truc tuyen tren cong dich vu cong." * 3
        people = [
            Recipient(row=row, address=Address("sms", f"+8497{row:07}"), values={"so": str(row)})
            for row in range(2, LISTED + 2)
        ]
        broadcasting = self._core.broadcasting
        reading = await broadcasting.new(people, title="list", template=template, author="a")
        for act, by in (("approve", "b"), ("start", "b")):
            await broadcasting.act(reading.broadcast.id, act, by)
        return [f"broadcast|{reading.broadcast.id}|{person.row}" for person in people]


@contextlib.contextmanager
def _listening() -> Any:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(256)
        yield held


def _free_port(chance: Random) -> int:
    """A port below those that the system gives to clients: each service takes it again."""
    while True:
        port = chance.randrange(20_000, 32_000)
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


def _configured(folder: Path, table: dict[str, Any]) -> Path:
    lines = [
        'log = { level = "warning" }',
        f'keys = "{folder / "keys"}"',
        'hours = { notices = ["00:00", "23:59"], broadcasts = ["00:00", "23:59"] }',
        'ticks = { remind = "1s", unknown = "1s", broadcast = "1s" }',
        "broadcast = { slice = 20 }",
        f"gateways = {{ sms = {_toml(table)} }}",
    ]
    (folder / "notifier.toml").write_text("\n".join(lines) + "\n")
    return folder


def _toml(value: Any) -> str:
    match value:
        case dict():
            pairs = (f'"{key}" = {_toml(inner)}' for key, inner in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case _:
            return f'"{value}"'
