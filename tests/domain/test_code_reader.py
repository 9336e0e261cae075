from __future__ import annotations

import csv
import re
import unicodedata
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain import code, code_reader
from notifier.domain.code import DossierCode, LegacyCode
from notifier.domain.code_form import CodeForm, read_form

TODAY = date(2026, 11, 22)
UTTERANCES = Path(__file__).parent.parent / "data" / "utterances.tsv"
C1, C2 = "H29.45-261120-0123", "H29.45-261120-0124"


def texts(message: str, **options: object) -> list[str]:
    return [found.text for found in code_reader.read(message, today=TODAY, **options)]  # type: ignore[arg-type]


def label(value: object) -> str:
    """The name of a case, in which no number looks like that of a person."""
    return re.sub(r"[0-9](?:[ .]?[0-9]){7,}", "#", str(value))


# ------------------------------------------------------------------------------- what people type


def utterances() -> list[tuple[str, str]]:
    with UTTERANCES.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["codes"]) for row in csv.DictReader(file, delimiter="\t")]


@pytest.mark.parametrize(("text", "codes"), utterances(), ids=label)
def test_what_citizens_text(text: str, codes: str) -> None:
    assert ", ".join(texts(text)) == codes


H10 = "H10.19-250703-0001"
OLD = "000.00.19.H10-180703-0001"
POLICE = "G01.899.909-261008-000123"
MINISTRY = "G09.20-20260609-0092637"

ONE_WRITING = [
    # case and shape
    ("h10.19-250703-0001", H10),
    ("Ｈ１０．１９－２５０７０３－０００１", H10),
    ("H10.19‑250703−0001", H10),
    ("H10.19—250703―0001", H10),
    ("H10.19-\u200b250703-0001", H10),
    (unicodedata.normalize("NFD", "mã hồ sơ: H10.19-250703-0001 ạ"), H10),
    # joints: others, more, blank
    ("H10 . 19 - 250703 - 0001", H10),
    ("H10 19 250703 0001", H10),
    ("h10 19 250703 1", H10),
    ("h10,19,250703,0001", H10),
    ("H10, 19, 250703, 0001", H10),
    ("H10/19/250703/0001", H10),
    ("H10_19_250703_0001", H10),
    ("H10:19:250703:0001", H10),
    ("H10;19;250703;0001", H10),
    ("H10.1.250703.0001", "H10.1-250703-0001"),  # 1.250703 in it is no procedure
    ("H10-19-250703-0001", H10),
    ("H10.19.250703.0001", H10),
    ("H10·19-250703-0001", H10),
    ("H10.19--250703--0001", H10),
    ("H10.19  -   250703 -  0001", H10),
    ("H10.19-250703\n-0001", H10),
    ("H10.19-\n250703-\r\n0001", H10),
    ("H10.19-2507\n03-0001", H10),
    ("H10.19-250703-00\n01 a", H10),
    ("000 00 19 H10 180703 0001", OLD),
    ("000/00/19/H10/180703/1", OLD),
    ("000 - 00 - 19 - H10 - 180703 - 0001", OLD),
    ("H10.UB.A1-250703-0001", "H10.UB.A1-250703-0001"),
    ("h10.ub/a1/250703/1", "H10.UB.A1-250703-0001"),
    ("000.A0.01.H26/210212/9090", "000.A0.01.H26-210212-9090"),
    ("g01 899 909 261008 000123", POLICE),
    ("G09.20/20260609/0092637", MINISTRY),
    ("H10-250703-0001", "H10-250703-0001"),
    ("h10 / 250703 / 0001", "H10-250703-0001"),
    ("H10-25O7O3-OOO1", "H10-250703-0001"),
    ("H57/26O918/4I2", "H57-260918-0412"),
    ("H57/20260918/412", "H57-20260918-0412"),
    # letters for digits
    ("H1O.19-25O7O3-OOO1", H10),
    ("h1o.l9-2507o3-ooo1", H10),
    ("HI0.I9-25O703-000l", H10),
    ("hl0.19-250703-oool", H10),
    ("OOO.OO.I9.H1O-18O7O3-OOOI", OLD),
    ("hsOO2.00.I9.H10-180703-0001", "002.00.19.H10-180703-0001"),
    ("HS OO2 OO I9 H1O 18O7O3 OOO1", "002.00.19.H10-180703-0001"),
    ("000.QO.19.HlO-18O7O3-OOO1", None),  # nothing of H10 is a digit
    ("G0I.899.9O9-26IOO8-OOOI23", POLICE),
    ("G01.899.909-261008-00Q123oi", POLICE),
    # dropped noughts
    ("H10.19-250703-1", H10),
    ("H10.19-250703-001", H10),
    ("H10.19/250703/l2", "H10.19-250703-0012"),
    ("H10.19-250703-0 ", None),
    # dropped joints, one reading left
    ("H10.19250703-0001", H10),
    ("H10.19-2507030001", H10),
    ("H1019-250703-0001", H10),
    ("G01899-261008-0001", "G01.899-261008-0001"),
    ("H10192507030001", H10),
    ("H10 192507030001", H10),
    ("h1019 250703 0001", H10),
    ("00000.19.H10-180703-0001", OLD),
    ("000.00.19H10-180703-0001", OLD),
    ("0000019H10-180703-0001", OLD),
    ("00019H10180703-0001", "000.19.H10-180703-0001"),
    ("000.00.19.H10180703-0001", OLD),
    ("000.00.19.H101807030001", OLD),
    ("G09.20-202606090092637", MINISTRY),
    ("G01.899.909-261008000123", POLICE),
    # dropped joints, two readings left
    ("G09.2020260609-0092637", None),  # G09.20 on 20260609, G09.2020 on 260609
    ("H1020260609-0092637", None),  # H10 on 20260609, H10.20 on 260609
    ("H1O-25O7O3-OOO1", "H10-250703-0001"),
    ("G00.20150101-0000", None),  # G00 on 20150101 with a dot for the dash, G00.20 on 150101
    ("G00.20150101.0000", "G00-20150101-0000"),  # who joins with dots does so throughout
    ("G01899909-261008-000123", None),  # 899.909, or 89.9909, ...
    ("H10.19-2507031", None),  # a serial without its noughts, or a date mistyped
    # something glued on
    ("HSH10.19-250703-0001", H10),
    ("maH10.19-250703-0001", H10),
    ("ma4H10.19-250703-0001", H10),
    ("mãH10.19-250703-0001", H10),
    ("hs:H10.19-250703-0001", H10),
    ("HS.H10.19-250703-0001", H10),
    ("(H10.19-250703-0001)", H10),
    ("hosoH1O.19-250703-0001", H10),
    ("HS000.00.19.H10-180703-0001", OLD),
    ("hoso000.00.19.H10-180703-0001", OLD),
    ("H10.19-250703-0001xong chua", H10),
    ("H10.19-250703-0001la sao", H10),
    ("H10.19-250703-0001lỗi rồi", H10),
    ("H10.19-250703-0001ơi", H10),
    ("H10.19-250703-0001l", H10),
    ("H10.19-250703-0001xong7 chu7a", H10),
    ("H10.19/250703/1sao roi", H10),
    ("H10.19-2507030001xong chua", H10),
    ("H10.19-250703-0001oi", None),  # the word ơi, or a serial of six
    ("H10.19-250703-0001.", H10),
    ("H10.19-250703-0001?", H10),
    ("H10.19-250703-0001, 0002", H10),
    ("1.H10.19-250703-0001", H10),
    # keystrokes of Telex and VNI
    ("ho62 so7 H10.19-250703-0001 xong chu7a", H10),
    ("hoof sow H10.19-250703-0001 xong chuwa", H10),
    ("ma4 ho62 so7: H10.19-250703-0001 d9a4 xong chu7a a5", H10),
    ("ho6 H10.19-250703-0001", H10),
    # around it
    ("kq H10.19-250703-0001 co chua", H10),
    ("theo doi hs H10.19-250703-0001", H10),
    ("doi 5 ngay roi H10.19-250703-0001 2 tuan nua a", H10),
    ("0912345678 H10.19-250703-0001", H10),
    ("H10.19-250703-0001 0912 345 678", H10),
    ("H10.19-250703-0001 sdt 0912345678 cccd 001085012345", H10),
    ("thu tuc 1.000948.H38 ma H10.19-250703-0001", H10),
    ("https://example.vn/tra-cuu?ma=H10.19-250703-0001&k=1", H10),
    ("da nop 1.250.000d H10-250703-0001", "H10-250703-0001"),
    ("Hồ sơ H10.19-250703-0001 ngày 03/07/2025 lệ phí 1.250.000đ", H10),
]


@pytest.mark.parametrize(("message", "expected"), ONE_WRITING, ids=label)
def test_one_code_in_every_writing(message: str, expected: str | None) -> None:
    assert texts(message) == ([] if expected is None else [expected])


NO_CODE = [
    # numbers of other things
    "0912345678",
    "84 912 345 678",
    "001085012345",
    "cmnd 280123456 cap 25/07/2003",
    "mst 3700123456-001",
    "1.005129",
    "1.000948.H38",
    "1.000948.H38 250703 0001",
    "1.000948.H38-250703-0001",
    "1.000948.000.00.00.H38-250703-0001",
    "thu tuc 1.000948.H38 45 261120 0123",
    "KQ.G07.000122",
    "KQ.G07.250122-0001",
    "A.G07-250122-0001",
    "kq A.G07-250122-0001",
    "A0G07-250122-0001",
    "000.00.00.G09-KQ002269",
    "000.00.01.H59",
    "H10.19",
    "stk 1903 2507 0300 01 ngan hang",
    "so tien 1.250.000d nop 20/11/2026",
    "thua 250703 to ban do 0019",
    "bien so 29H1-123.45",
    "xe 51G-123.45, 29-H1 123.45",
    "51G12.345-250703-0001",
    "ND 61/2018/NĐ-CP",
    "QD 20/2020/QĐ-TTg",
    "so thu tu A045, G012, H045",
    "8h30 ngay 25/07/03 0001",
    "hem K12/25 duong 30/4 ngay 250703 so 0001",
    "HCC DN 00673810079",
    "XNC 13557009",
    # words that look like an agency
    "theo doi 45-261120-0123",
    "ho62 so7 cu3a to6i 250703 0001",
    "ho6 250703 0001",
    "ho6\n45 250703 0001",
    "ho6 45 250703 0001",
    "gi2 45 250703 0001",
    "H29 45 250703 8h30",
    "gio72 17:00 K12 20250703 0345",
    "H29 20250703 0001",
    "HOI 19 250703 0001",
    # parts of a code, and what is like one
    "0001 ngày 3/7",
    "H10.19-250703",
    "H10.19-250703 2 ngay roi",
    "H10.19-250703, 2 ngay roi",
    "H10.19-250703. 2 ngay roi",
    "H10.19-250703: 2 ngay roi",
    "H10.19-250703; 2 ngay roi",
    "H10 19 250703 8:30 nop",
    "H10.19-250703. 0912345678",
    "H10.19-250703 0912 345 678",
    "H10.19-250703 0912.345.678",
    "H10 19 250703 1.250.000d",
    "H10.19-250703 loi",
    "H10 19 250703 3/7 nop",
    "19-250703-0001",
    "10.19-250703-0001",
    "H57/260918/412kg",
    "H10.H29-250703-0001",  # one agency is no unit of another
    "H10.G09-250703-0001",
    "H10.K05-250703-0001",
    "00.19.H10-180703-0001",
    "000.00.00.19.H10-180703-0001",
    "000.00.19.H10.19-250703-0001",
    "1H10.19-250703-0001",
    "H10 ngay 250703 so 0001",
    "H10.19 ngay 250703 so 0001",
    "H10.19-abc-250703-0001",
    # no day, or one out of the window
    "H10.19-250732-0001",
    "H10.19-250229-0001",
    "H10.19-140703-0001",
    "H10.19-261124-0001",
    "H10.19-350703-0001",
    "H10.19-030725-0001",
    "H10.19-250703-12345678",
    "A10.19-250703-0001",  # no family of this installation
]


@pytest.mark.parametrize("message", NO_CODE, ids=label)
def test_no_code_is_made_of_anything_else(message: str) -> None:
    assert texts(message) == []


def test_several_codes_come_in_their_order_once_and_no_more_than_asked_for() -> None:
    message = f"HS {C2}, {C1.lower()} va {C1}\n{OLD}; {POLICE}"
    assert texts(message) == [C2, C1, OLD]
    assert texts(message, most=9) == [C2, C1, OLD, POLICE]
    assert texts(message, most=0) == []


@pytest.mark.parametrize("between", [" ", ",", "/", "\n", " va ", "+", ""])
def test_two_codes_may_stand_close(between: str) -> None:
    assert texts(C1 + between + C2) == [C1, C2]


RECEIPT = """TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG
GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ
Mã hồ sơ: H29.45-261120-0123
Mã thủ tục: 1.000948.H38 - Đăng ký biến động đất đai (Nghị định số 61/2018/NĐ-CP)
Người nộp: ông A, CCCD 079085012345, ĐT 0912 345 678
Thửa đất số 45, tờ bản đồ 12, GCN số BK 123456, diện tích 120,5 m2
Tiếp nhận: 08 giờ 30 ngày 20/11/2026. Hẹn trả: 17:00 30/11/2026
Lệ phí: 1.250.000đ, tài khoản 1903 2507 0300 01. Số thứ tự: A045. Xe 29H1-123.45"""


def test_a_whole_receipt_gives_its_code_alone() -> None:
    assert texts(RECEIPT) == [C1]
    assert texts(RECEIPT.replace("\n", " ")) == [C1]
    assert texts(RECEIPT.upper()) == [C1]
    assert texts(RECEIPT.replace(C1, "")) == []


def test_the_families_of_agencies_are_a_setting() -> None:
    assert texts("A10.19-250703-0001", level1="AH") == ["A10.19-250703-0001"]
    assert texts(H10, level1="G") == []


# Wider than any form that an office may write, so that only the reading keeps people's numbers out.
NUMERIC = CodeForm(pattern=re.compile(r"(?<![0-9])[0-9]{8,12}(?![0-9])"))
INSURANCE = read_form("[0-9]{5}/20[0-9]{2}/[0-9]{5}")
HOME_MADE = read_form("HS-[0-9]{4}-[0-9]{6}")
OF_AN_OFFICE = read_form("[A-Z]{2,5}-[A-Z]{2,5}-20[0-9]{2}-[0-9]{5}")
SLASHED = read_form("[0-9]{4}/[0-9]{6}")
OLDER = (NUMERIC, INSURANCE, HOME_MADE, OF_AN_OFFICE, SLASHED)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("bn 00673810079", ["00673810079"]),
        ("XNC 13557009", ["13557009"]),
        ("bhxh 03706/2026/07906 sao roi", ["03706/2026/07906"]),
        ("hs-2025-001234 xong chua", ["HS-2025-001234"]),
        (f"hs-2025-001234 va {H10} va 00673810079", ["HS-2025-001234", H10, "00673810079"]),
        ("00673810079, 13557009", ["00673810079", "13557009"]),
        ("00673810079 2 ngay roi", ["00673810079"]),
        ("00673810079.Cam on", ["00673810079"]),
        ("0912345678, bn 00673810079", ["00673810079"]),  # one that is none hides none
        (MINISTRY, [MINISTRY]),  # the date in a national code is no number of its own
    ],
    ids=label,
)
def test_older_forms_where_they_are_switched_on(message: str, expected: list[str]) -> None:
    assert texts(message, legacy=OLDER) == expected
    assert texts(message) == [code for code in expected if code in {H10, MINISTRY}]


@pytest.mark.parametrize(
    "typed",
    [
        "03706 2026 07906",
        "03706.2026.07906",
        "03706-2026-07906",
        "03706_2026_07906",
        "03706 / 2026 / 07906",
        "03706, 2026, 07906",
        "０３７０６／２０２６／０７９０６",
    ],
)
@pytest.mark.parametrize("around", ["{}", "bhxh {} sao roi", "({})."])
def test_the_joints_of_an_older_form_are_put_back(typed: str, around: str) -> None:
    assert texts(around.format(typed), legacy=OLDER) == ["03706/2026/07906"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("hs 2025 001234", ["HS-2025-001234"]),
        ("HS2025-001234", []),  # a joint that was dropped
        ("tdm-ncc-2026-00412", ["TDM-NCC-2026-00412"]),
        ("tdm/ncc - 2026 00412", ["TDM-NCC-2026-00412"]),
        ("cho hoi 2026 00412", []),  # words, and not letters of a form
    ],
)
def test_a_blank_joins_no_words(message: str, expected: list[str]) -> None:
    assert texts(message, legacy=OLDER) == expected


PERSONAL = [
    "0912345678", "0912.345.678", "84912345678", "+84912345678", "+84 912345678", "01212345678",
    "02743822123", "0274 3822123", "028 38221234", "028.38221234", "(028) 38221234",
    "09 12345678", "001085012345", "0010 85012345", "001 085012345", "280123456", "0312345678",
    "0312345678-001", "0912 345678", "20261120", "20112026", "31122026", "15081985", "19850815",
    "15 08 1985", "15/08/1985", "12.13557009", "13557009-2", "A00673810079", "00673810079x",
    "006738100791", "G09.20-29990609-0092637",
]  # fmt: skip


@pytest.mark.parametrize("number", PERSONAL, ids=[f"case {i}" for i in range(len(PERSONAL))])
@pytest.mark.parametrize("around", ["{}", "cho hoi {} voi", "so {}."], ids=["alone", "in", "end"])
def test_no_older_form_takes_a_number_of_a_person_or_a_day(number: str, around: str) -> None:
    assert texts(around.format(number), legacy=OLDER) == []


def test_where_a_national_code_can_be_read_in_two_ways_no_older_one_is_taken() -> None:
    form = read_form("H10-[0-9]{8}-[0-9]{4}")
    found = code_reader.read_apart("H10.20250703-0001", today=TODAY, legacy=(form,))
    assert found.codes == ()
    assert len(found.either) == 2


def test_of_two_forms_that_fit_the_first_is_taken() -> None:
    longer, shorter = read_form("HS-[0-9]{4}-[0-9]{7}"), read_form("[0-9]{4}/[0-9]{7}")
    assert texts("hs-2025-0012345", legacy=(longer, shorter)) == ["HS-2025-0012345"]
    assert texts("hs-2025-0012345", legacy=(shorter, longer)) == ["2025/0012345"]


def test_older_forms_are_values_of_their_own() -> None:
    found = code_reader.read("bn 00673810079", today=TODAY, legacy=(NUMERIC,))
    assert found == (LegacyCode(text="00673810079"),)
    assert texts("bn 00673810079") == []


def test_a_part_of_a_national_code_is_none_of_an_older_form() -> None:
    parts = ("[0-9]{7}", "G[0-9]{2}.[0-9]{2}", "[0-9]{8}-[0-9]")
    forms = [CodeForm(pattern=re.compile(part)) for part in parts]
    assert texts(MINISTRY, legacy=forms) == [MINISTRY]


def test_a_form_that_matches_nonsense_gives_no_code() -> None:
    nonsense = (CodeForm(pattern=re.compile("!+")), CodeForm(pattern=re.compile("A?")))
    assert texts("a !! b", legacy=nonsense) == []
    either = CodeForm(pattern=re.compile("!+|[0-9]{8}"))
    assert texts("!! 13557009", legacy=(either,)) == ["13557009"]


# --------------------------------------------------------------------------------- what must hold

DAYS = st.dates(date(2015, 1, 1), TODAY + timedelta(days=1))
LEVEL1 = st.from_regex(r"[GHK][0-9]{2}", fullmatch=True)


@st.composite
def national_codes(draw: st.DrawFn) -> str:
    """Codes as they are issued: groups of two or three, a letter of A to F at most."""
    level1 = draw(LEVEL1)
    if draw(st.booleans()):
        pair = st.from_regex(r"[0-9A-F][0-9]", fullmatch=True)
        groups = draw(st.lists(pair, min_size=1, max_size=2))
        unit = ".".join((draw(st.from_regex(r"[0-9]{3}", fullmatch=True)), *groups, level1))
    else:
        group = st.from_regex(r"[0-9]{2,3}", fullmatch=True)
        unit = ".".join((level1, *draw(st.lists(group, min_size=1, max_size=3))))
    day = draw(DAYS).strftime(draw(st.sampled_from(["%y%m%d", "%Y%m%d"])))
    serial = draw(st.from_regex(r"[0-9]{4}|[0-9]{6,7}", fullmatch=True))
    return f"{unit}-{day}-{serial}"


def other_joints(text: str, joint: str) -> str:
    return re.sub(r"[.-]", joint, text)


def letters_for_digits(text: str, one: str, nought: str) -> str:
    """In groups of digits alone that keep a real one; not at the end, where it may be a word."""
    groups = re.split(r"([.-])", text[:-1])
    return (
        "".join(
            group.replace("1", one).replace("0", nought)
            if group.isdigit() and group.strip("01")
            else group
            for group in groups
        )
        + text[-1]
    )


def blanks(text: str) -> str:
    """Not where a level has a letter of its own: it could be a word."""
    return text if re.search("[A-F]", text.upper()) else other_joints(text, " ")


def prefixed(text: str) -> str:
    """Not to a letter that stands for a digit: it would be one of the word."""
    return text if text[0] in "OoQqIiLl" else "hs" + text


def wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


WRITINGS = {
    "lower": str.lower,
    "spaced": lambda text: text.replace("-", " - "),
    "spaced dots": lambda text: text.replace(".", ". "),
    "blanks": blanks,
    "commas": lambda text: other_joints(text, ","),
    "slashes": lambda text: other_joints(text, "/"),
    "underscores": lambda text: other_joints(text, "_"),
    "colons": lambda text: other_joints(text, ":"),
    "dots": lambda text: other_joints(text, "."),
    "en dash": lambda text: text.replace("-", "–"),
    "line break": lambda text: text.replace("-", "-\n"),
    "prefix": prefixed,
    "wide": wide,
}
SURROUNDINGS = {
    "nothing": str,
    "question": lambda text: text + "?",
    "word": lambda text: text + " xong chưa ạ",
    "taken apart": lambda text: unicodedata.normalize("NFD", "mã hồ sơ " + text),
    "keystrokes": lambda text: "ho62 so7 " + text + " xong chu7a",
    "phone": lambda text: "0912345678, " + text + ", 001085012345",
    "receipt": lambda text: RECEIPT.replace(C1, text),
}
LETTERS = st.tuples(st.sampled_from("1IiLl"), st.sampled_from("0OoQ"))


@settings(max_examples=200, deadline=None)
@given(
    national_codes(),
    LETTERS,
    st.lists(st.sampled_from(sorted(WRITINGS)), max_size=3, unique=True),
    st.sampled_from(sorted(SURROUNDINGS)),
)
def test_a_code_survives_whatever_people_do_to_it(
    text: str, letters: tuple[str, str], writings: list[str], surrounding: str
) -> None:
    message = letters_for_digits(text, *letters)
    for writing in writings:
        message = WRITINGS[writing](message)
    assert texts(SURROUNDINGS[surrounding](message)) == [text]


@settings(deadline=None)
@given(national_codes())
def test_what_is_read_in_a_message_conforms(text: str) -> None:
    (found,) = code_reader.read(f"ho so {text} xong chua", today=TODAY)
    assert found == code.parse(text, today=TODAY)


@settings(deadline=None)
@given(LEVEL1, st.from_regex(r"[0-9]{2}", fullmatch=True), DAYS, st.integers(1, 999))
def test_a_serial_without_its_noughts_gets_them_back(
    level1: str, group: str, day: date, serial: int
) -> None:
    head = f"{level1}.{group}-{day:%y%m%d}"
    assert texts(f"{head}-{serial} sao roi") == [f"{head}-{serial:04}"]


@settings(deadline=None)
@given(national_codes(), st.integers(0, 3))
def test_a_dropped_joint_gives_the_code_or_none(text: str, which: int) -> None:
    """Not one between two groups: what is left is a code as well, with a longer group."""
    between_groups = r"(?<=[.][0-9]{2})[.](?=[0-9])|(?<=[.][0-9]{3})[.](?=[0-9])"
    longer = {found.start() for found in re.finditer(between_groups, text) if text[0].isalpha()}
    joints = {found.start() for found in re.finditer(r"[.-]", text)} - longer
    at = sorted(joints)[which % len(joints)]
    assert set(texts(text[:at] + text[at + 1 :])) <= {text}


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters() | st.sampled_from("GHKghk0123456789.-/ \nOQIL")))
def test_reading_never_fails_and_gives_only_codes_that_conform(message: str) -> None:
    for found in code_reader.read(message, today=TODAY, legacy=OLDER):
        conforms = isinstance(found, DossierCode) and code.parse(found.text) == found
        assert conforms or code.canonical(found.text) == found.text


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789.-/ ,:OQILSBAEV\n"))
def test_without_a_family_of_agencies_there_is_no_code(message: str) -> None:
    assert texts(message) == []


@pytest.mark.parametrize(
    "piece", ["H10", "H10.19-250703-", "000.00.00.H10-", "1.000948.", "\ufdfa"]
)
def test_a_hostile_text_is_read_no_further_than_a_message_is_long(piece: str) -> None:
    assert texts(piece * 30_000 + H10) == []


def test_the_extremes_of_the_calendar_are_no_trouble() -> None:
    assert code_reader.read(H10, today=date.max) != ()
    assert code_reader.read(H10, today=date.min) == ()
