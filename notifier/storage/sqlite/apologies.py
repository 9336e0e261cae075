"""Signed apologies, what was done to them, and what the source is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.records.apologies import (
    APOLOGY,
    APOLOGY_ACT,
    APOLOGY_RETURN,
    RETURNING,
    ApologyRecords,
    read_acts,
)
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.apology import Apology, ApologyAct, ApologyState
    from notifier.domain.instant import Instant
    from notifier.ports import Return


class ApologyRows(ApologyRecords, Rows):
    """The tables ``apology``, ``apology_act`` and ``apology_return``."""

    async def add_apology(self, apology: Apology) -> bool:
        """See ``ports.Session``."""
        added = await self.insert(
            f"INSERT INTO apology ({APOLOGY})",
            [self._apology_row(apology)],
            "ON CONFLICT DO NOTHING RETURNING id",
        )
        if added:
            await self._add_act(apology, apology.created_at, "draft", apology.author, "")
        return bool(added)

    async def apology(self, apology_id: str) -> Apology | None:
        """See ``ports.Session``."""
        rows = await self.run(f"SELECT {APOLOGY} FROM apology WHERE id = ?", (apology_id,))
        return self._apology(rows[0]) if rows else None

    async def apologies(
        self,
        *,
        state: ApologyState | None = None,
        dossiers: Sequence[str] | None = None,
        limit: int = 100,
    ) -> list[Apology]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {APOLOGY} FROM apology WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL "
            "OR dossier IN (SELECT value FROM json_each(?2))) ORDER BY id DESC LIMIT ?3",
            (state, None if dossiers is None else self.listed(dossiers), limit),
        )
        return [self._apology(row) for row in rows]

    async def move_apology(
        self, apology: Apology, was: ApologyState, by: str, act: str, note: str, now: Instant
    ) -> bool:
        """See ``ports.Session``."""
        (id_, _, _, _, state, late, _, approver, number, _, signed_at, body) = self._apology_row(
            apology
        )
        rows = await self.run(
            "UPDATE OR IGNORE apology SET state = ?, late = ?, approver = ?, document = ?, "
            "signed_at = ?, body_sealed = ? WHERE id = ? AND state = ? RETURNING id",
            (state, late, approver, number, signed_at, body, id_, was),
        )
        if rows:
            await self._add_act(apology, now, act, by, note)
        return bool(rows)

    async def apology_acts(self, ids: Sequence[str]) -> list[ApologyAct]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {APOLOGY_ACT} FROM apology_act WHERE apology IN "
            "(SELECT value FROM json_each(?)) ORDER BY at, rowid",
            (self.listed(ids),),
        )
        return read_acts(rows)

    async def plan_return(self, apology_id: str, at: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            f"INSERT INTO apology_return ({APOLOGY_RETURN})",
            [(apology_id, at)],
            "ON CONFLICT DO NOTHING",
        )

    async def due_returns(self, now: Instant, limit: int) -> list[Return]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT due.attempts, {RETURNING} FROM apology_return AS due JOIN apology "
            "ON apology.id = due.apology WHERE due.at <= ? AND due.ended_at IS NULL "
            "ORDER BY due.at, due.apology LIMIT ?",
            (now, limit),
        )
        return self._returns(rows)

    async def put_off_return(self, apology_id: str, at: Instant, error: str) -> None:
        """See ``ports.Session``."""
        await self.run(
            "UPDATE apology_return SET at = ?, attempts = attempts + 1, error = ? "
            "WHERE apology = ? AND ended_at IS NULL",
            (at, error, apology_id),
        )

    async def end_return(self, apology_id: str, now: Instant) -> None:
        """See ``ports.Session``."""
        await self.run(
            "UPDATE apology_return SET ended_at = ?, attempts = attempts + 1, error = '' "
            "WHERE apology = ? AND ended_at IS NULL",
            (now, apology_id),
        )

    async def _add_act(self, apology: Apology, at: Instant, act: str, by: str, note: str) -> None:
        await self.insert(
            f"INSERT INTO apology_act ({APOLOGY_ACT})", [(apology.id, at, act, by, note)]
        )
