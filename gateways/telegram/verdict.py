"""From an error of python-telegram-bot to an outcome. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    TelegramError,
    TimedOut,
)

from gateways.words import quote
from notifier.domain.outcome import OptedOut, Permanent, Scope, Temporary, Unknown

if TYPE_CHECKING:
    from notifier.domain.outcome import Outcome

_NOTHING_WRITTEN: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)

MISREAD: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What python-telegram-bot raises over an answer of a shape that it does not expect."""


class NotTakenError(TelegramError):
    """503: proven not taken."""


class TooManyError(TelegramError):
    """429: come back after ``wait`` ms.

    In the place of ``RetryAfter``, whose number warns of its own deprecation when it is read.
    """

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__("too many requests")


def read_error(error: TelegramError, hidden: set[str]) -> Outcome:
    """What an error of python-telegram-bot means; ``hidden`` is what must not be repeated.

    The order matters: ``BadRequest`` and ``TimedOut`` are kinds of ``NetworkError``.
    """
    # With a cause, the message holds what came instead of an answer, and that may be anything.
    detail = "" if error.__cause__ is not None else quote(error.message, hidden)
    match error:
        case Forbidden():
            return OptedOut(code="403")
        case InvalidToken() | EndPointNotFound():
            detail = "Telegram refuses the token"
            return Permanent(code="401", detail=detail, scope=Scope.CONFIGURATION)
        case ChatMigrated():
            return Permanent(code="400", detail="the chat has another id now")
        case BadRequest():
            return Permanent(code="400", detail=detail, scope=_scope(error.message))
        case Conflict():
            return Temporary(code="409", detail=detail)
        case NotTakenError():
            return Temporary(code="503", detail=detail)
        case _ if isinstance(error.__cause__, _NOTHING_WRITTEN):
            return Temporary(code="connect", detail=type(error.__cause__).__name__)
        case TimedOut():
            return Unknown(code="timeout", detail=type(error.__cause__).__name__)
        case _ if error.__cause__ is not None:
            return Unknown(code="lost", detail=type(error.__cause__).__name__)
        case _:
            return Unknown(code="error", detail=detail)


def _scope(problem: str) -> Scope:
    about_chat = ("chat not found", "user not found", "peer_id_invalid", "chat_id is empty")
    found = any(words in problem.lower() for words in about_chat)
    return Scope.RECIPIENT if found else Scope.CONTENT
