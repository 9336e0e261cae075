"""What a citizen typed as plain words: accents, keystrokes and short forms undone.

A Vietnamese syllable without accents has a small, closed form, so a token that is none of it was
mistyped: raw Telex (``hoof sow``), raw VNI (``ho62 so7``), a doubled letter, or words run together.
What is a syllable already is left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from notifier.domain.text import fold, nfc

if TYPE_CHECKING:
    from collections.abc import Mapping

ONSET: Final = "ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdghklmnprstvx]"

RIME: Final = (
    "a|ac|ach|ai|am|an|ang|anh|ao|ap|at|au|ay|"
    "e|ec|em|en|eng|eo|ep|et|ech|enh|eu|"
    "i|ia|ich|iec|iem|ien|ieng|iep|iet|ieu|im|in|inh|ip|it|iu|"
    "o|oa|oac|oach|oai|oam|oan|oang|oanh|oao|oap|oat|oay|oc|oe|oec|oem|oen|oeo|oet|oi|om|on|ong|"
    "op|ot|"
    "u|ua|uan|uang|uat|uay|uc|ue|uech|uenh|ui|um|un|ung|uo|uoc|uoi|"
    "uom|uon|uong|uop|uot|uou|up|ut|uu|uy|uya|uych|uyen|uyet|uynh|uyt|uyu|"
    "y|yem|yen|yet|yeu|ynh"
)
SYLLABLE: Final = re.compile(rf"(?:{ONSET})?(?:{RIME})")
TELEX: Final = re.compile(rf"(dd|{ONSET})?(.+)")
VOWEL: Final = re.compile(r"[aeiouy]")
TONES: Final = frozenset("sfrxj")
VNI: Final = re.compile(r"(?:[a-z]+[1-9]{1,2})+[a-z]*")
_DIGIT: Final = re.compile(r"[0-9]")
TOKEN: Final = re.compile(r"/start\b|[a-z0-9]+|\?")
"""Words and numbers; a question mark, and the word that opens a chat with a bot, say something."""

TOLD_BY_ACCENT: Final = {
    "đúng": "chuan",  # right; "đừng" and "dừng" are stop
    "dùng": "xai",  # to use
    "tối": "buoi toi",  # evening; "tôi" is I, "tới" is to
    "trẻ": "be",  # child; "trễ" is late
    "má": "me",  # mother; "mã" is the code
    "mạ": "me",
    "sổ": "giay so",  # the land book; "số" is a number
    "hồng": "do",  # the pink book is the red one; "hông" is not
    "đợi": "mong",  # to wait; "đổi" is to change
    "chờ": "mong",  # to wait; "cho" is to give
    "gấp": "som",  # soon; "gặp" is to meet
    "chừ": "bay gio",  # now, in the centre; "chú" is uncle
    "mần": "lam",
    "rằng": "la",  # that; "răng" is why, in the centre
    "⭐": " sao ",
    "★": " sao ",
    "🌟": " sao ",
}
"""Words that nothing but their accents tells from a word which decides, as a word that does not."""

_TOLD: Final = TOLD_BY_ACCENT | {
    typed.replace("đ", "d"): meant for typed, meant in TOLD_BY_ACCENT.items()
}
_ACCENTED: Final = re.compile(
    "|".join(rf"\b{word}\b" if word.isalpha() else word for word in _TOLD)
)

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
    for token in TOKEN.findall(fold(_told_apart(text))):
        words += _words(token, spellings, known)
    return " ".join(words)


def _told_apart(text: str) -> str:
    if text.isascii():
        return text
    # Codes are read with Đ as D, so either may stand here.
    return _ACCENTED.sub(lambda found: _TOLD[found[0]], nfc(text).lower())


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
    parts = _apart(token, known) or _apart(_DIGIT.sub("", token), known) or _apart(undone, known)
    return [word for part in parts for word in _words(part, spellings, known)] or [token]


def undo_keystrokes(token: str) -> str:
    """A token typed in raw Telex or VNI, or with letters doubled, as its plain letters.

    ``towis`` is ``toi``, ``d9a6u`` is ``dau``, ``xxong`` is ``xong``.
    """
    if VNI.fullmatch(token):
        token = _DIGIT.sub("", token)
        if is_syllable(token):
            return token
    once = _undoubled(token)
    if is_syllable(once) or not VOWEL.search(token):
        return once
    found = TELEX.fullmatch(token)
    if not found:
        return token
    onset, rest = found.groups(default="")
    if len(set(rest) & TONES) > 1:
        return token  # keys struck at random: a syllable has one tone
    onset, rest = _undoubled(onset), re.sub(r"[sfrxjwz]", "", rest)
    return onset + rest if is_syllable(onset + rest) else onset + _undoubled(rest)


def _undoubled(letters: str) -> str:
    return re.sub(r"(.)\1+", r"\1", letters)


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
