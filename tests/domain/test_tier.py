from __future__ import annotations

import pytest
from dossier_samples import installation

from notifier.domain.dossier import UnitRef
from notifier.domain.tier import Tier, tier_of
from notifier.domain.unit import Office, Unit, Units


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("UBND phường Trấn Biên", Tier.COMMUNE),
        ("Ủy ban nhân dân xã Phước Thái", Tier.COMMUNE),
        ("Uỷ ban nhân dân Đặc khu Phú Quốc", Tier.COMMUNE),
        ("Trung tâm Phục vụ hành chính công phường Tam Hiệp", Tier.COMMUNE),
        ("SỞ XÂY DỰNG", Tier.PROVINCE),
        ("UBND tỉnh Đồng Nai", Tier.PROVINCE),
        ("UBND huyện Long Thành", Tier.DISTRICT),
        ("Bộ Tư pháp", Tier.MINISTRY),
        ("Bộ phận Một cửa", None),
        ("Tổ công tác", None),
        ("Sởi", None),
        ("", None),
    ],
)
def test_the_level_of_a_unit_by_how_its_name_begins(name, tier):
    _, found = installation().units.placed(UnitRef(code="Z9", name=name))
    assert found is tier


def test_the_longest_beginning_counts():
    begins = {"trung tam": Tier.PROVINCE, "trung tam phuong": Tier.COMMUNE}
    assert tier_of("Trung tâm Phường 1", begins) is Tier.COMMUNE
    assert tier_of("Trung tâm tỉnh", begins) is Tier.PROVINCE


def test_the_registry_wins_over_the_name():
    office = Office(name="A", short="A", hotline="1022", portal="a")
    listed = Unit(code="Z1", name="UBND xã A", short="A", level=Tier.PROVINCE, aliases=("Z2",))
    units = Units.of(office, [listed], [], beginnings={"UBND xã": Tier.COMMUNE})
    assert units.placed(UnitRef(code="Z2", name="gì đó")) == (listed, Tier.PROVINCE)
