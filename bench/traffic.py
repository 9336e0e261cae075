"""What one-stop systems push and citizens ask: the same at every run, but for the time."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bench.load import request
from notifier.sources import standard_webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from bench.load import Request

LIFE: Final = ("submitted", "received", "processing", "forwarded", "finished", "returned")
"""What happens to a dossier; of the second and the last two its applicant is told."""

RECEIVED: Final = LIFE.index("received")

SENTENCES: Final = (
    "HS {}",
    "hs {}",
    "{}",
    "cho hoi ho so {} den dau roi a",
    "Hồ sơ {} bao giờ có kết quả?",
)
PROCEDURES: Final = (
    "Đăng ký thành lập hộ kinh doanh",
    "Đăng ký biến động quyền sử dụng đất",
    "Cấp bản sao trích lục hộ tịch",
    "Cấp giấy phép xây dựng nhà ở riêng lẻ",
)


def code(number: int, day: date) -> str:
    """The code of the dossier of this number."""
    return f"H19.{number % 40 + 10}-{day:%y%m%d}-{number // 40:05}"


def phone(number: int) -> str:
    """Its applicant's number; made up."""
    return f"+8491{number:07}"


def events(first: int, dossiers: int, run: str) -> Iterator[dict[str, Any]]:
    """The lives of ``dossiers`` dossiers, event after event: all come as far before one goes on.

    ``run`` keeps the events of one run from being taken for those of another.
    """
    now = datetime.now(UTC)
    for stage in range(len(LIFE)):
        at = now - timedelta(minutes=len(LIFE) - stage)
        for number in range(first, first + dossiers):
            yield _event(number, stage, at, run, now)


def known(first: int, dossiers: int) -> Iterator[dict[str, Any]]:
    """Dossiers that were received the day before yesterday: of that nobody is told any more."""
    now = datetime.now(UTC)
    for number in range(first, first + dossiers):
        event = _event(number, RECEIVED, now - timedelta(days=2), "known", now)
        yield {**event, "data": {**_data(number, 0, now), **event["data"]}}


def _event(number: int, stage: int, at: datetime, run: str, now: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{run}-{number}-{stage}",
        "source": "/bench",
        "type": f"dossier.{LIFE[stage]}",
        "subject": code(number, now.date()),
        "time": at.isoformat(),
        "data": _data(number, stage, now),
    }


def _data(number: int, stage: int, now: datetime) -> dict[str, Any]:
    unit = {"code": f"H19.{number % 40 + 10}", "name": f"UBND phường {number % 40 + 10}"}
    match LIFE[stage]:
        case "submitted":
            name, phone_ = f"Nguyễn Văn {number}", phone(number)
            return {
                "procedure": {"code": f"1.00{number % 4}", "name": PROCEDURES[number % 4]},
                "applicant": {"name": name, "phone": phone_, "kind": "citizen"},
            }
        case "received":
            received, due = now - timedelta(minutes=10), now + timedelta(days=7)
            return {"unit": unit, "received_at": received.isoformat(), "due_at": f"{due:%Y-%m-%d}"}
        case _:
            return {"unit": unit, "handler": "Bộ phận chuyên môn"}


def single(event: dict[str, Any], secret: bytes) -> Request:
    """One event, one request."""
    body = json.dumps(event, ensure_ascii=False).encode()
    return _signed(event["id"], body, "application/cloudevents+json", secret)


def lines(batch: Sequence[dict[str, Any]], secret: bytes) -> Request:
    """Many events, one a line."""
    body = b"\n".join(json.dumps(event, ensure_ascii=False).encode() for event in batch)
    return _signed(f"batch-{batch[0]['id']}", body, "application/x-ndjson", secret)


def _signed(name: str, body: bytes, content_type: str, secret: bytes) -> Request:
    stamp = int(datetime.now(UTC).timestamp())
    headers = {
        "content-type": content_type,
        "webhook-id": name,
        "webhook-timestamp": str(stamp),
        "webhook-signature": standard_webhooks.sign(secret, name, stamp, body),
    }
    return request(name, "POST", "/v1/events", body, headers)


def questions(count: int, dossiers: int, run: str) -> Iterator[Request]:
    """SMS of citizens: three of four ask about their own dossier, the others in vain, or for help.

    Nobody asks so often that the guessing limit answers.
    """
    chance, today = random.Random(run), datetime.now(UTC).date()
    for number in range(count):
        dossier = number * 7919 % dossiers
        sentence = SENTENCES[number % len(SENTENCES)]
        sender, text = phone(dossier), sentence.format(code(dossier, today))
        match chance.randrange(20):
            case 0:
                text = "HD"
            case 1:
                text = "alo mot cua oi lam the nao bay gio"
            case 2:
                text = sentence.format(code(dossier + dossiers * 40, today))
            case 3 | 4:
                sender = phone(9_999_999 - number)
            case _:
                pass
        name = f"{run}-{number}"
        body = json.dumps({"id": name, "sender": sender, "text": text}).encode()
        yield request(name, "POST", "/hooks/null", body, {"content-type": "application/json"})
