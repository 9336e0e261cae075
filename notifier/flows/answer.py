"""A citizen asks: the question is kept and its answer queued in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.domain import answer, binding, inquiry, instant
from notifier.domain.consent import Refusal
from notifier.domain.conversation import FOLLOW_UP, HELP_PAUSE, Talk
from notifier.domain.disclosure import GUESSING_WINDOW, Asker
from notifier.domain.inquiry import Intent
from notifier.domain.message import Address
from notifier.errors import TemplateError
from notifier.flows.bind import Bind
from notifier.ports import Heard, WorkItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from notifier.domain.answer import Answer
    from notifier.domain.inquiry import Inquiry
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Inbound, Message
    from notifier.flows.compose import Composer
    from notifier.flows.keep import Keep
    from notifier.ports import Session


class Answering:
    """Reads questions and decides their answers."""

    def __init__(self, installation: Installation, composer: Composer, keep: Keep) -> None:
        self._installation = installation
        self._composer = composer
        self._keep = keep
        self._bind = Bind(installation, composer)

    def read(self, text: str, profile: str, now: Instant) -> Inquiry:
        """What ``text`` asks at ``now``. ``profile`` is the channel's language hint."""
        return inquiry.read(
            text,
            self._installation.keywords,
            today=instant.local_date(now),
            default_language=self._language(profile),
        )

    def _language(self, profile: str) -> str:
        return "en" if profile.startswith("en") else self._installation.locale

    async def decide(
        self,
        session: Session,
        asked: Sequence[tuple[Inquiry, Address]],
        now: Instant,
        *,
        history: bool = True,
    ) -> list[Answer]:
        """The answers to questions, from what is stored; changes nothing.

        Without ``history`` each stands alone: what the same people asked before plays no part.
        """
        proved = await session.numbers_of(
            [address for _, address in asked if address.channel != "sms"]
        )
        talks = await self._talks(session, asked, proved, now, history=history)
        codes = {code for question, _ in asked for code in question.codes}
        codes |= {code for talk in talks.values() for code in talk.recent}
        dossiers = await session.dossiers(sorted(codes)) if codes else {}
        guesses = await session.guesses(
            [address for question, address in asked if question.codes and history],
            now - GUESSING_WINDOW,
            now - instant.DAY,
        )
        answers: list[Answer] = []
        running: dict[Address, tuple[int, int]] = dict(guesses)
        for question, address in asked:
            lately, today = running.get(address, (0, 0))
            talk = talks[address]
            decided = answer.decide(
                question,
                {**dossiers, **{dossier.code: dossier for dossier in talk.own}},
                Asker(
                    address=address,
                    proved_phones=proved.get(address, frozenset()),
                    guesses_lately=lately,
                    guesses_today=today,
                ),
                talk,
                policy=self._installation.disclosure,
                units=self._installation.units,
                statuses=self._installation.statuses,
                knowledge=self._installation.knowledge,
            )
            # The questions of one batch count against one another too.
            running[address] = (lately + decided.guesses, today + decided.guesses)
            answers.append(decided)
        return answers

    async def _talks(
        self,
        session: Session,
        asked: Sequence[tuple[Inquiry, Address]],
        proved: Mapping[Address, frozenset[str]],
        now: Instant,
        *,
        history: bool,
    ) -> dict[Address, Talk]:
        """What went before; of the asker's own dossiers only where the text names none."""
        said = await session.talks(
            [address for _, address in asked if history], now - HELP_PAUSE, now - FOLLOW_UP
        )
        holds = {
            address: [Address("sms", number) for number in sorted(proved.get(address, ()))]
            or [address]
            for question, address in asked
            if _wants_own(question)
        }
        numbers = [number for held in holds.values() for number in held]
        own = await session.dossiers_of(numbers) if numbers else {}
        talks: dict[Address, Talk] = {}
        for _, address in asked:
            texts, not_understood, recent = said.get(address, (0, 0, ()))
            talks[address] = Talk(
                own=tuple(
                    dossier for number in holds.get(address, ()) for dossier in own.get(number, ())
                ),
                recent=recent,
                asked=texts,
                not_understood=not_understood,
            )
        return talks

    async def take(
        self, session: Session, gateway: str, inbound: Sequence[Inbound], now: Instant
    ) -> int:
        """Keep what people wrote, act on it, queue the answers; how many messages were queued."""
        bindings = [(message, wish) for message in inbound if (wish := binding.read(message))]
        bound = {message.key for message, _ in bindings}
        questions = [message for message in inbound if message.key not in bound]
        queued = await self._take_questions(session, gateway, questions, now) if questions else 0
        if bindings:
            queued += await self._take_bindings(session, gateway, bindings, now)
        return queued

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
    ) -> int:
        asked = [self.read(message.text, message.profile, now) for message in inbound]
        answers = await self.decide(
            session,
            [(question, message.sender) for question, message in zip(asked, inbound, strict=True)],
            now,
        )
        new = await session.add_inbound(
            [
                Heard(
                    gateway=gateway,
                    inbound=message,
                    intent=question.intent,
                    codes=question.codes,
                    guesses=decided.guesses,
                )
                for message, question, decided in zip(inbound, asked, answers, strict=True)
            ],
            now,
        )
        taken = [
            (message, question, decided)
            for message, question, decided, is_new in zip(inbound, asked, answers, new, strict=True)
            if is_new
        ]
        await self._heed(session, gateway, [(m, d) for m, _, d in taken], now)
        messages: list[Message] = []
        work: list[WorkItem] = []
        for message, question, decided in taken:
            key = f"answer|{gateway}|{message.key}"
            if decided.for_people:
                work.append(_for_people(decided, question, key, now))
            if not decided.parts:
                continue
            try:
                messages.append(
                    self._composer.answer(
                        decided, message.sender, key=key, language=question.language, now=now
                    )
                )
            except TemplateError as error:
                work.append(
                    WorkItem(key=key, kind="not_answered", detail=str(error), opened_at=now)
                )
        await session.add_work(work)
        await self._keep.keep(
            session, [(m.sender, question.language, d) for m, question, d in taken], now
        )
        await session.add_ratings(
            [decided.rating for _, _, decided in taken if decided.rating is not None], now
        )
        return len(await session.add_messages(messages))

    async def _heed(
        self,
        session: Session,
        gateway: str,
        decided: Sequence[tuple[Inbound, Answer]],
        now: Instant,
    ) -> None:
        for message, decision in decided:
            proof = f"{gateway}|{message.key}"
            if decision.resume:
                await session.resume([message.sender], proof, now)
            if decision.refuse:
                await session.refuse(
                    [
                        Refusal(address=message.sender, scope=scope, at=now, proof=proof)
                        for scope in decision.refuse
                    ]
                )


def _wants_own(question: Inquiry) -> bool:
    """Whether the answer may depend on which dossiers are the asker's."""
    if question.intent is Intent.RATING:
        return True
    return not question.codes and question.intent in answer.ABOUT_A_DOSSIER


def _for_people(decided: Answer, question: Inquiry, key: str, now: Instant) -> WorkItem:
    return WorkItem(
        key=f"{decided.for_people}|{key}",
        kind=decided.for_people,
        dossier=question.codes[0] if question.codes else None,
        detail=f"a text that was read as {question.intent.value}; see message {key}",
        opened_at=now,
    )
