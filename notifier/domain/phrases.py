"""A small language for what people say: words in order, with choices, gaps and edges.

========== =====================================================================
``a b``    these words, one after the other
``(a|b)``  one of them, each of any number of words
``[a]``    it may be there
``..``     up to four words in between
``#``      a number of six digits or more
``^ $``    the beginning, the end of the text
========== =====================================================================

A text is matched with one blank before and after each of its words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SYMBOLS: Final = re.compile(r"\.\.|[()\[\]|^$#]|[^\s()\[\]|^$#]+")
MEANING: Final = {
    "(": "(?:",
    ")": ")",
    "[": "(?:",
    "]": ")?",
    "|": "|",
    "^": "^",
    "$": "(?= $)",
    "..": r"(?: \S+){0,4}?",
    "#": r" \d{6,}",
}
CLOSING: Final = {"(": ")", "[": "]"}


def compiled(phrases: Iterable[str], compounds: Mapping[str, str]) -> re.Pattern[str] | None:
    """One pattern for any of ``phrases``; None where there are none.

    Raises ``ValueError`` as ``check`` does.
    """
    phrases = tuple(phrases)
    check(phrases)
    patterns = [_pattern(phrase, compounds) for phrase in phrases]
    return re.compile("|".join(patterns)) if patterns else None


def check(phrases: Iterable[str]) -> None:
    """Raise ``ValueError`` with a sentence for the first of ``phrases`` that can't be read.

    Brackets are all that can be wrong. To compile each phrase to find that out takes a second for
    the keywords of an office, at every start.
    """
    for phrase in phrases:
        opened: list[str] = []
        for symbol in SYMBOLS.findall(phrase):
            if symbol in CLOSING:
                opened.append(CLOSING[symbol])
            elif symbol in CLOSING.values() and (not opened or opened.pop() != symbol):
                raise ValueError(f"the phrase {phrase!r} has a {symbol!r} that closes nothing")
        if opened:
            raise ValueError(f"the phrase {phrase!r} lacks a {opened[-1]!r}")


def joined(text: str, compounds: Mapping[str, str]) -> str:
    """``text`` with each compound as one word, so that the "ho" of "ho so" means itself alone."""
    for compound, word in compounds.items():
        if compound in text:
            text = re.sub(rf"\b{compound}\b", word, text)
    return text


def words_of(phrase: str) -> set[str]:
    """The words that a phrase names."""
    return {symbol for symbol in SYMBOLS.findall(phrase) if symbol not in MEANING}


def _pattern(phrase: str, compounds: Mapping[str, str]) -> str:
    symbols = SYMBOLS.findall(joined(phrase, compounds))
    pattern = "".join(MEANING.get(symbol) or f" {re.escape(symbol)}" for symbol in symbols)
    return f"(?:{pattern})(?= )"
