"""The short fuzzing: every door, in process and over HTTP. ``make fuzz`` is the long one."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fuzz import workers
from fuzz.books import Books, said_wrong
from fuzz.dialects import Call
from fuzz.doors import doors

ROOT = Path(__file__).parents[2]


async def test_no_door_gives_way(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "fuzz", "--inputs", "20000", "--requests", "300", "--cases", "100"),
        # How long an input takes is for the long one to say, on a machine with nothing else to do.
        *("--limit", "60", "--keep", str(tmp_path)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    said = json.loads(out.splitlines()[-1])
    assert said["faults"] == 0
    assert set(said["inputs"]) == {*doors(), "http", "schema"}
    assert (said["inputs"]["http"], said["inputs"]["schema"]) == (300, 100)
    for wanted in ("events: taken", "events: quarantined", "hooks/telegram: inbound",
                   "inquiry: answered", "http: events 202", "http: hooks 200",
                   "schema: stored, and in the store"):  # fmt: skip
        assert said["outcomes"][wanted] > 0


class Planted:
    """A door behind which something is wrong."""

    name = "planted"

    def make(self, chance: Any) -> int:
        return chance.randrange(10)

    def enter(self, made: int) -> str:
        if made == 3:
            raise ValueError(made)
        return "taken"


def test_what_is_wrong_behind_a_door_is_a_fault() -> None:
    report = workers.Report()
    for number in range(100):
        workers.enter(Planted(), "1", number, 60.0, report)
    assert report.inputs["planted"] == 100
    assert 0 < len(report.faults) == report.outcomes["planted: fault"] < 100
    assert "ValueError: 3" in report.faults[0].problem


def test_what_takes_too_long_is_a_fault() -> None:
    report = workers.Report()
    for number in range(100):
        workers.enter(Planted(), "1", number, -1.0, report)
    assert len(report.faults) == 100


@pytest.mark.parametrize("name", doors())
def test_an_input_can_be_made_again(name: str) -> None:
    door = doors()[name]
    assert all(
        repr(door.make(workers.chance_of("1", name, number)))
        == repr(door.make(workers.chance_of("1", name, number)))
        for number in range(30)
    )


def books_and_store(tmp_path: Path, events: list[str], aside: list[str]) -> tuple[Books, Path]:
    """Books in which ``a`` was stored and ``b`` put aside, and a store of these rows."""
    store = tmp_path / "notifier.db"
    with closing(sqlite3.connect(store)) as database, database:
        database.executescript(
            "CREATE TABLE event (source, id); CREATE TABLE quarantine (door, key);"
            "CREATE TABLE inbound (gateway, key); CREATE TABLE receipt (gateway, ref);"
        )
        database.executemany("INSERT INTO event VALUES ('/s', ?)", [(one,) for one in events])
        database.executemany("INSERT INTO quarantine VALUES ('events', ?)", [(k,) for k in aside])
    books = Books()
    told = [
        {"result": "stored", "source": "/s", "id": "a"},
        {"result": "quarantined", "source": "/s", "id": "b", "reason": "why"},
    ]
    call = Call(query={}, headers={"ce-id": "1"}, body=b"")
    books.write_events(7, call, 202, json.dumps({"results": told}).encode())
    return books, store


@pytest.mark.parametrize(
    ("events", "aside", "wrong"),
    [
        (["a"], ["/s|b|why"], []),
        ([], ["/s|b|why"], ["acknowledged and lost", "1 were answered with stored, 0"]),
        (["a"], [], ["acknowledged and lost", "1 were answered with quarantined, 0"]),
        (["a", "c"], ["/s|b|why"], ["1 were answered with stored, 2"]),
        (["a"], ["/s|b|why", "c"], ["1 were answered with quarantined, 2"]),
    ],
    ids=["all there", "event lost", "quarantined lost", "event untold", "quarantined untold"],
)
def test_the_store_has_to_hold_what_was_told(tmp_path, events, aside, wrong) -> None:
    books, store = books_and_store(tmp_path, events, aside)
    found = [problem for _, problem in books.wrong(store, exact=True)]
    assert len(found) == len(wrong)
    assert all(any(words in problem for problem in found) for words in wrong)


def test_an_event_is_stored_once(tmp_path) -> None:
    books, _ = books_and_store(tmp_path, [], [])
    told = {"results": [{"result": "stored", "source": "/s", "id": "a"}]}
    call = Call(query={}, headers={"ce-id": "1"}, body=b"")
    with pytest.raises(ValueError, match="stored twice"):
        books.write_events(8, call, 202, json.dumps(told).encode())


@pytest.mark.parametrize(
    ("log", "wrong"),
    [
        ('{"event": "service.ready"}', 0),
        ("Traceback (most recent call last):", 1),
        ('{"event": "x", "to": "+84 912 007 123"}', 1),
    ],
    ids=["well", "traceback", "number"],
)
def test_the_log_has_to_be_silent(log, wrong) -> None:
    assert len(list(said_wrong(log))) == wrong


@pytest.mark.parametrize(
    ("door", "again"), [("events", "--again events:5 --seed 9"), ("http", "--inputs 0 --seed 9")]
)
def test_a_fault_is_kept_with_what_shows_it_again(tmp_path, door, again) -> None:
    workers.Fault(door=door, number=5, problem="ValueError", made="b''").keep(tmp_path, "9")
    (kept,) = tmp_path.iterdir()
    assert kept.read_text().splitlines()[0] == f"python -m fuzz {again}"
