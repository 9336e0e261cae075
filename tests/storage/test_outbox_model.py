"""The embedded store's outbox against the plain model."""

from __future__ import annotations

import tempfile
from pathlib import Path

from contracts.outbox_model import OutboxModel
from hypothesis import HealthCheck, Phase, settings

from notifier.storage.sealing import Keys, Sealer
from notifier.storage.sqlite import SqliteStore

KEYS = Keys.fresh()


class SqliteOutboxModel(OutboxModel):
    """Over a file of its own for each run."""

    async def open_store(self) -> SqliteStore:
        self.folder = tempfile.TemporaryDirectory()
        store = SqliteStore(Path(self.folder.name) / "notifier.db", Sealer(KEYS))
        await store.open()
        return store

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


TestOutboxModel = SqliteOutboxModel.TestCase
TestOutboxModel.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    phases=[Phase.generate],  # making a failure small takes minutes: each step is a transaction
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
