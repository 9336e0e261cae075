"""P1: events in. One a request over 32 connections, against a bare handler; and in batches."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from bench import load, process, traffic
from bench.result import Figure

if TYPE_CHECKING:
    from bench.process import Server

CONNECTIONS: Final = 32
BATCH: Final = 500
BATCH_CONNECTIONS: Final = 4
SMS_RATE: Final = 50.0
"""What an aggregator takes: notices of the events leave at the same time, as they do in life."""

WANTED_RATIO: Final = 0.55
WANTED_BATCHED: Final = 8_000.0


async def measure(rounds: int, scale: float) -> list[Figure]:
    """``scale``: the number of events, 1 for a few seconds a round."""
    bare, single, batched = [], [], []
    cpu_bare, cpu_single = [], []
    for number in range(rounds):
        with process.bare() as server:
            rate, cpu = await _single(server, f"bare{number}", scale)
            bare.append(rate)
            cpu_bare.append(cpu)
        with process.service(rate=SMS_RATE) as server:
            rate, cpu = await _single(server, f"single{number}", scale)
            single.append(rate)
            cpu_single.append(cpu)
        with process.service(rate=SMS_RATE) as server:
            batched.append(await _batched(server, f"batch{number}", scale))
    ratio = median(one / other for one, other in zip(single, bare, strict=True))
    rate = median(batched)
    return [
        Figure(
            goal="P1",
            what="events in, bare aiohttp handler",
            value=median(bare),
            unit="/s",
            processor_us=median(cpu_bare) * 1e6,
        ),
        Figure(
            goal="P1",
            what="events in, one a request",
            value=median(single),
            unit="/s",
            ratio=ratio,
            wanted=f">= {WANTED_RATIO} of bare",
            met=ratio >= WANTED_RATIO,
            processor_us=median(cpu_single) * 1e6,
        ),
        Figure(
            goal="P1",
            what=f"events in, NDJSON of {BATCH}",
            value=rate,
            unit="/s",
            wanted=f">= {WANTED_BATCHED:,.0f}/s",
            met=rate >= WANTED_BATCHED,
        ),
    ]


async def _single(server: Server, run: str, scale: float) -> tuple[float, float]:
    """Events a second, and processor seconds an event."""
    warm = [traffic.single(e, server.secret) for e in traffic.events(500_000, 60, run)]
    dossiers = round(1_300 * scale)
    requests = [traffic.single(e, server.secret) for e in traffic.events(0, dossiers, run)]
    await load.closed(server.url, warm, connections=CONNECTIONS)
    before = server.cpu
    took, _ = await load.closed(server.url, requests, connections=CONNECTIONS)
    return len(requests) / took, (server.cpu - before) / len(requests)


async def _batched(server: Server, run: str, scale: float) -> float:
    """Events a second."""
    events = list(traffic.events(0, round(3_000 * scale), run))
    warm = traffic.lines(list(traffic.events(500_000, 100, run)), server.secret)
    requests = [
        traffic.lines(events[start : start + BATCH], server.secret)
        for start in range(0, len(events), BATCH)
    ]
    await load.once(server.url, warm)
    took, _ = await load.closed(server.url, requests, connections=BATCH_CONNECTIONS)
    return len(events) / took
