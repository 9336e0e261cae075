"""What is PostgreSQL's own, beside the contract that all engines keep."""

from __future__ import annotations

import asyncio
import re
import signal
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from builders import GATEWAY, NAME, NOW, PHONE, attempted, event, inbound, message, until
from contracts.store import LONG, delivered, queue, report, state_of, undelivered
from engines import KEYS, PostgresEngine, SqliteEngine

from notifier.bootstrap.core import configure, make_store
from notifier.domain import retry
from notifier.domain.message import State
from notifier.domain.outcome import Accepted, Outcome, Unknown
from notifier.errors import ConfigurationError, StoreConflictError, StoreError
from notifier.flows.group_commit import GroupCommit
from notifier.ports import Heard, WorkItem
from notifier.storage.address import masked, secrets_of
from notifier.storage.migrations import migrations
from notifier.storage.postgres import PostgresStore
from notifier.storage.postgres.rows import kind
from notifier.storage.postgres.store import PACKAGE
from notifier.storage.sealing import Sealer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence
    from pathlib import Path

    from postgres_server import PostgresServer

    from notifier.domain.message import Message
    from notifier.ports import Session

MIGRATIONS = migrations(PACKAGE)


@pytest.fixture
async def engine(postgres: PostgresServer) -> AsyncIterator[PostgresEngine]:
    engine = await PostgresEngine.fresh(postgres)
    yield engine
    await engine.give_back()


async def waits(engine: PostgresEngine, work: Awaitable[Any]) -> asyncio.Task[Any]:
    """``work``, under way and waiting for a lock."""
    task = asyncio.ensure_future(work)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock'"
    )

    async def is_waiting() -> bool:
        return task.done() or await engine.rows(waiting) == [(1,)]

    await until(is_waiting)
    assert not task.done(), "it waited for nobody"
    return task


async def end(session: Session, begun: Sequence[Message], outcome: Outcome) -> None:
    verdicts = [retry.verdict(sent, outcome, now=NOW) for sent in begun]
    await session.end_attempts(
        [attempted(sent, outcome, v) for sent, v in zip(begun, verdicts, strict=True)], NOW
    )


# ------------------------------------------------------------------------------------------ claims


async def test_two_dispatchers_claim_side_by_side_and_neither_waits(engine: PostgresEngine) -> None:
    other = await engine.another()
    await queue(engine.store, *(message(f"m{n}") for n in range(6)))
    async with engine.store.write() as one, other.write() as two:
        mine = await one.waiting("sms", GATEWAY, NOW, 3)
        theirs = await two.waiting("sms", GATEWAY, NOW, 6)
        assert (len(mine), len(theirs)) == (3, 3)
        assert not {candidate.id for candidate in mine} & {candidate.id for candidate in theirs}
        begun = [
            await session.begin_attempts(
                await session.messages([candidate.id for candidate in claimed]), GATEWAY, who, NOW
            )
            for session, claimed, who in ((two, theirs, "b"), (one, mine, "a"))
        ]
        assert [len(messages) for messages in begun] == [3, 3]
    assert await engine.rows("SELECT count(DISTINCT message) FROM attempt") == [(6,)]


async def test_who_begins_what_another_one_is_beginning_begins_nothing(
    engine: PostgresEngine,
) -> None:
    """Even without having asked what waits."""
    other = await engine.another()
    await queue(engine.store, message("a"), message("b"))
    async with engine.store.write() as one, other.write() as two:
        assert len(await one.begin_attempts([message("a")], GATEWAY, "a", NOW)) == 1
        begun = await two.begin_attempts([message("a"), message("b")], GATEWAY, "b", NOW)
        assert [sent.key for sent in begun] == ["b"]


async def test_what_a_claim_gave_up_waits_again(engine: PostgresEngine) -> None:
    async def give_up() -> None:
        async with engine.store.write() as session:
            assert len(await session.waiting("sms", GATEWAY, NOW, 3)) == 1
            raise RuntimeError

    await queue(engine.store, message())
    with pytest.raises(RuntimeError):
        await give_up()
    async with engine.store.write() as session:
        assert len(await session.waiting("sms", GATEWAY, NOW, 3)) == 1


async def test_a_reader_locks_nothing(engine: PostgresEngine) -> None:
    await queue(engine.store, message())
    async with engine.store.read() as reader, engine.store.write() as writer:
        assert len(await reader.waiting("sms", GATEWAY, NOW, 3)) == 1
        assert len(await writer.waiting("sms", GATEWAY, NOW, 3)) == 1


# ----------------------------------------------------------------- two transactions that cross


@pytest.mark.parametrize("by_key", [False, True], ids=["by reference", "by key"])
@pytest.mark.parametrize("first", ["the report", "the record"])
async def test_a_report_and_the_record_it_speaks_of_meet(
    engine: PostgresEngine, first: str, by_key: bool
) -> None:
    """Neither sees the other before its commit; the report is applied all the same."""
    sent = message()
    await queue(engine.store, sent)
    async with engine.store.write() as session:
        begun = await session.begin_attempts([sent], GATEWAY, "a", NOW)
    receipt = delivered(sent.key if by_key else "r1", by_key=by_key)

    async def record() -> None:
        async with engine.store.write() as session:
            await end(session, begun, Accepted(refs=("r1",)))

    async with engine.store.write() as session:
        if first == "the report":
            await session.add_receipts(GATEWAY, [receipt], NOW)
            second = await waits(engine, record())
        else:
            await end(session, begun, Accepted(refs=("r1",)))
            second = await waits(engine, report(engine.store, receipt))
    await second
    assert await state_of(engine.store, sent) is State.DELIVERED


async def test_the_reports_of_two_parts_meet(engine: PostgresEngine) -> None:
    """Each completes what the other one began."""
    sent = message(text=LONG)
    await queue(engine.store, sent)
    async with engine.store.write() as session:
        begun = await session.begin_attempts([sent], GATEWAY, "a", NOW)
        await end(session, begun, Accepted(refs=("r1", "r2")))
    async with engine.store.write() as session:
        await session.add_receipts(GATEWAY, [delivered("r1")], NOW)
        second = await waits(engine, report(engine.store, delivered("r2")))
    await second
    assert await state_of(engine.store, sent) is State.DELIVERED


async def test_of_contradictory_early_reports_the_first_counts(engine: PostgresEngine) -> None:
    sent = message()
    await queue(engine.store, sent)
    async with engine.store.write() as session:
        begun = await session.begin_attempts([sent], GATEWAY, "a", NOW)
        await session.add_receipts(GATEWAY, [undelivered("r1")], NOW)
        await session.add_receipts(GATEWAY, [delivered("r1")], NOW + 1)
        await end(session, begun, Accepted(refs=("r1",)))
    assert await state_of(engine.store, sent) is State.FAILED


async def test_a_deadlock_is_a_conflict_and_the_same_again_works(engine: PostgresEngine) -> None:
    """Two that wait crosswise: one is undone and says so; a group that meets it is tried again."""
    met = asyncio.Barrier(2)
    tries = 0

    async def cross(names: Sequence[str]) -> Sequence[str]:
        nonlocal tries
        tries += 1
        async with engine.store.write() as session:
            await session.hold(names[:1])
            if tries <= 2:
                await met.wait()
            await session.hold(names[1:])
        return names

    one, two = GroupCommit(cross), GroupCommit(cross)
    assert await asyncio.gather(one.all(["a", "b"]), two.all(["b", "a"])) == [
        ["a", "b"],
        ["b", "a"],
    ]
    assert tries == 3


async def test_the_rows_of_one_statement_are_written_in_one_order(engine: PostgresEngine) -> None:
    """Two that write the same rows wait for each other, and never crosswise."""
    keys = [f"k{n}" for n in (3, 1, 2, 0)]
    async with engine.store.write() as session:
        await session.add_events([event(id=key) for key in keys], NOW)
        await session.add_inbound(
            [Heard(gateway=GATEWAY, inbound=inbound("HS", key=key)) for key in keys], NOW
        )
        await session.add_messages([message(key) for key in keys])
        await session.add_work([WorkItem(key=key, kind="late") for key in keys])
        await session.add_guesses([("run", key) for key in keys], NOW)
    for table, key in (
        ("event", "id"),
        ("inbound", "key"),
        ("message", "key"),
        ("work", "key"),
        ("guess", "code"),
    ):
        written = await engine.rows(f"SELECT {key} FROM {table} ORDER BY ctid")
        assert written == [(key,) for key in sorted(keys)], table


async def test_a_conflict_says_so(engine: PostgresEngine) -> None:
    met = asyncio.Barrier(2)

    async def cross(*names: str) -> None:
        async with engine.store.write() as session:
            await session.hold(names[:1])
            await met.wait()
            await session.hold(names[1:])

    ended = await asyncio.gather(cross("a", "b"), cross("b", "a"), return_exceptions=True)
    assert sorted(map(type, ended), key=str) == sorted([type(None), StoreConflictError], key=str)


async def test_a_block_that_goes_on_after_a_failed_statement_does_not_pass_for_committed(
    engine: PostgresEngine,
) -> None:
    async def go_on() -> None:
        async with engine.store.write() as session:
            await session.add_messages([message()])
            with pytest.raises(StoreError):
                await session.run("SELECT 1 / 0")

    with pytest.raises(StoreError, match="nothing of its transaction is kept"):
        await go_on()
    assert await engine.rows("SELECT count(*) FROM message") == [(0,)]


# ----------------------------------------------------------------------------- the living, the dead

SENDER = """
import asyncio, sys
sys.path.insert(0, "tests")
from builders import GATEWAY, NOW, message
from notifier.storage.postgres import PostgresStore
from notifier.storage.sealing import Keys, Sealer

async def main():
    store = PostgresStore(sys.argv[1], Sealer(Keys(sealing=bytes.fromhex(sys.argv[2]),
        digest=bytes.fromhex(sys.argv[3]), events="")), lease=1_500)
    await store.open()
    await store.dispatch_alone("host:7:abc")
    async with store.write() as session:
        assert await session.begin_attempts([message()], GATEWAY, "host:7:abc", NOW)
    print("sending", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_what_a_killed_process_was_sending_becomes_unknown_and_not_before(
    engine: PostgresEngine, pytestconfig: pytest.Config
) -> None:
    await queue(engine.store, message())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDER, engine.address, KEYS.sealing.hex(), KEYS.digest.hex(),
        stdout=asyncio.subprocess.PIPE, cwd=pytestconfig.rootpath,
    )  # fmt: skip
    assert process.stdout
    assert await process.stdout.readline() == b"sending\n"

    async def abandoned() -> bool:
        async with engine.store.write() as session:
            return await session.abandon_sending(NOW) > 0

    lasts = "SELECT until FROM process WHERE owner = 'host:7:abc'"
    [(first,)] = await engine.rows(lasts)
    async with asyncio.timeout(30):
        while (await engine.rows(lasts))[0][0] < first + 2_000:  # longer than a lease
            assert not await abandoned()
            await asyncio.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    await until(abandoned)
    assert await state_of(engine.store, message()) is State.UNKNOWN


async def test_whoever_begins_is_alive(engine: PostgresEngine) -> None:
    """A process that stood still finds its lease ended; beginning renews it, in one commit."""
    await queue(engine.store, message())
    other = await engine.another(lease=3_600_000)
    await other.dispatch_alone("host:1:a")
    await engine.rows("UPDATE process SET until = 0")
    async with other.write() as session:
        await session.begin_attempts([message()], GATEWAY, "host:1:a", NOW)
    async with engine.store.write() as session:
        assert await session.abandon_sending(NOW) == 0


async def test_what_a_living_process_does_not_know_it_began_becomes_unknown(
    engine: PostgresEngine,
) -> None:
    """The connection was lost at the commit: no attempt lasts as long as this."""
    await queue(engine.store, message())
    await engine.store.dispatch_alone("host:1:a")
    async with engine.store.write() as session:
        await session.begin_attempts([message()], GATEWAY, "host:1:a", NOW)
    async with engine.store.write() as session:
        assert await session.abandon_sending(NOW + 599_999) == 0
        assert await session.abandon_sending(NOW + 600_000) == 1


async def test_a_verdict_that_comes_after_that_opens_nothing(engine: PostgresEngine) -> None:
    await queue(engine.store, message())
    async with engine.store.write() as session:
        begun = await session.begin_attempts([message()], GATEWAY, "host:1:a", NOW)
        await session.abandon_sending(NOW)
        await end(session, begun, Unknown(code="late"))
        [attempt] = await session.attempts(message().id)
        assert attempt.code == "died"
    await report(engine.store, delivered(message().key, by_key=True))
    assert await state_of(engine.store, message()) is State.DELIVERED


async def test_many_dispatch_and_the_names_of_the_long_dead_are_forgotten(
    engine: PostgresEngine,
) -> None:
    await engine.rows("INSERT INTO process VALUES ('host:0:old', 0)")
    others = [await engine.another() for _ in range(3)]
    for number, store in enumerate((engine.store, *others)):
        await store.dispatch_alone(f"host:{number}:now")
    assert await engine.rows("SELECT owner FROM process ORDER BY owner") == [
        (f"host:{n}:now",) for n in range(4)
    ]


async def test_leases_go_by_the_server_s_clock(engine: PostgresEngine) -> None:
    """Two hosts whose clocks differ by a day."""
    day = 86_400_000
    async with engine.store.write() as session:
        assert await session.take_lease("remind", "behind", NOW, NOW + 60_000)
        assert not await session.take_lease("remind", "ahead", NOW + day, NOW + day + 60_000)


# -------------------------------------------------------------------------------------- the server


async def test_after_a_restart_of_the_server_the_next_write_works(
    postgres: PostgresServer, engine: PostgresEngine
) -> None:
    async def cut_off() -> None:
        async with engine.store.write() as session:
            await session.add_messages([message("lost")])
            postgres.stop()
            postgres.start()
            await session.add_messages([message("lost too")])

    await asyncio.gather(*(queue(engine.store, message(f"before {n}")) for n in range(5)))
    with pytest.raises(StoreError):
        await cut_off()
    await queue(engine.store, message("after"))
    assert await keys(engine) == {f"before {n}" for n in range(5)} | {"after"}


async def keys(engine: PostgresEngine) -> set[str]:
    return {key for (key,) in await engine.rows("SELECT key FROM message")}


async def test_connections_that_the_server_has_left_are_replaced(engine: PostgresEngine) -> None:
    """Before anything was said on them, so nobody is told; this process has not noticed yet."""
    await asyncio.gather(*(queue(engine.store, message(f"before {n}")) for n in range(5)))
    engine.look(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await asyncio.gather(*(queue(engine.store, message(f"after {n}")) for n in range(5)))
    assert len(await keys(engine)) == 10


async def test_while_the_server_is_away_every_write_says_so(
    postgres: PostgresServer, engine: PostgresEngine
) -> None:
    postgres.stop(signal.SIGQUIT)
    try:
        for _ in range(2):
            with pytest.raises(StoreError) as told:
                await queue(engine.store, message())
            assert postgres.password not in str(told.value) + repr(told.value)
        unreachable = PostgresStore(engine.address, Sealer(KEYS))
        with pytest.raises(StoreError, match="NOTIFIER_STORE") as told:
            await unreachable.open()
        assert postgres.password not in str(told.value)
    finally:
        postgres.start()
    await queue(engine.store, message())


async def test_what_is_committed_is_durable_whatever_the_server_s_default(
    engine: PostgresEngine,
) -> None:
    await engine.rows(f"ALTER DATABASE {engine.database} SET synchronous_commit = off")
    try:
        other = await engine.another()
        async with other.write() as session:
            assert [tuple(row) for row in await session.run("SHOW synchronous_commit")] == [("on",)]
    finally:
        await engine.rows(f"ALTER DATABASE {engine.database} RESET synchronous_commit")


async def test_the_connections_of_a_process_are_bounded(engine: PostgresEngine) -> None:
    async def look() -> int:
        async with engine.store.read() as session:
            return len(await session.outbox())

    assert await asyncio.gather(*(look() for _ in range(40))) == [0] * 40
    [(connections,)] = await engine.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'motcua-notifier' "
        "AND datname = current_database()"
    )
    assert connections <= 8


# ------------------------------------------------------------------------------------------ opening


@pytest.fixture
async def bare(postgres: PostgresServer) -> AsyncIterator[PostgresEngine]:
    """A database with nothing in it; its store is not opened."""
    await postgres.administer("CREATE DATABASE bare TEMPLATE template0")
    engine = PostgresEngine(postgres, "bare")
    yield engine
    await engine.close()
    await postgres.drop_database("bare")


async def test_ten_processes_may_make_it_at_once(bare: PostgresEngine) -> None:
    await asyncio.gather(*(bare.another() for _ in range(10)))
    assert await bare.rows("SELECT version FROM store_version") == [(max(MIGRATIONS),)]
    await queue(await bare.another(), message())


async def test_a_newer_store_is_refused_untouched(bare: PostgresEngine) -> None:
    await bare.rows("CREATE TABLE store_version (version bigint)")
    await bare.rows("INSERT INTO store_version VALUES (4711)")
    with pytest.raises(StoreError, match=r"version 4711.*newer program"):
        await bare.store.open()
    assert await bare.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [
        ("store_version",)
    ]


async def test_a_migration_that_fails_leaves_nothing(
    bare: PostgresEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {**MIGRATIONS, max(MIGRATIONS) + 1: "CREATE TABLE half (n bigint); SELECT 1 / 0"}
    with monkeypatch.context() as changed:
        changed.setattr("notifier.storage.migrations.migrations", lambda _: broken)
        with pytest.raises(StoreError, match="division by zero"):
            await bare.store.open()
    assert await bare.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    await bare.store.open()


async def test_a_database_that_can_t_hold_vietnamese_is_refused(postgres: PostgresServer) -> None:
    await postgres.administer(
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    )
    try:
        store = PostgresStore(postgres.address("latin"), Sealer(KEYS))
        with pytest.raises(StoreError, match="UTF8"):
            await store.open()
    finally:
        await postgres.drop_database("latin")


def test_migrations_are_numbered_without_gaps() -> None:
    assert sorted(MIGRATIONS) == list(range(1, len(MIGRATIONS) + 1))


async def test_a_stranger_is_refused_without_a_word_of_the_password(
    postgres: PostgresServer,
) -> None:
    address = re.sub(r":\w+@", ":guessed-it@", postgres.address("postgres"))
    store = PostgresStore(address, Sealer(KEYS))
    with pytest.raises(StoreError, match="authentication failed") as told:
        await store.open()
    assert "guessed-it" not in str(told.value)
    assert "notifier:…@127.0.0.1" in str(told.value)


# ----------------------------------------------------------------------------- the stores agree

SAME_KIND = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}
OF_POSTGRES_ONLY = {"process", "store_version"}


async def test_the_stores_have_the_same_tables_and_columns(
    engine: PostgresEngine, tmp_path: Path
) -> None:
    """Names, order, kinds, and what may be missing."""
    embedded = SqliteEngine(tmp_path)
    await embedded.store.open()
    await embedded.close()
    with closing(sqlite3.connect(embedded.path)) as connection:
        theirs = connection.execute(
            'SELECT t.name, c.name, c.type, c."notnull" OR c.pk FROM pragma_table_list AS t '
            "JOIN pragma_table_info(t.name) AS c WHERE t.name NOT LIKE 'sqlite%' "
            "ORDER BY t.name, c.cid"
        ).fetchall()
    ours = await engine.rows(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'NO' "
        "FROM information_schema.columns WHERE table_schema = 'public' "
        'ORDER BY table_name COLLATE "C", ordinal_position'
    )
    assert [row for row in ours if row[0] not in OF_POSTGRES_ONLY] == [
        (table, column, SAME_KIND[type_], bool(needed)) for table, column, type_, needed in theirs
    ]


async def test_the_stores_have_the_same_indexes(engine: PostgresEngine, tmp_path: Path) -> None:
    embedded = SqliteEngine(tmp_path)
    await embedded.store.open()
    theirs = await embedded.rows(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    )
    await embedded.close()
    ours = await engine.rows(
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' "
        "AND indexname NOT LIKE '%\\_pkey' AND indexname <> 'message_key_key' "
        'ORDER BY indexname COLLATE "C"'
    )
    assert ours == theirs


async def test_every_column_is_written_as_what_it_is(engine: PostgresEngine) -> None:
    """The kinds are told from the names, so that no list of them is kept for each table."""
    columns = await engine.rows(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name NOT IN ('process', 'store_version') "
        "AND (table_name, column_name) <> ('quarantine', 'id')"
    )
    assert [column for column in columns if kind(column[0], column[1]) != column[2]] == []
    assert columns


async def test_texts_are_ordered_by_their_bytes(engine: PostgresEngine) -> None:
    assert await engine.rows(
        "SELECT DISTINCT collation_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'text'"
    ) == [("C",)]


async def test_a_character_that_the_server_refuses_loses_nothing(engine: PostgresEngine) -> None:
    """Whatever a provider or a source makes up, twice is once, and once is not never."""
    odd = "x\x00y"
    heard = Heard(gateway=GATEWAY, inbound=inbound(f"HS {odd}", key=odd))
    for new in (True, False):
        async with engine.store.write() as session:
            assert await session.add_events([event(id=odd)], NOW) == [new]
            assert await session.add_inbound([heard], NOW) == [new]
            assert await session.add_messages([message(odd)]) == ({odd} if new else set())


async def test_nothing_personal_can_be_read_from_the_tables(engine: PostgresEngine) -> None:
    heard = Heard(gateway=GATEWAY, inbound=inbound("HS cua toi 8820"))
    async with engine.store.write() as session:
        await session.add_messages([message(text="Noi dung rieng 7719")])
        await session.add_inbound([heard], NOW)
    rows = await engine.rows("SELECT message::text FROM message")
    rows += await engine.rows("SELECT inbound::text FROM inbound")
    everything = " ".join(text for (text,) in rows)
    assert message().key in everything, "what is not sealed can be found this way"
    personal = ("7719", "8820", NAME, PHONE.removeprefix("+84"))
    assert not [word for word in personal if word in everything]
    assert not [word for word in personal if word.encode().hex() in everything]


# -------------------------------------------------------------------------------------- the setting


@pytest.mark.parametrize(
    ("address", "shown", "secrets"),
    [
        ("postgresql://u@h/d", "postgresql://u@h/d", set()),
        ("postgresql://u:pw@h:5432/d", "postgresql://u:…@h:5432/d", {"pw"}),
        ("postgresql://u:p@w/#?@h/d", "postgresql://u:…@h/d", {"p@w/#?"}),
        ("postgresql://:pw@h/d", "postgresql://:…@h/d", {"pw"}),
        (
            "postgres:///d?host=/run&password=pw&x=1",
            "postgres:///d?host=/run&password=…&x=1",
            {"pw"},
        ),
        ("sqlite:///var/notifier.db", "sqlite:///var/notifier.db", set()),
    ],
    ids=["no password", "a password", "one not encoded", "no user", "as a parameter", "a file"],
)
def test_an_address_is_shown_without_its_password(
    address: str, shown: str, secrets: set[str]
) -> None:
    assert masked(address) == shown
    assert secrets_of(address) == secrets


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:s3cret/x@h/d",
        "postgresql:///d",
        "postgresql://u:s3cret@h:port/d",
        "postgresql://u:s3cret@h1:5432,:5433/d",
        "s3cret",
    ],
)
def test_an_address_that_can_t_be_used_is_a_fault_that_does_not_quote_it(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("NOTIFIER_STORE", address)
    with pytest.raises(ConfigurationError, match="percent-encoded") as told:
        configure()
    assert "s3cret" not in str(told.value) + repr(told.value.faults)


def test_the_password_is_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_STORE", "postgresql://u:s3cret@h/d")
    configuration = configure()
    assert "s3cret" not in repr(configuration) + str(configuration.settings)
    assert configuration.settings.keys_path.as_posix() == "var/notifier.keys"
    assert isinstance(
        make_store(configuration.settings.store, Sealer(KEYS), file="f"), PostgresStore
    )


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u@h1,h2/d?target_session_attrs=primary",
        "postgresql://u:a,b@h1:5432,[::1]:5433/d?target_session_attrs=primary",
        "postgresql:///d?host=h1,h2&port=5432,5433",
    ],
    ids=["hosts", "with ports", "as parameters"],
)
def test_an_address_may_name_a_standby(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFIER_STORE", address)
    assert configure().settings.store == address


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_STORE", "postgresql://u@h/d")
    for name in [name for name in sys.modules if name.startswith("notifier.storage.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ConfigurationError, match=r"motcua-notifier\[postgres\]"):
        make_store(configure().settings.store, Sealer(KEYS), file="f")
