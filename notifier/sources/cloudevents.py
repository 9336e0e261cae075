"""CloudEvents 1.0 over HTTP: structured, binary, batched, or one a line, to ``DossierEvent``.

Nothing is invented: an event without an id, a source, a subject or a time is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import unquote

import msgspec

from notifier.domain import code, instant
from notifier.domain.deadline import CLOSING_TIME
from notifier.domain.dossier import Document, Fee, Rescheduled, SupplementRequest, UnitRef
from notifier.domain.event import DEFAULT_STATUS, DossierEvent, EventType
from notifier.errors import EventError
from notifier.ports import Quarantined

if TYPE_CHECKING:
    from notifier.domain.instant import Instant

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
TYPE_PREFIX: Final = "dossier."

Reader = Callable[[Any, str], Iterator[tuple[str, Any]]]
"""From a value and its place to the facts that it says."""

LONGEST: Final = 2_000
"""Characters of one text; a longer one is a mistake of the sender."""

MOST: Final = 50_000
"""Events of one request: while they are read, nobody else is served."""

EMPTY: Final[tuple[Any, ...]] = ("", [], {})
"""What a field says that says nothing."""

Text = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class Envelope(msgspec.Struct):
    """What every event carries around its data."""

    specversion: str
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    type: str
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    time: str
    data: dict[str, Any] | None = None
    data_base64: Any = None


def read_body(
    body: bytes, content_type: str, headers: Mapping[str, str]
) -> list[bytes | dict[str, Any]]:
    """The events of a request, each still to be read; ``EventError`` where there are none."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in LINES:
        lines: list[bytes | dict[str, Any]] = [line for line in body.split(b"\n") if line.strip()]
        return _some(lines)
    # A structured event may have its attributes repeated as headers.
    if ("ce-id" in headers or "ce-type" in headers) and kind not in {STRUCTURED, BATCH}:
        return [_binary(body, headers)]
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EventError("", f"the body is not JSON: {error}") from None
    if isinstance(document, list):
        return [
            item if isinstance(item, dict) else msgspec.json.encode(item)
            for item in _some(document)
        ]
    if isinstance(document, dict):
        return [document]
    raise EventError("", "the body has to be an event, a list of events, or one event a line")


def read_item(item: bytes | dict[str, Any], now: Instant) -> DossierEvent | Quarantined:
    """One event; what can't be read is to be quarantined, with the reason."""
    try:
        return read_event(item)
    except EventError as error:
        raw = item if isinstance(item, bytes) else msgspec.json.encode(item)
        return unreadable(raw, error, now)


def read_kept(raw: bytes, now: Instant) -> list[DossierEvent | Quarantined]:
    """What was kept aside, read again: one event, or a whole body that could not be read."""
    try:
        items = read_body(raw, STRUCTURED, {})
    except EventError as error:
        return [unreadable(raw, error, now)]
    return [read_item(item, now) for item in items]


def unreadable(raw: bytes, error: EventError, now: Instant) -> Quarantined:
    """What can't be read; it has no identity of its own, so the same bytes are kept once."""
    key = hashlib.blake2b(raw, digest_size=16).hexdigest()
    return Quarantined(door="events", key=key, reason=str(error), raw=raw, at=now)


def read_event(item: bytes | dict[str, Any]) -> DossierEvent:
    """One event; raises ``EventError`` that names the field."""
    try:
        envelope = (
            msgspec.json.decode(item, type=Envelope)
            if isinstance(item, bytes)
            else msgspec.convert(item, Envelope)
        )
    except msgspec.ValidationError as error:
        raise EventError(*_place(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EventError("", f"it is not JSON: {error}") from None
    if not envelope.specversion.startswith("1."):
        raise EventError("/specversion", "only CloudEvents 1.x are read")
    if envelope.data_base64 is not None:
        raise EventError("/data_base64", "send what you know as an object, in `data`")
    type_ = _type(envelope.type)
    carried = read_data(envelope.data or {})
    if "status" not in carried and (status := DEFAULT_STATUS[type_]) is not None:
        carried["status"] = status
    try:
        key = code.canonical(envelope.subject)
    except ValueError as error:
        raise EventError("/subject", str(error)) from None
    return DossierEvent(
        id=envelope.id,
        source=envelope.source,
        type=type_,
        code=key,
        code_raw=envelope.subject,
        time=_instant(envelope.time, "/time"),
        carried=carried,
        raw=item if isinstance(item, bytes) else msgspec.json.encode(item),
    )


def read_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that ``data`` carries, by their names in ``dossier.Facts``; null is None.

    An absent or empty field is left out: it means unchanged.
    """
    carried: dict[str, Any] = {}
    for name, value in data.items():
        reader = FIELDS.get(name)
        if reader is not None and value not in EMPTY:
            carried.update(reader(value, f"/data/{name}"))
    rescheduled = carried.get("rescheduled")
    if rescheduled is not None:
        carried["due_at"] = rescheduled.due_at
    return carried


def _some(items: list[Any]) -> list[Any]:
    if not items:
        raise EventError("", "there is no event in the request")
    if len(items) > MOST:
        raise EventError("", f"the request has more than {MOST:,} items; send fewer at a time")
    return items


def _binary(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    event: dict[str, Any] = {
        name[3:]: _attribute(name[3:], value)
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    if body.strip():
        try:
            event["data"] = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EventError("/data", f"it is not JSON: {error}") from None
    return event


def _attribute(name: str, value: str) -> str:
    """The text of a header; what is not UTF-8 would be taken for another id, so it is refused."""
    try:
        text = unquote(value, errors="strict")
        text.encode()
    except UnicodeError:
        raise EventError(
            f"/{name}", "its header is not UTF-8, with % and two digits a byte"
        ) from None
    return text


def _type(text: str) -> EventType:
    try:
        return EventType(text.removeprefix(TYPE_PREFIX) if text.startswith(TYPE_PREFIX) else "")
    except ValueError:
        known = ", ".join(TYPE_PREFIX + type_.value for type_ in EventType)
        raise EventError("/type", f"the type is not one of {known}") from None


POINTER: Final = str.maketrans({".": "/", "[": "/", "]": None})
"""From msgspec's ``$.fees[0].amount`` to RFC 6901."""


def _place(error: msgspec.ValidationError) -> tuple[str, str]:
    """msgspec says ``Expected `str`, got `int` - at `$.id```: its pointer, and its sentence."""
    problem, _, path = str(error).partition(" - at `")
    pointer = path.rstrip("`").removeprefix("$").translate(POINTER)
    if "missing required field" in problem:
        name = problem.rsplit("`", 2)[-2]
        return f"{pointer}/{name}", "it is missing; nothing is made up for it"
    return pointer, problem


def _instant(value: Any, field: str, *, day_ends: bool = False) -> Instant:
    if not isinstance(value, str):
        raise EventError(
            field, "it has to be a time in ISO 8601, such as 2026-11-20T17:00:00+07:00"
        )
    try:
        return instant.read_iso(value.strip(), day_ends=CLOSING_TIME if day_ends else None)
    except (ValueError, OverflowError):  # whose words repeat the value
        raise EventError(field, "it is not a time of the years 2000 to 2100 in ISO 8601") from None


def _text(name: str) -> Reader:
    def read(value: Any, field: str) -> Iterator[tuple[str, Any]]:
        if value is None:
            yield name, None
            return
        if not isinstance(value, str):
            raise EventError(field, "it has to be a text")
        if len(value) > LONGEST:
            raise EventError(field, f"it has more than {LONGEST} characters")
        if value.strip():
            yield name, value.strip()

    return read


def _moment(name: str, *, day_ends: bool = False) -> Reader:
    def read(value: Any, field: str) -> Iterator[tuple[str, Any]]:
        if value is None:
            yield name, None
        elif value != "":
            yield name, _instant(value, field, day_ends=day_ends)

    return read


def _flag(name: str) -> Reader:
    def read(value: Any, field: str) -> Iterator[tuple[str, Any]]:
        if value is not None and not isinstance(value, bool):
            raise EventError(field, "it has to be true or false")
        yield name, value

    return read


def _group(
    readers: Mapping[str, Reader],
    names: tuple[str, ...],
) -> Reader:
    """An object whose fields are fields of their own; null clears all ``names``."""

    def read(value: Any, field: str) -> Iterator[tuple[str, Any]]:
        if value is None:
            yield from dict.fromkeys(names).items()
            return
        for key, inner in _object(value, field).items():
            if key in readers and inner not in EMPTY:
                yield from readers[key](inner, f"{field}/{key}")

    return read


def _texts(prefix: str, *keys: str) -> Reader:
    readers = {key: _text(f"{prefix}_{key}") for key in keys}
    return _group(readers, tuple(f"{prefix}_{key}" for key in keys))


def _status(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    if value is None or value == "":
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise EventError(field, "it has to be a status number, 1 to 10")
    yield "status", value


def _unit(name: str) -> Reader:
    def read(value: Any, field: str) -> Iterator[tuple[str, Any]]:
        if value is None:
            yield name, None
            return
        held = _object(value, field)
        found = dict(_texts("unit", "code", "name")(held, field))
        if found.get("unit_code") or found.get("unit_name"):
            yield (
                name,
                UnitRef(code=found.get("unit_code") or "", name=found.get("unit_name") or ""),
            )

    return read


class RescheduledData(msgspec.Struct):
    """``data.rescheduled``"""

    due_at: str
    reason: Text = ""
    document: Document | None = None


class SupplementData(msgspec.Struct):
    """One of ``data.supplement``."""

    what: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]
    by: Text = ""
    requested_at: str | None = None


class FeeData(msgspec.Struct):
    """One of ``data.fees``; đồng."""

    name: Text
    amount: Annotated[int, msgspec.Meta(ge=0, le=10**15)]
    paid: bool = False


def _rescheduled(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    if value is None:
        yield "rescheduled", None
    elif value:
        held = _converted(value, RescheduledData, field)
        yield (
            "rescheduled",
            Rescheduled(
                due_at=_instant(held.due_at, f"{field}/due_at", day_ends=True),
                reason=held.reason.strip(),
                document=held.document,
            ),
        )


def _supplement(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    if value is None:
        yield "supplement", None
    elif value:
        yield (
            "supplement",
            tuple(
                SupplementRequest(
                    what=asked.what.strip(),
                    by=asked.by,
                    requested_at=_instant(asked.requested_at, f"{field}/{i}/requested_at")
                    if asked.requested_at
                    else None,
                )
                for i, asked in enumerate(_converted(value, list[SupplementData], field))
            ),
        )


def _fees(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    if value is None:
        yield "fees", None
    elif value:
        yield (
            "fees",
            tuple(
                Fee(name=fee.name.strip(), amount=fee.amount, paid=fee.paid)
                for fee in _converted(value, list[FeeData], field)
            ),
        )


def _converted(value: Any, type_: Any, field: str) -> Any:
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        place, problem = _place(error)
        raise EventError(field + place, problem) from None


def _object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EventError(field, "it has to be an object")
    return value


PERSON = ("name", "phone", "email", "kind")

FIELDS: Final[Mapping[str, Reader]] = {
    "status": _status,
    "procedure": _texts("procedure", "code", "name", "field"),
    "unit": _unit("unit"),
    "from_unit": _unit("from_unit"),
    "handler": _text("handler"),
    "applicant": _texts("applicant", *PERSON),
    "agent": _texts("agent", *PERSON),
    "consent": _group(
        {key: _flag(f"consent_{key}") for key in ("sms", "email", "zalo")},
        ("consent_sms", "consent_email", "consent_zalo"),
    ),
    "received_at": _moment("received_at"),
    "due_at": _moment("due_at", day_ends=True),
    "finished_at": _moment("finished_at"),
    "returned_at": _moment("returned_at"),
    "rescheduled": _rescheduled,
    "supplement": _supplement,
    "fees": _fees,
    "reason": _text("reason"),
    "return_by": _text("return_by"),
    "limit": _text("limit"),
}
"""Each field of ``data``: what it says, and to which facts."""
