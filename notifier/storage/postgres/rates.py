"""What left just now: how much of each gateway, and to whom, by the server's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.postgres.rows import CLOCK, Rows
from notifier.storage.records.rates import MILLIONTHS, gain_of, most_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Address


class RateRows(Rows):
    """The tables ``rate`` and ``spoken``."""

    async def refill(self, gateway: str, rate: float, now: Instant) -> float:
        """See ``ports.Session``; the row is this transaction's until it ends."""
        del now
        [(level,)] = await self.run(
            f"INSERT INTO rate (name, level, at) VALUES ($1, $2, {CLOCK}) "
            "ON CONFLICT (name) DO UPDATE SET (level, at) = (SELECT floor(least(rate.level "
            "+ greatest(moment - rate.at, 0) * $3::double precision, $2::bigint))::bigint, moment "
            f"FROM (SELECT {CLOCK} AS moment) AS clock) RETURNING level",
            gateway,
            most_of(rate),
            gain_of(rate),
        )
        return int(level) / MILLIONTHS

    async def spoken(
        self, gateway: str, addresses: Sequence[Address], gap: int, now: Instant
    ) -> None:
        """See ``ports.Session``."""
        del now
        await self.run(
            "WITH over AS (DELETE FROM spoken WHERE gateway = $1 AND address_hash <> ALL($2) "
            f"AND (at <= {CLOCK} - $3 OR at > {CLOCK})) "
            "INSERT INTO spoken (gateway, address_hash, at) "
            f"SELECT $1, hash, {CLOCK} FROM unnest($2::bytea[]) AS hash ORDER BY hash "
            "ON CONFLICT (gateway, address_hash) DO UPDATE SET at = excluded.at",
            gateway,
            list(self._by_hash(addresses)),
            gap,
        )
