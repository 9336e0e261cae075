"""An office with its provider; what its processes wrote is searched when a test has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from processes import Office, SmsProvider, leaks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def provider() -> AsyncIterator[SmsProvider]:
    double = SmsProvider()
    await double.start()
    yield double
    double.answering.set()
    await double.stop()


@pytest.fixture
async def station(tmp_path: Path, provider: SmsProvider) -> AsyncIterator[Office]:
    """The office; nothing it wrote, nor its store, may show a number, a name or a secret."""
    home = Office(tmp_path, provider)
    home.configure()
    yield home
    assert leaks("\n".join(home.written), home.secrets) == []
    assert leaks(home.at_rest(), home.secrets) == []
