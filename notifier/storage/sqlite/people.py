"""What people said, what they refuse, what waits for staff, and what could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.records import are_new
from notifier.storage.records.people import (
    FRAGMENT,
    GUESS,
    INBOUND,
    KEPT,
    QUARANTINE,
    QUARANTINED,
    RATING,
    REFUSAL,
    WORK,
    PeopleRecords,
    guess_rows,
    read_quarantined,
    read_refusals,
    read_said,
    read_work,
    reread_rows,
    work_rows,
)
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.consent import Refusal
    from notifier.domain.conversation import Said
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address
    from notifier.ports import Fragment, Heard, Kept, Quarantined, QuarantineRow, WorkItem


class PeopleRows(PeopleRecords, Rows):
    """What people said: ``inbound``, ``kept``, ``rating``, ``refusal``; ``work``, ``lease``, ..."""

    async def refusals(self, addresses: Sequence[Address]) -> dict[Address, frozenset[str]]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(addresses)
        if not by_hash:
            return {}
        rows = await self.run(
            "SELECT address_hash, scope FROM refusal WHERE ended_at IS NULL "
            f"AND address_hash IN ({','.join('?' * len(by_hash))})",
            list(by_hash),
        )
        return read_refusals(rows, by_hash)

    async def refuse(self, refusals: Sequence[Refusal]) -> None:
        """See ``ports.Session``."""
        await self.insert(
            f"INSERT OR IGNORE INTO refusal ({REFUSAL})", self._refusal_rows(refusals)
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
        added = await self.insert(
            f"INSERT OR IGNORE INTO inbound ({INBOUND})",
            self._inbound_rows(heard, now),
            "RETURNING gateway, key",
        )
        return are_new([(one.gateway, one.inbound.key) for one in heard], added)

    async def guesses(
        self, addresses: Sequence[Address], lately: Instant, today: Instant
    ) -> dict[Address, tuple[int, int]]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(addresses)
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
            "UPDATE inbound SET intent = ?3, codes = ?4, offered = ?5, guesses = ?6 "
            "WHERE gateway = ?1 AND key = ?2",
            reread_rows(heard),
        )

    async def said(
        self, addresses: Sequence[Address], lately: Instant, followed: Instant
    ) -> dict[Address, Said]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(addresses)
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
        return read_said([row[:5] for row in texts], [row[:2] for row in asked], by_hash)

    async def add_guesses(self, codes: Sequence[tuple[str, str]], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            f"INSERT INTO guess ({GUESS})",
            guess_rows(codes, now),
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
            f"INSERT OR REPLACE INTO fragment ({FRAGMENT})", self._fragment_rows(fragments)
        )

    async def fragments_of(
        self, gateway: str, addresses: Sequence[Address]
    ) -> dict[Address, Fragment]:
        """See ``ports.Session``."""
        hashes = list(self._by_hash(addresses))
        if not hashes:
            return {}
        rows = await self.run(
            f"SELECT {FRAGMENT} FROM fragment "
            f"WHERE gateway = ? AND sender_hash IN ({','.join('?' * len(hashes))})",
            [gateway, *hashes],
        )
        return {fragment.inbound.sender: fragment for fragment in self._fragments(rows)}

    async def fragments_over(self, now: Instant, limit: int) -> list[Fragment]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {FRAGMENT} FROM fragment WHERE until <= ? ORDER BY until LIMIT ?", (now, limit)
        )
        return self._fragments(rows)

    async def drop_fragments(self, fragments: Sequence[Fragment]) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "DELETE FROM fragment WHERE gateway = ? AND sender_hash = ?",
            [(one.gateway, self._hash(one.inbound.sender)) for one in fragments],
        )

    async def add_ratings(self, ratings: Sequence[tuple[str, int]], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            f"INSERT OR IGNORE INTO rating ({RATING})",
            [(dossier, score, now) for dossier, score in ratings],
        )

    async def rated(self, codes: Sequence[str]) -> set[str]:
        """See ``ports.Session``."""
        if not codes:
            return set()
        rows = await self.run(
            "SELECT dossier FROM rating WHERE dossier IN (SELECT value FROM json_each(?))",
            (self.listed(codes),),
        )
        return {row[0] for row in rows}

    async def keep_codes(self, kept: Sequence[Kept], most: int) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            f"INSERT OR IGNORE INTO kept ({KEPT}) SELECT ?1, ?2, ?3, ?4, ?5 "
            "WHERE (SELECT count(*) FROM kept WHERE account_hash = ?2) < ?6",
            [(*row, most) for row in self._kept_rows(kept)],
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

    async def add_work(self, items: Sequence[WorkItem]) -> None:
        """See ``ports.Session``."""
        await self.insert(f"INSERT OR IGNORE INTO work ({WORK})", work_rows(items))

    async def work(self, *, kind: str | None = None, limit: int = 100) -> list[WorkItem]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {WORK} FROM work WHERE settled_at IS NULL "
            "AND (?1 IS NULL OR kind = ?1) ORDER BY opened_at, key LIMIT ?2",
            (kind, limit),
        )
        return read_work(rows)

    async def settle_work(self, keys: Sequence[str], by: str, now: Instant) -> int:
        """See ``ports.Session``."""
        rows = await self.run(
            "UPDATE work SET settled_at = ?, settled_by = ? WHERE settled_at IS NULL "
            "AND key IN (SELECT value FROM json_each(?)) RETURNING key",
            (now, by, self.listed(keys)),
        )
        return len(rows)

    async def acted_on(self, codes: Sequence[str]) -> dict[str, Instant]:
        """See ``ports.Session``."""
        if not codes:
            return {}
        rows = await self.run(
            "SELECT dossier, max(settled_at) FROM work WHERE settled_at IS NOT NULL "
            "AND dossier IN (SELECT value FROM json_each(?)) GROUP BY dossier",
            (self.listed(codes),),
        )
        return {row[0]: row[1] for row in rows}

    async def quarantine(self, items: Sequence[Quarantined]) -> None:
        """See ``ports.Session``."""
        await self.insert(
            f"INSERT OR IGNORE INTO quarantine ({QUARANTINE})", self._quarantine_rows(items)
        )

    async def quarantined(
        self, *, door: str | None = None, ids: Sequence[int] | None = None, limit: int = 100
    ) -> list[QuarantineRow]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {QUARANTINED} FROM quarantine WHERE settled_at IS NULL "
            "AND (?1 IS NULL OR door = ?1) "
            "AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2))) ORDER BY at, id LIMIT ?3",
            (door, self.listed(ids) if ids is not None else None, limit),
        )
        return read_quarantined(rows)

    async def quarantined_raw(self, item_id: int) -> bytes | None:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT raw_sealed FROM quarantine WHERE id = ? AND settled_at IS NULL", (item_id,)
        )
        return self._open_quarantined(rows)

    async def settle_quarantined(self, ids: Sequence[int], fate: str, by: str, now: Instant) -> int:
        """See ``ports.Session``."""
        rows = await self.run(
            "UPDATE quarantine SET settled_at = ?, settled_by = ?, fate = ?, raw_sealed = x'' "
            "WHERE settled_at IS NULL AND id IN (SELECT value FROM json_each(?)) RETURNING id",
            (now, by, fate, self.listed(ids)),
        )
        return len(rows)

    async def take_lease(self, name: str, owner: str, now: Instant, until: Instant) -> bool:
        """See ``ports.Session``."""
        rows = await self.run(
            "INSERT INTO lease (name, owner, until) VALUES (?1, ?2, ?4) "
            "ON CONFLICT (name) DO UPDATE SET owner = ?2, until = ?4 "
            "WHERE lease.owner = ?2 OR lease.until <= ?3 RETURNING name",
            (name, owner, now, until),
        )
        return bool(rows)
