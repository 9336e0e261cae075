"""Dossiers, their events and their due moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.postgres.rows import ONCE, Rows, columns_of, plain
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

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from notifier.domain.deadline import Moment
    from notifier.domain.dossier import Dossier
    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address
    from notifier.ports import Told

REPLACED = ", ".join(f"{name} = excluded.{name}" for name in DOSSIER.split(", ")[1:])


class DossierRows(DossierRecords, Rows):
    """The tables ``dossier``, ``event``, ``moment`` and ``told``."""

    async def hold(self, names: Sequence[str]) -> None:
        """See ``ports.Session``: a lock that needs no row, since a code may have none yet."""
        await self.lock([f"held|{name}" for name in names])

    async def add_events(self, events: Sequence[DossierEvent], now: Instant) -> list[bool]:
        """See ``ports.Session``."""
        added = await self.insert(
            "event",
            EVENT,
            sorted(self._event_rows(events, now), key=lambda row: row[:2]),
            f"{ONCE} RETURNING source, id",
        )
        return are_new([(plain(event.source), plain(event.id)) for event in events], added)

    async def dossiers(self, codes: Sequence[str]) -> dict[str, Dossier]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier WHERE code = ANY($1::text[])", list(set(codes))
        )
        return {code: self._dossier(code, sealed) for code, sealed in rows}

    async def dossiers_of(self, addresses: Sequence[Address]) -> dict[Address, list[Dossier]]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(addresses)
        if not by_hash:
            return {}
        rows = await self.run(
            "SELECT holder, code, body_sealed FROM (SELECT holder, code, body_sealed, "
            "row_number() OVER (PARTITION BY holder ORDER BY updated_at DESC, code) AS place FROM ("
            "SELECT applicant_hash AS holder, code, body_sealed, updated_at FROM dossier "
            "WHERE applicant_hash = ANY($1::bytea[]) UNION SELECT agent_hash, code, body_sealed, "
            "updated_at FROM dossier WHERE agent_hash = ANY($1::bytea[])) AS held) AS placed "
            "WHERE place <= $2 ORDER BY holder, place",
            list(by_hash),
            MOST_OF_ONE,
        )
        return self._by_holder(rows, by_hash)

    async def put_dossiers(self, dossiers: Sequence[Dossier], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "dossier",
            DOSSIER,
            sorted(self._dossier_rows(dossiers, now), key=lambda row: row[0]),
            f"ON CONFLICT (code) DO UPDATE SET {REPLACED}",
        )

    async def list_dossiers(self, after: str, limit: int) -> list[Dossier]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier WHERE code > $1 ORDER BY code LIMIT $2",
            after,
            limit,
        )
        return [self._dossier(code, sealed) for code, sealed in rows]

    async def late_dossiers(
        self, statuses: Sequence[int], before: Instant, after: tuple[int, str], limit: int
    ) -> list[Dossier]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier WHERE status = ANY($1::bigint[]) "
            "AND due_at < $2 AND (due_at, code) > ($3, $4) ORDER BY due_at, code LIMIT $5",
            list(statuses),
            before,
            *after,
            limit,
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
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier "
            "WHERE status = ANY($1::bigint[]) AND due_at BETWEEN $2 AND $4 "
            "AND (due_at, code) > ($2, $3) "
            "AND ($5 = '' OR NOT EXISTS (SELECT 1 FROM told "
            "WHERE subject = dossier.code AND name = $5 AND at = dossier.due_at)) "
            "ORDER BY due_at, code LIMIT $6",
            list(statuses),
            *behind,
            until,
            untold,
            limit,
        )
        return [self._dossier(code, sealed) for code, sealed in rows]

    async def add_told(self, told: Sequence[Told], now: Instant) -> list[bool]:
        """See ``ports.Session``."""
        added = await self.insert(
            "told", TOLD, sorted(told_rows(told, now)), f"{ONCE} RETURNING subject, name, at"
        )
        return are_new([(one.subject, one.name, one.at) for one in told], added)

    async def plan_moments(self, plans: Mapping[str, Sequence[Moment]]) -> None:
        """See ``ports.Session``."""
        if not plans:
            return
        await self.run("DELETE FROM moment WHERE code = ANY($1::text[])", list(plans))
        await self.insert("moment", MOMENT, moment_rows(plans))

    async def due_moments(self, now: Instant, limit: int) -> list[Moment]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {MOMENT} FROM moment WHERE at <= $1 ORDER BY at LIMIT $2", now, limit
        )
        return read_moments(rows)

    async def drop_moments(self, moments: Sequence[Moment]) -> None:
        """See ``ports.Session``."""
        if moments:
            await self.run(
                "DELETE FROM moment USING unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) "
                "AS decided (code, notice, at, episode) WHERE moment.code = decided.code "
                "AND moment.notice = decided.notice AND moment.at = decided.at "
                "AND moment.episode = decided.episode",
                *columns_of(moment_rows({"": moments})),
            )
