"""What people said, what they refuse, what waits for staff, and what could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.domain.conversation import Said
from notifier.domain.message import Address, Inbound
from notifier.ports import Fragment, Kept, WorkItem
from notifier.storage.packing import pack, unpack
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from notifier.domain.consent import Refusal
    from notifier.domain.instant import Instant
    from notifier.ports import Heard, Quarantined


KEPT = "code, account_hash, account_sealed, language, until"


class PeopleRows(Rows):
    """What people said: ``inbound``, ``kept``, ``rating``, ``refusal``; ``work``, ``lease``, ..."""

    async def refusals(self, addresses: Sequence[Address]) -> dict[Address, frozenset[str]]:
        """See ``ports.Session``."""
        by_hash = {self._hash(address).hex(): address for address in addresses}
        if not by_hash:
            return {}
        rows = await self.run(
            "SELECT lower(hex(address_hash)), scope FROM refusal WHERE ended_at IS NULL "
            f"AND address_hash IN ({','.join('?' * len(by_hash))})",
            [bytes.fromhex(key) for key in by_hash],
        )
        scopes: dict[Address, frozenset[str]] = {}
        for key, scope in rows:
            address = by_hash[key]
            scopes[address] = scopes.get(address, frozenset()) | {scope}
        return scopes

    async def refuse(self, refusals: Sequence[Refusal]) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "INSERT OR IGNORE INTO refusal (address_hash, scope, at, address_sealed, proof)",
            [
                (
                    self._hash(refusal.address),
                    refusal.scope,
                    refusal.at,
                    self._sealer.seal(str(refusal.address).encode(), b"refusal"),
                    refusal.proof,
                )
                for refusal in refusals
            ],
        )

    async def resume(self, addresses: Sequence[Address], proof: str, now: Instant) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "UPDATE refusal SET ended_at = ?, ended_by = ? "
            "WHERE address_hash = ? AND ended_at IS NULL",
            [(now, proof, self._hash(address)) for address in addresses],
        )

    async def add_inbound(self, heard: Sequence[Heard], now: Instant) -> list[bool]:
        """See ``ports.Session``."""
        first: dict[tuple[str, str], int] = {}
        for place, one in enumerate(heard):
            first.setdefault((one.gateway, one.inbound.key), place)
        added = await self.insert(
            "INSERT OR IGNORE INTO inbound (gateway, key, sender_hash, body_sealed, intent, "
            "codes, offered, guesses, received_at)",
            [
                (
                    h.gateway,
                    h.inbound.key,
                    self._hash(h.inbound.sender),
                    self._sealer.seal(
                        pack([str(h.inbound.sender), h.inbound.to, h.inbound.text]), b"inbound"
                    ),
                    h.intent,
                    " ".join(h.codes),
                    " ".join(h.offered),
                    h.guesses,
                    now,
                )
                for h in (heard[place] for place in first.values())
            ],
            "RETURNING gateway, key",
        )
        new = {(gateway, key) for gateway, key in added}
        return [
            (h.gateway, h.inbound.key) in new and first[h.gateway, h.inbound.key] == place
            for place, h in enumerate(heard)
        ]

    async def guesses(
        self, addresses: Sequence[Address], lately: Instant, today: Instant
    ) -> dict[Address, tuple[int, int]]:
        """See ``ports.Session``."""
        by_hash = {self._hash(address): address for address in addresses}
        if not by_hash:
            return {}
        rows = await self.run(
            "SELECT sender_hash, sum(CASE WHEN received_at > ? THEN guesses ELSE 0 END), "
            "sum(guesses) FROM inbound WHERE guesses > 0 AND received_at > ? "
            f"AND sender_hash IN ({','.join('?' * len(by_hash))}) GROUP BY sender_hash",
            [lately, today, *by_hash],
        )
        return {by_hash[key]: (lately_, today_) for key, lately_, today_ in rows}

    async def reread(self, heard: Sequence[Heard]) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "UPDATE inbound SET intent = ?, codes = ?, offered = ?, guesses = ? "
            "WHERE gateway = ? AND key = ?",
            [
                (h.intent, " ".join(h.codes), " ".join(h.offered), h.guesses, h.gateway,
                 h.inbound.key)
                for h in heard
            ],
        )  # fmt: skip

    async def said(
        self, addresses: Sequence[Address], lately: Instant, followed: Instant
    ) -> dict[Address, Said]:
        """See ``ports.Session``."""
        by_hash = {self._hash(address): address for address in addresses}
        if not by_hash:
            return {}
        marks = ",".join("?" * len(by_hash))
        # SQLite takes the bare columns from the row of the maximum.
        texts = await self.run(
            "SELECT sender_hash, count(*), sum(intent = 'UNKNOWN'), offered, intent, "
            f"max(received_at) FROM inbound WHERE received_at > ? AND sender_hash IN ({marks}) "
            "GROUP BY sender_hash",
            [lately, *by_hash],
        )
        asked = await self.run(
            "SELECT sender_hash, codes, max(received_at) FROM inbound WHERE received_at > ? "
            f"AND codes <> '' AND sender_hash IN ({marks}) GROUP BY sender_hash",
            [followed, *by_hash],
        )
        codes = {key: tuple(found.split()) for key, found, _ in asked}
        said = {by_hash[key]: Said(codes=found) for key, found in codes.items()}
        for key, count, not_understood, offered, intent, _ in texts:
            said[by_hash[key]] = Said(
                texts=count,
                not_understood=not_understood,
                codes=codes.get(key, ()),
                offered=tuple(offered.split()),
                intent=intent,
            )
        return said

    async def add_guesses(self, codes: Sequence[tuple[str, str]], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "INSERT INTO guess (run, code, at)",
            [(run, code, now) for run, code in dict.fromkeys(codes)],
            "ON CONFLICT (run, code) DO UPDATE SET at = excluded.at",
        )

    async def tried(self, runs: Sequence[str], since: Instant) -> dict[str, int]:
        """See ``ports.Session``."""
        if not runs:
            return {}
        rows = await self.run(
            "SELECT run, count(*) FROM guess WHERE at > ? "
            "AND run IN (SELECT value FROM json_each(?)) GROUP BY run",
            (since, self.listed(runs)),
        )
        return {row[0]: row[1] for row in rows}

    async def drop_guesses(self, before: Instant) -> None:
        """See ``ports.Session``."""
        await self.run("DELETE FROM guess WHERE at <= ?", (before,))

    async def put_fragments(self, fragments: Sequence[Fragment]) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "INSERT OR REPLACE INTO fragment (gateway, sender_hash, body_sealed, first_at, until)",
            [
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
                for one in fragments
            ],
        )

    async def fragments_of(
        self, gateway: str, addresses: Sequence[Address]
    ) -> dict[Address, Fragment]:
        """See ``ports.Session``."""
        hashes = [self._hash(address) for address in addresses]
        if not hashes:
            return {}
        rows = await self.run(
            "SELECT gateway, body_sealed, first_at, until FROM fragment "
            f"WHERE gateway = ? AND sender_hash IN ({','.join('?' * len(hashes))})",
            [gateway, *hashes],
        )
        return {fragment.inbound.sender: fragment for fragment in map(self._fragment, rows)}

    async def fragments_over(self, now: Instant, limit: int) -> list[Fragment]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT gateway, body_sealed, first_at, until FROM fragment WHERE until <= ? "
            "ORDER BY until LIMIT ?",
            (now, limit),
        )
        return [self._fragment(row) for row in rows]

    async def drop_fragments(self, fragments: Sequence[Fragment]) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "DELETE FROM fragment WHERE gateway = ? AND sender_hash = ?",
            [(one.gateway, self._hash(one.inbound.sender)) for one in fragments],
        )

    def _fragment(self, row: sqlite3.Row) -> Fragment:
        gateway, body, first_at, until = row
        sender, key, text, to, profile = unpack(self._sealer.open(body, b"fragment"))
        inbound = Inbound(key=key, sender=Address.parse(sender), text=text, to=to, profile=profile)
        return Fragment(gateway=gateway, inbound=inbound, first_at=first_at, until=until)

    async def add_ratings(self, ratings: Sequence[tuple[str, int]], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "INSERT OR IGNORE INTO rating (dossier, score, at)",
            [(dossier, score, now) for dossier, score in ratings],
        )

    async def keep_codes(self, kept: Sequence[Kept], most: int) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "INSERT OR IGNORE INTO kept (code, account_hash, account_sealed, language, until) "
            "SELECT ?1, ?2, ?3, ?4, ?5 "
            "WHERE (SELECT count(*) FROM kept WHERE account_hash = ?2) < ?6",
            [
                (
                    one.code,
                    self._hash(one.account),
                    self._sealer.seal(str(one.account).encode(), b"kept"),
                    one.language,
                    one.until,
                    most,
                )
                for one in kept
            ],
        )

    async def kept_for(self, codes: Sequence[str]) -> list[Kept]:
        """See ``ports.Session``."""
        if not codes:
            return []
        return self._kept(
            await self.run(
                f"SELECT {KEPT} FROM kept WHERE code IN (SELECT value FROM json_each(?))",
                (self.listed(codes),),
            )
        )

    async def kept_over(self, now: Instant, limit: int) -> list[Kept]:
        """See ``ports.Session``."""
        return self._kept(
            await self.run(
                f"SELECT {KEPT} FROM kept WHERE until <= ? ORDER BY until LIMIT ?", (now, limit)
            )
        )

    async def drop_kept(self, kept: Sequence[Kept]) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "DELETE FROM kept WHERE code = ? AND account_hash = ?",
            [(one.code, self._hash(one.account)) for one in kept],
        )

    def _kept(self, rows: Sequence[sqlite3.Row]) -> list[Kept]:
        return [
            Kept(
                code=code,
                account=Address.parse(self._sealer.open(account, b"kept").decode()),
                language=language,
                until=until,
                key=account_hash.hex(),
            )
            for code, account_hash, account, language, until in rows
        ]

    async def add_work(self, items: Sequence[WorkItem]) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "INSERT OR IGNORE INTO work (key, kind, dossier, detail, opened_at)",
            [(i.key, i.kind, i.dossier, i.detail, i.opened_at) for i in items],
        )

    async def work(self, *, kind: str | None = None, limit: int = 100) -> list[WorkItem]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT key, kind, dossier, detail, opened_at FROM work WHERE settled_at IS NULL "
            "AND (?1 IS NULL OR kind = ?1) ORDER BY opened_at, key LIMIT ?2",
            (kind, limit),
        )
        return [
            WorkItem(key=key, kind=kind_, dossier=dossier, detail=detail, opened_at=opened_at)
            for key, kind_, dossier, detail, opened_at in rows
        ]

    async def settle_work(self, keys: Sequence[str], by: str, now: Instant) -> int:
        """See ``ports.Session``."""
        rows = await self.run(
            "UPDATE work SET settled_at = ?, settled_by = ? WHERE settled_at IS NULL "
            "AND key IN (SELECT value FROM json_each(?)) RETURNING key",
            (now, by, self.listed(keys)),
        )
        return len(rows)

    async def quarantine(self, items: Sequence[Quarantined]) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "INSERT OR IGNORE INTO quarantine (door, key, reason, at, raw_sealed)",
            [
                (item.door, item.key, item.reason, item.at,
                 self._sealer.seal(item.raw, b"quarantine"))
                for item in items
            ],
        )  # fmt: skip

    async def take_lease(self, name: str, owner: str, now: Instant, until: Instant) -> bool:
        """See ``ports.Session``."""
        rows = await self.run(
            "INSERT INTO lease (name, owner, until) VALUES (?1, ?2, ?4) "
            "ON CONFLICT (name) DO UPDATE SET owner = ?2, until = ?4 "
            "WHERE lease.owner = ?2 OR lease.until <= ?3 RETURNING name",
            (name, owner, now, until),
        )
        return bool(rows)

    def _hash(self, address: Address) -> bytes:
        return self._sealer.digest(str(address))
