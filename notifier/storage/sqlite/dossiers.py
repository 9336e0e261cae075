"""Dossiers, their events and their due moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.domain import phone
from notifier.domain.deadline import Moment
from notifier.storage.packing import pack, pack_dossier, unpack_dossier
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from notifier.domain.dossier import Dossier
    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address


MOST_OF_ONE = 20
"""Dossiers of one number that are looked at."""


class DossierRows(Rows):
    """The tables ``dossier``, ``event`` and ``moment``."""

    async def add_events(self, events: Sequence[DossierEvent], now: Instant) -> list[bool]:
        """See ``ports.Session``."""
        first: dict[tuple[str, str], int] = {}
        for place, event in enumerate(events):
            first.setdefault((event.source, event.id), place)
        rows = [
            (
                event.source,
                event.id,
                event.code,
                event.type.value,
                event.time,
                now,
                self._sealer.seal(pack(event.carried), b"event"),
            )
            for event in (events[place] for place in first.values())
        ]
        added = await self.insert(
            "INSERT OR IGNORE INTO event (source, id, code, type, time, received_at, body_sealed)",
            rows,
            "RETURNING source, id",
        )
        new = {(source, id_) for source, id_ in added}
        return [
            (event.source, event.id) in new and first[event.source, event.id] == place
            for place, event in enumerate(events)
        ]

    async def dossiers(self, codes: Sequence[str]) -> dict[str, Dossier]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier WHERE code IN (SELECT value FROM json_each(?))",
            (self.listed(set(codes)),),
        )
        return {code: self._open_dossier(code, sealed) for code, sealed in rows}

    async def dossiers_of(self, addresses: Sequence[Address]) -> dict[Address, list[Dossier]]:
        """See ``ports.Session``."""
        by_hash = {self._sealer.digest(str(address)): address for address in addresses}
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
        found: dict[Address, list[Dossier]] = {}
        for holder, code, sealed in rows:
            found.setdefault(by_hash[holder], []).append(self._open_dossier(code, sealed))
        return found

    async def put_dossiers(self, dossiers: Sequence[Dossier], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "INSERT OR REPLACE INTO dossier (code, status, due_at, unit, procedure, "
            "applicant_hash, agent_hash, first_seen_at, updated_at, body_sealed)",
            [
                (
                    dossier.code,
                    dossier.status,
                    dossier.facts.due_at,
                    dossier.facts.unit.key if dossier.facts.unit else "",
                    dossier.facts.procedure_code or "",
                    self._phone_hash(dossier.facts.applicant_phone),
                    self._phone_hash(dossier.facts.agent_phone),
                    dossier.first_seen_at,
                    now,
                    self._sealer.seal(pack_dossier(dossier), b"dossier"),
                )
                for dossier in dossiers
            ],
        )

    async def list_dossiers(self, after: str, limit: int) -> list[Dossier]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, body_sealed FROM dossier WHERE code > ? ORDER BY code LIMIT ?",
            (after, limit),
        )
        return [self._open_dossier(code, sealed) for code, sealed in rows]

    async def plan_moments(self, plans: Mapping[str, Sequence[Moment]]) -> None:
        """See ``ports.Session``."""
        if not plans:
            return
        await self.run(
            "DELETE FROM moment WHERE code IN (SELECT value FROM json_each(?))",
            (self.listed(plans),),
        )
        rows = [
            (moment.code, moment.notice, moment.at, moment.episode)
            for moments in plans.values()
            for moment in moments
        ]
        await self.insert("INSERT INTO moment (code, notice, at, episode)", rows)

    async def due_moments(self, now: Instant, limit: int) -> list[Moment]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT code, notice, at, episode FROM moment WHERE at <= ? ORDER BY at LIMIT ?",
            (now, limit),
        )
        return [
            Moment(code=code, notice=notice, at=at, episode=episode)
            for code, notice, at, episode in rows
        ]

    async def drop_moments(self, moments: Sequence[Moment]) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "DELETE FROM moment WHERE code = ? AND notice = ? AND episode = ?",
            [(moment.code, moment.notice, moment.episode) for moment in moments],
        )

    def _open_dossier(self, code: str, sealed: bytes) -> Dossier:
        return unpack_dossier(code, self._sealer.open(sealed, b"dossier"))

    def _phone_hash(self, raw: str | None) -> bytes | None:
        number = phone.read(raw) if raw else None
        return self._sealer.digest(f"sms:{number.e164}") if number else None
