"""Every engine keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contracts.store import (
    BindingContract,
    BroadcastContract,
    ConcurrencyContract,
    DossierContract,
    KeptContract,
    LadderContract,
    LeaseContract,
    OutboxContract,
    PeopleContract,
    PromiseContract,
    RateContract,
    TransactionContract,
)
from engines import MemoryEngine, PostgresEngine, SqliteEngine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from contracts.store import Engine


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    if request.param != "postgres":
        embedded = SqliteEngine(tmp_path) if request.param == "sqlite" else MemoryEngine()
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


class TestPromises(PromiseContract):
    """The contract."""


class TestOutbox(OutboxContract):
    """The contract."""


class TestLadder(LadderContract):
    """The ladder of channels."""


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


class TestRates(RateContract):
    """The contract."""
