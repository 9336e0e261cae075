"""The sources that the settings name: their readers, their doors, and those that fetch."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from notifier.errors import ConfigurationError, Fault
from notifier.settings import FileSource, FolderSource, PushSource, ReplySettings, StreamSource
from notifier.sources import record_map, standard_webhooks
from notifier.sources.exchange import RecordReader
from notifier.sources.folder import WatchedFolder
from notifier.sources.push import PushDoor
from notifier.sources.reading import CLOUDEVENTS, CloudEventReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from notifier.bootstrap.core import Configuration
    from notifier.domain.event import DossierEvent
    from notifier.domain.installation import Installation
    from notifier.flows.ingest import Ingested
    from notifier.ports import Clock, HttpDoor, Quarantined, RunningSource
    from notifier.settings import Files, Settings, SourceSettings
    from notifier.sources.reading import Reader


def readers(files: Files, read: Settings, installation: Installation | None) -> dict[str, Reader]:
    """A reader a source, by its map; faults go to ``files``."""
    found: dict[str, Reader] = {}
    statuses = installation.statuses if installation else None
    for name, table in read.sources.items():
        if table.map == CLOUDEVENTS:
            found[name] = CloudEventReader()
        elif (of_map := record_map.load(files, table.map or name, statuses)) is not None:
            found[name] = RecordReader(name, of_map)
    return found


def faults(read: Settings, file: str) -> Iterator[Fault]:
    """What a running source would stumble over."""
    for name, table in read.sources.items():
        key = f"sources.{name}"
        match table:
            case PushSource(auth="standard_webhooks", secret=secret) if secret:
                try:
                    standard_webhooks.read_secret(secret, file=file, key=f"{key}.secret")
                except ConfigurationError as error:
                    yield from error.faults
            case FolderSource(path=path) if not os.access(Path(path), os.R_OK | os.W_OK | os.X_OK):
                problem = f"the folder {path} is not there, or files can't be moved in it."
                yield Fault(file=file, key=f"{key}.path", problem=problem)
            case StreamSource() if importlib.util.find_spec("nats") is None:
                problem = (
                    "a stream needs the extra `nats`, which is not installed: "
                    'pip install "motcua-notifier[nats]".'
                )
                yield Fault(file=file, key=f"{key}.kind", problem=problem)
            case _:
                pass


def secrets_of(tables: Mapping[str, SourceSettings]) -> frozenset[str]:
    """What must never reach a log."""
    return frozenset(
        secret
        for table in tables.values()
        for secret in (
            getattr(table, "secret", ""),
            getattr(table, "password", ""),
            getattr(table, "token", ""),
        )
        if secret
    )


def doors(
    configuration: Configuration, clock: Clock, events_secret: bytes
) -> dict[str, tuple[HttpDoor, ReplySettings]]:
    """Those that push over HTTP, each with the reply that it expects."""
    return {
        name: (
            PushDoor(name, table, configuration.readers[name], clock, events_secret=events_secret),
            table.reply,
        )
        for name, table in configuration.settings.sources.items()
        if isinstance(table, PushSource)
    }


def running(
    configuration: Configuration,
    clock: Clock,
    ingest: Callable[[Sequence[DossierEvent | Quarantined]], Awaitable[Sequence[Ingested]]],
) -> dict[str, RunningSource]:
    """Those that fetch by themselves, not started."""
    found: dict[str, RunningSource] = {}
    for name, table in configuration.settings.sources.items():
        reader = configuration.readers[name]
        match table:
            case FolderSource():
                found[name] = WatchedFolder(name, table, reader, ingest, clock)
            case StreamSource():
                from notifier.sources.jetstream import Stream

                found[name] = Stream(name, table, reader, ingest, clock)
            case PushSource() | FileSource():
                pass
    return found
