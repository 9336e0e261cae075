"""What the service acknowledged, and therefore has to have; and what its log must not say."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fuzz.doors import NOW, gateways, request_of
from notifier.domain.instant import HOUR
from notifier.domain.message import Inbound, Receipt, Unreadable
from notifier.errors import EventError
from notifier.ports import Quarantined
from notifier.sources import cloudevents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fuzz.dialects import Call
    from notifier.ports import Gateway

_NUMBER: Final = re.compile(r"(?:\+?84|0)912007\d{3}")

Key = tuple[str, str]


@dataclass(slots=True)
class Books:
    """By the key of each row, the number of the request that brought it."""

    events: dict[Key, int] = field(default_factory=dict)
    stored: dict[Key, int] = field(default_factory=dict)
    """Events that were new when they came."""
    quarantine: dict[Key, int] = field(default_factory=dict)
    inbound: dict[Key, int] = field(default_factory=dict)
    receipts: dict[Key, int] = field(default_factory=dict)
    _gateways: dict[str, Gateway] = field(default_factory=gateways)

    def write_events(self, number: int, call: Call, status: int, body: bytes) -> None:
        """What an answer of the event interface says; raises where it can't be so."""
        if status not in {202, 400} or b'"results"' not in body:
            return
        rows = json.loads(body)["results"]
        for row, key in zip(rows, _keys(call, len(rows)), strict=True):
            self._write_row(number, row, key)

    def write_hook(self, number: int, name: str, call: Call, status: int) -> None:
        """What a call of gateway ``name`` brought, where it was taken."""
        if status != 200:
            return
        gateway = self._gateways[name]
        early, late = (_incoming(gateway, call, at) for at in (NOW, NOW + HOUR))
        for item in early & late:  # not those whose key comes from the moment
            match item:
                case Inbound():
                    self.inbound[name, item.key] = number
                case Receipt():
                    self.receipts[name, item.ref] = number
                case Unreadable():
                    self.quarantine[f"hooks/{name}", item.key] = number

    def wrong(self, store: Path, *, exact: bool) -> Iterator[tuple[int, str]]:
        """The number of each request of which something is lost, and what it is.

        ``exact``: every answer was read, so the store has nothing that none acknowledged.
        """
        for table, columns, wanted in (
            ("event", "source, id", self.events),
            ("quarantine", "door, key", self.quarantine),
            ("inbound", "gateway, key", self.inbound),
            ("receipt", "gateway, ref", self.receipts),
        ):
            held = rows(store, f"SELECT {columns} FROM {table}")
            for lost in wanted.keys() - held:
                yield wanted[lost], f"acknowledged and lost: {lost!r} of {table}"
        if exact:
            yield from self._beyond(store)

    def _beyond(self, store: Path) -> Iterator[tuple[int, str]]:
        held = rows(store, "SELECT source, id FROM event")
        if held != self.stored.keys():
            yield -1, f"{len(self.stored)} were answered with stored, {len(held)} events are there"
        aside = rows(store, "SELECT door, key FROM quarantine WHERE door = 'events'")
        told = {key for key in self.quarantine if key[0] == "events"}
        if aside != told:
            yield -1, f"{len(told)} were answered with quarantined, {len(aside)} are there"

    def _write_row(self, number: int, row: Mapping[str, str], key: str) -> None:
        match row["result"]:
            case "stored" if (row["source"], row["id"]) in self.stored:
                raise ValueError("an event was stored twice")
            case "stored":
                self.stored[row["source"], row["id"]] = number
                self.events[row["source"], row["id"]] = number
            case "duplicate":
                self.events[row["source"], row["id"]] = number
            case "quarantined" if "id" in row:
                key = f"{row['source']}|{row['id']}|{row['reason']}"
                self.quarantine["events", key] = number
            case "quarantined":
                if key:
                    self.quarantine["events", key] = number
            case other:
                raise ValueError(other)


def rows(store: Path, query: str) -> set[tuple[str, ...]]:
    """What stands in the store."""
    with closing(sqlite3.connect(store)) as database:
        return set(database.execute(query).fetchall())


def said_wrong(log: str) -> Iterator[str]:
    """What must not stand in a log."""
    if "Traceback" in log or '"exception"' in log:
        yield "the log has a traceback"
    if _NUMBER.search(re.sub(r"(?<=\d)[ .()-]+(?=\d)", "", log)):
        yield "the log has a number in the clear"


def _keys(call: Call, count: int) -> list[str]:
    """What each item of a request is kept aside by, where it can't be read; else empty.

    Of a request whose attributes are headers it can't be told: HTTP changes their spaces.
    """
    if not call.believed or any(name.startswith("ce-") for name in call.headers):
        return [""] * count
    kind = call.headers.get("content-type", "application/octet-stream")
    try:
        items = [
            cloudevents.read_item(one, NOW) for one in cloudevents.read_body(call.body, kind, {})
        ]
    except EventError as error:
        items = [cloudevents.unreadable(call.body, error, NOW)]
    return [item.key if isinstance(item, Quarantined) else "" for item in items]


def _incoming(gateway: Gateway, call: Call, at: int) -> set[Inbound | Receipt | Unreadable]:
    return set(gateway.read_webhook(request_of(call, at)).incoming)
