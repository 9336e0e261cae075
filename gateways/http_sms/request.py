"""From a message to the one HTTP request that asks the provider for it. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from gateways.http_sms.template import fill, text_of
from gateways.numbers import dialled
from notifier.domain.segments import Encoding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateways.http_sms.settings import Body, Request, Settings
    from gateways.http_sms.template import Scalar
    from notifier.domain.message import Message

_CONTENT_TYPES: Final = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "text/xml; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request, ready to be written; ``url`` is already percent-encoded."""

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


def prepare(message: Message, settings: Settings) -> Prepared:
    """The whole text goes in one request; the provider cuts it into parts."""
    asked = settings.request
    values = _values(message, settings)
    headers = {"User-Agent": "motcua-notifier", **_basic(asked)}
    headers |= {name: text_of(fill(value, values)) for name, value in asked.headers.items()}
    body = None
    if asked.body is not None:
        headers["Content-Type"] = asked.body.content_type or _CONTENT_TYPES[asked.body.kind]
        body = _body(asked.body, values)
    return Prepared(method=asked.method, url=_url(asked, values), headers=headers, body=body)


def _values(message: Message, settings: Settings) -> dict[str, Scalar]:
    unicode = settings.unicode
    return {
        "to": dialled(message.address.value, settings.phone_format),
        "text": message.text,
        "key": message.key,
        "from": settings.sender,
        "unicode": unicode.no if message.plan.encoding is Encoding.GSM7 else unicode.yes,
        "segments": message.plan.segments,
        **{f"secret:{name}": secret for name, secret in settings.secrets.items()},
    }


def _basic(asked: Request) -> dict[str, str]:
    basic = asked.basic_auth
    if basic is None:
        return {}
    return {"Authorization": f"Basic {basic_token(basic.user, basic.password)}"}


def basic_token(user: str, password: str) -> str:
    """User and password as RFC 7617 writes them."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _url(asked: Request, values: Mapping[str, Scalar]) -> str:
    url = text_of(fill(asked.url, values, safe="url"))
    if not asked.query:
        return url
    query = {name: text_of(fill(value, values)) for name, value in asked.query.items()}
    # A space becomes %20, not +, which some providers hand on to the phone as a plus sign.
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query, quote_via=quote)}"


def _body(body: Body, values: Mapping[str, Scalar]) -> bytes:
    match body.kind:
        case "json":
            return json.dumps(fill(body.content, values), ensure_ascii=False).encode()
        case "form":
            filled = {name: text_of(fill(item, values)) for name, item in body.content.items()}
            return urlencode(filled).encode()
        case "xml":
            return text_of(fill(body.content, values, safe="xml")).encode()
        case "text":
            return text_of(fill(body.content, values)).encode()
