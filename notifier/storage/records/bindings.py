"""Chat accounts tied to numbers, and the codes that tie them, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifier.storage.records.base import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Address

LINK = "code_hash, number_hash, account_hash, number_sealed, at, until"
BINDING = "account_hash, number_hash, account_sealed, number_sealed, at, proof"


class BindingRecords(Records):
    """The tables ``binding`` and ``link``."""

    def _link_row(
        self, code: str, number: Address, account: Address | None, now: Instant, until: Instant
    ) -> tuple[Any, ...]:
        """In the order of ``LINK``."""
        return (
            self._code_hash(code),
            self._hash(number),
            self._hash(account) if account else None,
            self._seal_address(number, b"link"),
            now,
            until,
        )

    def _binding_row(
        self, account: Address, number: Address, proof: str, now: Instant
    ) -> tuple[Any, ...]:
        """In the order of ``BINDING``."""
        return (
            self._hash(account),
            self._hash(number),
            self._seal_address(account, b"binding"),
            self._seal_address(number, b"binding"),
            now,
            proof,
        )

    def _numbers(
        self, rows: Iterable[Sequence[Any]], by_hash: Mapping[bytes, Address]
    ) -> dict[Address, frozenset[str]]:
        """From rows of account's hash and sealed number."""
        found: dict[Address, frozenset[str]] = {}
        for key, sealed in rows:
            number = self._open_address(sealed, b"binding").value
            found[by_hash[key]] = found.get(by_hash[key], frozenset()) | {number}
        return found

    def _accounts(
        self, rows: Iterable[Sequence[Any]], by_hash: Mapping[bytes, Address]
    ) -> dict[Address, tuple[Address, ...]]:
        """From rows of number's hash and sealed account, in their order."""
        found: dict[Address, tuple[Address, ...]] = {}
        for key, sealed in rows:
            account = self._open_address(sealed, b"binding")
            found[by_hash[key]] = (*found.get(by_hash[key], ()), account)
        return found

    def _code_hash(self, code: str) -> bytes:
        return self._sealer.digest(f"link:{code}")
