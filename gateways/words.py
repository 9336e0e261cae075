"""Words from outside, made fit to keep: a provider's refusals, and what people write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 160
_NUMBER = re.compile(r"\+?\d(?:[\s.()-]{0,2}\d){6,}")
_SPACE = re.compile(r"\s+")


def quote(words: str, hidden: Iterable[str] = ()) -> str:
    """``words`` on one line, at most ``LONGEST`` characters, without ``hidden`` and long numbers.

    Providers like to echo what they were sent. What looks like a phone number (seven digits and
    more) becomes ``…``, as does each of ``hidden``: the message's text, the gateway's secrets.
    """
    for secret in sorted(filter(None, hidden), key=len, reverse=True):
        words = words.replace(secret, "…")
    return _SPACE.sub(" ", _NUMBER.sub("…", storable(words))).strip()[:LONGEST]


def storable(text: str) -> str:
    """``text`` without what a store can't hold: NUL, and halves of surrogate pairs."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "")
