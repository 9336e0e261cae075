"""Requests that schemathesis makes from the service's OpenAPI document, and what they answer.

Half keep to the document and half do not. Each answer has to be one that the document names, and
the store after holds what was acknowledged, no less and no more.
"""

from __future__ import annotations

import copy
import time
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import hypothesis
import requests
import schemathesis
from hypothesis import strategies
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from fuzz import dialects, service
from fuzz.books import Books, said_wrong
from fuzz.dialects import SECRET, Call
from fuzz.doors import signed
from fuzz.service import PATIENCE
from fuzz.workers import Fault, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from schemathesis import APIOperation, Case

    from fuzz.service import Running

DOOR: Final = "schema"
AT_A_TIME: Final = 20
"""Cases of one operation before the next has its turn."""

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

WEIGHTS: Final = {"POST /v1/events": 4, "POST /hooks/{gateway}/{tail}": 4}
CODE: Final = r"^H(19|29|56)\.45-2611(0[1-9]|1[0-9])-0[0-2][0-9]{2}$"
TIME: Final = r"^202[0-5]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T(0[0-9]|1[0-9]):[0-5][0-9]:00Z$"
PROOFS: Final = {
    "x-token": SECRET, "x-simulator-secret": SECRET,
    "x-telegram-bot-api-secret-token": SECRET, "x-bot-api-secret-token": SECRET,
}  # fmt: skip


def run(count: int, seed: str, limit: float, done: Callable[[int, int], None]) -> Report:
    """So many requests; ``done`` is told of how many came, with how many faults."""
    report, books = Report(), Books()
    with service.running() as there:
        sender = _Sender(there, limit, report, books, done)
        turns = _turns(requests.get(f"{there.url}/v1/openapi.json", timeout=PATIENCE).json())
        chance = Random(f"{seed}|{DOOR}")
        while report.inputs[DOOR] < count:
            operation, mode = next(turns)
            most = 1 if _is_always_the_same(operation) else AT_A_TIME
            left = min(most, count - report.inputs[DOOR])
            _ask(sender, operation, mode, left, chance.randrange(2**32))
        code = there.stop()
        if code != 0:
            report.faults.append(_fault(count, f"the service ended with {code}", ""))
        wrong = books.wrong(there.store, exact=True)
        report.faults += [_fault(number, problem, "") for number, problem in wrong]
        log = there.log
        report.faults += [_fault(count, problem, log[-100_000:]) for problem in said_wrong(log)]
    for name in ("stored", "quarantine"):
        report.outcomes[f"{DOOR}: {name}, and in the store"] = len(getattr(books, name))
    return report


def storable(document: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` with codes and times narrowed to what an office has, so that it is stored."""
    narrowed = copy.deepcopy(dict(document))
    schemas = narrowed["components"]["schemas"]
    schemas["Event"]["properties"]["subject"] = {"type": "string", "pattern": CODE}
    for name, fields in (
        ("Event", ("time",)),
        ("Data", ("received_at", "due_at", "finished_at", "returned_at")),
        ("RescheduledData", ("due_at",)),
        ("SupplementData", ("requested_at",)),
    ):
        for field in fields:
            schemas[name]["properties"][field] = {"type": "string", "pattern": TIME}
    return narrowed


def _turns(document: Mapping[str, Any]) -> Iterator[tuple[APIOperation, GenerationMode]]:
    """The operations round and round, the doors most, by the document and against it."""
    both = (
        (GenerationMode.POSITIVE, schemathesis.openapi.from_dict(storable(document))),
        (GenerationMode.NEGATIVE, schemathesis.openapi.from_dict(dict(document))),
    )
    every = [
        (operation, mode)
        for mode, schema in both
        for operation in (result.ok() for result in schema.get_all_operations())
        for _ in range(WEIGHTS.get(operation.label, 1))
    ]
    every = [(o, m) for o, m in every if m is GenerationMode.POSITIVE or o.method == "post"]
    while True:
        yield from every


def _is_always_the_same(operation: APIOperation) -> bool:
    return operation.method == "get" and "{" not in operation.path


def _ask(
    sender: _Sender, operation: APIOperation, mode: GenerationMode, count: int, seed: int
) -> None:
    """At most ``count`` cases; there are fewer where the document leaves no choice."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(
        case=operation.as_strategy(generation_mode=mode),
        gateway=strategies.sampled_from([*dialects.tables(), ""]),
        tail=strategies.sampled_from(["inbound", "receipt", ""]),
        proves=strategies.integers(0, 9).map(bool),
    )
    def ask(case: Case, gateway: str, tail: str, *, proves: bool) -> None:
        path = case.path_parameters or {}
        if gateway and "gateway" in path:
            case.path_parameters = {**path, "gateway": gateway}
            if tail and "tail" in path:
                case.path_parameters = {**case.path_parameters, "tail": tail}
        if sender.left:
            sender.send(case, gateway if "gateway" in path else "", proves=proves)

    sender.left = count
    # Against a document that allows nearly all, schemathesis may find nothing in all of a turn.
    with suppress(hypothesis.errors.Unsatisfiable):
        ask()


class _Sender:
    """Sends each case, signed or not, looks at the answer, and keeps the books."""

    left = 0
    """How many may still be sent; hypothesis may make some more."""

    def __init__(
        self,
        there: Running,
        limit: float,
        report: Report,
        books: Books,
        done: Callable[[int, int], None],
    ) -> None:
        self._there = there
        self._limit = limit
        self._report = report
        self._books = books
        self._done = done
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, case: Case, gateway: str, *, proves: bool) -> None:
        """One case; whatever is wrong with its answer is a fault."""
        report = self._report
        number = report.inputs[DOOR]
        self.left -= 1
        report.inputs[DOOR] += 1
        before = len(report.faults)
        request = self._prepared(case, proves=proves)
        if request is None:
            report.outcomes[f"{DOOR}: no request of HTTP"] += 1
            self._done(1, 0)
            return
        shown = f"{request.method} {request.url}\n{request.headers}\n\n{request.body!r}"[:200_000]
        began = time.perf_counter()
        try:
            answer = self._session.send(request, timeout=PATIENCE, allow_redirects=False)
            took = time.perf_counter() - began
            case.validate_response(answer, checks=CHECKS)
            self._write_down(number, request, gateway, answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, that is what is looked for
            took = time.perf_counter() - began
            report.faults.append(_fault(number, f"{type(error).__name__}: {error}", shown))
        else:
            report.outcomes[f"{DOOR}: {case.operation.label} {answer.status_code}"] += 1
        if took > self._limit:
            report.faults.append(_fault(number, f"it took {took:.2f} s", shown))
        report.slowest[DOOR] = max(took * 1_000, report.slowest.get(DOOR, 0.0))
        self._done(1, len(report.faults) - before)

    def _prepared(self, case: Case, *, proves: bool) -> requests.PreparedRequest | None:
        """The request as bytes; None where it can't be written as HTTP at all."""
        told = case.as_transport_kwargs(base_url=self._there.url)
        try:
            request = requests.Request(
                **{key: value for key, value in told.items() if key in _OF_REQUEST}
            ).prepare()
        except (requests.exceptions.InvalidHeader, UnicodeError):
            return None
        if isinstance(request.body, str):
            request.body = request.body.encode()
        if proves:
            call = Call(query={}, headers={}, body=request.body or b"")
            now = time.time_ns() // 1_000_000
            request.headers.update({**PROOFS, **signed(call, self._there.secret, now).headers})
        return request

    def _write_down(
        self,
        number: int,
        request: requests.PreparedRequest,
        gateway: str,
        answer: requests.Response,
    ) -> None:
        place = urlsplit(request.url or "")
        call = Call(
            method=request.method or "",
            path=place.path.removeprefix(f"/hooks/{quote(gateway)}"),
            query=dict(parse_qsl(place.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.body if isinstance(request.body, bytes) else b"",
            believed=True,
        )
        if place.path == "/v1/events":
            self._books.write_events(number, call, answer.status_code, answer.content)
        elif gateway:
            self._books.write_hook(number, gateway, call, answer.status_code)


_OF_REQUEST: Final = frozenset(
    {"method", "url", "headers", "files", "data", "json", "params", "auth", "cookies"}
)


def _fault(number: int, problem: str, made: str) -> Fault:
    return Fault(door=DOOR, number=number, problem=problem, made=made)
