"""Each engine's outbox against the plain model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contracts.outbox_model import OutboxModel
from engines import PostgresEngine, SqliteEngine
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from postgres_server import PostgresServer

    from notifier.ports import Store

PROFILE = settings(
    max_examples=60,
    stateful_step_count=30,
    phases=[Phase.generate],  # making a failure small takes minutes: each step is a transaction
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class SqliteOutboxModel(OutboxModel):
    """Over a file of its own for each run."""

    async def open_store(self) -> Store:
        self.folder = tempfile.TemporaryDirectory()
        engine = SqliteEngine(Path(self.folder.name))
        await engine.store.open()
        return engine.store

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


class PostgresOutboxModel(OutboxModel):
    """Over a database that is empty at the start of each run."""

    server: PostgresServer

    async def open_store(self) -> Store:
        self.engine = await PostgresEngine.fresh(self.server)
        return self.engine.store

    def teardown(self) -> None:
        self.runner.run(self.engine.give_back())
        super().teardown()


TestSqliteOutboxModel = SqliteOutboxModel.TestCase
TestSqliteOutboxModel.settings = PROFILE


class TestPostgresOutboxModel(PostgresOutboxModel.TestCase):
    """Fewer runs: each step is a commit of a server."""

    settings = settings(PROFILE, max_examples=15)

    @pytest.fixture(autouse=True)
    def server(self, postgres: PostgresServer) -> None:
        PostgresOutboxModel.server = postgres
