"""The gateway ``smpp`` before a message centre on loopback."""

from __future__ import annotations

from doubles.smsc import SmppRig


class Rig(SmppRig):
    """The conformance suite's rig."""
