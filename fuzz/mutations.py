"""From a sound text, document, body or set of headers to one that is not; drawn by ``chance``."""

from __future__ import annotations

import copy
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

LONG: Final = 20_000
"""Characters of a text that was made long, at most."""

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a body that was made long, at most: what the web face takes."""

SIZES: Final = (4_000,) * 60 + (60_000,) * 30 + (600_000,) * 9 + (LARGEST,)
"""How long a body becomes; the longest are rare, since they take the most time to make."""

AWKWARD: Final = (
    "", " ", "\0", "\x1b[31m", "\r\n", "\u2028", "\ud800", "\udfff\ud800", "\u202e", "\u200b",
    "\ufeff", "\u0301" * 40, "ﷺ" * 20, "𝐇𝟏𝟎", "H１０．１９", "İ", "ß", "ﬁ", "Đđ", "’", "%s{0}",
    "{{ 7 * 7 }}", "{% raw %}", "'; --", "<b>", "&amp;", "&#x0;", "../..", "NaN", "-0", "1e999",
    "9" * 5_000, "٣٤", "Ⅷ", "🏳️\u200d🌈", "null", "\U0010ffff", "H10.19-250703-0001",
)  # fmt: skip

WRONG: Final = (
    None, True, False, 0, -1, 5, 10**18, 2**63, 2**64, 10**400, 0.5, 1e308, float("nan"),
    float("inf"), "", " ", "0", [], {}, [[]], [None], {"": None}, "x" * 3_000,
)  # fmt: skip
"""Values of other types than a field has."""

TOKENS: Final = (
    b"NaN", b"-Infinity", b"1e999", b"-0", b"01", b"0x1", b"1e-999", b"9" * 25, b"9" * 6_000,
    b"0." + b"9" * 2_000, b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\xff\xfe"',
    b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\n"', b"'x'", b"[,]", b'{"a":1,"a":2}', b"nul", b'"',
    b"/**/1", b"[" * 100_000, b'{"":' * 30_000,
)  # fmt: skip
"""What stands in JSON where it must not, or may and is strange."""

BYTES: Final = (
    b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\r\n", b"&",
    b"=", b"%", b"%zz", b"%00", b"%ff", b"+", b"{", b"}", b"]", b"\\", b"\\u", b'"', b"<", b"]]>",
    b"&#xd800;", b"&#999999999;", b"<!DOCTYPE a>", b"\x1f\x8b\x08",
)  # fmt: skip

ENCODINGS: Final = ("utf-16", "utf-16-le", "utf-32", "cp1258", "latin-1", "utf-8-sig", "utf-7")

_TOKEN: Final = re.compile(rb'"[^"]*"|-?\d[\d.eE+-]*|true|false|null')
_SEPARATOR: Final = re.compile(r"[-._/ ]")
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))
_WIDE: Final = str.maketrans(_ASCII, "".join(chr(ord(char) + 0xFEE0) for char in _ASCII))


def several(chance: Random, change: Callable[[Random, Any], Any], value: Any) -> Any:
    """``value`` with one to four changes, one over the other."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        value = change(chance, value)
    return value


# ------------------------------------------------------------------------------------------ text


def text(chance: Random, text: str) -> str:
    """One change of a text."""
    return chance.choice(_OF_TEXT)(chance, text)[:LONG]


def _slice(chance: Random, value: Sequence[Any]) -> tuple[int, int]:
    start = chance.randrange(len(value) + 1)
    return start, min(len(value), start + chance.choice((0, 1, 1, 2, 5, 20, 100)))


def _insert(chance: Random, text: str) -> str:
    start, end = _slice(chance, text)
    return text[:start] + chance.choice(AWKWARD) + text[end:]


def _any_character(chance: Random, text: str) -> str:
    start, _ = _slice(chance, text)
    limit = chance.choice((0x20, 0x100, 0x2000, 0x1_0000, 0x11_0000))
    return text[:start] + chr(chance.randrange(limit)) + text[start + 1 :]


def _normal(chance: Random, text: str) -> str:
    return unicodedata.normalize(chance.choice(("NFC", "NFD", "NFKC", "NFKD")), text)


def _case(chance: Random, text: str) -> str:
    return chance.choice((str.upper, str.lower, str.title, str.swapcase, str.casefold))(text)


def _cut(chance: Random, text: str) -> str:
    start, _ = _slice(chance, text)
    return chance.choice((text[:start], text[start:]))


def _doubled(chance: Random, text: str) -> str:
    start, end = _slice(chance, text)
    return text[:end] + text[start:end] * chance.choice((1, 1, 3, 50)) + text[end:]


def _wide(chance: Random, text: str) -> str:
    start, end = _slice(chance, text)
    return text[:start] + text[start:end].translate(_WIDE) + text[end:]


def _misread(chance: Random, text: str) -> str:
    encoding = chance.choice(("latin-1", "cp1258", "utf-16-le"))
    return text.encode("utf-8", "replace").decode(encoding, "replace")


def _without_accents(chance: Random, text: str) -> str:
    del chance
    bare = unicodedata.normalize("NFD", text)
    return "".join(char for char in bare if not unicodedata.combining(char))


def _shuffled(chance: Random, text: str) -> str:
    words = text.split(" ")
    chance.shuffle(words)
    return " ".join(words)


def _other_separators(chance: Random, text: str) -> str:
    other = chance.choice(("", " ", "_", "–", "—", "\u00a0", "\u00ad", ".", "//", "\n", "\u200b"))
    return _SEPARATOR.sub(other, text)


def _spread(chance: Random, text: str) -> str:
    return chance.choice((" ", "\u0323", "\u200d", ".", "\n")).join(text[:4_000])


def _long(chance: Random, text: str) -> str:
    size = chance.choice((300, 2_000, 2_001, LONG))
    return (text * (size // (len(text) or 1) + 1))[:size]


_OF_TEXT: Final[tuple[Callable[[Random, str], str], ...]] = (
    _insert, _any_character, _normal, _case, _cut, _doubled, _wide, _misread, _without_accents,
    _shuffled, _other_separators, _spread, _long,
)  # fmt: skip


# ------------------------------------------------------------------------------------- documents


def document(chance: Random, value: Any) -> Any:
    """One change of a value of JSON; the value itself stays as it is."""
    held = [copy.deepcopy(value)]
    container, key = chance.choice(list(_places(held)))
    old = container[key]
    match chance.randrange(7):
        case 0 if isinstance(old, str):
            container[key] = text(chance, old)
        case 1 if isinstance(container, dict):
            del container[key]
        case 2 if isinstance(container, dict):
            container[text(chance, key)] = container.pop(key)
        case 3:
            container[key] = [old] * chance.choice((1, 2, 30))
        case 4:
            container[key] = {chance.choice(AWKWARD): old}
        case 5 if isinstance(old, int | float):
            container[key] = chance.choice((-old, old * 1000, str(old), 0.5, bool(old)))
        case _:
            container[key] = copy.deepcopy(chance.choice(WRONG))
    return held[0]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a nested value, as its container and the key there."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    found: list[tuple[Any, Any]] = []
    for key, inner in pairs:
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += _places(inner)
    return found


# ----------------------------------------------------------------------------------------- bodies


def body(chance: Random, raw: bytes) -> bytes:
    """One change of bytes."""
    return chance.choice(_OF_BYTES)(chance, raw)[:LARGEST]


def _flip(chance: Random, raw: bytes) -> bytes:
    flipped = bytearray(raw)
    for _ in range(min(len(raw), chance.choice((1, 1, 2, 8)))):
        flipped[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _cut_bytes(chance: Random, raw: bytes) -> bytes:
    start, _ = _slice(chance, raw)
    return chance.choice((raw[:start], raw[start:], b""))


def _insert_bytes(chance: Random, raw: bytes) -> bytes:
    start, end = _slice(chance, raw)
    return raw[:start] + chance.choice(BYTES) + chance.choice((raw[start:], raw[end:]))


def _double_bytes(chance: Random, raw: bytes) -> bytes:
    start, end = _slice(chance, raw)
    return raw[:end] + raw[start:end] + raw[end:]


def _noise(chance: Random, raw: bytes) -> bytes:
    start, end = _slice(chance, raw)
    return raw[:start] + chance.randbytes(end - start + 1) + raw[end:]


def _recode(chance: Random, raw: bytes) -> bytes:
    return raw.decode("utf-8", "replace").encode(chance.choice(ENCODINGS), "replace")


def _other_token(chance: Random, raw: bytes) -> bytes:
    tokens = list(_TOKEN.finditer(raw[:50_000]))
    if not tokens:
        return raw
    old = chance.choice(tokens)
    new = _nest(chance, old[0]) if chance.random() < 0.3 else chance.choice(TOKENS)
    return raw[: old.start()] + new + raw[old.end() :]


def _nest(chance: Random, raw: bytes) -> bytes:
    """As deep as a reader may just bear, or just not, and deeper."""
    depth = chance.choice((5, 60, chance.randrange(150, 1_100), 3_000, 40_000))
    before, after = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"":', b"}]")))
    return before * depth + (raw or b"0") + after * depth


def _twice(chance: Random, raw: bytes) -> bytes:
    return raw + chance.choice((b"", b"\n", b",", b"\0")) + raw


def _long_bytes(chance: Random, raw: bytes) -> bytes:
    start, end = _slice(chance, raw)
    part = raw[start:end] or b"["
    size = chance.choice(SIZES)
    return raw[:end] + part * (size // len(part)) + raw[end:]


_OF_BYTES: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (
    _flip, _cut_bytes, _insert_bytes, _double_bytes, _noise, _recode, _other_token, _other_token,
    _nest, _twice, _long_bytes,
)  # fmt: skip


# ---------------------------------------------------------------------------------------- headers


def headers(chance: Random, given: Mapping[str, str]) -> dict[str, str]:
    """One change of headers, whose names are in lower case; values may hold anything but CR, LF."""
    changed = dict(given)
    name = chance.choice([*changed, "x-unknown"])
    match chance.randrange(5):
        case 0:
            changed.pop(name, None)
        case 1:
            changed[name] = chance.choice(("", " ", "0", "v1,", "\udcff", "é", "x" * 5_000))
        case 2:
            changed[name] = chance.choice(list(changed.values()) or [""])
        case 3:
            changed[chance.choice(("ce-id", "ce-type", "ce-time", "ce-", "content-type"))] = text(
                chance, changed.get(name, "")
            )
        case _:
            changed[name] = text(chance, changed.get(name, ""))
    return {key: header(value) for key, value in changed.items()}


def header(value: str) -> str:
    """As HTTP brings it: one line, in which surrogates stand for bytes that are not UTF-8."""
    line = re.sub(r"[\r\n\0]", " ", value)
    return line.encode(errors="surrogatepass").decode(errors="surrogateescape")
