"""The service with simulated phones, on a store that is thrown away and a movable clock."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp
import msgspec

from notifier import shipped
from notifier.bootstrap.core import configure
from notifier.bootstrap.service import Service
from notifier.clock import MovableClock
from notifier.domain import deadline
from notifier.sources import standard_webhooks
from notifier.web.simulator.page import SimulatorPage
from notifier.web.simulator.story import read_story
from notifier.web.simulator.world import DossierLine, OutboxLine, Pushed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from aiohttp import web

    from notifier.web.simulator.story import Story
    from notifier.web.simulator.world import Carrier, HookCall

GATEWAY: Final = "simulator"
USUAL_PORT: Final = 8080
DOSSIERS_SHOWN: Final = 500


@dataclass(slots=True)
class World:
    """What the page sees of the running service; everything it does goes in by the front door."""

    service: Service
    clock: MovableClock
    story: Story
    http: aiohttp.ClientSession | None = None

    @property
    def provider(self) -> Carrier:
        """The simulated carrier."""
        gateway: Any = self.service.gateways[GATEWAY]
        return cast("Carrier", gateway.provider)

    async def move(self, forward: int) -> None:
        """See ``SimulatedWorld``."""
        self.clock.move(forward)
        await self.service.ticks.run_all()
        self.service.queued()

    async def push(self, event: Mapping[str, Any]) -> Pushed:
        """See ``SimulatedWorld``."""
        body = msgspec.json.encode(event)
        stamp = self.clock.elapsed() // 1000
        message_id = f"demo-{event['id']}"
        secret = self.service.events_secret
        headers = {
            "content-type": "application/cloudevents+json",
            "webhook-id": message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": standard_webhooks.sign(secret, message_id, stamp, body),
        }
        url = f"{self.service.url}/v1/events"
        async with self._session().post(url, data=body, headers=headers) as response:
            answer = await response.json(content_type=None)
        results = answer.get("results", [])
        if response.status == 202 and results and results[0]["result"] == "stored":
            return Pushed(stored=True)
        said = results[0].get("reason") or results[0]["result"] if results else answer["detail"]
        return Pushed(stored=False, detail=str(said))

    async def deliver(self, call: HookCall) -> None:
        """See ``SimulatedWorld``."""
        url = f"{self.service.url}/hooks/{GATEWAY}{call.path}"
        async with self._session().post(url, data=call.body, headers=call.headers) as response:
            response.raise_for_status()

    async def outbox(self, limit: int) -> Sequence[OutboxLine]:
        """See ``SimulatedWorld``."""
        async with self.service.store.read() as session:
            rows = await session.outbox(limit=limit)
        return [
            OutboxLine(
                id=row.id,
                notice=row.notice,
                lane=row.lane.name.lower(),
                state=row.state.value,
                to_masked=row.to,
                dossier=row.dossier,
                attempts=row.attempts,
                segments=row.segments,
                reason=row.reason,
                at=row.updated_at,
            )
            for row in rows
        ]

    async def dossiers(self) -> Sequence[DossierLine]:
        """See ``SimulatedWorld``."""
        installation = self.service.installation
        async with self.service.store.read() as session:
            stored = await session.list_dossiers("", DOSSIERS_SHOWN)
        return [
            DossierLine(
                code=dossier.code,
                status=dossier.status,
                status_word=installation.statuses.word(dossier.status, "vi"),
                due=dossier.facts.due_at,
                unit=installation.units.find(dossier.facts.unit).name,
                late=deadline.is_late(dossier, installation.statuses, now=self.clock.civil()),
            )
            for dossier in stored
        ]

    def _session(self) -> aiohttp.ClientSession:
        if self.http is None:
            self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        return self.http


@asynccontextmanager
async def running(port: int | None = None) -> AsyncIterator[World]:
    """The demonstration, opened as its story tells: it accepts requests, and the page is there.

    ``port`` None: 8080, or a free one where that is taken. The store lies in a temporary folder
    that is removed at the end.
    """
    story = read_story(shipped.folder("config") / "demo" / "story.toml")
    with tempfile.TemporaryDirectory(prefix="notifier-demo-") as folder:
        os.environ["NOTIFIER_STORE"] = f"sqlite:///{folder}/notifier.db"
        os.environ["NOTIFIER_KEYS"] = ""
        os.environ["NOTIFIER_WEB__PORT"] = str(_free(USUAL_PORT) if port is None else port)
        os.environ.setdefault("NOTIFIER_DEMO_SECRET", secrets.token_urlsafe(24))
        clock = MovableClock(story.starts_at)
        pages: list[SimulatorPage] = []
        worlds: list[World] = []

        def page_of(service: Service) -> Iterable[web.AbstractRouteDef]:
            world = World(service, clock, story)
            page = SimulatorPage(world, shipped.folder("templates") / "simulator")
            worlds.append(world)
            pages.append(page)
            return page.routes()

        configuration = configure(Path(shipped.folder("config") / "demo"))
        service = Service(configuration, clock, more_routes=page_of)
        [world], [page] = worlds, pages
        await service.start()
        try:
            for event in story.opening(clock.civil()):
                await world.push(event)
            yield world
        finally:
            page.close()
            if world.http is not None:
                await world.http.close()
            await service.stop()


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
