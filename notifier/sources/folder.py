"""A folder that another program puts files into: each is taken once it is complete, then moved."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from notifier.errors import InputError
from notifier.flows.ingest import Fate
from notifier.ports import Health, HealthState
from notifier.sources.files import open_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.flows.ingest import Ingested
    from notifier.ports import Clock, Quarantined
    from notifier.settings import FolderSource
    from notifier.sources.reading import Reader

AT_A_TIME: Final = 250
"""Items that are read, and committed, together."""

UNFINISHED: Final = (".part", ".tmp", ".filepart", ".crdownload")
"""How names end while a file is still being written."""

DONE: Final = "done"
FAILED: Final = "failed"

log = structlog.get_logger()


class WatchedFolder:
    """Takes the files of one folder, oldest first.

    A file is moved to ``done/`` beside it once all of it is committed, and to ``failed/`` where
    it can't be read as a whole. A process that dies in between takes it again, which changes
    nothing: the same file is the same items.
    """

    def __init__(
        self,
        name: str,
        settings: FolderSource,
        reader: Reader,
        ingest: Callable[[Sequence[DossierEvent | Quarantined]], Awaitable[Sequence[Ingested]]],
        clock: Clock,
    ) -> None:
        """``ingest`` returns once the items are committed."""
        self._name = name
        self._settings = settings
        self._path = Path(settings.path)
        self._reader = reader
        self._ingest = ingest
        self._clock = clock
        self._seen: dict[Path, tuple[tuple[int, int], Instant]] = {}
        self._health = Health(state=HealthState.OK, since=clock.elapsed())
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Take nothing more; a file that is half read is read again at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def health(self) -> Health:
        """Degraded while the folder or a file can't be used."""
        return self._health

    async def look(self) -> int:
        """Take what is complete by now; how many files."""
        taken = 0
        for path in await asyncio.to_thread(self._complete):
            taken += await self._take(path)
        return taken

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:
                self._is(HealthState.DEGRADED, f"{type(error).__name__}: see the log")
                log.exception("source.failed", source=self._name)
            else:
                self._is(HealthState.OK)
            await asyncio.sleep(self._settings.every / 1000)

    def _is(self, state: HealthState, reason: str = "") -> None:
        if (state, reason) != (self._health.state, self._health.reason):
            self._health = Health(state=state, since=self._clock.elapsed(), reason=reason)

    def _complete(self) -> list[Path]:
        """Files whose size and time have not changed for as long as the setting says."""
        now = self._clock.elapsed()
        seen, self._seen = self._seen, {}
        found: list[tuple[int, str, Path]] = []
        for path in self._path.iterdir():
            if not self._is_ours(path):
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # another process was quicker
            shape = (status.st_size, status.st_mtime_ns)
            known, since = seen.get(path, (None, now))
            since = since if known == shape else now
            self._seen[path] = (shape, since)
            if now - since >= self._settings.settle:
                found.append((status.st_mtime_ns, path.name, path))
        return [path for _, _, path in sorted(found)]

    def _is_ours(self, path: Path) -> bool:
        name = path.name
        return (
            not name.startswith(".")
            and not name.lower().endswith(UNFINISHED)
            and fnmatch(name, self._settings.pattern)
            and path.is_file()
        )

    async def _take(self, path: Path) -> bool:
        counts = dict.fromkeys(Fate, 0)
        try:
            contents = await asyncio.to_thread(open_file, path, self._reader, self._clock.civil())
            while parts := await asyncio.to_thread(lambda: list(islice(contents.parts, AT_A_TIME))):
                results = await self._ingest([part.item for part in parts])
                for part, result in zip(parts, results, strict=True):
                    counts[result.fate] += 1
                    if result.fate is Fate.QUARANTINED:
                        log.warning(
                            "source.kept",
                            source=self._name,
                            file=path.name,
                            place=part.place,
                            reason=result.reason,
                        )
        except InputError as error:
            if not await asyncio.to_thread(path.exists):
                return False  # another process was quicker
            log.error("source.unreadable", source=self._name, file=path.name, reason=str(error))  # noqa: TRY400 - a sentence says it all
            await asyncio.to_thread(_move, path, FAILED)
            return False
        await asyncio.to_thread(_move, path, DONE)
        log.info("source.taken", source=self._name, file=path.name, **counts)
        return True


def _move(path: Path, to: str) -> None:
    """Beside, into ``to``; a name that is taken there gets a number."""
    folder = path.parent / to
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    try:
        path.rename(target)
    except FileNotFoundError:
        return  # another process was quicker
