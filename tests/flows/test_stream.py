"""A stream over a real server: killed on the way, delivered again; nothing lost or doubled."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import exchange_samples as samples
import office
import pytest
from nats_server import NatsServer

from notifier.flows.group_commit import GroupCommit
from notifier.settings import StreamSource
from notifier.sources.jetstream import Stream
from notifier.sources.reading import CloudEventReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from builders import Centre

    from notifier.domain.event import DossierEvent
    from notifier.flows.ingest import Ingested
    from notifier.ports import Quarantined
    from notifier.sources.reading import Reader


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    await server.start()
    yield server
    await server.kill()


async def published(server: NatsServer, *bodies: bytes) -> None:
    client = await server.connect()
    stream = client.jetstream()
    await stream.add_stream(name="DOSSIERS", subjects=["dossiers.>"])
    for body in bodies:
        await stream.publish("dossiers.exchange", body)
    await client.close()


async def left(server: NatsServer) -> int:
    """What the consumer has not been given, or has not acknowledged."""
    client = await server.connect()
    try:
        info = await client.jetstream().consumer_info("DOSSIERS", "ours")
        return int(info.num_pending) + int(info.num_ack_pending)
    finally:
        await client.close()


class Ingesting:
    """The flow; it can break before the commit, and between that and the acknowledgement."""

    def __init__(self, centre: Centre) -> None:
        self._group = GroupCommit(centre.ingest)
        self.calls = 0
        self.breaks: set[int] = set()
        self.breaks_before: set[int] = set()

    async def __call__(self, items: Sequence[DossierEvent | Quarantined]) -> list[Ingested]:
        self.calls += 1
        if self.calls in self.breaks_before:
            raise OSError("the store was away")
        results = await self._group.all(items)
        if self.calls in self.breaks:
            raise OSError("the process died here")
        return results


@asynccontextmanager
async def consuming(
    centre: Centre, server: NatsServer, ingest: Ingesting, reader: Reader | None = None
) -> AsyncIterator[Stream]:
    settings = StreamSource.model_validate(
        {
            "kind": "jetstream",
            "servers": [server.url],
            "stream": "DOSSIERS",
            "durable": "ours",
            "batch": 3,
            "ack_wait": "1s",
        }
    )
    stream = Stream("exchange", settings, reader or samples.reader(), ingest, centre.clock)
    await stream.start()
    try:
        yield stream
    finally:
        await stream.stop()


async def eventually(look: Any) -> None:
    async with asyncio.timeout(120):
        while not await look():  # noqa: ASYNC110 - what is waited for is outside
            await asyncio.sleep(0.05)


async def test_the_sample_ends_as_it_has_to_although_the_server_dies(
    centre: Centre, server: NatsServer
) -> None:
    centre.clock.now = samples.NOW
    bodies = samples.recut(random.Random(3))
    await published(server, *bodies, b"{broken")
    ingest = Ingesting(centre)
    ingest.breaks, ingest.breaks_before = {2}, {3}
    async with consuming(centre, server, ingest) as stream:
        for calls in (1, 4):

            async def reached(calls: int = calls) -> bool:
                return ingest.calls >= calls

            await eventually(reached)
            await server.kill()

            async def noticed() -> bool:
                return stream.health().state != "ok"

            await eventually(noticed)
            await server.start()

        async def all_taken() -> bool:
            return stream.health().state == "ok" and await left(server) == 0

        await eventually(all_taken)
    async with centre.store.read() as session:
        dossiers = await session.list_dossiers("", 10_000)
        kept = await session.quarantined()
    assert {d.code: samples.standing(d) for d in dossiers} == samples.EXPECTED
    assert len(kept) == 6
    assert {row.door for row in kept} == {"sources/exchange"}
    # What was delivered twice is one event.
    events = {
        (item.source, item.id)
        for body in bodies
        for item in samples.reader().read(body, samples.ARRIVAL)
        if not hasattr(item, "reason")
    }
    assert centre.rows("SELECT count(*) FROM event") == [(len(events),)]


async def test_events_of_the_event_interface_and_two_consumers(
    centre: Centre, server: NatsServer
) -> None:
    def body(number: int) -> bytes:
        at = "2026-11-23T08:30:00+07:00"
        code = f"H19.45-261118-{number:04}"
        return json.dumps(office.event(code=code, time=at)).encode()

    await published(server, *(body(number % 25) for number in range(50)))
    ingest, other = Ingesting(centre), Ingesting(centre)
    async with (
        consuming(centre, server, ingest, CloudEventReader()),
        consuming(centre, server, other, CloudEventReader()),
    ):

        async def all_taken() -> bool:
            return bool(ingest.calls + other.calls) and await left(server) == 0

        await eventually(all_taken)
    assert centre.rows("SELECT count(*) FROM event") == [(25,)]
    assert len(await centre.notices()) == 25


async def test_a_server_without_the_stream_is_waited_for(
    centre: Centre, server: NatsServer
) -> None:
    ingest = Ingesting(centre)
    async with consuming(centre, server, ingest) as stream:

        async def said() -> bool:
            return "no stream DOSSIERS" in stream.health().reason

        await eventually(said)
        await published(server, samples.FILE.read_bytes().splitlines()[0])

        async def taken() -> bool:
            return ingest.calls > 0 and await left(server) == 0

        await eventually(taken)
        assert stream.health().state == "ok"
