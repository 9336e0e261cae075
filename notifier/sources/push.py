"""A source's own form over HTTP: who may push it, and what the push holds."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

import msgspec

from notifier.domain.instant import SECOND
from notifier.errors import EventError, SignatureError
from notifier.sources import standard_webhooks
from notifier.sources.reading import Arrival

if TYPE_CHECKING:
    from notifier.domain.event import DossierEvent
    from notifier.ports import Clock, Quarantined, WebhookRequest
    from notifier.settings import PushSource
    from notifier.sources.reading import Reader

REFUSED: Final = "user, secret, token or session are not those that were agreed"
"""Whatever was wrong: a guesser learns nothing from the words."""


class Login(msgspec.Struct):
    """The body of a request for a session."""

    username: str = ""
    password: str = ""


class Opened(msgspec.Struct):
    """The part of a push that proves who sends it."""

    session: str = ""


class PushDoor:
    """One source's door. Every comparison of secrets takes the same time."""

    def __init__(
        self, name: str, settings: PushSource, reader: Reader, clock: Clock, *, events_secret: bytes
    ) -> None:
        """``events_secret`` signs where the source names none of its own."""
        self._name = name
        self._settings = settings
        self._reader = reader
        self._clock = clock
        self._key = (
            standard_webhooks.read_secret(settings.secret, key=f"sources.{name}.secret")
            if settings.auth == "standard_webhooks" and settings.secret
            else events_secret
        )

    def read(self, request: WebhookRequest) -> list[DossierEvent | Quarantined]:
        """The items of a push, at least one. Raises ``SignatureError``; ``EventError`` for a query
        that is not as agreed.
        """
        self._prove(request)
        for name, value in self._settings.query.items():
            if not _same(request.query.get(name, ""), value):
                raise EventError("", f"the query does not say {name} as it was agreed")
        return self._reader.read(request.body, Arrival(at=self._clock.civil()))

    def open_session(self, body: bytes) -> str:
        """A token for a user and password; raises ``SignatureError``."""
        try:
            login = msgspec.json.decode(body, type=Login)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise SignatureError(REFUSED) from None
        same = _same(login.username, self._settings.user)
        if not (_same(login.password, self._settings.secret) and same) or not self._has_sessions:
            raise SignatureError(REFUSED)
        return self._token((self._clock.elapsed() + self._settings.session) // SECOND)

    @property
    def _has_sessions(self) -> bool:
        return self._settings.auth == "session"

    def _prove(self, request: WebhookRequest) -> None:
        given = request.headers.get("authorization", "")
        match self._settings.auth:
            case "standard_webhooks":
                standard_webhooks.verify(
                    self._key,
                    request.headers,
                    request.body,
                    now=self._clock.elapsed(),
                    tolerance=self._settings.tolerance,
                )
                return
            case "bearer":
                proved = _same(_credentials(given, "bearer"), self._settings.secret)
            case "basic":
                wanted = f"{self._settings.user}:{self._settings.secret}"
                proved = _same(_decoded(_credentials(given, "basic")), wanted)
            case "session":
                proved = self._holds(request.body)
        if not proved:
            raise SignatureError(REFUSED)

    def _token(self, expires: int) -> str:
        """Valid until ``expires`` (s), in any process that knows the secret."""
        key = hashlib.sha256(self._settings.secret.encode()).digest()
        proof = hmac.digest(key, f"session|{self._name}|{expires}".encode(), "sha256")
        return f"{expires}.{proof.hex()}"

    def _holds(self, body: bytes) -> bool:
        try:
            token = msgspec.json.decode(body, type=Opened).session
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        expires = token.partition(".")[0]
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return False
        same = _same(token, self._token(int(expires)))
        return same and int(expires) * SECOND > self._clock.elapsed()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), wanted.encode("utf-8", "surrogateescape")
    )


def _credentials(header: str, scheme: str) -> str:
    kind, _, credentials = header.partition(" ")
    return credentials.strip() if kind.lower() == scheme else ""


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
