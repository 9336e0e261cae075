"""Accents, keystrokes and short forms undone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.words import is_syllable, plain

SPELLINGS = {"ko": "khong", "hs": "ho so", "ad": "ad"}
KNOWN = frozenset({"ho", "so", "sao", "roi", "tre", "hen", "xong", "chua"})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Hồ sơ tới đâu rồi ạ?", "ho so toi dau roi a ?"),
        ("hoof sow towis ddaau rooif", "ho so toi dau roi"),  # raw Telex
        ("ho62 so7 to7i1 d9a6u ro62i", "ho so toi dau roi"),  # raw VNI
        ("dduwowcj khoong", "duoc khong"),
        ("hồồ sơ xxong", "ho so xong"),  # doubled letters
        ("hososaoroi", "ho so sao roi"),  # run together
        ("trehenroisaochua", "tre hen roi sao chua"),
        ("hs ko xong", "ho so khong xong"),
        ("mai 23/11 luc 8h", "mai 23 11 luc 8h"),
        ("/start", "/start"),
        ("restart", "restart"),
        ("😂 ...", ""),
    ],
)
def test_what_is_typed_becomes_plain(typed: str, meant: str) -> None:
    assert plain(typed, SPELLINGS, KNOWN) == meant


@pytest.mark.parametrize("word", ["ho", "nghieng", "quy", "thuong", "uyen", "giay", "xuong", "ye"])
def test_syllables(word: str) -> None:
    assert is_syllable(word) is (word != "ye")


@pytest.mark.parametrize("word", ["t7", "h29", "a045", "2026"])
def test_what_is_no_word_is_left_alone(word: str) -> None:
    assert plain(word, {}, frozenset()) == word


@given(st.text(max_size=120) | st.text("aeothnsfrjwd 1290?", max_size=80))
@settings(deadline=None)
def test_whatever_is_typed_becomes_words_apart(text: str) -> None:
    words = plain(text, SPELLINGS, KNOWN)
    assert words == " ".join(words.split())
    assert all(char.isascii() and not char.isupper() for char in words)
