"""What an office knows: procedures with their papers, limits and fees, and standing topics.

A procedure is found by its code, or by the words of its title or of what people call it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from notifier.domain.titles import Titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from notifier.domain.inquiry import Intent
    from notifier.domain.limit import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One administrative procedure as the office has published it.

    ``fee`` is in đồng; 0 is free of charge, None is not known. ``also``: what people call it.
    ``source`` and ``as_of`` say which decision the facts are from, and when they were checked.
    """

    code: str
    name: str
    source: str
    as_of: date
    field: str = ""
    papers: tuple[str, ...] = ()
    limit: Limit | None = None
    fee: int | None = None
    fee_note: str = ""
    where: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A standing answer to questions of ``intents`` that hold one of ``phrases``.

    ``short`` is for SMS, ``long`` for chats, by locale.
    """

    name: str
    intents: frozenset[Intent]
    phrases: re.Pattern[str]
    short: Mapping[str, str]
    long: Mapping[str, str]
    source: str
    as_of: date


CODE: Final = re.compile(r"(?<![0-9a-zA-Z.])([0-9]\.[0-9]{6})(?![0-9])")
"""The national part of a procedure's code, as the National Public Service Portal writes it."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that the office knows, indexed. An empty one finds nothing."""

    procedures: tuple[Procedure, ...] = ()
    topics: tuple[Topic, ...] = ()
    _by_code: Mapping[str, int] = field(default_factory=dict, repr=False)
    _titles: Titles = field(default_factory=Titles, repr=False)

    @classmethod
    def of(
        cls,
        procedures: Iterable[Procedure],
        topics: Iterable[Topic] = (),
        *,
        spellings: Mapping[str, str] | None = None,
    ) -> Knowledge:
        """The index. ``spellings`` are those that citizens' texts are read with."""
        procedures = tuple(procedures)
        names = (
            (number, name)
            for number, procedure in enumerate(procedures)
            for name in (procedure.name, *procedure.also)
        )
        titles = Titles.of(names, spellings=spellings)
        return cls(procedures, tuple(topics), _codes(procedures), titles)

    def procedure(self, words: str) -> Procedure | None:
        """The procedure that plain ``words`` name by code or title; None where none or several."""
        found = self.coded(words)
        if found is not None:
            return found
        best = self._titles.best(words)
        return None if best is None else self.procedures[best]

    def coded(self, words: str) -> Procedure | None:
        """The procedure whose code stands in ``words``."""
        for code in CODE.findall(words):
            if code in self._by_code:
                return self.procedures[self._by_code[code]]
        return None

    def topic(self, intent: Intent, words: str) -> Topic | None:
        """The first topic for this intent whose phrases the plain ``words`` hold."""
        text = f" {words} "
        fitting = (topic for topic in self.topics if intent in topic.intents)
        return next((topic for topic in fitting if topic.phrases.search(text)), None)


def _codes(procedures: Sequence[Procedure]) -> dict[str, int]:
    """The national parts that one procedure alone has, each with its place."""
    parts = [found[1] if (found := CODE.match(each.code)) else each.code for each in procedures]
    times = Counter(parts)
    return {part: place for place, part in enumerate(parts) if times[part] == 1}
