"""``/hooks/{gateway}/...``: what providers call. Answered only after the sink has committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from notifier.ports import WebhookRequest
from notifier.web.problem import problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.ports import Clock, Gateway, Sink


class HooksFace:
    """Hands each call to its gateway to be read, and what it meant to its sink."""

    def __init__(self, gateways: Mapping[str, tuple[Gateway, Sink]], clock: Clock) -> None:
        self._gateways = gateways
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Every method and path under ``/hooks/{gateway}``."""
        return [
            web.route("*", "/hooks/{gateway}", self.call),
            web.route("*", "/hooks/{gateway}/{tail:.*}", self.call),
        ]

    async def call(self, request: web.Request) -> web.Response:
        """One call of a provider."""
        found = self._gateways.get(request.match_info["gateway"])
        if found is None:
            return problem(404, "There is no such gateway")
        gateway, sink = found
        tail = request.match_info.get("tail")
        reply = gateway.read_webhook(
            WebhookRequest(
                method=request.method,
                path=f"/{tail}" if tail is not None else "",
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
                remote=request.remote or "",
                received_at=self._clock.elapsed(),
            )
        )
        await sink.accept(reply.incoming)
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)
