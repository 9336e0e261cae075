"""Codes that were asked for before their dossier was known: answered when it appears.

They count as guesses, at most three wait for one sender, and a dossier that the asker may not know
of is never answered: at the end its code is said to be unknown like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from notifier.domain import answer, consent, instant
from notifier.domain.answer import Answer, Part, Say
from notifier.domain.disclosure import RUN_WINDOW, Asker
from notifier.domain.message import Lane
from notifier.ports import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address, Message
    from notifier.flows.compose import Composer
    from notifier.ports import Session, Store

MOST_OF_ONE: Final = 3
"""Codes that wait for one sender."""

BATCH: Final = 200
BEST_BEFORE: Final = instant.DAY


class Keep:
    """Keeps codes, and says what became of them."""

    def __init__(
        self,
        store: Store,
        installation: Installation,
        composer: Composer,
        queued: Callable[[], None],
        *,
        span: int,
    ) -> None:
        """``span``: how long a code waits (ms)."""
        self._store = store
        self._installation = installation
        self._composer = composer
        self._queued = queued
        self._span = span

    async def keep(
        self,
        session: Session,
        asked: Sequence[tuple[Address, str, Answer]],
        now: Instant,
    ) -> None:
        """Keep the codes that were unknown: who asked, in what language, and the answer."""
        await session.keep_codes(
            [
                Kept(code=part.code, account=account, language=language, until=now + self._span)
                for account, language, decided in asked
                for part in decided.parts
                if part.say in {Say.UNKNOWN_CODE, Say.NEARLY} and not decided.over_limit
            ],
            MOST_OF_ONE,
        )

    async def appeared(
        self, session: Session, dossiers: Mapping[str, Dossier], now: Instant
    ) -> list[Message]:
        """The answers to those who asked for these dossiers before they were known."""
        waiting = await session.kept_for(sorted(dossiers))
        proved = await session.numbers_of([kept.account for kept in waiting])
        messages: list[Message] = []
        answered: list[Kept] = []
        for kept in waiting:
            part = answer.look_up(
                kept.code,
                dossiers[kept.code],
                Asker(address=kept.account, proved_phones=proved.get(kept.account, frozenset())),
                self._installation.disclosure,
                self._installation.units,
            )
            if part.say is Say.STATUS:
                messages.append(self._message(kept, part, now))
                answered.append(kept)
        await session.drop_kept(answered)
        return messages

    async def sweep(self, now: Instant) -> int:
        """Say of the codes whose time is over that they are unknown; how many there were.

        Guesses whose time is over are forgotten with them.
        """
        async with self._store.write() as session:
            over = await session.kept_over(now, BATCH)
            await session.drop_kept(over)
            await session.drop_guesses(now - RUN_WINDOW)
            refused = await session.refusals([kept.account for kept in over])
            messages = [
                self._message(kept, Part(say=Say.STILL_UNKNOWN, code=kept.code), now)
                for kept in over
                if not consent.closed(refused.get(kept.account, frozenset()))
            ]
            added = await session.add_messages(messages)
        if added:
            self._queued()
        return len(over)

    def _message(self, kept: Kept, part: Part, now: Instant) -> Message:
        return self._composer.later_answer(
            Answer(parts=(part,)),
            kept.account,
            key=f"kept|{kept.code}|{kept.key}|{kept.until}",
            language=kept.language,
            lane=Lane.NOTICE,
            best_before=BEST_BEFORE,
            now=now,
        )
