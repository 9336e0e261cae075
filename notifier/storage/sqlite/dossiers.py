"""Dossiers, their events and their due moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.records import are_new
from notifier.storage.records.dossiers import (
    DOSSIER,
    EVENT,
    MOMENT,
    MOST_OF_ONE,
    TOLD,
    DossierRecords,
    moment_rows,
    read_moments,
    told_rows,
)
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from notifier.domain.deadline import Moment
    from notifier.domain.dossier import Dossier
    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address
    from notifier.ports import Told


class DossierRows(DossierRecords, Rows):
    """The tables ``dossier``, ``event``, ``moment`` and ``told``."""

    async def add_events(self, events: Sequence[DossierEvent], now: Instant) -> list[bool]:
        """See ``ports.Session``."""
        added = await self.insert(
            f"INSERT OR IGNORE INTO event ({EVENT})",
            self._event_rows(events, now),
            "RETURNING source, id",
        )
        return are_new([(event.source, event.id) for event in events], added)

    async def hold(self, names: Sequence[str]) -> None:
        """See ``ports.Session``: writers take turns here, so whoever writes holds everything."""

    async def dossiers(self, codes: Sequence[str]) -> dict[str, Dossier]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier WHERE code IN (SELECT value FROM json_each(?))",
            (self.listed(set(codes)),),
        )
        return {code: self._dossier(code, sealed) for code, sealed in rows}

    async def dossiers_of(self, addresses: Sequence[Address]) -> dict[Address, list[Dossier]]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(addresses)
        if not by_hash:
            return {}
        marks = ",".join("?" * len(by_hash))
        rows = await self.run(
            "SELECT holder, code, body_sealed FROM (SELECT holder, code, body_sealed, "
            "row_number() OVER (PARTITION BY holder ORDER BY updated_at DESC, code) AS place FROM ("
            "SELECT applicant_hash AS holder, code, body_sealed, updated_at FROM dossier "
            f"WHERE applicant_hash IN ({marks}) UNION SELECT agent_hash, code, body_sealed, "
            f"updated_at FROM dossier WHERE agent_hash IN ({marks}))) WHERE place <= ? "
            "ORDER BY holder, place",
            [*by_hash, *by_hash, MOST_OF_ONE],
        )
        return self._by_holder(rows, by_hash)

    async def put_dossiers(self, dossiers: Sequence[Dossier], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            f"INSERT OR REPLACE INTO dossier ({DOSSIER})", self._dossier_rows(dossiers, now)
        )

    async def list_dossiers(self, after: str, limit: int) -> list[Dossier]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier WHERE code > ? ORDER BY code LIMIT ?",
            (after, limit),
        )
        return [self._dossier(code, sealed) for code, sealed in rows]

    async def late_dossiers(
        self, statuses: Sequence[int], before: Instant, after: tuple[int, str], limit: int
    ) -> list[Dossier]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier WHERE status IN (SELECT value FROM "
            "json_each(?)) AND due_at < ? AND (due_at, code) > (?, ?) "
            "ORDER BY due_at, code LIMIT ?",
            (self.listed(statuses), before, *after, limit),
        )
        return [self._dossier(code, sealed) for code, sealed in rows]

    async def due(
        self,
        statuses: Collection[int],
        until: Instant,
        limit: int,
        *,
        behind: tuple[Instant, str] = (0, ""),
        untold: str = "",
    ) -> list[Dossier]:
        """See ``ports.Session``: told how many states there are, it looks at no others."""
        marks = ",".join("?" * len(statuses))
        due_at, code = behind
        rows = await self.run(
            f"SELECT code, body_sealed FROM dossier WHERE status IN ({marks}) "
            "AND due_at BETWEEN ? AND ? AND (due_at, code) > (?, ?) "
            "AND (? = '' OR NOT EXISTS (SELECT 1 FROM told "
            "WHERE subject = dossier.code AND name = ? AND at = dossier.due_at)) "
            "ORDER BY due_at, code LIMIT ?",
            (*statuses, due_at, until, due_at, code, untold, untold, limit),
        )
        return [self._dossier(code, sealed) for code, sealed in rows]

    async def add_told(self, told: Sequence[Told], now: Instant) -> list[bool]:
        """See ``ports.Session``."""
        added = await self.insert(
            f"INSERT OR IGNORE INTO told ({TOLD})",
            told_rows(told, now),
            "RETURNING subject, name, at",
        )
        return are_new([(one.subject, one.name, one.at) for one in told], added)

    async def plan_moments(self, plans: Mapping[str, Sequence[Moment]]) -> None:
        """See ``ports.Session``."""
        if not plans:
            return
        await self.run(
            "DELETE FROM moment WHERE code IN (SELECT value FROM json_each(?))",
            (self.listed(plans),),
        )
        await self.insert(f"INSERT INTO moment ({MOMENT})", moment_rows(plans))

    async def due_moments(self, now: Instant, limit: int) -> list[Moment]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {MOMENT} FROM moment WHERE at <= ? ORDER BY at LIMIT ?", (now, limit)
        )
        return read_moments(rows)

    async def drop_moments(self, moments: Sequence[Moment]) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "DELETE FROM moment WHERE code = ? AND notice = ? AND at = ? AND episode = ?",
            moment_rows({"": moments}),
        )
