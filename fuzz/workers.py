"""Inputs given to the doors by processes side by side, and a watch over what takes too long."""

from __future__ import annotations

import multiprocessing
import pprint
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from random import Random
from typing import TYPE_CHECKING, Any, Final

from fuzz.doors import doors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from fuzz.doors import Door

CHUNK: Final = 250
"""Inputs that a process is given at a time."""

HUNG: Final = 300.0
"""Seconds after which an input counts as one that never ends; a busy machine may stop for some."""

MOST_KEPT: Final = 10
"""Faults of a door that are kept in files; the others are counted."""

_processes = multiprocessing.get_context("fork")


@dataclass(slots=True)
class Report:
    """What came of inputs. ``slowest``: ms of processor time, by door."""

    inputs: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Add what another process reports."""
        self.inputs += other.inputs
        self.outcomes += other.outcomes
        self.faults += other.faults
        for door, took in other.slowest.items():
            self.slowest[door] = max(took, self.slowest.get(door, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An input of made-up data that showed one, and what went wrong."""

    door: str
    number: int
    problem: str
    made: str = field(repr=False)

    def keep(self, folder: Path, seed: str) -> None:
        """Write it to a file of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.door.replace('/', '-')}-{self.number}.txt"
        text = f"{self._again(seed)}\n\n{self.problem}\n\n{self.made}\n"
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")

    def _again(self, seed: str) -> str:
        """The command that shows it once more; over HTTP what came before may matter."""
        what = f"--again {self.door}:{self.number}" if self.door in doors() else "--inputs 0"
        return f"python -m fuzz {what} --seed {seed}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Inputs ``first`` to ``end`` of a door."""

    door: str
    first: int
    end: int


def chance_of(seed: str, door: str, number: int) -> Random:
    """Everything about an input is drawn from this, so that it can be made again."""
    return Random(f"{seed}|{door}|{number}")


def enter(door: Door, seed: str, number: int, limit: float, report: Report) -> None:
    """Make one input, let it in, and report what came of it."""
    made = door.make(chance_of(seed, door.name, number))
    began = time.thread_time()
    try:
        outcome = door.enter(made)
    except Exception as error:  # noqa: BLE001 - whatever it is, that is what is looked for
        outcome = "fault"
        problem = "".join(traceback.format_exception(error, limit=-8))[-6_000:]
        report.faults.append(_fault(door, number, problem, made))
    took = time.thread_time() - began
    if took > limit and outcome != "fault":
        took = min(took, _again(door, made))  # the processor may have been asleep the first time
        if took > limit:
            report.faults.append(_fault(door, number, f"it took {took:.2f} s", made))
    report.inputs[door.name] += 1
    report.outcomes[f"{door.name}: {outcome}"] += 1
    report.slowest[door.name] = max(took * 1_000, report.slowest.get(door.name, 0.0))


def run(
    shares: Mapping[str, int],
    seed: str,
    limit: float,
    jobs: int,
    done: Callable[[int, int], None],
) -> Report:
    """So many inputs of each door; ``done`` is told of how many came, with how many faults."""
    waiting = _chunks(shares)
    total = Report()
    workers = [_Worker(seed, limit) for _ in range(jobs)]
    for worker in workers:
        worker.give(next(waiting, None))
    while busy := [worker for worker in workers if worker.chunk]:
        wait([worker.answers for worker in busy], timeout=1.0)
        for worker in busy:
            came = worker.answer()
            if came is not None:
                total.add(came)
                worker.give(next(waiting, None))
            elif worker.hangs:
                came = worker.end_hung()
                total.add(came)
            else:
                continue
            done(came.inputs.total(), len(came.faults))
    for worker in workers:
        worker.close()
    return total


def _again(door: Door, made: Any) -> float:
    began = time.thread_time()
    door.enter(made)
    return time.thread_time() - began


def _fault(door: Door, number: int, problem: str, made: Any) -> Fault:
    return Fault(
        door=door.name, number=number, problem=problem, made=pprint.pformat(made)[:200_000]
    )


def _chunks(shares: Mapping[str, int]) -> Iterator[Chunk]:
    """The doors in turn, so that each is tried from the start."""
    longest = max(shares.values(), default=0)
    for first in range(0, longest, CHUNK):
        for door, count in shares.items():
            if first < count:
                yield Chunk(door, first, min(first + CHUNK, count))


class _Worker:
    """A process that works off chunks, and says in shared memory where it is."""

    def __init__(self, seed: str, limit: float) -> None:
        self._seed = seed
        self._limit = limit
        self.chunk: Chunk | None = None
        self._at = _processes.Array("d", 2, lock=False)
        """The number of the input that it is at, and when it began (monotonic seconds)."""
        self._start()

    def _start(self) -> None:
        self.answers, theirs = _processes.Pipe()
        self._process = _processes.Process(
            target=_work, args=(theirs, self._at, self._seed, self._limit), daemon=True
        )
        self._process.start()
        theirs.close()

    def give(self, chunk: Chunk | None) -> None:
        """The next to work off; None: there is none."""
        self.chunk = chunk
        self._at[1] = time.monotonic()
        if chunk:
            self.answers.send(chunk)

    def answer(self) -> Report | None:
        """The report of the chunk, once there is one."""
        if not self.answers.poll():
            return None
        try:
            report: Report = self.answers.recv()
        except EOFError:
            raise SystemExit("a process of the fuzzer died; see what it wrote above") from None
        return report

    @property
    def hangs(self) -> bool:
        """Whether it has been at one input for too long."""
        return time.monotonic() - self._at[1] > HUNG

    def end_hung(self) -> Report:
        """End the process; what it hung at is a fault, and another goes on behind it."""
        assert self.chunk is not None
        self._process.kill()
        self._process.join()
        self.answers.close()
        number = int(self._at[0])
        door = doors()[self.chunk.door]
        made = door.make(chance_of(self._seed, door.name, number))
        lost = number + 1 - self.chunk.first
        report = Report(Counter({door.name: lost}), Counter({f"{door.name}: hung": lost}))
        report.slowest[door.name] = HUNG * 1_000
        report.faults.append(_fault(door, number, f"it had not ended after {HUNG:.0f} s", made))
        self._start()
        left = Chunk(door.name, number + 1, self.chunk.end)
        self.give(left if left.first < left.end else Chunk(door.name, 0, 0))
        return report

    def close(self) -> None:
        """It has nothing more to do."""
        self.answers.send(None)
        self._process.join()


def _work(orders: Connection, at: Any, seed: str, limit: float) -> None:
    every = doors()
    while chunk := orders.recv():
        report = Report()
        for number in range(chunk.first, chunk.end):
            at[0], at[1] = number, time.monotonic()
            enter(every[chunk.door], seed, number, limit, report)
        orders.send(report)


def shares_of(total: int, doors: Sequence[str]) -> dict[str, int]:
    """How many inputs each door gets: those that people and vendors reach, the most."""
    weights = {"events": 6, "inquiry": 4}
    whole = sum(weights.get(door, 1) for door in doors)
    return {door: -(-total * weights.get(door, 1) // whole) for door in doors}
