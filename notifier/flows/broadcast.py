"""A notice to a list: read and counted, approved by a second person, handed out in slices."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from notifier.domain import broadcast as rules
from notifier.domain import consent, instant
from notifier.domain.audience import Recipient, RowFault
from notifier.domain.broadcast import Broadcast, BroadcastState
from notifier.domain.message import Lane, Message, message_id
from notifier.errors import InputError, NotAllowedError, TemplateError
from notifier.ports import WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import State
    from notifier.flows.compose import Composer, Text
    from notifier.ports import Clock, Session, Store

READ_AT_ONCE: Final = 1_000
"""Rows of a list that are read, counted and kept in one transaction."""

BEST_BEFORE: Final = 3 * instant.DAY
FAULTS_SHOWN: Final = 1_000
PREVIEWED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A broadcast as read, and the first rows that could not be used."""

    broadcast: Broadcast
    faults: tuple[RowFault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first texts of a broadcast, each with its masked address."""

    broadcast: Broadcast
    texts: tuple[tuple[str, Text], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A broadcast and what became of its messages so far."""

    broadcast: Broadcast
    messages: Mapping[State, int]


class Broadcasting:
    """What staff do with broadcasts, and the sweep that hands them out."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        composer: Composer,
        queued: Callable[[], None],
        *,
        slice_size: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._composer = composer
        self._queued = queued
        self._slice = slice_size

    async def new(
        self,
        rows: Iterable[Recipient | RowFault],
        *,
        title: str,
        template: str,
        author: str,
        keep_accents: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Reading:
        """Read a list into a draft; every text is written once to count it and to find faults.

        Doubles, refusals, unusable numbers and texts are left out and counted. Raises
        ``InputError`` where nobody is left. ``progress`` is told of each row read.
        """
        now = self._clock.civil()
        draft = Broadcast(
            id=message_id(f"{title}|{author}|{template}", now),
            title=title,
            template=template,
            channel="sms",
            state=BroadcastState.DRAFT,
            author=author.strip(),
            created_at=now,
            keep_accents=keep_accents,
        )
        if not draft.author:
            raise NotAllowedError("a broadcast needs an author; give a name with --by")
        faults: list[RowFault] = []
        for chunk in _batched(rows, READ_AT_ONCE):
            draft, more = await self._read_chunk(draft, chunk)
            faults = [*faults, *more][:FAULTS_SHOWN]
            progress(len(chunk))
        if not draft.recipients:
            why = f"; row {faults[0].row}: {faults[0].problem}" if faults else ""
            raise InputError(f"the list has nobody who can be written to{why}")
        async with self._store.write() as session:
            await session.add_broadcast(draft)
        return Reading(broadcast=draft, faults=tuple(faults))

    async def preview(self, broadcast_id: str) -> Preview:
        """The first texts, as they would leave."""
        async with self._store.read() as session:
            found = await _existing(session, broadcast_id)
            recipients = await session.recipients(broadcast_id, 0, PREVIEWED)
        return Preview(
            broadcast=found,
            texts=tuple((r.address.masked, self._text(found, r)) for r in recipients),
        )

    async def act(self, broadcast_id: str, act: str, by: str) -> Standing:
        """approve, start, pause or abort; raises ``NotAllowedError`` where the rules forbid it."""
        now = self._clock.civil()
        async with self._store.write() as session:
            found = await _existing(session, broadcast_id)
            to = rules.check(found, act, by)
            if not await session.move_broadcast(found, to, by.strip(), act, now):
                raise NotAllowedError(f"broadcast {broadcast_id} was changed meanwhile; look again")
            if to is BroadcastState.ABORTED:
                await session.cancel_broadcast(broadcast_id, "the broadcast was aborted", now)
        return await self.status(broadcast_id)

    async def status(self, broadcast_id: str) -> Standing:
        """Where it stands."""
        async with self._store.read() as session:
            found = await _existing(session, broadcast_id)
            return Standing(broadcast=found, messages=await session.broadcast_counts(broadcast_id))

    async def sweep(self, now: Instant) -> int:
        """Hand the next slice of each running broadcast to the outbox; how many messages."""
        async with self._store.read() as session:
            running = await session.broadcasts(BroadcastState.RUNNING)
        released = 0
        for found in running:
            released += await self._release(found, now)
        if released:
            self._queued()
        return released

    async def _read_chunk(
        self, draft: Broadcast, chunk: Sequence[Recipient | RowFault]
    ) -> tuple[Broadcast, list[RowFault]]:
        faults = [row for row in chunk if isinstance(row, RowFault)]
        usable: list[Recipient] = []
        segments: dict[int, int] = {}
        for row in chunk:
            if isinstance(row, RowFault):
                continue
            try:
                segments[row.row] = self._text(draft, row).plan.segments
            except TemplateError as error:
                faults.append(RowFault(row=row.row, problem=str(error)))
            else:
                usable.append(row)
        async with self._store.write() as session:
            refused = await session.refusals([row.address for row in usable])
            willing = [
                row for row in usable if not consent.closed(refused.get(row.address, frozenset()))
            ]
            kept = await session.add_recipients(draft.id, willing)
        return (
            replace(
                draft,
                recipients=draft.recipients + kept,
                segments=draft.segments + sum(segments[row.row] for row in willing),
                refused=draft.refused + len(usable) - len(willing),
                faults=draft.faults + len(faults),
            ),
            faults,
        )

    async def _release(self, found: Broadcast, now: Instant) -> int:
        async with self._store.write() as session:
            waiting = await session.open_of_broadcast(found.id, self._slice)
            room = self._slice - waiting
            after = await session.released_up_to(found.id)
            recipients = await session.recipients(found.id, after, max(room, 0)) if room else []
            if not recipients:
                if waiting == 0:
                    await session.move_broadcast(
                        found, BroadcastState.DONE, "service", "finish", now
                    )
                return 0
            messages, work = self._messages(found, recipients, now)
            added = await session.add_messages(messages)
            await session.add_work(work)
            await session.release_recipients(found.id, recipients[-1].row, len(added))
        return len(added)

    def _messages(
        self, found: Broadcast, recipients: Sequence[Recipient], now: Instant
    ) -> tuple[list[Message], list[WorkItem]]:
        """Their messages. Texts that could be written when the list was read, and can't any more,
        are left to people: one item a slice, which names the rows."""
        messages: list[Message] = []
        rows: list[str] = []
        why = ""
        for recipient in recipients:
            try:
                messages.append(self._message(found, recipient, now))
            except TemplateError as error:
                rows.append(str(recipient.row))
                why = why or str(error)
        if not rows:
            return messages, []
        item = WorkItem(
            key=f"not_composed|broadcast|{found.id}|{rows[0]}",
            kind="not_composed",
            detail=f"broadcast {found.id}, rows {', '.join(rows)}: {why}",
            opened_at=now,
        )
        return messages, [item]

    def _message(self, found: Broadcast, recipient: Recipient, now: Instant) -> Message:
        text = self._text(found, recipient)
        key = f"broadcast|{found.id}|{recipient.row}"
        return Message(
            id=message_id(key, now),
            key=key,
            lane=Lane.BULK,
            address=recipient.address,
            text=text.text,
            plan=text.plan,
            locale="vi",
            created_at=now,
            not_before=now,
            best_before=now + BEST_BEFORE,
            notice="broadcast",
            broadcast=found.id,
        )

    def _text(self, found: Broadcast, recipient: Recipient) -> Text:
        return self._composer.bulk_text(
            found.template,
            recipient.values,
            channel=found.channel,
            keep_accents=found.keep_accents,
        )


def _batched(
    rows: Iterable[Recipient | RowFault], size: int
) -> Iterator[list[Recipient | RowFault]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk


async def _existing(session: Session, broadcast_id: str) -> Broadcast:
    found = await session.broadcast(broadcast_id)
    if found is None:
        raise InputError(f"there is no broadcast {broadcast_id}; see: notifier broadcast status")
    return found
