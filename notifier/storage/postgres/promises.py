"""How promises were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.postgres.rows import ONCE, Rows
from notifier.storage.records.promises import (
    APOLOGISED_STATES,
    PLACE,
    PROMISE,
    SIGNED_STATES,
    late_sql,
    parameters,
    place_rows,
    promise_rows,
    read_apologised,
    read_cells,
    read_late,
    tally_sql,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.promise import Apologised, Place, Promise
    from notifier.domain.tally import Asked, Cell, Key

REPLACED = ", ".join(f"{name} = excluded.{name}" for name in PROMISE.split(", ")[1:])


class PromiseRows(Rows):
    """The tables ``promise`` and ``place``."""

    async def put_promises(self, promises: Sequence[Promise], places: Sequence[Place]) -> None:
        """See ``ports.Session``."""
        await self.insert("place", PLACE, place_rows(places), ONCE)
        await self.insert(
            "promise",
            PROMISE,
            sorted(promise_rows(promises), key=lambda row: row[0]),
            f"ON CONFLICT (code) DO UPDATE SET {REPLACED}",
        )

    async def tally(self, asked: Asked) -> list[Cell]:
        """See ``ports.Session``."""
        return read_cells(await self.run(tally_sql(asked), *parameters(asked)), asked)

    async def late_promises(self, asked: Asked, after: str, limit: int) -> list[tuple[str, Key]]:
        """See ``ports.Session``."""
        rows = await self.run(late_sql(asked), *parameters(asked), after, limit)
        return read_late(tuple(row) for row in rows)

    async def apologised(
        self, codes: Sequence[str], notices: Sequence[str], until: Instant
    ) -> dict[str, frozenset[Apologised]]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT DISTINCT dossier, 'automatic' FROM message WHERE dossier = ANY($1::text[]) "
            "AND notice = ANY($2::text[]) AND created_at <= $3 AND state = ANY($4::text[]) "
            "UNION SELECT dossier, 'signed' FROM apology WHERE dossier = ANY($1::text[]) "
            "AND signed_at <= $3 AND state = ANY($5::text[])",
            list(codes),
            list(notices),
            until,
            list(APOLOGISED_STATES),
            list(SIGNED_STATES),
        )
        return read_apologised(tuple(row) for row in rows)

    async def names_of_places(self) -> list[tuple[str, str, str, str]]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT DISTINCT unit, unit_name, procedure, procedure_name FROM place"
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]
