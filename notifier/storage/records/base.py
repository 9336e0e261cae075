"""What the tables' modules of every engine share: sealed addresses, and what was new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifier.domain.message import Address

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from notifier.storage.sealing import Sealer


class Records:
    """How values are kept. Addresses are sealed to be read, and hashed to be found."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def _hash(self, address: Address) -> bytes:
        return self._sealer.digest(str(address))

    def _by_hash(self, addresses: Iterable[Address]) -> dict[bytes, Address]:
        return {self._hash(address): address for address in addresses}

    def _seal_address(self, address: Address, place: bytes) -> bytes:
        return self._sealer.seal(str(address).encode(), place)

    def _open_address(self, sealed: bytes, place: bytes) -> Address:
        return Address.parse(self._sealer.open(sealed, place).decode())


def are_new(keys: Iterable[tuple[object, ...]], added: Iterable[Sequence[Any]]) -> list[bool]:
    """For each of ``keys`` whether it was added; of a key that stands there twice, the first."""
    left = {tuple(key) for key in added}
    new: list[bool] = []
    for key in keys:
        new.append(key in left)
        left.discard(key)
    return new
