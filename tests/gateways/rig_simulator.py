"""The simulator's rig: its carrier is in memory and is its own double."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

import msgspec
from contracts.gateway import Behaviour, RecordingSink, Taken

from gateways.simulator import Mode, SimulatorGateway
from notifier.domain.message import Address
from notifier.ports import WebhookRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECRET: Final = "the carrier and we know this"
SETTINGS: Final = {"secret": SECRET, "timeout": 0.2, "receipt_after": 0.01}

MODES: Final = {
    Behaviour.ACCEPT: Mode.OK,
    Behaviour.REFUSE: Mode.REFUSE,
    Behaviour.REFUSE_LOGIN: Mode.LOCKED,
    Behaviour.BUSY: Mode.BUSY,
    Behaviour.DOWN: Mode.DOWN,
    Behaviour.HANG_UP: Mode.HANG_UP,
    Behaviour.SILENT: Mode.SILENT,
    Behaviour.NONSENSE: Mode.NONSENSE,
}


class StoppedClock:
    """Both readings stand still until they are moved."""

    def __init__(self, now: int = 1_795_395_600_000) -> None:
        self.now = now

    def civil(self) -> int:
        return self.now

    def elapsed(self) -> int:
        return self.now


class Rig:
    """The gateway with its carrier; ``settings`` add to those of the rig."""

    promises_refs = True
    exempt: Mapping[str, str] = {}

    def __init__(self, **settings: object) -> None:
        self.clock = StoppedClock()
        self.gateway = SimulatorGateway("simulator", {**SETTINGS, **settings}, self.clock)
        self.sink = RecordingSink()
        self.address = Address("sms", "+84912000345")

    async def __aenter__(self) -> Self:
        await self.gateway.start(self.sink)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.gateway.stop(0)

    async def provider(self, behaviour: Behaviour) -> None:
        self.gateway.provider.set_faults(mode=MODES[behaviour])

    @property
    def received(self) -> Sequence[Taken]:
        return [
            Taken(to=message.address.value, text="".join(message.plan.parts), key=message.key)
            for message in self.gateway.provider.submitted
        ]

    def call(self, text: str, *, number: int = 1) -> WebhookRequest:
        return self.request(
            msgspec.json.encode({"id": f"t{number}", "from": self.address.value, "text": text})
        )

    def forged_calls(self) -> Sequence[WebhookRequest]:
        body = self.call("hồ sơ của tôi").body
        return [
            self.request(body, secret=None),
            self.request(body, secret=""),
            self.request(body, secret=SECRET + "!"),
            self.request(body, secret=SECRET.upper()),
            self.request(body, secret="bí mật"),
            self.request(body, secret="\udcff"),
        ]

    def request(
        self,
        body: bytes,
        *,
        secret: str | None = SECRET,
        method: str = "POST",
        path: str = "/inbound",
    ) -> WebhookRequest:
        """A call with any body; ``secret`` None sends no header."""
        headers = {} if secret is None else {"x-simulator-secret": secret}
        return WebhookRequest(method=method, path=path, headers=headers, body=body)
