"""The schemas of the event interface say what its reader reads."""

from __future__ import annotations

import re

import msgspec
import pytest

from notifier.sources import cloudevents, event_schema


def test_every_field_of_data_is_in_the_schema_and_no_other() -> None:
    assert set(event_schema.schemas()["Data"]["properties"]) == set(cloudevents.FIELDS)


@pytest.mark.parametrize(
    ("struct", "prefix"),
    [(event_schema.Person, "applicant"), (event_schema.Procedure, "procedure"),
     (event_schema.Consent, "consent")],
)  # fmt: skip
def test_every_field_of_a_group_is_read(struct, prefix) -> None:
    (field,) = {name for name in cloudevents.FIELDS if name == prefix}
    kind = True if struct is event_schema.Consent else "x"
    told = dict.fromkeys(struct.__struct_fields__, kind)
    read = cloudevents.read_data({field: told})
    assert set(read) == {f"{prefix}_{name}" for name in struct.__struct_fields__}


def test_what_an_event_needs_is_required() -> None:
    event = event_schema.schemas()["Event"]
    assert set(event["required"]) == {"specversion", "id", "source", "type", "subject", "time"}
    assert "data_base64" not in event["properties"]


def test_every_type_is_named() -> None:
    for name in event_schema.schemas()["Event"]["properties"]["type"]["enum"]:
        held = {
            "specversion": "1.0", "id": "1", "source": "/s", "type": name,
            "subject": "H19.45-261122-0124", "time": "2026-11-22T08:40:00+07:00",
        }  # fmt: skip
        assert f"dossier.{cloudevents.read_event(held).type}" == name


def test_every_reference_leads_somewhere() -> None:
    schemas = event_schema.schemas()
    named = set(re.findall(r"#/components/schemas/(\w+)", msgspec.json.encode(schemas).decode()))
    assert named <= set(schemas)
