"""The table ``[gateways.<name>]`` of a bot of the Zalo Bot Platform."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from gateways.settings import GatewayTable
from notifier.domain.capabilities import Capabilities, InboundBy, TextUnit

LONGEST_TEXT: Final = 2000


class Settings(GatewayTable):
    """Times are in seconds."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_-]{10,}$")]
    webhook_secret: Annotated[str, Field(pattern=r"^[!-~]{8,256}$")]
    base_url: Annotated[str, Field(pattern=r"^https?://[^/]+$")] = (
        "https://bot-api.zaloplatforms.com"
    )
    connect_timeout: Annotated[float, Field(gt=0, le=60)] = 5.0
    timeout: Annotated[float, Field(gt=0, le=60)] = 15.0
    rate: Annotated[float, Field(gt=0, le=1000)] = 10.0
    window: Annotated[int, Field(ge=1, le=100)] = 8


def capabilities_of(settings: Settings) -> Capabilities:
    """No delivery reports, and no keys against duplicates."""
    return Capabilities(
        channel="zalo_bot",
        inbound=InboundBy.WEBHOOK,
        text_unit=TextUnit.CHARACTERS,
        max_units=LONGEST_TEXT,
        rate=settings.rate,
        window=settings.window,
    )
