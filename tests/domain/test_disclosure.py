from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from dossier_samples import OWNER, STRANGER, dossier, event, installation

from notifier.domain import disclosure
from notifier.domain.disclosure import Asker, Level, Policy
from notifier.domain.message import Address

if TYPE_CHECKING:
    from notifier.domain.dossier import Dossier

POLICY = replace(installation().disclosure, sensitive_codes=frozenset({"1.001731"}))
T = "2026-11-16 09:00"
ORDINARY = dossier(event("received", T, applicant_phone="0912 000 001"))
SENSITIVE = dossier(
    event("received", T, applicant_phone="0912000001", procedure_name="Cấp phiếu lý lịch tư pháp")
)


def by_sms(number: str, **guesses: int) -> Asker:
    return Asker(address=Address("sms", number), **guesses)


def by_chat(*proved: str, **guesses: int) -> Asker:
    return Asker(address=Address("telegram", "12345"), proved_phones=frozenset(proved), **guesses)


@pytest.mark.parametrize(
    ("why", "asker", "found", "level"),
    [
        ("the applicant's own phone", by_sms(OWNER), ORDINARY, Level.L1),
        ("a chat that proved the phone", by_chat(OWNER), ORDINARY, Level.L1),
        ("a chat that proved nothing", by_chat(), ORDINARY, Level.L0),
        ("another phone", by_sms(STRANGER), ORDINARY, Level.L0),
        ("a chat that proved another phone", by_chat(STRANGER), ORDINARY, Level.L0),
        ("a chat whose id looks like the number",
         Asker(address=Address("telegram", OWNER)), ORDINARY, Level.L0),
        ("sensitive, the applicant", by_sms(OWNER), SENSITIVE, Level.L1),
        ("sensitive, anybody else", by_sms(STRANGER), SENSITIVE, Level.NONE),
        ("past the limit of ten minutes", by_sms(STRANGER, guesses_lately=10), ORDINARY,
         Level.NONE),
        ("one short of it", by_sms(STRANGER, guesses_lately=9), ORDINARY, Level.L0),
        ("past the limit of a day", by_sms(STRANGER, guesses_today=30), ORDINARY, Level.NONE),
        ("one short of that", by_sms(STRANGER, guesses_today=29), ORDINARY, Level.L0),
        ("past the limit, and the applicant", by_sms(OWNER, guesses_lately=99), ORDINARY,
         Level.L1),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)  # fmt: skip
def test_what_an_asker_may_know(why: str, asker: Asker, found: Dossier, level: Level) -> None:
    assert disclosure.level(asker, found, POLICY) is level, why


def test_the_agent_owns_it_as_the_applicant_does() -> None:
    found = dossier(event("received", T, applicant_phone="0912000001", agent_phone="0912000002"))
    assert disclosure.owns(by_sms(OWNER), found)
    assert disclosure.owns(by_sms(STRANGER), found)


@pytest.mark.parametrize("phone", [None, "", "không có", "02513822222"])
def test_a_dossier_without_a_usable_number_is_nobodys(phone: str | None) -> None:
    found = dossier(event("received", T, applicant_phone=phone))
    assert disclosure.level(by_sms(OWNER), found, POLICY) is Level.L0
    assert not disclosure.owns(by_chat(), found)


@pytest.mark.parametrize(
    ("carried", "sensitive"),
    [
        ({"procedure_name": "Đăng ký nuôi con nuôi trong nước"}, True),
        ({"procedure_name": "ĐĂNG KÝ VIỆC NHẬN CON NUÔI"}, True),
        ({"procedure_name": "Dang ky thay doi ho, chu dem, ten"}, True),
        ({"procedure_name": "Thay đổi, cải chính hộ tịch"}, True),
        ({"procedure_name": "Xét nghiệm HIV"}, True),
        ({"procedure_name": "Xác nhận", "procedure_field": "Cai nghiện ma túy"}, True),
        ({"procedure_code": "1.001731", "procedure_name": "Mai táng"}, True),
        ({"procedure_code": "1.001731.H38", "procedure_name": "Mai táng"}, True),
        ({"procedure_code": " 1.001731 ", "procedure_name": "Mai táng"}, True),
        ({"procedure_code": "1.0017310", "procedure_name": "Đăng ký"}, False),
        ({"procedure_name": "Điều trị HIV_AIDS"}, True),
        ({"procedure_name": "Nhận con-nuôi"}, True),
        ({"procedure_name": "Đăng ký nhận cha, mẹ, con"}, True),
        ({"procedure_code": "1.001732", "procedure_name": "Đăng ký khai sinh"}, False),
        ({"procedure_name": "Đăng ký thay đổi hoạt động chi nhánh"}, False),
        ({"procedure_name": "Thay đổi họ, chữ đệm, tên"}, True),
        ({}, False),
    ],
    ids=lambda value: str(value) if isinstance(value, bool) else value.get("procedure_name", ""),
)
def test_which_procedures_are_nobody_elses_business(
    carried: dict[str, str], sensitive: bool
) -> None:
    found = dossier(event("received", T, **carried))
    assert disclosure.is_sensitive(found, POLICY) is sensitive
    assert not disclosure.is_sensitive(found, Policy())


def test_an_asker_is_not_written_out() -> None:
    assert "912000001" not in repr(Asker(address=Address("sms", OWNER), proved_phones={OWNER}))
