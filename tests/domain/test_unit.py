from __future__ import annotations

from datetime import date

import pytest

from notifier.domain.dossier import UnitRef
from notifier.domain.unit import Office, Province, Unit, Units

OFFICE = Office(
    name="Trung tâm Phục vụ hành chính công", short="TTPVHCC", hotline="1022",
    portal="dichvucong.gov.vn", level1=frozenset({"H19", "H10"}),
)  # fmt: skip
WARD = Unit(
    code="H19.45", name="UBND phường Trấn Biên", short="P.Tran Bien", phone="02513822222",
    aliases=("000.00.45.H19", "UBND TP. Biên Hòa"),
)  # fmt: skip
PROVINCES = [
    Province(code="H10", name="Bình Phước", valid_to=date(2025, 6, 30), successor="Đồng Nai"),
    Province(code="H19", name="Đồng Nai"),
    Province(code="H26", name="Hà Nội"),
    Province(code="H09", name="Bình Dương", valid_to=date(2025, 6, 30),
             successor="TP. Hồ Chí Minh"),
]  # fmt: skip
UNITS = Units.of(OFFICE, [WARD], PROVINCES)


@pytest.mark.parametrize(
    "ref",
    [
        UnitRef(code="H19.45"),
        UnitRef(code="h19.45", name="whatever the source calls it"),
        UnitRef(code="000.00.45.H19"),
        UnitRef(code="", name="UBND phường Trấn Biên"),
        UnitRef(code="X", name="ubnd phuong  tran bien"),
        UnitRef(code="", name="UBND TP. Biên Hòa"),  # its name before the reform
    ],
    ids=lambda ref: ref.code or ref.name,
)
def test_a_unit_is_found_by_code_alias_and_name(ref: UnitRef) -> None:
    assert UNITS.find(ref) is WARD


@pytest.mark.parametrize(
    ("ref", "name", "short", "phone"),
    [
        (UnitRef(code="H19.99", name="Phòng A"), "Phòng A", "Phòng A", "1022"),
        (UnitRef(code="H19.99"), OFFICE.name, "TTPVHCC", "1022"),
        (UnitRef(code=""), OFFICE.name, "TTPVHCC", "1022"),
        (None, OFFICE.name, "TTPVHCC", "1022"),
    ],
    ids=["named", "code-only", "empty", "none"],
)
def test_a_unit_that_is_not_listed_is_answered_for_by_the_office(
    ref: UnitRef | None, name: str, short: str, phone: str
) -> None:
    found = UNITS.find(ref)
    assert (found.name, found.short, found.phone) == (name, short, phone)


@pytest.mark.parametrize(
    ("level1", "place"),
    [
        ("H19", None),
        ("H10", None),  # merged into ours: its codes are ours
        ("H26", "Hà Nội"),
        ("H09", "TP. Hồ Chí Minh"),  # merged elsewhere
        ("G01", "G01"),  # not in the table
    ],
)
def test_where_the_codes_of_others_are_served(level1: str, place: str | None) -> None:
    assert UNITS.elsewhere(level1) == place


def test_an_office_that_names_no_codes_serves_all() -> None:
    everywhere = Office(name="A", short="A", hotline="", portal="")
    assert Units.of(everywhere, [], PROVINCES).elsewhere("H26") is None


def test_a_later_unit_of_the_same_code_wins_and_each_is_listed_once() -> None:
    renamed = Unit(code="H19.45", name="Phường mới", short="P.Moi")
    units = Units.of(OFFICE, [WARD, renamed], PROVINCES)
    assert units.find(UnitRef(code="H19.45")) is renamed
    assert UNITS.all == {WARD}


# ---------------------------------------------------------------------------- named by people

OTHER = Unit(code="H19.46", name="UBND phường Tam Hiệp", short="P.Tam Hiep")
HAMLET = Unit(code="H19.77", name="UBND xã Tam Phước", short="X.Tam Phuoc", aliases=("H10.77",))
LIKE = Unit(code="H19.50", name="UBND phường Tân Phú", short="P.Tan Phu")
ALIKE = Unit(code="H19.51", name="UBND phường Tân Phú Trung", short="P.Tan Phu Trung")
NAMED = Units.of(OFFICE, [WARD, OTHER, HAMLET, LIKE, ALIKE], PROVINCES)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("dia chi phuong tran bien o dau", "H19.45"),
        ("tran bien lam viec may gio", "H19.45"),
        ("ubnd tp bien hoa", "H19.45"),
        ("uy ban phuong tam hiep mo cua chua", "H19.46"),
        ("gio lam viec xa tam phuoc", "H19.77"),
        ("trung tam phuc vu hanh chinh cong o dau", ""),  # the office
        ("ubnd phuong o dau", None),  # any of them
        ("dia chi o dau", None),
        ("phuong tan phu", "H19.50"),
        ("phuong tan phu trung", "H19.51"),
        ("tan phu", None),  # either of two
        ("tam", None),
        ("", None),
    ],
)
def test_a_unit_that_people_name(words: str, code: str | None) -> None:
    found = NAMED.named(words)
    assert (found and found.code) == code


def test_only_units_of_the_registry_are_listed() -> None:
    assert UNITS.listed(UnitRef(code="000.00.45.H19")) is WARD
    assert UNITS.listed(UnitRef(code="H19.99", name="Phòng A")) is None
    assert UNITS.listed(None) is None
