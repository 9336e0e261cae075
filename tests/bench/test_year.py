"""Eight weeks of the simulated year, half of it late: the books are right, on both stores."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from bench.lives import Way
from bench.year import Year, configuration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from postgres_server import PostgresServer

LAST = date(2026, 2, 27)
"""Past the lunar new year, and a Saturday on which people work."""


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an empty store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/notifier.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    database = await server.new_database()
    yield server.address(database)
    await server.give_back(database)


async def test_every_delay_has_one_apology_or_a_reason_why_not(store: str, tmp_path: Path) -> None:
    year = Year(configuration(store, tmp_path / "keys"), dossiers=400, late=0.5, last=LAST)
    await year.core.store.open()
    try:
        await year.live()
        found = await year.books()
    finally:
        await year.core.store.close()
    assert found.violations == []
    # Nothing that can become of a delay was left untried.
    assert {*found.ways, *found.not_late} == set(Way) - {Way.NOTHING}
    assert sum(found.ways.values()) > found.late > 150, "some were to be late twice"
    assert found.refused_seconds > 0
    assert found.apologies["returned"] > 40
