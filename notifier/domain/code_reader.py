"""Reading dossier codes in what people type, however they mistype them.

A code is found by its first-level agency (H10), which hardly anything else looks like: a letter
of few and two digits, one of them a real one. From there its groups are read forwards, and in
the form of 2018 also backwards. It must then have a real date in the window and a serial. Where
joints were dropped, every way of putting them back is tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from notifier.domain.code import (
    MOST_GROUPS,
    MOST_READ,
    DossierCode,
    LegacyCode,
    canonical,
    one_shape,
    parse,
    read_day,
)
from notifier.domain.code_form import may_be_personal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from notifier.domain.code_form import CodeForm

_LIKE_DIGITS: Final = str.maketrans("OQIL", "0011")
_JOINT: Final = r"[ \n.,:;/-]"
_BLANKS: Final = frozenset(" \n")

# 1.000948.H38 and 1.000948.000.00.00.H38: a procedure, whose province is no dossier's.
_PROCEDURE: Final = re.compile(r"(?<![0-9A-Z.])[0-9]\.[0-9]{6}(?![0-9])(?:\.[0-9A-Z]{2,3}\b)*")

_AGENCY: Final = re.compile(r"[GHK][0-9]{2}")
# Short serials too, where the same joint stands twice and nothing is apart: H57/260918/412.
_BARE_AGENCY: Final = re.compile(
    r"[A-Y](?:[0-9][0-9OQIL]|[OQIL][0-9])(?: ?[./-] ?[0-9OQIL]{6,8} ?[./-] ?[0-9OQIL]{4}"
    r"|([./-])[0-9OQIL]{6,8}\1[0-9OQIL]{1,3}(?![0-9A-Z]))"
)
# Keystrokes of VNI on their own: ho6 is hô, gi2 is gì.
_VOWEL_AND_TONE: Final = re.compile(r"[A-Z][OI][0-9](?:[ \n]|$)")
_LONGEST_GROUP: Final = 5
# Without a joint before it, only a group of the usual size is told from two.
_USUAL_GROUP: Final = (2, 3)

_LEVELS_BEFORE: Final = re.compile(
    rf"(?<![0-9])([0-9OQIL]{{3}})({_JOINT}{{0,3}})([0-9A-Z]{{2}})({_JOINT}{{0,3}})"
    rf"(?:([0-9A-Z]{{2}})({_JOINT}{{0,3}}))?$"
)
_LONGEST_BEFORE: Final = 3 + 2 + 2 + 3 * 3
_LONGEST_AFTER: Final = 96

_TOKEN: Final = re.compile(rf"({_JOINT}{{0,3}})([0-9A-Z]{{1,24}})")
_NUMBER: Final = re.compile(rf"({_JOINT}{{1,3}})([0-9OQIL]{{1,16}})")
_DIGIT_LIKE: Final = re.compile(r"[0-9OQIL]*")
_TO_LAST_DIGIT: Final = re.compile(r"[0-9OQIL]*[0-9]|")
_WORD_BEFORE: Final = re.compile(r"[A-Z][0-9A-Z]*$")
_BROKEN_LINE: Final = re.compile(r"(?<=[0-9])\n(?=[0-9])")

# After a blank or the end of a sentence a number may be about something else.
_ASIDE: Final = re.compile(r"[.,:;]?[ \n]")
_NUMBER_GOES_ON: Final = re.compile(r"[.,/:-][0-9]")
_PHONE_GOES_ON: Final = re.compile(r"[ .-][0-9]{3}[ .-]?[0-9]{3}(?![0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Serial:
    """``end``: where it ends in the text; ``restored``: 1 where its joint had to be put back."""

    digits: str
    end: int
    restored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One way of reading what follows a first-level agency; ``restored`` counts joints put back."""

    groups: tuple[str, ...]
    day: str
    serial: _Serial
    restored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A code and where it stands."""

    start: int
    end: int
    code: DossierCode | LegacyCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in a text: the codes, each once, and ``rest``, the text without them.

    ``either``: where there is no code, those that one place may be read as; a person can say which.
    """

    codes: tuple[DossierCode | LegacyCode, ...]
    rest: str
    either: tuple[DossierCode, ...] = ()


def read(
    text: str,
    *,
    today: date,
    level1: str = "GHK",
    legacy: Sequence[CodeForm] = (),
    most: int = 3,
) -> tuple[DossierCode | LegacyCode, ...]:
    """The dossier codes in what a person wrote, in its order, each once, at most ``most``.

    ``level1`` are the letters that a first-level agency may start with; ``legacy`` the other forms
    that this installation has switched on. Where a text can be read in two ways
    neither is taken, and no code comes of a phone or identity number, a procedure, a result, an
    amount or a date. O, Q, I and L among digits are digits. Never raises.
    """
    return read_apart(text, today=today, level1=level1, legacy=legacy, most=most).codes


def read_apart(
    text: str,
    *,
    today: date,
    level1: str = "GHK",
    legacy: Sequence[CodeForm] = (),
    most: int = 3,
) -> Found:
    """As ``read``, with the rest of the text, in capitals, and what it may have meant instead."""
    shaped = _shape(text)
    seen = list(_national(shaped, today, level1))
    places = [found[0] for found in seen if len(found) == 1]
    if legacy:
        places.extend(_legacy(shaped, legacy, [place for found in seen for place in found]))
        places.sort(key=lambda place: place.start)
    codes = {place.code.text: place.code for place in places}
    either = next((found for found in seen if len(found) > 1), ()) if not places else ()
    cut = places or either[:1]
    ends = [0, *(place.end for place in cut)]
    starts = [*(place.start for place in cut), len(shaped)]
    rest = " ".join(shaped[end:start] for end, start in zip(ends, starts, strict=True))
    return Found(
        codes=tuple(codes.values())[: max(most, 0)],
        rest=rest.replace("|", " "),
        either=tuple(place.code for place in either if isinstance(place.code, DossierCode)),
    )


def _shape(text: str) -> str:
    """Capitals, single blanks, line breaks kept, procedures taken out."""
    shaped = one_shape(text[:MOST_READ])[:MOST_READ].replace("_", "-")
    lines = (" ".join(line.split()) for line in shaped.splitlines())
    return _PROCEDURE.sub("|", "\n".join(line for line in lines if line))


def _national(text: str, today: date, level1: str) -> Iterator[tuple[_Place, ...]]:
    """A code for each agency, or the two and more that it may be read as."""
    behind = 0
    for agency in _agencies(level1).finditer(text):
        if agency.start() < behind:
            continue
        places = _from_agency(text, agency.start(), agency[1], today, behind)
        if len(places) == 1:
            behind = places[0].end
        if places:
            yield places


@lru_cache(maxsize=16)
def _agencies(level1: str) -> re.Pattern[str]:
    letters = "".join(char for char in level1.upper() if "A" <= char <= "Y") or "GHK"
    return re.compile(rf"(?=([{letters}](?:[0-9][0-9OQIL]|[OQIL][0-9])))")


def _from_agency(text: str, start: int, typed: str, today: date, behind: int) -> tuple[_Place, ...]:
    """The codes that the agency at ``start`` may belong to; another code may end at ``behind``."""
    level1 = typed[0] + typed[1:].translate(_LIKE_DIGITS)
    after = start + len(typed)
    before = _LEVELS_BEFORE.search(text, max(start - _LONGEST_BEFORE, behind), start)
    levels = None if before is None else _levels(before)
    if before is not None and levels is not None:
        readings = _choose(text, after, today, last=True)
        if readings:
            return _places(before.start(), (*levels, level1), readings, today)
        if text[start - 1] not in _BLANKS:
            return ()
    if _runs_on_from_number(text, start, behind) or _VOWEL_AND_TONE.match(text, start):
        return ()
    readings = _choose(text, after, today, last=False)
    if len(readings) == 1 and not readings[0].groups and not _stands_alone(text, start):
        return ()
    return _places(start, (level1,), readings, today)


def _places(
    start: int, unit: tuple[str, ...], readings: Sequence[_Reading], today: date
) -> tuple[_Place, ...]:
    """The readings that are codes; none where but one of several is."""
    places = []
    for reading in readings:
        groups = ".".join((*unit, *reading.groups))
        code = parse(f"{groups}-{reading.day}-{reading.serial.digits.zfill(4)}", today=today)
        if code is not None:
            places.append(_Place(start=start, end=reading.serial.end, code=code))
    return tuple(places) if len(places) == len(readings) else ()


def _levels(before: re.Match[str]) -> tuple[str, ...] | None:
    """The levels before the first one in the form of 2018; None where they are but words."""
    third, after_third, second, after_second, more, after_more = before.groups()
    end_of_word = before.start() > 0 and before.string[before.start() - 1].isalnum()
    is_word = not _has_digit(third) or (end_of_word and third[0].isalpha())
    if is_word and not _is_tight(after_third):
        return None
    levels = [(after_third, second, after_second)]
    if more is not None:
        levels.append((after_second, more, after_more))
    if not all(_is_level(*level) for level in levels):
        return None
    typed = (third, *(level for _, level, _ in levels))
    return tuple(
        level.translate(_LIKE_DIGITS) if _is_digit_like(level) else level for level in typed
    )


def _is_level(before: str, typed: str, after: str) -> bool:
    """Whether two characters are a level: digits, or with a letter where more than blanks part."""
    if _is_digit_like(typed):
        return True
    return _has_digit(typed) and bool(before.strip() and after.strip())


def _is_tight(joint: str) -> bool:
    return _BLANKS.isdisjoint(joint)


def _runs_on_from_number(text: str, start: int, behind: int) -> bool:
    """Whether digits alone run into ``start``, as in the plate 51G12; a word may: ``ma4H10``."""
    if start in (0, behind) or not text[start - 1].isdigit():
        return False
    return _WORD_BEFORE.search(text, max(start - 16, 0), start) is None


def _stands_alone(text: str, start: int) -> bool:
    """Whether an agency without groups is one: all joints are there, and more than blanks.

    In ``KQ.G07.…`` or ``A0G07`` it is the end of something longer.
    """
    if start > 1 and text[start - 1] in ".-/" and text[start - 2].isalnum():
        return False
    if start and text[start - 1].isdigit():
        return False
    return _BARE_AGENCY.match(text, start) is not None


def _choose(text: str, after: int, today: date, *, last: bool) -> list[_Reading]:
    """The readings that put back the fewest joints; more than one where nobody can tell which."""
    readings = list(_readings(text, after, today, last=last))
    if not readings:
        readings = list(_over_broken_line(text, after, today, last=last))
    fewest = min((reading.restored for reading in readings), default=0)
    return [reading for reading in readings if reading.restored == fewest]


def _over_broken_line(text: str, after: int, today: date, *, last: bool) -> Iterator[_Reading]:
    """As if the first line break between two digits were not there."""
    rest = text[after : after + _LONGEST_AFTER]
    mended = _BROKEN_LINE.sub("", rest, count=1)
    if mended == rest:
        return
    for reading in _readings(mended, 0, today, last=last):
        end = after + reading.serial.end + 1
        yield replace(reading, serial=replace(reading.serial, end=end))


def _readings(text: str, after: int, today: date, *, last: bool) -> Iterator[_Reading]:
    """What may follow a first-level agency: groups, unless it is the last level; date; serial."""
    groups: list[str] = []
    restored = 0
    token = _TOKEN.match(text, after)
    while token is not None and not last and len(token[2]) <= _LONGEST_GROUP:
        group = _group(token[1], token[2])
        if group is None or len(groups) == MOST_GROUPS:
            return
        groups.append(group)
        restored += not token[1]
        token = _TOKEN.match(text, token.end())
    if token is not None:
        most_glued = 0 if last or len(groups) == MOST_GROUPS else _LONGEST_GROUP
        yield from _dated(text, token, tuple(groups), restored, most_glued, today)


def _group(joint: str, typed: str) -> str | None:
    """A group of a unit; None where it is a word, a number of its own, or another agency."""
    if _AGENCY.fullmatch(typed):
        return None
    blank = not _is_tight(joint)
    if typed.isdigit():
        fits = len(typed) in _USUAL_GROUP if not joint else len(typed) > 1 or not blank
        return typed if fits else None
    if not joint:
        return None
    if _is_digit_like(typed):
        return typed.translate(_LIKE_DIGITS) if _has_digit(typed) or not blank else None
    if blank or (joint != "." and not _has_digit(typed)):
        return None
    return typed


def _dated(
    text: str,
    token: re.Match[str],
    groups: tuple[str, ...],
    restored: int,
    most_glued: int,
    today: date,
) -> Iterator[_Reading]:
    """Every way of seeing a date in ``token``, a group glued before it, a serial behind it.

    In ``H10.20250703-0001`` the joints are not of one kind, so that a dash may have been lost
    within the digits as well as a dot typed for one.
    """
    joint, typed = token.groups()
    digits = _digit_like_start(typed).translate(_LIKE_DIGITS)
    swapped = joint == "." and text[token.end() : token.end() + 1] == "-"
    for size in range(most_glued + 1):
        if size and not joint and size not in _USUAL_GROUP:
            continue
        for length in (6, 8):
            day = digits[size : size + length]
            if len(day) != length or read_day(day, today) is None:
                continue
            serial = _serial(text, token, size + length)
            if serial is not None:
                yield _Reading(
                    groups=(*groups, digits[:size]) if size else groups,
                    day=day,
                    serial=serial,
                    restored=restored
                    + (not joint or (swapped and not size))
                    + (size > 0)
                    + serial.restored,
                )


def _serial(text: str, token: re.Match[str], used: int) -> _Serial | None:
    """The serial: what ``used`` characters leave of the date's token, or the token behind it."""
    typed = token[2][used:]
    if typed:
        start = token.start(2) + used
        run = _digit_like_start(typed)
        digits = _serial_digits(run, before_word=_letter_at(text, start + len(run)))
        if digits is None or len(digits) < 4:
            return None
        return _Serial(digits=digits, end=start + len(digits), restored=1)
    number = _NUMBER.match(text, token.end())
    if number is None:
        return None
    digits = _serial_digits(number[2], before_word=_letter_at(text, number.end()))
    if digits is None or _is_aside(text, token[1], number, digits):
        return None
    return _Serial(digits=digits, end=number.start(2) + len(digits), restored=0)


def _is_aside(text: str, joint: str, number: re.Match[str], digits: str) -> bool:
    """Whether a number behind a date is no serial but the next thing a person speaks of.

    "H10.19-250703 2 ngay roi" is two days, "H10 19 250703 2" is a serial: who joins with blanks
    does so throughout.
    """
    aside = _ASIDE.fullmatch(number[1]) is not None
    if len(digits) >= 4:
        return aside and _PHONE_GOES_ON.match(text, number.end()) is not None
    if not digits.strip("0") or _NUMBER_GOES_ON.match(text, number.end()):
        return True
    return aside and (number[1] != joint or _letter_at(text, number.end()))


def _serial_digits(run: str, *, before_word: bool) -> str | None:
    """The digits of a serial typed as ``run``; None where it could be two, or is too long.

    Letters at its end may be digits (``OOOI``) or the word that follows (``0001oi``). Serials of
    five digits are issued nowhere, so they give way to others.
    """
    sure = _digits_for_sure(run)
    if before_word:
        typed = sure if len(sure) >= 4 or len(run) < 4 else run[:4]
    elif len(run) <= 4:
        typed = run if sure or len(run) == 4 else ""
    else:
        lengths = {length for length in (len(sure), len(run)) if 4 <= length <= 7}
        if len(lengths) > 1:
            lengths.discard(5)
        typed = run[: lengths.pop()] if len(lengths) == 1 else ""
    return typed.translate(_LIKE_DIGITS) if 1 <= len(typed) <= 7 else None


def _digits_for_sure(run: str) -> str:
    """``run`` up to its last real digit."""
    found = _TO_LAST_DIGIT.match(run)
    return "" if found is None else found[0]


def _digit_like_start(token: str) -> str:
    found = _DIGIT_LIKE.match(token)
    return "" if found is None else found[0]


def _is_digit_like(token: str) -> bool:
    return _DIGIT_LIKE.fullmatch(token) is not None


def _has_digit(token: str) -> bool:
    return any(char.isdigit() for char in token)


def _letter_at(text: str, index: int) -> bool:
    return text[index : index + 1].isalpha()


# ------------------------------------------------------------- forms of single installations

# Groups of a number beside the one that was found; a single digit counts something else.
_GROUPS_BEFORE: Final = re.compile(r"(?<![0-9])(?:[0-9]{2,}[ .)-]{1,2})+$")
_GROUPS_AFTER: Final = re.compile(r"(?:[ .-]{1,2}[0-9]{2,})+(?![0-9])")
_LONGEST_BESIDE: Final = 16
_LONGEST_PERSONAL: Final = 12
_JOINED_DIGIT_BEFORE: Final = re.compile(r"[0-9][./-]$")
_JOINED_DIGIT_AFTER: Final = re.compile(r"[./-][0-9]")


def _legacy(text: str, forms: Sequence[CodeForm], national: Sequence[_Place]) -> Iterator[_Place]:
    taken = list(national)
    for form in forms:
        for found in form.pattern.finditer(text):
            start, end = found.span()
            within = any(start < place.end and place.start < end for place in taken)
            if within or not _is_whole(text, start, end) or _is_personal(text, start, end):
                continue
            try:
                code = LegacyCode(text=canonical(form.text(found)))
            except ValueError:
                continue
            place = _Place(start=start, end=end, code=code)
            taken.append(place)
            yield place


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether neither a letter nor another part of a number runs into it."""
    before = text[start - 1 : start]
    if before.isalnum() or text[end : end + 1].isalnum():
        return False
    joined = _JOINED_DIGIT_BEFORE.search(text, max(start - 2, 0), start)
    return joined is None and _JOINED_DIGIT_AFTER.match(text, end) is None


def _is_personal(text: str, start: int, end: int) -> bool:
    """Whether it is, alone or with the groups beside it, a number that people carry.

    ``028 38221234`` is a telephone, though its second group alone would be a code of eight digits.
    """
    if may_be_personal(text[start:end]):
        return True
    before = _GROUPS_BEFORE.search(text, max(start - _LONGEST_BESIDE, 0), start)
    after = _GROUPS_AFTER.match(text, end, end + _LONGEST_BESIDE)
    starts = {start, before.start() if before else start}
    ends = {end, after.end() if after else end}
    return any(_is_grouped(text[first:last]) for first in starts for last in ends)


def _is_grouped(typed: str) -> bool:
    digits = "".join(char for char in typed if char.isdigit())
    if len(digits) > _LONGEST_PERSONAL or not digits.startswith(("0", "84")):
        return False
    return may_be_personal(digits)
