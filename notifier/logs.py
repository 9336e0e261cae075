"""Structured logs without personal data: one processor takes out what must not be there."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger

    from notifier.settings import LogSettings

NUMBER = re.compile(r"(?<![\w.-])(?:\+|00)?\d(?:[ .]{0,2}\d){8,14}(?!\w|-|\.\w)")
"""What may be a telephone or identity number; codes, dates and ids have dashes or letters."""

KEPT = frozenset({"timestamp", "level", "_record", "_from_structlog"})
"""What holds nothing of a person, and structlog's own."""

QUIET = ("httpx", "httpcore", "apscheduler", "aiohttp.access", "aiosqlite")
"""Libraries whose records carry tokens or say little."""


class Redact:
    """Replaces secrets and numbers in every value of a record."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: another may be a part of it.
        self._secrets = sorted((s for s in secrets if len(s) > 3), key=len, reverse=True)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """See structlog's processors."""
        del logger, method
        return {key: value if key in KEPT else self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        match value:
            case str():
                return self._clean_text(value)
            case None | bool() | int() | float():
                return value
            case dict():
                return {self._clean(key): self._clean(held) for key, held in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean(held) for held in value]
            case _:
                return self._clean_text(repr(value))

    def _clean_text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return NUMBER.sub("[number]", text)


def configure(settings: LogSettings, secrets: Iterable[str] = ()) -> None:
    """Set up the process's logs, to standard error; call again once secrets are known."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Redact(secrets),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.form == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
