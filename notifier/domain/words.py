"""What a citizen typed as plain words: accents, keystrokes and short forms undone.

A Vietnamese syllable without accents has a small, closed form, so a token that is none of it was
mistyped: raw Telex (``hoof sow``), raw VNI (``ho62 so7``), a doubled letter, or words run together.
What is a syllable already is left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

ONSET: Final = "ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdghklmnprstvx]"

RIME: Final = (
    "a|ac|ach|ai|am|an|ang|anh|ao|ap|at|au|ay|"
    "e|ec|em|en|eng|eo|ep|et|ech|enh|eu|"
    "i|ia|ich|iec|iem|ien|ieng|iep|iet|ieu|im|in|inh|ip|it|iu|"
    "o|oa|oac|oach|oai|oam|oan|oang|oanh|oao|oap|oat|oay|oc|oe|oec|oem|oen|oeo|oet|oi|om|on|ong|"
    "op|ot|"
    "u|ua|uac|uach|uai|uan|uang|uanh|uat|uau|uay|uc|ue|uech|uen|uenh|uet|ui|um|un|ung|uo|uoc|uoi|"
    "uom|uon|uong|uop|uot|uou|up|ut|uu|uy|uya|uych|uyen|uyet|uynh|uyt|uyu|uya|"
    "y|yem|yen|yet|yeu|ynh"
)
SYLLABLE: Final = re.compile(rf"(?:{ONSET})?(?:{RIME})")
TELEX: Final = re.compile(rf"(dd|{ONSET})?(.+)")
VNI: Final = re.compile(r"(?:[a-z]+[1-9]{1,2})+[a-z]*")
TOKEN: Final = re.compile(r"/start\b|[a-z0-9]+|\?")
"""Words and numbers; a question mark, and the word that opens a chat with a bot, say something."""

LONGEST_TOKEN: Final = 40
"""Letters of a token that are taken apart; nobody runs more together."""


def is_syllable(token: str) -> bool:
    """Whether ``token`` (folded) has the form of a Vietnamese syllable without accents."""
    return SYLLABLE.fullmatch(token) is not None


def plain(text: str, spellings: Mapping[str, str], known: frozenset[str]) -> str:
    """The words of ``text``, folded and apart by one blank.

    ``spellings`` maps what people write for a word to the word or words; ``known`` are the words
    that run-together text is taken apart into.
    """
    words: list[str] = []
    for token in TOKEN.findall(fold(text)):
        words += _words(token, spellings, known)
    return " ".join(words)


def _words(token: str, spellings: Mapping[str, str], known: frozenset[str]) -> list[str]:
    if token in spellings:
        return spellings[token].split()
    if token in known or token.isdigit() or len(token) > LONGEST_TOKEN or is_syllable(token):
        return [token]
    undone = undo_keystrokes(token)
    if undone in spellings:
        return spellings[undone].split()
    if undone in known or is_syllable(undone):
        return [undone]
    parts = _apart(token, known) or _apart(undone, known)
    return [word for part in parts for word in _words(part, spellings, known)] or [token]


def undo_keystrokes(token: str) -> str:
    """A token typed in raw Telex or VNI, or with letters doubled, as its plain letters.

    ``towis`` is ``toi``, ``d9a6u`` is ``dau``, ``xxong`` is ``xong``.
    """
    if VNI.fullmatch(token):
        return re.sub(r"[0-9]", "", token)
    once = re.sub(r"(.)\1+", r"\1", token)
    if is_syllable(once):
        return once
    found = TELEX.fullmatch(token)
    if not found:
        return token
    onset, rest = found.groups(default="")
    return re.sub(r"(.)\1+", r"\1", onset) + re.sub(
        r"(.)\1+", r"\1", re.sub(r"[sfrxjwz]", "", rest)
    )


def _apart(token: str, known: frozenset[str]) -> list[str]:
    """The fewest known words that make up ``token``; empty where none do."""
    best: list[list[str] | None] = [[], *[None] * len(token)]
    for end in range(1, len(token) + 1):
        for start in range(max(0, end - 12), end):
            head = best[start]
            if head is not None and token[start:end] in known:
                held = best[end]
                if held is None or len(head) + 1 < len(held):
                    best[end] = [*head, token[start:end]]
    return best[-1] or []
