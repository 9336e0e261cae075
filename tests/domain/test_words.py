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
        ("tinhf lucs kys mej cho xas", "tinh luc ky me cho xa"),
        ("hồồ sơ xxong", "ho so xong"),  # doubled letters
        ("ttre hhen", "tre hen"),  # where the r is none of Telex
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


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("hosoxong", ("ho", "so", "hoso", "xong"), "hoso xong"),
        ("dangkyho", ("da", "ng", "dangky", "ho", "kyho"), "dangky ho"),
        ("hoso" * 10, ("ho", "so"), " ".join(["ho so"] * 10)),
        ("hoso" * 11, ("ho", "so"), "hoso" * 11),  # nobody runs more than 40 letters together
        ("dangkyhoi", ("da", "ng", "dangky", "ho", "kyho"), "dangkyhoi"),  # something is left
    ],
)
def test_run_together_it_is_the_fewest_words(
    typed: str, known: tuple[str, ...], meant: str
) -> None:
    assert plain(typed, {}, frozenset(known)) == meant


@pytest.mark.parametrize(
    ("word", "meant", "neighbour", "plainly"),
    [
        ("đúng", "chuan", "đừng", "dung"),
        ("đúng", "chuan", "dừng", "dung"),
        ("dùng", "xai", "dừng", "dung"),
        ("tối", "buoi toi", "tôi", "toi"),
        ("tối", "buoi toi", "tới", "toi"),
        ("trẻ", "be", "trễ", "tre"),
        ("má", "me", "mã", "ma"),
        ("mạ", "me", "mã", "ma"),
        ("sổ", "giay so", "số", "so"),
        ("hồng", "do", "hông", "hong"),
        ("đợi", "mong", "đổi", "doi"),
        ("chờ", "mong", "cho", "cho"),
        ("gấp", "som", "gặp", "gap"),
        ("chừ", "bay gio", "chú", "chu"),
        ("mần", "lam", "màn", "man"),
        ("rằng", "la", "răng", "rang"),
    ],
)
def test_words_that_their_accents_alone_tell_apart(
    word: str, meant: str, neighbour: str, plainly: str
) -> None:
    assert plain(f"Em {word}, {word.upper()}", {}, KNOWN) == f"em {meant} {meant}"
    assert plain(f"em {neighbour}", {}, KNOWN) == f"em {plainly}"
    unstroked = word.replace("đ", "d")  # as codes are read
    assert plain(unstroked, {}, KNOWN) == meant
    assert plain(f"{word}x", {}, KNOWN).split()[0] != meant  # a word, not a part of one


def test_stars_are_a_rating() -> None:
    assert plain("cho 5⭐, ★ và 🌟🌟", {}, KNOWN) == "cho 5 sao sao va sao sao"


SYLLABLES = """
    ba bac sach mai lam ban lang nhanh bao nap bat sau may
    xe sec em den xeng heo dep het ech benh neu
    di bia lich viec kiem tien tieng tiep viet nhieu tim xin tinh kip it diu
    ho hoa khoac hoach ngoai ngoam toan hoang doanh ngoao oap thoat xoay hoc khoe toec ngoem hoen
    ngoeo toet toi hom con ong nop mot
    thu mua tuan khuang luat khuay duc hue huech huenh gui chum bun cung thuo duoc nguoi nhuom muon
    duong cuop vuot ruou giup rut huu huy khuya huych nguyen duyet huynh suyt khuyu
    ky yem yen yet yeu quynh
    nghi nga nha cho ghi giay khi phi qua thu tra co gan la me no pin ra so to va xa nghieng
"""
"""Each onset and each rime in a word of it."""


@pytest.mark.parametrize("word", SYLLABLES.split())
def test_a_syllable_is_left_alone(word: str) -> None:
    assert is_syllable(word)
    assert plain(word, {}, frozenset()) == word


@pytest.mark.parametrize("word", ["", "ye", "hs", "xongg", "hoso", "toof", "fa", "wo", "uac", "h0"])
def test_what_has_not_the_form_of_a_syllable(word: str) -> None:
    assert not is_syllable(word)


@pytest.mark.parametrize("word", ["t7", "h29", "a045", "2026"])
def test_what_is_no_word_is_left_alone(word: str) -> None:
    assert plain(word, {}, frozenset()) == word


@given(st.text(max_size=120) | st.text("aeothnsfrjwd 1290?", max_size=80))
@settings(deadline=None)
def test_whatever_is_typed_becomes_words_apart(text: str) -> None:
    words = plain(text, SPELLINGS, KNOWN)
    assert words == " ".join(words.split())
    assert all(char.isascii() and not char.isupper() for char in words)
