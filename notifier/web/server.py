"""The web application, and the socket it listens on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger

from notifier.errors import ConfigurationError, Fault
from notifier.web.problem import problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notifier.settings import WebSettings
    from notifier.web.health import Metrics


class NoHttp(logging.Filter):
    """Anybody can send what is no HTTP: a line of the log is enough for it, without its bytes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets everything pass; a request that can't be read without its words."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | web.RequestPayloadError):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args = "a request that is no HTTP was refused", ()
            record.exc_info = None
        return True


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
        if not any(isinstance(known, NoHttp) for known in server_logger.filters):
            server_logger.addFilter(NoHttp())
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
