"""How the provider, the line to it, and its delivery reports behave: drawn by weight."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

T = TypeVar("T")


class Weather(IntEnum):
    """What ``Shared.weather`` holds."""

    FAIR = 0
    MIXED = 1
    STORM = 2


class Line(StrEnum):
    """What the line does to one connection."""

    PASS = "pass"
    DELAY = "delay"
    RESET = "reset"
    HALF_OPEN = "half open"
    DRIP = "a byte at a time"
    BLACK_HOLE = "black hole"


class Reply(StrEnum):
    """What the provider does with one request; the first five take the message."""

    ACCEPT = "accept"
    TAKE_AND_HANG_UP = "take it and hang up"
    TAKE_IN_SILENCE = "take it and never answer"
    TAKE_AND_BABBLE = "take it and talk nonsense"
    TAKE_AND_BREAK = "take it and say 500"
    HANG_UP = "hang up after reading"
    BREAK = "say 500"
    BUSY = "too many requests"
    DOWN = "say 503"
    NOT_NOW = "say not now"
    NOT_SURE = "say that it is not sure"
    NO_PERSON = "refuse the recipient"
    NO_TEXT = "refuse the content"
    NO_TEMPLATE = "refuse the template"
    NO_ACCOUNT = "refuse the account"
    NO_CONFIGURATION = "refuse the configuration"
    OPTED_OUT = "say that the recipient refuses"


TAKEN: Final = frozenset(list(Reply)[:5])


class Report(StrEnum):
    """How a message is reported on."""

    PROMPT = "prompt"
    EARLY = "before the answer"
    LATE = "late"
    LOST = "lost"
    DOUBLED = "doubled"
    PENDING_FIRST = "pending first"
    FAILED = "failed"
    CONTRADICTED = "contradicted"
    STRANGE = "a word that nobody knows"


LINES: Final[Mapping[Weather, Mapping[Line, int]]] = {
    Weather.FAIR: {Line.PASS: 1},
    Weather.MIXED: {
        Line.PASS: 80,
        Line.DELAY: 8,
        Line.RESET: 4,
        Line.HALF_OPEN: 3,
        Line.DRIP: 3,
        Line.BLACK_HOLE: 2,
    },
    Weather.STORM: dict.fromkeys(Line, 1),
}

REPLIES: Final[Mapping[Weather, Mapping[Reply, int]]] = {
    Weather.FAIR: {Reply.ACCEPT: 1},
    Weather.MIXED: {
        **dict.fromkeys(Reply, 2),
        Reply.ACCEPT: 160,
        Reply.NO_ACCOUNT: 1,
        Reply.NO_CONFIGURATION: 1,
    },
    Weather.STORM: {**dict.fromkeys(Reply, 2), Reply.ACCEPT: 20},
}

REPORTS: Final[Mapping[Report, int]] = {
    Report.PROMPT: 8,
    Report.EARLY: 2,
    Report.LATE: 4,
    Report.LOST: 3,
    Report.DOUBLED: 2,
    Report.PENDING_FIRST: 2,
    Report.FAILED: 1,
    Report.CONTRADICTED: 1,
    Report.STRANGE: 1,
}


def draw(chance: Random, weights: Mapping[T, int]) -> T:
    """One of them, by weight."""
    [drawn] = chance.choices(list(weights), list(weights.values()))
    return drawn
