"""Processes by fork from a parent that has imported everything: a service starts in some 0.1 s.

The forge itself is a plain process without threads or an event loop, so that a fork of it is safe.
It is told over a socket to start a service, and tells when that one has ended.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torture.points import Shared

DIE_WITH_PARENT: Final = 1
"""PR_SET_PDEATHSIG, prctl(2)."""

START: Final = b"s"
PID: Final = 4
"""Bytes of a number on the socket."""

KILLED_BY: Final = 128
"""Added to the number of the signal that ended a process."""

_libc = ctypes.CDLL(None, use_errno=True)


def fork(work: Callable[[], None], *, log: int | None = None) -> int:
    """Run ``work`` in a child that dies with us; its id. ``log``: where its output goes."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        _libc.prctl(DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        if log is not None:
            os.dup2(log, 1)
            os.dup2(log, 2)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - it ends here, whatever it is
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def end(child: int) -> None:
    """SIGKILL a child of ours, and wait until it is gone."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


class Forge:
    """The parent of services. Made before the event loop, used inside it."""

    def __init__(self, work: Callable[[], None], shared: Shared, log: int) -> None:
        """``work`` is what a service does; ``log``: where it writes."""
        self._ours, theirs = socket.socketpair()
        self.pid = fork(lambda: _forge(theirs, work, log))
        theirs.close()
        self._ours.setblocking(False)
        self._shared = shared

    def close(self) -> None:
        """No more services; one that runs is killed."""
        end(self.pid)
        self._ours.close()

    async def start(self) -> Process:
        """A new service; it may not be ready yet."""
        loop = asyncio.get_running_loop()
        self._shared.ready = 0
        await loop.sock_sendall(self._ours, START)
        return Process(int.from_bytes(await self.told()), self)

    async def told(self) -> bytes:
        """The next number that the forge tells; raises ``RuntimeError`` where it is gone."""
        told = await asyncio.get_running_loop().sock_recv(self._ours, PID)
        if len(told) != PID:
            raise RuntimeError("the forge has ended; see the log of the world")
        return told


class Process:
    """One service. Its id stays its own until the forge starts the next."""

    def __init__(self, pid: int, forge: Forge) -> None:
        self.pid = pid
        self._ended = asyncio.create_task(forge.told())

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return not self._ended.done()

    @property
    def code(self) -> int | None:
        """The exit code, or None where it still runs."""
        return int.from_bytes(self._ended.result()) if self._ended.done() else None

    async def ended(self, within: float) -> int | None:
        """The exit code, or None where it still runs after so many seconds."""
        await asyncio.wait([self._ended], timeout=within)
        return self.code

    async def kill(self) -> None:
        """As a power cut does it."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
        await self._ended

    @staticmethod
    async def one_ended(processes: Iterable[Process], within: float) -> None:
        """Returns once one of them has ended, or after so many seconds."""
        ending = [process._ended for process in processes]
        await asyncio.wait(ending, timeout=within, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self, within: float) -> int | None:
        """SIGTERM; the exit code, or None where it did not stop in time."""
        if self.alive:
            os.kill(self.pid, signal.SIGTERM)
        return await self.ended(within)


def _forge(orders: socket.socket, work: Callable[[], None], log: int) -> None:
    last: int | None = None
    while orders.recv(1) == START:
        if last is not None:
            os.waitpid(last, 0)
        last = fork(work, log=log)
        orders.sendall(last.to_bytes(PID))
        # Left as a zombie until the next order: whoever kills by its id meets nobody else.
        found = os.waitid(os.P_PID, last, os.WEXITED | os.WNOWAIT)
        orders.sendall(_code(found).to_bytes(PID))


def _code(found: os.waitid_result | None) -> int:
    """The exit code; as a shell says it, where a signal ended the process."""
    if found is None:
        return 0
    return found.si_status + (0 if found.si_code == os.CLD_EXITED else KILLED_BY)
