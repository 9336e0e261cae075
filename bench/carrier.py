"""The other end of a simulated year: carriers that answer at once, and the one-stop system."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from zlib import crc32

from bench.lives import Lot
from notifier.domain.capabilities import Capabilities
from notifier.domain.outcome import Accepted, OptedOut, Permanent, Temporary, Unknown
from notifier.domain.text import unaccent
from notifier.ports import Health, HealthState

if TYPE_CHECKING:
    from notifier.domain.apology import Apology
    from notifier.domain.instant import Instant
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Sink, WebhookReply, WebhookRequest


class Carrier:
    """A gateway that answers at once, as the lot of the number says; keeps who read an apology."""

    def __init__(self, name: str, channel: str, apologised: Counter[tuple[str, str]]) -> None:
        self.name = name
        self.capabilities = Capabilities(channel=channel, rate=1e6, window=200)
        self.secrets: frozenset[str] = frozenset()
        self.sent = 0
        self._apologised = apologised

    async def start(self, sink: Sink) -> None:
        """See ``ports.Gateway``."""

    async def send(self, message: Message) -> Outcome:
        """See ``ports.Gateway``; one in a hundred is taken at the second attempt only."""
        outcome = self._outcome(message)
        if isinstance(outcome, Accepted | Unknown):
            self.sent += 1
            if message.dossier and "xin loi" in unaccent(message.text).lower():
                self._apologised[message.dossier, message.episode] += 1
        return outcome

    def _outcome(self, message: Message) -> Outcome:
        if message.tries == 1 and crc32(message.key.encode()) % 100 == 0:
            return Temporary(code="busy")
        if self.capabilities.channel != "sms":
            return Accepted()
        match message.address.value[4]:
            case Lot.NO_SUCH_NUMBER:
                return Permanent(code="no such number")
            case Lot.OPTED_OUT:
                return OptedOut(code="blocked")
            case Lot.SILENT:
                return Unknown(code="silent")
            case _:
                return Accepted()

    async def query(self, ref: str) -> Outcome | None:
        """See ``ports.Gateway``."""
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        """See ``ports.Gateway``."""
        raise NotImplementedError

    async def stop(self, drain: float) -> None:
        """See ``ports.Gateway``."""

    def health(self) -> Health:
        """See ``ports.Gateway``."""
        return Health(state=HealthState.OK)


class OneStop:
    """The one-stop system's door for signed apologies; takes every tenth at the second time."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    async def tell(self, apology: Apology, now: Instant) -> str:
        """See ``ports.SourceWebhook``."""
        del now
        self.told[apology.id] += 1
        first = self.told[apology.id] == 1
        return "it answered 503" if first and crc32(apology.id.encode()) % 10 == 0 else ""
