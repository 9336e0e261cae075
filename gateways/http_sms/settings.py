"""The table ``[gateways.<name>]`` of an HTTP SMS provider: its shape, and what must hold in it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateways.http_sms import template
from gateways.http_sms.document import pattern_of
from gateways.settings import GatewayTable, Table, fault_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.errors import Fault

OutcomeName = Literal[
    "accepted",
    "duplicate",
    "temporary",
    "throttled",
    "unknown",
    "opted_out",
    "permanent:recipient",
    "permanent:content",
    "permanent:template",
    "permanent:account",
    "permanent:configuration",
]

# Only 503 is proven "not taken"; any other 5xx may have taken the message before it broke.
STATUSES: Final[dict[int, OutcomeName]] = {
    301: "permanent:configuration",
    307: "permanent:configuration",
    308: "permanent:configuration",
    400: "permanent:content",
    401: "permanent:account",
    402: "permanent:account",
    403: "permanent:account",
    404: "permanent:configuration",
    405: "permanent:configuration",
    407: "permanent:configuration",
    408: "unknown",
    409: "unknown",
    410: "permanent:configuration",
    413: "permanent:content",
    415: "permanent:configuration",
    422: "permanent:content",
    429: "throttled",
    503: "temporary",
}


def _url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if scheme not in {"http", "https"} or not separator or not host:
        raise ValueError("must be an address that starts with http:// or https://")
    if "{" in host or "@" in host:
        raise ValueError("must have a host without placeholders, user and password")
    return text


def _path(text: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", text):
        raise ValueError("must be a path such as /receipt")
    return text.rstrip("/")


def _groups(pattern: str) -> str:
    pattern_of(pattern)
    return pattern


Url = Annotated[str, AfterValidator(_url)]
Path = Annotated[str, AfterValidator(_path)]
Pattern = Annotated[str, AfterValidator(_groups)]
Network = Annotated[str, AfterValidator(lambda text: str(ipaddress.ip_network(text)))]
Seconds = Annotated[float, Field(gt=0, le=600)]
Secret = Annotated[str, Field(min_length=1)]
Code = str | int | bool


class BasicAuth(Table):
    """User and password of the HTTP scheme Basic."""

    user: Secret
    password: str = ""


class Body(Table):
    """What goes after the headers. ``xml`` escapes every placeholder that has no filter."""

    kind: Literal["json", "form", "xml", "text"]
    content: Any
    content_type: str = ""

    @model_validator(mode="after")
    def _content_fits(self) -> Self:
        match self.kind:
            case "xml" | "text" if not isinstance(self.content, str):
                raise ValueError(f"content of kind {self.kind} must be one string")
            case "form" if not _is_flat(self.content):
                raise ValueError("content of kind form must be a table of words and numbers")
            case _:
                return self


def _is_flat(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(value, str | int | float | bool) for value in content.values()
    )


class Request(Table):
    """How one message is asked for. Times are in seconds."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    url: Url
    query: dict[str, Code] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Body | None = None
    basic_auth: BasicAuth | None = None
    connect_timeout: Seconds = 5.0
    timeout: Seconds = 20.0
    keep_alive: Annotated[float, Field(ge=0, le=600)] = 4.0

    @model_validator(mode="after")
    def _connects_first(self) -> Self:
        if self.connect_timeout >= self.timeout:
            raise ValueError("connect_timeout must be shorter than timeout, which is the whole")
        return self


class Answer(Table):
    """What the provider's words mean. Paths lead into JSON, or name groups of ``pattern``."""

    kind: Literal["json", "text", "xml", "none"] = "json"
    pattern: Pattern = ""
    code: str = ""
    ref: str = ""
    detail: str = ""
    codes: dict[str, OutcomeName] = Field(default_factory=dict)
    otherwise: OutcomeName = "permanent:recipient"
    statuses: dict[int, OutcomeName] = Field(default_factory=dict)
    retry_after: Seconds = 30.0

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.kind == "none":
            return self
        if not self.code or not self.codes:
            raise ValueError('needs code and codes; write kind = "none" where any 2xx is a yes')
        if "accepted" not in self.codes.values():
            raise ValueError("codes must say which code means accepted")
        if self.kind != "json":
            _check_groups(self.pattern, self.code, self.ref, self.detail)
        return self


def _check_groups(pattern: str, *names: str) -> None:
    groups = pattern_of(pattern).groupindex
    missing = sorted(name for name in names if name and name not in groups)
    if missing:
        raise ValueError(f"pattern has no group (?P<{missing[0]}>…)")


class SecretCheck(Table):
    """A shared secret in the query, a header, or a field of the body."""

    kind: Literal["secret"]
    place: Literal["query", "header", "field"]
    name: Secret
    secret: Secret


class HmacCheck(Table):
    """HMAC-SHA256 of the raw body, in hexadecimal, in a header."""

    kind: Literal["hmac"]
    header: Secret
    secret: Secret


class SourceCheck(Table):
    """The addresses that the provider calls from."""

    kind: Literal["source"]
    addresses: Annotated[list[Network], Field(min_length=1)]


class NoCheck(Table):
    """Anybody who finds the address is believed: only where something in front of us checks."""

    kind: Literal["none"]


Check = Annotated[SecretCheck | HmacCheck | SourceCheck | NoCheck, Field(discriminator="kind")]


class Callback(Table):
    """A call from the provider: where, who may, how it is read, and what it expects back."""

    path: Path
    auth: Annotated[list[Check], Field(min_length=1)]
    """Each of them must hold."""
    fields: Literal["query", "form", "json", "text", "xml"] = "json"
    pattern: Pattern = ""
    items: str = ""
    """Where a batch has its list; empty for a call that brings one thing."""
    reply: str = ""
    reply_type: str = "text/plain"

    @model_validator(mode="after")
    def _none_stands_alone(self) -> Self:
        if len(self.auth) > 1 and any(check.kind == "none" for check in self.auth):
            raise ValueError("auth of kind none excludes every other")
        return self


class Receipts(Callback):
    """Delivery reports."""

    path: Path = "/receipt"
    ref: Secret
    ref_is: Literal["ref", "key"] = "ref"
    status: Secret
    statuses: Annotated[dict[str, Literal["pending", "delivered", "failed"]], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.fields in {"text", "xml"}:
            _check_groups(self.pattern, self.ref, self.status)
        return self


class Inbounds(Callback):
    """What people send to the office's number."""

    path: Path = "/inbound"
    id: str = ""
    sender: Secret
    text: Secret
    to: str = ""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.fields in {"text", "xml"}:
            _check_groups(self.pattern, self.id, self.sender, self.text, self.to)
        return self


class UnicodeWords(Table):
    """The provider's words for a text that does not fit GSM-7, and for one that does."""

    yes: Code = "1"
    no: Code = "0"


class Settings(GatewayTable):
    """The whole table. ``rate``: segments a second; others in seconds."""

    sender: str = ""
    phone_format: Literal["84", "0", "+84"] = "84"
    unicode: UnicodeWords = UnicodeWords()
    max_segments: Annotated[int, Field(ge=1, le=20)] = 3
    rate: Annotated[float, Field(gt=0, le=10_000)] = 30.0
    window: Annotated[int, Field(ge=1, le=1_000)] = 16
    recipient_gap: Annotated[float, Field(ge=0, le=60)] = 0.0
    suppresses_duplicates: Annotated[int, Field(ge=0, le=30 * 86_400)] = 0
    secrets: dict[str, Secret] = Field(default_factory=dict)
    request: Request
    answer: Answer
    receipts: Receipts | None = None
    inbound: Inbounds | None = None


def further_faults(name: str, table: Mapping[str, Any]) -> Iterator[Fault]:
    """What must hold between the keys of a table, looked for even where its shape is wrong."""
    request, secrets = _table(table, "request"), _table(table, "secrets")
    body = _table(request, "body").get("content")
    asked = {
        "url": request.get("url"),
        "query": request.get("query"),
        "headers": request.get("headers"),
        "body.content": body,
    }
    for place, value in asked.items():
        for problem in template.problems(value, secrets):
            yield fault_at(name, "request", place, problem=problem)
    yield from _header_faults(name, request)
    filters = {used: list(template.uses(list(asked.values()), used)) for used in template.NAMES}
    yield from _use_faults(name, table, filters)
    yield from _path_faults(name, table)


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _header_faults(name: str, request: Mapping[str, Any]) -> Iterator[Fault]:
    headers = _table(request, "headers")
    if any(chosen not in {"base64", "url"} for chosen in template.uses(headers, "text")):
        problem = "may hold the text only as {text|base64} or {text|url}: a header is one line"
        yield fault_at(name, "request.headers", problem=problem)
    if any(str(header).lower() == "content-type" for header in headers):
        problem = "must not name Content-Type; set request.body.content_type"
        yield fault_at(name, "request.headers", problem=problem)
    if request.get("method") == "GET" and "body" in request:
        yield fault_at(name, "request.body", problem="can't go with GET; use request.query")


def _use_faults(
    name: str, table: Mapping[str, Any], filters: Mapping[str, list[str]]
) -> Iterator[Fault]:
    for needed in ("to", "text"):
        if not filters[needed]:
            problem = f"uses {{{needed}}} nowhere, so that no message could be sent"
            yield fault_at(name, "request", problem=problem)
    if table.get("suppresses_duplicates") and not filters["key"]:
        problem = "needs {key} in the request: without it the provider can't see a duplicate"
        yield fault_at(name, "suppresses_duplicates", problem=problem)
    receipts = _table(table, "receipts")
    if receipts.get("ref_is") == "key" and "" not in filters["key"]:
        problem = "is key, so the request must hold {key} without a filter"
        yield fault_at(name, "receipts.ref_is", problem=problem)
    if receipts and receipts.get("ref_is") != "key" and not _table(table, "answer").get("ref"):
        problem = "is required: a receipt finds its message by the reference in the answer"
        yield fault_at(name, "answer.ref", problem=problem)


def _path_faults(name: str, table: Mapping[str, Any]) -> Iterator[Fault]:
    receipts, inbound = _table(table, "receipts"), _table(table, "inbound")
    same = receipts.get("path", "/receipt") == inbound.get("path", "/inbound")
    if receipts and inbound and same:
        yield fault_at(name, "inbound.path", problem="must differ from receipts.path")
