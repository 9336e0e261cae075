"""What is the embedded store's own, beside the contract that all keep."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import (
    AGENT_PHONE,
    GATEWAY,
    NAME,
    NOW,
    PHONE,
    code,
    event,
    inbound,
    message,
    received,
    until,
)
from contracts.store import DispatchAloneContract, queue
from engines import MemoryEngine, SqliteEngine

from notifier.domain.audience import Recipient
from notifier.domain.consent import EVERYTHING, Refusal
from notifier.domain.dossier import apply
from notifier.domain.message import Address
from notifier.errors import StoreBusyError, StoreError
from notifier.ports import Heard, Quarantined
from notifier.storage.migrations import migrations
from notifier.storage.sealing import Keys, Sealer
from notifier.storage.sqlite import SqliteStore
from notifier.storage.sqlite.store import PACKAGE, statements

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MIGRATIONS = migrations(PACKAGE)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    engine = SqliteEngine(tmp_path)
    await engine.store.open()
    yield engine
    await engine.close()


class TestDispatchAlone(DispatchAloneContract):
    """The contract of an engine for one process."""


# ----------------------------------------------------------------------------------- SQLite's own


async def test_the_lock_ends_with_its_process(engine: SqliteEngine) -> None:
    """However it ends: a killed process holds nothing."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import fcntl, sys\n"
        "lock = open(sys.argv[1], 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n",
        f"{engine.path}.lock",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    await holder.stdout.readline()
    with pytest.raises(StoreBusyError, match="one process at a time"):
        await engine.store.dispatch_alone("test:1")
    holder.kill()
    await holder.communicate()
    await engine.store.dispatch_alone("test:1")


async def test_every_connection_is_durable(engine: SqliteEngine) -> None:
    """WAL with synchronous FULL (2): what is committed survives the loss of power."""
    async with engine.store.write() as session:
        assert [tuple(row) for row in await session.run("PRAGMA synchronous")] == [(2,)]
        assert [tuple(row) for row in await session.run("PRAGMA journal_mode")] == [("wal",)]
        assert [tuple(row) for row in await session.run("PRAGMA foreign_keys")] == [(1,)]


async def test_a_new_file_has_the_newest_version(engine: SqliteEngine) -> None:
    assert await engine.rows("PRAGMA user_version") == [(max(MIGRATIONS),)]
    assert await engine.rows("PRAGMA integrity_check") == [("ok",)]


async def test_opening_again_changes_nothing(engine: SqliteEngine) -> None:
    await queue(engine.store, message())
    before = await engine.rows("SELECT name, sql FROM sqlite_schema ORDER BY name")
    other = await engine.another()
    assert await engine.rows("SELECT name, sql FROM sqlite_schema ORDER BY name") == before
    async with other.read() as session:
        assert len(await session.outbox()) == 1


async def test_ten_processes_may_make_it_at_once(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path)
    await asyncio.gather(*(engine.another() for _ in range(10)))
    await engine.close()
    assert await engine.rows("PRAGMA user_version") == [(max(MIGRATIONS),)]


def test_migrations_are_numbered_without_gaps() -> None:
    assert sorted(MIGRATIONS) == list(range(1, len(MIGRATIONS) + 1))


def test_migrations_have_no_trap_for_the_splitter() -> None:
    """``statements`` knows neither triggers nor semicolons in comments or texts."""
    for script in MIGRATIONS.values():
        assert "trigger" not in script.lower()
        assert all(sqlite3.complete_statement(f"{one};") for one in statements(script))


@pytest.mark.parametrize("version", [max(MIGRATIONS) + 1, 4_711])
async def test_a_newer_store_is_refused_untouched(tmp_path: Path, version: int) -> None:
    engine = SqliteEngine(tmp_path)
    with closing(sqlite3.connect(engine.path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    threads = threading.active_count()
    with pytest.raises(StoreError, match=f"version {version}.*newer program"):
        await engine.store.open()
    assert await engine.rows("PRAGMA user_version") == [(version,)]
    assert await engine.rows("SELECT name FROM sqlite_schema") == []
    await until(lambda: threading.active_count() == threads)  # no connection stays open
    await engine.close()


@pytest.mark.parametrize("what", ["a folder", "not a database"])
async def test_what_is_no_store_is_refused(tmp_path: Path, what: str) -> None:
    engine = SqliteEngine(tmp_path)
    if what == "a folder":
        engine.path.mkdir()
    else:
        engine.path.write_bytes(b"This is a letter to the one-stop centre. " * 100)
    threads = threading.active_count()
    with pytest.raises(StoreError, match="NOTIFIER_STORE"):
        await engine.store.open()
    await until(lambda: threading.active_count() == threads)  # no connection stays open
    await engine.close()


async def test_a_cancelled_wait_for_another_process_blocks_nobody(engine: SqliteEngine) -> None:
    """The driver's thread goes on waiting after its caller has gone away."""
    with closing(sqlite3.connect(engine.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(queue(engine.store, message("cancelled")))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=0.02)
        other.execute("ROLLBACK")
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    await queue(engine.store, message("next"))
    async with engine.store.read() as session:
        assert [row.key for row in await session.outbox()] == ["next"]


async def test_only_its_owner_may_read_it(engine: SqliteEngine) -> None:
    await queue(engine.store, message())
    await engine.store.dispatch_alone("test:1")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in engine.path.parent.iterdir()}
    assert modes == dict.fromkeys(
        ["notifier.db", "notifier.db-wal", "notifier.db-shm", "notifier.db.lock"], 0o600
    )


async def test_nothing_personal_can_be_read_from_the_files(engine: SqliteEngine) -> None:
    """Neither in the file nor in its log, before and after it is closed."""
    text, question = "Noi dung rieng 7719", "HS cua toi 8820"
    person = Address("sms", PHONE)
    async with engine.store.write() as session:
        taken = received(reason="ly do rieng 5512", agent_phone=AGENT_PHONE, agent_name="Tran Mau")
        await session.add_events([taken], NOW)
        await session.put_dossiers([apply(None, taken, now=NOW)], NOW)
        await session.add_messages([message(text=text, dossier=code())])
        heard = Heard(gateway=GATEWAY, inbound=inbound(question))
        await session.add_inbound([heard], NOW)
        await session.refuse([Refusal(address=person, scope=EVERYTHING, at=NOW, proof="g|1")])
        await session.add_recipients("b-1", [Recipient(row=2, address=person, values={"a": NAME})])
        raw = f"{PHONE} {NAME}".encode()
        await session.quarantine([Quarantined(door="events", reason="why", raw=raw, at=NOW)])
    open_bytes = _all_bytes(engine.path.parent)
    await engine.store.close()
    everything = open_bytes + _all_bytes(engine.path.parent)
    assert code().encode() in everything, "what is not sealed can be found this way"
    personal = {text, question, NAME, "Thử Nghiệm", "5512", "Tran Mau"} | {
        number.removeprefix("+84") for number in (PHONE, AGENT_PHONE)
    }
    assert not [
        word
        for word in personal
        if word.encode() in everything or word.encode("unicode_escape") in everything
    ]


def _all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_store_of_other_keys_does_not_open_its_values(engine: SqliteEngine) -> None:
    sent = message()
    await queue(engine.store, sent)
    stranger = SqliteStore(engine.path, Sealer(Keys.fresh()))
    await stranger.open()
    try:
        with pytest.raises(StoreError, match="other keys"):
            async with stranger.read() as session:
                await session.messages([sent.id])
    finally:
        await stranger.close()


async def test_more_readers_than_connections_wait_their_turn(engine: SqliteEngine) -> None:
    await queue(engine.store, message())

    async def look() -> int:
        async with engine.store.read() as session:
            return len(await session.outbox())

    assert await asyncio.gather(*(look() for _ in range(20))) == [1] * 20


async def test_an_event_is_sealed_and_kept(engine: SqliteEngine) -> None:
    async with engine.store.write() as session:
        await session.add_events([replace(event(), id="e-1")], NOW)
    assert await engine.rows("SELECT id, code, type FROM event") == [("e-1", code(), "received")]


async def test_a_store_in_memory_leaves_nothing_behind() -> None:
    engine = MemoryEngine()
    await engine.store.open()
    assert engine.path.exists()
    await engine.store.close()
    assert not engine.path.parent.exists()
