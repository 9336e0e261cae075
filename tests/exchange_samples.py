"""Pushes of made-up dossiers in the national exchange form, and what has to stand after them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notifier import settings
from notifier.domain import instant, phone
from notifier.sources import record_map
from notifier.sources.exchange import RecordReader
from notifier.sources.reading import Arrival

if TYPE_CHECKING:
    from random import Random

    from notifier.domain.dossier import Dossier

FOLDER = Path(__file__).parent / "data" / "exchange"
FILE = FOLDER / "pushes.ndjson"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())
PUSHES: list[dict[str, Any]] = [
    json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()
]

NOW = instant.read_iso("2026-11-22T09:00")
"""After the last push."""
ARRIVAL = Arrival(at=NOW)


def shipped_map(name: str = "exchange") -> record_map.RecordMap:
    """A map that comes with the service."""
    files = settings.Files(None)
    read = record_map.load(files, name, None)
    assert read is not None, files.faults
    return read


def reader(name: str = "exchange") -> RecordReader:
    return RecordReader(name, shipped_map(name))


def records() -> list[tuple[str, dict[str, Any]]]:
    """Every record, with when it changed."""
    return [
        (time, record)
        for push in PUSHES
        for time, record in zip(
            push["occurred_at"],
            push["data"] if isinstance(push["data"], list) else [push["data"]],
            strict=True,
        )
    ]


def recut(chance: Random) -> list[bytes]:
    """The same records shuffled, some of them doubled, and cut into other pushes."""
    again = records()
    again += chance.sample(again, chance.randrange(200))
    chance.shuffle(again)
    bodies = []
    while again:
        size = chance.randint(1, 40)
        cut, again = again[:size], again[size:]
        held: Any = [record for _, record in cut]
        push = {
            "received_at": "2026-11-20T08:00:00+07:00",
            "occurred_at": [time for time, _ in cut],
            "service": "DongBoHoSoMC",
            "data": held[0] if len(held) == 1 and chance.random() < 0.5 else held,
        }
        bodies.append(json.dumps(push, ensure_ascii=False).encode())
    return bodies


def standing(dossier: Dossier) -> dict[str, Any]:
    """What ``EXPECTED`` says of a dossier."""
    number = phone.read(dossier.facts.applicant_phone or "")
    due = dossier.facts.due_at
    return {
        "status": dossier.status,
        "due": None if due is None else instant.iso(due),
        "phone": number and number.e164,
    }
