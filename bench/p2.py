"""P2: an SMS question in over HTTP, journalled, to its answer accepted by the null gateway."""

from __future__ import annotations

import asyncio
import json
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from bench import load, process, traffic
from bench.result import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.process import Server

DOSSIERS: Final = 10_000
SLICE: Final = 1_000
CONNECTIONS: Final = 32
OFFERED: Final = 500.0
OFFERED_CONNECTIONS: Final = 128
WARM_SECONDS: Final = 1
WANTED_P99_MS: Final = 40.0
NO_LIMIT: Final = 1e6
"""Segments a second: the gateway is not what is measured."""

PATIENCE: Final = 60.0
"""Seconds that answers may be late before the run is given up."""

TAKEN: Final = load.request("taken", "GET", "/hooks/null")


async def measure(rounds: int, scale: float) -> list[Figure]:
    """``scale``: the number of questions, 1 for a few seconds a round."""
    rates, cpus, p50s, p99s = [], [], [], []
    for number in range(rounds):
        with process.service(rate=NO_LIMIT) as server:
            await _fill(server)
            rate, cpu = await _throughput(server, f"closed{number}", round(8_000 * scale))
            rates.append(rate)
            cpus.append(cpu)
            p50, p99 = await _latency(server, f"offered{number}", round(5 * scale) + WARM_SECONDS)
            p50s.append(p50)
            p99s.append(p99)
    return [
        Figure(
            goal="P2",
            what="SMS question in to answer out",
            value=median(rates),
            unit="/s",
            wanted=">= 0.5 of Kannel",
            processor_us=median(cpus) * 1e6,
            note="Kannel not measured",
        ),
        Figure(goal="P2", what=f"p50 at {OFFERED:.0f}/s offered", value=median(p50s), unit="ms"),
        Figure(
            goal="P2",
            what=f"p99 at {OFFERED:.0f}/s offered",
            value=median(p99s),
            unit="ms",
            wanted=f"<= {WANTED_P99_MS:.0f} ms",
            met=median(p99s) <= WANTED_P99_MS,
        ),
    ]


async def _fill(server: Server) -> None:
    """The store holds the dossiers that are asked for, and no notice about them waits."""
    for start in range(0, DOSSIERS, SLICE):
        await load.once(server.url, traffic.lines(list(traffic.known(start, SLICE)), server.secret))


async def _throughput(server: Server, run: str, count: int) -> tuple[float, float]:
    """Questions a second from the first asked to the last answered, and processor seconds each."""
    requests = list(traffic.questions(count, DOSSIERS, run))
    before = server.cpu
    _, begun = await load.closed(server.url, requests, connections=CONNECTIONS)
    answered = await _accepted(server, count)
    seconds = (max(answered.values()) - min(begun.values())) / 1e9
    return count / seconds, (server.cpu - before) / count


async def _latency(server: Server, run: str, seconds: int) -> tuple[float, float]:
    """The median and the 99th percentile in ms, from the moment when each question was due."""
    requests = list(traffic.questions(round(OFFERED * seconds), DOSSIERS, run))
    due = await load.offered(
        server.url, requests, per_second=OFFERED, connections=OFFERED_CONNECTIONS
    )
    answered = await _accepted(server, len(requests))
    measured = [asked.name for asked in requests[round(OFFERED * WARM_SECONDS) :]]
    return _percentiles(measured, due, answered)


def _percentiles(
    names: Sequence[str], due: Mapping[str, int], answered: Mapping[str, int]
) -> tuple[float, float]:
    cuts = quantiles([(answered[name] - due[name]) / 1e6 for name in names], n=100)
    return cuts[49], cuts[98]


async def _accepted(server: Server, count: int) -> dict[str, int]:
    """When each of the next ``count`` messages was accepted (monotonic ns), by its question."""
    found: dict[str, int] = {}
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            taken = json.loads(await load.once(server.url, TAKEN))
            found |= {key.rpartition("|")[2]: at for key, at in taken}
            await asyncio.sleep(0.05)
    return found
