"""Who sent a request, and that nobody changed it: the Standard Webhooks signature, version 1.

The signed text is ``id.timestamp.body``; the header may carry several signatures, so that a secret
can be changed without a stop.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

from notifier.domain.instant import SECOND
from notifier.errors import ConfigurationError, Fault, SignatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.instant import Instant

PREFIX = "whsec_"


def read_secret(text: str, *, file: str = "notifier.toml", key: str = "events.secret") -> bytes:
    """The key of a ``whsec_...`` secret; raises ``ConfigurationError``."""
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < 24:
        problem = "a webhook secret is whsec_ and at least 24 bytes in base64."
        raise ConfigurationError(Fault(file=file, key=key, problem=problem))
    return secret


def sign(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``; ``timestamp`` in seconds."""
    # A header's bytes that are not UTF-8 come as surrogates; they are signed as they were.
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def verify(
    secret: bytes, headers: Mapping[str, str], body: bytes, *, now: Instant, tolerance: int
) -> None:
    """Raises ``SignatureError`` unless the request is signed, unchanged, and not too old.

    ``now`` is elapsed time and ``tolerance`` a span, both in ms.
    """
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not (message_id and stamp and given):
        raise SignatureError(
            "the request is not signed: webhook-id, webhook-timestamp and webhook-signature "
            "are needed"
        )
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise SignatureError("webhook-timestamp is not a number of seconds")
    if abs(now - int(stamp) * SECOND) > tolerance:
        raise SignatureError("webhook-timestamp is too old, or ahead of our clock")
    expected = sign(secret, message_id, int(stamp), body).encode()
    matches = [
        hmac.compare_digest(expected, candidate.encode("utf-8", "replace"))
        for candidate in given.split(" ")[:8]
    ]
    if not any(matches):
        raise SignatureError("no signature in webhook-signature fits the request")
