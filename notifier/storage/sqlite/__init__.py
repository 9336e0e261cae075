"""The embedded store: SQLite through aiosqlite, one writer, a few readers."""

from notifier.storage.sqlite.memory import MemoryStore
from notifier.storage.sqlite.store import SqliteStore

__all__ = ["MemoryStore", "SqliteStore"]
