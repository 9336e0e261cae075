"""Values of a request with placeholders in them: ``{to}``, ``{text|base64}``, ``{secret:key}``.

A string that is one placeholder and nothing else keeps the placeholder's type, so that a JSON
number stays a number. A brace of its own is written twice: ``{{`` and ``}}``.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote as url_quote
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Scalar = str | int | float | bool
Filter = "Callable[[str], str]"

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([a-z_]+(?::[a-z0-9_]+)?)(?:\|([a-z0-9]+))?\}|[{}]")

NAMES: Final = frozenset({"to", "text", "key", "from", "unicode", "segments"})


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _xml(text: str) -> str:
    return escape(text, {'"': "&quot;", "'": "&apos;"})


def _url(text: str) -> str:
    return url_quote(text, safe="")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


FILTERS: Final[Mapping[str, Callable[[str], str]]] = {
    "base64": _base64,
    "xml": _xml,
    "url": _url,
    "digest": _digest,
}


def text_of(value: Scalar) -> str:
    """A value as text: ``true`` and ``false`` for booleans."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def fill(value: Any, values: Mapping[str, Scalar], *, safe: str = "") -> Any:
    """``value`` with every placeholder in it replaced, through tables and lists.

    ``safe`` names the filter of the placeholders that have none (``xml`` for an XML body).
    """
    match value:
        case str():
            return _fill_text(value, values, safe)
        case dict():
            return {key: fill(item, values, safe=safe) for key, item in value.items()}
        case list():
            return [fill(item, values, safe=safe) for item in value]
        case _:
            return value


def _fill_text(template: str, values: Mapping[str, Scalar], safe: str) -> Scalar:
    whole = _TOKEN.fullmatch(template)
    if whole and whole[1] and not (whole[2] or safe):
        return values[whole[1]]

    def one(token: re.Match[str]) -> str:
        if token[1] is None:
            return token[0][0]
        text = text_of(values[token[1]])
        chosen = token[2] or safe
        return FILTERS[chosen](text) if chosen else text

    return _TOKEN.sub(one, template)


def problems(value: Any, secrets: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each placeholder in ``value`` that can't be filled."""
    for template in strings(value):
        for token in _TOKEN.finditer(template):
            if token[0] in {"{", "}"}:
                yield "has a brace that opens or closes no placeholder; write {{ or }} for a brace"
            elif token[1] is not None:
                yield from _placeholder_problems(token[1], token[2], secrets)


def _placeholder_problems(
    name: str, chosen: str | None, secrets: Mapping[str, str]
) -> Iterator[str]:
    kind, _, secret = name.partition(":")
    if secret and kind == "secret":
        if secret not in secrets:
            yield f"names the secret {secret}, which is not in the table secrets"
    elif name not in NAMES:
        yield f"has the placeholder {{{name}}}; known are {', '.join(sorted(NAMES))} and secret:…"
    if chosen and chosen not in FILTERS:
        yield f"has the filter {chosen}; known are {', '.join(sorted(FILTERS))}"


def uses(value: Any, name: str) -> Iterator[str]:
    """The filter ("" for none) of each place where ``value`` uses the placeholder ``name``."""
    for template in strings(value):
        for token in _TOKEN.finditer(template):
            if token[1] == name:
                yield token[2] or ""


def strings(value: Any) -> Iterator[str]:
    """Every string in a nested value."""
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from strings(item)
        case list():
            for item in value:
                yield from strings(item)
        case _:
            return
