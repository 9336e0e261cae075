"""The forms of codes that an office writes: what can be read, and what is refused in a sentence."""

from __future__ import annotations

import re
import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain import code_reader
from notifier.domain.code_form import PERSONAL_LENGTHS, may_be_personal, read_form

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("pattern", "typed", "meant"),
    [
        (r"\d{11}", "00673810079", "00673810079"),
        ("[0-9]{8}", "13557009", "13557009"),
        ("BN[0-9]{5,7}", "BN123456", "BN123456"),
        ("(HS|BN)-20[0-9]{2}-[0-9]{4}", "BN 2026 0012", "BN-2026-0012"),
        ("(1A|2B){2}[0-9]{5}", "1A2B00012", "1A2B00012"),
        ("HS_[0-9]{6}", "HS-001234", "HS_001234"),
        (r"HS\.[0-9]{6}A?", "HS/001234A", "HS.001234A"),
        (r"HS\.[0-9]{6}A?", "HS 001234", "HS.001234"),
        ("[0-9]{4}/[0-9]{6}", "2026.001234", "2026/001234"),
        ("[AC-E]-[0-9]{6}", "D-001234", "D-001234"),
    ],
)
def test_a_form_reads_and_puts_its_joints_back(pattern: str, typed: str, meant: str) -> None:
    form = read_form(pattern)
    found = form.pattern.fullmatch(typed)
    assert found is not None
    assert form.text(found) == meant
    found_codes = code_reader.read(f"so {typed} sao roi", today=TODAY, legacy=(form,))
    # None where its shape, as it was typed, is that of a number of people.
    assert [each.text for each in found_codes] in ([meant], [])


@pytest.mark.parametrize(
    ("pattern", "typed"),
    [
        ("[0-9]{8}", "1355700"),
        ("[0-9]{8}", "135570091"),
        ("BN[0-9]{5}", "BN1234A"),
        ("[AC-E]-[0-9]{6}", "B-001234"),
        ("[A-Z]{2}-[0-9]{6}", "AB 001234"),
        ("HS-[0-9]{6}", "HS001234"),
    ],
)
def test_what_a_form_does_not_read(pattern: str, typed: str) -> None:
    assert read_form(pattern).pattern.fullmatch(typed) is None


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("", "from character 1 on"),
        ("hs-[0-9]{6}", "from character 1 on"),
        ("HS-[0-9]{6", "from character 9 on"),
        ("HS-[0-9]+", "from character 9 on"),
        ("([0-9]+)+HS", "from character 1 on"),
        ("(HS(A|B))[0-9]{6}", "from character 1 on"),
        ("(HS){2}{3}[0-9]{6}", "from character 8 on"),
        ("HS.[0-9]{6}", "from character 3 on"),
        (r"HS\w[0-9]{6}", "from character 3 on"),
        ("HS(?=A)[0-9]{6}", "from character 3 on"),
        ("HS-[9-0]{6}", "runs backwards"),
        ("HS-[0-9]{6,4}", "begins with the lower number"),
        ("HS-[0-9]{6}A{0}", "begins with the lower number"),
        ("HS-[0-9]{6}" + "A?" * 50, "longer than 100 characters"),
        ("HS-[0-9]{65}", "more than the 64 characters"),
        ("A?" * 20 + "A{20}-[0-9]{6}", "more than 50 ways"),
        ("[0-9]{5,15}[0-9A]{5,15}", "more than 50 ways"),
        ("(A|AA){8}-[0-9]{6}", "more than 50 ways"),
        ("[A-Z]{3,6}", "words or small numbers"),
        ("HS-[0-9]{4}", "words or small numbers"),
        ("[0-9]{6}", "words or small numbers"),
        ("[0-9A-Z]{8}", "words or small numbers"),
        ("(HS)?[0-9]{6}", "words or small numbers"),
        ("[0-9]{9}", "any number of 9 digits"),
        ("0[35789][0-9]{8}", "any number of 10 digits"),
        ("[0-9]{12}", "any number of 12 digits"),
        ("[0-9]{8,13}", "any number of 9 or 10 or 12 or 13 digits"),
        ("[0-9]{10}-[0-9]{3}", "any number of 13 digits"),
        (r"[0-9]{4}\.[0-9]{3}\.[0-9]{3}", "any number of 10 digits"),
        ("(BN)?[0-9]{9}", "any number of 9 digits"),
        ("[0-9]{8}[0-9A-Z]", "any number of 9 digits"),
        ("[0-9]{8}(12|AB)", "any number of 10 digits"),
    ],
)
def test_a_pattern_that_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        read_form(pattern)


SETS = st.sampled_from(["[0-9]", r"\d", "[0-9A-Z]", "[A-F]", "7", "A", "(AB|12)", "(A|AA)"])
COUNTS = st.sampled_from(["", "?", "{2}", "{3,5}", "{8}", "{2,9}"])
JOINTS = st.sampled_from(["", "", "/", "-", r"\.", "_"])
PATTERNS = st.lists(st.tuples(SETS, COUNTS, JOINTS), min_size=1, max_size=8).map(
    lambda parts: "".join(map("".join, parts))
)


@given(PATTERNS, st.sampled_from(sorted(PERSONAL_LENGTHS)), st.randoms(use_true_random=False))
def test_no_form_that_is_taken_fits_a_bare_number_of_a_person(pattern, length, random) -> None:
    """Whatever an office writes."""
    try:
        form = read_form(pattern)
    except ValueError:
        return
    number = "".join(random.choices(string.digits, k=length))
    if form.joints:
        assert code_reader.read(number, today=TODAY, legacy=(form,)) == ()
    else:
        assert form.pattern.fullmatch(number) is None


@given(PATTERNS, st.text(alphabet="0123456789ABF-/. ", max_size=300))
def test_what_is_found_has_the_joints_of_its_form(pattern: str, text: str) -> None:
    try:
        form = read_form(pattern)
    except ValueError:
        return
    for found in form.pattern.finditer(text):
        put_back = form.text(found)
        again = form.pattern.fullmatch(put_back)
        assert again is not None
        assert form.text(again) == put_back
        kept = re.sub("[^0-9A-Z]", "", found[0])
        assert re.sub("[^0-9A-Z]", "", put_back) == kept


@pytest.mark.parametrize("typed", ["A" * 8_000, "1" * 8_000, "12 " * 2_600, "AB-" * 2_600])
def test_the_widest_patterns_search_the_longest_text(typed: str) -> None:
    """It ends; with a pattern that may go back without bound it would not in a lifetime."""
    for pattern in ("[0-9A-F]{5,11}[0-9]{7,13}/[0-9]", "[0-9]{5}(A|AA|AAA){2}B{2,5}-1"):
        assert read_form(pattern).pattern.search(typed) is None


@pytest.mark.parametrize(
    ("typed", "personal"),
    [
        ("00673810079", False),
        ("13557009", False),
        ("99999999", False),
        ("20261120", True),
        ("20.11.2026", True),
        ("31/12/1950", True),
        ("31021950", False),  # there is no 31 February
        ("12345678/9", False),
        ("HS12345678", False),
    ],
)
def test_the_shape_of_a_number_of_a_person(typed: str, personal: bool) -> None:
    assert may_be_personal(typed) is personal
