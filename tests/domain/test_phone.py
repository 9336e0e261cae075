from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain import phone
from notifier.domain.phone import Phone

MADE_UP = "+84912345678"


def label(value: object) -> str:
    """The name of a case: its shape, without the digits."""
    return "".join("9" if char.isdigit() else char for char in str(value))


@pytest.mark.parametrize(
    "raw",
    [
        "0912345678",
        "84912345678",
        "+84912345678",
        "0084912345678",
        "912345678",
        "0912 345 678",
        "091.234.5678",
        "0912-345-678",
        "(091) 234 5678",
        "+84 (0) 912 345 678",
        "+84(0)912345678",
        "84.912.345.678",
        " 0912345678\n",
        "0912\u00a0345\u2013678",
        "０９１２３４５６７８",
        "\u202a+84912345678\u202c",
        "0912 - 345 - 678",
        "0912345678/0987654321",
        "0912345678; 0987654321",
        "0912345678, 0987654321",
        "0912345678 - 0987654321",
        "0274 3822 123 / 0912345678",
        "02743822123 - 0912 345 678",
        "09x123; 0912345678",
        *(f"0912{char}345{char}678" for char in " \t.-()[]·"),
        *(f"0912{char}345{char}678" for char in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad"),
        *(f"{char}0912345678{char}" for char in "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\ufeff"),
    ],
    ids=label,
)
def test_one_mobile_in_every_spelling(raw: str) -> None:
    assert phone.read(raw) == Phone(MADE_UP)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "không có",
        "09x123",
        "0274 3822 123",
        "+84 274 3822 123",
        "02412345678",
        "091234567",
        "09123456789",
        "0112345678",
        "1900 1234",
        "18001234",
        "113",
        "001085012345",
        "0000000000",
        "01119123456",  # a prefix of eleven digits that never was
        "+",
        "+84",
        "9" * 10_000,
    ],
    ids=lambda raw: label(raw[:20]),
)
def test_no_sms_reaches_anything_else(raw: str) -> None:
    assert phone.read(raw) is None


@pytest.mark.parametrize(
    ("before", "now"),
    [
        *((f"016{last}", f"03{last}") for last in range(2, 10)),
        ("0120", "070"), ("0121", "079"), ("0122", "077"), ("0126", "076"), ("0128", "078"),
        ("0123", "083"), ("0124", "084"), ("0125", "085"), ("0127", "081"), ("0129", "082"),
        ("0186", "056"), ("0188", "058"),
        ("0199", "059"),
    ],
)  # fmt: skip
def test_eleven_digits_became_ten_in_2018(before: str, now: str) -> None:
    expected = Phone(f"+84{now[1:]}1234567")
    assert phone.read(f"{before}1234567") == expected
    assert phone.read(f"+84 {before[1:]} 123 4567") == expected
    assert phone.read(f"{now}1234567") == expected


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("+856 20 2345 6789", "+8562023456789"),  # Laos, mobile
        ("00855 91 234 567", "+85591234567"),  # Cambodia, mobile
        ("+1 202 555 0123", "+12025550123"),  # United States: mobiles can't be told apart
        ("+33 1 23 45 67 89", None),  # France, fixed
        ("+999 123 4567", None),
        ("+3312", None),
    ],
    ids=label,
)
def test_foreign_numbers_say_so_themselves(raw: str, e164: str | None) -> None:
    assert phone.read(raw) == (None if e164 is None else Phone(e164))


def test_every_vietnamese_mobile_of_the_numbering_plan_is_read() -> None:
    """phonenumbers as the peer: each prefix of three digits, and each of its fourth."""
    for prefix in range(200, 1000):
        national = f"{prefix}123456"
        known = phonenumbers.parse(f"+84{national}")
        if phonenumbers.number_type(known) == phonenumbers.PhoneNumberType.MOBILE:
            assert phone.read("0" + national) == Phone(f"+84{national}")
        if phonenumbers.number_type(known) == phonenumbers.PhoneNumberType.FIXED_LINE:
            assert phone.read("0" + national) is None


def test_a_number_is_shown_masked() -> None:
    number = Phone(MADE_UP)
    assert repr(number) == "Phone(…678)"
    assert str(number) == f"{number}" == number.masked == "091xxxx678"
    assert number.national == "0912345678"
    foreign = Phone("+85591234567")
    assert foreign.national == foreign.e164
    assert foreign.masked == "+85xxxxxx567"


def test_a_number_has_7_to_15_digits() -> None:
    """Fifteen at most: ITU-T E.164."""
    for digits in (7, 15):
        assert Phone("+" + "9" * digits).e164 == "+" + "9" * digits
    for digits in (6, 16):
        with pytest.raises(ValueError, match="7 to 15 digits"):
            Phone("+" + "9" * digits)


def test_a_value_that_is_no_number_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="7 to 15 digits") as refused:
        Phone("0912345678")
    assert "0912" not in str(refused.value)


JOINTS = st.sampled_from(["", " ", ".", "-", "  "])


@given(
    st.sampled_from(["0", "84", "+84", "0084", "+84(0)", ""]),
    st.from_regex(r"[35789][0-9]{8}", fullmatch=True),
    JOINTS,
    JOINTS,
)
def test_spelling_changes_nothing(lead: str, digits: str, first: str, second: str) -> None:
    raw = lead + digits[:2] + first + digits[2:5] + second + digits[5:]
    assert phone.read(raw) == Phone(f"+84{digits}")


@given(st.text())
def test_reading_never_fails(raw: str) -> None:
    found = phone.read(raw)
    assert found is None or phone.read(found.e164) == found
