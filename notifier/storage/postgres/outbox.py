"""The outbox: messages, their attempts, what providers call them, and delivery reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.admission import Candidate
from notifier.domain.message import Lane, ReceiptStatus, State
from notifier.storage.postgres.rows import CLOCK, ONCE, Rows, columns_of, plain
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import asyncpg

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

STUCK: Final = 10 * instant.MINUTE
"""No attempt lasts this long (ms): what its own process still calls *sending* was never begun,
since the answer to the commit was lost with the connection."""

RENEWED = f"UPDATE process SET until = {CLOCK} + $5 WHERE owner = $4 AND until < {CLOCK} + $5 / 2"

PAID = (
    f"UPDATE rate SET level = level - {MILLIONTHS} * "
    "(SELECT coalesce(sum(segments), 0) FROM picked) WHERE name = $1"
)

FREE = "pinned IN ('', $4)"
PINNED = "pinned = $4 AND pinned <> ''"
"""In the words of the index ``message_pinned``, so that it is used."""

TOO_SOON = (
    "AND address_hash NOT IN (SELECT address_hash FROM spoken "
    f"WHERE spoken.gateway = $4 AND at > {CLOCK} - $5 AND at <= {CLOCK})"
)


class OutboxRows(OutboxRecords, Rows):
    """The tables ``message``, ``attempt``, ``reference`` and ``receipt``."""

    async def add_messages(self, messages: Sequence[Message]) -> set[str]:
        """See ``ports.Session``."""
        added = await self.insert(
            "message",
            NEW_MESSAGE,
            sorted(self._message_rows(messages), key=lambda row: row[1]),
            f"{ONCE} RETURNING key",
        )
        new = {key for (key,) in added}
        return {message.key for message in messages if plain(message.key) in new}

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
        """See ``ports.Session``; nobody else is given them before this transaction ends."""
        del elapsed
        one_lane = (
            "SELECT * FROM (SELECT id, lane, segments, not_before FROM message "
            "WHERE state = 'queued' AND channel = $1 AND lane = {} AND not_before <= $2 "
            f"AND {PINNED if pinned else FREE} {TOO_SOON if gap else ''} "
            "ORDER BY not_before, id LIMIT $3 "
            f"{self.locked('FOR UPDATE SKIP LOCKED')}) AS lane_{{}}"
        )
        lanes = " UNION ALL ".join(one_lane.format(int(lane), int(lane)) for lane in Lane)
        rows = await self.run(
            f"{lanes} ORDER BY lane, not_before, id",
            *(channel, now, limit, gateway),
            *((gap,) if gap else ()),
        )
        return [Candidate(id_, Lane(lane), segments) for id_, lane, segments, _ in rows]

    async def states_of(self, keys: Sequence[str]) -> dict[str, State]:
        """See ``ports.Session``."""
        if not keys:
            return {}
        rows = await self.run(
            "SELECT key, state FROM message WHERE key = ANY($1::text[])", list(keys)
        )
        return {key: State(state) for key, state in rows}

    async def queued_notices(self, codes: Sequence[str]) -> list[QueuedNotice]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {QUEUED_NOTICE} FROM message WHERE state = 'queued' AND notice <> 'answer' "
            "AND also = '[]' AND dossier = ANY($1::text[]) ORDER BY id",
            list(codes),
        )
        return read_queued(rows)

    async def left_since(
        self, addresses: Sequence[Address], since: Instant
    ) -> dict[Address, list[tuple[Lane, Instant]]]:
        """See ``ports.Session``: two that decide at once would not see what the other sends."""
        free = await self.lock_free([f"left|{address}" for address in addresses])
        by_hash = self._by_hash(one for one in addresses if f"left|{one}" in free)
        if not by_hash:
            return {}
        rows = await self.run(
            f"SELECT address_hash, lane, updated_at FROM message WHERE {LEFT} "
            "AND updated_at > $1 AND address_hash = ANY($2::bytea[])",
            since,
            list(by_hash),
        )
        return read_left(by_hash, rows)

    async def messages(self, ids: Sequence[str]) -> list[Message]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {MESSAGE} FROM message WHERE id = ANY($1::text[])", list(ids)
        )
        by_id = {row[0]: self._message(row) for row in rows}
        taken = await self._accepted_parts([m.id for m in by_id.values() if m.attempts])
        by_id = with_parts(by_id, taken)
        return [by_id[id_] for id_ in ids if id_ in by_id]

    async def reword(self, messages: Sequence[Message], now: Instant) -> None:
        """See ``ports.Session``."""
        if not messages:
            return
        await self.run(
            "UPDATE message SET body_sealed = said.body, encoding = said.encoding, "
            "units = said.units, segments = said.segments, also = said.also, rungs = said.rungs, "
            "updated_at = $1 "
            "FROM unnest($2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[], "
            "$7::text[], $8::text[]) AS said (id, body, encoding, units, segments, also, rungs) "
            "WHERE message.id = said.id AND state = 'queued'",
            now,
            *columns_of(self._reworded_rows(messages)),
        )

    async def begin_attempts(
        self, messages: Sequence[Message], gateway: str, owner: str, now: Instant
    ) -> list[Message]:
        """See ``ports.Session``; whoever begins is alive for half a lease from here."""
        if not messages:
            return []
        rows = await self.run(
            "WITH picked AS (SELECT id, segments FROM message WHERE id = ANY($3::text[]) "
            f"AND state = 'queued' ORDER BY id FOR UPDATE SKIP LOCKED), alive AS ({RENEWED}), "
            f"paid AS ({PAID}) "
            "UPDATE message SET state = 'sending', attempts = attempts + 1, gateway = $1, "
            "updated_at = $2 FROM picked WHERE message.id = picked.id "
            "RETURNING message.id, message.attempts",
            gateway,
            now,
            [message.id for message in messages],
            owner,
            self._lease,
        )
        begun = begun_of(messages, rows)
        await self.insert("attempt", NEW_ATTEMPT, attempt_rows(begun, gateway, owner, now))
        return begun

    async def end_attempts(self, attempted: Sequence[Attempted], now: Instant) -> bool:
        """See ``ports.Session``."""
        if not attempted:
            return False
        references = reference_rows(attempted)
        names = [(gateway, ref) for gateway, ref, *_ in references]
        await self._hold_names(
            [*names, *((a.gateway, f"key:{a.message.key}") for a in attempted)] if names else []
        )
        await self.run(
            "UPDATE attempt SET ended_at = $1, outcome = ended.outcome, code = ended.code, "
            "detail = ended.detail "
            "FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[]) "
            "AS ended (message, number, outcome, code, detail) "
            "WHERE attempt.message = ended.message AND attempt.number = ended.number "
            "AND attempt.ended_at IS NULL",
            now,
            *columns_of(ended_attempts(attempted)),
        )
        await self.run(
            "WITH judged AS (SELECT * FROM unnest($2::text[], $3::bigint[], $4::text[], "
            "$5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[]) "
            "AS judged (id, number, state, reason, not_before, uncounted, unknowns, fallen)), "
            "held AS (SELECT id, attempts FROM message WHERE id = ANY($2::text[]) "
            "AND state = 'sending' ORDER BY id FOR UPDATE) "
            "UPDATE message SET state = judged.state, reason = judged.reason, "
            "not_before = coalesce(judged.not_before, message.not_before), "
            "attempts = message.attempts - judged.uncounted, "
            "unknowns = message.unknowns + judged.unknowns, fallen = judged.fallen, "
            "updated_at = $1 FROM held JOIN judged "
            "ON judged.id = held.id AND judged.number = held.attempts "
            "WHERE message.id = held.id",
            now,
            *columns_of(judged_messages(attempted)),
        )
        # A throttled attempt never reached the provider, so its number is used again; but not that
        # of one that was given up before it said so.
        uncounted = [a.message for a in attempted if not a.verdict.counts]
        if uncounted:
            await self.run(
                "DELETE FROM attempt USING unnest($1::text[], $2::bigint[]) AS gone (id, number) "
                "WHERE message = gone.id AND attempt.number = gone.number "
                "AND outcome <> 'unknown'",
                [message.id for message in uncounted],
                [message.attempts for message in uncounted],
            )
        fell = False
        if references:
            await self.insert("reference", REFERENCE, references, ONCE)
            fell = await self._apply_early_receipts(names, now)
        # What was reported of an earlier try while this one was under way.
        tried = [a.message.id for a in attempted if a.message.attempts > 1]
        fell |= await self._conclude(tried, now)
        return fell or any(a.falls for a in attempted)

    async def move(self, moved: Sequence[Moved], now: Instant) -> int:
        """See ``ports.Session``."""
        if not moved:
            return 0
        rows = await self.run(
            "WITH moved AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[], "
            "$5::bigint[], $6::bigint[], $7::text[]) "
            "AS moved (id, state, reason, not_before, best_before, pinned)), "
            "held AS (SELECT id FROM message WHERE id = ANY($2::text[]) "
            "AND (state IN ('queued', 'unknown') OR fallen <> '') ORDER BY id FOR UPDATE) "
            "UPDATE message SET state = moved.state, reason = moved.reason, "
            "not_before = coalesce(moved.not_before, message.not_before), "
            "best_before = coalesce(moved.best_before, message.best_before), "
            "pinned = coalesce(moved.pinned, message.pinned), fallen = '', updated_at = $1 "
            "FROM held JOIN moved USING (id) WHERE message.id = held.id RETURNING message.id",
            now,
            *columns_of(
                [(m.id, m.state, m.reason, m.not_before, m.best_before, m.pinned) for m in moved]
            ),
        )
        return len(rows)

    async def add_receipts(self, gateway: str, receipts: Sequence[Receipt], now: Instant) -> bool:
        """See ``ports.Session``."""
        named = [(f"key:{r.ref}" if r.by_key else r.ref, r) for r in dict.fromkeys(receipts)]
        await self._hold_names([(gateway, ref) for ref, _ in named])
        kept = await self.insert(
            "receipt",
            RECEIPT,
            sorted((gateway, ref, receipt.status, receipt.code, now) for ref, receipt in named),
            f"{ONCE} RETURNING ref, status, code",
        )
        # A report that comes again says nothing new, of no other try either.
        new = {tuple(row) for row in kept}
        final = [
            (ref, r.status)
            for ref, r in named
            if r.status is not ReceiptStatus.PENDING
            and (plain(ref), r.status, plain(r.code)) in new
        ]
        if not final:
            return False
        refs = [ref for ref, _ in final]
        # Of several reports of one reference the first counts. By our key, "delivered" speaks of
        # the message; "failed" only of the try that has no other name, where there is one: a later
        # try may have been accepted.
        await self.run(
            "WITH said AS (SELECT * FROM unnest($2::text[], $3::text[]) WITH ORDINALITY "
            "AS said (name, status, place)), "
            "first AS (SELECT DISTINCT ON (ref) ref, status FROM ("
            "SELECT reference.ref, said.status, said.place FROM said "
            "JOIN reference ON gateway = $1 AND ref = said.name WHERE reference.status = '' "
            "UNION ALL SELECT reference.ref, said.status, said.place FROM said "
            "JOIN message ON left(said.name, 4) = 'key:' AND message.key = substr(said.name, 5) "
            "JOIN reference ON reference.message = message.id AND reference.gateway = $1 "
            "WHERE reference.status = '' AND (reference.ref = said.name "
            "OR said.status = 'delivered' OR NOT EXISTS (SELECT 1 FROM reference AS own "
            "WHERE own.gateway = $1 AND own.ref = said.name AND own.status = ''))"
            ") AS matched ORDER BY ref, place) "
            "UPDATE reference SET status = first.status FROM first "
            "WHERE reference.gateway = $1 AND reference.ref = first.ref",
            gateway,
            refs,
            [status for _, status in final],
        )
        good = [ref for ref, status in final if status == ReceiptStatus.DELIVERED]
        if good:
            # Over a channel that its message has left, "delivered" has the last word.
            await self.run(
                "UPDATE reference SET status = 'delivered' FROM message "
                "WHERE message.id = reference.message AND reference.gateway = $1 "
                "AND status = 'failed' AND reference.rung < message.rung "
                "AND (ref = ANY($2::text[]) OR 'key:' || message.key = ANY($2::text[]))",
                gateway,
                good,
            )
        rows = await self.run(
            "SELECT message FROM reference WHERE gateway = $1 AND ref = ANY($2::text[]) "
            "UNION SELECT id FROM message WHERE key = ANY($3::text[])",
            gateway,
            refs,
            [ref.removeprefix("key:") for ref in refs if ref.startswith("key:")],
        )
        return await self._conclude([id_ for (id_,) in rows], now)

    async def fall(self, reasons: Mapping[str, str], now: Instant) -> None:
        """See ``ports.Session``."""
        if not reasons:
            return
        await self.run(
            "UPDATE message SET fallen = fell.reason, updated_at = $1 "
            "FROM unnest($2::text[], $3::text[]) AS fell (id, reason) "
            "WHERE message.id = fell.id AND state = 'unknown'",
            now,
            list(reasons),
            list(reasons.values()),
        )

    async def fallen(self, limit: int) -> list[Fallen]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {FALLEN} FROM message WHERE fallen <> '' ORDER BY id LIMIT $1 "
            f"{self.locked('FOR UPDATE SKIP LOCKED')}",
            limit,
        )
        return [self._fell(row) for row in rows]

    async def step(self, messages: Sequence[Message], now: Instant, reason: str = "") -> set[str]:
        """See ``ports.Session``."""
        if not messages:
            return set()
        rows = await self.run(
            "WITH next AS (SELECT * FROM unnest($3::text[], $4::bigint[], $5::text[], $6::bytea[], "
            "$7::bytea[], $8::bigint[], $9::bytea[], $10::text[], $11::bigint[], $12::bigint[], "
            "$13::text[], $14::text[]) AS next (id, rung, channel, hash, sealed, not_before, body, "
            "encoding, units, segments, also, rungs)), "
            "held AS (SELECT id FROM message WHERE id = ANY($3::text[]) "
            "AND (state = 'queued' OR fallen <> '') ORDER BY id FOR UPDATE) "
            "UPDATE message SET state = 'queued', rung = next.rung, spent = message.attempts, "
            "unknowns = 0, channel = next.channel, address_hash = next.hash, "
            "address_sealed = next.sealed, not_before = next.not_before, body_sealed = next.body, "
            "encoding = next.encoding, units = next.units, segments = next.segments, "
            "also = next.also, rungs = next.rungs, updated_at = $1, "
            "reason = CASE WHEN fallen = '' THEN $2 ELSE fallen END, fallen = '', pinned = '' "
            "FROM held JOIN next USING (id) WHERE message.id = held.id "
            "AND message.rung = next.rung - 1 RETURNING message.id",
            now,
            reason,
            *columns_of(self._stepped_rows(messages)),
        )
        ids = [id_ for (id_,) in rows]
        await self.run(
            "DELETE FROM work WHERE key = ANY($1::text[])", [f"unknown|{id_}" for id_ in ids]
        )
        await self._conclude(ids, now)
        return set(ids)

    async def stranded(self, channels: Sequence[str], due: Instant, limit: int) -> list[Message]:
        """See ``ports.Session``; nobody else is given them before this transaction ends."""
        rows = await self.run(
            f"SELECT {FALLEN} FROM message WHERE state = 'queued' AND not_before <= $1 "
            f"AND {MORE_RUNGS} AND pinned = '' AND channel = ANY($2::text[]) "
            f"ORDER BY not_before, id LIMIT $3 {self.locked('FOR UPDATE SKIP LOCKED')}",
            due,
            list(channels),
            limit,
        )
        return [self._fell(row).message for row in rows]

    async def unknown(self, before: Instant, limit: int) -> list[Unsettled]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {UNSETTLED} FROM message WHERE state = 'unknown' AND fallen = '' "
            "AND updated_at <= $1 AND NOT EXISTS "
            "(SELECT 1 FROM work WHERE work.key = 'unknown|' || message.id) "
            f"ORDER BY updated_at LIMIT $2 {self.locked('FOR UPDATE SKIP LOCKED')}",
            before,
            limit,
        )
        return [self._unsettled(row) for row in rows]

    async def abandon_sending(self, now: Instant) -> int:
        """See ``ports.Session``; dead is whose lease has ended, by the server's clock."""
        dead = await self.run(
            "SELECT message.id, attempts, message.gateway, key FROM message JOIN attempt "
            "ON attempt.message = message.id AND attempt.number = message.attempts "
            "WHERE state = 'sending' AND ended_at IS NULL AND (started_at <= $1 OR NOT EXISTS "
            f"(SELECT 1 FROM process WHERE process.owner = attempt.owner AND until > {CLOCK}))",
            now - STUCK,
        )
        if not dead:
            return 0
        await self._hold_names([(gateway, f"key:{key}") for _, _, gateway, key in dead])
        rows = await self.run(
            "WITH held AS (SELECT message.id FROM message "
            "JOIN unnest($3::text[], $4::bigint[]) AS dead (id, number) "
            "ON message.id = dead.id AND message.attempts = dead.number "
            "WHERE state = 'sending' ORDER BY message.id FOR UPDATE OF message SKIP LOCKED) "
            "UPDATE message SET state = 'unknown', unknowns = unknowns + 1, reason = $2, "
            "updated_at = $1 FROM held WHERE message.id = held.id "
            "RETURNING message.id, gateway, 'key:' || key",
            now,
            DIED,
            [id_ for id_, *_ in dead],
            [number for _, number, *_ in dead],
        )
        ids = [id_ for id_, *_ in rows]
        await self.run(
            "UPDATE attempt SET ended_at = $1, outcome = 'unknown', code = 'died', detail = $2 "
            "WHERE ended_at IS NULL AND message = ANY($3::text[])",
            now,
            DIED,
            ids,
        )
        await self.run(
            f"INSERT INTO reference ({REFERENCE}) SELECT gateway, 'key:' || key, id, "
            "(SELECT coalesce(max(part) + 1, 0) FROM reference "
            "WHERE reference.message = message.id), rung FROM message "
            f"WHERE id = ANY($1::text[]) {ONCE}",
            ids,
        )
        await self._apply_early_receipts([(gateway, ref) for _, gateway, ref in rows], now)
        return len(rows)

    async def outbox(
        self, *, state: State | None = None, dossier: str | None = None, limit: int = 50
    ) -> list[OutboxRow]:
        """See ``ports.Session``."""
        asked = [(name, value) for name, value in (("state", state), ("dossier", dossier)) if value]
        which = " AND ".join(f"{name} = ${n}" for n, (name, _) in enumerate(asked, start=2))
        rows = await self.run(
            f"SELECT {SHOWN} FROM message WHERE {which or 'true'} ORDER BY id DESC LIMIT $1",
            limit,
            *(value for _, value in asked),
        )
        return [self._shown(row) for row in rows]

    async def outbox_row(self, message_id: str) -> OutboxRow | None:
        """See ``ports.Session``."""
        rows = await self.run(f"SELECT {SHOWN} FROM message WHERE id = $1", message_id)
        return self._shown(rows[0]) if rows else None

    async def notices_of(self, codes: Sequence[str]) -> dict[str, list[OutboxRow]]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {SHOWN} FROM message WHERE dossier = ANY($1::text[]) "
            "AND notice <> 'answer' ORDER BY id",
            list(codes),
        )
        return self._notices(codes, rows)

    async def attempts(self, message_id: str) -> list[AttemptRow]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {ATTEMPT} FROM attempt WHERE message = $1 ORDER BY number", message_id
        )
        return read_attempts(rows)

    async def outbox_counts(self) -> dict[tuple[str, str], int]:
        """See ``ports.Session``; bounded, so that a backlog of millions does not slow a page."""
        rows = await self.run(
            "SELECT lane, state, count(*) FROM (SELECT lane, state FROM message "
            "WHERE state = 'queued' LIMIT 100000) AS queued GROUP BY lane, state UNION ALL "
            "SELECT lane, state, count(*) FROM (SELECT lane, state FROM message "
            "WHERE state IN ('sending', 'unknown') LIMIT 100000) AS open GROUP BY lane, state"
        )
        return {(Lane(lane).name.lower(), state): count for lane, state, count in rows}

    async def _hold_names(self, names: Iterable[tuple[str, str]]) -> None:
        """A report and the reference it speaks of may be written at once, in two transactions:

        neither would see the other, and the report would never be applied.
        """
        await self.lock([f"ref|{gateway}|{plain(ref)}" for gateway, ref in names])

    async def _apply_early_receipts(self, names: Sequence[tuple[str, str]], now: Instant) -> bool:
        """Apply what came before these names (a gateway, and what it calls a part).

        Of reports that contradict one another the first counts; of one moment, "delivered".
        Whether a message has fallen by that.
        """
        rows = await self.run(
            "WITH first AS (SELECT DISTINCT ON (reference.gateway, reference.ref) "
            "reference.gateway, reference.ref, receipt.status "
            "FROM unnest($1::text[], $2::text[]) AS named (gateway, ref) "
            "JOIN reference USING (gateway, ref) JOIN message ON message.id = reference.message "
            "JOIN receipt ON receipt.gateway = reference.gateway "
            "AND receipt.ref IN (reference.ref, 'key:' || message.key) "
            "WHERE reference.status = '' AND receipt.status <> 'pending' "
            "AND (receipt.ref = reference.ref OR receipt.status = 'delivered' OR NOT EXISTS "
            "(SELECT 1 FROM reference AS own WHERE own.gateway = reference.gateway "
            "AND own.ref = 'key:' || message.key)) "
            "ORDER BY reference.gateway, reference.ref, receipt.at, receipt.status) "
            "UPDATE reference SET status = first.status FROM first "
            "WHERE reference.gateway = first.gateway AND reference.ref = first.ref "
            "RETURNING reference.message",
            [gateway for gateway, _ in names],
            [ref for _, ref in names],
        )
        return await self._conclude([id_ for (id_,) in rows], now)

    async def _accepted_parts(self, ids: Sequence[str]) -> list[asyncpg.Record]:
        """Rows of id and each part that a provider has named, of messages tried before."""
        if not ids:
            return []
        return await self.run(
            "SELECT DISTINCT reference.message, part FROM reference JOIN message "
            "ON message.id = reference.message AND message.rung = reference.rung "
            "WHERE left(ref, 4) <> 'key:' AND message.id = ANY($1::text[]) "
            "ORDER BY reference.message, part",
            ids,
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
        # Locked by a statement of its own: the next one sees what others wrote of other parts.
        await self.run(
            "SELECT id FROM message WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE", list(ids)
        )
        rows = await self.run(
            "WITH part AS (SELECT reference.message, reference.rung, "
            "bool_and(reference.rung = message.rung) AS own, "
            "bool_or(status = 'delivered') AS good, "
            "coalesce(bool_or(status = 'failed') FILTER (WHERE left(ref, 4) <> 'key:'), "
            "bool_or(status = 'failed')) AS bad, "
            "bool_or(status = 'delivered' AND left(ref, 4) = 'key:') AS whole "
            "FROM reference JOIN message ON message.id = reference.message "
            "WHERE message.id = ANY($2::text[]) GROUP BY reference.message, reference.rung, part), "
            "rung AS (SELECT message, bool_and(own) AS own, bool_or(bad AND NOT good) AS bad, "
            "bool_and(good OR bad) AS closed, bool_or(whole) AS whole, bool_and(good) AS good "
            "FROM part GROUP BY message, rung), "
            "fate AS (SELECT message, bool_or(own AND bad) AS bad, "
            "bool_or(own AND closed) AS closed, "
            "bool_or(own AND whole) AS whole, bool_or(good AND NOT own) AS earlier "
            "FROM rung GROUP BY message) "
            f"UPDATE message SET state = CASE WHEN {LATE} THEN 'delivered' "
            "WHEN NOT fate.bad THEN 'delivered' WHEN rungs = '[]' THEN 'failed' ELSE state END, "
            f"fallen = CASE WHEN {LATE} OR NOT fate.bad OR rungs = '[]' THEN '' ELSE $3 END, "
            f"reason = CASE WHEN {LATE} THEN $4 WHEN fate.bad THEN $3 ELSE '' END, "
            "updated_at = $1 FROM fate WHERE message.id = fate.message AND "
            "((message.state IN ('accepted', 'unknown') AND message.fallen = '' "
            "AND (fate.bad OR fate.closed)) "
            f"OR (message.state = 'queued' AND fate.whole AND NOT fate.bad) OR {LATE}) "
            "RETURNING fallen",
            now,
            list(ids),
            UNDELIVERED,
            AFTER_ALL,
        )
        return any(fallen for (fallen,) in rows)
