from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.text import fold, nfc, unaccent

VIETNAMESE = (
    "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ"
)
BARE = "aaaaaaaaaaaaaaaaaabcddeeeeeeeeeeeeghiiiiiiklmnoooooooooooooooooopqrstuuuuuuuuuuuuvxyyyyyy"
# 3GPP TS 23.038, table 6.2.1, the part that is ASCII.
GSM7_BASIC = set("\n\r @$_!\"#%&'()*+,-./0123456789:;<=>?") | {
    chr(code) for code in (*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1))
}
ANY_TEXT = st.text(
    st.characters()
    | st.sampled_from(VIETNAMESE + VIETNAMESE.upper() + "“”–—…•\u00a0\u200b👍[]{}~^|€")
)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_vietnamese_letter_loses_its_accents(form: str) -> None:
    small = unicodedata.normalize(form, VIETNAMESE)  # type: ignore[arg-type]
    capital = unicodedata.normalize(form, VIETNAMESE.upper())  # type: ignore[arg-type]
    assert unaccent(small) == BARE
    assert unaccent(capital) == BARE.upper()
    assert fold(small) == fold(capital) == BARE
    assert nfc(small) == VIETNAMESE


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Hồ sơ đã xong", "Ho so da xong"),
        ("ĐƯỜNG Nguyễn Huệ", "DUONG Nguyen Hue"),
        ("“Một cửa” – ‘hẹn trả’…", "\"Mot cua\" - 'hen tra'..."),
        ("7:30—11:30", "7:30-11:30"),
        ("• Giấy hẹn\n• Căn cước", "- Giay hen\n- Can cuoc"),
        ("lệ phí\u00a01.250.000₫", "le phi 1.250.000d"),
        ("H10.19\u200b-250703\u2060-0001\ufeff", "H10.19-250703-0001"),
        ("m² và ½", "m2 va 1/2"),
        ("Ｈ１０", "H10"),
        ("[A] {b} c\\d|e ~5 x^2 `q`", "(A) (b) c/d/e -5 x2 'q'"),
        ("10 € đồng", "10 EUR dong"),
        ("một\r\nhai\rba\tbốn", "mot\nhai\nba bon"),
        ("Xong 👍 rồi", "Xong rồi".replace("ồ", "o")),
        ("Cảm ơn 🙏🏽", "Cam on"),
        ("👍 Xong", "Xong"),
        ("Xong👍🏽👨\u200d👩\u200d👧.", "Xong."),
        ("Xong👍 rồi 👍nhé", "Xong roi nhe"),
        ("Xong 👍 🙏\nHẹn trả", "Xong\nHen tra"),
        ("ký tự 漢字 lạ", "ky tu la"),
        ("\u200eXong \u200b rồi\u3000ạ", "Xong roi a"),
        ("số 5\ufe0f\u20e3 ở quầy", "so 5 o quay"),  # a keycap
        ("שָׁלוֹם Xong", "Xong"),  # its points go with the letters
        ("hai  dấu cách", "hai  dau cach"),
        ("hai  dấu cách 👍", "hai  dau cach"),
        ("Đã có: Ngọc Ánh, ông Ðức", "Da co: Ngoc Anh, ong Duc"),
    ],
)
def test_what_an_sms_says_instead(text: str, plain: str) -> None:
    assert unaccent(text) == plain


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  Hồ  SƠ\n của tôi ", "ho so cua toi"),
        ("TỪ CHỐI", "tu choi"),
        ("ＨＵＹ", "huy"),
        ("hu\u200by", "huy"),
        ("", ""),
    ],
)
def test_what_a_text_is_matched_by(text: str, key: str) -> None:
    assert fold(text) == key


@pytest.mark.parametrize(
    ("signs", "plain"),
    [
        ("“”„‟«»", '"'),
        ("‘’‚‛‹›′ʼ", "'"),
        ("•·∙⋅▪●◦‣−‐‑‒–—―", "-"),
        ("⁄∕", "/"),
        ("×", "x"),
        ("÷", ":"),
        ("→", "->"),
        ("≤", "<="),
        ("≥", ">="),
        ("©", "(c)"),
        ("®", "(R)"),
        ("…", "..."),
        ("。", "."),
        ("、", ","),
        ("\u2028\u2029\u0085", "\n"),
        ("đð₫", "d"),
        ("ĐÐ", "D"),
        ("€", "EUR"),
        ("£", "GBP"),
        ("¥", "JPY"),
        ("ß", "ss"),
        ("æ", "ae"),
        ("Æ", "AE"),
        ("œ", "oe"),
        ("Œ", "OE"),
        ("ø", "o"),
        ("Ø", "O"),
        ("ł", "l"),
        ("Ł", "L"),
        ("ı", "i"),
    ],
    ids=lambda value: ascii(value)[1:-1],
)
def test_a_sign_that_an_sms_lacks_is_spelt(signs: str, plain: str) -> None:
    assert unaccent(signs) == plain * len(signs)


INVISIBLE = (0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF)
INVISIBLE_RANGES = ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064))


@pytest.mark.parametrize(
    "code",
    [*INVISIBLE, *(code for first, last in INVISIBLE_RANGES for code in range(first, last + 1))],
    ids=hex,
)
def test_what_nobody_sees_is_not_matched(code: int) -> None:
    assert fold(f"{chr(code)}hồ s{chr(code)}ơ") == "ho so"


@settings(deadline=None)
@given(ANY_TEXT)
def test_an_sms_without_accents_is_of_the_basic_alphabet(text: str) -> None:
    plain = unaccent(text)
    assert set(plain) <= GSM7_BASIC
    assert unaccent(plain) == plain


@given(st.text(st.sampled_from(sorted(GSM7_BASIC - {"\r"}))))
def test_what_is_of_the_basic_alphabet_stays_as_it_is(text: str) -> None:
    assert unaccent(text) == text


@settings(deadline=None)
@given(ANY_TEXT)
def test_a_key_is_the_same_however_the_text_was_composed(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert fold(fold(text)) == fold(text)
