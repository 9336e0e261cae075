"""The outbox: messages, their attempts, what providers call them, and delivery reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from notifier.domain.admission import Candidate
from notifier.domain.message import Address, Lane, Message, ReceiptStatus, State
from notifier.domain.outcome import Accepted, Partial, Throttled
from notifier.domain.segments import Encoding, plan_plain, plan_sms
from notifier.ports import AttemptRow, OutboxRow
from notifier.storage.packing import pack, unpack
from notifier.storage.sqlite.rows import Rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Receipt
    from notifier.domain.outcome import Outcome
    from notifier.ports import Attempted, Moved

MESSAGE = (
    "id, key, lane, address_sealed, body_sealed, locale, encoding, notice, dossier, episode, "
    "broadcast, created_at, not_before, best_before, attempts"
)
SHOWN = (
    "id, key, lane, state, address_sealed, body_sealed, notice, dossier, broadcast, segments, "
    "attempts, gateway, reason, created_at, not_before, best_before, updated_at"
)


class OutboxRows(Rows):
    """The tables ``message``, ``attempt``, ``reference`` and ``receipt``."""

    async def add_messages(self, messages: Sequence[Message]) -> set[str]:
        """See ``ports.Session``."""
        added = await self.insert(
            "INSERT OR IGNORE INTO message (id, key, lane, state, channel, address_hash, "
            "address_sealed, body_sealed, locale, encoding, units, segments, notice, dossier, "
            "episode, broadcast, created_at, not_before, best_before, updated_at)",
            [
                (
                    message.id,
                    message.key,
                    message.lane,
                    State.QUEUED,
                    message.address.channel,
                    self._sealer.digest(str(message.address)),
                    self._sealer.seal(str(message.address).encode(), b"message"),
                    self._sealer.seal(
                        pack([message.text, message.buttons, message.contact_button]), b"message"
                    ),
                    message.locale,
                    message.plan.encoding,
                    message.plan.units,
                    message.plan.segments,
                    message.notice,
                    message.dossier,
                    message.episode,
                    message.broadcast,
                    message.created_at,
                    message.not_before,
                    message.best_before,
                    message.created_at,
                )
                for message in messages
            ],
            "RETURNING key",
        )
        return {key for (key,) in added}

    async def waiting(self, channel: str, now: Instant, limit: int) -> list[Candidate]:
        """See ``ports.Session``."""
        one_lane = (
            "SELECT * FROM (SELECT id, lane, segments FROM message WHERE state = 'queued' "
            "AND channel = ?1 AND lane = {} AND not_before <= ?2 ORDER BY not_before, id LIMIT ?3)"
        )
        rows = await self.run(
            " UNION ALL ".join(one_lane.format(int(lane)) for lane in Lane), (channel, now, limit)
        )
        return [Candidate(id_, Lane(lane), segments) for id_, lane, segments in rows]

    async def messages(self, ids: Sequence[str]) -> list[Message]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {MESSAGE} FROM message WHERE id IN (SELECT value FROM json_each(?))",
            (self.listed(ids),),
        )
        by_id = {row[0]: self._message(row) for row in rows}
        taken = await self._accepted_parts([m.id for m in by_id.values() if m.attempts])
        by_id |= {id_: replace(by_id[id_], accepted_parts=parts) for id_, parts in taken.items()}
        return [by_id[id_] for id_ in ids if id_ in by_id]

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
        attempts: dict[str, int] = dict(tuple(row) for row in rows)
        begun = [
            replace(message, attempts=attempts[message.id])
            for message in messages
            if message.id in attempts
        ]
        await self.insert(
            "INSERT INTO attempt (message, number, gateway, owner, started_at)",
            [(message.id, message.attempts, gateway, owner, now) for message in begun],
        )
        return begun

    async def end_attempts(self, attempted: Sequence[Attempted], now: Instant) -> None:
        """See ``ports.Session``."""
        await self.run_many(
            "UPDATE attempt SET ended_at = ?, outcome = ?, code = ?, detail = ? "
            "WHERE message = ? AND number = ? AND ended_at IS NULL",
            [
                (now, type(a.outcome).__name__.lower(), *_code(a.outcome), a.message.id,
                 a.message.attempts)
                for a in attempted
            ],
        )  # fmt: skip
        await self.run_many(
            "UPDATE message SET state = ?, reason = ?, not_before = coalesce(?, not_before), "
            "attempts = attempts - ?, unknowns = unknowns + ?, updated_at = ? "
            "WHERE id = ? AND state = 'sending'",
            [
                (
                    a.verdict.state,
                    a.verdict.reason,
                    a.verdict.not_before,
                    0 if a.verdict.counts else 1,
                    a.verdict.state is State.UNKNOWN,
                    now,
                    a.message.id,
                )
                for a in attempted
            ],
        )
        # A throttled attempt never reached the provider, so its number is used again.
        await self.run_many(
            "DELETE FROM attempt WHERE message = ? AND number = ?",
            [(a.message.id, a.message.attempts) for a in attempted if not a.verdict.counts],
        )
        references = [
            (a.gateway, ref, a.message.id, part) for a in attempted for part, ref in _references(a)
        ]
        if references:
            await self.insert(
                "INSERT OR IGNORE INTO reference (gateway, ref, message, part)", references
            )
            await self._apply_early_receipts([row[1] for row in references], now)
        # What was reported of an earlier try while this one was under way.
        await self._conclude([a.message.id for a in attempted if a.message.attempts > 1], now)

    async def move(self, moved: Sequence[Moved], now: Instant) -> int:
        """See ``ports.Session``."""
        before = self._connection.total_changes
        await self.run_many(
            "UPDATE message SET state = ?, reason = ?, not_before = coalesce(?, not_before), "
            "best_before = coalesce(?, best_before), updated_at = ? "
            "WHERE id = ? AND state IN ('queued', 'unknown')",
            [(m.state, m.reason, m.not_before, m.best_before, now, m.id) for m in moved],
        )
        return self._connection.total_changes - before

    async def add_receipts(self, gateway: str, receipts: Sequence[Receipt], now: Instant) -> None:
        """See ``ports.Session``."""
        named = [(f"key:{r.ref}" if r.by_key else r.ref, r) for r in receipts]
        await self.insert(
            "INSERT OR IGNORE INTO receipt (gateway, ref, status, code, at)",
            [(gateway, ref, receipt.status, receipt.code, now) for ref, receipt in named],
        )
        final = [(ref, r) for ref, r in named if r.status is not ReceiptStatus.PENDING]
        await self.run_many(
            "UPDATE reference SET status = ?1 WHERE status = '' AND gateway = ?2 AND (ref = ?3 "
            "OR (substr(?3, 1, 4) = 'key:' "
            "AND message = (SELECT id FROM message WHERE key = substr(?3, 5))))",
            [(receipt.status, gateway, ref) for ref, receipt in final],
        )
        rows = await self.run(
            "SELECT message FROM reference WHERE gateway = ?1 AND ref IN "
            "(SELECT value FROM json_each(?2)) UNION SELECT message.id FROM message "
            "WHERE 'key:' || key IN (SELECT value FROM json_each(?2))",
            (gateway, self.listed(ref for ref, _ in final)),
        )
        await self._conclude([id_ for (id_,) in rows], now)

    async def unknown(self, before: Instant, limit: int) -> list[tuple[Message, int]]:
        """See ``ports.Session``."""
        rows = await self.run(
            f"SELECT {MESSAGE}, unknowns FROM message WHERE state = 'unknown' "
            "AND updated_at <= ? AND NOT EXISTS "
            "(SELECT 1 FROM work WHERE work.key = 'unknown|' || message.id) "
            "ORDER BY updated_at LIMIT ?",
            (before, limit),
        )
        return [(self._message(row), row[-1]) for row in rows]

    async def abandon_sending(self, now: Instant) -> int:
        """See ``ports.Session``."""
        why = "the process ended while it was being sent"
        await self.run(
            "UPDATE attempt SET ended_at = ?, outcome = 'unknown', code = 'died', detail = ? "
            "WHERE ended_at IS NULL AND message IN "
            "(SELECT id FROM message WHERE state = 'sending')",
            (now, why),
        )
        rows = await self.run(
            "UPDATE message SET state = 'unknown', unknowns = unknowns + 1, reason = ?, "
            "updated_at = ? WHERE state = 'sending' RETURNING id, 'key:' || key",
            (why, now),
        )
        await self.run(
            "INSERT OR IGNORE INTO reference (gateway, ref, message, part) SELECT gateway, "
            "'key:' || key, id, (SELECT coalesce(max(part) + 1, 0) FROM reference "
            "WHERE message = message.id) FROM message "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (self.listed(id_ for id_, _ in rows),),
        )
        await self._apply_early_receipts([ref for _, ref in rows], now)
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
        found: dict[str, list[OutboxRow]] = {code: [] for code in codes}
        for row in map(self._shown, rows):
            found[row.dossier or ""].append(row)
        return found

    async def attempts(self, message_id: str) -> list[AttemptRow]:
        """See ``ports.Session``."""
        rows = await self.run(
            "SELECT number, gateway, started_at, ended_at, outcome, code, detail FROM attempt "
            "WHERE message = ? ORDER BY number",
            (message_id,),
        )
        return [
            AttemptRow(
                number=number,
                gateway=gateway,
                started_at=started_at,
                ended_at=ended_at,
                outcome=outcome,
                code=code,
                detail=detail,
            )
            for number, gateway, started_at, ended_at, outcome, code, detail in rows
        ]

    async def outbox_counts(self) -> dict[tuple[str, str], int]:
        """See ``ports.Session``; bounded, so that a backlog of millions does not slow a page."""
        rows = await self.run(
            "SELECT lane, state, count(*) FROM (SELECT lane, state FROM message "
            "WHERE state = 'queued' LIMIT 100000) GROUP BY lane, state UNION ALL "
            "SELECT lane, state, count(*) FROM (SELECT lane, state FROM message "
            "WHERE state IN ('sending', 'unknown') LIMIT 100000) GROUP BY lane, state"
        )
        return {(Lane(lane).name.lower(), state): count for lane, state, count in rows}

    async def _apply_early_receipts(self, refs: Sequence[str], now: Instant) -> None:
        rows = await self.run(
            "UPDATE reference SET status = receipt.status FROM receipt, message "
            "WHERE reference.ref IN (SELECT value FROM json_each(?)) AND reference.status = '' "
            "AND message.id = reference.message AND receipt.gateway = reference.gateway "
            "AND receipt.ref IN (reference.ref, 'key:' || message.key) "
            "AND receipt.status <> 'pending' RETURNING reference.message",
            (self.listed(refs),),
        )
        await self._conclude([id_ for (id_,) in rows], now)

    async def _accepted_parts(self, ids: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """The parts that a provider has named, of messages that were tried before."""
        if not ids:
            return {}
        rows = await self.run(
            "SELECT DISTINCT message, part FROM reference WHERE substr(ref, 1, 4) <> 'key:' "
            "AND message IN (SELECT value FROM json_each(?)) ORDER BY message, part",
            (self.listed(ids),),
        )
        parts: dict[str, tuple[int, ...]] = {}
        for id_, part in rows:
            parts[id_] = (*parts.get(id_, ()), part)
        return parts

    async def _conclude(self, ids: Sequence[str], now: Instant) -> None:
        """Delivered when every part is, failed when one is; from no state that is final.

        A part that was tried more than once is delivered when one of the tries was. What waits to
        be tried again is delivered when the provider says so of our key.
        """
        if not ids:
            return
        await self.run(
            "WITH part AS (SELECT message, max(status = 'delivered') AS good, "
            "max(status = 'failed') AS bad, "
            "max(status = 'delivered' AND substr(ref, 1, 4) = 'key:') AS whole "
            "FROM reference WHERE message IN (SELECT value FROM json_each(?2)) "
            "GROUP BY message, part), "
            "fate AS (SELECT message, max(bad AND NOT good) AS bad, min(good OR bad) AS closed, "
            "max(whole) AS whole FROM part GROUP BY message) "
            "UPDATE message SET state = CASE WHEN fate.bad THEN 'failed' ELSE 'delivered' END, "
            "reason = CASE WHEN fate.bad THEN 'the provider reports it undelivered' ELSE '' END, "
            "updated_at = ?1 FROM fate WHERE message.id = fate.message AND "
            "((message.state IN ('accepted', 'unknown') AND (fate.bad OR fate.closed)) "
            "OR (message.state = 'queued' AND fate.whole AND NOT fate.bad))",
            (now, self.listed(set(ids))),
        )

    def _message(self, row: sqlite3.Row) -> Message:
        (id_, key, lane, address, body, locale, encoding, notice, dossier, episode, broadcast,
         created_at, not_before, best_before, attempts) = row[:15]  # fmt: skip
        text, buttons, contact_button = self._body(body)
        return Message(
            id=id_,
            key=key,
            lane=Lane(lane),
            address=self._address(address),
            text=text,
            plan=plan_plain(text) if encoding == Encoding.TEXT else plan_sms(text),
            locale=locale,
            created_at=created_at,
            not_before=not_before,
            best_before=best_before,
            notice=notice,
            dossier=dossier,
            episode=episode,
            broadcast=broadcast,
            buttons=tuple(buttons),
            contact_button=contact_button,
            attempts=attempts,
        )

    def _shown(self, row: sqlite3.Row) -> OutboxRow:
        (id_, key, lane, state, address, body, notice, dossier, broadcast, segments, attempts,
         gateway, reason, created_at, not_before, best_before, updated_at) = row  # fmt: skip
        return OutboxRow(
            id=id_,
            key=key,
            lane=Lane(lane),
            state=State(state),
            to=self._address(address).masked,
            text=self._body(body)[0],
            notice=notice,
            dossier=dossier,
            broadcast=broadcast,
            segments=segments,
            attempts=attempts,
            gateway=gateway,
            reason=reason,
            created_at=created_at,
            not_before=not_before,
            best_before=best_before,
            updated_at=updated_at,
        )

    def _address(self, sealed: bytes) -> Address:
        return Address.parse(self._sealer.open(sealed, b"message").decode())

    def _body(self, sealed: bytes) -> Any:
        return unpack(self._sealer.open(sealed, b"message"))


def _code(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Accepted():
            return ("duplicate" if outcome.duplicate else "", "")
        case Throttled():
            return ("throttled", "")
        case Partial():
            return _code(outcome.rest)
        case _:
            return (outcome.code, getattr(outcome, "detail", ""))


def _references(attempted: Attempted) -> list[tuple[int, str]]:
    """What may be reported on later: the provider's names, or ours where there is none."""
    message = attempted.message
    own = f"key:{message.key}"
    taken = dict(attempted.outcome.done) if isinstance(attempted.outcome, Partial) else {}
    open_ = [
        part for part in range(message.plan.segments)
        if part not in message.accepted_parts and part not in taken
    ]  # fmt: skip
    match attempted.outcome:
        case Accepted(refs=refs) if refs:
            more = range(message.plan.segments, message.plan.segments + len(refs))
            return list(zip((*open_, *more), refs, strict=False))
        case _ if attempted.verdict.state in {State.ACCEPTED, State.UNKNOWN}:
            return [*taken.items(), (open_[0] if open_ else 0, own)]
        case _:
            return list(taken.items())
