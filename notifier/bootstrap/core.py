"""The configuration, and the store and flows on it: what every command works with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from notifier import installation as installation_files
from notifier import plugins, settings
from notifier.bootstrap import sources
from notifier.clock import SystemClock
from notifier.domain.letter import Tickets
from notifier.domain.message import Address
from notifier.domain.period import Span
from notifier.errors import ConfigurationError, Fault
from notifier.flows.answer import Answering
from notifier.flows.apologise import Apologise, Publication
from notifier.flows.broadcast import Broadcasting
from notifier.flows.compose import Composer
from notifier.flows.digest import Digest
from notifier.flows.gather import Gather
from notifier.flows.ingest import Ingest
from notifier.flows.keep import Keep
from notifier.flows.ladder import StepDown
from notifier.flows.operate import Operate
from notifier.flows.remind import Remind
from notifier.flows.report import Reporting
from notifier.rendering import Templates
from notifier.rendering.letters import TypstLetters
from notifier.sources import cloudevents, standard_webhooks
from notifier.sources.reading import Arrival
from notifier.storage.sealing import Keys, Sealer
from notifier.storage.sqlite import MemoryStore, SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from notifier.domain.event import DossierEvent
    from notifier.domain.installation import Installation
    from notifier.ports import Clock, Gateway, Quarantined, Store
    from notifier.settings import Settings
    from notifier.sources.reading import Reader
    from notifier.storage.postgres import PostgresStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All that was configured, checked as a whole. ``folder``: None for the shipped one."""

    folder: Path | None
    settings: Settings
    installation: Installation
    templates: Templates
    readers: Mapping[str, Reader]
    """Of each source, by its name."""

    @property
    def own_templates(self) -> Path | None:
        """The folder of the configuration's own templates, where there is one."""
        return _own_templates(self.folder)

    @property
    def file(self) -> str:
        """The file that gateways' faults are named by."""
        return str((self.folder or Path()) / "notifier.toml")


def configure(option: Path | None = None, *, gateways: bool = True) -> Configuration:
    """Read the configuration; raises ``ConfigurationError`` with every fault of every file.

    Without ``gateways`` their tables are not looked at: a command that sends nothing needs none
    of their secrets.
    """
    folder = settings.named_folder(option)
    files = settings.Files(folder)
    read = settings.load(files, secrets=gateways)
    installation = installation_files.load(files, read)
    if read is not None and gateways:
        try:
            made = plugins.make(read.gateways, SystemClock(), str(files.path("notifier.toml")))
            installation = _reaching(installation, made.values())
        except ConfigurationError as error:
            files.faults += error.faults
        files.faults += _route_faults(read, str(files.path("notifier.toml")))
        files.faults += sources.faults(read, str(files.path("notifier.toml")))
    readers = sources.readers(files, read, installation) if read is not None else {}
    settings.checked(files)
    if read is None or installation is None:
        raise ConfigurationError(Fault(file="notifier.toml", key="", problem="it can't be used."))
    return Configuration(
        folder=folder,
        settings=read,
        installation=installation,
        templates=Templates(_own_templates(folder)),
        readers=readers,
    )


def _reaching(
    installation: Installation | None, gateways: Iterable[Gateway]
) -> Installation | None:
    """Notices go over the channels of these gateways; without any, they wait for one for SMS."""
    channels = frozenset(gateway.capabilities.channel for gateway in gateways)
    if installation is None or not channels:
        return installation
    return replace(installation, ladder=replace(installation.ladder, channels=channels))


def _own_templates(folder: Path | None) -> Path | None:
    own = folder / "templates" if folder else None
    return own if own and own.is_dir() else None


def _route_faults(read: Settings, file: str) -> Iterable[Fault]:
    for channel, names in read.routes.items():
        for name in names:
            if name not in read.gateways:
                problem = f"there is no table [gateways.{name}]."
                yield Fault(file=file, key=f"routes.{channel}", problem=problem)


def make_store(address: str, sealer: Sealer, *, file: str) -> SqliteStore | PostgresStore:
    """The store at ``address``, not opened yet; ``file`` is where a fault of it is named."""
    path = settings.store_file(address)
    if path is not None:
        return SqliteStore(path, sealer)
    if address == settings.MEMORY:
        return MemoryStore(sealer)
    try:
        from notifier.storage.postgres import PostgresStore
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        problem = (
            "PostgreSQL needs the extra `postgres`, which is not installed: "
            'pip install "motcua-notifier[postgres]".'
        )
        raise ConfigurationError(Fault(file=file, key="store", problem=problem)) from None
    return PostgresStore(address, sealer)


class Core:
    """The store and the flows, without gateways: what the command line works with."""

    def __init__(self, configuration: Configuration, clock: Clock) -> None:
        self.configuration = configuration
        self.clock = clock
        self.settings = configuration.settings
        self.installation = configuration.installation
        self.keys = Keys.load_or_make(self.settings.keys_path)
        self.store: Store = make_store(
            self.settings.store, Sealer(self.keys), file=configuration.file
        )
        self.composer = Composer(self.installation, configuration.templates)
        self.step_down = StepDown(self.installation, self.composer)
        self.keep = Keep(
            self.store,
            self.installation,
            self.composer,
            queued=self.queued,
            span=self.settings.answers.keep_unknown,
        )
        wait = self.settings.answers.wait_for_rest
        self.answering = Answering(self.installation, self.composer, self.keep, clock, wait=wait)
        self.gather = Gather(self.store, clock, self.answering, queued=self.queued, wait=wait)
        self.ingest = Ingest(
            self.store, clock, self.installation, self.composer, self.keep, queued=self.queued
        )
        self.remind = Remind(self.store, self.installation, self.composer, queued=self.queued)
        table = self.settings.apology
        self.letters = TypstLetters(configuration.own_templates)
        self.apologise = Apologise(
            self.store,
            clock,
            self.installation,
            self.ingest,
            self.composer,
            queued=self.queued,
            tickets=Tickets(self.keys.of("letters")),
            publication=Publication(url=self.settings.web.public_url, link=table.letter_link),
            gives_back=bool(table.return_url),
        )
        self.reporting = Reporting(self.store, self.installation)
        self.broadcasting = Broadcasting(
            self.store,
            clock,
            self.composer,
            queued=self.queued,
            slice_size=self.settings.broadcast.slice,
        )
        self.operate = Operate(
            self.store,
            clock,
            self.ingest,
            read_events=self._read_kept,
            queued=self.queued,
        )
        self._bells: list[Callable[[], None]] = []

    def digest(self, channels: Collection[str]) -> Digest:
        """The digest, to those of its addresses that a gateway serves the channel of."""
        asked = self.settings.report
        to = [Address.parse(text) for text in asked.digest_to]
        return Digest(
            self.store,
            self.installation,
            self.configuration.templates,
            self.reporting,
            queued=self.queued,
            span=None if asked.digest == "none" else Span(asked.digest),
            to=[address for address in to if address.channel in channels],
        )

    def queued(self) -> None:
        """Something was put into the outbox: ring every dispatcher."""
        for ring in self._bells:
            ring()

    def _read_kept(self, door: str, raw: bytes) -> Sequence[DossierEvent | Quarantined] | None:
        """What was kept at a door, read again; None where what comes in there can't be."""
        if door == "events":
            return cloudevents.read_kept(raw, self.clock.civil())
        reader = self.configuration.readers.get(door.removeprefix("sources/"))
        if reader is None or not door.startswith("sources/"):
            return None
        return reader.read(raw, Arrival(at=self.clock.civil()))

    @property
    def events_secret(self) -> bytes:
        """The secret that events are signed with."""
        return standard_webhooks.read_secret(self.settings.events.secret or self.keys.events)
