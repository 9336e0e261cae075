"""The web application, and the socket it listens on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from notifier.errors import ConfigurationError, Fault
from notifier.web.problem import problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notifier.settings import WebSettings
    from notifier.web.health import Metrics


class Server:
    """A site: ``start`` returns once it accepts requests, ``stop`` once all is answered."""

    def __init__(
        self, settings: WebSettings, routes: Iterable[web.AbstractRouteDef], metrics: Metrics
    ) -> None:
        self._settings = settings
        self._app = web.Application(
            client_max_size=settings.max_body, middlewares=[metrics.counting, problems]
        )
        self._app.add_routes(routes)
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=5)
        self.url = ""

    async def start(self) -> None:
        """Listen; raises ``ConfigurationError`` where the address is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigurationError(
                Fault(
                    file="notifier.toml",
                    key="web.port",
                    problem=f"{self._settings.host}:{self._settings.port} can't be listened on "
                    f"({error.strerror}); choose another with NOTIFIER_WEB__PORT.",
                )
            ) from None
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def stop(self) -> None:
        """Accept nothing new, and end."""
        await self._runner.cleanup()
