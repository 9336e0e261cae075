"""From a provider's call to what it means: receipts, and what people wrote. Pure.

A call is checked before it is believed, and one item that can't be read never stops the others:
it is kept raw as ``Unreadable``.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
from typing import TYPE_CHECKING, Any, Final

from gateways.http_sms.document import find, find_text, read_form, read_json, read_pattern
from gateways.http_sms.settings import (
    HmacCheck,
    Inbounds,
    NoCheck,
    Receipts,
    SecretCheck,
    SourceCheck,
)
from gateways.words import quote, storable
from notifier.domain import phone
from notifier.domain.instant import SECOND
from notifier.domain.message import Address, Inbound, Receipt, ReceiptStatus, Unreadable
from notifier.errors import SignatureError
from notifier.ports import WebhookReply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateways.http_sms.settings import Callback, Check
    from notifier.domain.message import Incoming
    from notifier.ports import WebhookRequest

DOUBLED_WITHIN: Final = 5 * SECOND
"""Where a provider gives no id, the same text of the same sender is one within this time."""

_NOT_A_PHONE: Final = re.compile(r"\d{3,8}|[A-Za-z][A-Za-z0-9 ._-]{2,10}")
"""Short codes of operators and brand names: senders that are no phones."""


def read_call(request: WebhookRequest, callback: Receipts | Inbounds) -> WebhookReply:
    """What the call brings, and the reply that the provider waits for.

    Raises ``SignatureError`` for a call that does not prove where it comes from.
    """
    document: Any = None
    unread = ""
    # Who has proved nothing has nothing read, except where the proof stands in the document.
    _demand([check for check in callback.auth if not _is_in_document(check)], request, None)
    try:
        document = _document(request, callback)
    except ValueError:
        unread = f"the call can't be read as {callback.fields}"
    _demand([check for check in callback.auth if _is_in_document(check)], request, document)
    return WebhookReply(
        incoming=(
            (_unreadable(unread, request.body),)
            if unread
            else _read_all(_items(document, callback), callback, request)
        ),
        content_type=callback.reply_type,
        body=callback.reply.encode(),
    )


def _document(request: WebhookRequest, callback: Callback) -> Any:
    match callback.fields:
        case "query":
            return dict(request.query)
        case "form":
            return read_form(request.body)
        case "json":
            return read_json(request.body)
        case "text" | "xml":
            return read_pattern(request.body, callback.pattern, entities=callback.fields == "xml")


def _items(document: Any, callback: Callback) -> list[Any]:
    if not callback.items:
        return [document]
    found = find(document, callback.items)
    return found if isinstance(found, list) else [document]


# ------------------------------------------------------------------------------------- who calls


def _demand(checks: Iterable[Check], request: WebhookRequest, document: Any) -> None:
    if not all(_holds(check, request, document) for check in checks):
        raise SignatureError("the call does not carry the proof that the settings ask for")


def _is_in_document(check: Check) -> bool:
    return isinstance(check, SecretCheck) and check.place == "field"


def _holds(check: Check, request: WebhookRequest, document: Any) -> bool:
    match check:
        case SecretCheck():
            return _same(_shown(check, request, document), check.secret)
        case HmacCheck():
            mac = hmac.new(check.secret.encode(), request.body, hashlib.sha256).hexdigest()
            shown = request.headers.get(check.header.lower(), "")
            return _same(shown.strip().lower().removeprefix("sha256="), mac)
        case SourceCheck():
            return _is_source(request.remote, check.addresses)
        case NoCheck():
            return True


def _shown(check: SecretCheck, request: WebhookRequest, document: Any) -> str:
    match check.place:
        case "query":
            return request.query.get(check.name, "")
        case "header":
            return request.headers.get(check.name.lower(), "")
        case "field":
            return find_text(document, check.name) or ""


def _same(shown: str, known: str) -> bool:
    return hmac.compare_digest(
        shown.encode(errors="surrogatepass"), known.encode(errors="surrogatepass")
    )


def _is_source(remote: str, addresses: list[str]) -> bool:
    try:
        caller = ipaddress.ip_address(remote)
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None)
    return any((mapped or caller) in ipaddress.ip_network(network) for network in addresses)


# ---------------------------------------------------------------------------------- what it says


def _read_all(
    items: list[Any], callback: Receipts | Inbounds, request: WebhookRequest
) -> tuple[Incoming, ...]:
    try:
        return tuple(_read(item, callback, request) for item in items)
    except RecursionError:  # what could just be read can't always be written again
        return (_unreadable("nested too deep", request.body),)


def _read(item: Any, callback: Receipts | Inbounds, request: WebhookRequest) -> Incoming:
    match callback:
        case Receipts():
            return _receipt(item, callback)
        case Inbounds():
            return _inbound(item, callback, request)


def _receipt(item: Any, fields: Receipts) -> Receipt | Unreadable:
    ref, word = storable(find_text(item, fields.ref) or ""), find_text(item, fields.status)
    if not ref or word is None:
        missing = fields.status if ref else fields.ref
        return _unreadable(f"a receipt without {missing}", _raw(item))
    status = fields.statuses.get(word)
    if status is None:
        return _unreadable(f"the status {quote(word)} is not in the table", _raw(item))
    return Receipt(
        ref=ref,
        status=ReceiptStatus(status),
        code=quote(word),
        by_key=fields.ref_is == "key",
    )


def _inbound(item: Any, fields: Inbounds, request: WebhookRequest) -> Inbound | Unreadable:
    raw_sender, text = find_text(item, fields.sender), find(item, fields.text)
    if raw_sender is None or not isinstance(text, str):
        missing = fields.sender if raw_sender is None else fields.text
        return _unreadable(f"an inbound message without {missing}", _raw(item))
    sender = _sender(raw_sender)
    if sender is None:
        return _unreadable("the sender is neither a phone nor a short code", _raw(item))
    window = request.received_at // DOUBLED_WITHIN
    return Inbound(
        key=storable(find_text(item, fields.id) or "") or _hash(sender.value, text, str(window)),
        sender=sender,
        text=storable(text),
        to=storable(find_text(item, fields.to) or ""),
    )


def _sender(raw: str) -> Address | None:
    number = phone.read(raw)
    if number is not None:
        return Address("sms", number.e164)
    return Address("sms", raw) if _NOT_A_PHONE.fullmatch(raw) else None


def _unreadable(reason: str, raw: bytes) -> Unreadable:
    return Unreadable(key=f"unreadable:{_hash(raw)}", reason=reason, raw=raw)


def _raw(item: Any) -> bytes:
    return json.dumps(item, ensure_ascii=False, sort_keys=True).encode(errors="replace")


def _hash(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        blob = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        digest.update(len(blob).to_bytes(8, "big") + blob)
    return digest.hexdigest()[:32]
