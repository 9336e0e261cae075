"""Signed apologies, what was done to them, and what the source is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.domain.apology import SIGNED, ApologyState
from notifier.storage.postgres.rows import ONCE, Rows
from notifier.storage.records.apologies import (
    APOLOGY,
    APOLOGY_ACT,
    APOLOGY_RETURN,
    RETURNING,
    ApologyRecords,
    read_acts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.apology import Apology, ApologyAct
    from notifier.domain.instant import Instant
    from notifier.ports import Return


class ApologyRows(ApologyRecords, Rows):
    """The tables ``apology``, ``apology_act`` and ``apology_return``."""

    async def add_apology(self, apology: Apology) -> bool:
        """See ``ports.Session``."""
        added = await self.insert(
            "apology", APOLOGY, [self._apology_row(apology)], f"{ONCE} RETURNING id"
        )
        if added:
            await self._add_act(apology, apology.created_at, "draft", apology.author, "")
        return bool(added)

    async def apology(self, apology_id: str) -> Apology | None:
        """See ``ports.Session``."""
        rows = await self.run(f"SELECT {APOLOGY} FROM apology WHERE id = $1", apology_id)
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
            f"SELECT {APOLOGY} FROM apology WHERE ($1::text IS NULL OR state = $1) "
            "AND ($2::text[] IS NULL OR dossier = ANY($2)) ORDER BY id DESC LIMIT $3",
            state,
            None if dossiers is None else list(dossiers),
            limit,
        )
        return [self._apology(row) for row in rows]

    async def move_apology(
        self, apology: Apology, was: ApologyState, by: str, act: str, note: str, now: Instant
    ) -> bool:
        """See ``ports.Session``; signing holds the dossier, so that the second one sees the first.

        The unique index stands behind it.
        """
        if apology.state in SIGNED:
            await self.lock([f"signed|{apology.dossier}"])
        (id_, _, _, _, state, late, _, approver, number, _, signed_at, body) = self._apology_row(
            apology
        )
        signed = sorted(state.value for state in SIGNED)
        rows = await self.run(
            "UPDATE apology SET state = $1, late = $2, approver = $3, document = $4, "
            "signed_at = $5, body_sealed = $6 WHERE id = $7 AND state = $8 AND NOT ("
            "$1 = ANY($9::text[]) AND EXISTS (SELECT 1 FROM apology AS other WHERE "
            "other.dossier = apology.dossier AND other.id <> apology.id "
            "AND other.state = ANY($9::text[]))) RETURNING id",
            state,
            late,
            approver,
            number,
            signed_at,
            body,
            id_,
            was,
            signed,
        )
        if rows:
            await self._add_act(apology, now, act, by, note)
        return bool(rows)

    async def apology_acts(self, ids: Sequence[str]) -> list[ApologyAct]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {APOLOGY_ACT} FROM apology_act WHERE apology = ANY($1::text[]) "
            "ORDER BY at, ctid",
            list(ids),
        )
        return read_acts(rows)

    async def plan_return(self, apology_id: str, at: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert("apology_return", APOLOGY_RETURN, [(apology_id, at)], ONCE)

    async def due_returns(self, now: Instant, limit: int) -> list[Return]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT due.attempts, {RETURNING} FROM apology_return AS due JOIN apology "
            "ON apology.id = due.apology WHERE due.at <= $1 AND due.ended_at IS NULL "
            "ORDER BY due.at, due.apology LIMIT $2",
            now,
            limit,
        )
        return self._returns(rows)

    async def put_off_return(self, apology_id: str, at: Instant, error: str) -> None:
        """See ``ports.Session``."""
        await self.run(
            "UPDATE apology_return SET at = $1, attempts = attempts + 1, error = $2 "
            "WHERE apology = $3 AND ended_at IS NULL",
            at,
            error,
            apology_id,
        )

    async def end_return(self, apology_id: str, now: Instant) -> None:
        """See ``ports.Session``."""
        await self.run(
            "UPDATE apology_return SET ended_at = $1, attempts = attempts + 1, error = '' "
            "WHERE apology = $2 AND ended_at IS NULL",
            now,
            apology_id,
        )

    async def _add_act(self, apology: Apology, at: Instant, act: str, by: str, note: str) -> None:
        await self.insert("apology_act", APOLOGY_ACT, [(apology.id, at, act, by, note)])
