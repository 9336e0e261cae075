r"""Older and home-made forms of dossier codes, as an office writes them: ``HS-[0-9]{4}-[0-9]{6}``.

A small part of regular expressions, in which no text takes long to search:

======================= =======================================================
``A``, ``7``            this letter, this digit
``[0-9A-F]``            one of these; ``\d`` is ``[0-9]``
``(TDM|DA)``            one of these words
``{4}``, ``{4,6}``, ``?`` how many of what stands before it
``/``, ``-``, ``_``, ``\.`` a joint; people may type another one, or a blank
======================= =======================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from math import prod
from typing import Final

LONGEST_PATTERN: Final = 100
LONGEST_CODE: Final = 64

MOST_WAYS: Final = 50
"""Ways in which a pattern may fit at one place, which bounds the search of a hostile text."""

LEAST_DIGITS: Final = 5
"""Of a code with letters or joints; what has fewer is a word, a queue ticket or a date."""

LEAST_DIGITS_ALONE: Final = 8
"""Of a code that is a number; shorter ones are amounts, one-time passwords and ends of codes."""

PERSONAL_LENGTHS: Final = frozenset({9, 10, 12, 13})
"""Identity cards, tax codes with and without a branch, phones with and without the country."""

_LONG_PHONE: Final = re.compile(r"84[0-9]{9}|0[12][0-9]{9}")
_NUMBER_ALONE: Final = re.compile(r"[0-9 .-]+")
_DATE_ALONE: Final = re.compile(r"[0-9 ./-]+")
_YEARS: Final = range(1900, 2100)

_PIECE: Final = re.compile(
    r"(?P<joint>[/_-]|\\\.)"
    r"|(?P<atom>[0-9A-Z]|\\d|\[(?:[0-9A-Z](?:-[0-9A-Z])?)+\]|\([0-9A-Z]+(?:\|[0-9A-Z]+)*\))"
    r"(?:\{(?P<least>[0-9]{1,2})(?:,(?P<most>[0-9]{1,2}))?\}|(?P<maybe>\?))?"
)
_ANY_JOINT: Final = r"([ .,:/-]{1,3})"
# Beside letters that may be any, a blank parts words: "TOI HOI 2026" is no form of a code.
_SEEN_JOINT: Final = r"( ?[.,:/-]{1,2} ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeForm:
    """``pattern`` finds what people type in capitals, with a group for each of ``joints``."""

    pattern: re.Pattern[str]
    joints: tuple[str, ...] = ()

    def text(self, found: re.Match[str]) -> str:
        """What was typed, with the joints of the form."""
        end, parts = found.start(), []
        for group, joint in enumerate(self.joints, start=1):
            parts += [found.string[end : found.start(group)], joint]
            end = found.end(group)
        return "".join([*parts, found.string[end : found.end()]])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A joint, or characters: ``least`` to ``most`` times one of ``words`` or of a set."""

    regex: str
    joint: str = ""
    words: tuple[str, ...] = ()
    least: int = 1
    most: int = 1

    @property
    def longest(self) -> int:
        return 1 if self.joint else self.most * max(map(len, self.words or (" ",)))

    @property
    def shortest(self) -> int:
        return 1 if self.joint else self.least * min(map(len, self.words or (" ",)))

    @property
    def ways(self) -> int:
        choices = max(len(self.words), 1)
        return sum(choices**count for count in range(self.least, self.most + 1))

    @property
    def takes_digits(self) -> bool:
        if self.words:
            return any(word.isdigit() for word in self.words)
        return any(re.fullmatch(self.regex, digit) for digit in "0123456789")

    @property
    def takes_letters(self) -> bool:
        if self.words:
            return not all(word.isdigit() for word in self.words)
        return any(re.fullmatch(self.regex, letter) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    @property
    def is_any_letter(self) -> bool:
        return self.regex.startswith("[") and self.takes_letters


def read_form(pattern: str) -> CodeForm:
    """The form that ``pattern`` writes.

    Raises ``ValueError`` with a sentence where it can't be read, might search for long, would take
    words, or would take numbers of the shape of an identity, tax or telephone number alone.
    """
    pieces = _pieces(pattern)
    _check_size(pattern, pieces)
    _check_digits(pieces)
    sides = [_Piece(regex=""), *pieces, _Piece(regex="")]
    regex = "".join(
        _joint(before, after) if piece.joint else _counted(piece)
        for before, piece, after in zip(sides, pieces, sides[2:], strict=False)
    )
    return CodeForm(
        pattern=re.compile(rf"(?<![0-9A-Z]){regex}(?![0-9A-Z])"),
        joints=tuple(piece.joint for piece in pieces if piece.joint),
    )


def may_be_personal(typed: str) -> bool:
    """Whether a number alone has the shape of a phone, identity or tax number, or of a date."""
    digits = "".join(char for char in typed if char.isdigit())
    if len(digits) == 8 and _DATE_ALONE.fullmatch(typed):
        return _is_day(digits) or _is_day(digits[4:] + digits[2:4] + digits[:2])
    if _NUMBER_ALONE.fullmatch(typed) is None:
        return False
    return len(digits) in PERSONAL_LENGTHS or _LONG_PHONE.fullmatch(digits) is not None


def _is_day(digits: str) -> bool:
    """YYYYMMDD; of any year in which somebody may be born."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year in _YEARS
    except ValueError:
        return False


def _pieces(pattern: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    place = 0
    while found := _PIECE.match(pattern, place):
        pieces.append(_piece(found))
        place = found.end()
    if place < len(pattern) or not pieces:
        raise ValueError(
            f"the pattern can't be read from character {place + 1} on; it is made of letters, "
            r"digits, [0-9A-Z], \d, (AB|CD), the counts {4}, {4,6} and ?, and the joints / - _ \."
        )
    return pieces


def _piece(found: re.Match[str]) -> _Piece:
    if found["joint"]:
        return _Piece(regex="", joint=found["joint"].removeprefix("\\"))
    atom = "[0-9]" if found["atom"] == r"\d" else found["atom"]
    try:
        re.compile(atom)
    except re.error:
        raise ValueError(f"the set {atom} runs backwards; write the lower end first") from None
    least = 0 if found["maybe"] else int(found["least"] or 1)
    most = 1 if found["maybe"] else int(found["most"] or least)
    if most < max(least, 1):
        raise ValueError("a count begins with the lower number, such as {4,6}")
    words = tuple(atom[1:-1].split("|")) if atom.startswith("(") else ()
    regex = f"(?:{atom[1:-1]})" if words else atom
    return _Piece(regex=regex, words=words, least=least, most=most)


def _check_size(pattern: str, pieces: list[_Piece]) -> None:
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"the pattern is longer than {LONGEST_PATTERN} characters")
    if sum(piece.longest for piece in pieces) > LONGEST_CODE:
        raise ValueError(f"the pattern takes more than the {LONGEST_CODE} characters of a code")
    if prod(piece.ways for piece in pieces) > MOST_WAYS:
        raise ValueError(
            f"the pattern fits in more than {MOST_WAYS} ways, so that a search may take long; "
            "give fewer ranges such as {4,6}, or make several forms of it"
        )


def _check_digits(pieces: list[_Piece]) -> None:
    marks = {piece.joint for piece in pieces if piece.joint}
    atoms = [piece for piece in pieces if not piece.joint]
    digits = sum(piece.shortest for piece in atoms if not piece.takes_letters)
    # As numbers are written: a slash or a letter between digits tells a code from a telephone.
    may_be_number = marks <= {".", "-"} and all(
        piece.takes_digits or not piece.least for piece in atoms
    )
    if digits < (LEAST_DIGITS_ALONE if may_be_number and not marks else LEAST_DIGITS):
        raise ValueError(
            f"the pattern would take words or small numbers; a code has {LEAST_DIGITS} digits or "
            f"more, and {LEAST_DIGITS_ALONE} where it has nothing else"
        )
    if not may_be_number:
        return
    numbers = [piece for piece in atoms if piece.takes_digits]
    lengths = range(
        sum(piece.shortest for piece in numbers), sum(piece.longest for piece in numbers) + 1
    )
    personal = sorted(PERSONAL_LENGTHS.intersection(lengths))
    if personal:
        raise ValueError(
            f"the pattern would take any number of {' or '.join(map(str, personal))} digits, which "
            "is the shape of an identity, tax or telephone number; put the letters or the slash "
            "into it that tell it from one"
        )


def _counted(piece: _Piece) -> str:
    if piece.least == piece.most == 1:
        return piece.regex
    return f"{piece.regex}{{{piece.least},{piece.most}}}"


def _joint(before: _Piece, after: _Piece) -> str:
    return _SEEN_JOINT if before.is_any_letter or after.is_any_letter else _ANY_JOINT
