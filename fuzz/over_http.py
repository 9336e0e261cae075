"""A real ``notifier serve`` on loopback, requests that nobody should send, and the books after.

No answer is a 5xx, nothing that was acknowledged is lost, and the log holds no traceback and no
number.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from yarl import URL

from fuzz import dialects, samples, service, workers
from fuzz.books import Books, said_wrong
from fuzz.doors import event_call, hook_call
from fuzz.service import PATIENCE
from fuzz.workers import Fault, Report
from notifier.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from fuzz.dialects import Call
    from fuzz.service import Running

DOOR: Final = "http"
AT_ONCE: Final = 8

UNKNOWN: Final = ("/", "/v1", "/v1/events/", "/hooks", "/hooks/", "/hooks/nobody/inbound", "/%00",
                  "/health", "/health/live/..", "//", "/static/../../etc/passwd", "*")  # fmt: skip
KNOWN: Final = ("/health/live", "/health/ready", "/metrics", "/v1/events", "/v1/openapi.json")
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


def run(count: int, seed: str, limit: float, done: Callable[[int, int], None]) -> Report:
    """So many requests; ``done`` is told of how many came, with how many faults."""
    report, books = Report(), Books()
    with service.running() as there:
        sender = _Sender(there, seed, limit, report, books, done)
        asyncio.run(sender.send(count))
        code = there.stop()
        if code != 0:
            report.faults.append(_fault(count, f"the service ended with {code}", ""))
        for number, lost in books.wrong(there.store, exact=False):
            report.faults.append(_fault(number, lost, make(seed, number, there.secret).shown))
        log = there.log
        report.faults += [_fault(count, problem, log[-100_000:]) for problem in said_wrong(log)]
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
        there: Running,
        seed: str,
        limit: float,
        report: Report,
        books: Books,
        done: Callable[[int, int], None],
    ) -> None:
        address = urlsplit(there.url)
        self._host, self._port = address.hostname or "", address.port or 0
        self._secret = there.secret
        self._seed = seed
        self._limit = limit
        self._report = report
        self._books = books
        self._done = done
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
        if wire.kind == "events":
            self._books.write_events(number, wire.call, status, body)
        if wire.kind == "hooks":
            self._books.write_hook(number, wire.gateway, wire.call, status)

    def _note(self, number: int, problem: str, wire: Wire) -> None:
        self._report.faults.append(_fault(number, problem, wire.shown))


def _fault(number: int, problem: str, made: str) -> Fault:
    return Fault(door=DOOR, number=number, problem=problem, made=made)


PHRASES: Final = samples.phrases()
