"""The small language of the keyword table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.phrases import check, compiled, joined, words_of

COMPOUNDS = {"ho so": "ho_so"}


def found(phrase: str, text: str) -> bool:
    pattern = compiled([phrase], COMPOUNDS)
    assert pattern is not None
    return pattern.search(f" {joined(text, COMPOUNDS)} ") is not None


@pytest.mark.parametrize(
    ("phrase", "text", "fits"),
    [
        ("xong chua", "ho so xong chua vay", True),
        ("xong chua", "xong roi chua", False),
        ("xong", "xongg", False),  # whole words
        ("(lay|nhan) ho", "nho chi nhan ho", True),
        ("(lay|nhan) ho", "lay ho so", False),  # a compound is one word
        ("(lay giup|nhan) ho", "lay giup ho", True),
        ("qua [ngay] hen", "qua hen", True),
        ("qua [ngay] hen", "qua ngay hen", True),
        ("qua [ngay] hen", "qua thang hen", False),
        ("doi .. so", "doi giup em cai so", True),
        ("doi .. so", "doi a b c d e so", False),  # five words lie between
        ("^chao", "chao em", True),
        ("^chao", "em chao", False),
        ("5 sao$", "cho 5 sao", True),
        ("5 sao$", "5 sao vang", False),
        ("bn #", "bn 00673810079", True),
        ("bn #", "bn 123456", True),  # six digits
        ("bn #", "bn 12345", False),
        ("qua[ngay](hen|han)", "qua ngay han", True),  # blanks round a symbol are for the eye
    ],
)
def test_a_phrase_fits(phrase: str, text: str, fits: bool) -> None:
    assert found(phrase, text) is fits


def test_any_of_several_phrases_fits() -> None:
    pattern = compiled(["tre hen", "^xong", "qua .. han$"], {})
    assert pattern is not None
    fit = {
        text for text in ("bi tre hen", "xong roi", "qua 3 ngay han") if pattern.search(f" {text} ")
    }
    assert len(fit) == 3
    assert pattern.search(" han qua tre ") is None


def test_the_words_of_a_phrase_are_those_that_it_names() -> None:
    assert words_of("^qua [ngay] (hen|han tra) .. bn #$") == {
        "qua",
        "ngay",
        "hen",
        "han",
        "tra",
        "bn",
    }


def test_no_phrases_make_no_pattern() -> None:
    assert compiled([], {}) is None


@pytest.mark.parametrize(
    ("phrase", "fault"),
    [
        ("(a|b", "lacks a ')'"),
        ("[a", "lacks a ']'"),
        ("a)", "has a ')' that closes nothing"),
        ("(a]", "has a ']' that closes nothing"),
    ],
)
def test_a_phrase_that_cant_be_read_is_named(phrase: str, fault: str) -> None:
    with pytest.raises(ValueError, match="phrase") as raised:
        compiled(["tre hen", phrase], {})
    assert str(raised.value) == f"the phrase {phrase!r} {fault}"


def test_two_halves_make_no_whole() -> None:
    with pytest.raises(ValueError, match="lacks a"):
        compiled(["(a", "b)"], {})


@given(st.text(alphabet="ab ()[]|^$#.*+?\\{}", max_size=12))
def test_what_passes_the_check_compiles(phrase: str) -> None:
    """The check looks at brackets only, so brackets must be all that can be wrong."""
    try:
        check([phrase])
    except ValueError:
        with pytest.raises(ValueError, match="phrase"):
            compiled([phrase], {})
    else:
        compiled([phrase], {})
