"""``/health/live``, ``/health/ready`` and ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from notifier.domain import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp.typedefs import Handler

    from notifier.domain.breaker import Breaker
    from notifier.ports import Gateway, RunningSource, Store


class Metrics:
    """What is counted. No label holds a number, a name or a dossier code."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "notifier_http_requests",
            "Requests by route and status",
            ["route", "status"],
            registry=self.registry,
        )
        self.outbox = Gauge(
            "notifier_outbox_messages",
            "Messages that are not final, by lane and state, counted up to 100,000",
            ["lane", "state"],
            registry=self.registry,
        )
        self.gateways = Gauge(
            "notifier_gateway_up",
            "1 where the gateway is well, 0.5 degraded, 0 down",
            ["gateway"],
            registry=self.registry,
        )
        self.breakers = Gauge(
            "notifier_gateway_breaker_open",
            "1 while the gateway rests, since it failed too often or refuses us",
            ["gateway"],
            registry=self.registry,
        )
        self.sources = Gauge(
            "notifier_source_up",
            "1 where the source that we fetch from is well, 0.5 degraded, 0 down",
            ["source"],
            registry=self.registry,
        )

    @web.middleware
    async def counting(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Counts each request by the pattern of its path."""
        response = await handler(request)
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "none"
        self.requests.labels(route, str(response.status)).inc()
        return response


UP = {"ok": 1.0, "degraded": 0.5, "down": 0.0}


class HealthFace:
    """Live: the process answers. Ready: the store answers and no gateway is down."""

    def __init__(
        self,
        store: Store,
        gateways: Mapping[str, Gateway],
        breakers: Callable[[], Mapping[str, Breaker]],
        sources: Mapping[str, RunningSource],
        metrics: Metrics,
    ) -> None:
        """``breakers``: how those of this process stand now, by gateway."""
        self._store = store
        self._gateways = gateways
        self._breakers = breakers
        self._sources = sources
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        """The usual three."""
        return [
            web.get("/health/live", self.live),
            web.get("/health/ready", self.ready),
            web.get("/metrics", self.metrics),
        ]

    async def live(self, request: web.Request) -> web.Response:
        """200 while the process answers."""
        del request
        return web.json_response({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """200 while the store answers; what is down is named and refuses no work."""
        del request
        async with self._store.read() as session:
            await session.outbox(limit=1)
        states = {name: gateway.health() for name, gateway in self._gateways.items()}
        resting = {name: one for name, one in self._breakers().items() if one.open}
        sources = {name: source.health() for name, source in self._sources.items()}
        well = not resting and all(
            health.state == "ok" for health in (*states.values(), *sources.values())
        )
        return web.json_response(
            {
                "status": "ok" if well else "degraded",
                "gateways": {
                    name: {"state": health.state, "reason": health.reason}
                    | ({"breaker": _shown(resting[name])} if name in resting else {})
                    for name, health in states.items()
                },
                "sources": {
                    name: {"state": health.state, "reason": health.reason}
                    for name, health in sources.items()
                },
            }
        )

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus text."""
        del request
        async with self._store.read() as session:
            counts = await session.outbox_counts()
        self._metrics.outbox.clear()
        for (lane, state), count in counts.items():
            self._metrics.outbox.labels(lane, state).set(count)
        for name, gateway in self._gateways.items():
            self._metrics.gateways.labels(name).set(UP[gateway.health().state])
        for name, source in self._sources.items():
            self._metrics.sources.labels(name).set(UP[source.health().state])
        for name, breaker in self._breakers().items():
            self._metrics.breakers.labels(name).set(float(breaker.open))
        return web.Response(
            body=generate_latest(self._metrics.registry),
            headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4},
        )


def _shown(breaker: Breaker) -> dict[str, str]:
    """Why a gateway rests, since when, and when it is tried next."""
    return {
        "reason": breaker.reason,
        "since": instant.iso(breaker.since),
        "until": instant.iso(breaker.until),
    }
