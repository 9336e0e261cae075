from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from dossier_samples import CODE, at
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifier.domain.dossier import (
    Document,
    Facts,
    Fee,
    Rescheduled,
    SupplementRequest,
    UnitRef,
)
from notifier.domain.event import DEFAULT_STATUS, DossierEvent, EventType
from notifier.errors import EventError
from notifier.ports import Quarantined
from notifier.sources import cloudevents

NOW = at("2026-11-20 09:00")
TIME = "2026-11-20T08:59:00+07:00"
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "https://motcua.example.vn",
    "type": "dossier.noted",
    "subject": CODE,
    "time": TIME,
}
DEEP = 100_000


def read(**changes: Any) -> DossierEvent:
    return cloudevents.read_event({**EVENT, **changes})


def data(**fields: Any) -> dict[str, Any]:
    """What ``fields`` of the data say."""
    return cloudevents.read_data(fields)


def request(
    body: bytes, content_type: str = cloudevents.STRUCTURED, headers: dict[str, str] | None = None
) -> list[DossierEvent | Quarantined]:
    items = cloudevents.read_body(body, content_type, headers or {})
    return [cloudevents.read_item(item, NOW) for item in items]


def ids(items: list[DossierEvent | Quarantined]) -> list[str]:
    return [item.id if isinstance(item, DossierEvent) else item.reason for item in items]


# ------------------------------------------------------------------------------------- the forms


def test_one_event() -> None:
    event = read(data={"reason": "thiếu chữ ký"})
    assert (event.id, event.source, event.type) == ("1", EVENT["source"], EventType.NOTED)
    assert (event.code, event.code_raw, event.time) == (CODE, CODE, at("2026-11-20 08:59"))
    assert event.carried == {"reason": "thiếu chữ ký"}
    assert json.loads(event.raw) == {**EVENT, "data": {"reason": "thiếu chữ ký"}}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=utf-8",
        "application/json",
        "",
    ],
)
def test_structured(content_type: str) -> None:
    assert ids(request(json.dumps(EVENT).encode(), content_type)) == ["1"]


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents-batch+json; charset=utf-8", "application/json"]
)
def test_a_batch(content_type: str) -> None:
    body = json.dumps([EVENT, {**EVENT, "id": "2"}]).encode()
    assert ids(request(body, content_type)) == ["1", "2"]


@pytest.mark.parametrize(
    "content_type",
    [*sorted(cloudevents.LINES), "Application/X-NDJSON; a=b"],
)
def test_one_event_a_line(content_type: str) -> None:
    body = b"\r\n".join(
        [json.dumps(EVENT).encode(), b"", json.dumps({**EVENT, "id": "2"}).encode(), b"  ", b""]
    )
    assert ids(request(body, content_type)) == ["1", "2"]


def binary(body: bytes = b"", **changes: str) -> list[DossierEvent | Quarantined]:
    headers = {f"ce-{name}": value for name, value in {**EVENT, **changes}.items()}
    return request(body, "application/json", headers)


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b'{"reason": "a"}'])
def test_binary(body: bytes) -> None:
    [event] = binary(body)
    assert isinstance(event, DossierEvent)
    assert event.id == "1"
    assert event.carried == (json.loads(body) if body.strip() else {})


def test_a_header_is_percent_encoded_so_that_both_forms_give_one_identity() -> None:
    """CloudEvents HTTP protocol binding 3.1.3.2."""
    [event] = binary(b"", id="Bi%E1%BA%BFn%20nh%E1%BA%ADn%201%25")
    assert isinstance(event, DossierEvent)
    assert event.id == "Biến nhận 1%"


def test_the_content_type_says_that_it_is_structured_whatever_headers_repeat() -> None:
    """CloudEvents HTTP protocol binding 3 and 3.2.2: headers may mirror a structured event."""
    body = json.dumps({**EVENT, "data": {"reason": "a"}}).encode()
    headers = {f"ce-{name}": value for name, value in EVENT.items()}
    [event] = request(body, cloudevents.STRUCTURED, headers)
    assert isinstance(event, DossierEvent)
    assert event.carried == {"reason": "a"}


def test_good_items_are_taken_beside_bad_ones() -> None:
    bad: list[Any] = [{**EVENT, "id": ""}, 7, None, "x", [], {}]
    items = request(json.dumps([EVENT, *bad, {**EVENT, "id": "2"}]).encode())
    assert ids([items[0], items[-1]]) == ["1", "2"]
    assert all(isinstance(item, Quarantined) for item in items[1:-1])


def test_a_line_that_is_no_json_costs_no_other_line() -> None:
    lines = [json.dumps(EVENT).encode(), b'{"id": ', b"\xff\xfe", b"null"]
    items = request(b"\n".join(lines), "application/x-ndjson")
    assert ids(items)[0] == "1"
    assert [item.raw for item in items[1:] if isinstance(item, Quarantined)] == lines[1:]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"[]", cloudevents.BATCH),
        (b"\n\n", "application/x-ndjson"),
        (b"{", "application/json"),
        (b"7", "application/json"),
        (b'"x"', "application/json"),
        (b"null", "application/json"),
        (b"\xff", "application/json"),
        (b"NaN", "application/json"),
        (b"[" * DEEP, "application/json"),
        (b"[" * DEEP + b"]" * DEEP, "application/json"),
        (b'{"data":' * DEEP, "application/json"),
        (b'"\\ud800"', "application/json"),
        (b"[1e400]", "application/json"),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else value,
)
def test_where_nothing_can_be_read_it_is_an_error(body: bytes, content_type: str) -> None:
    with pytest.raises(EventError):
        cloudevents.read_body(body, content_type, {})


def test_the_same_unreadable_bytes_are_kept_once_and_as_they_came() -> None:
    [one], [again] = (request(b"{nothing}", "application/x-ndjson") for _ in range(2))
    assert isinstance(one, Quarantined)
    assert isinstance(again, Quarantined)
    assert one.raw == b"{nothing}"
    assert (one.door, one.key, one.at) == ("events", again.key, NOW)
    assert "nothing" not in repr(one)


# ---------------------------------------------------------------------------------- the envelope


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "time"])
@pytest.mark.parametrize("how", ["missing", "empty", "null", "number", "list"])
def test_nothing_is_made_up(name: str, how: str) -> None:
    event: dict[str, Any] = dict(EVENT)
    if how == "missing":
        del event[name]
    else:
        event[name] = {"empty": "", "null": None, "number": 7, "list": []}[how]
    with pytest.raises(EventError) as caught:
        cloudevents.read_event(json.dumps(event).encode())
    assert caught.value.field == f"/{name}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"specversion": "2.0"}, "/specversion"),
        ({"type": "dossier."}, "/type"),
        ({"type": "dossier.eaten"}, "/type"),
        ({"type": "received"}, "/type"),
        ({"type": "DOSSIER.received"}, "/type"),
        ({"type": "dossier.dossier.received"}, "/type"),
        ({"subject": "abc def!"}, "/subject"),
        ({"subject": "x" * 129}, "/subject"),
        ({"id": "x" * 257}, "/id"),
        ({"source": "x" * 513}, "/source"),
        ({"time": "yesterday"}, "/time"),
        ({"time": "2026-02-30T00:00:00Z"}, "/time"),
        ({"time": "0001-01-01T00:00:00Z"}, "/time"),
        ({"data": []}, "/data"),
        ({"data": "{}"}, "/data"),
        ({"data_base64": "e30="}, "/data_base64"),
    ],
    ids=str,
)
def test_an_envelope_that_cant_be_read(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(EventError) as caught:
        read(**changes)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)


@pytest.mark.parametrize("given_data", [{}, {"data": {}}, {"data": None}])
def test_an_event_without_data_says_what_its_type_says(given_data: dict[str, Any]) -> None:
    assert read(type="dossier.received", **given_data).carried == {"status": 2}


@pytest.mark.parametrize("type_", EventType)
def test_every_type_is_read_with_its_state(type_: EventType) -> None:
    event = read(type=f"dossier.{type_.value}")
    status = DEFAULT_STATUS[type_]
    assert event.type is type_
    assert event.carried == ({} if status is None else {"status": status})


def test_a_status_in_the_data_wins_over_the_type() -> None:
    assert read(type="dossier.received", data={"status": 4}).carried == {"status": 4}


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("H10.19-250703-0001", "H10.19-250703-0001"),
        (" h10.19-250703-0001 ", "H10.19-250703-0001"),
        ("H10.19–250703–0001", "H10.19-250703-0001"),
        ("03706/2026/07906", "03706/2026/07906"),
        ("HS-2025-001234", "HS-2025-001234"),
    ],
)
def test_the_subject_is_kept_as_written_beside_its_key(written: str, key: str) -> None:
    event = read(subject=written)
    assert (event.code, event.code_raw) == (key, written)


@pytest.mark.parametrize(
    "time",
    ["2026-11-20T08:59:00+07:00", "2026-11-20T01:59:00Z", "2026-11-20T08:59:00",
     "2026-11-20T08:59:00.000+07:00", " 2026-11-20T08:59 "],
)  # fmt: skip
def test_every_spelling_of_the_time_is_the_same_moment(time: str) -> None:
    assert read(time=time).time == at("2026-11-20 08:59")


def test_what_is_not_ours_to_know_is_passed_over() -> None:
    event = read(traceparent="00-1", extension=7, data={"colour": "blue", "reason": "a"})
    assert event.carried == {"reason": "a"}


# -------------------------------------------------------------------------------------- the data

FULL = {
    "status": 4,
    "procedure": {"code": "1.001193", "name": "Đăng ký khai sinh", "field": "Hộ tịch"},
    "unit": {"code": "H10.19", "name": "UBND phường Bình Phước"},
    "from_unit": {"code": "H10.01"},
    "handler": "Tổ Hộ tịch",
    "applicant": {"name": "A", "phone": "0912000001", "email": "a@example.vn", "kind": "citizen"},
    "agent": {"name": "B", "phone": "0912000002", "email": "b@example.vn", "kind": "company"},
    "consent": {"sms": True, "email": False, "zalo": True},
    "received_at": "2026-11-16T09:00:00+07:00",
    "due_at": "2026-11-20T17:00:00+07:00",
    "finished_at": "2026-11-19T10:00:00",
    "returned_at": "2026-11-19T04:00:00Z",
    "rescheduled": {
        "due_at": "2026-11-27",
        "reason": "chờ thẩm định",
        "document": {"number": "12/PXL", "date": "2026-11-19", "signer": "C", "title": "Giám đốc"},
    },
    "supplement": [
        {"what": " Giấy chứng sinh ", "by": "D", "requested_at": "2026-11-17T09:00:00+07:00"},
        {"what": "Ảnh"},
    ],
    "fees": [{"name": "Lệ phí", "amount": 15_000}, {"name": "Phí", "amount": 0, "paid": True}],
    "reason": "  thiếu chữ ký ",
    "return_by": "post",
    "limit": "5d",
}


def test_every_field_of_the_data() -> None:
    assert Facts(**data(**FULL)) == Facts(
        status=4,
        procedure_code="1.001193",
        procedure_name="Đăng ký khai sinh",
        procedure_field="Hộ tịch",
        unit=UnitRef(code="H10.19", name="UBND phường Bình Phước"),
        from_unit=UnitRef(code="H10.01"),
        handler="Tổ Hộ tịch",
        applicant_name="A",
        applicant_phone="0912000001",
        applicant_email="a@example.vn",
        applicant_kind="citizen",
        agent_name="B",
        agent_phone="0912000002",
        agent_email="b@example.vn",
        agent_kind="company",
        consent_sms=True,
        consent_email=False,
        consent_zalo=True,
        received_at=at("2026-11-16 09:00"),
        due_at=at("2026-11-27 17:00"),  # the re-appointment is the due date
        finished_at=at("2026-11-19 10:00"),
        returned_at=at("2026-11-19 11:00"),
        rescheduled=Rescheduled(
            due_at=at("2026-11-27 17:00"),
            reason="chờ thẩm định",
            document=Document(number="12/PXL", date="2026-11-19", signer="C", title="Giám đốc"),
        ),
        supplement=(
            SupplementRequest(what="Giấy chứng sinh", by="D", requested_at=at("2026-11-17 09:00")),
            SupplementRequest(what="Ảnh"),
        ),
        fees=(Fee(name="Lệ phí", amount=15_000), Fee(name="Phí", amount=0, paid=True)),
        reason="thiếu chữ ký",
        return_by="post",
        limit="5d",
    )


def test_the_table_of_fields_and_the_example_are_whole() -> None:
    assert FULL.keys() == cloudevents.FIELDS.keys()
    assert data(**FULL).keys() == Facts.__dataclass_fields__.keys()


@pytest.mark.parametrize("name", sorted(FULL.keys() - {"status"}))
def test_null_clears_what_a_field_says(name: str) -> None:
    said = set(data(**{name: FULL[name]})) - ({"due_at"} if name == "rescheduled" else set())
    assert data(**{name: None}) == dict.fromkeys(said)


def test_a_status_cant_be_cleared() -> None:
    assert data(status=None) == {}


@pytest.mark.parametrize("empty", ["", [], {}], ids=repr)
@pytest.mark.parametrize("name", sorted(FULL))
def test_an_empty_field_says_nothing(name: str, empty: Any) -> None:
    assert data(**{name: empty}) == {}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"applicant": {"phone": None}}, {"applicant_phone": None}),
        ({"applicant": {"phone": "", "name": "A"}}, {"applicant_name": "A"}),
        ({"applicant": {"colour": "blue"}}, {}),
        ({"consent": {"sms": None, "zalo": ""}}, {"consent_sms": None}),
        ({"unit": {"code": "", "name": " "}}, {}),
        ({"unit": {"name": "Phòng A"}}, {"unit": UnitRef(code="", name="Phòng A")}),
        ({"reason": "  "}, {}),
        ({"due_at": "2026-11-20"}, {"due_at": at("2026-11-20 17:00")}),  # the end of the day
        ({"received_at": "2026-11-20"}, {"received_at": at("2026-11-20 00:00")}),
        ({"due_at": "2026-11-20T10:23"}, {"due_at": at("2026-11-20 10:23")}),
        ({"fees": [{"name": "Phí", "amount": 1}] * 2}, {"fees": (Fee(name="Phí", amount=1),) * 2}),
    ],
    ids=str,
)
def test_what_part_of_a_field_says(fields: dict[str, Any], said: dict[str, Any]) -> None:
    assert data(**fields) == said


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"status": "4"}, "/data/status"),
        ({"status": True}, "/data/status"),
        ({"status": 4.5}, "/data/status"),
        ({"procedure": "1.001193"}, "/data/procedure"),
        ({"procedure": {"name": 7}}, "/data/procedure/name"),
        ({"unit": {"code": 7}}, "/data/unit/code"),
        ({"from_unit": [1]}, "/data/from_unit"),
        ({"handler": 7}, "/data/handler"),
        ({"handler": "x" * 2_001}, "/data/handler"),
        ({"applicant": {"phone": 912000001}}, "/data/applicant/phone"),
        ({"agent": "B"}, "/data/agent"),
        ({"consent": {"sms": "yes"}}, "/data/consent/sms"),
        ({"consent": {"sms": 1}}, "/data/consent/sms"),
        ({"received_at": 1_795_168_800_000}, "/data/received_at"),
        ({"due_at": "20/11/2026"}, "/data/due_at"),
        ({"due_at": "0001-01-01T00:00:00"}, "/data/due_at"),
        ({"rescheduled": {"reason": "x"}}, "/data/rescheduled/due_at"),
        ({"rescheduled": {"due_at": "soon"}}, "/data/rescheduled/due_at"),
        ({"rescheduled": {"due_at": "2026-11-27", "document": {"number": 7}}},
         "/data/rescheduled/document/number"),
        ({"rescheduled": "2026-11-27"}, "/data/rescheduled"),
        ({"supplement": "Ảnh"}, "/data/supplement"),
        ({"supplement": ["Ảnh"]}, "/data/supplement/0"),
        ({"supplement": [{"what": "a"}, {"by": "D"}]}, "/data/supplement/1/what"),
        ({"supplement": [{"what": "a"}, {"what": ""}]}, "/data/supplement/1/what"),
        ({"supplement": [{"what": "a", "requested_at": "x"}]}, "/data/supplement/0/requested_at"),
        ({"fees": {"name": "Phí"}}, "/data/fees"),
        ({"fees": [{"name": "Phí"}]}, "/data/fees/0/amount"),
        ({"fees": [{"name": "Phí", "amount": -1}]}, "/data/fees/0/amount"),
        ({"fees": [{"name": "Phí", "amount": 10**30}]}, "/data/fees/0/amount"),
        ({"fees": [{"name": "Phí", "amount": "15.000"}]}, "/data/fees/0/amount"),
        ({"reason": ["x"]}, "/data/reason"),
        ({"limit": 5}, "/data/limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_field_that_cant_be_read_is_pointed_at(fields: dict[str, Any], pointer: str) -> None:
    """RFC 6901."""
    with pytest.raises(EventError) as caught:
        read(data=fields)
    assert caught.value.field == pointer


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"applicant": {"name": "Nguyễn Văn Mẫu", "phone": ["0912000001"]}}},
        {"data": {"due_at": "0912000001 Mẫu"}},
        {"data": {"fees": [{"name": "Mẫu", "amount": "0912000001"}]}},
        {"data": "Mẫu 0912000001"},
        {"time": "0912000001"},
        {"type": "dossier.Mẫu"},
        {"subject": "Mẫu 0912000001!"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_an_error_repeats_no_number_and_no_name(changes: dict[str, Any]) -> None:
    with pytest.raises(EventError) as caught:
        read(**changes)
    assert not any(secret in str(caught.value) for secret in ("Mẫu", "0912"))


# ------------------------------------------------------------------------- an independent sender


def peer(**attributes: Any) -> CloudEvent:
    return CloudEvent(
        attributes={
            **EVENT,
            "time": datetime(2026, 11, 20, 1, 59, tzinfo=UTC),
            **attributes,
        },
        data={"reason": "thiếu chữ ký"},
    )


@pytest.mark.parametrize("id_", ["1", "a b%c", "biên nhận", 'x"y'])
@pytest.mark.parametrize("form", ["structured", "binary"])
def test_what_the_cloudevents_sdk_sends_is_read(form: str, id_: str) -> None:
    sent = (to_structured_event if form == "structured" else to_binary_event)(peer(id=id_))
    headers = {name.lower(): value for name, value in sent.headers.items()}
    [event] = request(sent.body, headers.get("content-type", "application/json"), headers)
    assert isinstance(event, DossierEvent), event
    assert (event.id, event.source, event.code) == (id_, EVENT["source"], CODE)
    assert event.time == at("2026-11-20 08:59")
    assert event.carried == {"reason": "thiếu chữ ký"}


# ------------------------------------------------------------------------------- anything at all

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KINDS = st.sampled_from(
    ["application/json", cloudevents.BATCH, "application/x-ndjson", "text/html"]
)


@given(st.binary(max_size=60), KINDS, st.booleans())
@example(b'"\\ud800"', "application/json", True)
@example(b'{"reason": "\\ud800"}', "application/json", True)
@example(b'{"status": ' + b"9" * 5_000 + b"}", "application/json", True)
@example(b'{"reason": NaN}', "application/json", True)
@example(b"[" * DEEP, "application/json", True)
@example(b"[" * DEEP, "application/x-ndjson", False)
@example(b"[" + b"9" * 5_000 + b"]", "application/json", False)
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_events_or_an_error(body: bytes, kind: str, is_binary: bool) -> None:
    headers = {f"ce-{name}": value for name, value in EVENT.items()} if is_binary else {}
    try:
        items = request(body, kind, headers)
    except EventError:
        return
    assert items


@given(
    st.fixed_dictionaries(
        {}, optional={name: JSON | st.just(value) for name, value in EVENT.items()} | {"data": JSON}
    )
)
@settings(max_examples=200, deadline=None)
def test_any_json_is_an_event_or_an_error(document: dict[str, Any]) -> None:
    assert len(request(json.dumps(document).encode())) == 1


@given(st.dictionaries(st.sampled_from(sorted(FULL)), JSON, max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_data_is_facts_or_an_error_that_points_into_it(fields: dict[str, Any]) -> None:
    try:
        said = data(**fields)
    except EventError as error:
        pointer = error.field
    else:
        assert Facts(**said)
        return
    assert pointer.startswith("/data/")


@pytest.mark.parametrize("id_", ["\udcff", "%ff", "%ed%a0%80"], ids=["byte", "escape", "surrogate"])
def test_a_header_that_is_not_utf_8_is_refused_by_its_name(id_) -> None:
    headers = {f"ce-{name}": str(value) for name, value in EVENT.items()} | {"ce-id": id_}
    with pytest.raises(EventError, match="UTF-8") as raised:
        request(b"{}", "application/json", headers)
    assert raised.value.field == "/id"


@pytest.mark.parametrize("kind", [cloudevents.BATCH, "application/x-ndjson"])
def test_a_request_has_a_most_of_events(kind) -> None:
    def body(count: int) -> bytes:
        return (
            b"[" + b",".join([b"1"] * count) + b"]" if kind == cloudevents.BATCH else b"1\n" * count
        )

    assert len(request(body(cloudevents.MOST), kind)) == cloudevents.MOST
    with pytest.raises(EventError, match="send fewer"):
        request(body(cloudevents.MOST + 1), kind)
