"""What a provider writes, whatever its form, as one nested value with paths into it."""

from __future__ import annotations

import html
import json
from typing import Any, Final
from urllib.parse import parse_qsl

import regex

_FIELDS: Final = 500
_LONGEST_FORM: Final = 1024 * 1024
"""Bytes of a form that is read: to take 8 MiB of %-signs apart is a second without service."""
_LONGEST_MATCHED: Final = 16_384
"""Bytes that a pattern is tried on: some patterns take the square of the length, and more."""
_PATIENCE: Final = 0.25
"""Seconds that a pattern may take: nobody else is served meanwhile, and some never end."""


def read_json(raw: bytes) -> Any:
    """Raises ``ValueError`` for what is not JSON, or is nested too deep."""
    try:
        return json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deep") from None


def read_form(raw: bytes) -> dict[str, str]:
    """The last value of each field; raises ``ValueError`` for what is not UTF-8, or too long."""
    if len(raw) > _LONGEST_FORM:
        raise ValueError("too long for a form")
    return dict(
        parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    )


def pattern_of(text: str) -> regex.Pattern[str]:
    """A pattern as a table gives it, whose dot stands for line ends too; ``ValueError``."""
    try:
        return regex.compile(text, regex.DOTALL)
    except regex.error as error:
        raise ValueError(f"is no regular expression: {error}") from None


def read_pattern(raw: bytes, pattern: str, *, entities: bool) -> dict[str, str]:
    """The named groups of the first match; ``entities`` resolves ``&amp;`` and its kind.

    Raises ``ValueError`` where nothing matches, for what is not UTF-8, and for what is too long
    or takes too long.
    """
    if len(raw) > _LONGEST_MATCHED:
        raise ValueError("too long for a pattern")
    try:
        found = pattern_of(pattern).search(raw.decode(), timeout=_PATIENCE)
    except TimeoutError:
        raise ValueError("the pattern tries too many ways") from None
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
