"""Simulated phones behind a simulated carrier, in memory: for the demonstration and for tests.

``Provider`` is the carrier and owns the phones; ``SimulatorGateway`` speaks to it as any gateway
speaks to its provider. What a carrier can do wrong is a value, ``Faults``, changed while it runs.
"""

from __future__ import annotations

from gateways.simulator.carrier import Answer, Call, Faults, Mode, Provider, Word
from gateways.simulator.gateway import SimulatorGateway
from gateways.simulator.phones import Direction, Phones, Text, TextState

__all__ = [
    "Answer",
    "Call",
    "Direction",
    "Faults",
    "Mode",
    "Phones",
    "Provider",
    "SimulatorGateway",
    "Text",
    "TextState",
    "Word",
]
