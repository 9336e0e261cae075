"""The store of several processes and hosts: PostgreSQL through asyncpg."""

from notifier.storage.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
