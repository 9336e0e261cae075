"""From a provider's HTTP answer to an outcome. Pure; the words are a table of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from gateways.http_sms.document import find, find_text, read_json, read_pattern
from gateways.http_sms.settings import STATUSES
from gateways.words import quote
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateways.exchange import HttpAnswer
    from gateways.http_sms.settings import Answer, OutcomeName
    from notifier.domain.outcome import Outcome

_LONGEST_CODE: Final = 40
_LONGEST_WAIT: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What the provider's own words say, as far as they can be read."""

    code: str = ""
    refs: tuple[str, ...] = ()
    detail: str = ""


def read_answer(answer: HttpAnswer, table: Answer, hidden: Iterable[str]) -> Outcome:
    """The outcome; ``hidden`` is what its detail must not repeat.

    A code of the table decides, whatever the HTTP status; but "accepted" is believed only with a
    2xx. Without one, the status decides; a 2xx that can't be read is ``Unknown``.
    """
    hidden = tuple(hidden)
    words = _read(answer, table)
    fine = 200 <= answer.status < 300
    if fine and table.kind == "none":
        return Accepted(refs=words.refs)
    if fine and not words.code:
        return Unknown(code="unreadable", detail="the answer can't be read")
    name = table.codes.get(words.code) or (table.otherwise if fine else None)
    if name is None:
        words = _Words(code=f"http-{answer.status}", detail=words.detail)
        name = _by_status(answer.status, table)
    elif not fine and name in {"accepted", "duplicate"}:
        name = "unknown"
    wait = _wait(answer)
    return _outcome(name, words, hidden, wait, default_wait=round(table.retry_after * 1000))


def _by_status(status: int, table: Answer) -> OutcomeName:
    known = {**STATUSES, **table.statuses}.get(status)
    if known is not None:
        return known
    return "permanent:configuration" if 400 <= status < 500 else "unknown"


def _outcome(
    name: OutcomeName,
    words: _Words,
    hidden: tuple[str, ...],
    wait: int | None,
    *,
    default_wait: int,
) -> Outcome:
    code = quote(words.code, hidden)[:_LONGEST_CODE]
    detail = quote(words.detail, hidden)
    match name:
        case "accepted":
            return Accepted(refs=words.refs)
        case "duplicate":
            return Accepted(refs=words.refs, duplicate=True)
        case "temporary":
            return Temporary(code=code, detail=detail, retry_after=wait)
        case "throttled":
            return Throttled(retry_after=default_wait if wait is None else wait)
        case "unknown":
            return Unknown(code=code, detail=detail)
        case "opted_out":
            return OptedOut(code=code)
        case _:
            return Permanent(code=code, detail=detail, scope=Scope(name.partition(":")[2]))


def _read(answer: HttpAnswer, table: Answer) -> _Words:
    if answer.body is None or table.kind == "none":
        return _Words()
    try:
        document = _document(answer.body, table)
    except ValueError:
        return _Words()
    return _Words(
        code=find_text(document, table.code) or "",
        refs=_refs(document, table.ref),
        detail=find_text(document, table.detail) or "",
    )


def _document(body: bytes, table: Answer) -> Any:
    if table.kind == "json":
        return read_json(body)
    return read_pattern(body, table.pattern, entities=table.kind == "xml")


def _refs(document: Any, path: str) -> tuple[str, ...]:
    found = find(document, path) if path else None
    if isinstance(found, list):
        texts = (find_text(found, str(n)) for n in range(len(found)))
        return tuple(text for text in texts if text)
    ref = find_text(document, path)
    return (ref,) if ref else ()


def _wait(answer: HttpAnswer) -> int | None:
    """``Retry-After`` in ms (RFC 9110, 10.2.3): seconds, or a date, counted from the answer's."""
    if answer.retry_after.isdecimal():
        return min(int(answer.retry_after[:9]), _LONGEST_WAIT) * 1000
    try:
        until = parsedate_to_datetime(answer.retry_after)
        seconds = (until - parsedate_to_datetime(answer.date)).total_seconds()
    except (ValueError, TypeError):
        return None
    return round(max(0.0, min(seconds, _LONGEST_WAIT)) * 1000)
