"""Messages, their attempts and what providers call them, as rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from notifier.domain.message import Address, Lane, Message, State
from notifier.domain.outcome import Accepted, Partial, Throttled
from notifier.domain.segments import Encoding, plan_plain, plan_sms
from notifier.errors import SealedError
from notifier.ports import AttemptRow, Fallen, OutboxRow, QueuedNotice, Unsettled
from notifier.storage.packing import pack, unpack
from notifier.storage.records.base import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.outcome import Outcome
    from notifier.ports import Attempted

NEW_MESSAGE = (
    "id, key, lane, state, channel, address_hash, address_sealed, body_sealed, locale, encoding, "
    "units, segments, notice, dossier, episode, also, broadcast, created_at, not_before, "
    "best_before, updated_at, rungs"
)
MESSAGE = (
    "id, key, lane, address_sealed, body_sealed, locale, encoding, notice, dossier, episode, "
    "also, broadcast, created_at, not_before, best_before, attempts, rungs, rung, spent"
)
MESSAGE_WIDTH = len(MESSAGE.split(", "))
SHOWN = (
    "id, key, lane, state, address_sealed, body_sealed, notice, dossier, broadcast, segments, "
    "attempts, gateway, reason, created_at, not_before, best_before, updated_at, rungs"
)
UNSETTLED = (
    f"{MESSAGE}, unknowns, gateway, updated_at, "
    "(SELECT min(started_at) FROM attempt WHERE attempt.message = message.id "
    "AND number > message.spent)"
)
FALLEN = f"{MESSAGE}, channel, fallen, unknowns"
QUEUED_NOTICE = "id, dossier, notice, episode"
NEW_ATTEMPT = "message, number, gateway, owner, started_at, address"
ATTEMPT = "number, gateway, started_at, ended_at, outcome, code, detail, address"
REFERENCE = "gateway, ref, message, part, rung"
RECEIPT = "gateway, ref, status, code, at"

LEFT = "lane >= 2 AND state IN ('sending', 'accepted', 'delivered', 'unknown')"
"""In the words of the index ``message_left``, so that it is used."""

DIED = "the process ended while it was being sent"

NO_BODY = ("…", (), "", "")
"""Text, buttons, the contact's button and the subject of what does not open."""

MORE_RUNGS = "rungs NOT LIKE '%\"' || channel || '\"]' AND rungs <> '[]'"
"""Whether a further channel is named behind the one that a message is on."""

LATE = "(fate.earlier AND (message.state = 'queued' OR message.fallen <> ''))"
"""Whether what waits was delivered over a channel that it has left: see ``_conclude``."""

UNDELIVERED = "the provider reports it undelivered"
AFTER_ALL = "delivered over an earlier channel after all"


class OutboxRecords(Records):
    """The tables ``message``, ``attempt``, ``reference`` and ``receipt``."""

    def _message_rows(self, messages: Sequence[Message]) -> list[tuple[Any, ...]]:
        """In the order of ``NEW_MESSAGE``."""
        return [
            (
                message.id,
                message.key,
                message.lane,
                State.QUEUED,
                message.address.channel,
                self._hash(message.address),
                self._seal_address(message.address, b"message"),
                self._seal_body(message),
                message.locale,
                message.plan.encoding,
                message.plan.units,
                message.plan.segments,
                message.notice,
                message.dossier,
                message.episode,
                _also(message),
                message.broadcast,
                message.created_at,
                message.not_before,
                message.best_before,
                message.created_at,
                _rungs(message),
            )
            for message in messages
        ]

    def _stepped_rows(self, messages: Sequence[Message]) -> list[tuple[Any, ...]]:
        """Rows of id, rung, channel, address' hash and seal, not before; then as those reworded."""
        return [
            (
                message.id,
                message.rung,
                message.address.channel,
                self._hash(message.address),
                self._seal_address(message.address, b"message"),
                message.not_before,
                *reworded[1:],
            )
            for message, reworded in zip(messages, self._reworded_rows(messages), strict=True)
        ]

    def _reworded_rows(self, messages: Sequence[Message]) -> list[tuple[Any, ...]]:
        """Rows of id, sealed body, encoding, units, segments, the other dossiers, and rungs."""
        return [
            (
                message.id,
                self._seal_body(message),
                message.plan.encoding,
                message.plan.units,
                message.plan.segments,
                _also(message),
                _rungs(message),
            )
            for message in messages
        ]

    def _seal_body(self, message: Message) -> bytes:
        body = [message.text, message.buttons, message.contact_button, message.subject]
        return self._sealer.seal(pack(body), b"message")

    def _message(self, row: Sequence[Any]) -> Message:
        """From a row that begins as ``MESSAGE``; raises ``SealedError``."""
        return _message_of(row, self._open_address(row[3], b"message"), self._body(row[4]))

    def _unsettled(self, row: Sequence[Any]) -> Unsettled:
        """From a row in the order of ``UNSETTLED``.

        One that does not open is decided on all the same, without its text.
        """
        try:
            message = self._message(row)
        except SealedError:
            message = _message_of(row, Address("", ""), NO_BODY)
        times, gateway, since, first_at = row[MESSAGE_WIDTH:]
        return Unsettled(
            message=message, times=times, gateway=gateway, since=since, first_at=first_at or since
        )

    def _fell(self, row: Sequence[Any]) -> Fallen:
        """From a row in the order of ``FALLEN``; it is worded anew, so that it need not open."""
        channel, reason, unknowns = row[MESSAGE_WIDTH:]
        message = _message_of(row, Address(channel, ""), NO_BODY)
        return Fallen(message=message, channel=channel, reason=reason, unknowns=unknowns)

    def _shown(self, row: Sequence[Any]) -> OutboxRow:
        """From a row in the order of ``SHOWN``."""
        (id_, key, lane, state, address, body, notice, dossier, broadcast, segments, attempts,
         gateway, reason, created_at, not_before, best_before, updated_at, rungs) = row  # fmt: skip
        try:
            to, text = self._open_address(address, b"message").masked, self._body(body)[0]
        except SealedError:  # staff have to see it all the same
            to, text = "…", ""
        return OutboxRow(
            id=id_,
            key=key,
            lane=Lane(lane),
            state=State(state),
            to=to,
            text=text,
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
            rungs=tuple(unpack(rungs.encode())),
        )

    def _notices(
        self, codes: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> dict[str, list[OutboxRow]]:
        """By dossier, in the order they come."""
        found: dict[str, list[OutboxRow]] = {code: [] for code in codes}
        for row in map(self._shown, rows):
            found[row.dossier or ""].append(row)
        return found

    def _body(self, sealed: bytes) -> Any:
        return unpack(self._sealer.open(sealed, b"message"))


def _message_of(row: Sequence[Any], address: Address, body: Any) -> Message:
    (id_, key, lane, _, _, locale, encoding, notice, dossier, episode, also, broadcast,
     created_at, not_before, best_before, attempts, rungs, rung, spent) = row[
        :MESSAGE_WIDTH
    ]  # fmt: skip
    text, buttons, contact_button, subject = body
    return Message(
        id=id_,
        key=key,
        lane=Lane(lane),
        address=address,
        text=text,
        plan=plan_plain(text) if encoding == Encoding.TEXT else plan_sms(text),
        locale=locale,
        created_at=created_at,
        not_before=not_before,
        best_before=best_before,
        notice=notice,
        dossier=dossier,
        episode=episode,
        also=tuple((code, of) for code, of in unpack(also.encode())),
        broadcast=broadcast,
        buttons=tuple(buttons),
        contact_button=contact_button,
        subject=subject,
        attempts=attempts,
        rungs=tuple(unpack(rungs.encode())),
        rung=rung,
        spent=spent,
    )


def read_left(
    addresses: Mapping[bytes, Address], rows: Iterable[Sequence[Any]]
) -> dict[Address, list[tuple[Lane, Instant]]]:
    """From rows of address' hash, lane and time; each of ``addresses`` is there."""
    left: dict[Address, list[tuple[Lane, Instant]]] = {
        address: [] for address in addresses.values()
    }
    for hashed, lane, at in rows:
        left[addresses[hashed]].append((Lane(lane), at))
    return left


def _also(message: Message) -> str:
    return pack(message.also).decode()


def _rungs(message: Message) -> str:
    return pack(message.rungs).decode()


def read_queued(rows: Iterable[Sequence[Any]]) -> list[QueuedNotice]:
    """From rows in the order of ``QUEUED_NOTICE``."""
    return [
        QueuedNotice(id=id_, dossier=dossier, notice=notice, episode=episode)
        for id_, dossier, notice, episode in rows
    ]


def with_parts(
    messages: Mapping[str, Message], taken: Iterable[Sequence[Any]]
) -> dict[str, Message]:
    """Messages by id, with the parts that a provider has named: rows of id and part, in order."""
    parts: dict[str, tuple[int, ...]] = {}
    for id_, part in taken:
        parts[id_] = (*parts.get(id_, ()), part)
    return {
        id_: replace(message, accepted_parts=parts[id_]) if id_ in parts else message
        for id_, message in messages.items()
    }


def begun_of(messages: Sequence[Message], rows: Iterable[Sequence[Any]]) -> list[Message]:
    """Those that begin, each with its attempts, from rows of id and attempts."""
    attempts: dict[str, int] = dict(tuple(row) for row in rows)
    return [
        replace(message, attempts=attempts[message.id])
        for message in messages
        if message.id in attempts
    ]


def ended_attempts(attempted: Sequence[Attempted]) -> list[tuple[Any, ...]]:
    """Rows of message, number, outcome, code and detail."""
    return [
        (a.message.id, a.message.attempts, type(a.outcome).__name__.lower(), *_code(a.outcome))
        for a in attempted
    ]


def judged_messages(attempted: Sequence[Attempted]) -> list[tuple[Any, ...]]:
    """Rows of id, attempt, state, reason, not before, attempts too many, unknowns more, and fallen.

    What falls stays as it is until its next channel is chosen, in this transaction.
    """
    return [
        (
            a.message.id,
            a.message.attempts,
            State.SENDING if a.falls else a.verdict.state,
            a.verdict.reason,
            a.verdict.not_before,
            0 if a.verdict.counts else 1,
            int(a.verdict.state is State.UNKNOWN),
            a.verdict.reason if a.falls else "",
        )
        for a in attempted
    ]


def reference_rows(attempted: Sequence[Attempted]) -> list[tuple[Any, ...]]:
    """In the order of ``REFERENCE``."""
    return [
        (a.gateway, ref, a.message.id, part, a.message.rung)
        for a in attempted
        for part, ref in _references(a)
    ]


def attempt_rows(
    begun: Sequence[Message], gateway: str, owner: str, now: Instant
) -> list[tuple[Any, ...]]:
    """In the order of ``NEW_ATTEMPT``."""
    return [
        (message.id, message.attempts, gateway, owner, now, message.address.masked)
        for message in begun
    ]


def read_attempts(rows: Iterable[Sequence[Any]]) -> list[AttemptRow]:
    """From rows in the order of ``ATTEMPT``."""
    return [
        AttemptRow(
            number=number,
            gateway=gateway,
            started_at=started_at,
            ended_at=ended_at,
            outcome=outcome,
            code=code,
            detail=detail,
            to=to,
        )
        for number, gateway, started_at, ended_at, outcome, code, detail, to in rows
    ]


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
        case _ if attempted.falls or attempted.verdict.state in {State.ACCEPTED, State.UNKNOWN}:
            return [*taken.items(), (open_[0] if open_ else 0, own)]
        case _:
            return list(taken.items())
