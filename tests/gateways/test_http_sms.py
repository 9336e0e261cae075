"""The gateway to HTTP SMS providers: the contract in five dialects, and the tables behind it."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import hmac
import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aiohttp import web
from contracts.gateway import GatewayContract, RecordingSink, Rig, message, watched
from doubles.clock import StillClock
from doubles.sms_providers import (
    AGGREGATORS,
    HOOK_SECRET,
    PERSON,
    Aggregator,
    Esms,
    PlainGet,
    SmsRig,
    VietGuys,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.exchange import HttpAnswer
from gateways.http_sms import HttpSmsGateway, callback
from gateways.http_sms.answer import read_answer
from gateways.http_sms.document import find, find_text
from gateways.http_sms.request import dialled, prepare
from gateways.http_sms.settings import (
    Answer,
    BasicAuth,
    Body,
    Inbounds,
    Receipts,
    Request,
    Settings,
)
from gateways.http_sms.template import fill
from gateways.words import LONGEST, quote, storable
from notifier.domain.message import (
    Address,
    Inbound,
    Receipt,
    ReceiptStatus,
    Unreadable,
)
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Outcome,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.domain.segments import Encoding, SegmentPlan
from notifier.errors import ConfigurationError, SignatureError, WebhookError
from notifier.ports import HealthState, WebhookRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@pytest.fixture(params=AGGREGATORS, ids=lambda aggregator: aggregator.__name__)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with watched(lambda: SmsRig(request.param)) as rig:
        yield rig


class TestDialects(GatewayContract):
    """The whole contract, in the words of five providers."""


def table(aggregator: type[Aggregator] = Esms, **changes: Any) -> dict[str, Any]:
    """The settings of a provider at an address where nothing listens."""
    return aggregator().table() | copy.deepcopy(changes)


def gateway(aggregator: type[Aggregator] = Esms, **changes: Any) -> HttpSmsGateway:
    return HttpSmsGateway("sms", table(aggregator, **changes), StillClock())


# ---------------------------------------------------------------------------------------- answers

ANSWER = Answer.model_validate(
    {
        "code": "code",
        "ref": "data.ids",
        "detail": "why",
        "codes": {
            "0": "accepted",
            "1": "duplicate",
            "2": "temporary",
            "3": "throttled",
            "4": "opted_out",
            "5": "permanent:template",
            "6": "unknown",
            "true": "accepted",
        },
        "statuses": {418: "throttled"},
    }
)


def read(status: int, body: object, **headers: str) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(HttpAnswer(status=status, body=raw, **headers), ANSWER, ())


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"code": "0"}, Accepted()),
        (200, {"code": 0}, Accepted()),
        (200, {"code": True}, Accepted()),
        (201, {"code": "0", "data": {"ids": "a-1"}}, Accepted(refs=("a-1",))),
        (200, {"code": "0", "data": {"ids": 17}}, Accepted(refs=("17",))),
        (200, {"code": "0", "data": {"ids": ["a", 2, None]}}, Accepted(refs=("a", "2"))),
        (200, {"code": "1", "data": {"ids": "a"}}, Accepted(refs=("a",), duplicate=True)),
        (200, {"code": "2", "why": "sau"}, Temporary(code="2", detail="sau")),
        (200, {"code": "3"}, Throttled(retry_after=30_000)),
        (200, {"code": "4"}, OptedOut(code="4")),
        (200, {"code": "5"}, Permanent(code="5", scope=Scope.TEMPLATE)),
        (200, {"code": "6"}, Unknown(code="6")),
        # a code that the table does not know is kept, and is final
        (200, {"code": "789", "why": "x"}, Permanent(code="789", detail="x")),
        # a code of the table decides in spite of the status, but never to "accepted"
        (500, {"code": "5"}, Permanent(code="5", scope=Scope.TEMPLATE)),
        (500, {"code": "0"}, Unknown(code="0")),
        (400, {"code": "1"}, Unknown(code="1")),
        # without one, the status decides
        (400, {"code": "789"}, Permanent(code="http-400", scope=Scope.CONTENT)),
        (401, b"no", Permanent(code="http-401", scope=Scope.ACCOUNT)),
        (403, b"", Permanent(code="http-403", scope=Scope.ACCOUNT)),
        (404, b"", Permanent(code="http-404", scope=Scope.CONFIGURATION)),
        (451, b"", Permanent(code="http-451", scope=Scope.CONFIGURATION)),
        (301, b"", Permanent(code="http-301", scope=Scope.CONFIGURATION)),
        (418, b"", Throttled(retry_after=30_000)),
        (429, b"", Throttled(retry_after=30_000)),
        (503, b"", Temporary(code="http-503")),
        # nobody knows
        (303, b"", Unknown(code="http-303")),
        (408, b"", Unknown(code="http-408")),
        (409, b"", Unknown(code="http-409")),
        (500, b"", Unknown(code="http-500")),
        (502, b"<html>", Unknown(code="http-502")),
        (504, b"", Unknown(code="http-504")),
    ],
)
def test_answer(status: int, body: object, outcome: Outcome) -> None:
    assert read(status, body) == outcome


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"code": null}',
        b'{"code": {"a": 1}}',
        b'{"code": " "}',
        b'{"other": "0"}',
        b"[" * 100_000,
        b'{"code": "0"',
    ],
    ids=lambda body: repr(body[:16]),
)
def test_a_yes_that_cannot_be_read_is_unknown(body: bytes) -> None:
    assert read(200, body) == Unknown(code="unreadable", detail="the answer can't be read")


def test_an_answer_too_long_to_read_is_unknown() -> None:
    answer = HttpAnswer(status=200, body=None)
    assert isinstance(read_answer(answer, ANSWER, ()), Unknown)


DATE = "Mon, 23 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0),
        ("7", 7_000),
        ("999999999999", 86_400_000),
        ("Mon, 23 Nov 2026 08:02:00 GMT", 120_000),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400_000),
        ("", 30_000),
        ("-5", 30_000),
        ("soon", 30_000),
    ],
)
def test_retry_after(header: str, wait: int) -> None:
    assert read(429, b"", retry_after=header, date=DATE) == Throttled(retry_after=wait)


def test_retry_after_of_503() -> None:
    assert read(503, b"", retry_after="9") == Temporary(code="http-503", retry_after=9_000)


@given(status=st.integers(200, 599), body=st.binary(max_size=200), header=st.text(max_size=30))
@settings(max_examples=150)
def test_any_answer_is_some_outcome_and_never_accepted_by_accident(
    status: int, body: bytes, header: str
) -> None:
    outcome = read(status, body, retry_after=header, date=header)
    assert not isinstance(outcome, Accepted) or b"code" in body


def test_an_answer_without_words_is_taken_by_its_status() -> None:
    anything = Answer.model_validate({"kind": "none"})
    assert read_answer(HttpAnswer(status=202, body=b"?"), anything, ()) == Accepted()
    assert isinstance(read_answer(HttpAnswer(status=500, body=b""), anything, ()), Unknown)


@pytest.mark.parametrize(
    ("words", "hidden", "kept"),
    [
        ("số 84912345678 không hợp lệ", (), "số … không hợp lệ"),
        ("0912 345 678, +84(91)2345678", (), "…, …"),
        ("lỗi 102 lúc 2026", (), "lỗi 102 lúc 2026"),
        ("key=abc-def sai", ("abc-def",), "key=… sai"),
        ("abcdef abc", ("abc", "abcdef"), "… …"),
        ("một\n  hai\0", (), "một hai"),
        ("x" * 500, (), "x" * LONGEST),
    ],
)
def test_quoted_words(words: str, hidden: tuple[str, ...], kept: str) -> None:
    assert quote(words, hidden) == kept


@given(st.text(st.characters(codec=None), max_size=40))
@settings(max_examples=100)
def test_storable_text_can_be_stored(text: str) -> None:
    kept = storable(text)
    assert "\0" not in kept
    assert kept.encode().decode() == kept
    assert storable(kept) == kept


# --------------------------------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("form", "number", "asked"),
    [
        ("84", "+84912345678", "84912345678"),
        ("0", "+84912345678", "0912345678"),
        ("+84", "+84912345678", "+84912345678"),
        ("84", "+85620555666", "85620555666"),
        ("0", "+85620555666", "0085620555666"),
        ("0", "8079", "8079"),
    ],
    ids=["84", "0", "+84", "foreign 84", "foreign 0", "short code"],
)
def test_number_as_the_provider_wants_it(form: str, number: str, asked: str) -> None:
    assert dialled(number, form) == asked


VALUES = {"text": 'a"&<b>', "segments": 2, "unicode": True, "to": "84", "secret:k": "s{to}"}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{segments}", 2),
        ("{unicode}", True),
        ("{segments} phần", "2 phần"),
        ("{unicode}!", "true!"),
        ("{text}", 'a"&<b>'),
        ("{text|xml}", "a&quot;&amp;&lt;b&gt;"),
        ("{text|base64}", base64.b64encode(b'a"&<b>').decode()),
        ("{text|url}", "a%22%26%3Cb%3E"),
        ("{to|digest}", hashlib.sha256(b"84").hexdigest()[:32]),
        ("{secret:k}", "s{to}"),
        ("{{to}}", "{to}"),
        ("{{{to}}}", "{84}"),
        (["{to}", {"a": ["{segments}", 7, None]}], ["84", {"a": [2, 7, None]}]),
    ],
    ids=str,
)
def test_template(template: Any, filled: Any) -> None:
    assert fill(template, VALUES) == filled


def test_gsm_text_is_marked_as_such() -> None:
    plain = message(PERSON, "Ho so da xong")
    plan = SegmentPlan(encoding=Encoding.GSM7, units=13, parts=("Ho so ", "da xong"))
    settings_of = Settings.model_validate(table())
    body = prepare(replace(plain, plan=plan), settings_of).body
    assert body is not None
    assert json.loads(body)["IsUnicode"] == "0"


@given(st.text(st.characters(codec="utf-8"), max_size=60))
@settings(max_examples=60)
def test_any_text_survives_query_and_form(text: str) -> None:
    get = prepare(message(PERSON, text), Settings.model_validate(table(PlainGet)))
    query = parse_qs(urlsplit(get.url).query, keep_blank_values=True, strict_parsing=True)
    assert query["text"] == [text]
    form = prepare(message(PERSON, text), Settings.model_validate(table(VietGuys)))
    assert form.body is not None
    assert parse_qs(form.body.decode(), keep_blank_values=True)["sms"] == [text]


def test_prepared_request_shows_nothing() -> None:
    shown = repr(prepare(message(PERSON), Settings.model_validate(table(PlainGet))))
    assert "912345678" not in shown
    assert "plain" not in shown


# ---------------------------------------------------------------------------------------- the wire


async def served(
    handler: Callable[[web.Request], Any], aggregator: type[Aggregator] = Esms
) -> tuple[Outcome, HttpSmsGateway, int]:
    """What becomes of one message at a server that answers by ``handler``; how often it asked."""
    asked = 0

    async def count(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        await request.read()
        response: web.StreamResponse = await handler(request)
        return response

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", count)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings_of = table(aggregator)
    settings_of["request"]["url"] = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    tried = HttpSmsGateway("sms", settings_of, StillClock())
    await tried.start(RecordingSink())
    try:
        return await tried.send(message(PERSON)), tried, asked
    finally:
        await tried.stop(0)
        await runner.cleanup()


async def test_a_redirect_is_not_followed() -> None:
    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": str(request.url / "there")})

    outcome, _, asked = await served(moved)
    assert outcome == Permanent(code="http-307", scope=Scope.CONFIGURATION)
    assert asked == 1


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65_536)

    outcome, _, _ = await served(endless)
    assert isinstance(outcome, Unknown)
    assert outcome.code == "unreadable"


async def test_an_answer_cut_short_is_unknown() -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"CodeResult": "100"}')
        assert request.transport is not None
        request.transport.close()
        return response

    outcome, tried, _ = await served(cut)
    assert isinstance(outcome, Unknown)
    assert tried.health().state is HealthState.DEGRADED


async def test_get_is_asked_once_when_the_first_connection_breaks() -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    outcome, _, asked = await served(hang_up, PlainGet)
    assert outcome == Temporary(code="lost", detail="ServerDisconnectedError")
    assert asked == 1


async def test_a_name_that_does_not_resolve_is_proven_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unknown(*args: object, **kwargs: object) -> None:
        raise OSError("name not known")

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", unknown)
    monkeypatch.setattr("aiohttp.resolver.AsyncResolver.resolve", unknown, raising=False)
    settings_of = table()
    settings_of["request"]["url"] = "http://provider.invalid/send"
    tried = HttpSmsGateway("sms", settings_of, StillClock())
    await tried.start(RecordingSink())
    outcome = await tried.send(message(PERSON))
    await tried.stop(0)
    assert isinstance(outcome, Temporary)
    assert outcome.code == "connect"
    assert tried.health().state is HealthState.DOWN


async def test_a_server_without_tls_is_proven_not_taken() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    settings_of = table()
    port = server.sockets[0].getsockname()[1]
    settings_of["request"]["url"] = f"https://127.0.0.1:{port}/send"
    tried = HttpSmsGateway("sms", settings_of, StillClock())
    await tried.start(RecordingSink())
    outcome = await tried.send(message(PERSON))
    await tried.stop(0)
    server.close()
    await server.wait_closed()
    assert isinstance(outcome, Temporary)
    assert outcome.code == "connect"


async def test_a_refused_account_shows_in_the_health() -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"CodeResult": "103"})

    outcome, tried, _ = await served(refuse)
    assert outcome == Permanent(code="103", scope=Scope.ACCOUNT)
    assert tried.health().state is HealthState.DOWN
    assert "103" in tried.health().reason


# -------------------------------------------------------------------------------------- callbacks


def call(path: str = "/inbound", content: Any = None, **changes: Any) -> WebhookRequest:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = WebhookRequest(method="POST", path=path, headers={"x-token": HOOK_SECRET}, body=body)
    return replace(request, **changes)


def inbound(**changes: Any) -> dict[str, Any]:
    """Inbound settings without a check, so that a table is about the reading alone."""
    plain = {"auth": [{"kind": "none"}], "sender": "from", "text": "message", "id": "mo_id"}
    return {name: value for name, value in (plain | changes).items() if value is not None}


def receipts(**changes: Any) -> dict[str, Any]:
    plain = {
        "auth": [{"kind": "none"}],
        "ref": "id",
        "status": "state",
        "statuses": {"delivered": "delivered", "fail": "failed", "sent": "pending"},
    }
    return plain | changes


MO = {"mo_id": 71, "from": "0912345678", "message": "TT H40"}


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("0912345678", "+84912345678"),
        ("84912345678", "+84912345678"),
        ("+84 912.345.678", "+84912345678"),
        ("01692345678", "+84392345678"),
        (84912345678, "+84912345678"),
        ("8079", "8079"),
        ("VIETTEL", "VIETTEL"),
    ],
    ids=["0", "84", "spaced", "eleven digits", "number", "short code", "brand name"],
)
def test_sender(sender: object, address: str) -> None:
    (item,) = gateway(inbound=inbound()).read_webhook(call(content=MO | {"from": sender})).incoming
    assert isinstance(item, Inbound)
    assert item.sender == Address("sms", address)


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ("json", b"[not json"),
        ("json", b"\xff"),
        ("json", b"[" * 100_000),
        ("json", b"[]"),
        ("json", b'"text"'),
        ("json", b'{"from": "0912345678"}'),
        ("json", b'{"message": "TT"}'),
        ("json", b'{"from": "???", "message": "TT"}'),
        ("json", b'{"from": ["0912345678"], "message": "TT"}'),
        ("json", b'{"from": "0912345678", "message": 5}'),
        ("form", b"\xff\xff=1"),
        ("form", b"message=TT"),
        ("xml", b"<nothing/>"),
        ("text", b"\xc3"),
        pytest.param("form", b"from=0912345678&message=" + b"%54" * 400_000, id="a long form"),
    ],
    ids=repr,
)
def test_a_call_that_cannot_be_read_is_kept_and_acknowledged(fields: str, content: bytes) -> None:
    pattern = r"(?P<from>\S+) (?P<message>.*)"
    table_of = inbound(fields=fields, pattern=pattern, id=None)
    reply = gateway(inbound=table_of).read_webhook(call(content=content))
    (item,) = reply.incoming
    assert isinstance(item, Unreadable)
    assert item.raw
    assert item.key.startswith("unreadable:")
    assert reply.status == 200


JSON = st.recursive(st.none() | st.text(max_size=8) | st.integers(), st.lists, max_leaves=6)


@given(body=st.binary(max_size=120), item=JSON)
@settings(max_examples=80, deadline=None)
def test_no_call_breaks_the_reader(body: bytes, item: Any) -> None:
    batch = {"items": [{"from": item, "message": item, "id": item, "state": item}, item]}
    reader = gateway(inbound=inbound(items="items"), receipts=receipts(items="items"))
    for path in ("/inbound", "/receipt"):
        assert reader.read_webhook(call(path, body)).incoming
        assert len(reader.read_webhook(call(path, batch)).incoming) == 2


@pytest.mark.parametrize("depth", range(900, 1_000, 2))
def test_what_is_nested_as_deep_as_can_be_is_read_or_kept(depth: int) -> None:
    content = b'{"mo_id": ' + b"[" * depth + b"]" * depth + b"}"
    (item,) = gateway(inbound=inbound()).read_webhook(call(content=content)).incoming
    assert isinstance(item, Unreadable)


def test_one_bad_item_does_not_stop_the_others() -> None:
    reply = gateway(inbound=inbound(items="data.list")).read_webhook(
        call(content={"data": {"list": [MO, {"bad": 1}, MO | {"mo_id": 72}]}})
    )
    assert [type(item) for item in reply.incoming] == [Inbound, Unreadable, Inbound]
    assert [item.key for item in reply.incoming if isinstance(item, Inbound)] == ["71", "72"]


def test_a_form_and_its_reply() -> None:
    table_of = inbound(fields="form", reply="0|OK", reply_type="text/html", to="service")
    body = urlencode(MO | {"message": "hồ sơ & lệ phí", "service": "8079"}).encode()
    reply = gateway(inbound=table_of).read_webhook(call(content=body))
    (item,) = reply.incoming
    assert isinstance(item, Inbound)
    assert (item.key, item.text, item.to) == ("71", "hồ sơ & lệ phí", "8079")
    assert (reply.body, reply.content_type) == (b"0|OK", "text/html")


def test_soap_is_read_by_its_pattern() -> None:
    pattern = (
        r"<User_ID>(?P<from>.*?)</User_ID>.*<Message>(?P<message>.*?)</Message>"
        r".*<Request_ID>(?P<mo_id>.*?)</Request_ID>"
    )
    body = (
        "<s:Body><moReceiver><User_ID>84912345678</User_ID><Message>phí &lt;\nTT</Message>"
        "<Request_ID>r-1</Request_ID></moReceiver></s:Body>"
    )
    reader = gateway(inbound=inbound(fields="xml", pattern=pattern))
    (item,) = reader.read_webhook(call(content=body.encode())).incoming
    assert isinstance(item, Inbound)
    assert (item.key, item.text) == ("r-1", "phí <\nTT")


def test_without_an_id_the_same_text_within_seconds_is_one() -> None:
    reader = gateway(inbound=inbound(id=None))

    def key(at: int, **changes: str) -> str:
        request = call(content=MO | changes, received_at=at)
        (item,) = reader.read_webhook(request).incoming
        return item.key

    assert key(10_000) == key(14_999)
    others = {key(15_000), key(10_000, message="TT H41"), key(10_000, **{"from": "0912345679"})}
    assert key(10_000) not in others
    assert len(others) == 3
    assert "912345678" not in key(10_000)


@pytest.mark.parametrize("nothing", ["", " ", "\0", "\0\0"], ids=repr)
def test_an_id_without_a_character_that_can_be_kept_is_none(nothing: str) -> None:
    def key(text: str) -> str:
        content = {"from": "0912345678", "message": text, "mo_id": nothing}
        (item,) = gateway(inbound=inbound()).read_webhook(call(content=content)).incoming
        return item.key

    assert key("TT H41") != key("HD") != ""


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("delivered", ReceiptStatus.DELIVERED),
        ("fail", ReceiptStatus.FAILED),
        ("sent", ReceiptStatus.PENDING),
    ],
)
def test_receipt(state: str, status: ReceiptStatus) -> None:
    reader = gateway(receipts=receipts(ref="data.message_id", status="data.status"))
    content = {"data": {"message_id": 55, "status": state}}
    (item,) = reader.read_webhook(call("/receipt", content)).incoming
    assert item == Receipt(ref="55", status=status, code=state)


def test_receipt_by_our_own_key() -> None:
    reader = gateway(receipts=receipts(ref_is="key"))
    (item,) = reader.read_webhook(call("/receipt", {"id": "n-1", "state": "fail"})).incoming
    assert item == Receipt(ref="n-1", status=ReceiptStatus.FAILED, code="fail", by_key=True)


def test_receipt_of_an_unknown_word_changes_nothing_and_is_kept() -> None:
    content = {"id": "55", "state": "rejected-by-smsc"}
    (item,) = gateway(receipts=receipts()).read_webhook(call("/receipt", content)).incoming
    assert isinstance(item, Unreadable)
    assert "rejected-by-smsc" in item.reason
    assert json.loads(item.raw) == content


def test_a_receipt_whose_reference_can_not_be_kept_is_kept_aside() -> None:
    content = {"id": "\0", "state": "fail"}
    (item,) = gateway(receipts=receipts()).read_webhook(call("/receipt", content)).incoming
    assert isinstance(item, Unreadable)


def test_esms_receipt_comes_in_the_query() -> None:
    query = {"SMSID": "e-1", "SendStatus": "5", "TotalSent": "1"}
    request = WebhookRequest(method="GET", path="/receipt/", query=query | {"token": HOOK_SECRET})
    (item,) = gateway().read_webhook(request).incoming
    assert item == Receipt(ref="e-1", status=ReceiptStatus.DELIVERED, code="5")
    with pytest.raises(SignatureError):
        gateway().read_webhook(replace(request, query=query))


@pytest.mark.parametrize("path", ["", "/", "/other", "/receipt/x", "/inbound"])
def test_a_path_without_a_callback_is_an_error(path: str) -> None:
    settings_of = table()
    del settings_of["inbound"]
    with pytest.raises(WebhookError, match="no callback"):
        HttpSmsGateway("sms", settings_of, StillClock()).read_webhook(call(path, MO))


BODY = json.dumps(MO).encode()
MAC = hmac.new(b"mac-secret", BODY, hashlib.sha256).hexdigest()
BY_FIELD = {"kind": "secret", "place": "field", "name": "auth.token", "secret": "đúng"}
BY_MAC = {"kind": "hmac", "header": "X-Signature", "secret": "mac-secret"}
BY_SOURCE = {"kind": "source", "addresses": ["203.0.113.0/24", "2001:db8::7"]}


@pytest.mark.parametrize(
    ("checks", "changes", "believed"),
    [
        ([BY_FIELD], {"body": json.dumps(MO | {"auth": {"token": "đúng"}}).encode()}, True),
        ([BY_FIELD], {"body": json.dumps(MO | {"auth": {"token": "sai"}}).encode()}, False),
        ([BY_FIELD], {"body": b"{"}, False),
        ([BY_MAC], {"headers": {"x-signature": MAC}}, True),
        (
            [BY_MAC],
            {"headers": {"x-signature": f"sha256={MAC.upper()}"}},
            True,
        ),
        ([BY_MAC], {"headers": {"x-signature": MAC[:-1]}}, False),
        ([BY_MAC], {"headers": {"x-signature": "ữ"}}, False),
        ([BY_MAC], {"headers": {}}, False),
        ([BY_MAC], {"headers": {"x-signature": MAC}, "body": BODY + b" "}, False),
        ([BY_SOURCE], {"remote": "203.0.113.9"}, True),
        ([BY_SOURCE], {"remote": "::ffff:203.0.113.9"}, True),
        ([BY_SOURCE], {"remote": "2001:db8::7"}, True),
        ([BY_SOURCE], {"remote": "203.0.114.9"}, False),
        ([BY_SOURCE], {"remote": ""}, False),
        ([BY_SOURCE, BY_MAC], {"remote": "203.0.113.9", "headers": {"x-signature": MAC}}, True),
        ([BY_SOURCE, BY_MAC], {"remote": "203.0.113.9"}, False),
        ([BY_SOURCE, BY_MAC], {"headers": {"x-signature": MAC}}, False),
        ([{"kind": "none"}], {}, True),
    ],
)
def test_who_is_believed(checks: list[Any], changes: dict[str, Any], believed: bool) -> None:
    reader = gateway(inbound=inbound(auth=checks))
    request = replace(call(content=BODY, headers={}), **changes)
    if believed:
        assert isinstance(reader.read_webhook(request).incoming[0], Inbound)
    else:
        with pytest.raises(SignatureError):
            reader.read_webhook(request)


@pytest.mark.parametrize(
    ("path", "found"),
    [("a", {"b": [{"c": 1}]}), ("a.b.0.c", 1), ("a.b.1.c", None), ("a.b.x", None), ("x.y", "dots")],
)
def test_path(path: str, found: object) -> None:
    assert find({"a": {"b": [{"c": 1}]}, "x.y": "dots"}, path) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (True, "true"), (" a ", "a"), ("", None), ([], None), (None, None)],
)
def test_text_at_a_path(value: object, text: str | None) -> None:
    assert find_text({"v": value}, "v") == text


# --------------------------------------------------------------------------------------- settings


def faults(settings_of: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as raised:
        HttpSmsGateway("esms", settings_of, StillClock())
    assert all(fault.file == "notifier.toml" for fault in raised.value.faults)
    prefix = "gateways.esms."
    return {f.key.removeprefix(prefix): f.problem for f in raised.value.faults}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The settings of eSMS with one key changed, or taken out where ``value`` is None."""
    settings_of = table()
    *tables, last = path.split(".")
    place = settings_of
    for name in tables:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return settings_of


@pytest.mark.parametrize(
    ("path", "value", "key", "problem"),
    [
        ("request.url", "ftp://x/", "request.url", "http:// or https://"),
        ("request.url", "http://{secret:api_key}/", "request.url", "without placeholders"),
        ("request.url", "http://u:p@host/", "request.url", "without placeholders"),
        ("request.url", None, "request.url", "is required"),
        ("request.urls", "x", "request.urls", "is not a setting"),
        ("request.method", "DELETE", "request.method", "'GET'"),
        ("request.method", "GET", "request.body", "can't go with GET"),
        ("request.timeout", 0.1, "request", "connect_timeout must be shorter"),
        ("request.query", {"a": "{tex}"}, "request.query", "{tex}"),
        ("request.query", {"a": "{text|rot13}"}, "request.query", "rot13"),
        ("request.query", {"a": "{text"}, "request.query", "brace"),
        ("request.query", {"a": "{secret:no}"}, "request.query", "the secret no"),
        ("request.headers", {"A": "{text}"}, "request.headers", "{text|base64}"),
        ("request.headers", {"content-type": "x"}, "request.headers", "Content-Type"),
        ("request.body.content", {"a": "{to}"}, "request", "{text} nowhere"),
        ("request.body.kind", "xml", "request.body", "must be one string"),
        ("answer.codes", {"0": "yes"}, "answer.codes.0", "'accepted'"),
        ("answer.codes", {"0": "temporary"}, "answer", "means accepted"),
        ("answer.codes", None, "answer", "needs code and codes"),
        ("answer.kind", "text", "answer", "no group (?P<CodeResult>"),
        ("answer.pattern", "(", "answer.pattern", "regular expression"),
        ("answer.ref", None, "answer.ref", "finds its message by the reference"),
        ("receipts.statuses", {"1": "lost"}, "receipts.statuses.1", "'pending'"),
        ("receipts.auth", [], "receipts.auth", "at least 1"),
        ("receipts.auth", [{"kind": "none"}, BY_MAC], "receipts", "none excludes"),
        ("receipts.path", "/inbound", "inbound.path", "must differ"),
        ("receipts.path", "no slash", "receipts.path", "a path such as"),
        ("inbound.auth", [{"kind": "source", "addresses": ["x"]}], "inbound.auth.0.source", ""),
        ("rate", 0, "rate", "greater than 0"),
        ("secrets.api_key", "", "secrets.api_key", "at least 1"),
    ],
)
def test_fault(path: str, value: Any, key: str, problem: str) -> None:
    found = faults(changed(path, value))
    assert [name for name in found if name.startswith(key)], found
    assert any(problem in sentence for sentence in found.values()), found


def test_all_faults_are_reported_together() -> None:
    settings_of = changed("request.url", "nowhere")
    settings_of["rate"] = -1
    settings_of["colour"] = "blue"
    settings_of["request"]["query"] = {"a": "{secret:missing}"}
    del settings_of["answer"]["ref"]
    expected = {"request.url", "rate", "colour", "request.query", "answer.ref"}
    assert set(faults(settings_of)) == expected


def test_no_fault_shows_a_value() -> None:
    settings_of = changed("secrets", {"api_key": {"nested": "esms-api-key-1"}})
    settings_of["request"]["basic_auth"] = {"user": ["esms-api-key-1"], "password": 5}
    with pytest.raises(ConfigurationError) as raised:
        HttpSmsGateway("esms", settings_of, StillClock())
    assert "esms-api-key-1" not in str(raised.value)


def test_suppression_needs_the_key_in_the_request() -> None:
    settings_of = table(PlainGet)
    del settings_of["request"]["query"]["id"]
    assert "needs {key}" in faults(settings_of)["suppresses_duplicates"]


def test_receipts_by_key_need_the_key_as_it_is() -> None:
    settings_of = table(VietGuys, receipts=receipts(ref_is="key"))
    assert "without a filter" in faults(settings_of)["receipts.ref_is"]


def test_short_secrets_are_not_hidden_everywhere() -> None:
    basic = {"user": "long-token", "password": "x"}
    settings_of = changed("request.basic_auth", basic)
    secrets = HttpSmsGateway("esms", settings_of, StillClock()).secrets
    assert "x" not in secrets
    assert {"long-token", base64.b64encode(b"long-token:x").decode()} <= secrets


EXAMPLE = Path(__file__).parents[2] / "config" / "gateways" / "http_sms.example.toml"


def test_the_example_is_usable_and_explains_every_setting() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    example = tomllib.loads(text)["gateways"]["esms"]
    HttpSmsGateway("esms", example, StillClock())
    models = (Settings, Request, BasicAuth, Body, Answer, Receipts, Inbounds)
    names = {name for model in models for name in model.model_fields}
    missing = {name for name in names if not re.search(rf"\b{name}\b( =|\])", text)}
    assert missing == set()


# -------------------------------------------------------------------------- calls that take long

SLOW = r"<a>(?P<from>.*?)</a>.*?<b>(?P<message>.*?)</b>.*?<c>(?P<mo_id>.*?)</c>"
"""A pattern as people write them, which on some texts tries every combination."""


def slow_table(**auth: str) -> dict[str, Any]:
    check = {"kind": "secret", "name": "x-token", "secret": HOOK_SECRET, **auth}
    return inbound(auth=[check], fields="xml", pattern=SLOW)


def test_nothing_is_read_of_a_call_that_proves_nothing(monkeypatch) -> None:
    read: list[bytes] = []
    monkeypatch.setattr(callback, "read_pattern", lambda raw, *_, **__: read.append(raw))
    forged = call(content=b"<a>0912345678</a>", headers={"x-token": "?"})
    with pytest.raises(SignatureError):
        gateway(inbound=slow_table(place="header")).read_webhook(forged)
    assert read == []


@pytest.mark.parametrize(
    "content",
    [b"<a>0912345678</a>" * 1_000, b"<a>0</a>" * 700 + b"<b>x</b>" * 1_000],
    ids=["too long for a pattern", "tried in too many ways"],
)
def test_a_call_that_a_pattern_does_not_bear_is_kept(content: bytes) -> None:
    reader = gateway(inbound=slow_table(place="header"))
    (item,) = reader.read_webhook(call(content=content)).incoming
    assert isinstance(item, Unreadable)
    assert item.raw == content
