"""The store in memory: for trials and tests; nothing of it outlasts its process."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from notifier.storage.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from notifier.storage.sealing import Sealer

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
"""A file system in memory, where the machine has one; else the usual folder of temporary files."""


class MemoryStore(SqliteStore):
    """A Store that is gone when it is closed.

    It lies in files of memory and not in ``:memory:``: there a reader would wait for the writer,
    and what works on the one would not show that it works on the other.
    """

    def __init__(self, sealer: Sealer) -> None:
        where = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
        self._folder = TemporaryDirectory(prefix="notifier-", dir=where)
        super().__init__(Path(self._folder.name) / "notifier.db", sealer)

    @property
    def path(self) -> Path:
        """Its file, while it is open."""
        return self._path

    async def close(self) -> None:
        """Close it, and leave nothing behind."""
        await super().close()
        self._folder.cleanup()
