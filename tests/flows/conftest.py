"""A centre over a store in a temporary file, at nine o'clock on a working day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import NOW, Centre
from doubles.clock import StillClock

from notifier import installation as installation_files
from notifier import settings
from notifier.rendering import Templates
from notifier.storage.sealing import Keys, Sealer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from notifier.domain.installation import Installation


@pytest.fixture(scope="session")
def installation() -> Installation:
    """What is shipped: rules, states, keywords, the state's calendar."""
    files = settings.Files(None)
    read = settings.load(files)
    assert read
    loaded = installation_files.load(files, read)
    assert loaded
    return loaded


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates()


@pytest.fixture(scope="session")
def sealer() -> Sealer:
    return Sealer(Keys.fresh())


@pytest.fixture
def clock() -> StillClock:
    clock = StillClock()
    clock.now = NOW
    return clock


@pytest.fixture
async def centre(
    tmp_path: Path,
    sealer: Sealer,
    clock: StillClock,
    installation: Installation,
    templates: Templates,
) -> AsyncIterator[Centre]:
    centre = Centre(tmp_path / "notifier.db", sealer, clock, installation, templates)
    await centre.store.open()
    yield centre
    await centre.store.close()
