"""How promises were kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

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
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.promise import Apologised, Place, Promise
    from notifier.domain.tally import Asked, Cell, Key

_NUMBERED: Final = re.compile(r"\$(\d)")


class PromiseRows(Rows):
    """The tables ``promise`` and ``place``."""

    async def put_promises(self, promises: Sequence[Promise], places: Sequence[Place]) -> None:
        """See ``ports.Session``."""
        await self.insert(f"INSERT OR IGNORE INTO place ({PLACE})", place_rows(places))
        await self.insert(f"INSERT OR REPLACE INTO promise ({PROMISE})", promise_rows(promises))

    async def tally(self, asked: Asked) -> list[Cell]:
        """See ``ports.Session``."""
        return read_cells(await self.run(_marked(tally_sql(asked)), parameters(asked)), asked)

    async def late_promises(self, asked: Asked, after: str, limit: int) -> list[tuple[str, Key]]:
        """See ``ports.Session``."""
        rows = await self.run(_marked(late_sql(asked)), (*parameters(asked), after, limit))
        return read_late(rows)

    async def apologised(
        self, codes: Sequence[str], notices: Sequence[str], until: Instant
    ) -> dict[str, frozenset[Apologised]]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT DISTINCT dossier, 'automatic' FROM message "
            "WHERE dossier IN (SELECT value FROM json_each(?1)) "
            "AND notice IN (SELECT value FROM json_each(?2)) "
            "AND created_at <= ?3 AND state IN (SELECT value FROM json_each(?4)) "
            "UNION SELECT dossier, 'signed' FROM apology "
            "WHERE dossier IN (SELECT value FROM json_each(?1)) "
            "AND signed_at <= ?3 AND state IN (SELECT value FROM json_each(?5))",
            (
                self.listed(codes),
                self.listed(notices),
                until,
                self.listed(APOLOGISED_STATES),
                self.listed(SIGNED_STATES),
            ),
        )
        return read_apologised(rows)

    async def names_of_places(self) -> list[tuple[str, str, str, str]]:
        """See ``ports.Session``."""
        return [
            (unit, unit_name, procedure, procedure_name)
            for unit, unit_name, procedure, procedure_name in await self.run(
                "SELECT DISTINCT unit, unit_name, procedure, procedure_name FROM place"
            )
        ]


def _marked(sql: str) -> str:
    """Numbered parameters as SQLite writes them."""
    return _NUMBERED.sub(r"?\1", sql)
