"""What an office knows: procedures with their papers, limits and fees, and standing topics.

A procedure is found by its code, or by the words of its title or of what people call it. A word
weighs the more the fewer titles have it, as in any search by terms; where two procedures fit about
as well, none is taken, since a wrong fee is worse than a pointer to the portal.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from notifier.domain.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from notifier.domain.inquiry import Intent


class LimitUnit(StrEnum):
    """What a time limit counts, as the data files write it."""

    WORKING_DAYS = "d"
    CALENDAR_DAYS = "cd"
    WORKING_HOURS = "h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long a procedure takes by its decision; a count of 0 means within the day."""

    count: int
    unit: LimitUnit


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

LEAST_COVERED: Final = 0.5
"""Of the weight of a title, how much a text has to name."""

LEAST_MEANT: Final = 0.6
"""Of the weight of what a text names of all titles, how much the best has to be named by."""

LEAST_AHEAD: Final = 1.1
"""How many times better than any other procedure the best has to fit."""

LIKE_TITLES: Final = 50
"""A list shorter than this is weighed as if it had so many titles."""

COMMON_WEIGHT: Final = 0.5
COMMON: Final = frozenset(
    [
        "thu",
        "tuc",
        "dang",
        "ky",
        "cap",
        "giay",
        "to",
        "xin",
        "lam",
        "doi",
        "cho",
        "va",
        "hoac",
        "cac",
        "cua",
        "trong",
        "theo",
        "truong",
        "hop",
        "nguoi",
        "viec",
        "can",
        "gi",
        "bao",
        "nhieu",
        "tien",
        "phi",
        "le",
        "nop",
        "mang",
        "o",
        "dau",
        "nhu",
        "nao",
        "the",
        "la",
        "co",
        "khong",
        "duoc",
        "toi",
        "em",
        "ve",
        "de",
        "hoi",
        "muon",
        "so",
        "ho",
        "voi",
        "tai",
        "tu",
        "den",
        "mot",
        "nhung",
        "khi",
        "bang",
        "the",
        "of",
        "a",
        "for",
        "to",
        "in",
        "and",
    ]
)
"""Words of many titles, or of any question: alone they name no procedure."""


@dataclass(frozen=True, slots=True)
class _Title:
    """One name of a procedure: its words, and their weight."""

    of: int
    words: frozenset[str]
    weight: float


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that the office knows, indexed. An empty one finds nothing."""

    procedures: tuple[Procedure, ...] = ()
    topics: tuple[Topic, ...] = ()
    _by_code: Mapping[str, int] = field(default_factory=dict, repr=False)
    _titles: tuple[_Title, ...] = field(default=(), repr=False)
    _holding: Mapping[tuple[str, ...], tuple[int, ...]] = field(default_factory=dict, repr=False)
    _weights: Mapping[str, float] = field(default_factory=dict, repr=False)

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
        named = [
            (number, words)
            for number, procedure in enumerate(procedures)
            for name in (procedure.name, *procedure.also)
            if not COMMON.issuperset(words := plain(name, spellings or {}, frozenset()).split())
        ]
        weights = _weights([words for _, words in named])
        holding: dict[tuple[str, ...], list[int]] = {}
        for place, (_, words) in enumerate(named):
            for key in _keys(words) if len(words) > 1 else [tuple(words)]:
                holding.setdefault(key, []).append(place)
        return cls(
            procedures,
            tuple(topics),
            _codes(procedures),
            tuple(
                _Title(number, frozenset(words), sum(weights[word] for word in set(words)))
                for number, words in named
            ),
            {key: tuple(places) for key, places in holding.items()},
            weights,
        )

    def procedure(self, words: str) -> Procedure | None:
        """The procedure that plain ``words`` name by code or title; None where none or several."""
        for code in CODE.findall(words):
            if code in self._by_code:
                return self.procedures[self._by_code[code]]
        said = words.replace("_", " ").split()
        found = sorted(self._scores(said).items(), key=lambda score: -score[1])[:2]
        if not found or (len(found) > 1 and found[0][1] < LEAST_AHEAD * found[1][1]):
            return None
        return self.procedures[found[0][0]]

    def topic(self, intent: Intent, words: str) -> Topic | None:
        """The first topic for this intent whose phrases the plain ``words`` hold."""
        text = f" {words} "
        fitting = (topic for topic in self.topics if intent in topic.intents)
        return next((topic for topic in fitting if topic.phrases.search(text)), None)

    def _scores(self, said: Sequence[str]) -> dict[int, float]:
        """How well each procedure that is named fits, by Dice's measure over weighed words."""
        words = self._weights.keys() & set(said)
        keys = self._holding.keys() & {*_keys(said), *((word,) for word in said)}
        asked = self._weight(words)
        # What names another thing too, such as "trích lục" beside "khai sinh", asks for that.
        strong = {word for key in keys for word in key}
        least = LEAST_MEANT * self._weight(strong)
        scores: dict[int, float] = {}
        meant: dict[int, set[str]] = {}
        for place in {place for key in keys for place in self._holding[key]}:
            title = self._titles[place]
            meant.setdefault(title.of, set()).update(title.words & strong)
            common = self._weight(title.words & words)
            if common >= LEAST_COVERED * title.weight:
                score = 2 * common / (asked + title.weight)
                scores[title.of] = max(score, scores.get(title.of, 0.0))
        return {of: score for of, score in scores.items() if self._weight(meant[of]) >= least}

    def _weight(self, words: Iterable[str]) -> float:
        return sum(self._weights[word] for word in words)


def _weights(titles: Sequence[Sequence[str]]) -> dict[str, float]:
    held = Counter(word for words in titles for word in set(words))
    several = max(len(titles), LIKE_TITLES)
    return {
        word: COMMON_WEIGHT if word in COMMON else math.log1p(several / count)
        for word, count in held.items()
    }


def _keys(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Words side by side that together say something."""
    for pair in pairwise(words):
        if not COMMON.issuperset(pair):
            yield pair


def _codes(procedures: Sequence[Procedure]) -> dict[str, int]:
    """The national parts that one procedure alone has, each with its place."""
    parts = [found[1] if (found := CODE.match(each.code)) else each.code for each in procedures]
    times = Counter(parts)
    return {part: place for place, part in enumerate(parts) if times[part] == 1}
