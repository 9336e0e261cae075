"""The named moments at which the service can be killed, and the memory that says which is next."""

from __future__ import annotations

import mmap
import os
import signal
import struct
from typing import Final

TRANSACTIONS: Final = (
    "events",
    "questions",
    "receipts",
    "journal",
    "record",
    "settle",
    "abandon",
    "remind",
    "broadcast",
    "other",
)
"""What a transaction is for, told by what was done in it."""

POINTS: Final = (
    *(f"{name}.{when}" for name in TRANSACTIONS for when in ("before_commit", "after_commit")),
    "send.begins",
    "send.head_written",
    "send.body_written",
    "send.answered",
    "events.acknowledged",
    "hook.acknowledged",
    "response.begins",
)
"""Each commit, each write to the provider, each acknowledgement: before it and after it."""

_CELL: Final = struct.Struct("=q")
_HITS: Final = 64
"""The first cell of the counters; the ones before hold the fields of ``Shared``."""


class _Field:
    """One number of the shared memory, as an attribute."""

    def __init__(self, cell: int) -> None:
        self._cell = cell

    def __get__(self, shared: Shared, owner: type[Shared]) -> int:
        return shared.read(self._cell)

    def __set__(self, shared: Shared, value: int) -> None:
        shared.write(self._cell, value)


class Shared:
    """A few numbers that a world and its forked processes all see. It outlives each of them."""

    ahead = _Field(0)
    """How far the civil time is ahead of the system's (ms); it may be behind."""
    armed = _Field(1)
    """The point that kills, counted from 1; 0 for none."""
    passes = _Field(2)
    """How often the armed point is passed before it kills."""
    ready = _Field(3)
    """1 once the service accepts requests."""
    slow = _Field(4)
    """How much longer each commit takes (ms)."""
    weather = _Field(5)
    """How the provider and the line to it behave; see ``weather``."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def read(self, cell: int) -> int:
        """The number in ``cell``."""
        (value,) = _CELL.unpack_from(self._memory, cell * _CELL.size)
        return int(value)

    def write(self, cell: int, value: int) -> None:
        """Put a number into ``cell``."""
        _CELL.pack_into(self._memory, cell * _CELL.size, value)

    def arm(self, point: str, *, passes: int) -> None:
        """Kill at ``point``, after it was passed ``passes`` times."""
        self.passes = passes
        self.armed = POINTS.index(point) + 1

    def disarm(self) -> None:
        """Kill nowhere."""
        self.armed = 0

    def reach(self, point: str) -> None:
        """The service is at ``point``: count it, and end here where it is the one."""
        number = POINTS.index(point) + 1
        self.write(_HITS + number, self.read(_HITS + number) + 1)
        if self.armed != number:
            return
        if self.passes > 0:
            self.passes -= 1
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def reached(self) -> dict[str, int]:
        """How often the service came by each point."""
        return {point: self.read(_HITS + n) for n, point in enumerate(POINTS, start=1)}
