from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain import audience
from notifier.domain.audience import Recipient, RowFault


def read(*numbers: str) -> list[Recipient | RowFault]:
    return list(audience.read(({"SĐT": number, "tên": "A"} for number in numbers), "SĐT"))


@pytest.mark.parametrize(
    ("headings", "column"),
    [
        (["tên", "SĐT"], "SĐT"),
        (["Số điện thoại", "Họ tên"], "Số điện thoại"),
        (["PHONE"], "PHONE"),
        (["Điện  thoại"], "Điện  thoại"),
        (["mobile", "phone"], "phone"),  # the first of our list, not of theirs
        (["tên", "địa chỉ"], None),
        ([], None),
    ],
)
def test_the_column_of_the_numbers(headings: list[str], column: str | None) -> None:
    assert audience.phone_column(headings) == column


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "there is no number in it"),
        ("   ", "there is no number in it"),
        ("abc", "its number can't receive SMS"),
        ("02513822222", "its number can't receive SMS"),
    ],
)
def test_a_row_that_cant_be_used(raw: str, problem: str) -> None:
    assert read("0912000001", raw)[1] == RowFault(row=3, problem=problem)


def test_a_row_without_the_column() -> None:
    assert list(audience.read([{"tên": "A"}], "SĐT")) == [
        RowFault(row=2, problem="there is no number in it")
    ]


def test_a_number_in_another_spelling_is_the_same_number() -> None:
    first, second, third = read("0912000001", "0912000002", "+84 912 000 001")
    assert isinstance(first, Recipient)
    assert (first.row, first.address.value) == (2, "+84912000001")
    assert isinstance(second, Recipient)
    assert third == RowFault(row=4, problem="the same number stands in row 2")


def test_a_recipient_keeps_its_row_for_the_template() -> None:
    [found] = read("0912000001")
    assert isinstance(found, Recipient)
    assert found.values == {"SĐT": "0912000001", "tên": "A"}


@given(st.lists(st.sampled_from(["0912000001", "0912000002", "+84912000001", "x", ""])))
def test_every_row_is_a_recipient_or_a_fault_and_nobody_is_there_twice(raw: list[str]) -> None:
    found = read(*raw)
    assert [item.row for item in found] == list(range(2, len(raw) + 2))
    numbers = [item.address for item in found if isinstance(item, Recipient)]
    assert len(set(numbers)) == len(numbers)


@given(st.text(max_size=20))
def test_neither_a_fault_nor_a_recipient_repeats_a_number(raw: str) -> None:
    for item in read(raw, "0912000001", "0912000001"):
        assert "912000001" not in repr(item)
