"""The event interface in JSON Schema, for its OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from notifier.domain.event import EventType
from notifier.sources.cloudevents import (
    TYPE_PREFIX,
    Envelope,
    FeeData,
    RescheduledData,
    SupplementData,
    Text,
)

PLACE: Final = "#/components/schemas/{name}"

Status = Annotated[int, msgspec.Meta(ge=1, le=10, description="the national status number")]
Time = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        description="ISO 8601, years 2000 to 2100; without an offset it is Asia/Ho_Chi_Minh",
        examples=["2026-11-20T17:00:00+07:00"],
    ),
]


class Person(msgspec.Struct):
    """An applicant, or who acts for one."""

    name: Text | None = None
    phone: Text | None = None
    email: Text | None = None
    kind: Text | None = None


class Procedure(msgspec.Struct):
    """An administrative procedure."""

    code: Text | None = None
    name: Text | None = None
    field: Text | None = None


class Unit(msgspec.Struct):
    """An office."""

    code: Text | None = None
    name: Text | None = None


class Consent(msgspec.Struct):
    """By which ways a person lets us write; never said is a yes."""

    sms: bool | None = None
    email: bool | None = None
    zalo: bool | None = None


class Data(msgspec.Struct):
    """What is known. Absent or empty means unchanged, null clears."""

    status: Status | None = None
    procedure: Procedure | None = None
    unit: Unit | None = None
    from_unit: Unit | None = None
    handler: Text | None = None
    applicant: Person | None = None
    agent: Person | None = None
    consent: Consent | None = None
    received_at: Time | None = None
    due_at: Time | None = None
    finished_at: Time | None = None
    returned_at: Time | None = None
    rescheduled: RescheduledData | None = None
    supplement: list[SupplementData] | None = None
    fees: list[FeeData] | None = None
    reason: Text | None = None
    return_by: Text | None = None
    limit: Text | None = None


def schemas() -> dict[str, Any]:
    """Every schema by its name; ``Event`` is the one that a request carries."""
    _, found = msgspec.json.schema_components([Envelope, Data], ref_template=PLACE)
    event = found.pop("Envelope")
    event["title"] = "Event"
    told = event["properties"]
    del told["data_base64"]  # it is refused
    told["type"] = {"enum": [TYPE_PREFIX + type_.value for type_ in EventType]}
    told["specversion"] = {"type": "string", "pattern": r"^1\."}
    told["subject"]["examples"] = ["H19.45-261122-0124"]
    told["data"] = {"anyOf": [{"type": "null"}, {"$ref": PLACE.format(name="Data")}]}
    return {"Event": event, **found}
