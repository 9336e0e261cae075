"""What a provider writes, whatever its form, as one nested value with paths into it."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    import re

_FIELDS: Final = 500
_LONGEST_MATCHED: Final = 16_384
"""Bytes that a pattern is tried on: some patterns take the square of the length, and more."""


def read_json(raw: bytes) -> Any:
    """Raises ``ValueError`` for what is not JSON, or is nested too deep."""
    try:
        return json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deep") from None


def read_form(raw: bytes) -> dict[str, str]:
    """The last value of each field; raises ``ValueError`` for what is not UTF-8."""
    return dict(
        parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    )


def read_pattern(raw: bytes, pattern: re.Pattern[str], *, entities: bool) -> dict[str, str]:
    """The named groups of the first match; ``entities`` resolves ``&amp;`` and its kind.

    Raises ``ValueError`` where nothing matches, for what is not UTF-8, and for what is too long.
    """
    if len(raw) > _LONGEST_MATCHED:
        raise ValueError("too long for a pattern")
    found = pattern.search(raw.decode())
    if found is None:
        raise ValueError("the pattern matches nothing")
    groups = {name: text for name, text in found.groupdict().items() if text is not None}
    return {name: html.unescape(text) for name, text in groups.items()} if entities else groups


def find(document: Any, path: str) -> Any:
    """What ``path`` leads to (``data.0.id``), or None. A key may itself hold dots."""
    if isinstance(document, dict) and path in document:
        return document[path]
    head, dot, rest = path.partition(".")
    inner: Any = None
    if isinstance(document, dict):
        inner = document.get(head)
    elif isinstance(document, list) and head.isdecimal() and int(head) < len(document):
        inner = document[int(head)]
    return find(inner, rest) if dot else inner


def find_text(document: Any, path: str) -> str | None:
    """The word, number or boolean at ``path`` as text; None for anything else and for ``""``."""
    if not path:
        return None
    match find(document, path):
        case bool() as flag:
            return str(flag).lower()
        case str() as text:
            return text.strip() or None
        case int() | float() as number:
            return str(number)
        case _:
            return None
