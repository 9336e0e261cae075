"""The outbox: messages, their attempts, what providers call them, and delivery reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.domain.admission import Candidate
from notifier.domain.message import Lane, ReceiptStatus, State
from notifier.storage.records.outbox import (
    AFTER_ALL,
    ATTEMPT,
    DIED,
    FALLEN,
    LATE,
    LEFT,
    MESSAGE,
    MORE_RUNGS,
    NEW_ATTEMPT,
    NEW_MESSAGE,
    QUEUED_NOTICE,
    RECEIPT,
    REFERENCE,
    SHOWN,
    UNDELIVERED,
    UNSETTLED,
    OutboxRecords,
    attempt_rows,
    begun_of,
    ended_attempts,
    judged_messages,
    read_attempts,
    read_left,
    read_queued,
    reference_rows,
    with_parts,
)
from notifier.storage.records.rates import MILLIONTHS
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Address, Message, Receipt
    from notifier.ports import (
        Attempted,
        AttemptRow,
        Fallen,
        Moved,
        OutboxRow,
        QueuedNotice,
        Unsettled,
    )


FREE = "pinned IN ('', ?4)"
PINNED = "pinned = ?4 AND pinned <> ''"
"""In the words of the index ``message_pinned``, so that it is used."""

TOO_SOON = (
    "AND address_hash NOT IN (SELECT address_hash FROM spoken "
    "WHERE gateway = ?4 AND at > ?5 AND at <= ?6)"
)


class OutboxRows(OutboxRecords, Rows):
    """The tables ``message``, ``attempt``, ``reference`` and ``receipt``."""

    async def add_messages(self, messages: Sequence[Message]) -> set[str]:
        """See ``ports.Session``."""
        added = await self.insert(
            f"INSERT OR IGNORE INTO message ({NEW_MESSAGE})",
            self._message_rows(messages),
            "RETURNING key",
        )
        return {key for (key,) in added}

    async def waiting(
        self,
        channel: str,
        gateway: str,
        now: Instant,
        limit: int,
        *,
        pinned: bool = False,
        gap: int = 0,
        elapsed: Instant = 0,
    ) -> list[Candidate]:
        """See ``ports.Session``."""
        one_lane = (
            "SELECT * FROM (SELECT id, lane, segments FROM message WHERE state = 'queued' "
            "AND channel = ?1 AND lane = {} AND not_before <= ?2 "
            f"AND {PINNED if pinned else FREE} "
            f"{TOO_SOON if gap else ''} ORDER BY not_before, id LIMIT ?3)"
        )
        rows = await self.run(
            " UNION ALL ".join(one_lane.format(int(lane)) for lane in Lane),
            (channel, now, limit, gateway, *((elapsed - gap, elapsed) if gap else ())),
        )
        return [Candidate(id_, Lane(lane), segments) for id_, lane, segments in rows]

    async def states_of(self, keys: Sequence[str]) -> dict[str, State]:
        """See ``ports.Session``."""
        if not keys:
            return {}
        rows = await self.run(
            "SELECT key, state FROM message WHERE key IN (SELECT value FROM json_each(?))",
            (self.listed(keys),),
        )
        return {key: State(state) for key, state in rows}

    async def queued_notices(self, codes: Sequence[str]) -> list[QueuedNotice]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {QUEUED_NOTICE} FROM message WHERE state = 'queued' AND notice <> 'answer' "
            "AND also = '[]' AND dossier IN (SELECT value FROM json_each(?)) ORDER BY id",
            (self.listed(codes),),
        )
        return read_queued(rows)

    async def left_since(
        self, addresses: Sequence[Address], since: Instant
    ) -> dict[Address, list[tuple[Lane, Instant]]]:
        """See ``ports.Session``."""
        by_hash = self._by_hash(addresses)
        if not by_hash:
            return {}
        rows = await self.run(
            f"SELECT address_hash, lane, updated_at FROM message WHERE {LEFT} "
            f"AND updated_at > ? AND address_hash IN ({','.join('?' * len(by_hash))})",
            [since, *by_hash],
        )
        return read_left(by_hash, rows)

    async def messages(self, ids: Sequence[str]) -> list[Message]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {MESSAGE} FROM message WHERE id IN (SELECT value FROM json_each(?))",
            (self.listed(ids),),
        )
        by_id = {row[0]: self._message(row) for row in rows}
        taken = await self._accepted_parts([m.id for m in by_id.values() if m.attempts])
        by_id = with_parts(by_id, taken)
        return [by_id[id_] for id_ in ids if id_ in by_id]

    async def reword(self, messages: Sequence[Message], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "UPDATE message SET body_sealed = ?2, encoding = ?3, units = ?4, segments = ?5, "
            "also = ?6, rungs = ?7, updated_at = ?8 WHERE id = ?1 AND state = 'queued'",
            [(*row, now) for row in self._reworded_rows(messages)],
        )

    async def begin_attempts(
        self, messages: Sequence[Message], gateway: str, owner: str, now: Instant
    ) -> list[Message]:
        """See ``ports.Session``."""
        if not messages:
            return []
        rows = await self.run(
            "UPDATE message SET state = 'sending', attempts = attempts + 1, gateway = ?, "
            "updated_at = ? WHERE state = 'queued' AND id IN (SELECT value FROM json_each(?)) "
            "RETURNING id, attempts",
            (gateway, now, self.listed(message.id for message in messages)),
        )
        begun = begun_of(messages, rows)
        await self.insert(
            f"INSERT INTO attempt ({NEW_ATTEMPT})", attempt_rows(begun, gateway, owner, now)
        )
        await self.run(
            "UPDATE rate SET level = level - ? WHERE name = ?",
            (sum(message.plan.segments for message in begun) * MILLIONTHS, gateway),
        )
        return begun

    async def end_attempts(self, attempted: Sequence[Attempted], now: Instant) -> bool:
        """See ``ports.Session``."""
        await self.run_many(
            "UPDATE attempt SET ended_at = ?6, outcome = ?3, code = ?4, detail = ?5 "
            "WHERE message = ?1 AND number = ?2 AND ended_at IS NULL",
            [(*row, now) for row in ended_attempts(attempted)],
        )
        await self.run_many(
            "UPDATE message SET state = ?3, reason = ?4, not_before = coalesce(?5, not_before), "
            "attempts = attempts - ?6, unknowns = unknowns + ?7, fallen = ?8, updated_at = ?9 "
            "WHERE id = ?1 AND state = 'sending' AND attempts = ?2",
            [(*row, now) for row in judged_messages(attempted)],
        )
        # A throttled attempt never reached the provider, so its number is used again; but not that
        # of one that was given up before it said so.
        await self.run_many(
            "DELETE FROM attempt WHERE message = ? AND number = ? AND outcome <> 'unknown'",
            [(a.message.id, a.message.attempts) for a in attempted if not a.verdict.counts],
        )
        references = reference_rows(attempted)
        fell = False
        if references:
            await self.insert(f"INSERT OR IGNORE INTO reference ({REFERENCE})", references)
            fell = await self._apply_early_receipts([row[:2] for row in references], now)
        # What was reported of an earlier try while this one was under way.
        tried = [a.message.id for a in attempted if a.message.attempts > 1]
        fell |= await self._conclude(tried, now)
        return fell or any(a.falls for a in attempted)

    async def move(self, moved: Sequence[Moved], now: Instant) -> int:
        """See ``ports.Session``."""
        before = self._connection.total_changes
        await self.run_many(
            "UPDATE message SET state = ?, reason = ?, not_before = coalesce(?, not_before), "
            "best_before = coalesce(?, best_before), pinned = coalesce(?, pinned), fallen = '', "
            "updated_at = ? WHERE id = ? AND (state IN ('queued', 'unknown') OR fallen <> '')",
            [(m.state, m.reason, m.not_before, m.best_before, m.pinned, now, m.id) for m in moved],
        )
        return self._connection.total_changes - before

    async def add_receipts(self, gateway: str, receipts: Sequence[Receipt], now: Instant) -> bool:
        """See ``ports.Session``."""
        named = [(f"key:{r.ref}" if r.by_key else r.ref, r) for r in dict.fromkeys(receipts)]
        kept = await self.insert(
            f"INSERT OR IGNORE INTO receipt ({RECEIPT})",
            [(gateway, ref, receipt.status, receipt.code, now) for ref, receipt in named],
            "RETURNING ref, status, code",
        )
        # A report that comes again says nothing new, of no other try either.
        new = {tuple(row) for row in kept}
        final = [
            (ref, r)
            for ref, r in named
            if r.status is not ReceiptStatus.PENDING and (ref, r.status, r.code) in new
        ]
        # By our key, "delivered" speaks of the message; "failed" only of the try that has no
        # other name, where there is one: a later try may have been accepted.
        # The rows are chosen before the first is changed: each speaks of the others.
        await self.run_many(
            "UPDATE reference SET status = ?1 WHERE gateway = ?2 AND ref IN "
            "(SELECT ref FROM reference WHERE gateway = ?2 AND ref = ?3 AND status = '' "
            "UNION ALL SELECT ref FROM reference WHERE gateway = ?2 AND status = '' AND message = "
            "(SELECT id FROM message WHERE substr(?3, 1, 4) = 'key:' AND key = substr(?3, 5)) "
            "AND (?1 = 'delivered' OR NOT EXISTS (SELECT 1 FROM reference "
            "WHERE gateway = ?2 AND ref = ?3 AND status = '')))",
            [(receipt.status, gateway, ref) for ref, receipt in final],
        )
        # Over a channel that its message has left, "delivered" has the last word.
        await self.run_many(
            "UPDATE reference SET status = 'delivered' WHERE gateway = ?1 "
            "AND (ref = ?2 OR message = (SELECT id FROM message "
            "WHERE substr(?2, 1, 4) = 'key:' AND key = substr(?2, 5))) "
            "AND status = 'failed' AND rung < "
            "(SELECT rung FROM message WHERE id = reference.message)",
            [(gateway, ref) for ref, receipt in final if receipt.status is ReceiptStatus.DELIVERED],
        )
        rows = await self.run(
            "SELECT message FROM reference WHERE gateway = ?1 AND ref IN "
            "(SELECT value FROM json_each(?2)) UNION SELECT message.id FROM message "
            "WHERE key IN (SELECT substr(value, 5) FROM json_each(?2) WHERE value LIKE 'key:%')",
            (gateway, self.listed(ref for ref, _ in final)),
        )
        return await self._conclude([id_ for (id_,) in rows], now)

    async def fall(self, reasons: Mapping[str, str], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "UPDATE message SET fallen = ?, updated_at = ? WHERE id = ? AND state = 'unknown'",
            [(reason, now, id_) for id_, reason in reasons.items()],
        )

    async def fallen(self, limit: int) -> list[Fallen]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {FALLEN} FROM message WHERE fallen <> '' ORDER BY id LIMIT ?", (limit,)
        )
        return [self._fell(row) for row in rows]

    async def step(self, messages: Sequence[Message], now: Instant, reason: str = "") -> set[str]:
        """See ``ports.Session``."""
        rows = [(*row, now, reason) for row in self._stepped_rows(messages)]
        await self.run_many(
            "UPDATE message SET state = 'queued', rung = ?2, spent = attempts, unknowns = 0, "
            "channel = ?3, address_hash = ?4, address_sealed = ?5, not_before = ?6, "
            "body_sealed = ?7, encoding = ?8, units = ?9, segments = ?10, also = ?11, rungs = ?12, "
            "updated_at = ?13, reason = CASE WHEN fallen = '' THEN ?14 ELSE fallen END, "
            "fallen = '', pinned = '' "
            "WHERE id = ?1 AND rung = ?2 - 1 AND (state = 'queued' OR fallen <> '')",
            rows,
        )
        stepped = await self.run(
            "SELECT id FROM message WHERE state = 'queued' AND fallen = '' AND (id, rung) IN "
            "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))",
            (self.listed((message.id, message.rung) for message in messages),),
        )
        ids = {id_ for (id_,) in stepped}
        await self.run_many("DELETE FROM work WHERE key = ?", [(f"unknown|{id_}",) for id_ in ids])
        await self._conclude(sorted(ids), now)
        return ids

    async def stranded(self, channels: Sequence[str], due: Instant, limit: int) -> list[Message]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {FALLEN} FROM message WHERE state = 'queued' AND not_before <= ? "
            f"AND {MORE_RUNGS} AND pinned = '' "
            "AND channel IN (SELECT value FROM json_each(?)) ORDER BY not_before, id LIMIT ?",
            (due, self.listed(channels), limit),
        )
        return [self._fell(row).message for row in rows]

    async def unknown(self, before: Instant, limit: int) -> list[Unsettled]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {UNSETTLED} FROM message WHERE state = 'unknown' AND fallen = '' "
            "AND updated_at <= ? AND NOT EXISTS "
            "(SELECT 1 FROM work WHERE work.key = 'unknown|' || message.id) "
            "ORDER BY updated_at LIMIT ?",
            (before, limit),
        )
        return [self._unsettled(row) for row in rows]

    async def abandon_sending(self, now: Instant) -> int:
        """See ``ports.Session``."""
        await self.run(
            "UPDATE attempt SET ended_at = ?, outcome = 'unknown', code = 'died', detail = ? "
            "WHERE ended_at IS NULL AND owner IS NOT ? AND message IN "
            "(SELECT id FROM message WHERE state = 'sending')",
            (now, DIED, self._owner),
        )
        rows = await self.run(
            "UPDATE message SET state = 'unknown', unknowns = unknowns + 1, reason = ?, "
            "updated_at = ? WHERE state = 'sending' AND fallen = '' "
            "AND NOT EXISTS (SELECT 1 FROM attempt "
            "WHERE attempt.message = message.id AND ended_at IS NULL) "
            "RETURNING id, gateway, 'key:' || key",
            (DIED, now),
        )
        await self.run(
            f"INSERT OR IGNORE INTO reference ({REFERENCE}) SELECT gateway, "
            "'key:' || key, id, (SELECT coalesce(max(part) + 1, 0) FROM reference "
            "WHERE message = message.id), rung FROM message "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (self.listed(id_ for id_, _, _ in rows),),
        )
        await self._apply_early_receipts([(gateway, ref) for _, gateway, ref in rows], now)
        return len(rows)

    async def outbox(
        self, *, state: State | None = None, dossier: str | None = None, limit: int = 50
    ) -> list[OutboxRow]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {SHOWN} FROM message WHERE (?1 IS NULL OR state = ?1) "
            "AND (?2 IS NULL OR dossier = ?2) ORDER BY id DESC LIMIT ?3",
            (state, dossier, limit),
        )
        return [self._shown(row) for row in rows]

    async def outbox_row(self, message_id: str) -> OutboxRow | None:
        """See ``ports.Session``."""
        rows = await self.run(f"SELECT {SHOWN} FROM message WHERE id = ?", (message_id,))
        return self._shown(rows[0]) if rows else None

    async def notices_of(self, codes: Sequence[str]) -> dict[str, list[OutboxRow]]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {SHOWN} FROM message WHERE dossier IN (SELECT value FROM json_each(?)) "
            "AND notice <> 'answer' ORDER BY id",
            (self.listed(codes),),
        )
        return self._notices(codes, rows)

    async def attempts(self, message_id: str) -> list[AttemptRow]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {ATTEMPT} FROM attempt WHERE message = ? ORDER BY number", (message_id,)
        )
        return read_attempts(rows)

    async def outbox_counts(self) -> dict[tuple[str, str], int]:
        """See ``ports.Session``; bounded, so that a backlog of millions does not slow a page."""
        rows = await self.run(
            "SELECT lane, state, count(*) FROM (SELECT lane, state FROM message "
            "WHERE state = 'queued' LIMIT 100000) GROUP BY lane, state UNION ALL "
            "SELECT lane, state, count(*) FROM (SELECT lane, state FROM message "
            "WHERE state IN ('sending', 'unknown') LIMIT 100000) GROUP BY lane, state"
        )
        return {(Lane(lane).name.lower(), state): count for lane, state, count in rows}

    async def _apply_early_receipts(
        self, references: Sequence[tuple[str, str]], now: Instant
    ) -> bool:
        """Apply what came before these names (a gateway, and what it calls a part).

        Of reports that contradict one another the first counts; of one moment, "delivered".
        Whether a message has fallen by that.
        """
        rows = await self.run(
            "WITH early AS (SELECT reference.gateway, reference.ref, receipt.status, row_number() "
            "OVER (PARTITION BY reference.gateway, reference.ref "
            "ORDER BY receipt.at, receipt.status) AS place "
            "FROM reference JOIN message ON message.id = reference.message "
            "JOIN receipt ON receipt.gateway = reference.gateway "
            "AND receipt.ref IN (reference.ref, 'key:' || message.key) "
            "WHERE (reference.gateway, reference.ref) IN "
            "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)) "
            "AND reference.status = '' AND receipt.status <> 'pending' "
            "AND (receipt.ref = reference.ref OR receipt.status = 'delivered' OR NOT EXISTS "
            "(SELECT 1 FROM reference AS own WHERE own.gateway = reference.gateway "
            "AND own.ref = 'key:' || message.key))) "
            "UPDATE reference SET status = early.status FROM early WHERE early.place = 1 "
            "AND reference.gateway = early.gateway AND reference.ref = early.ref "
            "RETURNING reference.message",
            (self.listed(references),),
        )
        return await self._conclude([id_ for (id_,) in rows], now)

    async def _accepted_parts(self, ids: Sequence[str]) -> list[sqlite3.Row]:
        """Rows of id and each part that a provider has named, of messages tried before."""
        if not ids:
            return []
        return await self.run(
            "SELECT DISTINCT message, part FROM reference WHERE substr(ref, 1, 4) <> 'key:' "
            "AND message IN (SELECT value FROM json_each(?)) AND rung = (SELECT rung FROM message "
            "WHERE message.id = reference.message) ORDER BY message, part",
            (self.listed(ids),),
        )

    async def _conclude(self, ids: Sequence[str], now: Instant) -> bool:
        """Delivered when every part is, failed when one is; from no state that is final.

        A part that was tried more than once is delivered when one of the tries was, and failed when
        the last was: the one that has a name, since nothing is tried again that was accepted. What
        waits to be tried again is delivered when the provider says so of our key. What was tried
        over a channel that the message has left counts only where it was delivered whole, and only
        while the message waits. One that has channels falls rather than fails; whether one did.
        """
        if not ids:
            return False
        rows = await self.run(
            "WITH part AS (SELECT reference.message, reference.rung, "
            "reference.rung = message.rung AS own, max(status = 'delivered') AS good, "
            "coalesce(max(CASE WHEN substr(ref, 1, 4) <> 'key:' THEN status = 'failed' END), "
            "max(status = 'failed')) AS bad, "
            "max(status = 'delivered' AND substr(ref, 1, 4) = 'key:') AS whole "
            "FROM reference JOIN message ON message.id = reference.message "
            "WHERE reference.message IN (SELECT value FROM json_each(?2)) "
            "GROUP BY reference.message, reference.rung, part), "
            "rung AS (SELECT message, own, max(bad AND NOT good) AS bad, "
            "min(good OR bad) AS closed, "
            "max(whole) AS whole, min(good) AS good FROM part GROUP BY message, rung), "
            "fate AS (SELECT message, coalesce(max(own AND bad), 0) AS bad, "
            "coalesce(max(own AND closed), 0) AS closed, coalesce(max(own AND whole), 0) AS whole, "
            "coalesce(max(good AND NOT own), 0) AS earlier FROM rung GROUP BY message) "
            f"UPDATE message SET state = CASE WHEN {LATE} THEN 'delivered' "
            "WHEN NOT fate.bad THEN 'delivered' WHEN rungs = '[]' THEN 'failed' ELSE state END, "
            f"fallen = CASE WHEN {LATE} OR NOT fate.bad OR rungs = '[]' THEN '' ELSE ?3 END, "
            f"reason = CASE WHEN {LATE} THEN ?4 WHEN fate.bad THEN ?3 ELSE '' END, "
            "updated_at = ?1 FROM fate WHERE message.id = fate.message AND "
            "((message.state IN ('accepted', 'unknown') AND message.fallen = '' "
            "AND (fate.bad OR fate.closed)) "
            f"OR (message.state = 'queued' AND fate.whole AND NOT fate.bad) OR {LATE}) "
            "RETURNING fallen",
            (now, self.listed(set(ids)), UNDELIVERED, AFTER_ALL),
        )
        return any(fallen for (fallen,) in rows)
