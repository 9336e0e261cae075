"""A store is copied whole, into another engine and back, or it is said what differs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from builders import NOW, event, inbound, message, received
from engines import PostgresEngine, SqliteEngine

from notifier.domain.dossier import apply
from notifier.domain.message import State
from notifier.errors import StoreBusyError, StoreError
from notifier.ports import Heard, Quarantined, WorkItem
from notifier.storage import copying
from notifier.storage.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from postgres_server import PostgresServer

    from notifier.ports import Store

MESSAGES = copying.BATCH + 7


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    """A store in a file, with something in many of its tables."""
    engine = SqliteEngine(tmp_path / "from")
    await engine.store.open()
    await fill(engine.store)
    yield engine
    await engine.close()


@pytest.fixture
async def server(postgres: PostgresServer) -> AsyncIterator[PostgresEngine]:
    engine = await PostgresEngine.fresh(postgres)
    yield engine
    await engine.give_back()


async def fill(store: Store) -> None:
    item = received()
    async with store.write() as session:
        await session.add_events([item, event("processing", at=NOW + 1)], NOW)
        await session.put_dossiers([apply(None, item, now=NOW)], NOW)
        await session.add_messages([message(f"m{n}") for n in range(MESSAGES)])
        await session.add_inbound(
            [Heard(gateway="g", inbound=inbound("đã \x00 gửi"), intent="STATUS")], NOW
        )
        await session.add_work([WorkItem(key="a\x00b", kind="late", opened_at=NOW)])
        await session.quarantine([Quarantined(door="d", reason="r", raw=b"\xff\x00", at=NOW)])
        await session.take_lease("remind", "me", NOW, NOW + 60_000)


async def kept(store: Store) -> tuple[object, ...]:
    async with store.read() as session:
        rows = await session.outbox(limit=10_000)
        dossiers = await session.list_dossiers("", 100)
        [item] = await session.quarantined()
        return rows, dossiers, await session.quarantined_raw(item.id), await session.work()


async def copied(source: Store, target: Store) -> int:
    return await copying.copy(source, target, lambda *_: None)  # type: ignore[arg-type]


async def test_into_postgresql_and_back_into_a_file(
    file: SqliteEngine, server: PostgresEngine, tmp_path: Path
) -> None:
    rows = await copied(file.store, server.store)
    assert rows == MESSAGES + 6
    assert (await kept(server.store))[:3] == (await kept(file.store))[:3]
    assert await server.rows("SELECT count(*) FROM lease") == [(0,)]
    back = SqliteEngine(tmp_path / "back")
    await back.store.open()
    assert await copied(server.store, back.store) == rows
    assert await kept(back.store) == await kept(server.store)
    await back.close()


async def test_the_copy_goes_on_counting_where_the_original_stopped(
    file: SqliteEngine, server: PostgresEngine
) -> None:
    await copied(file.store, server.store)
    async with server.store.write() as session:
        await session.quarantine([Quarantined(door="d", reason="new", raw=b"", at=NOW)])
        assert [row.reason for row in await session.quarantined()] == ["r", "new"]


async def test_into_a_store_that_holds_something_nothing_is_copied(
    file: SqliteEngine, server: PostgresEngine
) -> None:
    async with server.store.write() as session:
        await session.add_work([WorkItem(key="mine", kind="late")])
    with pytest.raises(StoreError, match="table work of the target is not empty"):
        await copied(file.store, server.store)
    assert await server.rows("SELECT count(*) FROM message") == [(0,)]


async def test_a_row_that_is_lost_on_the_way_is_noticed(
    file: SqliteEngine, server: PostgresEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifier.storage.postgres.store import PostgresSession

    load = PostgresSession.load

    async def forgetful(self, table, columns, rows):
        await load(self, table, columns, rows[:-1] if table == "message" else rows)

    monkeypatch.setattr(PostgresSession, "load", forgetful)
    with pytest.raises(StoreError, match=f"of table message {MESSAGES} rows were read"):
        await copied(file.store, server.store)


async def test_what_is_written_meanwhile_is_not_in_it(
    file: SqliteEngine, server: PostgresEngine
) -> None:
    async def write(n: int) -> None:
        async with file.store.write() as session:
            await session.add_messages([message(f"later{n}")])

    rows, *_ = await asyncio.gather(
        copied(file.store, server.store), *(write(n) for n in range(20))
    )
    assert rows >= MESSAGES + 6


# ---------------------------------------------------------------------------- backup and restore


async def test_a_backup_of_a_store_in_use_is_whole_and_restores(
    file: SqliteEngine, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    pairs = 50

    async def write() -> None:
        for n in range(pairs):
            async with file.store.write() as session:
                await session.add_messages([message(f"left{n}"), message(f"right{n}")])

    writing = asyncio.create_task(write())
    await file.store.backup(backup)
    await writing
    assert backup.stat().st_mode & 0o077 == 0
    restored = SqliteEngine(tmp_path / "restored")
    await restored.store.restore(backup, replace=False)
    await restored.store.open()
    keys = {key for (key,) in await restored.rows("SELECT key FROM message")}
    lefts = {key.removeprefix("left") for key in keys if key.startswith("left")}
    rights = {key.removeprefix("right") for key in keys if key.startswith("right")}
    assert lefts == rights, "no half of a transaction is in it"
    assert len(keys) == MESSAGES + 2 * len(lefts)
    async with restored.store.read() as session:
        assert {row.state for row in await session.outbox(limit=10_000)} == {State.QUEUED}
    await restored.close()


async def test_a_backup_never_overwrites(file: SqliteEngine, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    backup.write_bytes(b"something else")
    with pytest.raises(StoreError, match="there already"):
        await file.store.backup(backup)
    assert backup.read_bytes() == b"something else"


async def test_a_store_that_is_there_is_replaced_when_that_is_said_and_kept_beside(
    file: SqliteEngine, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    await file.store.backup(backup)
    async with file.store.write() as session:
        await session.add_messages([message("after the backup")])
    await file.close()
    fresh = file.make_store()
    with pytest.raises(StoreError, match="--replace"):
        await fresh.restore(backup, replace=False)
    await fresh.restore(backup, replace=True)
    await fresh.open()
    async with fresh.read() as session:
        assert len(await session.outbox(limit=10_000)) == MESSAGES
    await fresh.close()
    before = SqliteStore(file.path.with_name(file.path.name + ".before"), fresh._sealer)
    await before.open()
    async with before.read() as session:
        assert len(await session.outbox(limit=10_000)) == MESSAGES + 1
    await before.close()


async def test_a_store_from_which_somebody_sends_is_not_replaced(
    file: SqliteEngine, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    await file.store.backup(backup)
    await file.store.dispatch_alone("me")
    with pytest.raises(StoreBusyError):
        await file.make_store().restore(backup, replace=True)


@pytest.mark.parametrize("content", [b"", b"no store", b"SQLite format 3\x00" + b"\x00" * 9_000])
async def test_a_damaged_backup_replaces_nothing(
    file: SqliteEngine, tmp_path: Path, content: bytes
) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(content)
    await file.close()
    with pytest.raises(StoreError, match=r"damaged|can't be restored"):
        await file.make_store().restore(damaged, replace=True)
    await file.store.open()
    async with file.store.read() as session:
        assert len(await session.outbox(limit=10_000)) == MESSAGES
