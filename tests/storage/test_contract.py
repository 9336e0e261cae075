"""Every engine keeps the contract."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from contracts.store import (
    BindingContract,
    BroadcastContract,
    ConcurrencyContract,
    DossierContract,
    KeptContract,
    LeaseContract,
    OutboxContract,
    OutboxMachine,
    PeopleContract,
    TransactionContract,
)
from engines import PostgresEngine, SqliteEngine
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from contracts.store import Engine
    from postgres_server import PostgresServer


@pytest.fixture(params=["sqlite", "postgres"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    if request.param == "sqlite":
        embedded = SqliteEngine(tmp_path)
        await embedded.store.open()
        yield embedded
        await embedded.close()
    else:
        served = await PostgresEngine.fresh(request.getfixturevalue("postgres"))
        yield served
        await served.give_back()


class TestTransactions(TransactionContract):
    """The contract."""


class TestConcurrency(ConcurrencyContract):
    """The contract."""


class TestDossiers(DossierContract):
    """The contract."""


class TestOutbox(OutboxContract):
    """The contract."""


class TestPeople(PeopleContract):
    """The contract."""


class TestKept(KeptContract):
    """The contract."""


class TestBindings(BindingContract):
    """The contract."""


class TestBroadcasts(BroadcastContract):
    """The contract."""


class TestLeases(LeaseContract):
    """The contract."""


class SqliteOutboxMachine(OutboxMachine):
    """The model, over a file of its own for each run."""

    async def open_engine(self) -> SqliteEngine:
        self.folder = tempfile.TemporaryDirectory()
        engine = SqliteEngine(Path(self.folder.name))
        await engine.store.open()
        return engine

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


class PostgresOutboxMachine(OutboxMachine):
    """The model, over a database that is empty at the start of each run."""

    server: PostgresServer

    async def open_engine(self) -> PostgresEngine:
        return await PostgresEngine.fresh(self.server)

    def teardown(self) -> None:
        engine = cast("PostgresEngine", self.engine)
        self.runner.run(engine.give_back())
        super().teardown()


PROFILE = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSqliteOutboxModel = SqliteOutboxMachine.TestCase
TestSqliteOutboxModel.settings = PROFILE


class TestPostgresOutboxModel(PostgresOutboxMachine.TestCase):
    """Fewer runs: each step is a commit of a server."""

    settings = settings(PROFILE, max_examples=10)

    @pytest.fixture(autouse=True)
    def server(self, postgres: PostgresServer) -> None:
        PostgresOutboxMachine.server = postgres
