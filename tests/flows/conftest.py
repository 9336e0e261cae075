"""A centre over an empty store, at nine o'clock on a working day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import NOW, Centre
from doubles.clock import StillClock
from engines import PostgresEngine, SqliteEngine

from notifier import installation as installation_files
from notifier import settings
from notifier.domain.caps import Caps
from notifier.domain.rules import TransitionRule
from notifier.rendering import Templates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from notifier.domain.installation import Installation


@pytest.fixture(scope="session")
def installation() -> Installation:
    """What is shipped: rules, states, keywords, the state's calendar.

    Many stories send much to one number, and at once; caps and waits have stories of their own.
    """
    files = settings.Files(None)
    read = settings.load(files)
    assert read
    loaded = installation_files.load(files, read)
    assert loaded
    rules = tuple(
        replace(rule, wait=0) if isinstance(rule, TransitionRule) else rule
        for rule in loaded.rules.rules
    )
    return replace(
        loaded, caps=Caps(bulk=1_000, notices=1_000), rules=replace(loaded.rules, rules=rules)
    )


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates()


@pytest.fixture
def clock() -> StillClock:
    clock = StillClock()
    clock.now = NOW
    return clock


@pytest.fixture
async def centre(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    clock: StillClock,
    installation: Installation,
    templates: Templates,
) -> AsyncIterator[Centre]:
    """Over a file; the tests that are marked so run over a server too."""
    if getattr(request, "param", "sqlite") == "sqlite":
        embedded = SqliteEngine(tmp_path)
        centre = Centre(embedded.make_store, embedded.look, clock, installation, templates)
        await centre.store.open()
        yield centre
        await centre.store.close()
    else:
        served = await PostgresEngine.fresh(request.getfixturevalue("postgres"))
        centre = Centre(served.make_store, served.look, clock, installation, templates)
        await centre.store.open()
        yield centre
        await centre.store.close()
        await served.give_back()
