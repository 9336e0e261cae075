"""Where a unit is and when it is open: whose address is told, and what of the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from builders import GATEWAY, PHONE, Centre, code, event, inbound, moment, received

from notifier.domain.dossier import UnitRef
from notifier.domain.opening import read_hours
from notifier.domain.unit import Unit, Units

if TYPE_CHECKING:
    from notifier.domain.installation import Installation

WARD = Unit(
    code="H19.45",
    name="UBND phường Trấn Biên",
    short="P.Tran Bien",
    phone="02513822222",
    address="số 1 đường Hùng Vương",
    hours=read_hours("07:30-11:30, 13:30-17:00 T2-T6; 07:30-11:30 T7"),
    aliases=("000.00.45.H19",),
    source="TB 12/TB-UBND",
    as_of=date(2026, 11, 1),
)
OTHER = replace(
    WARD,
    code="H19.46",
    name="UBND phường Tam Hiệp",
    short="P.Tam Hiep",
    address="số 2 đường Đồng Khởi",
    aliases=(),
)
BARE = Unit(code="H19.47", name="UBND phường Long Bình", short="P.Long Binh")
OFFICE_ADDRESS = "số 9 đường Nguyễn Ái Quốc"
STRANGER = "sms:+84912999999"


@pytest.fixture
async def centre(centre: Centre, installation: Installation) -> Centre:
    """With three wards, of which one has told nothing of itself."""
    office = replace(installation.units.office, address=OFFICE_ADDRESS)
    units = Units.of(office, [WARD, OTHER, BARE], [], spellings=installation.keywords.spellings)
    centre.installation = replace(installation, units=units)
    await centre.restart()
    return centre


async def told(centre: Centre, text: str, *, sender: str = f"sms:{PHONE}") -> str:
    """The words that answer one more text."""
    key = str(len(await centre.outbox()))
    await centre.receive().accept([inbound(text, key=key, sender=sender)])
    return (await centre.row(f"answer|{GATEWAY}|{key}")).text


@pytest.mark.parametrize("text", ["giờ làm việc phường Trấn Biên", "Trấn Biên mấy giờ mở cửa"])
async def test_a_named_unit_is_told_with_its_source(centre: Centre, text: str) -> None:
    said = await told(centre, text, sender=STRANGER)
    assert said == (
        "P.Tran Bien: Gio lam viec 07:30-11:30, 13:30-17:00 thu Hai den thu Sau; 07:30-11:30 thu "
        "Bay. Dia chi: so 1 duong Hung Vuong. (Theo TB 12/TB-UBND.) LH 02513822222"
    )


async def test_a_chat_is_told_the_date_of_the_source_too(centre: Centre) -> None:
    said = await told(centre, "địa chỉ phường Trấn Biên ở đâu", sender="telegram:7")
    assert said.splitlines() == [
        "UBND phường Trấn Biên",
        "Địa chỉ: số 1 đường Hùng Vương.",
        "Giờ làm việc: 07:30-11:30, 13:30-17:00 thứ Hai đến thứ Sáu; 07:30-11:30 thứ Bảy.",
        "Điện thoại: 02513822222.",
        "Theo TB 12/TB-UBND, cập nhật ngày 01/11/2026.",
    ]


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ("2026-11-24 09:00", "Hom nay nghi (Ngay Van hoa Viet Nam), lam viec lai 25/11/2026."),
        ("2026-11-28 09:00", "Hom nay 07:30-11:30."),  # Saturday
        ("2026-11-29 09:00", "Hom nay nghi, lam viec lai 30/11/2026."),
        ("2026-11-23 09:00", ""),
    ],
)
@pytest.mark.parametrize("text", ["gio lam viec phuong tran bien", "dia chi phuong tran bien"])
async def test_what_holds_today_is_said(centre: Centre, now: str, says: str, text: str) -> None:
    centre.clock.now = moment(now)
    said = await told(centre, text)
    assert says in said
    assert ("Hom nay" in said) == bool(says)


async def test_a_unit_s_own_calendar_decides(centre: Centre) -> None:
    state = centre.installation.calendars["vn"]
    through = replace(state, name="through", exceptions={}, names={})
    centre.installation = replace(
        centre.installation,
        calendars={"vn": state, "through": through},
        units=Units.of(
            centre.installation.units.office, [replace(WARD, calendar="through"), OTHER], []
        ),
    )
    await centre.restart()
    centre.clock.now = moment("2026-11-24 09:00")  # a holiday of the state
    assert "Hom nay" not in await told(centre, "gio lam viec tran bien")
    assert "Hom nay nghi" in await told(centre, "gio lam viec tam hiep")


async def test_who_has_a_dossier_means_the_unit_that_has_it(centre: Centre) -> None:
    await centre.push(received(unit=UnitRef(code="000.00.45.H19")))
    assert "Hung Vuong" in await told(centre, "địa chỉ ở đâu vậy")
    assert "Nguyen Ai Quoc" in await told(centre, "địa chỉ ở đâu vậy", sender=STRANGER)
    await centre.push(event("forwarded", at=centre.clock.now + 1, unit=UnitRef(code="H19.46")))
    assert "Dong Khoi" in await told(centre, "địa chỉ ở đâu vậy")


async def test_of_dossiers_at_two_units_none_is_meant(centre: Centre) -> None:
    await centre.push(
        received(unit=UnitRef(code="H19.45")), received(2, unit=UnitRef(code="H19.46"))
    )
    assert "Nguyen Ai Quoc" in await told(centre, "địa chỉ ở đâu vậy")
    assert "Dong Khoi" in await told(centre, "địa chỉ phường Tam Hiệp ở đâu")


async def test_a_code_means_its_unit(centre: Centre) -> None:
    await centre.push(received(unit=UnitRef(code="H19.46")))
    assert "Dong Khoi" in await told(centre, f"{code()} địa chỉ ở đâu", sender=STRANGER)
    assert "Hung Vuong" in await told(centre, f"{code(9)} địa chỉ ở đâu", sender=STRANGER)
    assert "Nguyen Ai Quoc" in await told(
        centre, "H19.99-261118-0001 địa chỉ ở đâu", sender=STRANGER
    )


async def test_a_sensitive_dossier_does_not_say_where_it_is(centre: Centre) -> None:
    await centre.push(received(unit=UnitRef(code="H19.46"), procedure_name="Đăng ký nuôi con nuôi"))
    sensitive = await told(centre, f"{code()} địa chỉ ở đâu", sender=STRANGER)
    unknown = await told(centre, f"{code(9)} địa chỉ ở đâu", sender=STRANGER)
    assert sensitive == unknown.replace(code(9), code())
    assert "Dong Khoi" in await told(centre, "địa chỉ ở đâu vậy")  # whose it is


async def test_a_follow_up_means_the_dossier_that_was_asked_for(centre: Centre) -> None:
    await centre.push(received(unit=UnitRef(code="H19.46")))
    await told(centre, f"HS {code()}", sender=STRANGER)
    assert "Dong Khoi" in await told(centre, "địa chỉ ở đâu vậy", sender=STRANGER)


@pytest.mark.parametrize("text", ["địa chỉ phường Long Bình", "giờ làm việc phường Long Bình"])
async def test_for_a_unit_that_told_nothing_the_office_answers(centre: Centre, text: str) -> None:
    said = await told(centre, text)
    assert said.startswith("TTPVHCC: ")
    assert "Theo" not in said


async def test_the_office_is_named_by_its_own_name(centre: Centre) -> None:
    await centre.push(received(unit=UnitRef(code="H19.45")))
    said = await told(centre, "địa chỉ trung tâm phục vụ hành chính công ở đâu")
    assert said.startswith("TTPVHCC: so 9 duong Nguyen Ai Quoc.")
    said = await told(centre, "giờ làm việc trung tâm phục vụ hành chính công")
    assert said.startswith("TTPVHCC: Gio lam viec")
    assert "Dia chi" not in said  # which would cost every asker a second SMS


async def test_an_older_code_has_no_unit_and_is_no_trouble(centre: Centre) -> None:
    from notifier.domain.code_form import read_form

    forms = (read_form("[0-9]{5}/20[0-9]{2}/[0-9]{5}"),)
    centre.installation = replace(centre.installation, legacy_codes=forms)
    await centre.restart()
    said = await told(centre, "03706.2026.07906 địa chỉ ở đâu", sender=STRANGER)
    assert "Khong tim thay ho so 03706/2026/07906" in said
    assert "Nguyen Ai Quoc" in said
