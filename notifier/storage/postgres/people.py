"""What people said, what they refuse, what waits for staff, and what could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.storage.postgres.rows import CLOCK, ONCE, Rows, columns_of, plain
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
    REREAD,
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
            "AND address_hash = ANY($1::bytea[])",
            list(by_hash),
        )
        return read_refusals(rows, by_hash)

    async def refuse(self, refusals: Sequence[Refusal]) -> None:
        """See ``ports.Session``."""
        rows = sorted(self._refusal_rows(refusals), key=lambda row: row[:2])
        await self.insert("refusal", REFUSAL, rows, ONCE)

    async def resume(self, addresses: Sequence[Address], proof: str, now: Instant) -> None:
        """See ``ports.Session``."""
        await self.run(
            "UPDATE refusal SET ended_at = $1, ended_by = $2 "
            "WHERE address_hash = ANY($3::bytea[]) AND ended_at IS NULL",
            now,
            proof,
            list(self._by_hash(addresses)),
        )

    async def add_inbound(self, heard: Sequence[Heard], now: Instant) -> list[bool]:
        """See ``ports.Session``."""
        added = await self.insert(
            "inbound",
            INBOUND,
            sorted(self._inbound_rows(heard, now), key=lambda row: row[:2]),
            f"{ONCE} RETURNING gateway, key",
        )
        return are_new([(one.gateway, plain(one.inbound.key)) for one in heard], added)

    async def guesses(
        self, addresses: Sequence[Address], lately: Instant, today: Instant
    ) -> dict[Address, tuple[int, int]]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(addresses)
        if not by_hash:
            return {}
        rows = await self.run(
            "SELECT sender_hash, sum(CASE WHEN received_at > $1 THEN guesses ELSE 0 END)::bigint, "
            "sum(guesses)::bigint FROM inbound WHERE guesses > 0 AND received_at > $2 "
            "AND sender_hash = ANY($3::bytea[]) GROUP BY sender_hash",
            lately,
            today,
            list(by_hash),
        )
        return {by_hash[key]: (lately_, today_) for key, lately_, today_ in rows}

    async def reread(self, heard: Sequence[Heard]) -> None:
        """See ``ports.Session``."""
        if heard:
            await self.run(
                "UPDATE inbound SET intent = said.intent, codes = said.codes, "
                "offered = said.offered, guesses = said.guesses FROM unnest($1::text[], "
                "$2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) "
                f"AS said ({REREAD}) WHERE inbound.gateway = said.gateway "
                "AND inbound.key = said.key",
                *columns_of(reread_rows(heard)),
            )

    async def said(
        self, addresses: Sequence[Address], lately: Instant, followed: Instant
    ) -> dict[Address, Said]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(addresses)
        if not by_hash:
            return {}
        texts = await self.run(
            "SELECT sender_hash, count(*), count(*) FILTER (WHERE intent = 'UNKNOWN'), "
            "(array_agg(offered ORDER BY received_at DESC))[1], "
            "(array_agg(intent ORDER BY received_at DESC))[1] FROM inbound "
            "WHERE received_at > $1 AND sender_hash = ANY($2::bytea[]) GROUP BY sender_hash",
            lately,
            list(by_hash),
        )
        asked = await self.run(
            "SELECT DISTINCT ON (sender_hash) sender_hash, codes FROM inbound "
            "WHERE received_at > $1 AND codes <> '' AND sender_hash = ANY($2::bytea[]) "
            "ORDER BY sender_hash, received_at DESC",
            followed,
            list(by_hash),
        )
        return read_said(texts, asked, by_hash)

    async def add_guesses(self, codes: Sequence[tuple[str, str]], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "guess",
            GUESS,
            sorted(guess_rows(codes, now)),
            "ON CONFLICT (run, code) DO UPDATE SET at = excluded.at",
        )

    async def tried(self, runs: Sequence[str], since: Instant) -> dict[str, int]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT run, count(*) FROM guess WHERE at > $1 AND run = ANY($2::text[]) GROUP BY run",
            since,
            list(runs),
        )
        return dict(map(tuple, rows))

    async def drop_guesses(self, before: Instant) -> None:
        """See ``ports.Session``."""
        await self.run("DELETE FROM guess WHERE at <= $1", before)

    async def put_fragments(self, fragments: Sequence[Fragment]) -> None:
        """See ``ports.Session``."""
        await self.insert(
            "fragment",
            FRAGMENT,
            sorted(self._fragment_rows(fragments), key=lambda row: row[:2]),
            "ON CONFLICT (gateway, sender_hash) DO UPDATE SET body_sealed = excluded.body_sealed, "
            "first_at = excluded.first_at, until = excluded.until",
        )

    async def fragments_of(
        self, gateway: str, addresses: Sequence[Address]
    ) -> dict[Address, Fragment]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {FRAGMENT} FROM fragment WHERE gateway = $1 "
            "AND sender_hash = ANY($2::bytea[])",
            gateway,
            list(self._by_hash(addresses)),
        )
        return {fragment.inbound.sender: fragment for fragment in self._fragments(rows)}

    async def fragments_over(self, now: Instant, limit: int) -> list[Fragment]:
        """See ``ports.Session``."""
        return self._fragments(
            await self.run(
                f"SELECT {FRAGMENT} FROM fragment WHERE until <= $1 ORDER BY until LIMIT $2",
                now,
                limit,
            )
        )

    async def drop_fragments(self, fragments: Sequence[Fragment]) -> None:
        """See ``ports.Session``."""
        await self.run(
            "DELETE FROM fragment USING unnest($1::text[], $2::bytea[]) AS over (gateway, sender) "
            "WHERE fragment.gateway = over.gateway AND fragment.sender_hash = over.sender",
            [one.gateway for one in fragments],
            [self._hash(one.inbound.sender) for one in fragments],
        )

    async def add_ratings(self, ratings: Sequence[tuple[str, int]], now: Instant) -> None:
        """See ``ports.Session``."""
        rows = [(dossier, score, now) for dossier, score in ratings]
        await self.insert("rating", RATING, rows, ONCE)

    async def rated(self, codes: Sequence[str]) -> set[str]:
        """See ``ports.Session``."""
        if not codes:
            return set()
        rows = await self.run(
            "SELECT dossier FROM rating WHERE dossier = ANY($1::text[])", list(codes)
        )
        return {row[0] for row in rows}

    async def keep_codes(self, kept: Sequence[Kept], most: int) -> None:
        """See ``ports.Session``."""
        first = {row[:2]: row for row in reversed(self._kept_rows(kept))}
        if not first:
            return
        await self.run(
            f"INSERT INTO kept ({KEPT}) SELECT {KEPT} FROM (SELECT *, row_number() OVER "
            "(PARTITION BY account_hash ORDER BY place) AS more FROM unnest("
            "$1::text[], $2::bytea[], $3::bytea[], $4::text[], $5::bigint[]) WITH ORDINALITY "
            f"AS asked ({KEPT}, place) WHERE NOT EXISTS (SELECT 1 FROM kept "
            "WHERE kept.code = asked.code AND kept.account_hash = asked.account_hash)) AS new "
            "WHERE more + (SELECT count(*) FROM kept WHERE kept.account_hash = new.account_hash) "
            f"<= $6 {ONCE}",
            *columns_of(list(reversed(first.values()))),
            most,
        )

    async def kept_for(self, codes: Sequence[str]) -> list[Kept]:
        """See ``ports.Session``."""
        if not codes:
            return []
        return self._kept(
            await self.run(f"SELECT {KEPT} FROM kept WHERE code = ANY($1::text[])", list(codes))
        )

    async def kept_over(self, now: Instant, limit: int) -> list[Kept]:
        """See ``ports.Session``."""
        return self._kept(
            await self.run(
                f"SELECT {KEPT} FROM kept WHERE until <= $1 ORDER BY until LIMIT $2 "
                f"{self.locked('FOR UPDATE SKIP LOCKED')}",
                now,
                limit,
            )
        )

    async def drop_kept(self, kept: Sequence[Kept]) -> None:
        """See ``ports.Session``."""
        await self.run(
            "DELETE FROM kept USING unnest($1::text[], $2::bytea[]) AS told (code, account_hash) "
            "WHERE kept.code = told.code AND kept.account_hash = told.account_hash",
            [one.code for one in kept],
            [self._hash(one.account) for one in kept],
        )

    async def add_work(self, items: Sequence[WorkItem]) -> None:
        """See ``ports.Session``."""
        rows = sorted(work_rows(items), key=lambda row: row[0])
        await self.insert("work", WORK, rows, ONCE)

    async def work(self, *, kind: str | None = None, limit: int = 100) -> list[WorkItem]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {WORK} FROM work WHERE settled_at IS NULL "
            "AND ($1::text IS NULL OR kind = $1) ORDER BY opened_at, key LIMIT $2",
            kind,
            limit,
        )
        return read_work(rows)

    async def settle_work(self, keys: Sequence[str], by: str, now: Instant) -> int:
        """See ``ports.Session``."""
        rows = await self.run(
            "UPDATE work SET settled_at = $1, settled_by = $2 WHERE settled_at IS NULL "
            "AND key = ANY($3::text[]) RETURNING key",
            now,
            by,
            list(keys),
        )
        return len(rows)

    async def acted_on(self, codes: Sequence[str]) -> dict[str, Instant]:
        """See ``ports.Session``."""
        if not codes:
            return {}
        rows = await self.run(
            "SELECT dossier, max(settled_at) FROM work WHERE settled_at IS NOT NULL "
            "AND dossier = ANY($1::text[]) GROUP BY dossier",
            list(codes),
        )
        return {row[0]: row[1] for row in rows}

    async def quarantine(self, items: Sequence[Quarantined]) -> None:
        """See ``ports.Session``."""
        rows = sorted(self._quarantine_rows(items), key=lambda row: row[:2])
        await self.insert("quarantine", QUARANTINE, rows, ONCE)

    async def quarantined(
        self, *, door: str | None = None, ids: Sequence[int] | None = None, limit: int = 100
    ) -> list[QuarantineRow]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {QUARANTINED} FROM quarantine WHERE settled_at IS NULL "
            "AND ($1::text IS NULL OR door = $1) "
            "AND ($2::bigint[] IS NULL OR id = ANY($2)) ORDER BY at, id LIMIT $3",
            door,
            list(ids) if ids is not None else None,
            limit,
        )
        return read_quarantined(rows)

    async def quarantined_raw(self, item_id: int) -> bytes | None:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT raw_sealed FROM quarantine WHERE id = $1 AND settled_at IS NULL", item_id
        )
        return self._open_quarantined(rows)

    async def settle_quarantined(self, ids: Sequence[int], fate: str, by: str, now: Instant) -> int:
        """See ``ports.Session``."""
        rows = await self.run(
            "UPDATE quarantine SET settled_at = $1, settled_by = $2, fate = $3, raw_sealed = '' "
            "WHERE settled_at IS NULL AND id = ANY($4::bigint[]) RETURNING id",
            now,
            by,
            fate,
            list(ids),
        )
        return len(rows)

    async def take_lease(self, name: str, owner: str, now: Instant, until: Instant) -> bool:
        """See ``ports.Session``; by the server's clock."""
        rows = await self.run(
            f"INSERT INTO lease (name, owner, until) VALUES ($1, $2, {CLOCK} + $3) "
            "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until "
            f"WHERE lease.owner = excluded.owner OR lease.until <= {CLOCK} RETURNING name",
            name,
            owner,
            until - now,
        )
        return bool(rows)
