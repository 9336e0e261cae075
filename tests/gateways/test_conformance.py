"""Every registered gateway keeps the contract."""

from __future__ import annotations

import importlib.util
import socket
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contracts.gateway import GatewayContract, Rig, guard, watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

RIGS = {
    path.stem.removeprefix("rig_"): path for path in sorted(Path(__file__).parent.glob("rig_*.py"))
}


def rig_class(name: str) -> Callable[[], Rig]:
    """The class ``Rig`` of ``rig_<name>.py``, loaded by its path: this folder is no package."""
    module_name = f"rig_{name}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, RIGS[name])
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
    rig: Callable[[], Rig] = sys.modules[module_name].Rig
    return rig


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with watched(rig_class(request.param)) as rig:
        yield rig


class TestConformance(GatewayContract):
    """The whole suite over each rig."""


def test_every_registered_gateway_has_a_rig() -> None:
    registered = {entry.name for entry in entry_points(group="notifier.gateways")}
    assert registered == set(RIGS)


@pytest.mark.parametrize("host", ["203.0.113.7", "provider.invalid", "2001:db8::1"])
def test_the_suite_sees_what_leaves_loopback(host: str) -> None:
    with pytest.raises(AssertionError, match="left loopback"), guard.watching():  # noqa: SIM117
        with pytest.raises(OSError, match="may not leave"):
            socket.create_connection((host, 9))
