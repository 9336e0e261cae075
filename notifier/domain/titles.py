"""Titles that people name in words of their own: of procedures, of units.

A word weighs the more the fewer titles have it, as in any search by terms; where two titles fit
about as well, none is taken, since a wrong answer is worse than a general one.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from notifier.domain.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LEAST_COVERED: Final = 0.5
"""Of the weight of a title, how much a text has to name."""

LEAST_MEANT: Final = 0.6
"""Of the weight of what a text names of all titles, how much the best has to be named by."""

LEAST_AHEAD: Final = 1.1
"""How many times better than any other procedure the best has to fit."""

MOSTLY_SAID: Final = 0.7
"""Of the words of a name, how many are enough although another name has them too."""

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
    """One name of a thing: its words, and their weight."""

    of: int
    words: frozenset[str]
    weight: float


@dataclass(frozen=True, slots=True)
class Titles:
    """The names of numbered things, indexed. An empty one finds nothing."""

    _titles: tuple[_Title, ...] = ()
    _holding: Mapping[tuple[str, ...], tuple[int, ...]] = field(default_factory=dict, repr=False)
    _weights: Mapping[str, float] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, names: Iterable[tuple[int, str]], *, spellings: Mapping[str, str] | None = None
    ) -> Titles:
        """The index of names, each with the number of what it names.

        ``spellings`` are those that citizens' texts are read with. A name that is made of common
        words alone is left out.
        """
        named = [
            (number, words)
            for number, name in names
            if not COMMON.issuperset(words := plain(name, spellings or {}, frozenset()).split())
        ]
        weights = _weights([words for _, words in named])
        holding: dict[tuple[str, ...], list[int]] = {}
        for place, (_, words) in enumerate(named):
            for key in _keys(words) if len(words) > 1 else [tuple(words)]:
                holding.setdefault(key, []).append(place)
        return cls(
            tuple(
                _Title(number, frozenset(words), sum(weights[word] for word in set(words)))
                for number, words in named
            ),
            {key: tuple(places) for key, places in holding.items()},
            weights,
        )

    def best(self, words: str) -> int | None:
        """The number of what plain ``words`` name; None where nothing or several."""
        said = words.replace("_", " ").split()
        found = sorted(self._scores(said).items(), key=lambda score: -score[1])[:2]
        if not found or (len(found) > 1 and found[0][1] < LEAST_AHEAD * found[1][1]):
            return None
        return found[0][0]

    def only(self, words: str) -> int | None:
        """As ``best``; None where little of its name is said, and that is in another name too.

        "UBND phường" names no ward of several, whichever has the shortest name.
        """
        best = self.best(words)
        said = set(words.replace("_", " ").split())
        own = [title.words for title in self._titles if title.of == best]
        if any(len(name & said) >= MOSTLY_SAID * len(name) for name in own):
            return best
        heard = said & frozenset().union(*own)
        others = (title.words for title in self._titles if title.of != best)
        return None if any(heard <= name for name in others) else best

    def _scores(self, said: Sequence[str]) -> dict[int, float]:
        """How well each thing that is named fits, by Dice's measure over weighed words."""
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
