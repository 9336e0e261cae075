"""Back to the one-stop system: a signed apology and its new date, as one signed CloudEvent.

It has the shape in which events come in, so that a system that sends them can read it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aiohttp
import msgspec

from notifier.domain import instant
from notifier.flows.apologise import SOURCE
from notifier.sources import standard_webhooks

if TYPE_CHECKING:
    from notifier.domain.apology import Apology
    from notifier.domain.instant import Instant

NO_ANSWER: Final = aiohttp.ClientTimeout(total=20, connect=5)

CONTENT_TYPE: Final = "application/cloudevents+json"


def document(apology: Apology) -> dict[str, Any]:
    """The CloudEvent: ``dossier.rescheduled``, its id the apology's, the same in each attempt."""
    signed_at = apology.signed_at if apology.signed_at is not None else apology.created_at
    return {
        "specversion": "1.0",
        "id": apology.id,
        "source": SOURCE,
        "type": "dossier.rescheduled",
        "subject": apology.dossier,
        "time": instant.iso(signed_at),
        "datacontenttype": "application/json",
        "data": {
            "due_at": instant.iso(apology.new_due_at),
            "rescheduled": {
                "due_at": instant.iso(apology.new_due_at),
                "replaces": instant.iso(apology.due_at),
                "reason": apology.reason,
                "document": {
                    "number": apology.number,
                    "date": instant.local_date(signed_at).isoformat(),
                    "signer": apology.signer,
                    "title": apology.title,
                },
            },
        },
    }


class ReturnWebhook:
    """Standard Webhooks over HTTP; see ``ports.SourceWebhook``."""

    def __init__(self, url: str, secret: bytes) -> None:
        self._url = url
        self._secret = secret
        self._http: aiohttp.ClientSession | None = None

    async def tell(self, apology: Apology, now: Instant) -> str:
        """See ``ports.SourceWebhook``: taken is any answer of the 200s, after no redirect."""
        body = msgspec.json.encode(document(apology))
        stamp = now // instant.SECOND
        headers = {
            "content-type": CONTENT_TYPE,
            "webhook-id": apology.id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": standard_webhooks.sign(self._secret, apology.id, stamp, body),
        }
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=NO_ANSWER)
        try:
            async with self._http.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                taken = 200 <= response.status < 300
                return "" if taken else f"it answered {response.status}"
        except TimeoutError:
            return "it did not answer in time"
        except aiohttp.ClientError as error:
            return f"it can't be reached: {type(error).__name__}"

    async def close(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None
