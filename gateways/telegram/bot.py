"""The bot and its connections to Telegram, over python-telegram-bot."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

import httpx
from telegram import Bot, KeyboardButton, ReplyKeyboardMarkup
from telegram.request import HTTPXRequest

from gateways.telegram.verdict import NotTakenError, TooManyError
from notifier.domain.instant import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateways.telegram.settings import Settings

_DEFAULT_WAIT: Final = 30 * SECOND
"""Where a 429 does not say how long."""

_SHORT_LABEL: Final = 18
"""Two buttons of this many characters stand side by side on a narrow phone."""


def keep_quiet() -> None:
    """Silences the loggers below us, which write tokens, texts and chat ids."""
    # httpx logs each address, which holds the token, at INFO; python-telegram-bot logs texts and
    # chat ids at DEBUG, and the whole of what it can't read at ERROR. What matters is in our
    # outcomes and our health.
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)


class _Request(HTTPXRequest):
    """Reads two refusals by their status, which python-telegram-bot keeps to itself."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        code, payload = await super().do_request(*args, **kwargs)
        if code == httpx.codes.SERVICE_UNAVAILABLE:
            raise NotTakenError("Telegram has no room for it now")
        if code == httpx.codes.TOO_MANY_REQUESTS:
            raise TooManyError(_wait(payload))
        return code, payload


def _wait(payload: bytes) -> int:
    """How long a 429 wants us to wait, in ms."""
    try:
        return round(float(json.loads(payload)["parameters"]["retry_after"]) * SECOND)
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError):
        return _DEFAULT_WAIT


def make_bot(settings: Settings) -> tuple[Bot, HTTPXRequest]:
    """The bot, and its own connection for updates."""
    sending, updates = _request(settings, settings.window), _request(settings, 1)
    base = settings.base_url.rstrip("/")
    bot = Bot(
        settings.token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=sending,
        get_updates_request=updates,
    )
    return bot, updates


def _request(settings: Settings, connections: int) -> HTTPXRequest:
    return _Request(
        connection_pool_size=connections,
        connect_timeout=settings.connect_timeout,
        pool_timeout=settings.connect_timeout,
        read_timeout=settings.timeout,
        write_timeout=settings.timeout,
        proxy=settings.proxy,
        httpx_kwargs={"trust_env": False},
    )


def keyboard(buttons: Sequence[str], contact_button: str = "") -> ReplyKeyboardMarkup | None:
    """The buttons in rows: two short ones side by side, long ones below each other.

    Above them, in a row of its own, the one that shares the person's number.
    """
    if not (buttons or contact_button):
        return None
    width = 2 if all(len(label) <= _SHORT_LABEL for label in buttons) else 1
    rows: list[list[str | KeyboardButton]] = [
        list(buttons[n : n + width]) for n in range(0, len(buttons), width)
    ]
    if contact_button:
        rows.insert(0, [KeyboardButton(contact_button, request_contact=True)])
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)
