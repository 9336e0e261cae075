"""Vietnamese text: composed, folded for matching, and without accents for SMS."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
)

# What is left of a character that has no spelling; it goes, and the blank beside it too.
_GONE: Final = "\x00"
_AROUND_GONE: Final = re.compile(" \x00+(?=[ \n]|$)|^\x00+ |\x00+")

_NOT_PLAIN: Final = re.compile("[^\x00-\x7f\u0300-\u036f]")
# ASCII that the basic alphabet of GSM-7 lacks, or that only moves the cursor.
_NOT_BASIC: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f\\[\\\\\\]^`{|}~]")

_IN_BASIC: Final = {
    "\t": " ", "[": "(", "]": ")", "{": "(", "}": ")", "\\": "/", "|": "/", "~": "-", "`": "'",
}  # fmt: skip

# Only what compatibility decomposition does not spell already.
_SPELT: Final = {
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "₫": "d", "€": "EUR", "£": "GBP", "¥": "JPY",
    "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "ı": "i", "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"',
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "‹": "'", "›": "'", "′": "'", "ʼ": "'",
    "•": "-", "·": "-", "∙": "-", "⋅": "-", "▪": "-", "●": "-", "◦": "-", "‣": "-", "−": "-",
    "⁄": "/", "∕": "/", "×": "x", "÷": ":", "→": "->", "≤": "<=", "≥": ">=", "©": "(c)",
    "®": "(R)", "\u2028": "\n", "\u2029": "\n", "\u0085": "\n", "。": ".", "、": ",",
}  # fmt: skip


def nfc(text: str) -> str:
    """Composed form: one character a letter, as people see it; phones may send it taken apart."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """For matching and search keys: lower case, no accents, đ as d, white space collapsed."""
    if not text.isascii():
        taken_apart = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).lower()
        bare = _ACCENTS.sub("", taken_apart).replace("đ", "d")
        text = unicodedata.normalize("NFKC", bare)
    return " ".join(text.lower().split())


def unaccent(text: str) -> str:
    """For SMS: the same words in the basic alphabet of GSM-7 (3GPP TS 23.038), case kept.

    Every character of the result is ASCII and costs one septet. Quotes, dashes, bullets and blanks
    become the plain ones, brackets become round, emoji and letters of other scripts go.
    """
    if not text.isascii():
        # The two letters that Unicode does not decompose, replaced first since they are frequent.
        bare = text.replace("đ", "d").replace("Đ", "D")
        taken_apart = unicodedata.normalize("NFKD", bare)
        text = _NOT_PLAIN.sub(_spell, taken_apart).encode("ascii", "ignore").decode("ascii")
    if _NOT_BASIC.search(text) is None:
        return text
    plain = _NOT_BASIC.sub(_in_basic, text.replace("\r\n", "\n").replace("\r", "\n"))
    return _AROUND_GONE.sub("", plain)


def _spell(found: re.Match[str]) -> str:
    char = found[0]
    return "-" if unicodedata.category(char) == "Pd" else _SPELT.get(char, _GONE)


def _in_basic(found: re.Match[str]) -> str:
    return _IN_BASIC.get(found[0], _GONE)
