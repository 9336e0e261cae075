"""What holds for every test: asserts of shared suites explain themselves, examples repeat.

Properties are tried on the same examples in each run, so that a run says something about the
change and not about its luck; ``make explore`` looks for new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
import pytest
from engines import KEYS
from postgres_server import PRISTINE, PostgresServer, aside

from notifier.storage.postgres import PostgresStore
from notifier.storage.sealing import Sealer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.register_assert_rewrite(
    "contracts.gateway", "contracts.store", "contracts.outbox_model", "processes"
)

hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("explore", max_examples=3_000, deadline=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for the whole session, with a migrated database to copy."""
    server = PostgresServer()
    try:
        server.make()
        server.start()
        aside(_make_pristine(server))
        yield server
    finally:
        server.remove()


async def _make_pristine(server: PostgresServer) -> None:
    await server.administer(f"CREATE DATABASE {PRISTINE}")
    store = PostgresStore(server.address(PRISTINE), Sealer(KEYS))
    await store.open()
    await store.close()
