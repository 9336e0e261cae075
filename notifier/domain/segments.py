"""How a text becomes SMS: alphabet, parts, and how many are paid for.

GSM 7-bit default alphabet and extension table: 3GPP TS 23.038; concatenation (a 6-byte header
leaves 153 septets or 67 UTF-16 units a part): 3GPP TS 23.040.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


class Encoding(StrEnum):
    """The alphabet a text is sent in. ``TEXT`` is for channels that do not count."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPlan:
    """How a text is cut. ``units`` are septets for GSM-7, UTF-16 units for UCS-2, else characters.

    ``parts`` joined give the text back.
    """

    encoding: Encoding
    units: int
    parts: tuple[str, ...] = field(repr=False)

    @property
    def segments(self) -> int:
        """How many SMS this is, and is paid as; 1 on channels that do not count."""
        return len(self.parts)


_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = "\f^{}\\[~]|€"

_OUTSIDE_BASIC: Final = re.compile(f"[^{re.escape(_BASIC)}]")
_OUTSIDE_GSM7: Final = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]")

# What counts two in each alphabet, and can't be cut in its middle.
_ESCAPED: Final = re.compile(f"[{re.escape(_EXTENSION)}]")
_FIRST_ASTRAL: Final = "\U00010000"
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")

# A dossier code, or a date: groups of capitals and digits with at least two joints.
_UNBREAKABLE: Final = re.compile(r"(?<![0-9A-Z])[0-9A-Z]++(?:[./_-][0-9A-Z]++){2,}+")


def plan_sms(text: str) -> SegmentPlan:
    """How ``text`` is cut into SMS: 160 septets or 153 a part; 70 UTF-16 units or 67 a part.

    No part ends within a character, nor within a dossier code that fits into a part.
    Raises ``ValueError`` for an empty text: there is nothing to send.
    """
    _check_not_empty(text)
    if _OUTSIDE_BASIC.search(text) is None:
        return _plan(text, Encoding.GSM7, len(text), None)
    if _OUTSIDE_GSM7.search(text) is None:
        return _plan(text, Encoding.GSM7, len(text) + len(_ESCAPED.findall(text)), _ESCAPED)
    if max(text) < _FIRST_ASTRAL:
        return _plan(text, Encoding.UCS2, len(text), None)
    return _plan(text, Encoding.UCS2, len(text) + len(_ASTRAL.findall(text)), _ASTRAL)


def plan_plain(text: str) -> SegmentPlan:
    """One part, for channels that do not count. Raises ``ValueError`` for an empty text."""
    _check_not_empty(text)
    return SegmentPlan(encoding=Encoding.TEXT, units=len(text), parts=(text,))


def _check_not_empty(text: str) -> None:
    if not text:
        raise ValueError("an empty text can't be sent: write something, or do not make a message")


def _plan(text: str, encoding: Encoding, units: int, double: re.Pattern[str] | None) -> SegmentPlan:
    alone, joined = (160, 153) if encoding is Encoding.GSM7 else (70, 67)
    parts = (text,) if units <= alone else tuple(_cut(text, joined, double))
    return SegmentPlan(encoding=encoding, units=units, parts=parts)


def _cut(text: str, room: int, double: re.Pattern[str] | None) -> Iterator[str]:
    found = (match.span() for match in _UNBREAKABLE.finditer(text))
    whole = [(first, last) for first, last in found if last - first <= room]
    start, next_whole = 0, 0
    while start < len(text):
        end = _fit(text, start, room, double)
        while next_whole < len(whole) and whole[next_whole][1] <= end:
            next_whole += 1
        if next_whole < len(whole) and start < whole[next_whole][0] < end:
            end = whole[next_whole][0]
        yield text[start:end]
        start = end


def _fit(text: str, start: int, room: int, double: re.Pattern[str] | None) -> int:
    """The furthest end so that ``text[start:end]`` costs no more than ``room``."""
    end = min(start + room, len(text))
    if double is None:
        return end
    while (excess := end - start + len(double.findall(text, start, end)) - room) > 0:
        end -= (excess + 1) // 2
    return end
