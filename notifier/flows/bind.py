"""A chat account is tied to a number, or untied: proved, limited, recorded, revocable."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from notifier.domain import disclosure, instant
from notifier.domain.answer import Answer, Part, Say
from notifier.domain.binding import CODE_DIGITS, CODE_LIFETIME, MOST_CODES_A_DAY, Binding, Wish
from notifier.domain.disclosure import GUESSING_WINDOW, Asker
from notifier.domain.message import Address

if TYPE_CHECKING:
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Inbound, Message
    from notifier.flows.compose import Composer
    from notifier.ports import Session


class Bind:
    """Decides what follows a binding's wish, inside the transaction that keeps its text."""

    def __init__(self, installation: Installation, composer: Composer) -> None:
        self._installation = installation
        self._composer = composer

    async def take(
        self, session: Session, message: Inbound, asked: Binding, key: str, now: Instant
    ) -> tuple[Answer, list[Message]]:
        """The answer to the text of ``key``, and the SMS with a code where one is sent."""
        match asked.wish:
            case Wish.HOW:
                return _said(Say.LINK_HOW), []
            case Wish.UNDO:
                await session.unbind([message.sender], key, now)
                return _said(Say.UNLINKED), []
            case Wish.SHARE:
                return await self._tie(session, message.sender, asked, "contact", key, now), []
            case Wish.TYPE_CODE:
                return await self._typed(session, message.sender, asked, key, now), []
            case Wish.ASK_BY_SMS:
                return await self._asked_by_sms(session, message.sender, now), []
            case Wish.SEND_CODE:
                return await self._send(session, message.sender, asked, key, now)

    async def _tie(
        self, session: Session, account: Address, asked: Binding, by: str, key: str, now: Instant
    ) -> Answer:
        if asked.number is None:
            return _said(Say.LINK_HOW)
        await session.bind(account, Address("sms", asked.number.e164), f"{by} {key}", now)
        return Answer(parts=(Part(say=Say.LINKED, place=asked.number.masked),))

    async def _typed(
        self, session: Session, account: Address, asked: Binding, key: str, now: Instant
    ) -> Answer:
        guesses = await session.guesses([account], now - GUESSING_WINDOW, now - instant.DAY)
        lately, today = guesses.get(account, (0, 0))
        asker = Asker(address=account, guesses_lately=lately - 1, guesses_today=today - 1)
        if disclosure.is_over_limit(asker, self._installation.disclosure):
            return _said(Say.LINK_WRONG)
        number = await session.use_link(asked.code, account, now)
        if number is None:
            return _said(Say.LINK_WRONG)
        await session.bind(account, number, f"code {key}", now)
        return Answer(parts=(Part(say=Say.LINKED, place=_masked(number)),))

    async def _asked_by_sms(self, session: Session, number: Address, now: Instant) -> Answer:
        if await session.links_since(number, None, now - instant.DAY) >= MOST_CODES_A_DAY:
            return _said(Say.LINK_TOO_MANY)
        code = _fresh_code()
        await session.add_link(code, number, None, now, now + CODE_LIFETIME)
        return Answer(parts=(Part(say=Say.LINK_CODE, code=code),))

    async def _send(
        self, session: Session, account: Address, asked: Binding, key: str, now: Instant
    ) -> tuple[Answer, list[Message]]:
        if asked.number is None:
            return _said(Say.LINK_HOW), []
        number = Address("sms", asked.number.e164)
        if await session.links_since(number, account, now - instant.DAY) >= MOST_CODES_A_DAY:
            return _said(Say.LINK_TOO_MANY), []
        code = _fresh_code()
        await session.add_link(code, number, account, now, now + CODE_LIFETIME)
        sms = self._composer.answer(
            Answer(parts=(Part(say=Say.LINK_CODE, code=code),)),
            number,
            key=f"link|{key}",
            language=self._installation.locale,
            now=now,
        )
        return Answer(parts=(Part(say=Say.LINK_SENT, place=asked.number.masked),)), [sms]


def _fresh_code() -> str:
    return str(secrets.randbelow(10**CODE_DIGITS)).zfill(CODE_DIGITS)


def _said(say: Say) -> Answer:
    return Answer(parts=(Part(say=say),))


def _masked(number: Address) -> str:
    return f"{number.value[-10:-8]}…{number.value[-3:]}"
