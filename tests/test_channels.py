"""Which channels an installation's notices may go over, and what is said together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import office
import pytest

from notifier.bootstrap.core import configure
from notifier.errors import ConfigurationError
from notifier.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

SIMULATOR = {"kind": "simulator", "secret": office.SIMULATOR_SECRET}
TELEGRAM = {"kind": "telegram", "token": f"1234567:{'A' * 35}", "receive": "poll"}


@pytest.mark.parametrize(
    ("gateways", "channels"),
    [
        ({}, {"sms"}),  # what is queued waits for a gateway
        ({"carrier": SIMULATOR}, {"sms"}),
        ({"bot": TELEGRAM}, {"telegram"}),
        ({"carrier": SIMULATOR, "bot": TELEGRAM}, {"sms", "telegram"}),
    ],
)
def test_the_channels_are_those_that_have_a_gateway(
    tmp_path: Path, gateways: dict[str, Any], channels: set[str]
) -> None:
    folder = office.write_config(tmp_path, gateways=gateways)
    assert configure(folder).installation.ladder.channels == channels


def test_a_command_without_gateways_goes_by_the_routes(tmp_path: Path) -> None:
    folder = office.write_config(
        tmp_path,
        gateways={"carrier": SIMULATOR, "bot": TELEGRAM},
        routes={"sms": ["carrier"], "telegram": ["bot"]},
    )
    ladder = configure(folder, gateways=False).installation.ladder
    assert ladder.channels == {"sms", "telegram"}


@pytest.mark.parametrize("order", [[], ["sms", "sms"], ["SMS"]])
def test_an_order_names_each_channel_once(tmp_path: Path, order: list[str]) -> None:
    folder = office.write_config(tmp_path, ladder={"notices": order})
    with pytest.raises(ConfigurationError, match=r"ladder\.notices"):
        configure(folder)


def test_notices_are_said_together_unless_that_is_switched_off(tmp_path: Path) -> None:
    assert Settings().together.notices
    folder = office.write_config(tmp_path, together={"notices": False})
    assert not configure(folder).settings.together.notices
