"""Dossier codes: the strict form, and the key of what a source sends.

The forms: ``000.00.19.H10-180703-0001`` with the first-level agency last (TT 01/2018/TT-VPCP art
19 with QCVN 102:2016/BTTTT), ``H10.19-250703-0001`` with it first (QĐ 20/2020/QĐ-TTg art 4). Dates
of eight digits and serials of up to seven are in use beside those of the rule.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_FIRST_DAY: Final = date(2015, 1, 1)
_LONGEST_UNIT: Final = 35
MOST_GROUPS: Final = 6
"""Groups behind the first level in a unit's code."""

MOST_READ: Final = 8_192
"""Characters that are read; none of the channels carries longer messages."""

_CODE: Final = re.compile(
    r"(?P<unit>[0-9]{3}\.(?:[0-9A-Z]{2}\.){1,2}(?P<last>[A-Y][0-9]{2})"
    r"|(?P<first>[A-Y][0-9]{2})(?:\.[0-9A-Z]{1,5}){0,6})"
    r"-(?P<day>[0-9]{8}|[0-9]{6})-(?P<serial>[0-9]{4,7})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierCode:
    """A code of the national grammar. ``level1`` is the province or ministry, such as ``H10``.

    ``day`` is the date in the code; no legal date follows from it, since a dossier filed online
    has its code before it is received.
    """

    text: str
    unit: str
    level1: str
    day: date
    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyCode:
    """A code of an older or home-made form that the installation has switched on."""

    text: str


def parse(text: str, *, today: date | None = None) -> DossierCode | None:
    """``text`` as a code of the national grammar, letter for letter; None if it isn't one.

    Its date is a real one from 2015 on, and with ``today`` no later than the day after it.
    """
    found = _CODE.fullmatch(text)
    if found is None or len(found["unit"]) > _LONGEST_UNIT:
        return None
    day = read_day(found["day"], today)
    if day is None:
        return None
    return DossierCode(
        text=text,
        unit=found["unit"],
        level1=found["first"] or found["last"],
        day=day,
        serial=found["serial"],
    )


def read_day(digits: str, today: date | None) -> date | None:
    """The date of ``YYMMDD`` or ``YYYYMMDD``; None where a code can't have it (see ``parse``)."""
    try:
        day = date(
            int(digits[:-4]) if len(digits) == 8 else 2000 + int(digits[:2]),
            int(digits[-4:-2]),
            int(digits[-2:]),
        )
    except ValueError:
        return None
    if day < _FIRST_DAY or (today is not None and day - timedelta(days=1) > today):
        return None
    return day


_DASHES: Final = dict.fromkeys(
    (0xAD, 0x2D7, 0x58A, 0x1806, *range(0x2010, 0x2016), 0x2043, 0x2212, 0x2796, 0x2E3A, 0x2E3B,
     0x30FC), "-",
)  # fmt: skip
_INVISIBLE: Final = dict.fromkeys(
    (0x34F, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF)
)
_ONE_SHAPE: Final = {
    **_DASHES, **_INVISIBLE,
    ord("Đ"): "D", ord("đ"): "d", ord("。"): ".", ord("·"): ".", ord("•"): ".", ord("、"): ",",
}  # fmt: skip

_AROUND_JOINT: Final = re.compile(r"\s*([./_-])\s*")
_REPEATED_JOINT: Final = re.compile(r"([./_-])\1+")
_KEY: Final = re.compile(r"[0-9A-Z./_-]{4,64}")


def canonical(raw: str) -> str:
    """The key under which a dossier of a source is kept; sources have forms of their own.

    Capitals, one kind of dash, one joint at a time, no blanks round it. Raises ``ValueError``
    where that leaves anything but 4 to 64 of ``0-9 A-Z . / _ -``.
    """
    text = one_shape(raw[:MOST_READ]).strip()
    key = _REPEATED_JOINT.sub(r"\1", _AROUND_JOINT.sub(r"\1", text)).strip("./_-")
    if _KEY.fullmatch(key) is None:
        raise ValueError(
            "a dossier code has 4 to 64 letters, digits and . / _ - between them, "
            "such as H10.19-250703-0001"
        )
    return key


def one_shape(text: str) -> str:
    """NFKC, capitals, one kind of dash, Đ as D, nothing invisible."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_ONE_SHAPE)
    return text.upper()
