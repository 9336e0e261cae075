"""Records of a one-stop system, such as the national exchange record, to ``DossierEvent``.

A ``RecordMap`` says what each field is called. A record is a dossier as the source sees it, pushed
again and again: what is empty in it is unchanged, and where it has no id its content is its
identity. What can't be read is handed back to be quarantined, record by record.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from notifier.domain import code, instant
from notifier.domain.deadline import CLOSING_TIME
from notifier.domain.dossier import Fee, SupplementRequest, UnitRef
from notifier.domain.event import DossierEvent, EventType
from notifier.domain.text import fold
from notifier.errors import EventError
from notifier.ports import Quarantined
from notifier.sources.reading import Arrival
from notifier.sources.record_map import DOTNET, ISO, state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.sources.record_map import RecordMap

MOST: Final = 50_000
"""Records of one push: while they are read, nobody else is served."""

EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})

LONGEST: Final = 2_000
"""Characters of one text; a longer one is a mistake of the sender."""

TYPES: Final = {
    1: EventType.SUBMITTED, 2: EventType.RECEIVED, 3: EventType.REFUSED, 4: EventType.PROCESSING,
    5: EventType.SUPPLEMENT_REQUESTED, 6: EventType.PAYMENT_REQUESTED, 7: EventType.WITHDRAWN,
    8: EventType.STOPPED, 9: EventType.FINISHED, 10: EventType.RETURNED,
}  # fmt: skip
"""What a record of a state is called in the timeline; with no state it is a note."""

TEXTS: Final = (
    "procedure_code", "procedure_name", "procedure_field", "handler", "applicant_name",
    "applicant_phone", "applicant_email", "agent_name", "agent_phone", "agent_email", "limit",
)  # fmt: skip
FLAGS: Final = ("consent_sms", "consent_email", "consent_zalo")
MOMENTS: Final = ("received_at", "due_at", "finished_at", "returned_at")

YES: Final = frozenset({"true", "1", "yes", "co", "x"})
NO: Final = frozenset({"false", "0", "no", "khong"})

_AMOUNT: Final = re.compile(r"(-?\d{1,15})(?:[.,]0{1,2})?|(\d{1,3}(?:[.,]\d{3})+)")
_TICKS: Final = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")


class RecordReader:
    """Reads what a source pushes, by its map. Pure: the same bytes are the same events."""

    def __init__(self, source: str, record_map: RecordMap) -> None:
        """``source`` is the name of the events' source."""
        self.source = source
        self.door = f"sources/{source}"
        self._map = record_map
        self._paths: dict[str, list[tuple[str, tuple[str, ...]]]] = {
            field: [(_pointer(name), tuple(name.split("."))) for name in names]
            for field, names in record_map.fields.items()
        }
        self._own = [(_pointer(name), tuple(name.split("."))) for name in record_map.own_dates]
        self._columns = {fold(name): name for names in record_map.fields.values() for name in names}

    def read(self, body: bytes, arrived: Arrival) -> list[DossierEvent | Quarantined]:
        """The items of a push, at least one; bytes that are none become one to quarantine."""
        try:
            document = self.document(body)
            return self.read_document(document, arrived)
        except EventError as error:
            return [self.unreadable(body, error, arrived.at)]

    def document(self, body: bytes) -> Any:
        """The JSON of a push; raises ``EventError``."""
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EventError("", f"it is not JSON: {error}") from None

    def read_document(self, document: Any, arrived: Arrival) -> list[DossierEvent | Quarantined]:
        """As ``read``; raises ``EventError`` where it holds no records at all."""
        push = self._map.push
        wrapped = isinstance(document, dict) and push.records in document
        around = document if wrapped else {}
        held = document[push.records] if wrapped else document
        records = held if isinstance(held, list) else [held]
        where = f"/{push.records}" if wrapped else ""
        if held is None or not records:
            raise EventError(where, "there is no record in the push")
        if len(records) > MOST:
            raise EventError(where, f"it has more than {MOST:,} records; send fewer at a time")
        arrived = self._arrival(around.get(push.received_at), arrived)
        times = self._times(around.get(push.occurred_at), len(records))
        return [
            self._read_item(record, time, Arrival(at=arrived.at, place=arrived.place + i))
            for i, (record, time) in enumerate(zip(records, times, strict=True))
        ]

    def read_row(self, cells: Mapping[str, str], arrived: Arrival) -> DossierEvent | Quarantined:
        """A line of a table; its columns are found without regard to accents and capitals."""
        record = {self._columns.get(fold(name), name): cell for name, cell in cells.items()}
        return self._read_item(record, None, arrived)

    def lacking(self, columns: Iterable[str]) -> str:
        """The column of the codes, where ``columns`` do not have it; else an empty text."""
        names = self._map.fields["code"]
        there = {self._columns.get(fold(column)) for column in columns}
        return "" if there & set(names) else names[0]

    def unreadable(self, raw: bytes, error: EventError, now: Instant) -> Quarantined:
        """What has no records in it; the same bytes are kept once."""
        return Quarantined(door=self.door, key=_digest(raw), reason=str(error), raw=raw, at=now)

    def _times(self, given: Any, count: int) -> list[Any]:
        if isinstance(given, list):
            # Nobody can say which of them belongs to which record.
            return given if len(given) == count else [EventError(
                f"/{self._map.push.occurred_at}", f"{len(given)} times for {count} records"
            )] * count  # fmt: skip
        return [given] * count

    def _arrival(self, given: Any, arrived: Arrival) -> Arrival:
        """When the connector took the push; what can't be read or lies ahead is not believed."""
        try:
            at = self._date(given, "")
        except EventError:
            return arrived
        return arrived if at is None or at > arrived.at else Arrival(at=at)

    def _read_item(self, record: Any, time: Any, arrived: Arrival) -> DossierEvent | Quarantined:
        try:
            return self._read_record(record, time, arrived)
        except _ForAPersonError as error:
            return self._kept(record, time, arrived, error, understood=True)
        except EventError as error:
            return self._kept(record, time, arrived, error)

    def _kept(
        self,
        record: Any,
        time: Any,
        arrived: Arrival,
        error: EventError,
        *,
        understood: bool = False,
    ) -> Quarantined:
        """As a push of this record alone, so that it can be read again once the map is mended."""
        push = self._map.push
        said = {} if isinstance(time, EventError) else {push.occurred_at: [time]}
        alone = {**said, push.records: [record]}
        raw = {push.received_at: instant.iso(arrived.at), **alone}
        return Quarantined(
            door=self.door,
            key=_digest(msgspec.json.encode(alone, order="sorted")),
            reason=str(error),
            raw=msgspec.json.encode(raw),
            at=arrived.at,
            understood=understood,
        )

    def _read_record(self, record: Any, time: Any, arrived: Arrival) -> DossierEvent:
        if isinstance(time, EventError):
            raise time
        if not isinstance(record, dict):
            raise EventError("", "a record has to be an object")
        place, written = self._said(record, "code")
        try:
            key = code.canonical(_text(written, place) or "")
        except ValueError as error:
            raise EventError(place, str(error)) from None
        carried = dict(self._carried(record))
        at = self._date(time, f"/{self._map.push.occurred_at}")
        if at is None:
            place, said = self._said(record, "time")
            at = self._date(said, place)
        undated = at is None
        if at is None:
            at = max((own for own in self._own_dates(record) if own <= arrived.at), default=None)
        if at is None:
            at = arrived.at
        number = carried.get("status")
        return DossierEvent(
            id=_identity(key, at, arrived if undated else None, carried),
            source=self.source,
            type=TYPES.get(number or 0, EventType.NOTED),
            code=key,
            code_raw=str(written),
            time=at,
            carried=carried,
            arrived=arrived.at if undated else None,
            place=arrived.place if undated else 0,
            raw=self._raw(record, time, arrived),
            door=self.door,
        )

    def _raw(self, record: Any, time: Any, arrived: Arrival) -> bytes:
        push = self._map.push
        return msgspec.json.encode(
            {
                push.received_at: instant.iso(arrived.at),
                push.occurred_at: [time],
                push.records: [record],
            }
        )

    def _carried(self, record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """What the record says, by the names of ``dossier.Facts``; an empty field says nothing."""
        for name in TEXTS:
            place, said = self._said(record, name)
            if text := _text(said, place):
                yield name, text
        for name in MOMENTS:
            place, said = self._said(record, name)
            at = self._date(said, place, day_ends=name == "due_at")
            if at is not None:
                yield name, at
        for name in FLAGS:
            place, said = self._said(record, name)
            if (flag := _flag(said, place)) is not None:
                yield name, flag
        status = self._status(record)
        if status is not None:
            yield "status", status
        yield from self._named_values(record, status)
        yield from self._lists(record)

    def _status(self, record: Mapping[str, Any]) -> int | None:
        place, said = self._said(record, "status")
        written = _text(said, place)
        if not written:
            return None
        known = self._map.statuses.get(state(written))
        if known is None:
            raise _ForAPersonError(
                place, "this state is not in the source's map; nothing was changed"
            )
        return known

    def _named_values(
        self, record: Mapping[str, Any], status: int | None
    ) -> Iterator[tuple[str, Any]]:
        unit_code, unit_name = (
            _text(said, place)
            for place, said in (self._said(record, "unit_code"), self._said(record, "unit_name"))
        )
        if unit_code or unit_name:
            yield "unit", UnitRef(code=unit_code or "", name=unit_name or "")
        for name, key, values in (
            ("applicant_kind", "applicant_kind", self._map.kinds),
            ("return_by", "return_by", self._map.return_by),
        ):
            place, said = self._said(record, key)
            ours = values.get(state(_text(said, place) or ""))
            if ours:
                yield name, ours
        place, said = self._said(record, "reason")
        reason = _text(said, place)
        if reason and status in self._map.reason_with:
            yield "reason", reason

    def _lists(self, record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        papers, fees = self._map.supplement, self._map.fees
        if papers is not None and (
            asked := tuple(
                SupplementRequest(
                    what=what,
                    by=_text(item.get(papers.by), f"{place}/{papers.by}") or "",
                    requested_at=self._date(
                        item.get(papers.requested_at), f"{place}/{papers.requested_at}"
                    ),
                )
                for place, item in _objects(record.get(papers.list), papers.list)
                if (what := _text(item.get(papers.what), f"{place}/{papers.what}"))
            )
        ):
            yield "supplement", asked
        if fees is not None and (
            charged := tuple(
                Fee(
                    name=_text(item.get(fees.name), f"{place}/{fees.name}") or "",
                    amount=amount,
                    paid=bool(
                        _flag(item.get(fees.paid, record.get(fees.paid)), f"{place}/{fees.paid}")
                    ),
                )
                for place, item in _objects(record.get(fees.list), fees.list)
                if (amount := _amount(item.get(fees.amount), f"{place}/{fees.amount}")) is not None
            )
        ):
            yield "fees", charged

    def _own_dates(self, record: Mapping[str, Any]) -> Iterator[Instant]:
        for place, path in self._own:
            for said in _values(record, path):
                at = self._date(said, place)
                if at is not None:
                    yield at

    def _said(self, record: Mapping[str, Any], name: str) -> tuple[str, Any]:
        """Where our field ``name`` stands in the record, as a pointer, and what it says."""
        paths = self._paths.get(name, ())
        for place, path in paths:
            for said in _values(record, path):
                if said not in EMPTY and not (isinstance(said, str) and not said.strip()):
                    return place, said
        return (paths[0][0] if paths else ""), None

    def _date(self, said: Any, place: str, *, day_ends: bool = False) -> Instant | None:
        if said is None or isinstance(said, bool):
            text = ""
        elif isinstance(said, str | int):
            text = str(said).strip()
        else:
            raise EventError(place, "it has to be a date")
        if not text or text.casefold() == "null" or text.startswith(self._map.no_date):
            return None
        for form in self._map.date_formats:
            at = _moment(text, form, day_ends=day_ends)
            if at is not None:
                return at
        raise EventError(
            place, "it is not a date of the years 2000 to 2100 in one of the source's date_formats"
        )


class _ForAPersonError(EventError):
    """Read and understood, and a person's to decide."""


def _digest(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


def _identity(key: str, at: Instant, arrived: Arrival | None, carried: Mapping[str, Any]) -> str:
    """The same content of the same moment is the same event.

    Without a moment of its own each arrival is one: a state may be left and entered again.
    """
    when = [at, arrived.at, arrived.place] if arrived else [at]
    return _digest(msgspec.json.encode([key, when, carried], order="sorted"))


def _pointer(path: str) -> str:
    return "/" + path.replace(".", "/")


def _values(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """All that stands at ``path``: through objects, and through each item of a list."""
    if isinstance(value, list):
        for item in value[:LONGEST]:
            yield from _values(item, path) if path else (item,)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _objects(value: Any, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The items of a list, each with its place; a single object is a list of one."""
    if value in (None, "", [], {}):
        return
    for i, item in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(item, dict):
            raise EventError(f"/{name}/{i}", "it has to be an object")
        yield f"/{name}/{i}", item


def _text(said: Any, place: str) -> str | None:
    match said:
        case None:
            return None
        case bool():
            text = "true" if said else "false"
        case str():
            text = said.replace("\0", "").strip()
        case int():
            text = str(said)
        case float() if said.is_integer():
            text = str(int(said))
        case _:
            raise EventError(place, "it has to be a text or a number")
    if len(text) > LONGEST:
        raise EventError(place, f"it has more than {LONGEST} characters")
    return text or None


def _flag(said: Any, place: str) -> bool | None:
    text = fold(_text(said, place) or "")
    if text in YES or text in NO:
        return text in YES
    if text:
        raise EventError(place, "it has to say yes or no: true, false, 1 or 0")
    return None


def _amount(said: Any, place: str) -> int | None:
    written = _text(said, place)
    if written is None:
        return None
    found = _AMOUNT.fullmatch(written)
    amount = int(found[1] or re.sub("[.,]", "", found[2])) if found else -1
    if amount < 0:
        raise EventError(place, "it has to be an amount in đồng, such as 350000")
    return amount


def _moment(text: str, form: str, *, day_ends: bool) -> Instant | None:
    """``text`` by one format; None where it is not of that format, or no moment of our time."""
    try:
        if form == ISO:
            return instant.read_iso(text, day_ends=CLOSING_TIME if day_ends else None)
        if form == DOTNET:
            ticks = _TICKS.fullmatch(text)
            return instant.read_iso(instant.iso(int(ticks[1]))) if ticks else None
        read = datetime.strptime(text, form)  # noqa: DTZ007 - a naive one is Vietnamese
        if text.isdigit() and read.strftime(form) != text:
            return None  # digits without joints were cut in another place than they were written
        if day_ends and "%H" not in form:
            read = datetime.combine(read.date(), CLOSING_TIME)
        return instant.read_iso(read.isoformat())
    except (ValueError, OverflowError, OSError):
        return None
