"""Doubles of Vietnamese SMS aggregators, each with the settings that describe it, and their rig.

They speak as the public documentation of each provider says; what they echo in a refusal is
meaner than what any of them does.
"""

from __future__ import annotations

import base64
import copy
import json
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

from aiohttp import web
from contracts.gateway import Behaviour, RecordingSink, Taken
from doubles.clock import StillClock
from doubles.http_provider import HttpProvider

from gateways.http_sms import HttpSmsGateway
from notifier.domain.message import Address
from notifier.ports import WebhookRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOOK_SECRET = "hook-secret-5522"
BRAND = "MOTCUA-XA"
PERSON = Address("sms", "+84912345678")


def inbound_table() -> dict[str, Any]:
    """Inbound messages as JSON with a shared secret in a header."""
    return {
        "auth": [
            {"kind": "secret", "place": "header", "name": "X-Token", "secret": HOOK_SECRET},
        ],
        "fields": "json",
        "id": "mo_id",
        "sender": "from",
        "text": "message",
        "to": "short_code",
    }


class Aggregator(HttpProvider):
    """A provider and the settings that reach it; the path in ``url`` gets the double's host."""

    settings: ClassVar[Mapping[str, Any]]
    promises_refs: ClassVar[bool] = True
    exempt: ClassVar[Mapping[str, str]] = {}

    def table(self) -> dict[str, Any]:
        """The settings, with this double's address and time-outs fit for a test."""
        table = copy.deepcopy(dict(self.settings))
        table["request"]["url"] = self.url + table["request"]["url"]
        table["request"] |= {"connect_timeout": 0.9, "timeout": 1.0}
        return {"kind": "http_sms", "sender": BRAND, "inbound": inbound_table(), **table}


class Esms(Aggregator):
    """JSON, 124 for a request id that it has seen, references."""

    settings: ClassVar[Mapping[str, Any]] = {
        "secrets": {"api_key": "esms-api-key-1", "secret_key": "esms-secret-key-2"},
        "request": {
            "url": "/MainService.svc/json/SendMultipleMessage_V4_post_json/",
            "body": {
                "kind": "json",
                "content": {
                    "ApiKey": "{secret:api_key}",
                    "SecretKey": "{secret:secret_key}",
                    "Phone": "{to}",
                    "Content": "{text}",
                    "Brandname": "{from}",
                    "SmsType": "2",
                    "IsUnicode": "{unicode}",
                    "RequestId": "{key}",
                },
            },
        },
        "answer": {
            "code": "CodeResult",
            "ref": "SMSID",
            "detail": "ErrorMessage",
            "codes": {
                "100": "accepted",
                "124": "duplicate",
                "101": "permanent:account",
                "102": "permanent:account",
                "103": "permanent:account",
                "104": "permanent:configuration",
                "131": "permanent:content",
                "146": "permanent:template",
            },
        },
        "receipts": {
            "fields": "query",
            "auth": [{"kind": "secret", "place": "query", "name": "token", "secret": HOOK_SECRET}],
            "ref": "SMSID",
            "status": "SendStatus",
            "statuses": {"1": "pending", "5": "delivered", "6": "failed"},
        },
    }

    def take(self, request: web.Request, body: bytes) -> Taken:
        asked = json.loads(body)
        assert asked["SmsType"] == "2"
        assert asked["IsUnicode"] == "1"
        assert asked["Brandname"] == BRAND
        return Taken(to=asked["Phone"], text=asked["Content"], key=asked["RequestId"])

    def answer(self, behaviour: Behaviour, taken: Taken, number: int) -> web.Response:
        echo = f"{taken.to} {taken.text} esms-api-key-1 {HOOK_SECRET}"
        match behaviour:
            case Behaviour.REFUSE:
                return web.json_response({"CodeResult": "119", "ErrorMessage": echo})
            case Behaviour.REFUSE_LOGIN:
                return web.json_response({"CodeResult": 101, "ErrorMessage": echo})
            case Behaviour.BUSY:
                return web.Response(status=429, headers={"Retry-After": "7"}, text=echo)
            case _:
                return web.json_response({"CodeResult": "100", "SMSID": f"esms-{number}"})


class SpeedSms(Aggregator):
    """JSON with a list of numbers, user and password as Basic, no idempotency key."""

    exempt: ClassVar[Mapping[str, str]] = {
        "test_key_is_the_same_on_every_attempt": "the protocol has no place for a key"
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "unicode": {"yes": 1, "no": 0},
        "request": {
            "url": "/index.php/sms/send",
            "basic_auth": {"user": "speed-token-77", "password": "x"},
            "body": {
                "kind": "json",
                "content": {
                    "to": ["{to}"],
                    "content": "{text}",
                    "sms_type": 3,
                    "unicode": "{unicode}",
                    "parts": "{segments}",
                    "sender": "{from}",
                },
            },
        },
        "answer": {
            "code": "code",
            "ref": "data.tranId",
            "detail": "message",
            "codes": {
                "00": "accepted",
                "007": "permanent:configuration",
                "008": "permanent:account",
                "105": "permanent:recipient",
                "300": "permanent:account",
                "500": "temporary",
            },
        },
    }

    def take(self, request: web.Request, body: bytes) -> Taken:
        basic = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
        assert basic == b"speed-token-77:x"
        asked = json.loads(body)
        assert (asked["sms_type"], asked["unicode"], asked["parts"]) == (3, 1, 1)
        (to,) = asked["to"]
        return Taken(to=to, text=asked["content"])

    def answer(self, behaviour: Behaviour, taken: Taken, number: int) -> web.Response:
        match behaviour:
            case Behaviour.REFUSE:
                refusal = {"status": "error", "code": "105", "message": f"invalid {taken.to}"}
                return web.json_response(refusal)
            case Behaviour.REFUSE_LOGIN:
                return web.Response(status=401, text="speed-token-77?")
            case Behaviour.BUSY:
                return web.json_response({"status": "error", "code": "500"})
            case _:
                data = {"tranId": 4_000_000_000 + number, "totalSMS": 1, "invalidPhone": []}
                return web.json_response({"status": "success", "code": "00", "data": data})


class VietGuys(Aggregator):
    """A form, a numeric error in JSON, an id of at most 50 characters."""

    settings: ClassVar[Mapping[str, Any]] = {
        "unicode": {"yes": 8, "no": 0},
        "secrets": {"pwd": "vietguys-pwd-9"},
        "request": {
            "url": "/api/index.php",
            "body": {
                "kind": "form",
                "content": {
                    "u": "motcua",
                    "pwd": "{secret:pwd}",
                    "from": "{from}",
                    "phone": "{to}",
                    "sms": "{text}",
                    "bid": "{key|digest}",
                    "type": "{unicode}",
                    "json": 1,
                },
            },
        },
        "answer": {
            "code": "error",
            "ref": "msgid",
            "detail": "log",
            "codes": {"0": "accepted", "-1": "permanent:account", "-5": "temporary"},
        },
    }

    def take(self, request: web.Request, body: bytes) -> Taken:
        asked = {name: last for name, (*_, last) in parse_qs(body.decode()).items()}
        assert (asked["type"], asked["json"], asked["pwd"]) == ("8", "1", "vietguys-pwd-9")
        assert len(asked["bid"]) <= 50
        return Taken(to=asked["phone"], text=asked["sms"], key=asked["bid"])

    def answer(self, behaviour: Behaviour, taken: Taken, number: int) -> web.Response:
        error = {
            Behaviour.ACCEPT: 0,
            Behaviour.REFUSE: -3,
            Behaviour.REFUSE_LOGIN: -1,
            Behaviour.BUSY: -5,
        }[behaviour]
        log = f"{taken.to}|{taken.text}|vietguys-pwd-9"
        return web.json_response({"error": error, "msgid": f"vg{number}", "log": log})


class Viettel(Aggregator):
    """SOAP written by hand, the result read by a pattern, no reference and no key."""

    promises_refs: ClassVar[bool] = False
    exempt: ClassVar[Mapping[str, str]] = SpeedSms.exempt
    settings: ClassVar[Mapping[str, Any]] = {
        "secrets": {"password": "viettel-<pass>&word"},
        "request": {
            "url": "/bulkapi",
            "headers": {"SOAPAction": '""'},
            "body": {
                "kind": "xml",
                "content": (
                    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
                    ' xmlns:impl="http://impl.bulkSms.ws/"><soapenv:Body><impl:wsCpMt>'
                    "<User>motcua</User><Password>{secret:password}</Password>"
                    "<RequestID>1</RequestID><ReceiverID>{to}</ReceiverID>"
                    "<ServiceID>{from}</ServiceID><CommandCode>bulksms</CommandCode>"
                    "<Content>{text}</Content><ContentType>{unicode}</ContentType>"
                    "</impl:wsCpMt></soapenv:Body></soapenv:Envelope>"
                ),
            },
        },
        "answer": {
            "kind": "xml",
            "pattern": (
                "<result>(?P<result>-?[0-9]+)</result>(<message>(?P<message>.*?)</message>)?"
            ),
            "code": "result",
            "detail": "message",
            "codes": {"1": "accepted", "-2": "permanent:account", "-9": "throttled"},
        },
    }

    def take(self, request: web.Request, body: bytes) -> Taken:
        envelope = ET.fromstring(body)  # noqa: S314 - our own gateway wrote it
        asked = {element.tag: element.text or "" for element in envelope.iter()}
        assert asked["Password"] == "viettel-<pass>&word"
        assert asked["ContentType"] == "1"
        return Taken(to=asked["ReceiverID"], text=asked["Content"])

    def answer(self, behaviour: Behaviour, taken: Taken, number: int) -> web.Response:
        result = {
            Behaviour.ACCEPT: 1,
            Behaviour.REFUSE: 0,
            Behaviour.REFUSE_LOGIN: -2,
            Behaviour.BUSY: -9,
        }[behaviour]
        echo = f"<message>{taken.to} viettel-&lt;pass&gt;&amp;word</message>"
        return web.Response(
            text=f"<return><result>{result}</result>{echo}</return>", content_type="text/xml"
        )


class PlainGet(Aggregator):
    """One GET with all in the query, an answer in one word, and duplicates dropped for a day."""

    promises_refs: ClassVar[bool] = True
    settings: ClassVar[Mapping[str, Any]] = {
        "phone_format": "0",
        "suppresses_duplicates": 86_400,
        "secrets": {"pass": "plain pass&1"},
        "request": {
            "method": "GET",
            "url": "/send?v=2",
            "query": {
                "pass": "{secret:pass}",
                "to": "{to}",
                "text": "{text}",
                "id": "{key}",
                "ucs": "{unicode}",
            },
        },
        "answer": {
            "kind": "text",
            "pattern": r"^(?P<code>OK|NO|LOGIN|WAIT|SEEN)(?:\|(?P<ref>\S+))?",
            "code": "code",
            "ref": "ref",
            "codes": {
                "OK": "accepted",
                "SEEN": "duplicate",
                "NO": "permanent:recipient",
                "LOGIN": "permanent:account",
                "WAIT": "throttled",
            },
        },
    }

    def take(self, request: web.Request, body: bytes) -> Taken:
        query = request.query
        assert (query["v"], query["pass"], query["ucs"]) == ("2", "plain pass&1", "1")
        return Taken(to=query["to"], text=query["text"], key=query["id"])

    def answer(self, behaviour: Behaviour, taken: Taken, number: int) -> web.Response:
        word = {
            Behaviour.ACCEPT: f"OK|g{number}",
            Behaviour.REFUSE: f"NO {taken.to}",
            Behaviour.REFUSE_LOGIN: "LOGIN",
            Behaviour.BUSY: "WAIT",
        }[behaviour]
        return web.Response(text=word)


AGGREGATORS: tuple[type[Aggregator], ...] = (Esms, SpeedSms, VietGuys, Viettel, PlainGet)


class SmsRig:
    """The gateway over one of the doubles; the conformance suite's ``Rig``."""

    address = PERSON

    def __init__(self, aggregator: type[Aggregator]) -> None:
        self._provider = aggregator()
        self.sink = RecordingSink()
        self.promises_refs = aggregator.promises_refs
        self.exempt = aggregator.exempt

    async def __aenter__(self) -> Self:
        await self._provider.start()
        self.gateway = HttpSmsGateway("sms", self._provider.table(), StillClock())
        await self.gateway.start(self.sink)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.gateway.stop(0)
        await self._provider.stop()

    async def provider(self, behaviour: Behaviour) -> None:
        await self._provider.become(behaviour)

    @property
    def received(self) -> Sequence[Taken]:
        return self._provider.received

    def call(self, text: str, *, number: int = 1) -> WebhookRequest:
        return self._call(text, number, {"x-token": HOOK_SECRET})

    def forged_calls(self) -> Sequence[WebhookRequest]:
        return [
            self._call("giả", 1, headers)
            for headers in ({}, {"x-token": ""}, {"x-token": "đoán"}, {"x-other": HOOK_SECRET})
        ]

    def _call(self, text: str, number: int, headers: Mapping[str, str]) -> WebhookRequest:
        body = {"mo_id": f"mo-{number}", "from": "0912 345 678", "message": text}
        return WebhookRequest(
            method="POST",
            path="/inbound",
            headers=headers,
            body=json.dumps(body | {"short_code": "8079"}).encode(),
        )
