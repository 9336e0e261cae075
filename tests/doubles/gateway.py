"""A gateway in memory that does what its script says."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from typing import TYPE_CHECKING

from notifier.domain.capabilities import Capabilities
from notifier.domain.outcome import Accepted
from notifier.errors import WebhookError
from notifier.ports import Health, HealthState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Sink, WebhookReply, WebhookRequest

    Step = Outcome | Exception | Callable[[Message], Outcome | Awaitable[Outcome]]


async def never(_: Message) -> Outcome:
    """A step that gives no verdict."""
    pending: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    return await pending


class ScriptedGateway:
    """Takes the steps in turn, then ``usual`` for ever; ``usual`` None accepts, each with a ref.

    ``told`` is what a query is answered; None: it can't be asked. ``sent`` is every message that
    was handed over, in order.
    """

    def __init__(
        self,
        *steps: Step,
        name: str = "scripted",
        usual: Step | None = None,
        rate: float = 1_000,
        window: int = 16,
        suppresses_duplicates: int = 0,
        recipient_gap: int = 0,
        told: Outcome | None = None,
        channel: str = "sms",
    ) -> None:
        self.name = name
        self.capabilities = Capabilities(
            channel=channel,
            rate=rate,
            window=window,
            suppresses_duplicates=suppresses_duplicates,
            recipient_gap=recipient_gap,
            can_query=told is not None,
        )
        self.asked: list[str] = []
        self._told = told
        self.secrets: frozenset[str] = frozenset()
        self.sent: list[Message] = []
        self.usual = usual
        self._steps = deque(steps)

    @property
    def keys(self) -> list[str]:
        """The keys of what was handed over, in order."""
        return [message.key for message in self.sent]

    async def start(self, sink: Sink) -> None:
        """See ``ports.Gateway``."""

    async def send(self, message: Message) -> Outcome:
        """See ``ports.Gateway``; raises where the script says so."""
        self.sent.append(message)
        step = self._steps.popleft() if self._steps else self.usual
        if step is None:
            return Accepted(refs=(f"{self.name}-{len(self.sent)}",))
        if isinstance(step, Exception):
            raise step
        outcome = step(message) if callable(step) else step
        return await outcome if inspect.isawaitable(outcome) else outcome

    async def query(self, ref: str) -> Outcome | None:
        """See ``ports.Gateway``; the outcome ``told``."""
        self.asked.append(ref)
        return self._told

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        """See ``ports.Gateway``."""
        raise WebhookError("nobody calls this gateway")

    async def stop(self, drain: float) -> None:
        """See ``ports.Gateway``."""

    def health(self) -> Health:
        """See ``ports.Gateway``."""
        return Health(state=HealthState.OK)
