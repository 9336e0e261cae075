"""The gateways behind the doors: their tables of settings, and the calls that providers make."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fuzz import mutations, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

SECRET: Final = "the-provider-and-we-know-this"
FORGED: Final = "the-provider-and-we-knew-that"

_REQUEST: Final = {
    "url": "http://127.0.0.1:9/send",
    "body": {"kind": "json", "content": {"to": "{to}", "text": "{text}", "key": "{key}"}},
}
_ANSWER: Final = {"code": "code", "ref": "ref", "codes": {"00": "accepted"}}
_STATUSES: Final = {"1": "pending", "5": "delivered", "6": "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it comes. ``believed``: whether it has to be; None where either is right."""

    method: str = "POST"
    path: str = ""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    believed: bool | None = None


Proof = tuple[dict[str, str], dict[str, str], dict[str, str]]
"""What proves a call: of the query, of the headers, and of the fields of its body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A gateway: its table, and how a provider writes a fields of a call and proves it."""

    table: Mapping[str, Any]
    write: Callable[[Random, Mapping[str, str]], bytes]
    place: str
    """Where the proof is: ``query``, ``header``, ``field``, ``hmac``, ``source``."""
    inbound_path: str = "/inbound"
    receipt_path: str = "/receipt"
    content_type: str = "application/json"
    by_query: bool = False


def _json(chance: Random, fields: Mapping[str, str]) -> bytes:
    return json.dumps(dict(fields), ensure_ascii=chance.random() < 0.5).encode(
        errors="surrogatepass"
    )


def _batch(chance: Random, fields: Mapping[str, str]) -> bytes:
    items = b",".join(_json(chance, fields) for _ in range(chance.choice((0, 1, 3))))
    return b'{"data": {"list": [' + items + b"]}}"


def _form(chance: Random, fields: Mapping[str, str]) -> bytes:
    del chance
    return urlencode(fields, errors="surrogatepass").encode()


def _xml(chance: Random, fields: Mapping[str, str]) -> bytes:
    del chance
    told = "".join(f"<{name}>{html.escape(text)}</{name}>" for name, text in fields.items())
    return f"<Envelope><Body>{told}</Body></Envelope>".encode(errors="surrogatepass")


def _text(chance: Random, fields: Mapping[str, str]) -> bytes:
    del chance
    return "|".join(fields.values()).encode(errors="surrogatepass")


def _proof(place: str) -> dict[str, Any]:
    match place:
        case "hmac":
            return {"kind": "hmac", "header": "X-Signature", "secret": SECRET}
        case "source":
            return {"kind": "source", "addresses": ["127.0.0.0/8"]}
        case _:
            return {"kind": "secret", "place": place, "name": "x-token", "secret": SECRET}


def _table(place: str, fields: str, *, items: str = "", **patterns: str) -> dict[str, Any]:
    both = {"auth": [_proof(place)], "fields": fields, "items": items}
    of = {name: {"pattern": pattern} for name, pattern in patterns.items()}
    return {
        "kind": "http_sms",
        "request": _REQUEST,
        "answer": _ANSWER,
        "receipts": {
            **both, "ref": "ref", "status": "status", "statuses": _STATUSES,
            **of.get("receipts", {}),
        },
        "inbound": {
            **both, "id": "id", "sender": "from", "text": "text", "to": "to",
            **of.get("inbound", {}),
        },
    }  # fmt: skip


def _elements(*names: str) -> str:
    """It takes the time of its length only: what is stopped for its time would differ each time."""
    return "^" + "".join(f"(?>.*?<{name}>)(?P<{name}>[^<]*+)" for name in names)


DIALECTS: Final[Mapping[str, Dialect]] = {
    "json": Dialect(table=_table("header", "json"), write=_json, place="header"),
    "form": Dialect(
        table=_table("field", "form"), write=_form, place="field",
        content_type="application/x-www-form-urlencoded",
    ),
    "query": Dialect(
        table=_table("query", "query"), write=_text, place="query", by_query=True,
    ),
    "batch": Dialect(table=_table("hmac", "json", items="data.list"), write=_batch, place="hmac"),
    "xml": Dialect(
        table=_table(
            "source", "xml", inbound=_elements("id", "from", "text", "to"),
            receipts=_elements("ref", "status"),
        ),
        write=_xml, place="source", content_type="text/xml",
    ),
    "text": Dialect(
        table=_table(
            "header", "text",
            inbound=r"^(?P<id>[^|]*)\|(?P<from>[^|]*)\|(?P<text>.*)\|(?P<to>[^|]*)$",
            receipts=r"^(?P<ref>\S+?)\|(?P<status>\S+)",
        ),
        write=_text, place="header", content_type="text/plain",
    ),
}  # fmt: skip
"""Every form in which gateway ``http_sms`` reads a call, each with another proof."""


def _fields(chance: Random, phrases: list[str]) -> tuple[bool, dict[str, str]]:
    """Whether it is a receipt, and what it says."""
    if chance.random() < 0.3:
        status = chance.choice([*_STATUSES, "beyond words"])
        return True, {"ref": f"r{chance.randrange(10**6)}", "status": status}
    return False, {
        "id": f"mo-{chance.randrange(10**9)}",
        "from": samples.phone(chance),
        "text": chance.choice(phrases),
        "to": "8079",
    }


def call(chance: Random, dialect: Dialect, phrases: list[str]) -> Call:
    """A provider's call that is sound, or was changed, or is forged."""
    is_receipt, fields = _fields(chance, phrases)
    changed = chance.random() < 0.5
    if changed:
        name = chance.choice(sorted(fields))
        fields[name] = mutations.several(chance, mutations.text, fields[name])
    shown = FORGED if chance.random() < 0.05 else SECRET
    proved = shown is SECRET or dialect.place == "source"
    if dialect.place == "field":
        fields["x-token"] = shown
    query = dict(fields) if dialect.by_query else {}
    body = b"" if dialect.by_query else dialect.write(chance, fields)
    if chance.random() < 0.6:
        changed = True
        body = mutations.several(chance, mutations.body, body)
    headers = {"content-type": dialect.content_type}
    match dialect.place:
        case "query":
            query["x-token"] = shown
        case "header":
            headers["x-token"] = shown
        case "hmac":
            headers["x-signature"] = hmac.new(shown.encode(), body, hashlib.sha256).hexdigest()
        case _:
            pass
    path = dialect.receipt_path if is_receipt else dialect.inbound_path
    made = Call(path=path, query=query, headers=headers, body=body, believed=proved)
    if dialect.place == "field" and changed and proved:
        made = replace(made, believed=None)
    return with_other_headers(chance, made)


def simulator_call(chance: Random, phrases: list[str]) -> Call:
    """The simulated carrier's call."""
    fields = {
        "id": f"t{chance.randrange(10**9)}",
        "from": f"+84912007{chance.randrange(1_000):03}",
        "text": chance.choice(phrases),
    }
    return _of_json(chance, fields, {"x-simulator-secret": SECRET}, "/inbound")


def telegram_call(chance: Random, phrases: list[str]) -> Call:
    """Telegram's call."""
    told = samples.update(chance, chance.choice(phrases))
    return _of_json(chance, told, {"x-telegram-bot-api-secret-token": SECRET}, "")


def zalo_call(chance: Random, phrases: list[str]) -> Call:
    """The Zalo Bot Platform's call."""
    told = samples.zalo_event(chance, chance.choice(phrases))
    return _of_json(chance, told, {"x-bot-api-secret-token": SECRET}, "")


def _of_json(chance: Random, told: Any, proof: dict[str, str], path: str) -> Call:
    proved = chance.random() > 0.05
    if chance.random() < 0.6:
        told = mutations.several(chance, mutations.document, told)
    body = written(chance, told)
    if chance.random() < 0.4:
        body = mutations.several(chance, mutations.body, body)
    headers = proof if proved else dict.fromkeys(proof, FORGED)
    made = Call(
        path=path,
        query={},
        headers={"content-type": "application/json", **headers},
        body=body,
        believed=proved,
    )
    return with_other_headers(chance, made)


def written(chance: Random, value: Any) -> bytes:
    """``value`` as JSON, with what does not fit into it too."""
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")


def with_other_headers(chance: Random, made: Call) -> Call:
    """One in ten with its headers changed: what is to become of it can't be told any more."""
    if chance.random() < 0.9:
        return made
    headers = mutations.several(chance, mutations.headers, made.headers)
    believed = None if made.believed else made.believed
    return replace(made, headers=headers, believed=believed)


def tables() -> dict[str, dict[str, Any]]:
    """The tables of all gateways, by the name that each has in its hooks' addresses."""
    return {
        "simulator": {"kind": "simulator", "secret": SECRET, "rate": 2_000.0, "window": 64},
        "telegram": {
            "kind": "telegram", "token": "7700112233:AAF_token-of-nobody-0001",
            "webhook_secret": SECRET, "receive": "none", "base_url": "http://127.0.0.1:9",
        },
        "zalo_bot": {
            "kind": "zalo_bot", "token": "7700112233:nobody", "webhook_secret": SECRET,
            "base_url": "http://127.0.0.1:9",
        },
        **{name: dict(dialect.table) for name, dialect in DIALECTS.items()},
    }  # fmt: skip
