"""``notifier backup``, ``notifier restore`` and ``notifier store copy``"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import typer

from notifier import logs
from notifier.bootstrap.core import configure, make_store
from notifier.cli import running
from notifier.errors import InputError
from notifier.settings import store_address
from notifier.storage import copying
from notifier.storage.sealing import Keys, Sealer
from notifier.storage.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from notifier.bootstrap.core import Configuration
    from notifier.storage.postgres import PostgresStore


def backup(folder: Path | None, file: Path) -> None:
    """Write the store into a file; of PostgreSQL a copy of its rows."""
    configuration, sealer = _configured(folder)
    store = _store(configuration, sealer)
    if isinstance(store, SqliteStore):
        running.run(_backed_up(store, file))
    else:
        running.run(_copied(store, SqliteStore(file, sealer)))
    running.say(
        f"written to {file}. What it holds is encrypted: keep the keys in "
        f"{configuration.settings.keys_path} as well, and elsewhere."
    )


async def _backed_up(store: SqliteStore, file: Path) -> None:
    async with _used(store):
        await store.backup(file)


def restore(folder: Path | None, file: Path, *, replace: bool) -> None:
    """Put a backup in the store's place; into an empty PostgreSQL its rows are copied."""
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    configuration, sealer = _configured(folder)
    store = _store(configuration, sealer)
    if isinstance(store, SqliteStore):
        running.run(store.restore(file, replace=replace))
    else:
        running.run(_copied(SqliteStore(file, sealer), store))
    running.say(f"restored from {file}")


def copy(folder: Path | None, target: str) -> None:
    """Copy the configured store into an empty one."""
    try:
        address = store_address(target)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    configuration, sealer = _configured(folder)
    there = make_store(address, sealer, file="the command line")
    running.run(_copied(_store(configuration, sealer), there))
    running.say(
        "The copy needs the same keys: name their file in the settings of whoever uses it, "
        f'keys = "{configuration.settings.keys_path.absolute()}".'
    )


def _configured(folder: Path | None) -> tuple[Configuration, Sealer]:
    configuration = configure(folder, gateways=False)
    logs.configure(configuration.settings.log)
    return configuration, Sealer(Keys.load_or_make(configuration.settings.keys_path))


def _store(configuration: Configuration, sealer: Sealer) -> SqliteStore | PostgresStore:
    return make_store(configuration.settings.store, sealer, file=configuration.file)


async def _copied(source: Any, target: Any) -> None:
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} rows"))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tables: dict[str, Any] = {}

        def progress(table: str, rows: int) -> None:
            if table not in tables:
                tables[table] = bars.add_task(table, total=None)
            bars.update(tables[table], completed=rows)

        async with _used(source), _used(target):
            total = await copying.copy(source, target, progress)
    running.say(f"{total:,} rows copied and compared")


@asynccontextmanager
async def _used(store: Any) -> AsyncIterator[None]:
    await store.open()
    try:
        yield
    finally:
        await store.close()
