"""The alphabets of SMS: octets to text and back.

GSM 7-bit default alphabet with its extension table: 3GPP TS 23.038. Over SMPP its septets travel
unpacked, one an octet.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE: Final = 0x1B
_EXTENSION: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip

_TO_OCTETS: Final = {
    **{char: bytes((value,)) for value, char in enumerate(_BASIC) if value != _ESCAPE},
    **{char: bytes((_ESCAPE, value)) for value, char in _EXTENSION.items()},
}

UCS2: Final = 0x08
LATIN_1: Final = 0x03
DEFAULT: Final = 0x00


class Alphabet(StrEnum):
    """What a message centre means by data_coding 0, its default alphabet."""

    GSM = "gsm"
    LATIN_1 = "latin-1"
    ASCII = "ascii"


class AlphabetError(ValueError):
    """Octets that are no text, or text that an alphabet lacks; without the text itself."""


def encode_default(text: str, alphabet: Alphabet) -> bytes:
    """``text`` in the centre's default alphabet; raises ``AlphabetError``."""
    try:
        if alphabet is Alphabet.GSM:
            return b"".join(map(_TO_OCTETS.__getitem__, text))
        return text.encode(alphabet.value)
    except (KeyError, UnicodeEncodeError):
        raise AlphabetError(f"the text has characters that {alphabet.value} lacks") from None


def encode_ucs2(text: str) -> bytes:
    """``text`` in big-endian UTF-16, which is what phones make of UCS-2."""
    return text.encode("utf-16-be")


def decode(octets: bytes, data_coding: int, default: Alphabet) -> str:
    """The text of ``octets``; raises ``AlphabetError`` for binary data and unknown codings.

    ``data_coding`` by SMPP 3.4 5.2.19; in its groups for message classes the alphabet is in bits
    2 and 3, by 3GPP TS 23.038 section 4.
    """
    if 0x10 <= data_coding < 0x40:
        data_coding = data_coding & 0x0C
    elif data_coding & 0xF0 == 0xF0:
        data_coding = data_coding & 0x04
    if data_coding in {0x00, 0x01}:
        return _decode_default(octets, default)
    if data_coding == LATIN_1:
        return octets.decode("latin-1")
    if data_coding == UCS2:
        if len(octets) % 2:
            raise AlphabetError("a text in UCS-2 has half a character")
        return octets.decode("utf-16-be", "replace")
    raise AlphabetError(f"data_coding {data_coding:#04x} is no text that is known")


def _decode_default(octets: bytes, alphabet: Alphabet) -> str:
    if alphabet is not Alphabet.GSM:
        return octets.decode("latin-1")
    text: list[str] = []
    escaped = False
    for octet in octets:
        if escaped:
            # A phone that does not know the extended character shows the basic one in its place.
            text.append(_EXTENSION.get(octet) or _BASIC[octet & 0x7F])
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        elif octet < len(_BASIC):
            text.append(_BASIC[octet])
        else:
            raise AlphabetError("a text in the GSM alphabet has an octet above 127")
    return "".join(text)
