"""``notifier serve`` and ``notifier demo``"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from notifier import demonstration, logs
from notifier.bootstrap.core import configure
from notifier.bootstrap.service import Service
from notifier.cli import running
from notifier.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path


def serve(folder: Path | None) -> None:
    """Until SIGTERM or SIGINT."""
    configuration = configure(folder)
    logs.configure(configuration.settings.log)
    if not configuration.settings.gateways:
        running.say(
            "No gateway is configured, so messages wait in the outbox. "
            "Add one to [gateways] in notifier.toml; see config/gateways/."
        )
    running.run(until_stopped(Service(configuration, SystemClock())))


async def until_stopped(service: Service) -> None:
    """Start, say that it is ready, and stop when the system asks for it."""
    stop = _stop_event()
    await service.start()
    try:
        _ready(service.url)
        await stop.wait()
        running.say("stopping")
    finally:  # whoever read what we say may have gone before us
        await service.stop()


def demo(port: int | None) -> None:
    """The demonstration, until SIGTERM or SIGINT."""
    running.run(_demo(port))


async def _demo(port: int | None) -> None:
    stop = _stop_event()
    async with demonstration.running(port) as world:
        _ready(world.service.url)
        running.say(f"Open {world.service.url}/simulator and text a code. Ctrl-C ends it.")
        await stop.wait()
        running.say("stopping")


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _ready(url: str) -> None:
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()
