"""Chat accounts tied to numbers, and the codes that tie them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.records.bindings import BINDING, LINK, BindingRecords
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Address


class BindingRows(BindingRecords, Rows):
    """The tables ``binding`` and ``link``."""

    async def add_link(
        self, code: str, number: Address, account: Address | None, now: Instant, until: Instant
    ) -> None:
        """See ``ports.Session``."""
        await self.insert(
            f"INSERT INTO link ({LINK})", [self._link_row(code, number, account, now, until)]
        )

    async def links_since(self, number: Address, account: Address | None, since: Instant) -> int:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT max((SELECT count(*) FROM link WHERE number_hash = ?1 AND at > ?3), "
            "(SELECT count(*) FROM link WHERE account_hash = ?2 AND at > ?3))",
            (
                self._hash(number),
                self._hash(account) if account else None,
                since,
            ),
        )
        return int(rows[0][0])

    async def use_link(self, code: str, account: Address, now: Instant) -> Address | None:
        """See ``ports.Session``."""
        rows = await self.run(
            "UPDATE link SET used_at = ?1 WHERE code_hash = ?2 AND used_at IS NULL AND until > ?1 "
            "AND (account_hash IS NULL OR account_hash = ?3) RETURNING number_sealed",
            (now, self._code_hash(code), self._hash(account)),
        )
        return self._open_address(rows[0][0], b"link") if rows else None

    async def bind(self, account: Address, number: Address, proof: str, now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            f"INSERT OR IGNORE INTO binding ({BINDING})",
            [self._binding_row(account, number, proof, now)],
        )

    async def unbind(self, accounts: Sequence[Address], proof: str, now: Instant) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "UPDATE binding SET ended_at = ?, ended_by = ? "
            "WHERE account_hash = ? AND ended_at IS NULL",
            [(now, proof, self._hash(account)) for account in accounts],
        )

    async def numbers_of(self, accounts: Sequence[Address]) -> dict[Address, frozenset[str]]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(accounts)
        if not by_hash:
            return {}
        rows = await self.run(
            "SELECT account_hash, number_sealed FROM binding WHERE ended_at IS NULL "
            f"AND account_hash IN ({','.join('?' * len(by_hash))})",
            list(by_hash),
        )
        return self._numbers(rows, by_hash)

    async def accounts_of(self, numbers: Sequence[Address]) -> dict[Address, tuple[Address, ...]]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(numbers)
        if not by_hash:
            return {}
        rows = await self.run(
            "SELECT number_hash, account_sealed FROM binding WHERE ended_at IS NULL "
            f"AND number_hash IN ({','.join('?' * len(by_hash))}) ORDER BY at DESC, account_hash",
            list(by_hash),
        )
        return self._accounts(rows, by_hash)
