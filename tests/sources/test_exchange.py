"""The national exchange record, field by field; and the sample, in whatever order it comes."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import exchange_samples as samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain import instant
from notifier.domain.dossier import Dossier, Fee, SupplementRequest, UnitRef, apply
from notifier.domain.event import DossierEvent, EventType
from notifier.ports import Quarantined
from notifier.sources.exchange import MOST
from notifier.sources.reading import Arrival

READER = samples.reader()
AT = "2026-11-20T10:00:00+07:00"
CODE = "H19.45-261118-0007"


def encoded(*said: dict[str, Any], **around: Any) -> bytes:
    """A push of records, each of ``CODE``."""
    return json.dumps({**around, "data": [{"MaHoSo": CODE, **record} for record in said]}).encode()


def read(arrived: Arrival = samples.ARRIVAL, **said: Any) -> DossierEvent | Quarantined:
    """One record, with the moment of its change."""
    [item] = READER.read(encoded(said, occurred_at=[AT]), arrived)
    return item


def event(**said: Any) -> DossierEvent:
    item = read(**said)
    assert isinstance(item, DossierEvent), item
    return item


def kept(**said: Any) -> Quarantined:
    item = read(**said)
    assert isinstance(item, Quarantined), item
    return item


def moment(text: str) -> int:
    return instant.read_iso(text)


# ------------------------------------------------------------------------------------- the sample


def ended(bodies: list[bytes]) -> tuple[dict[str, Dossier], list[Quarantined]]:
    dossiers: dict[str, Dossier] = {}
    left = []
    for body in bodies:
        for item in READER.read(body, samples.ARRIVAL):
            if isinstance(item, Quarantined):
                left.append(item)
            else:
                dossiers[item.code] = apply(dossiers.get(item.code), item, now=samples.NOW)
    return dossiers, left


def test_the_sample_ends_as_it_has_to():
    dossiers, left = ended(samples.FILE.read_bytes().splitlines())
    assert {code: samples.standing(each) for code, each in dossiers.items()} == samples.EXPECTED
    assert len(left) == 5
    assert all(item.understood and "TrangThaiHoSo" in item.reason for item in left)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_in_whatever_order_and_batches_and_however_often(seed):
    dossiers, left = ended(samples.recut(Random(seed)))
    assert {code: samples.standing(each) for code, each in dossiers.items()} == samples.EXPECTED
    assert len({item.key for item in left}) == 5


# ------------------------------------------------------------------------------------- the fields


@pytest.mark.parametrize(
    ("said", "carried"),
    [
        ({"TrangThaiHoSo": 4}, {"status": 4}),
        ({"TrangThaiHoSo": "4"}, {"status": 4}),
        ({"TrangThaiHoSo": " 04 "}, {"status": 4}),
        ({"TrangThaiHoSo": 9.0}, {"status": 9}),
        ({"TrangThai": "10"}, {"status": 10}),
        ({"TrangThaiHoSo": ""}, {}),
        ({"TrangThaiHoSo": None, "TrangThai": 5}, {"status": 5}),
        ({"TenTTHC": " Đăng ký khai sinh "}, {"procedure_name": "Đăng ký khai sinh"}),
        ({"MaTTHC": 1.0}, {"procedure_code": "1"}),
        ({"DonViXuLy": "Sở Tư pháp"}, {"unit": UnitRef(code="", name="Sở Tư pháp")}),
        ({"LoaiDoiTuong": "1"}, {"applicant_kind": "person"}),
        ({"LoaiDoiTuong": 2}, {"applicant_kind": "business"}),
        ({"LoaiDoiTuong": 7}, {}),
        ({"SoDienThoai": 912000001}, {"applicant_phone": "912000001"}),
        ({"NguoiXuLy": "", "PhongBanXuLy": "Phòng Hộ tịch"}, {"handler": "Phòng Hộ tịch"}),
        ({"GhiChu": "Chờ ý kiến"}, {}),
        ({"GhiChu": "Chờ ý kiến", "TrangThaiHoSo": 4}, {"status": 4}),
        ({"GhiChu": "Thiếu mẫu", "TrangThaiHoSo": 3}, {"status": 3, "reason": "Thiếu mẫu"}),
        ({"KhongCoTrongBang": {"a": [1]}}, {}),
        ({"SoDienThoai": "0912\x00000001"}, {"applicant_phone": "0912000001"}),
    ],
)
def test_a_field(said, carried):
    assert event(**said).carried == carried


DUE = moment("2026-11-26T17:00")


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("20261126170000", DUE),
        (20261126170000, DUE),
        ("2026-11-26 17:00:00", DUE),
        ("2026-11-26T17:00:00", DUE),
        ("2026-11-26T17:00:00+07:00", DUE),
        ("2026-11-26T10:00:00Z", DUE),
        ("2026-11-26T17:00:00.0000000", DUE),
        (" 2026-11-26 17:00:00 ", DUE),
        ("2026-11-26", DUE),
        ("/Date(1795687200000)/", moment("2026-11-26T17:00")),
    ],
)
def test_a_date(written, due):
    assert event(NgayHenTra=written).carried == {"due_at": due}


@pytest.mark.parametrize(
    "written",
    ["", " ", None, "null", "0001-01-01", "0001-01-01T00:00:00", "0001-01-01 00:00:00",
     "00010101000000", "1900-01-01T00:00:00", [], {}, False],
)  # fmt: skip
def test_a_date_that_says_nothing(written):
    assert event(NgayHenTra=written).carried == {}


@pytest.mark.parametrize(
    "written",
    ["202611261700", "2026-13-01", "2026-11-31 08:00:00", "26/11/2026", "x", "1999-01-01",
     "2101-01-01", "9999-12-31T23:59:59", 1.5, {"a": 1}],
)  # fmt: skip
def test_a_date_that_is_none_of_ours(written):
    item = kept(NgayHenTra=written)
    assert item.reason.startswith("/NgayHenTra: ")
    assert not item.understood


def test_papers_and_fees():
    told = event(
        DanhSachHoSoBoSung=[
            {"NoiDungBoSung": "Bản sao trích lục", "NgayBoSung": "20261119100000"},
            {"NoiDungBoSung": "Đơn", "NguoiYeuCauBoSung": "Lan", "NgayBoSung": ""},
            {"NoiDungBoSung": ""},
        ],
        DanhSachLePhi=[
            {"TenPhiLePhi": "Lệ phí", "Gia": "350000"},
            {"TenPhiLePhi": "Phí", "Gia": "1.250.000"},
            {"TenPhiLePhi": "Không rõ", "Gia": ""},
        ],
        TrangThaiThanhToan="1",
    )
    assert told.carried == {
        "supplement": (
            SupplementRequest(what="Bản sao trích lục", requested_at=moment("2026-11-19T10:00")),
            SupplementRequest(what="Đơn", by="Lan"),
        ),
        "fees": (
            Fee(name="Lệ phí", amount=350_000, paid=True),
            Fee(name="Phí", amount=1_250_000, paid=True),
        ),
    }


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"TrangThaiHoSo": {"a": 1}}, "/TrangThaiHoSo: "),
        ({"SoDienThoai": "0" * 2_001}, "/SoDienThoai: "),
        ({"MaHoSo": ""}, "/MaHoSo: "),
        ({"MaHoSo": None}, "/MaHoSo: "),
        ({"MaHoSo": "a b"}, "/MaHoSo: "),
        ({"DanhSachLePhi": [{"TenPhiLePhi": "x", "Gia": "nhiều"}]}, "/DanhSachLePhi/0/Gia: "),
        ({"DanhSachLePhi": ["x"]}, "/DanhSachLePhi/0: "),
        ({"DanhSachHoSoBoSung": "x"}, "/DanhSachHoSoBoSung/0: "),
    ],
)
def test_a_record_that_cannot_be_read_is_kept_with_the_place(said, place):
    assert kept(**said).reason.startswith(place)


def test_a_state_outside_the_map_is_a_person_s():
    item = kept(TrangThaiHoSo="11", SoDienThoai="0912000001")
    assert item.understood
    assert item.door == "sources/exchange"
    assert "0912" not in item.reason


def test_what_was_kept_is_read_again_once_the_map_knows_it():
    item = kept(TrangThaiHoSo="11", SoDienThoai="0912000001")
    mended = samples.shipped_map().model_copy(update={"statuses": {"11": 4}})
    [again] = type(READER)("exchange", mended).read(item.raw, Arrival(at=samples.NOW + 5_000))
    assert isinstance(again, DossierEvent)
    assert again.time == moment(AT)
    assert again.carried == {"status": 4, "applicant_phone": "0912000001"}


# --------------------------------------------------------------------------------------- the push


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"MaHoSo": "H19.45-261118-0007"}', 1),
        (b'[{"MaHoSo": "H19.45-261118-0007"}, {"MaHoSo": "H19.45-261118-0008"}]', 2),
        (b'{"data": {"MaHoSo": "H19.45-261118-0007"}}', 1),
        (b'{"session": "x", "isUpdating": "True", "data": [{"MaHoSo": "H19.45-261118-0007"}]}', 1),
    ],
)
def test_one_record_or_a_list_with_and_without_a_wrapper(body, count):
    items = READER.read(body, samples.ARRIVAL)
    assert len(items) == count
    assert all(isinstance(item, DossierEvent) for item in items)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"data": []}', b'{"data": null}', b"\xff", b"[" * 5_000,
     json.dumps([{}] * (MOST + 1)).encode()],
)  # fmt: skip
def test_bytes_without_a_record_are_kept_whole(body):
    [item] = READER.read(body, samples.ARRIVAL)
    assert isinstance(item, Quarantined)
    assert item.raw == body


def test_a_bad_record_costs_no_good_one():
    items = READER.read(encoded({}, {"NgayTra": "x"}, {"TrangThaiHoSo": 4}), samples.ARRIVAL)
    assert [type(item) for item in items] == [DossierEvent, Quarantined, DossierEvent]


def test_times_that_fit_no_record_are_not_guessed():
    items = READER.read(encoded({}, {}, occurred_at=[AT]), samples.ARRIVAL)
    assert {item.reason for item in items if isinstance(item, Quarantined)} == {
        "/occurred_at: 1 times for 2 records"
    }
    assert len(items) == 2


def test_the_same_said_twice_is_one_event_however_it_is_written():
    first = event(TrangThaiHoSo=4, NgayHenTra="20261126170000", NgayTra=None)
    second = event(TrangThaiHoSo="4", NgayHenTra="2026-11-26T17:00:00+07:00", NgayTra="")
    assert (first.id, first.source) == (second.id, "exchange")
    assert first.id != event(TrangThaiHoSo=5, NgayHenTra="20261126170000").id


def test_the_same_said_of_another_moment_is_another_event():
    later = AT.replace("T10", "T11")
    [first, again] = READER.read(
        encoded({"TrangThaiHoSo": 4}, {"TrangThaiHoSo": 4}, occurred_at=[AT, later]),
        samples.ARRIVAL,
    )
    assert isinstance(first, DossierEvent)
    assert isinstance(again, DossierEvent)
    assert first.id != again.id


def test_a_progress_record_has_a_time_of_its_own():
    [item] = READER.read(
        encoded({"ThoiDiemXuLy": "20261119083000", "TrangThai": "4", "NguoiXuLy": "Lan"}),
        samples.ARRIVAL,
    )
    assert isinstance(item, DossierEvent)
    assert (item.time, item.arrived) == (moment("2026-11-19T08:30"), None)
    assert item.carried == {"status": 4, "handler": "Lan"}


@pytest.mark.parametrize(
    ("status", "type_"),
    [(1, "submitted"), (4, "processing"), (5, "supplement-requested"), ("", "noted")],
)  # fmt: skip
def test_what_the_timeline_calls_it(status, type_):
    assert event(TrangThaiHoSo=status).type is EventType(type_)


# ------------------------------------------------------------------- without a time of the change


def arriving(at: str, *said: dict[str, Any]) -> list[DossierEvent]:
    items = READER.read(encoded(*said), Arrival(at=moment(at)))
    assert all(isinstance(item, DossierEvent) for item in items)
    return [item for item in items if isinstance(item, DossierEvent)]


RECEIVED = {"NgayTiepNhan": "2026-11-18 08:00:00"}


def last(*events: DossierEvent) -> int | None:
    dossier = None
    for each in events:
        dossier = apply(dossier, each, now=samples.NOW)
    assert dossier
    return dossier.status


@pytest.mark.parametrize(
    ("states", "ends"), [((2, 4), 4), ((4, 6, 4), 4), ((9, 4), 4), ((4, 4, 8), 8)]
)
def test_its_own_dates_decide_and_then_arrival(states, ends):
    one_by_one = [
        each
        for hour, status in enumerate(states)
        for each in arriving(f"2026-11-20T1{hour}:00", {**RECEIVED, "TrangThaiHoSo": status})
    ]
    assert last(*one_by_one) == ends
    together = arriving("2026-11-20T10:00", *({**RECEIVED, "TrangThaiHoSo": s} for s in states))
    assert last(*together) == ends


def test_a_newer_date_wins_over_a_later_arrival():
    [done] = arriving(
        "2026-11-20T10:00",
        {**RECEIVED, "TrangThaiHoSo": 9, "NgayKetThucXuLy": "2026-11-20 09:00:00"},
    )
    [straggler] = arriving("2026-11-20T11:00", {**RECEIVED, "TrangThaiHoSo": 4})
    assert last(done, straggler) == 9
    assert done.time == moment("2026-11-20T09:00")


def test_a_date_to_come_orders_nothing():
    [told] = arriving("2026-11-20T10:00", {**RECEIVED, "NgayTra": "2026-12-24 08:00:00"})
    assert told.time == moment("2026-11-18T08:00")


def test_without_any_date_arrival_is_the_time():
    [told] = arriving("2026-11-20T10:00", {"TrangThaiHoSo": 4})
    assert told.time == moment("2026-11-20T10:00")


def test_a_repetition_leaves_no_trace():
    events = [
        each
        for hour in range(5)
        for each in arriving(f"2026-11-20T1{hour}:00", {**RECEIVED, "TrangThaiHoSo": 4})
    ]
    dossier = apply(None, events[0], now=samples.NOW)
    for each in events[1:]:
        assert apply(dossier, each, now=samples.NOW) is dossier


# ------------------------------------------------------------------------------------- any bytes

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted({name for names in samples.shipped_map().fields.values() for name in names})
near = st.dictionaries(
    st.sampled_from([*FIELDS, "DanhSachLePhi", "DanhSachHoSoBoSung"]),
    anything | st.sampled_from(["2026-11-20", "20261126170000", CODE, "4", "11"]),
    max_size=8,
)


@given(
    body=st.binary()
    | anything.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {"data": near | st.lists(near, max_size=4)},
        optional={"occurred_at": anything, "received_at": anything},
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_become_items_and_never_an_error(body):
    items = READER.read(body, samples.ARRIVAL)
    assert items
    for item in items:
        if isinstance(item, DossierEvent):
            apply(None, item, now=samples.NOW)
            assert READER.read(item.raw, samples.ARRIVAL)[0].raw
        assert item == item
