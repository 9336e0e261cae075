"""The last look, at the moment of sending: may it leave, is it still true, what is said with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from notifier.domain import caps, consent, instant, notice
from notifier.domain.broadcast import BroadcastState
from notifier.domain.message import Lane, State
from notifier.domain.rules import DueRule
from notifier.errors import SealedError
from notifier.flows.ladder import Reach, to_call
from notifier.flows.together import Joined, failed
from notifier.ports import Moved, WorkItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from notifier.domain.broadcast import Broadcast
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address, Message
    from notifier.domain.rules import Rule
    from notifier.flows.ladder import StepDown
    from notifier.flows.together import Together
    from notifier.ports import Session

PAUSED_LOOK: Final = 5 * instant.SECOND
"""How often a message of a paused broadcast is looked at again (ms)."""

SEALED_LOOK: Final = instant.HOUR
"""How often what does not open is tried again (ms): the right keys may have been put back."""

NO_MORE: Final = frozenset({State.SUPERSEDED, State.CANCELLED})
"""Where what is to be told no more goes, by the look at its dossier or its recipient."""


@dataclass(frozen=True, slots=True)
class Shut:
    """The person is to be told, but not over this channel, and why.

    ``calls``: where there is no other, people are asked to call.
    """

    reason: str
    calls: bool

    def cancelled(self, message: Message) -> Moved:
        """Where it goes that has no other channel."""
        return Moved(id=message.id, state=State.CANCELLED, reason=self.reason)


class LastLook:
    """Decides, in the transaction of the claim, which messages leave and where the others go."""

    def __init__(
        self,
        installation: Installation,
        together: Together | None,
        step_down: StepDown,
        *,
        one_each: bool = False,
    ) -> None:
        """Without ``together`` each notice leaves by itself.

        ``one_each``: one message an address at a time; the others stay as they are, for a moment.
        """
        self._installation = installation
        self._together = together
        self._step_down = step_down
        self._one_each = one_each

    async def __call__(
        self, session: Session, ids: Sequence[str], now: Instant
    ) -> tuple[list[Joined], list[Moved]]:
        """Those that leave, with what is said at once as one, and the moves of all others."""
        allowed, moved = await self._looked_at(session, ids, now)
        joined = await self._joined(session, allowed, now)
        if self._one_each:
            joined = _firsts(joined)
        leaving, held = await self._within_caps(session, joined, now)
        said_with_another = [move for joined in leaving for move in joined.moved]
        return leaving, [*moved, *held, *said_with_another]

    async def _looked_at(
        self, session: Session, ids: Sequence[str], now: Instant
    ) -> tuple[list[Message], list[Moved]]:
        """As ``_looked_at_again``; what does not open waits for people and stops nothing else."""
        try:
            return await self._looked_at_again(session, await session.messages(ids), now)
        except SealedError:
            if len(ids) == 1:
                await session.add_work([_sealed(now)])
                return [], [_put_off(ids[0], now)]
        leaving: list[Message] = []
        moved: list[Moved] = []
        for id_ in ids:
            left, put_off = await self._looked_at(session, [id_], now)
            leaving += left
            moved += put_off
        return leaving, moved

    async def _looked_at_again(
        self, session: Session, messages: Sequence[Message], now: Instant
    ) -> tuple[list[Message], list[Moved]]:
        """Those that may leave, and where the others go: the last look before sending."""
        codes = [code for message in messages for code, _ in message.dossiers]
        dossiers = await session.dossiers(codes) if codes else {}
        reach = await Reach.of(
            session,
            dossiers,
            self._installation.ladder,
            [message.address for message in messages if message.lane is not Lane.ANSWER],
        )
        broadcasts = {
            broadcast_id: await session.broadcast(broadcast_id)
            for broadcast_id in {message.broadcast for message in messages if message.broadcast}
        }
        leaving: list[Message] = []
        moved: list[Moved] = []
        shut: dict[str, tuple[Message, Shut]] = {}
        for message in messages:
            bulk = broadcasts.get(message.broadcast) if message.broadcast else None
            move: Moved | Shut | None = _stopped_with(bulk, message, now)
            if move is None and message.also and self._together:
                move = await self._looked_at_each(session, self._together, message, reach, now)
            elif move is None:
                move = self._reason_to_stay(message, reach, now)
            match move:
                case None:
                    leaving.append(message)
                case Moved():
                    moved.append(move)
                case Shut():
                    shut[message.id] = (message, move)
        return leaving, [*moved, *await self._shut_out(session, shut, now)]

    async def _shut_out(
        self, session: Session, shut: Mapping[str, tuple[Message, Shut]], now: Instant
    ) -> list[Moved]:
        """Those to whom their channel is shut go on to the next; the moves of those without one."""
        reasons = {id_: (message, one.reason) for id_, (message, one) in shut.items()}
        stepped = await self._step_down.waiting(session, reasons, now)
        left = [one for id_, one in shut.items() if id_ not in stepped]
        await session.add_work(
            [
                to_call(message, message.dossier, one.reason, now)
                for message, one in left
                if one.calls and message.dossier
            ]
        )
        return [one.cancelled(message) for message, one in left]

    async def _looked_at_each(
        self,
        session: Session,
        together: Together,
        message: Message,
        reach: Reach,
        now: Instant,
    ) -> Moved | None:
        """Where a message goes that speaks of several dossiers: each of them is looked at.

        Where some are to be told no more, the others part from it, unless half of it has arrived.
        """
        looks = [
            (code, episode, self._look_at_one(message, code, episode, reach, now))
            for code, episode in message.dossiers
        ]
        told = [look for look in looks if look[2] is None or look[2].state not in NO_MORE]
        if len(told) in {0, len(looks)} or message.accepted_parts:
            move = (told or looks)[0][2]
            if move is not None and move.state is State.EXPIRED:
                await session.add_work([failed(message, move.reason, now)])
            return move
        dossiers = reach.dossiers
        true = [(dossiers[code], episode) for code, episode, _ in told if code in dossiers]
        apart, work = together.apart(message, true, now)
        await session.add_messages(apart)
        await session.add_work(work)
        reason = f"parted, since not all it says is to be told: {notice.MOVED_ON}"
        return Moved(id=message.id, state=State.SUPERSEDED, reason=reason)

    def _look_at_one(
        self, message: Message, code: str, episode: str, reach: Reach, now: Instant
    ) -> Moved | None:
        alone = replace(message, dossier=code, episode=episode, also=())
        look = self._reason_to_stay(alone, reach, now)
        return look.cancelled(message) if isinstance(look, Shut) else look

    async def _joined(
        self, session: Session, messages: Sequence[Message], now: Instant
    ) -> list[Joined]:
        """What may leave, with what can be said at once as one."""
        groups = self._together.candidates(messages) if self._together else []
        if not (self._together and groups):
            return [Joined(carrier=message) for message in messages]
        dossiers = await session.dossiers(
            sorted({code for group in groups for one in group for code, _ in one.dossiers})
        )
        found = [joined for group in groups for joined in self._together.join(group, dossiers, now)]
        carriers = {joined.carrier.id: joined for joined in found}
        others = {one.id for joined in found for one in joined.others}
        return [
            carriers.get(message.id) or Joined(carrier=message)
            for message in messages
            if message.id not in others
        ]

    async def _within_caps(
        self, session: Session, allowed: Sequence[Joined], now: Instant
    ) -> tuple[list[Joined], list[Moved]]:
        """Those that no cap holds back, and where the others go; each that leaves counts.

        What goes to an address that another process decides about stays as it is, for a moment.
        """
        concerned = [one.carrier.address for one in allowed if caps.concerns(one.carrier)]
        if not concerned:
            return list(allowed), []
        left = await session.left_since(list(dict.fromkeys(concerned)), now - caps.WINDOW)
        leaving: list[Joined] = []
        moved: list[Moved] = []
        for joined in allowed:
            message = joined.carrier
            if not caps.concerns(message):
                leaving.append(joined)
            elif message.address in left:
                so_far = left[message.address]
                if self._over_cap(message, so_far, now) is None:
                    leaving.append(joined)
                    so_far.append((message.lane, now))
                else:
                    held = [self._over_cap(one, so_far, now) for one in joined.messages]
                    moved += [move for move in held if move is not None]
        return leaving, moved

    def _over_cap(
        self, message: Message, left: Sequence[tuple[Lane, Instant]], now: Instant
    ) -> Moved | None:
        """It waits until one more may leave, where that is not too late for it."""
        cap = self._installation.caps.of(message.lane)
        times = [at for lane, at in left if lane is message.lane]
        frees_at = caps.frees_at(times, cap, now)
        if frees_at is None:
            return None
        what = "broadcasts" if message.lane is Lane.BULK else "notices"
        reason = f"over the cap: {cap} {what} to this address in 24 hours"
        if frees_at < message.best_before:
            return Moved(id=message.id, state=State.QUEUED, reason=reason, not_before=frees_at)
        reason += ", and its best-before passes before it may leave"
        return Moved(id=message.id, state=State.EXPIRED, reason=reason)

    def _reason_to_stay(self, message: Message, reach: Reach, now: Instant) -> Moved | Shut | None:
        installation = self._installation
        scopes = reach.refusals.get(message.address, frozenset())
        dossier = reach.dossiers.get(message.dossier) if message.dossier else None
        if now >= message.best_before:
            return Moved(id=message.id, state=State.EXPIRED, reason="its best-before has passed")
        if message.lane is Lane.ANSWER:
            return None
        if consent.own_word(scopes, message.dossier) or (dossier and reach.refused(dossier)):
            return Moved(id=message.id, state=State.CANCELLED, reason="the recipient refuses")
        rule = installation.rules.named(message.notice)
        if dossier is not None:
            if rule and not notice.still_true(
                rule, dossier, message.episode, installation.statuses
            ):
                return Moved(id=message.id, state=State.SUPERSEDED, reason=notice.MOVED_ON)
            if reason := reach.shut(dossier, message.address):
                return Shut(reason, calls=consent.allows(dossier, message.address.channel))
        elif consent.closed(scopes):
            return Moved(id=message.id, state=State.CANCELLED, reason="the recipient refuses")
        hours = (
            installation.broadcast_hours if message.lane is Lane.BULK else installation.notice_hours
        )
        opens = hours.next_open(now)
        return _until_open(message, rule, opens, now) if opens > now else None


def _firsts(joined: Sequence[Joined]) -> list[Joined]:
    """The first to each address."""
    firsts: dict[Address, Joined] = {}
    for one in joined:
        firsts.setdefault(one.carrier.address, one)
    return list(firsts.values())


def _until_open(message: Message, rule: Rule | None, opens: Instant, now: Instant) -> Moved:
    """Quiet hours: it waits, and its time to live moves along, but for a reminder's due date."""
    until_due = isinstance(rule, DueRule) and rule.best_before is None
    if until_due and opens >= message.best_before:
        return Moved(
            id=message.id, state=State.EXPIRED, reason="its best-before lies in quiet hours"
        )
    return Moved(
        id=message.id,
        state=State.QUEUED,
        reason="quiet hours",
        not_before=opens,
        best_before=message.best_before + (0 if until_due else opens - now),
    )


def _stopped_with(bulk: Broadcast | None, message: Message, now: Instant) -> Moved | None:
    """Where a message goes while its broadcast does not run."""
    if bulk is None or bulk.state in {BroadcastState.RUNNING, BroadcastState.DONE}:
        return None
    if bulk.state is BroadcastState.PAUSED:
        later = now + PAUSED_LOOK
        return Moved(
            id=message.id,
            state=State.QUEUED,
            reason="the broadcast is paused",
            not_before=later,
            best_before=message.best_before + PAUSED_LOOK,
        )
    return Moved(id=message.id, state=State.CANCELLED, reason="the broadcast was aborted")


def _put_off(message_id: str, now: Instant) -> Moved:
    """It keeps waiting, since nothing is wrong with it once it opens again."""
    return Moved(
        id=message_id,
        state=State.QUEUED,
        reason="what is stored of it, or of its dossier, does not open",
        not_before=now + SEALED_LOOK,
    )


def _sealed(now: Instant) -> WorkItem:
    """Once a day: with the wrong keys no message opens."""
    return WorkItem(
        key=f"sealed|{instant.local_date(now)}",
        kind="sealed",
        detail="messages wait that do not open: written with other keys, or damaged; put the key "
        "file back that lay beside the store",
        opened_at=now,
    )
