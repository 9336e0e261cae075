"""A citizen asks: the question is kept and its answer queued in one transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from notifier.domain import answer, binding, conversation, disclosure, inquiry, instant
from notifier.domain.consent import Refusal
from notifier.domain.conversation import FOLLOW_UP, HELP_PAUSE, Said, Talk
from notifier.domain.disclosure import GUESSING_WINDOW, RUN_WINDOW, Asker, Level
from notifier.domain.inquiry import Intent
from notifier.domain.message import Address
from notifier.errors import TemplateError
from notifier.flows.bind import Bind
from notifier.flows.ladder import same_person
from notifier.ports import Fragment, Heard, WorkItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.domain.answer import Answer
    from notifier.domain.disclosure import Policy
    from notifier.domain.dossier import Dossier
    from notifier.domain.inquiry import Inquiry
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Inbound, Message
    from notifier.flows.compose import Composer
    from notifier.flows.keep import Keep
    from notifier.ports import Clock, Session

WAITING: Final = "WAITING"
"""What stands for the intent of a text that waits for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A question as it was understood after what went before, and its answer."""

    inquiry: Inquiry
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of texts: how many messages were queued, and whether one waits for the rest."""

    queued: int = 0
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A text with what the sender wrote just before it, as one question, which may have to wait."""

    message: Inbound
    inquiry: Inquiry
    waits: Fragment | None


class Answering:
    """Reads questions and decides their answers."""

    def __init__(
        self, installation: Installation, composer: Composer, keep: Keep, clock: Clock, *, wait: int
    ) -> None:
        """``wait``: how long (ms) a text without a code or a keyword waits for the rest; 0: not."""
        self._installation = installation
        self._composer = composer
        self._keep = keep
        self._clock = clock
        self._wait = wait
        self._bind = Bind(installation, composer)

    def read(self, text: str, profile: str, now: Instant) -> Inquiry:
        """What ``text`` asks at ``now``. ``profile`` is the channel's language hint."""
        read = inquiry.read(
            text,
            self._installation.keywords,
            today=instant.local_date(now),
            default_language=self._language(profile),
            legacy=self._installation.legacy_codes,
        )
        return answer.named(read, self._installation.knowledge)

    def is_fragment(self, question: Inquiry) -> bool:
        """Whether nothing can be made of it yet: the rest may be on its way."""
        return answer.is_fragment(question, self._installation.knowledge)

    def _language(self, profile: str) -> str:
        return "en" if profile.startswith("en") else self._installation.locale

    async def decide(
        self,
        session: Session,
        asked: Sequence[tuple[Inquiry, Address]],
        now: Instant,
        said: Mapping[Address, Said] | None = None,
    ) -> list[Decided]:
        """The answers to questions, from what is stored; changes nothing.

        ``said`` is what the askers wrote before; None: each question stands alone.
        """
        accounts = [address for _, address in asked]
        proved = await session.numbers_of([a for a in accounts if a.channel != "sms"])
        before = said or {}
        codes = {code for question, _ in asked for code in question.codes}
        codes |= {code for one in before.values() for code in one.codes}
        dossiers = await session.dossiers(sorted(codes)) if codes else {}
        guesses = await session.guesses(
            accounts if said is not None else [],
            now - GUESSING_WINDOW,
            now - instant.DAY,
        )
        tried = await session.tried(sorted(map(disclosure.run_of, codes)), now - RUN_WINDOW)
        policy = self._installation.disclosure
        askers = [
            Asker(
                address=address,
                proved_phones=proved.get(address, frozenset()),
                guesses_lately=guesses.get(address, (0, 0))[0],
                guesses_today=guesses.get(address, (0, 0))[1],
            )
            for address in accounts
        ]
        own = await self._own(session, [
            asker for (question, _), asker in zip(asked, askers, strict=True)
            if _wants_own(question, asker, dossiers, policy)
        ])  # fmt: skip
        decided: list[Decided] = []
        running: Counter[Address] = Counter()
        guessed: set[str] = set()
        for (question, address), asker in zip(asked, askers, strict=True):
            held = own.get(address, ())
            chosen = answer.decide(
                question,
                {**dossiers, **{dossier.code: dossier for dossier in held}},
                # The questions of one batch count against one another too.
                replace(
                    asker,
                    guesses_lately=asker.guesses_lately + running[address],
                    guesses_today=asker.guesses_today + running[address],
                    tried_runs=_tried_out(tried, guessed, policy),
                ),
                Talk(own=held, said=before.get(address, Said())),
                policy=policy,
                units=self._installation.units,
                statuses=self._installation.statuses,
                knowledge=self._installation.knowledge,
            )
            running[address] += len(chosen.guessed)
            guessed.update(chosen.guessed)
            decided.append(Decided(inquiry=question, answer=chosen))
        return decided

    async def _said(
        self, session: Session, inbound: Sequence[Inbound], now: Instant
    ) -> dict[Address, Said]:
        senders = [message.sender for message in inbound]
        return await session.said(senders, now - HELP_PAUSE, now - FOLLOW_UP)

    async def _own(
        self, session: Session, askers: Sequence[Asker]
    ) -> dict[Address, tuple[Dossier, ...]]:
        """The dossiers of each asker's numbers."""
        numbers = {asker.address: asker.numbers for asker in askers}
        every = [number for held in numbers.values() for number in held]
        found = await session.dossiers_of(every) if every else {}
        return {
            address: tuple(dossier for number in held for dossier in found.get(number, ()))
            for address, held in numbers.items()
        }

    async def take(
        self, session: Session, gateway: str, inbound: Sequence[Inbound], now: Instant
    ) -> Taken:
        """Keep what people wrote, act on it, queue the answers."""
        bindings = [(message, wish) for message in inbound if (wish := binding.read(message))]
        bound = {message.key for message, _ in bindings}
        questions = [message for message in inbound if message.key not in bound]
        # Whose guesses and codes are counted, and what is made of several texts: held first.
        numbers = [str(Address("sms", wish.number.e164)) for _, wish in bindings if wish.number]
        await session.hold(sorted({*numbers, *(str(message.sender) for message in inbound)}))
        taken = await self._take_questions(session, gateway, questions, now)
        linked = await self._take_bindings(session, gateway, bindings, now) if bindings else 0
        return replace(taken, queued=taken.queued + linked)

    async def take_gathered(self, session: Session, over: Sequence[Fragment], now: Instant) -> int:
        """Answer what has waited for the rest long enough; how many messages were queued."""
        asked = [self.read(one.inbound.text, one.inbound.profile, now) for one in over]
        await session.hold(_looked_up(asked))
        decided = await self.decide(
            session,
            [(question, one.inbound.sender) for question, one in zip(asked, over, strict=True)],
            now,
            await self._said(session, [one.inbound for one in over], now),
        )
        heard = [
            _heard(one.gateway, one.inbound, answered)
            for one, answered in zip(over, decided, strict=True)
        ]
        await session.reread(heard)
        await session.drop_fragments(over)
        return await self._act(session, list(zip(heard, decided, strict=True)), now)

    async def _take_bindings(
        self,
        session: Session,
        gateway: str,
        bindings: Sequence[tuple[Inbound, binding.Binding]],
        now: Instant,
    ) -> int:
        heard = [
            Heard(
                gateway=gateway,
                inbound=message,
                intent="LINK",
                guesses=int(asked.wish is binding.Wish.TYPE_CODE),
            )
            for message, asked in bindings
        ]
        messages: list[Message] = []
        new = await session.add_inbound(heard, now)
        for (message, asked), is_new in zip(bindings, new, strict=True):
            if not is_new:
                continue
            key = f"answer|{gateway}|{message.key}"
            decided, sms = await self._bind.take(session, message, asked, key, now)
            language = self._language(message.profile)
            messages += [
                *sms,
                self._composer.answer(decided, message.sender, key=key, language=language, now=now),
            ]
        return len(await session.add_messages(messages))

    async def _take_questions(
        self, session: Session, gateway: str, inbound: Sequence[Inbound], now: Instant
    ) -> Taken:
        if not inbound:
            return Taken()
        senders = [message.sender for message in inbound]
        before = await session.fragments_of(gateway, senders) if self._wait else {}
        said = await self._said(session, inbound, now)
        read = self._together(gateway, inbound, before, said, now)
        at_once = [one for one in read if one.waits is None]
        await session.hold(_looked_up([one.inquiry for one in at_once]))
        decided = await self.decide(
            session, [(one.inquiry, one.message.sender) for one in at_once], now, said
        )
        answered = {one.message.key: answer for one, answer in zip(at_once, decided, strict=True)}
        heard = [_heard(gateway, message, answered.get(message.key)) for message in inbound]
        new = await session.add_inbound(heard, now)
        fresh = [one for one, is_new in zip(read, new, strict=True) if is_new]
        waiting = {one.message.sender: one.waits for one in fresh}
        await session.put_fragments([one for one in waiting.values() if one])
        await session.drop_fragments(
            [one for sender, one in before.items() if sender in waiting and not waiting[sender]]
        )
        taken = [
            (one, answered[one.inbound.key])
            for one, is_new in zip(heard, new, strict=True)
            if is_new and one.inbound.key in answered
        ]
        return Taken(
            queued=await self._act(session, taken, now) if taken else 0,
            waits=any(waiting.values()),
        )

    def _together(
        self,
        gateway: str,
        inbound: Sequence[Inbound],
        before: Mapping[Address, Fragment],
        said: Mapping[Address, Said],
        now: Instant,
    ) -> list[_Read]:
        """Each text read with what its sender wrote just before it and what was not clear yet."""
        waiting: dict[Address, Fragment | None] = dict(before)
        read: list[_Read] = []
        for message in inbound:
            earlier = waiting.get(message.sender)
            question, text = self._read_after(earlier, message, now)
            question = conversation.resolved(
                question, said.get(message.sender, Said()), self._installation.keywords
            )
            waits = None
            if self._wait and self.is_fragment(question):
                elapsed = self._clock.elapsed()
                first = earlier.first_at if earlier else elapsed
                waits = Fragment(
                    gateway=gateway,
                    inbound=replace(message, text=text),
                    first_at=first,
                    until=conversation.gathered_until(first, elapsed, self._wait),
                )
            waiting[message.sender] = waits
            read.append(_Read(message=message, inquiry=question, waits=waits))
        return read

    def _read_after(
        self, earlier: Fragment | None, message: Inbound, now: Instant
    ) -> tuple[Inquiry, str]:
        """A text that is clear by itself is read by itself, unless it lacks a code's beginning."""
        alone = self.read(message.text, message.profile, now)
        if earlier is None:
            return alone, message.text
        text = f"{earlier.inbound.text}\n{message.text}"
        whole = self.read(text, message.profile, now)
        more = len(whole.codes) > len(alone.codes)
        return (whole, text) if more or self.is_fragment(alone) else (alone, message.text)

    async def _act(
        self, session: Session, taken: Sequence[tuple[Heard, Decided]], now: Instant
    ) -> int:
        """Do what was decided, and queue the answers; how many."""
        await self._heed(session, taken, now)
        await session.add_guesses(
            [(disclosure.run_of(code), code) for _, one in taken for code in one.answer.guessed],
            now,
        )
        messages: list[Message] = []
        work: list[WorkItem] = []
        for heard, one in taken:
            key = f"answer|{heard.gateway}|{heard.inbound.key}"
            question, decision = one.inquiry, one.answer
            if decision.for_people:
                work.append(_for_people(decision, question, key, now))
            if not decision.parts:
                continue
            try:
                messages.append(
                    self._composer.answer(
                        decision,
                        heard.inbound.sender,
                        key=key,
                        language=question.language,
                        now=now,
                    )
                )
            except TemplateError as error:
                work.append(
                    WorkItem(key=key, kind="not_answered", detail=str(error), opened_at=now)
                )
        await session.add_work(work)
        await self._keep.keep(
            session,
            [(heard.inbound.sender, one.inquiry.language, one.answer) for heard, one in taken],
            now,
        )
        await session.add_ratings(
            [one.answer.rating for _, one in taken if one.answer.rating is not None], now
        )
        return len(await session.add_messages(messages))

    async def _heed(
        self, session: Session, taken: Sequence[tuple[Heard, Decided]], now: Instant
    ) -> None:
        for heard, one in taken:
            sender, proof = heard.inbound.sender, f"{heard.gateway}|{heard.inbound.key}"
            if one.answer.resume:
                await session.resume(await same_person(session, sender), proof, now)
            if one.answer.refuse:
                await session.refuse(
                    [
                        Refusal(address=sender, scope=scope, at=now, proof=proof)
                        for scope in one.answer.refuse
                    ]
                )


def _looked_up(asked: Iterable[Inquiry]) -> list[str]:
    """The codes, which may appear meanwhile, and their runs, of which guesses are counted."""
    codes = {code for question in asked for code in question.codes}
    return sorted(codes | set(map(disclosure.run_of, codes)))


def _wants_own(
    question: Inquiry, asker: Asker, dossiers: Mapping[str, Dossier], policy: Policy
) -> bool:
    """Whether the answer may depend on which dossiers are the asker's.

    With a code that they may be told of by right it does not; with any other, it might be a slip
    of theirs, whether it exists or not.
    """
    if question.intent is Intent.RATING:
        return True
    if not question.codes:
        return question.intent in answer.MAY_BE_ABOUT_OWN
    return not all(
        code in dossiers and disclosure.level(asker, dossiers[code], policy) is Level.L1
        for code in question.codes
    )


def _tried_out(before: Mapping[str, int], guessed: Iterable[str], policy: Policy) -> frozenset[str]:
    """The runs of which too many codes were guessed, ``before`` and in this batch."""
    counts = Counter(before)
    counts.update(map(disclosure.run_of, guessed))
    return frozenset(run for run, count in counts.items() if count >= policy.most_guesses_of_a_run)


def _heard(gateway: str, message: Inbound, decided: Decided | None) -> Heard:
    """How a text is kept; None: it waits for the rest."""
    if decided is None:
        return Heard(gateway=gateway, inbound=message, intent=WAITING)
    return Heard(
        gateway=gateway,
        inbound=message,
        intent=decided.inquiry.intent,
        codes=decided.inquiry.codes,
        offered=decided.answer.offered,
        guesses=len(decided.answer.guessed),
    )


def _for_people(decided: Answer, question: Inquiry, key: str, now: Instant) -> WorkItem:
    return WorkItem(
        key=f"{decided.for_people}|{key}",
        kind=decided.for_people,
        dossier=question.codes[0] if question.codes else None,
        detail=f"a text that was read as {question.intent.value}; see message {key}",
        opened_at=now,
    )
