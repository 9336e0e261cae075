"""What a citizen's text asks: the intent, the dossier codes in it, and the language.

Keywords are data; this file only knows how they are looked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain import code as dossier_code
from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


class Intent(StrEnum):
    """What is wanted."""

    STATUS = "STATUS"
    DUE_DATE = "DUE_DATE"
    LATE = "LATE"
    SUPPLEMENT = "SUPPLEMENT"
    FEE = "FEE"
    RESULT_DELIVERY = "RESULT_DELIVERY"
    ADDRESS = "ADDRESS"
    HOURS = "HOURS"
    CODE_HELP = "CODE_HELP"
    PROCEDURE = "PROCEDURE"
    COMPLAINT = "COMPLAINT"
    RATING = "RATING"
    OPT_OUT = "OPT_OUT"
    SUBSCRIBE = "SUBSCRIBE"
    CHANGE_CONTACT = "CHANGE_CONTACT"
    WITHDRAW = "WITHDRAW"
    AGENT = "AGENT"
    HELP = "HELP"
    GREETING = "GREETING"
    THANKS = "THANKS"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """The installation's words, folded. ``alone``: the whole text; ``phrases``: anywhere in it.

    The order of the intents is the order in which they are tried. ``english`` are words that mark
    a text as English.
    """

    alone: Mapping[str, Intent]
    phrases: tuple[tuple[Intent, re.Pattern[str]], ...]
    english: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """``codes`` are canonical, in the order of the text. ``by`` is the word that decided."""

    intent: Intent
    codes: tuple[str, ...] = ()
    language: str = "vi"
    by: str = field(default="", repr=False)


LONGEST_TEXT = 2_000
"""Characters of a text that are read; nobody asks in more."""


def read(text: str, keywords: Keywords, *, today: date, default_language: str = "vi") -> Inquiry:
    """What ``text`` asks. Never raises; what can't be understood is ``Intent.UNKNOWN``."""
    text = text[:LONGEST_TEXT]
    codes = tuple(found.text for found in dossier_code.read(text, today=today))
    folded = fold(text)
    bare = re.sub(r"[^\w?]+", " ", folded).strip()
    language = default_language
    if default_language == "vi" and not keywords.english.isdisjoint(bare.split()):
        language = "en"
    if not codes and folded in keywords.alone:  # such as /start, which has more than words
        return Inquiry(intent=keywords.alone[folded], language=language, by=folded)
    intent, by = _intent(bare, keywords, has_code=bool(codes))
    return Inquiry(intent=intent, codes=codes, language=language, by=by)


def _intent(bare: str, keywords: Keywords, *, has_code: bool) -> tuple[Intent, str]:
    if not has_code and bare in keywords.alone:
        return keywords.alone[bare], bare
    for intent, pattern in keywords.phrases:
        if found := pattern.search(bare):
            return intent, found.group()
    return (Intent.STATUS, "code") if has_code else (Intent.UNKNOWN, "")
