"""An office for tests: its configuration folder, its one-stop system's events, its people."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from standardwebhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CODE = "H19.45-261118-0007"
SOURCE = "urn:test:one-stop"
PHONE = "+84912000345"
OTHER_PHONE = "+84987654321"
NAME = "Nguyễn Thị Hoa"
SIMULATOR_SECRET = "the carrier and we know this"

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"

ALWAYS = ["00:00", "23:59"]
"""Hours in which a test may be run, whenever that is."""


def event(
    what: str = "received", *, code: str = CODE, ce_id: str = "", **data: Any
) -> dict[str, Any]:
    """A CloudEvent about a dossier of the person with ``PHONE``; ``data`` adds to it."""
    return {
        "specversion": "1.0",
        "id": ce_id or f"{code}:{what}",
        "source": SOURCE,
        "type": f"dossier.{what}",
        "subject": code,
        "time": data.pop("time", None) or datetime.now(UTC).isoformat(),
        "data": {
            "applicant": {"name": NAME, "phone": PHONE},
            "unit": {"code": "H19.45", "name": "UBND phường Bình Phước"},
            **data,
        },
    }


def signed(
    secret: str,
    body: bytes,
    *,
    kind: str = ONE,
    call: str = "msg-1",
    age: float = 0,
) -> dict[str, str]:
    """The headers of a request, signed by the reference implementation; ``age`` in seconds."""
    at = datetime.fromtimestamp(time.time() - age, UTC)
    return {
        "content-type": kind,
        "webhook-id": call,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(call, at, body.decode()),
    }


def encoded(*events: Mapping[str, Any]) -> bytes:
    """One event, or several as a batch."""
    return json.dumps(events[0] if len(events) == 1 else events, ensure_ascii=False).encode()


def write_config(folder: Path, **tables: Any) -> Path:
    """A configuration folder whose ``notifier.toml`` has ``tables``, and hours for any test."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"hours": {"notices": ALWAYS, "broadcasts": ALWAYS}, **tables}
    text = "\n".join(f"{json.dumps(key)} = {_toml(value)}" for key, value in settings.items())
    (folder / "notifier.toml").write_text(text + "\n", encoding="utf-8")
    return folder


def _toml(value: Any) -> str:
    match value:
        case dict():
            pairs = (f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case bool() | int() | float() | str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a test's TOML")
