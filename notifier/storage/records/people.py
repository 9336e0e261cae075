"""What people said, what they refuse and what waits for staff, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifier.domain.conversation import Said
from notifier.domain.message import Address, Inbound
from notifier.ports import Fragment, Kept, QuarantineRow, WorkItem
from notifier.storage.packing import pack, unpack
from notifier.storage.records.base import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.domain.consent import Refusal
    from notifier.domain.instant import Instant
    from notifier.ports import Heard, Quarantined

REFUSAL = "address_hash, scope, at, address_sealed, proof"
INBOUND = "gateway, key, sender_hash, body_sealed, intent, codes, offered, guesses, received_at"
REREAD = "gateway, key, intent, codes, offered, guesses"
FRAGMENT = "gateway, sender_hash, body_sealed, first_at, until"
GUESS = "run, code, at"
RATING = "dossier, score, at"
KEPT = "code, account_hash, account_sealed, language, until"
WORK = "key, kind, dossier, detail, opened_at"
QUARANTINE = "door, key, reason, at, raw_sealed"
QUARANTINED = "id, door, reason, at, length(raw_sealed)"


class PeopleRecords(Records):
    """``inbound``, ``kept``, ``rating``, ``refusal``, ``work`` and ``quarantine``."""

    def _refusal_rows(self, refusals: Sequence[Refusal]) -> list[tuple[Any, ...]]:
        """In the order of ``REFUSAL``."""
        return [
            (
                self._hash(refusal.address),
                refusal.scope,
                refusal.at,
                self._seal_address(refusal.address, b"refusal"),
                refusal.proof,
            )
            for refusal in refusals
        ]

    def _inbound_rows(self, heard: Sequence[Heard], now: Instant) -> list[tuple[Any, ...]]:
        """One row a gateway and key, of the first that has them; in the order of ``INBOUND``."""
        first: dict[tuple[str, str], Heard] = {}
        for one in heard:
            first.setdefault((one.gateway, one.inbound.key), one)
        return [
            (
                one.gateway,
                one.inbound.key,
                self._hash(one.inbound.sender),
                self._sealer.seal(
                    pack([str(one.inbound.sender), one.inbound.to, one.inbound.text]), b"inbound"
                ),
                one.intent,
                " ".join(one.codes),
                " ".join(one.offered),
                one.guesses,
                now,
            )
            for one in first.values()
        ]

    def _fragment_rows(self, fragments: Sequence[Fragment]) -> list[tuple[Any, ...]]:
        """One row a gateway and sender, of the last; in the order of ``FRAGMENT``."""
        last = {(one.gateway, one.inbound.sender): one for one in fragments}
        return [
            (
                one.gateway,
                self._hash(one.inbound.sender),
                self._sealer.seal(
                    pack(
                        [
                            str(one.inbound.sender),
                            one.inbound.key,
                            one.inbound.text,
                            one.inbound.to,
                            one.inbound.profile,
                        ]
                    ),
                    b"fragment",
                ),
                one.first_at,
                one.until,
            )
            for one in last.values()
        ]

    def _fragments(self, rows: Iterable[Sequence[Any]]) -> list[Fragment]:
        """From rows in the order of ``FRAGMENT``."""
        found = []
        for gateway, _, body, first_at, until in rows:
            sender, key, text, to, profile = unpack(self._sealer.open(body, b"fragment"))
            inbound = Inbound(
                key=key, sender=Address.parse(sender), text=text, to=to, profile=profile
            )
            found.append(Fragment(gateway=gateway, inbound=inbound, first_at=first_at, until=until))
        return found

    def _kept_rows(self, kept: Sequence[Kept]) -> list[tuple[Any, ...]]:
        """In the order of ``KEPT``."""
        return [
            (
                one.code,
                self._hash(one.account),
                self._seal_address(one.account, b"kept"),
                one.language,
                one.until,
            )
            for one in kept
        ]

    def _kept(self, rows: Iterable[Sequence[Any]]) -> list[Kept]:
        """From rows in the order of ``KEPT``."""
        return [
            Kept(
                code=code,
                account=self._open_address(account, b"kept"),
                language=language,
                until=until,
                key=account_hash.hex(),
            )
            for code, account_hash, account, language, until in rows
        ]

    def _open_quarantined(self, rows: Sequence[Sequence[Any]]) -> bytes | None:
        """The bytes of the one row, where there is one."""
        return self._sealer.open(rows[0][0], b"quarantine") if rows else None

    def _quarantine_rows(self, items: Sequence[Quarantined]) -> list[tuple[Any, ...]]:
        """In the order of ``QUARANTINE``."""
        return [
            (item.door, item.key, item.reason, item.at, self._sealer.seal(item.raw, b"quarantine"))
            for item in items
        ]


def read_refusals(
    rows: Iterable[Sequence[Any]], by_hash: Mapping[bytes, Address]
) -> dict[Address, frozenset[str]]:
    """The scopes of each address, from rows of its hash and a scope."""
    scopes: dict[Address, frozenset[str]] = {}
    for key, scope in rows:
        address = by_hash[key]
        scopes[address] = scopes.get(address, frozenset()) | {scope}
    return scopes


def read_said(
    texts: Iterable[Sequence[Any]],
    asked: Iterable[Sequence[Any]],
    by_hash: Mapping[bytes, Address],
) -> dict[Address, Said]:
    """From rows of hash, texts, not understood, last offer and intent; and of hash, last codes."""
    codes = {key: tuple(found.split()) for key, found in asked}
    said = {by_hash[key]: Said(codes=found) for key, found in codes.items()}
    for key, count, not_understood, offered, intent in texts:
        said[by_hash[key]] = Said(
            texts=count,
            not_understood=not_understood,
            codes=codes.get(key, ()),
            offered=tuple(offered.split()),
            intent=intent,
        )
    return said


def reread_rows(heard: Sequence[Heard]) -> list[tuple[Any, ...]]:
    """In the order of ``REREAD``."""
    return [
        (h.gateway, h.inbound.key, h.intent, " ".join(h.codes), " ".join(h.offered), h.guesses)
        for h in heard
    ]


def guess_rows(codes: Sequence[tuple[str, str]], now: Instant) -> list[tuple[Any, ...]]:
    """One row a run and code, in the order of ``GUESS``."""
    return [(run, code, now) for run, code in dict.fromkeys(codes)]


def work_rows(items: Sequence[WorkItem]) -> list[tuple[Any, ...]]:
    """In the order of ``WORK``."""
    return [(item.key, item.kind, item.dossier, item.detail, item.opened_at) for item in items]


def read_quarantined(rows: Iterable[Sequence[Any]]) -> list[QuarantineRow]:
    """From rows of id, door, reason, time and size."""
    return [
        QuarantineRow(id=id_, door=door, reason=reason, at=at, size=size)
        for id_, door, reason, at, size in rows
    ]


def read_work(rows: Iterable[Sequence[Any]]) -> list[WorkItem]:
    """From rows in the order of ``WORK``."""
    return [
        WorkItem(key=key, kind=kind, dossier=dossier, detail=detail, opened_at=opened_at)
        for key, kind, dossier, detail, opened_at in rows
    ]
