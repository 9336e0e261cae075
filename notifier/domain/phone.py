"""Phone numbers that an SMS can reach: read in every spelling, shown masked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_VIETNAM: Final = "+84"

# A field with more than this is not a phone number; what follows is not looked at.
_MOST_READ: Final = 200

_FILLING: Final = {
    ord(char): None for char in " \t.-()[]·\u200b\u200c\u200d\u200e\u200f\u202a\u202c\ufeff"
}
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\u00ad]")
_BETWEEN_NUMBERS: Final = re.compile(r"[/;,\n]|\s-+\s")

_MOBILE: Final = re.compile(
    r"(?:(?:\+|00)?840?|0)?"  # the 0 is that of +84(0)…
    r"(?:(?P<now>[35789][0-9]{8})|(?P<before>1[0-9]{2})(?P<rest>[0-9]{7}))"
)
_FOREIGN: Final = re.compile(r"(?:\+|00)(?!84)(?P<digits>[1-9][0-9]{6,14})")

# The change of eleven digits to ten, 15 September to 14 November 2018.
_SINCE_2018: Final = {
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38",
    "169": "39", "120": "70", "121": "79", "122": "77", "126": "76", "128": "78", "123": "83",
    "124": "84", "125": "85", "127": "81", "129": "82", "186": "56", "188": "58", "199": "59",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phone:
    """A mobile number. Written out only by ``e164`` and ``national``; shown, it is masked."""

    e164: str = field(repr=False)
    """``+84912345678``."""

    def __post_init__(self) -> None:
        if _E164.fullmatch(self.e164) is None:
            raise ValueError("a phone number is kept as + and 7 to 15 digits; read() makes it so")

    @property
    def national(self) -> str:
        """As people write it: ``0912345678``; a foreign one stays as it is."""
        if self.e164.startswith(_VIETNAM):
            return "0" + self.e164.removeprefix(_VIETNAM)
        return self.e164

    @property
    def masked(self) -> str:
        """For pages and logs: ``091xxxx678``."""
        shown = self.national
        return f"{shown[:3]}{'x' * (len(shown) - 6)}{shown[-3:]}"

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Phone(…{self.e164[-3:]})"


def read(raw: str) -> Phone | None:
    """The first number in ``raw`` that an SMS can reach; None where there is none.

    Vietnamese mobiles in every spelling, the eleven digits of before 2018 among them; foreign ones
    where they carry + or 00. Landlines can't take SMS. The prefix says nothing of the carrier,
    since numbers are ported.
    """
    raw = raw[:_MOST_READ]
    if not raw.isascii():
        raw = _DASHES.sub("-", unicodedata.normalize("NFKC", raw))
    whole = _read_one(raw)
    if whole is not None:
        return whole
    pieces = _BETWEEN_NUMBERS.split(raw)
    if len(pieces) == 1:
        return None
    return next((phone for piece in pieces if (phone := _read_one(piece)) is not None), None)


def _read_one(raw: str) -> Phone | None:
    digits = raw if raw.isdigit() else raw.translate(_FILLING)
    mobile = _MOBILE.fullmatch(digits)
    if mobile is None:
        return _read_foreign(digits)
    if (now := mobile["now"]) is not None:
        return Phone(_VIETNAM + now)
    prefix = _SINCE_2018.get(mobile["before"])
    return None if prefix is None else Phone(_VIETNAM + prefix + mobile["rest"])


def _read_foreign(digits: str) -> Phone | None:
    found = _FOREIGN.fullmatch(digits)
    if found is None:
        return None
    import phonenumbers  # 30 ms of loading that an installation without foreign numbers never pays

    try:
        number = phonenumbers.parse("+" + found["digits"])
    except phonenumbers.NumberParseException:
        return None
    kind = phonenumbers.number_type(number)
    mobile = (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )
    if kind not in mobile:
        return None
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
