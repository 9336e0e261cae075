"""What left just now: how much of each gateway, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.records.rates import MILLIONTHS, gain_of, most_of
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Address


class RateRows(Rows):
    """The tables ``rate`` and ``spoken``."""

    async def refill(self, gateway: str, rate: float, now: Instant) -> float:
        """See ``ports.Session``."""
        [(level,)] = await self.run(
            "INSERT INTO rate (name, level, at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE "
            "SET level = CAST(min(level + max(?3 - at, 0) * ?4, ?2) AS INTEGER), at = ?3 "
            "RETURNING level",
            (gateway, most_of(rate), now, gain_of(rate)),
        )
        return int(level) / MILLIONTHS

    async def spoken(
        self, gateway: str, addresses: Sequence[Address], gap: int, now: Instant
    ) -> None:
        """See ``ports.Session``."""
        await self.run(
            "DELETE FROM spoken WHERE gateway = ? AND (at <= ? OR at > ?)",
            (gateway, now - gap, now),
        )
        await self.insert(
            "INSERT OR REPLACE INTO spoken (gateway, address_hash, at)",
            [(gateway, hash_, now) for hash_ in self._by_hash(addresses)],
        )
