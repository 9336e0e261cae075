from __future__ import annotations

import pytest
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.segments import Encoding, plan_plain, plan_sms

CODE = "H10.19-250703-0001"
OLD_CODE = "000.00.19.H10-180703-0001"
TEXTS = st.text(
    st.sampled_from("abc xyzĐ0123456789 ,€[]^{}àéÄñ\n")
    | st.sampled_from("abc xyz0123456789 ,€[]")
    | st.sampled_from("ậđẽ😀👍漢"),
    min_size=1,
    max_size=400,
)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("a", Encoding.GSM7, 1, 1),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),  # 2 × 153
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("a" * 459, Encoding.GSM7, 459, 3),  # 3 × 153
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        ("a" * 159 + "€", Encoding.GSM7, 161, 2),
        ("€" * 152, Encoding.GSM7, 304, 2),  # 76 pairs in 153 leave one septet unused
        ("€" * 153, Encoding.GSM7, 306, 3),
        ("àèéìòùÉ", Encoding.GSM7, 7, 1),
        ("ạ" * 70, Encoding.UCS2, 70, 1),
        ("ạ" * 71, Encoding.UCS2, 71, 2),
        ("ạ" * 134, Encoding.UCS2, 134, 2),  # 2 × 67
        ("ạ" * 135, Encoding.UCS2, 135, 3),
        ("😀" * 35, Encoding.UCS2, 70, 1),
        ("😀" * 36, Encoding.UCS2, 72, 2),
        ("😀" * 66, Encoding.UCS2, 132, 2),  # 33 pairs in 67 leave one unit unused
        ("😀" * 67, Encoding.UCS2, 134, 3),
        ("\U00010000" * 36, Encoding.UCS2, 72, 2),  # the first that takes two units
        ("\uffee" * 70, Encoding.UCS2, 70, 1),
        ("ạ€[", Encoding.UCS2, 3, 1),  # nothing is escaped in UCS-2
        ("`", Encoding.UCS2, 1, 1),  # the one ASCII character that GSM-7 lacks
    ],
)
def test_what_a_text_costs(text: str, encoding: Encoding, units: int, segments: int) -> None:
    plan = plan_sms(text)
    assert (plan.encoding, plan.units, plan.segments) == (encoding, units, segments)
    assert "".join(plan.parts) == text


def test_no_escape_and_no_surrogate_pair_is_cut() -> None:
    assert plan_sms("a" * 152 + "€" + "b" * 10).parts == ("a" * 152, "€" + "b" * 10)
    assert plan_sms("ạ" * 66 + "😀" + "b" * 5).parts == ("ạ" * 66, "😀" + "b" * 5)
    assert plan_sms("a" * 151 + "€€" + "b" * 10).parts == ("a" * 151 + "€", "€" + "b" * 10)


@pytest.mark.parametrize("code", [CODE, OLD_CODE, "03706/2026/07906", "TDM-NCC-2026-00412"])
@pytest.mark.parametrize("inside", [1, 8, 15])
def test_no_code_is_cut(code: str, inside: int) -> None:
    lead = "a" * (152 - inside) + " "
    assert plan_sms(lead + code + " " + "b" * 20).parts == (lead, code + " " + "b" * 20)
    lead = "ạ" * (66 - inside) + " "
    assert plan_sms(lead + code + " bb").parts == (lead, code + " bb")


def test_a_code_at_the_very_end_of_a_part_stays_there() -> None:
    lead = "a" * (153 - len(CODE) - 1) + " "
    assert plan_sms(lead + CODE + " " + "b" * 20).parts == (lead + CODE, " " + "b" * 20)


def test_a_code_that_fills_a_part_is_not_cut() -> None:
    endless = "A-" * 33 + "A"
    assert plan_sms("ạ " + endless + " bb").parts == ("ạ ", endless, " bb")


@given(st.lists(st.sampled_from([CODE, OLD_CODE, "20/11/2026", "ma", "hồ sơ", "€€", "😀"])))
def test_no_code_of_many_is_cut(pieces: list[str]) -> None:
    plan = plan_sms(" ".join([*pieces, "."]))
    for whole in (CODE, OLD_CODE, "20/11/2026"):
        assert sum(part.count(whole) for part in plan.parts) == pieces.count(whole)


def test_joints_alone_make_no_code() -> None:
    lead = "a" * 147 + " OK..."
    assert plan_sms(lead + "... " + "b" * 20).parts == (lead, "... " + "b" * 20)


def test_what_is_longer_than_a_part_is_cut_where_the_part_ends() -> None:
    endless = "A-" * 100
    assert plan_sms("so " + endless).parts == ("so " + endless[:150], endless[150:])


def test_an_empty_text_is_refused() -> None:
    for plan in (plan_sms, plan_plain):
        with pytest.raises(ValueError, match=r"^an empty text can't be sent: .* a message$"):
            plan("")


def test_a_channel_that_does_not_count_gets_one_part() -> None:
    text = "Hồ sơ đã có kết quả. " * 40
    plan = plan_plain(text)
    assert (plan.encoding, plan.units, plan.parts) == (Encoding.TEXT, len(text), (text,))


def test_the_alphabet_is_that_of_another_implementation() -> None:
    ours = {chr(code) for code in range(0x3000) if plan_sms(chr(code)).encoding is Encoding.GSM7}
    assert ours == {chr(code) for code in range(0x3000) if smsutil.is_valid_gsm(chr(code))} - {
        "\x1b"  # the escape itself is no character
    }


@settings(deadline=None)
@given(TEXTS)
def test_as_many_parts_as_another_implementation_makes(text: str) -> None:
    theirs = smsutil.split(text)
    plan = plan_sms(text)
    assert (plan.encoding is Encoding.GSM7) == (theirs.encoding == "gsm0338")
    assert plan.segments == len(theirs.parts)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([CODE, OLD_CODE, "ma", "hồ sơ", "€", "😀", " ", "x" * 40]), min_size=1)
)
def test_parts_fit_and_give_the_text_back(pieces: list[str]) -> None:
    text = "".join(pieces)
    plan = plan_sms(text)
    assert "".join(plan.parts) == text
    assert all(plan_sms(part).segments == 1 for part in plan.parts)
    if plan.segments > 1:
        room = 153 if plan.encoding is Encoding.GSM7 else 67
        assert all(units_of(part, plan.encoding) <= room for part in plan.parts)


def units_of(part: str, encoding: Encoding) -> int:
    if encoding is Encoding.UCS2:
        return len(part.encode("utf-16-be")) // 2
    return len(part) + part.count("€")
