"""A citizen asks: the question is kept and its answer queued in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.domain import answer, inquiry, instant
from notifier.domain.consent import Refusal
from notifier.domain.disclosure import GUESSING_WINDOW, Asker
from notifier.errors import TemplateError
from notifier.ports import Heard, WorkItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.answer import Answer
    from notifier.domain.inquiry import Inquiry
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address, Inbound, Message
    from notifier.flows.compose import Composer
    from notifier.ports import Session


class Answering:
    """Reads questions and decides their answers."""

    def __init__(self, installation: Installation, composer: Composer) -> None:
        self._installation = installation
        self._composer = composer

    def read(self, text: str, profile: str, now: Instant) -> Inquiry:
        """What ``text`` asks at ``now``. ``profile`` is the channel's language hint."""
        default = "en" if profile.startswith("en") else self._installation.locale
        return inquiry.read(
            text,
            self._installation.keywords,
            today=instant.local_date(now),
            default_language=default,
        )

    async def decide(
        self, session: Session, asked: Sequence[tuple[Inquiry, Address]], now: Instant
    ) -> list[Answer]:
        """The answers to questions, from what is stored; changes nothing."""
        codes = [code for question, _ in asked for code in question.codes]
        dossiers = await session.dossiers(codes) if codes else {}
        guesses = await session.guesses(
            [address for question, address in asked if question.codes],
            now - GUESSING_WINDOW,
            now - instant.DAY,
        )
        answers: list[Answer] = []
        running: dict[Address, tuple[int, int]] = dict(guesses)
        for question, address in asked:
            lately, today = running.get(address, (0, 0))
            asker = Asker(address=address, guesses_lately=lately, guesses_today=today)
            decided = answer.decide(
                question,
                dossiers,
                asker,
                policy=self._installation.disclosure,
                units=self._installation.units,
            )
            # The questions of one batch count against one another too.
            running[address] = (lately + decided.guesses, today + decided.guesses)
            answers.append(decided)
        return answers

    async def take(
        self, session: Session, gateway: str, inbound: Sequence[Inbound], now: Instant
    ) -> int:
        """Keep questions, act on "stop" and "start", queue the answers; how many were new."""
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
