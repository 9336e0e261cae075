"""The simulated phones: what each one shows, and who waits for a change."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from notifier.domain.instant import Instant

TEXTS_KEPT: Final = 200
"""Texts a phone remembers."""
PHONES_KEPT: Final = 2_000
"""Phones that are remembered; the one that was quiet longest is forgotten first."""


class Direction(StrEnum):
    """Which way a text went, seen from the phone."""

    IN = "in"
    OUT = "out"


class TextState(StrEnum):
    """Where a text on a phone stands, as the carrier knows it."""

    SENT = "sent"
    """The carrier has it; nobody has been told more."""
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text on a phone. ``at`` is civil time in ms; ``parts`` how many SMS it was paid as."""

    id: str
    direction: Direction
    text: str = field(repr=False)
    at: Instant
    state: TextState
    parts: int = 1
    encoding: str = ""
    refs: tuple[tuple[int, str], ...] = ()
    key: str = field(default="", repr=False)


class Phones:
    """The newest texts of the newest phones, by number in E.164."""

    def __init__(self) -> None:
        self.version = 0
        """Grows with every change that an observer can see."""
        self._texts: OrderedDict[str, deque[Text]] = OrderedDict()
        self._change = asyncio.Event()

    def numbers(self) -> tuple[str, ...]:
        """The phones that ever got or wrote a text; the latest last."""
        return tuple(self._texts)

    def texts(self, number: str) -> tuple[Text, ...]:
        """What the phone shows, oldest first."""
        return tuple(self._texts.get(number, ()))

    def add(self, number: str, text: Text) -> None:
        """Shows a new text."""
        self._texts.setdefault(number, deque(maxlen=TEXTS_KEPT)).append(text)
        self._texts.move_to_end(number)
        while len(self._texts) > PHONES_KEPT:
            self._texts.popitem(last=False)
        self.touch()

    def put(self, number: str, text: Text) -> None:
        """Shows ``text`` in the place of the one with its id; forgotten ones stay forgotten."""
        texts = self._texts.get(number, deque())
        for place, old in enumerate(texts):
            if old.id == text.id:
                texts[place] = text
        self.touch()

    def mark(self, number: str, text_id: str, state: TextState) -> None:
        """Says of a text where it stands."""
        for text in self.texts(number):
            if text.id == text_id:
                self.put(number, replace(text, state=state))

    def touch(self) -> None:
        """Wakes those who wait for a change."""
        self.version += 1
        change, self._change = self._change, asyncio.Event()
        change.set()

    async def changed(self, since: int) -> int:
        """Waits until ``version`` is no longer ``since``, and gives it."""
        while self.version == since:
            await self._change.wait()
        return self.version
