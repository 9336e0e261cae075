"""Gateways by entry point (group ``notifier.gateways``); none is imported by name."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from notifier.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.ports import Clock, Gateway, GatewayFactory

GROUP = "notifier.gateways"


def kinds() -> dict[str, str]:
    """The registered kinds of gateway, and where each comes from."""
    return {entry.name: entry.value for entry in entry_points(group=GROUP)}


def make(tables: Mapping[str, Mapping[str, Any]], clock: Clock, file: str) -> dict[str, Gateway]:
    """One gateway a table ``[gateways.<name>]``; raises ``ConfigurationError`` with all faults."""
    faults: list[Fault] = []
    gateways: dict[str, Gateway] = {}
    registered = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name, table in tables.items():
        kind = table.get("kind")
        if kind not in registered:
            problem = (
                f"there is no gateway of kind {kind!r}; there are {', '.join(sorted(registered))}."
            )
            faults.append(Fault(file=file, key=f"gateways.{name}.kind", problem=problem))
            continue
        factory: GatewayFactory = registered[kind].load()
        own = {key: value for key, value in table.items() if key != "kind"}
        try:
            gateways[name] = factory(name, own, clock)
        except ConfigurationError as error:
            faults += error.faults
    if faults:
        raise ConfigurationError(faults)
    return gateways
