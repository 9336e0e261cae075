"""A gateway that accepts every SMS at once and says when; registered for the benchmark's processes.

It is called at ``/hooks/null``: POST is an SMS that a person wrote, GET hands out what was accepted
since the last GET.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from notifier.domain.capabilities import Capabilities, InboundBy, Receipts
from notifier.domain.message import Address, Inbound
from notifier.domain.outcome import Accepted
from notifier.ports import Health, HealthState, WebhookReply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Clock, Sink, WebhookRequest


class Sms(msgspec.Struct):
    """What stands in a POST."""

    id: str
    sender: str
    text: str


class NullGateway:
    """Takes ``rate`` segments a second with ``window`` messages in flight, and keeps none."""

    def __init__(self, name: str, settings: Mapping[str, Any], clock: Clock) -> None:
        del clock
        self.name = name
        self.capabilities = Capabilities(
            channel="sms",
            inbound=InboundBy.WEBHOOK,
            receipts=Receipts.NONE,
            rate=settings["rate"],
            window=settings["window"],
        )
        self._accepted: list[tuple[str, int]] = []

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset()

    async def start(self, sink: Sink) -> None:
        pass

    async def send(self, message: Message) -> Outcome:
        # The monotonic clock is the same in every process of a machine.
        self._accepted.append((message.key, time.monotonic_ns()))
        return Accepted(refs=(message.id,))

    async def query(self, ref: str) -> Outcome | None:
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        if request.method == "GET":
            accepted, self._accepted = self._accepted, []
            return WebhookReply(body=msgspec.json.encode(accepted), content_type="application/json")
        sms = msgspec.json.decode(request.body, type=Sms)
        inbound = Inbound(key=sms.id, sender=Address("sms", sms.sender), text=sms.text)
        return WebhookReply(incoming=(inbound,))

    async def stop(self, drain: float) -> None:
        pass

    def health(self) -> Health:
        return Health(state=HealthState.OK)


def register(folder: Path) -> None:
    """Makes ``folder``, once it is on the path, the distribution whose gateway this is."""
    info = folder / "motcua_notifier_bench-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: motcua-notifier-bench\nVersion: 0\n"
    )
    (info / "entry_points.txt").write_text(
        "[notifier.gateways]\nnull = bench.null_gateway:NullGateway\n"
    )
