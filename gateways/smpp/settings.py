"""The table ``[gateways.<name>]`` of a message centre that is reached by SMPP 3.4."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from gateways.numbers import NumberForm  # noqa: TC001 - pydantic reads it
from gateways.settings import GatewayTable, Table
from gateways.smpp.alphabet import Alphabet
from gateways.smpp.delivery import Base  # noqa: TC001 - pydantic reads it
from gateways.smpp.long_message import Joining
from notifier.domain.capabilities import Capabilities, InboundBy, Receipts

Octet = Annotated[int, Field(ge=0, le=255)]
Seconds = Annotated[float, Field(gt=0, le=600)]

Verdict = Literal[
    "throttled", "temporary", "recipient", "content", "template", "account", "opted_out"
]
"""What a status means: how the core goes on is decided by it."""


class Source(Table):
    """``[gateways.<name>.source]``: who a message is from."""

    address: Annotated[str, Field(max_length=20, pattern=r"^[ -~]*$")] = ""
    ton: Octet = 5
    npi: Octet = 0


class Destination(Table):
    """``[gateways.<name>.destination]``: how a citizen's number is written."""

    form: NumberForm = "84"
    ton: Octet = 1
    npi: Octet = 1


class Settings(GatewayTable):
    """Times are in seconds; lengths of texts are those of SMPP 3.4 section 4.1."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 2775
    tls: bool = False
    tls_ca: str = ""
    system_id: Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[!-~]+$")]
    password: Annotated[str, Field(max_length=64, pattern=r"^[ -~]*$", repr=False)] = ""
    system_type: Annotated[str, Field(max_length=12, pattern=r"^[ -~]*$")] = ""
    service_type: Annotated[str, Field(max_length=5, pattern=r"^[ -~]*$")] = ""
    bind: Literal["transceiver", "transmitter", "both"] = "transceiver"
    binds: Annotated[int, Field(ge=1, le=16)] = 1
    source: Source = Source()
    destination: Destination = Destination()
    alphabet: Alphabet = Alphabet.GSM
    joining: Joining = Joining.UDH
    max_segments: Annotated[int, Field(ge=1, le=255)] = 10
    receipts: bool = True
    query: bool = False
    answer_ids: Base = "text"
    receipt_ids: Base = "text"
    statuses: dict[Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{1,8}$")], Verdict] = {}  # noqa: RUF012 - pydantic copies it
    connect_timeout: Seconds = 5.0
    timeout: Seconds = 30.0
    enquire_after: Seconds = 30.0
    parts_within: Annotated[float, Field(ge=0, le=60)] = 5.0
    rate: Annotated[float, Field(gt=0, le=10_000)] = 30.0
    window: Annotated[int, Field(ge=1, le=1_000)] = 10

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.bind == "transmitter" and self.receipts:
            raise ValueError(
                "receipts come over a link that receives: say bind = 'transceiver' or 'both', "
                "or receipts = false"
            )
        if self.tls_ca and not self.tls:
            raise ValueError("tls_ca is of use with tls = true only")
        if self.query and self.answer_ids != "text":
            raise ValueError("query asks for ids as they came, so answer_ids must be 'text'")
        return self


SHORTEST_SECRET: Final = 4


def capabilities_of(settings: Settings) -> Capabilities:
    """There is no place for a key in the protocol, so nothing suppresses duplicates."""
    return Capabilities(
        channel="sms",
        inbound=InboundBy.NONE if settings.bind == "transmitter" else InboundBy.STREAM,
        receipts=Receipts.DELIVERED if settings.receipts else Receipts.NONE,
        can_query=settings.query,
        max_units=settings.max_segments,
        rate=settings.rate,
        window=settings.window * settings.binds,
    )
