"""An e-mail address as sources write it: read, or known to be none."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 254
"""Characters of an address (RFC 5321, 4.5.3.1.3, with its brackets taken off)."""

_ADDRESS: Final = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
    re.IGNORECASE,
)
"""As HTML's ``input type=email`` reads it, with a dot in the domain: nobody is told at a host."""


def read(text: str) -> str | None:
    """The address that ``text`` is, its domain in lower case; None where it is none."""
    text = text.strip()
    if len(text) > LONGEST or not _ADDRESS.fullmatch(text) or ".." in text:
        return None
    name, _, domain = text.rpartition("@")
    return f"{name}@{domain.lower()}"
