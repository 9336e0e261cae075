"""The gateway ``telegram`` over a double of the Bot API, by webhook."""

from __future__ import annotations

from doubles.telegram import TelegramRig


class Rig(TelegramRig):
    """The conformance suite's rig."""
