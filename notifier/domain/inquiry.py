"""What a citizen's text asks: the intent, the dossier codes in it, and the language.

Pure and explainable: a text is made plain, and the first rule of the keyword table that fits is
taken. The words are data; this file only knows how they are looked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from notifier.domain import code_reader
from notifier.domain.knowledge import CODE as PROCEDURE_CODE
from notifier.domain.phrases import joined
from notifier.domain.words import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from notifier.domain.code_form import CodeForm


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
class IntentRule:
    """One rule of the keyword table, in plain words.

    It fits a text that is one of ``alone``, or holds one of ``phrases`` and none of ``unless``.
    ``codes``: True only with a dossier code, False only without, None either way.
    """

    intent: Intent
    alone: frozenset[str] = frozenset()
    phrases: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    codes: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """The installation's words.

    ``spellings``: what people write for a word; ``known``: words that run-together text is taken
    apart into; ``compounds``: words that belong together; ``yes`` and
    ``no``: what answers a code that was asked back; ``quoted``: lines that were pasted from
    a message of ours or a slip; ``noise``: what robots and strangers send; ``english``: words that
    mark a text as English.
    """

    rules: tuple[IntentRule, ...]
    spellings: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    compounds: Mapping[str, str] = field(default_factory=dict)
    yes: re.Pattern[str] | None = None
    no: re.Pattern[str] | None = None
    quoted: re.Pattern[str] | None = None
    noise: re.Pattern[str] | None = None
    english: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """``codes`` are canonical, in the order of the text.

    ``words`` is the text as it was read, and ``by`` what in it decided.
    """

    intent: Intent
    codes: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    """Codes that a text may mean by one place in it, where it can be read in two ways."""
    language: str = "vi"
    words: str = field(default="", repr=False)
    by: str = field(default="", repr=False)
    is_noise: bool = False
    """Whether a machine or a stranger wrote it: nobody waits for an answer."""


LONGEST_TEXT: Final = 2_000
"""Characters of a text that are read; nobody asks in more."""

LONG_LINE: Final = 90
"""Letters of a single line from which it may be a message of ours, sent back."""

ENGLISH_WORDS: Final = 2
"""A text is English when this many of its words are, and more than a third; or its only one."""


def read(
    text: str,
    keywords: Keywords,
    *,
    today: date,
    default_language: str = "vi",
    legacy: Sequence[CodeForm] = (),
) -> Inquiry:
    """What ``text`` asks. Never raises; what can't be understood is ``Intent.UNKNOWN``.

    ``legacy`` are the forms of codes that this installation reads besides the national ones.
    """
    text = _within(text, LONGEST_TEXT)
    found = code_reader.read_apart(text, today=today, legacy=legacy)
    codes = tuple(code.text for code in found.codes)
    lines = [
        joined(line, keywords.compounds)
        for typed in found.rest.split("\n")
        if (line := plain(typed, keywords.spellings, keywords.known))
    ]
    asked = " ".join(_own(lines, keywords))
    language = _language(found.rest, keywords, default_language)
    whole = f" {' '.join(lines)} "
    noise = keywords.noise.search(whole) if keywords.noise and not codes else None
    if noise:
        return Inquiry(
            intent=Intent.UNKNOWN,
            language=language,
            words=asked,
            by=noise.group().strip(),
            is_noise=True,
        )
    intent, by = _intent(asked, whole.strip(), keywords, has_code=bool(codes or found.either))
    # A procedure's code is no dossier's, and yet says which procedure is meant.
    words = " ".join([asked, *PROCEDURE_CODE.findall(text)]).strip()
    return Inquiry(
        intent=intent,
        codes=codes,
        either=tuple(code.text for code in found.either),
        language=language,
        words=words,
        by=by,
    )


def _within(text: str, most: int) -> str:
    """``text``, or as many of its words as ``most`` characters hold: a code is never cut in two."""
    if len(text) <= most:
        return text
    return re.sub(r"\S*$", "", text[: most + 1])


def _own(lines: Sequence[str], keywords: Keywords) -> list[str]:
    """The lines that the person wrote: without what was pasted from a message or a slip."""
    if keywords.quoted is None or (len(lines) == 1 and len(lines[0]) < LONG_LINE):
        return list(lines)
    return [line for line in lines if not keywords.quoted.search(f" {line} ")]


def _intent(asked: str, whole: str, keywords: Keywords, *, has_code: bool) -> tuple[Intent, str]:
    for rule in keywords.rules:
        if rule.codes is not None and rule.codes is not has_code:
            continue
        if asked in rule.alone:
            return rule.intent, asked
        held = rule.phrases.search(f" {asked} ") if rule.phrases else None
        if held and not (rule.unless and rule.unless.search(f" {asked} ")):
            return rule.intent, held.group().strip()
    if has_code:
        return Intent.STATUS, "a code and no other wish"
    if whole and not asked:
        return Intent.STATUS, "a message of ours, sent back"
    return Intent.UNKNOWN, ""


def _language(rest: str, keywords: Keywords, default: str) -> str:
    words = [word for word in re.findall(r"[\w']+", rest.lower()) if not word.isdigit()]
    english = sum(word in keywords.english for word in words)
    if english >= ENGLISH_WORDS and 3 * english > len(words):
        return "en"
    # One word may be one that Vietnamese people use too; those stand among the spellings.
    only = english == len(words) == 1 and words[0] not in keywords.spellings
    return "en" if only else default
