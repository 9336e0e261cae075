"""Sound inputs, which mutations start from. All people, numbers, codes and secrets are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from notifier.domain import instant
from notifier.domain.event import EventType

if TYPE_CHECKING:
    from random import Random

    from notifier.domain.instant import Instant

NAME: Final = "Nguyễn Thị Thử"
NUMBERS: Final = "0912007"
"""What every made-up number begins with, as a person writes it."""

PHRASES: Final = Path(__file__).parents[1] / "tests" / "data"

TYPES: Final = tuple(f"dossier.{type_}" for type_ in EventType)
STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
LINES: Final = "application/x-ndjson"


def phone(chance: Random) -> str:
    """A number as sources write it."""
    rest = f"{chance.randrange(1_000):03}"
    return chance.choice(("0912007{}", "+84912007{}", "84 912 007 {}", "0912.007.{}")).format(rest)


def code(chance: Random) -> str:
    """A dossier code; few, so that events meet in one dossier."""
    unit, day, serial = chance.choice((19, 29, 56)), chance.randrange(1, 21), chance.randrange(300)
    return f"H{unit}.45-2611{day:02}-{serial:04}"


def phrases() -> list[str]:
    """Texts as citizens write them."""
    rows = [
        line.split("\t")
        for file in sorted(PHRASES.glob("*.tsv"))
        for line in file.read_text(encoding="utf-8").splitlines()[1:]
    ]
    return [row[1] for row in rows]


def pushes() -> list[Any]:
    """Pushes of the national exchange record."""
    text = (PHRASES / "exchange" / "pushes.ndjson").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def event(chance: Random, now: Instant) -> dict[str, Any]:
    """A CloudEvent that may say anything an event can say."""
    ago = chance.randrange(30 * instant.DAY)
    data = _data(chance, now - ago)
    said = chance.sample(sorted(data), chance.randrange(len(data) + 1))
    return {
        "specversion": "1.0",
        "id": f"e{chance.randrange(10**9)}",
        "source": f"urn:fuzz:{chance.randrange(3)}",
        "type": chance.choice(TYPES),
        "subject": code(chance),
        "time": instant.iso(now - ago),
        "data": {name: data[name] for name in said},
    }


def _data(chance: Random, at: Instant) -> dict[str, Any]:
    due = instant.iso(at + chance.randrange(20) * instant.DAY)
    person = {
        "name": NAME, "phone": phone(chance), "email": "thu@example.vn", "kind": "individual",
    }  # fmt: skip
    return {
        "status": chance.randrange(1, 11),
        "procedure": {"code": "1.004227", "name": "Đăng ký biến động đất đai", "field": "Đất đai"},
        "unit": {"code": "H19.45", "name": "UBND phường Bình Phước"},
        "from_unit": {"code": "H19", "name": "UBND tỉnh Đồng Nai"},
        "handler": "Bộ phận chuyên môn",
        "applicant": person,
        "agent": {**person, "phone": phone(chance)},
        "consent": {"sms": True, "email": None, "zalo": False},
        "received_at": instant.iso(at),
        "due_at": chance.choice((due, due[:10], due[:19], due.replace("T", " "))),
        "finished_at": instant.iso(at),
        "returned_at": instant.iso(at),
        "rescheduled": {
            "due_at": due,
            "reason": "chờ kết quả xác minh",
            "document": {
                "number": "12/PXL", "date": due[:10], "signer": NAME, "title": "Phiếu xin lỗi",
            },
        },
        "supplement": [{"what": "bản sao CCCD", "by": "một cửa", "requested_at": due}],
        "fees": [{"name": "Lệ phí", "amount": 50_000, "paid": False}],
        "reason": "thiếu giấy tờ",
        "return_by": "desk",
        "limit": chance.choice(("5d", "8h")),
    }  # fmt: skip


def zalo_event(chance: Random, text: str) -> dict[str, Any]:
    """An event of the Zalo Bot Platform."""
    person = f"{chance.randrange(50):08x}"
    message = {
        "message_id": f"{chance.randrange(10**9):x}",
        "date": 1_795_000_000_000 + chance.randrange(10**9),
        "text": text,
        "chat": {"id": person, "chat_type": "PRIVATE"},
        "from": {"id": person, "display_name": "T", "is_bot": False},
    }
    return {"ok": True, "result": {"event_name": "message.text.received", "message": message}}


def update(chance: Random, text: str) -> dict[str, Any]:
    """An update of Telegram's Bot API."""
    chat = 5_500_000_000 + chance.randrange(50)
    person = {"id": chat, "is_bot": False, "first_name": "T", "language_code": "vi"}
    told: dict[str, Any] = {"text": text}
    match chance.randrange(5):
        case 0:
            contact = {"phone_number": phone(chance), "first_name": "T", "user_id": chat}
            told = {"contact": contact, "reply_to_message": {"message_id": 1, "date": 1}}
        case 1:
            told |= {"entities": [{"type": "bot_command", "offset": 0, "length": 3}]}
        case 2:
            size = {"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}
            told = {"caption": text, "photo": [size]}
        case _:
            pass
    return {
        "update_id": chance.randrange(1, 10**9),
        "message": {
            "message_id": chance.randrange(1, 10**9),
            "date": 1_795_000_000 + chance.randrange(1_000_000),
            "chat": {"id": chat, "type": "private", "first_name": "T"},
            "from": person,
            **told,
        },
    }
