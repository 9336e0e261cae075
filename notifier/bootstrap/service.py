"""The running service: gateways, dispatchers, ticks and the web on the core."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from notifier import logs, plugins
from notifier.bootstrap import sources
from notifier.bootstrap.core import Core
from notifier.flows.dispatch import Dispatcher
from notifier.flows.give_back import GiveBack
from notifier.flows.group_commit import GroupCommit
from notifier.flows.ladder import Stranded
from notifier.flows.receive import Receive
from notifier.flows.settle import Abandon, SettleUnknown
from notifier.flows.together import Together
from notifier.flows.warn import Warn
from notifier.sources import event_schema, standard_webhooks
from notifier.sources.event_api import EventApi
from notifier.sources.return_webhook import ReturnWebhook
from notifier.storage.address import secrets_of
from notifier.ticks import Tick, Ticks
from notifier.web.apologies import ApologiesFace
from notifier.web.events import EventsFace
from notifier.web.health import HealthFace, Metrics
from notifier.web.hooks import HooksFace
from notifier.web.openapi import OpenApiFace
from notifier.web.server import Server
from notifier.web.sources import SourcesFace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aiohttp import web

    from notifier.bootstrap.core import Configuration
    from notifier.domain.breaker import Breaker
    from notifier.ports import Clock, Gateway

DRAIN = 10.0
"""Seconds that a stop waits for what is in flight."""

log = structlog.get_logger()


class Service(Core):
    """The running service. ``start`` returns once it accepts requests."""

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock,
        *,
        more_routes: Callable[[Service], Iterable[web.AbstractRouteDef]] = lambda _: (),
    ) -> None:
        super().__init__(configuration, clock)
        # In a container host and process number may be the same after a crash.
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.gateways = plugins.make(self.settings.gateways, clock, configuration.file)
        logs.configure(
            self.settings.log,
            {secret for gateway in self.gateways.values() for secret in gateway.secrets}
            | {self.keys.events, self.settings.events.secret}
            | {self.settings.apology.return_secret, self.settings.apology.api_token}
            | secrets_of(self.settings.store)
            | sources.secrets_of(self.settings.sources),
        )
        self.sinks = {
            name: Receive(
                name,
                self.store,
                clock,
                self.answering,
                self.step_down,
                queued=self.queued,
                waits=self.gather.soon,
            )
            for name in self.gateways
        }
        self.dispatchers = list(self._dispatchers())
        self._bells += [dispatcher.ring for dispatcher in self.dispatchers]
        self.ingesting = GroupCommit(self.ingest)
        self.doors = sources.doors(configuration, clock, self.events_secret)
        self.sources = sources.running(configuration, clock, self.ingesting.all)
        settle = SettleUnknown(
            self.store,
            self.installation.rules,
            self.step_down,
            self.gateways,
            queued=self.queued,
        )
        self.abandon = Abandon(self.store, self.step_down)
        stranded = Stranded(
            self.store,
            clock,
            self.installation,
            self.step_down,
            works=self._works,
            queued=self.queued,
        )
        self.warn = Warn(
            self.store,
            self.installation,
            self.composer,
            channels=self._routes().keys(),
            queued=self.queued,
        )
        digest = self.digest(self._routes())
        every = self.settings.ticks
        self.return_webhook = self._return_webhook()
        self.ticks = Ticks(
            [
                *self._give_back(),
                Tick(name="remind", every=every.remind, sweep=self.remind.sweep),
                Tick(name="kept", every=every.kept, sweep=self.keep.sweep),
                Tick(name="gather", every=every.gather, sweep=self.gather.sweep),
                Tick(name="abandon", every=every.unknown, sweep=self.abandon.sweep),
                Tick(name="unknown", every=every.unknown, sweep=settle.sweep),
                Tick(name="ladder", every=every.ladder, sweep=stranded.sweep),
                Tick(name="warn", every=every.warn, sweep=self.warn.sweep),
                Tick(name="broadcast", every=every.broadcast, sweep=self.broadcasting.sweep),
                Tick(name="digest", every=every.digest, sweep=digest.sweep),
            ],
            self.store,
            clock,
            self.owner,
        )
        metrics = Metrics()
        self.server = Server(
            self.settings.web,
            [
                *EventsFace(
                    EventApi(
                        clock,
                        secret=self.events_secret,
                        tolerance=self.settings.events.tolerance,
                    ),
                    self.ingesting,
                ).routes(),
                *SourcesFace(self.doors, self.ingesting, clock).routes(),
                *HooksFace(
                    {name: (self.gateways[name], self.sinks[name]) for name in self.gateways},
                    clock,
                ).routes(),
                *ApologiesFace(
                    self.apologise, self.letters, token=self.settings.apology.api_token
                ).routes(),
                *HealthFace(
                    self.store, self.gateways, self._breakers, self.sources, metrics
                ).routes(),
                *OpenApiFace(event_schema.schemas()).routes(),
                *more_routes(self),
            ],
            metrics,
        )
        self._running: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        """Where it listens, once started."""
        return self.server.url

    async def start(self) -> None:
        """Open the store, settle what a dead process left, start gateways, ticks and the web."""
        await self.store.open()
        try:
            await self.store.dispatch_alone(self.owner)
            await self.abandon.sweep(self.clock.civil())
            for name, gateway in self.gateways.items():
                await gateway.start(self.sinks[name])
            self._running = [
                asyncio.create_task(dispatcher.run()) for dispatcher in self.dispatchers
            ]
            await self.server.start()
            for source in self.sources.values():
                await source.start()
            self.ticks.start()
            await self.ticks.run_all()
        except BaseException:
            await self.stop()
            raise
        log.info("service.ready", url=self.url, gateways=sorted(self.gateways))

    async def stop(self) -> None:
        """Accept nothing new, finish what is under way, and close; bounded in time."""
        self.ticks.stop()
        await self.server.stop()
        await asyncio.gather(*(source.stop() for source in self.sources.values()))
        await self.ingesting.drain()
        await asyncio.gather(*(dispatcher.stop(DRAIN) for dispatcher in self.dispatchers))
        await asyncio.gather(*self._running)
        await asyncio.gather(*(gateway.stop(DRAIN) for gateway in self.gateways.values()))
        await asyncio.gather(*(sink.drain() for sink in self.sinks.values()))
        await self.gather.stop()
        if self.return_webhook is not None:
            await self.return_webhook.close()
        await self.store.close()

    def _works(self, channel: str) -> bool:
        """Whether a channel has a gateway that works now."""
        return any(one.works for one in self.dispatchers if one.channel == channel)

    def _return_webhook(self) -> ReturnWebhook | None:
        table = self.settings.apology
        if not table.return_url:
            return None
        secret = standard_webhooks.read_secret(
            table.return_secret, file=self.configuration.file, key="apology.return_secret"
        )
        return ReturnWebhook(table.return_url, secret)

    def _give_back(self) -> Iterable[Tick]:
        if self.return_webhook is not None:
            back = GiveBack(self.store, self.clock, self.return_webhook)
            yield Tick(name="give_back", every=self.settings.ticks.give_back, sweep=back.sweep)

    def _dispatchers(self) -> Iterable[Dispatcher]:
        for names in self._routes().values():
            yield from joined([self.gateways[name] for name in names], self._dispatcher)

    def _dispatcher(self, gateway: Gateway, **options: Any) -> Dispatcher:
        joins = self.settings.together.notices
        return Dispatcher(
            gateway,
            self.store,
            self.clock,
            self.installation,
            owner=self.owner,
            step_down=self.step_down,
            together=Together(self.installation, self.composer) if joins else None,
            **options,
        )

    def _breakers(self) -> dict[str, Breaker]:
        """The breaker of each gateway, as it stands in this process."""
        return {dispatcher.gateway: dispatcher.breaker for dispatcher in self.dispatchers}

    def _routes(self) -> dict[str, tuple[str, ...]]:
        """Each channel's gateways in order; one that no route names serves its own channel."""
        routes = {channel: names for channel, names in self.settings.routes.items() if names}
        named = {name for names in routes.values() for name in names}
        for name, gateway in self.gateways.items():
            if name not in named:
                channel = gateway.capabilities.channel
                routes[channel] = (*routes.get(channel, ()), name)
        return routes


def joined(gateways: Sequence[Gateway], make: Callable[..., Dispatcher]) -> Iterable[Dispatcher]:
    """The dispatchers of a route: each sends while none before it can, and relieves the others."""
    route: list[Dispatcher] = []
    for gateway in gateways:
        dispatcher = make(
            gateway,
            preferred=partial(_none_usable, tuple(route)),
            relieved=partial(_one_ready, route),
        )
        route.append(dispatcher)
        yield dispatcher


def _none_usable(earlier: tuple[Dispatcher, ...]) -> bool:
    """Whether it is the turn of a gateway behind these in its route."""
    return not any(dispatcher.usable for dispatcher in earlier)


def _one_ready(route: list[Dispatcher]) -> bool:
    """Whether another gateway of a route may try what one that rests could not send.

    One on trial counts: with all of them down, a message is tried by each of them in turn, and then
    waits.
    """
    return any(dispatcher.ready for dispatcher in route)
