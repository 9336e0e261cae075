"""The ladder of channels: a notice that did not arrive goes on over the next, then to people.

It stays the one message that it is, with its key: only channel, address and words are others. Each
step is made in the transaction that records why the last channel is over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from notifier.domain import consent, instant
from notifier.domain.ladder import BY_NUMBER, CALL, EMAIL, SMS, address_of, behind
from notifier.domain.message import Address, State, message_id
from notifier.domain.notice import MOVED_ON, Notice, person_of, still_true
from notifier.domain.rules import is_owed
from notifier.errors import TemplateError
from notifier.ports import Fallen, Moved, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.ladder import Ladder
    from notifier.domain.message import Message
    from notifier.domain.rules import Rule
    from notifier.flows.compose import Composer, Text
    from notifier.ports import Clock, Session, Store

BATCH: Final = 200

MOST_BATCHES: Final = 50
"""Transactions of one sweep; what is left then waits for the next tick."""

PROBED: Final = instant.MINUTE
"""How long (ms) a message waits at least: with the first one a gateway that rested is tried."""

log = structlog.get_logger()


async def accounts_for(
    session: Session, notices: Iterable[Notice], ladder: Ladder
) -> dict[Address, tuple[Address, ...]]:
    """The chat accounts of those who are told, by number; not looked up where there is no chat."""
    return await _accounts(session, (notice.dossier for notice in notices), ladder)


async def _accounts(
    session: Session, dossiers: Iterable[Dossier], ladder: Ladder
) -> dict[Address, tuple[Address, ...]]:
    if not ladder.has_chats:
        return {}
    people = (person_of(dossier) for dossier in dossiers)
    numbers = {Address(SMS, person.phone.e164) for person in people if person.phone}
    return await session.accounts_of(sorted(numbers, key=str)) if numbers else {}


async def same_person(session: Session, address: Address) -> list[Address]:
    """``address``, and the numbers and accounts that were tied to it."""
    numbers = [address]
    if address.channel != SMS:
        tied = await session.numbers_of([address])
        numbers = [Address(SMS, number) for number in sorted(tied.get(address, ()))]
    accounts = await session.accounts_of(numbers)
    return list(dict.fromkeys([address, *numbers, *(a for one in accounts.values() for a in one)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How the people of some dossiers are reached, and what they refuse."""

    dossiers: Mapping[str, Dossier]
    accounts: Mapping[Address, Sequence[Address]]
    refusals: Mapping[Address, frozenset[str]]

    @classmethod
    async def of(
        cls,
        session: Session,
        dossiers: Mapping[str, Dossier],
        ladder: Ladder,
        more: Iterable[Address] = (),
    ) -> Reach:
        """``more``: other addresses whose refusals are asked for."""
        accounts = await _accounts(session, dossiers.values(), ladder)
        known = cls(dossiers=dossiers, accounts=accounts, refusals={})
        addresses = {a for dossier in dossiers.values() for a in known.addresses(dossier)}
        refusals = await session.refusals(list({*addresses, *more}))
        return replace(known, refusals=refusals)

    def addresses(self, dossier: Dossier) -> list[Address]:
        """Everything that the person who is told about ``dossier`` is known by."""
        person = person_of(dossier)
        found = [Address(EMAIL, person.email)] if person.email else []
        if person.phone:
            found += [Address(channel, person.phone.e164) for channel in sorted(BY_NUMBER)]
            found += self.accounts.get(Address(SMS, person.phone.e164), ())
        return found

    def refused(self, dossier: Dossier) -> bool:
        """Whether the person has said, by whatever channel, that they want to hear no more."""
        return any(
            consent.own_word(self.refusals.get(address, frozenset()), dossier.code)
            for address in self.addresses(dossier)
        )

    def blocked(self, address: Address) -> bool:
        """Whether nothing that was not asked for may go to ``address``."""
        return consent.closed(self.refusals.get(address, frozenset()))

    def shut(self, dossier: Dossier, address: Address) -> str:
        """Why nothing about ``dossier`` may go to ``address``; empty where it may."""
        if not consent.allows(dossier, address.channel):
            return f"the dossier forbids {address.channel}"
        if self.blocked(address):
            return f"the recipient takes nothing from us by {address.channel}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    address: Address
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """Where a message goes: ``on`` over its next channel, or it has failed, and why.

    ``apart``: what it said of other dossiers and can't say any more. ``whole``: nobody is left.
    """

    on: Message | None = None
    reason: str = ""
    apart: tuple[Message, ...] = ()
    work: tuple[WorkItem, ...] = ()
    whole: bool = True


class StepDown:
    """Chooses the next channel of messages whose channel is over for them."""

    def __init__(self, installation: Installation, composer: Composer) -> None:
        self._installation = installation
        self._composer = composer

    async def fallen(self, session: Session, now: Instant) -> int:
        """All that has fallen goes on, or has failed and people are asked to call; how many."""
        count = 0
        while fallen := await session.fallen(BATCH):
            reach = await self._reach(session, [one.message for one in fallen])
            courses = [(one, self._course(one, reach, now)) for one in fallen]
            await session.add_messages([new for _, course in courses for new in course.apart])
            await session.add_work([item for _, course in courses for item in course.work])
            await session.step([course.on for _, course in courses if course.on], now)
            await session.move(
                [
                    Moved(id=one.message.id, state=State.FAILED, reason=course.reason)
                    for one, course in courses
                    if course.on is None
                ],
                now,
            )
            count += len(fallen)
        return count

    async def waiting(
        self, session: Session, messages: Mapping[str, tuple[Message, str]], now: Instant
    ) -> set[str]:
        """Queued messages, by id, that can't leave over their channel, and why, go on to the next.

        Those that have no further channel stay as they are; the ids of the others.
        """
        if not messages:
            return set()
        reach = await self._reach(session, [message for message, _ in messages.values()])
        stepped: set[str] = set()
        for message, reason in messages.values():
            fallen = Fallen(
                message=message, channel=message.address.channel, reason=reason, unknowns=0
            )
            course = self._course(fallen, reach, now)
            if course.on is not None and course.whole:
                await session.add_messages(course.apart)
                stepped |= await session.step([course.on], now, f"{reason}: it goes on")
        return stepped

    async def _reach(self, session: Session, messages: Sequence[Message]) -> Reach:
        codes = sorted({code for message in messages for code, _ in message.dossiers})
        dossiers = await session.dossiers(codes) if codes else {}
        return await Reach.of(session, dossiers, self._installation.ladder)

    def _course(self, fallen: Fallen, reach: Reach, now: Instant) -> _Course:
        message, reason = fallen.message, fallen.reason
        if now >= message.best_before:
            return _Course(reason=f"{reason}; its best-before has passed")
        rule = self._installation.rules.named(message.notice)
        told = [
            (reach.dossiers[code], episode)
            for code, episode in message.dossiers
            if code in reach.dossiers and self._is_told(rule, reach, code, episode)
        ]
        # What may have arrived, and must not be said twice, is for a person to find out.
        doubtful = rule is None or (fallen.unknowns > 0 and not rule.resend)
        ways = {
            dossier.code: None
            if doubtful
            else self._way(fallen, rule, dossier, episode, reach, now)
            for dossier, episode in told
        }
        return self._parted(fallen, told, ways, now)

    def _parted(
        self,
        fallen: Fallen,
        told: Sequence[tuple[Dossier, str]],
        ways: Mapping[str, _Way | None],
        now: Instant,
    ) -> _Course:
        """One message as far as it can be; what goes another way than its own dossier parts."""
        message = fallen.message
        own = next((one for one in told if one[0].code == message.dossier), None)
        lead = ways[own[0].code] if own else None
        joined: list[tuple[Dossier, str]] = []
        on: Message | None = None
        if own and lead:
            same = [
                one
                for one in told
                if one is not own
                and (way := ways[one[0].code]) is not None
                and way.address == lead.address
            ]
            text = self._together([own, *same], message, lead.address, now) if same else None
            joined = same if text else []
            also = tuple((dossier.code, episode) for dossier, episode in joined)
            on = _on(message, lead.address, text or lead.text, also, self._opens(now))
        others = [one for one in told if one is not own and one not in joined]
        apart = [
            self._alone(message, dossier, episode, way, now)
            for dossier, episode in others
            if (way := ways[dossier.code])
        ]
        lost = [one for one in told if ways[one[0].code] is None]
        return _Course(
            on=on,
            reason=f"{fallen.reason}; {MOVED_ON}" if own is None else fallen.reason,
            apart=tuple(apart),
            work=tuple(to_call(message, one.code, fallen.reason, now) for one, _ in lost)
            if is_owed(self._installation.rules.named(message.notice))
            else (),
            whole=not lost,
        )

    def _is_told(self, rule: Rule | None, reach: Reach, code: str, episode: str) -> bool:
        """Whether the person is still to be told of it, and has not said that they won't."""
        dossier = reach.dossiers[code]
        if reach.refused(dossier):
            return False
        return rule is None or still_true(rule, dossier, episode, self._installation.statuses)

    def _way(
        self,
        fallen: Fallen,
        rule: Rule | None,
        dossier: Dossier,
        episode: str,
        reach: Reach,
        now: Instant,
    ) -> _Way | None:
        """The first further channel that has an address and words, and is open; None without."""
        if rule is None:
            return None
        person = person_of(dossier)
        notice = Notice(rule=rule, dossier=dossier, episode=episode, person=person)
        for channel in behind(fallen.message.rungs, fallen.channel):
            if channel not in self._installation.ladder.channels:
                continue
            address = address_of(person, channel, reach.accounts)
            if address is None or reach.shut(dossier, address):
                continue
            try:
                text = self._composer.notice_text(
                    notice, locale=fallen.message.locale, channel=channel, now=now
                )
            except TemplateError:
                continue
            return _Way(address=address, text=text)
        return None

    def _together(
        self, told: Sequence[tuple[Dossier, str]], message: Message, address: Address, now: Instant
    ) -> Text | None:
        rule = self._installation.rules.named(message.notice)
        if rule is None:
            return None
        return self._composer.together(
            [
                Notice(rule=rule, dossier=dossier, episode=episode, person=person_of(dossier))
                for dossier, episode in told
            ],
            locale=message.locale,
            channel=address.channel,
            now=now,
        )

    def _alone(
        self, message: Message, dossier: Dossier, episode: str, way: _Way, now: Instant
    ) -> Message:
        """A new message for a dossier that a carrier spoke of."""
        key = f"{message.key}|apart|{dossier.code}"
        new = _on(message, way.address, way.text, (), self._opens(now))
        return replace(
            new,
            id=message_id(key, now),
            key=key,
            dossier=dossier.code,
            episode=episode,
            created_at=now,
            attempts=0,
            rung=0,
            spent=0,
        )

    def _opens(self, now: Instant) -> Instant:
        return self._installation.notice_hours.next_open(now)


class Stranded:
    """What waits for a channel none of whose gateways works goes on to the next one."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        installation: Installation,
        step_down: StepDown,
        works: Callable[[str], bool],
        queued: Callable[[], None],
    ) -> None:
        """``works``: whether a channel has a gateway that works now."""
        self._store = store
        self._clock = clock
        self._ladder = installation.ladder
        self._step_down = step_down
        self._works = works
        self._queued = queued
        self._since: dict[str, Instant] = {}

    async def sweep(self, now: Instant) -> int:
        """How many messages went on; also what has fallen and was left so."""
        dead = self._dead()
        count = 0
        for _ in range(MOST_BATCHES):
            stepped, seen = await self._sweep_batch(dead, now)
            count += stepped
            if seen < BATCH:
                break
        if count:
            log.warning("ladder.no_gateway", channels=dead, messages=count)
            self._queued()
        return count

    def _dead(self) -> list[str]:
        """Channels that had no working gateway whenever it was looked, for as long as is waited."""
        elapsed = self._clock.elapsed()
        channels = {*self._ladder.notices, *self._ladder.deadlines}
        since = {
            channel: self._since.get(channel, elapsed)
            for channel in channels
            if not self._works(channel)
        }
        self._since = since
        return sorted(name for name, at in since.items() if elapsed - at >= self._ladder.wait)

    async def _sweep_batch(self, dead: Sequence[str], now: Instant) -> tuple[int, int]:
        async with self._store.write() as session:
            fell = await self._step_down.fallen(session, now)
            if not dead:
                return fell, 0
            waiting = await session.stranded(dead, now - PROBED, BATCH)
            reasons = {
                one.id: (one, f"no gateway of {one.address.channel} works") for one in waiting
            }
            stepped = await self._step_down.waiting(session, reasons, now)
            # What has nowhere else to go waits on, and need not be looked at again.
            stay = await session.messages([one.id for one in waiting if one.id not in stepped])
            await session.reword([replace(one, rungs=_up_to(one)) for one in stay], now)
            return fell + len(stepped), len(waiting)


def _up_to(message: Message) -> tuple[str, ...]:
    """The channels up to the one that a message is on."""
    count = len(message.rungs) - len(behind(message.rungs, message.address.channel))
    return message.rungs[:count]


def _on(
    message: Message,
    address: Address,
    text: Text,
    also: tuple[tuple[str, str], ...],
    not_before: Instant,
) -> Message:
    """The same message, one rung further down."""
    return replace(
        message,
        address=address,
        text=text.text,
        plan=text.plan,
        subject=text.subject,
        also=also,
        not_before=not_before,
        buttons=(),
        contact_button="",
        accepted_parts=(),
        rung=message.rung + 1,
        spent=message.attempts,
    )


def to_call(message: Message, code: str, reason: str, now: Instant) -> WorkItem:
    """What people call about, once a notice; without a number, since the dossier has it."""
    key = f"{CALL}|{message.key}"
    return WorkItem(
        key=key if code == message.dossier else f"{key}|{code}",
        kind=CALL,
        dossier=code,
        detail=f"{message.notice}: {reason}",
        opened_at=now,
    )
