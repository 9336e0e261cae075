"""A list of recipients: each row read, doubles taken out, every fault named by its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notifier.domain import phone
from notifier.domain.message import Address
from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = Mapping[str, str]

PHONE_COLUMNS = ("phone", "sdt", "so dien thoai", "dien thoai", "so dt", "mobile", "sodienthoai")
"""Folded headings under which a list may keep its numbers; the first that is there is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person of the list; ``row`` counts from 2, as a spreadsheet shows it under a heading."""

    row: int
    address: Address = field(repr=False)
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """A row that can't be used, and why; it never repeats what the row says."""

    row: int
    problem: str


def phone_column(headings: Iterable[str]) -> str | None:
    """The heading under which the list keeps its numbers; None where none is known."""
    by_folded = {fold(heading): heading for heading in headings}
    return next((by_folded[name] for name in PHONE_COLUMNS if name in by_folded), None)


def read(rows: Iterable[Row], column: str) -> Iterator[Recipient | RowFault]:
    """One recipient or fault a row. ``column`` is the heading of the numbers.

    A number that was there before is a fault of its later row. Memory: one number a recipient.
    """
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        raw = (row.get(column) or "").strip()
        if not raw:
            yield RowFault(row=number, problem="there is no number in it")
            continue
        found = phone.read(raw)
        if found is None:
            yield RowFault(row=number, problem="its number can't receive SMS")
        elif found.e164 in seen:
            yield RowFault(row=number, problem=f"the same number stands in row {seen[found.e164]}")
        else:
            seen[found.e164] = number
            yield Recipient(row=number, address=Address("sms", found.e164), values=dict(row))
