"""A real ``notifier serve`` on loopback, requests that nobody should send, and the books after.

No answer is a 5xx, nothing that was acknowledged is lost, and the log holds no traceback and no
number.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from yarl import URL

from fuzz import dialects, samples, workers
from fuzz.doors import NOW, event_call, gateways, hook_call, request_of
from fuzz.workers import Fault, Report
from notifier.domain.instant import HOUR
from notifier.domain.message import Inbound, Receipt, Unreadable
from notifier.errors import EventError, InputError
from notifier.ports import Quarantined
from notifier.sources import cloudevents, standard_webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

    from fuzz.dialects import Call
    from notifier.ports import Gateway

DOOR: Final = "http"
AT_ONCE: Final = 8
PATIENCE: Final = 60.0
"""Seconds for an answer; what has none by then hangs."""

UNKNOWN: Final = ("/", "/v1", "/v1/events/", "/hooks", "/hooks/", "/hooks/nobody/inbound", "/%00",
                  "/health", "/health/live/..", "//", "/static/../../etc/passwd", "*")  # fmt: skip
KNOWN: Final = ("/health/live", "/health/ready", "/metrics", "/v1/events")
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
                  "get", "QUERY", "\u00dc")  # fmt: skip
ODD_HEADERS: Final = (
    "content-encoding: gzip", "content-encoding: br", "content-encoding: deflate, gzip",
    "transfer-encoding: chunked", "transfer-encoding: nothing", "expect: 100-continue",
    "expect: nothing", "content-length: 5", "content-length: -1", "content-length: x",
    "upgrade: websocket", "host: \u202e", "connection: upgrade", "range: bytes=0-9",
    "content-type: ;charset=nothing", "content-type: multipart/form-data", "cookie: a=\udcff",
    " folded: yes", "no colon", ": no name", "x: \0", "x-long: " + "x" * 9_000,
)  # fmt: skip

_NUMBER: Final = re.compile(r"(?:\+?84|0)912007\d{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A request as bytes. ``call``: what it says, where nothing about its form is odd."""

    kind: str
    raw: bytes = field(repr=False)
    call: Call | None = None
    gateway: str = ""

    @property
    def shown(self) -> str:
        """For a file of a fault."""
        return repr(self.raw[:200_000])


@dataclass(slots=True)
class Books:
    """What the service acknowledged, and therefore has to have."""

    events: dict[tuple[str, str], int] = field(default_factory=dict)
    quarantine: dict[tuple[str, str], int] = field(default_factory=dict)
    inbound: dict[tuple[str, str], int] = field(default_factory=dict)
    receipts: dict[tuple[str, str], int] = field(default_factory=dict)

    def missing(self, store: Path) -> Iterator[tuple[int, str]]:
        """The number of each request of which something is lost, and what it is."""
        with sqlite3.connect(store) as database:
            for table, columns, wanted in (
                ("event", "source, id", self.events),
                ("quarantine", "door, key", self.quarantine),
                ("inbound", "gateway, key", self.inbound),
                ("receipt", "gateway, ref", self.receipts),
            ):
                rows = database.execute(f"SELECT {columns} FROM {table}").fetchall()
                for lost in wanted.keys() - set(rows):
                    yield wanted[lost], f"a row of {table} is missing: {lost!r}"


def run(count: int, seed: str, limit: float, done: Callable[[int, int], None]) -> Report:
    """So many requests; ``done`` is told of how many came, with how many faults."""
    report, books = Report(), Books()
    with tempfile.TemporaryDirectory(prefix="notifier-fuzz-") as name:
        folder = Path(name)
        with _service(folder) as (url, secret, process):
            sender = _Sender(url, secret, seed, limit, report, books, done)
            asyncio.run(sender.send(count))
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=PATIENCE)
        if code != 0:
            report.faults.append(_fault(count, f"the service ended with {code}", ""))
        for number, lost in books.missing(folder / "notifier.db"):
            made = make(seed, number, secret)
            report.faults.append(_fault(number, f"acknowledged and lost: {lost}", made.shown))
        log = (folder / "service.log").read_text(errors="replace")
        report.faults += [_fault(count, problem, log[-100_000:]) for problem in _said_wrong(log)]
    return report


def make(seed: str, number: int, secret: bytes) -> Wire:
    """The request of this number."""
    chance = workers.chance_of(seed, DOOR, number)
    now = time.time_ns() // 1_000_000
    match chance.choices(("events", "hooks", "other", "odd"), (45, 35, 10, 10))[0]:
        case "events":
            call = event_call(chance, secret, now)
            return Wire(kind="events", raw=_bytes(call, call.path), call=call)
        case "hooks":
            name = chance.choice(sorted(dialects.tables()))
            call = hook_call(chance, name, PHRASES)
            raw = _bytes(call, f"/hooks/{name}{call.path}")
            call = replace(call, query=dict(URL(f"?{_query(call.query)}", encoded=True).query))
            return Wire(kind="hooks", raw=raw, call=call, gateway=name)
        case "other":
            return Wire(kind="other", raw=_other(chance, event_call(chance, secret, now)))
        case _:
            return Wire(kind="odd", raw=_odd(chance, event_call(chance, secret, now)))


def _bytes(call: Call, path: str, *more: str) -> bytes:
    target = quote(path) + (f"?{_query(call.query)}" if call.query else "")
    head = [f"{call.method} {target} HTTP/1.1", "host: fuzz", "connection: close"]
    head += [f"{name}: {value}" for name, value in call.headers.items()]
    head += [*more, f"content-length: {len(call.body)}"]
    return _raw("\r\n".join(head)) + b"\r\n\r\n" + call.body


def _raw(head: str) -> bytes:
    """Surrogates that stand for bytes become these bytes; others, what they are in CESU-8."""
    return b"".join(
        char.encode(errors="surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass")
        for char in head
    )


def _query(query: Mapping[str, str]) -> str:
    return urlencode(query, errors="surrogatepass")


def _other(chance: Random, call: Call) -> bytes:
    """Other paths and methods, known and not."""
    path = chance.choice((*KNOWN, *UNKNOWN, f"/{chance.randbytes(9).hex()}", "/hooks/json/inbound"))
    call = replace(call, method=chance.choice(METHODS))
    if chance.random() < 0.5:
        call = replace(call, body=b"", headers={})
    return _bytes(call, path)


def _odd(chance: Random, call: Call) -> bytes:
    """Requests that are none, or break off."""
    raw = _bytes(call, call.path, *chance.sample(ODD_HEADERS, chance.choice((1, 1, 2))))
    match chance.randrange(4):
        case 0:
            return raw[: chance.randrange(len(raw) + 1)]
        case 1:
            return raw.replace(b"HTTP/1.1", chance.choice((b"HTTP/1.0", b"HTTP/9.9", b"", b"\0")))
        case 2:
            return raw.replace(b"connection: close", b"connection: keep-alive") + raw
        case _:
            return raw


class _Sender:
    """Sends, looks at every answer, and writes down what was acknowledged."""

    def __init__(
        self,
        url: str,
        secret: bytes,
        seed: str,
        limit: float,
        report: Report,
        books: Books,
        done: Callable[[int, int], None],
    ) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 0
        self._secret = secret
        self._seed = seed
        self._limit = limit
        self._report = report
        self._books = books
        self._done = done
        self._gateways = gateways()
        self._told = 0

    async def send(self, count: int) -> None:
        """All of them, a few at once."""
        numbers = iter(range(count))

        async def work() -> None:
            for number in numbers:
                await self._one(number)
                self._done(1, self._new_faults())

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    def _new_faults(self) -> int:
        new, self._told = len(self._report.faults) - self._told, len(self._report.faults)
        return new

    async def _one(self, number: int) -> None:
        wire = make(self._seed, number, self._secret)
        status, body, took = await self._ask(wire)
        if took > self._limit and wire.kind != "odd":
            # Others were before it in the queue, or the machine was busy: it may try again.
            _, _, again = await self._ask(wire)
            took = min(took, again)
            if took > self._limit:
                self._note(number, f"it took {took:.2f} s", wire)
        if status >= 500:
            self._note(number, f"answered with {status}: {body[:500]!r}", wire)
        if status == 0 and wire.kind != "odd":
            self._note(number, "there was no answer", wire)
        report = self._report
        report.inputs[DOOR] += 1
        report.outcomes[f"{DOOR}: {wire.kind} {status or 'no answer'}"] += 1
        report.slowest[DOOR] = max(took * 1_000, report.slowest.get(DOOR, 0.0))
        try:
            self._write_down(number, wire, status, body)
        except (ValueError, KeyError, TypeError, InputError) as error:
            self._note(number, f"the answer {body[:500]!r} can't be read: {error!r}", wire)

    async def _ask(self, wire: Wire) -> tuple[int, bytes, float]:
        """Status (0: none), body, and seconds."""
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection(self._host, self._port)
        answer = b""
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(0.3 if wire.kind == "odd" else PATIENCE):
                writer.write(wire.raw)
                answer = await reader.read(1 << 16)
                while more := await reader.read(1 << 16):
                    answer += more
        took = time.perf_counter() - began
        writer.transport.abort()
        head, _, body = answer.partition(b"\r\n\r\n")
        found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        return int(found[1]) if found else 0, body, took

    def _write_down(self, number: int, wire: Wire, status: int, body: bytes) -> None:
        if wire.call is None:
            return
        if wire.kind == "events" and status in {202, 400} and b'"results"' in body:
            rows = json.loads(body)["results"]
            for row, key in zip(rows, _keys(wire.call, len(rows)), strict=True):
                self._write_row(number, row, key)
        if wire.kind == "hooks" and status == 200:
            self._write_incoming(number, wire.gateway, wire.call)

    def _write_row(self, number: int, row: Mapping[str, str], key: str) -> None:
        match row["result"]:
            case "stored" | "duplicate":
                self._books.events[row["source"], row["id"]] = number
            case "quarantined" if "id" in row:
                key = f"{row['source']}|{row['id']}|{row['reason']}"
                self._books.quarantine["events", key] = number
            case "quarantined":
                if key:
                    self._books.quarantine["events", key] = number
            case other:
                raise ValueError(other)

    def _write_incoming(self, number: int, name: str, call: Call) -> None:
        gateway = self._gateways[name]
        early, late = (_incoming(gateway, call, at) for at in (NOW, NOW + HOUR))
        for item in early & late:  # not those whose key comes from the moment
            match item:
                case Inbound():
                    self._books.inbound[name, item.key] = number
                case Receipt():
                    self._books.receipts[name, item.ref] = number
                case Unreadable():
                    self._books.quarantine[f"hooks/{name}", item.key] = number

    def _note(self, number: int, problem: str, wire: Wire) -> None:
        self._report.faults.append(_fault(number, problem, wire.shown))


def _keys(call: Call, count: int) -> list[str]:
    """What each item of a request is kept aside by, where it can't be read; else empty.

    Of a request whose attributes are headers it can't be told: HTTP changes their spaces.
    """
    if not call.believed or any(name.startswith("ce-") for name in call.headers):
        return [""] * count
    kind = call.headers["content-type"]
    try:
        items = [
            cloudevents.read_item(one, NOW) for one in cloudevents.read_body(call.body, kind, {})
        ]
    except EventError as error:
        items = [cloudevents.unreadable(call.body, error, NOW)]
    return [item.key if isinstance(item, Quarantined) else "" for item in items]


def _incoming(gateway: Gateway, call: Call, at: int) -> set[Inbound | Receipt | Unreadable]:
    return set(gateway.read_webhook(request_of(call, at)).incoming)


def _said_wrong(log: str) -> Iterator[str]:
    if "Traceback" in log or '"exception"' in log:
        yield "the log has a traceback"
    if _NUMBER.search(re.sub(r"(?<=\d)[ .()-]+(?=\d)", "", log)):
        yield "the log has a number in the clear"


def _fault(number: int, problem: str, made: str) -> Fault:
    return Fault(door=DOOR, number=number, problem=problem, made=made)


@contextmanager
def _service(folder: Path) -> Iterator[tuple[str, bytes, subprocess.Popen[str]]]:
    """``notifier serve`` on a new store; its address and the secret of events."""
    lines = [
        'log = { level = "info" }',
        'hours = { notices = ["00:00", "23:59"], broadcasts = ["00:00", "23:59"] }',
        f"gateways = {_toml(dialects.tables())}",
        'routes = { sms = ["simulator"], telegram = ["telegram"] }',
    ]
    (folder / "notifier.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("NOTIFIER_")},
        "NOTIFIER_CONFIG": str(folder),
        "NOTIFIER_STORE": f"sqlite:///{folder}/notifier.db",
        "NOTIFIER_KEYS": f"{folder}/keys",
        "NOTIFIER_WEB__PORT": "0",
    }
    command = [sys.executable, "-m", "notifier", "serve"]
    with (
        (folder / "service.log").open("w") as log,
        subprocess.Popen(  # noqa: S603 - our own command
            command, env=env, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if not said.startswith("ready "):
                raise SystemExit((folder / "service.log").read_text())
            keys = json.loads((folder / "keys").read_text())
            yield said.split()[1], standard_webhooks.read_secret(keys["events"]), process
        finally:
            process.kill()


def _toml(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f'"{k}" = {_toml(v)}' for k, v in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


PHRASES: Final = samples.phrases()
