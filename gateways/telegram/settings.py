"""The table ``[gateways.<name>]`` of a Telegram bot."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from gateways.settings import GatewayTable
from notifier.domain.capabilities import Capabilities, InboundBy, TextUnit
from notifier.domain.instant import SECOND

LONGEST_TEXT: Final = 4096


class Settings(GatewayTable):
    """The table ``[gateways.<name>]``. Times are in seconds.

    Telegram asks for at most 30 messages a second of a bot, and one a second in a chat (Bots FAQ,
    "My bot is hitting limits, how do I avoid this?").
    """

    token: Annotated[str, Field(pattern=r"^[0-9]+:[A-Za-z0-9_-]{10,}$")]
    receive: Literal["webhook", "poll", "none"] = "webhook"
    webhook_secret: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,256}$")] | None = None
    webhook_url: Annotated[str, Field(pattern=r"^https://")] | None = None
    base_url: Annotated[str, Field(pattern=r"^https?://[^/]")] = "https://api.telegram.org"
    proxy: Annotated[str, Field(pattern=r"^https?://[^/]")] | None = None
    connect_timeout: Annotated[float, Field(gt=0, le=60)] = 5.0
    timeout: Annotated[float, Field(gt=0, le=60)] = 15.0
    poll_wait: Annotated[int, Field(ge=0, le=50)] = 25
    rate: Annotated[float, Field(gt=0, le=30)] = 25.0
    window: Annotated[int, Field(ge=1, le=100)] = 16
    recipient_gap: Annotated[float, Field(ge=0, le=60)] = 1.0

    @model_validator(mode="after")
    def _webhook_is_guarded(self) -> Self:
        if self.receive == "webhook" and self.webhook_secret is None:
            raise ValueError("webhook_secret is required with receive = 'webhook'")
        return self


def capabilities_of(settings: Settings) -> Capabilities:
    """What a bot can do; there are no delivery reports, and no keys against duplicates."""
    inbound = {"webhook": InboundBy.WEBHOOK, "poll": InboundBy.POLL, "none": InboundBy.NONE}
    return Capabilities(
        channel="telegram",
        inbound=inbound[settings.receive],
        text_unit=TextUnit.CHARACTERS,
        max_units=LONGEST_TEXT,
        buttons=True,
        rate=settings.rate,
        window=settings.window,
        recipient_gap=round(settings.recipient_gap * SECOND),
    )
