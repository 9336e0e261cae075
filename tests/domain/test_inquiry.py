from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dossier_samples import CODE, installation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifier.domain import inquiry
from notifier.domain.code_form import read_form
from notifier.domain.inquiry import Inquiry, Intent

KEYWORDS = installation().keywords
TODAY = date(2026, 11, 22)
DATA = Path(__file__).parent.parent / "data"


NUMERIC = read_form("[0-9]{8}")


def read(text: str, **options: Any) -> Inquiry:
    return inquiry.read(text, KEYWORDS, today=TODAY, **options)


def utterances() -> list[tuple[str, str, tuple[str, ...]]]:
    with (DATA / "utterances.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            (
                row["text"],
                row["intent"],
                tuple(row["codes"].split(", ")) if row["codes"] else (),
            )
            for row in rows
        ]


@pytest.mark.parametrize(
    ("text", "intent", "codes"), utterances(), ids=[f"{n}" for n in range(len(utterances()))]
)
def test_what_people_write(text: str, intent: str, codes: tuple[str, ...]) -> None:
    found = read(text)
    assert (found.intent, found.codes) == (intent, codes)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("TC", Intent.OPT_OUT),
        (" tc. ", Intent.OPT_OUT),
        ("Từ chối", Intent.OPT_OUT),
        ("HỦY", Intent.OPT_OUT),
        ("Dừng!", Intent.OPT_OUT),
        ("STOP", Intent.OPT_OUT),
        (f"TC {CODE}", Intent.STATUS),  # with a code it is a question
        (f"HUY {CODE}", Intent.OPT_OUT),  # no more about this dossier
        (f"hủy nhận tin {CODE}", Intent.OPT_OUT),
        (f"huy ho so {CODE}", Intent.WITHDRAW),
        ("TC gì vậy", Intent.UNKNOWN),  # only alone is it a stop
        ("dừng xử lý là sao", Intent.STATUS),
        ("không nhận được tin nhắn nào", Intent.UNKNOWN),  # complains of silence, refuses nothing
        ("rút ngắn thời gian được không", Intent.DUE_DATE),
        ("không khiếu nại gì, chỉ hỏi hồ sơ", Intent.STATUS),
        ("HUY HO SO", Intent.WITHDRAW),
        (f"rút hồ sơ {CODE}", Intent.WITHDRAW),
        ("DK", Intent.SUBSCRIBE),
        (f"DK {CODE}", Intent.SUBSCRIBE),
        ("HS", Intent.STATUS),
        ("/start", Intent.HELP),
        ("?", Intent.HELP),
        ("", Intent.UNKNOWN),
        ("...", Intent.UNKNOWN),
        (CODE, Intent.STATUS),
        ("tracuu", Intent.STATUS),  # words run together are taken apart
        ("Đúng", Intent.UNKNOWN),  # right, not stop
        ("làm phiền anh chị xem giúp hồ sơ", Intent.STATUS),  # a courtesy
        ("dừng xử lý hồ sơ là sao", Intent.STATUS),
        ("dùng Zalo có nhận tin nhắn được không", Intent.UNKNOWN),
        ("sao không nhắn tin nữa", Intent.UNKNOWN),
        ("đừng báo trễ nữa", Intent.LATE),
        ("tôi nhận nhầm số thứ tự", Intent.UNKNOWN),
        ("dung trung tam hanh chinh cong khong", Intent.UNKNOWN),
        ("khỏi gửi bưu điện nữa, em tự lên lấy", Intent.RESULT_DELIVERY),
        ("hủy đăng ký kết hôn cần gì", Intent.PROCEDURE),
        ("bộ hồ sơ này tới đâu rồi", Intent.STATUS),  # a set of papers; "bỏ" is to give up
        ("hồ sơ của tôi bị hủy hả", Intent.STATUS),
        ("không rút hồ sơ nữa", Intent.STATUS),
        ("ho so cua anh Huy xong chua", Intent.STATUS),  # a name
        ("chị Huy nộp hồ sơ hôm qua", Intent.STATUS),
        ("rút bảo hiểm xã hội một lần cần giấy tờ gì", Intent.PROCEDURE),
        ("len bao gio thi duoc", Intent.DUE_DATE),  # "lên báo" is to go to the press
        ("nộp hồ sơ với tiền lệ phí ở đâu", Intent.FEE),  # "vòi tiền" is to extort
        ("em hỏi lỡ quá hạn thì sao", Intent.LATE),  # "hối lộ" is a bribe
        ("thái độ phục vụ rất tốt", Intent.RATING),
        ("thái độ phục vụ không tốt", Intent.COMPLAINT),
        ("hồ sơ tên Phan Anh", Intent.STATUS),  # a name; "phản ánh" is to report
        ("chi Hanh len lay duoc khong", Intent.DUE_DATE),
        ("xem tiến độ hồ sơ", Intent.STATUS),  # "tiền" is money
        ("không lên xã nữa, cho tôi nhận giấy tờ về qua bưu điện", Intent.RESULT_DELIVERY),
        ("nộp bữa trước rồi lại rút ra nộp lại, giờ sao rồi", Intent.STATUS),  # it was taken back
        ("ai rút hồ sơ của tôi vậy", Intent.STATUS),
        ("hồ sơ dừng ở bước nào rồi", Intent.STATUS),
        ("đừng xin lỗi nữa, trả sổ cho tôi", Intent.STATUS),  # the result, not the papers
        ("rút tên khỏi danh sách hộ nghèo cần thủ tục gì", Intent.PROCEDURE),
        ("rút số của tôi ra khỏi danh sách gửi tin", Intent.OPT_OUT),
        ("lỡ xóa tin nhắn có mã rồi, cho xin lại mã", Intent.CODE_HELP),
        ("thôi nhắn tin cho tôi khi xong nha", Intent.SUBSCRIBE),  # "thôi" begins, or ends it
        ("thôi gửi tin cho tôi", Intent.OPT_OUT),
        ("đừng gửi vào số cũ nữa, gửi qua số mới", Intent.CHANGE_CONTACT),
        ("đơn khiếu nại nộp tháng trước giải quyết tới đâu rồi", Intent.STATUS),
        ("hồ sơ tới đâu không biết, tôi sẽ khiếu nại", Intent.COMPLAINT),
        ("cán bộ bảo đưa 2 triệu thì làm nhanh", Intent.COMPLAINT),
        ("cán bộ nói nộp 500 nghìn lệ phí mới được nhận sổ", Intent.FEE),
        ("nhân viên thu 200 nghìn không có biên lai", Intent.COMPLAINT),
        ("tôi đóng tiền rồi mà chưa có biên lai", Intent.FEE),
        ("đổi ý rồi, không bán đất nữa, cho tôi lấy lại hồ sơ", Intent.WITHDRAW),
        ("khi nào tôi lấy lại được sổ gốc", Intent.DUE_DATE),
        ("thứ ba tới em lên lấy được không", Intent.DUE_DATE),  # Tuesday; "ba" is father
        ("muốn tạo tài khoản thì làm sao", Intent.PROCEDURE),  # "tao" is I, said by no applicant
    ],
)
def test_keywords_that_could_be_taken_for_another(text: str, intent: Intent) -> None:
    assert read(text).intent is intent


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("đúng hẹn", "chuan hen"),  # told from "đừng", stop, by nothing but its accent
        ("đừng", "dung"),
        ("gặp", "gap"),
        ("gấp", "som"),
        ("dung", "dung"),  # without accents nobody can tell
        ("⭐⭐⭐", "sao sao sao"),
        ("bhxs", "bhxs"),  # without a vowel there is no tone: it is not "bh", when
        ("buwu ddieejn", "buu_dien"),  # no letter of "bưu" was doubled by Telex
        ("dd9a8ng ky1", "dang ky"),  # Telex and VNI in one word
        ("quahan2ngay", "qua han ngay"),
        ("asdf", "asdf"),  # two tones: keys struck at random
        (f"{CODE}quahan", "qua han"),  # the q is no digit of the code
        ("hồ sơ\ntrễ hẹn", "ho_so tre hen"),  # one sentence over several lines
        ("thủ tục 1.004194 cần gì", "thu_tuc can gi 1.004194"),
    ],
)
def test_what_was_typed_is_read_as(typed: str, words: str) -> None:
    assert read(typed).words == words


@pytest.mark.parametrize(
    ("text", "default", "language"),
    [
        ("when is my dossier ready", "vi", "en"),
        (f"status {CODE}", "vi", "en"),
        (f"HS {CODE}", "vi", "vi"),
        ("bao giờ xong", "vi", "vi"),
        ("bao giờ xong", "en", "en"),  # the channel says that they read English
        ("restart", "vi", "vi"),  # words, not parts of words
        ("help em", "vi", "vi"),  # one English word among others
        ("status hs nop online file", "vi", "en"),
        ("check file ho so em nop", "vi", "vi"),  # two, and no more than a third
        ("của tôi", "vi", "vi"),  # no English word stands between accents
        ("gọi cho tôi", "vi", "vi"),
        ("to6i muo61n khie61u na5i", "vi", "vi"),  # nor between keystrokes
    ],
)
def test_the_language_of_the_answer(text: str, default: str, language: str) -> None:
    assert read(text, default_language=default).language == language


def test_a_channel_that_says_nothing_is_answered_in_vietnamese() -> None:
    assert read("bao giờ xong").language == "vi"


def test_a_code_of_an_older_form_is_read_where_it_is_switched_on() -> None:
    found = read("XNC 13557009 xong chua", legacy=(NUMERIC,))
    assert found.codes == ("13557009",)
    assert "13557009" not in found.words
    assert read("XNC 13557009 xong chua").codes == ()


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("QC: vay vốn lãi suất thấp", "qc"),
        ("Thuê bao\nquý khách vừa gọi đã tắt máy", "thue bao quy khach"),
    ],
)
def test_what_a_machine_or_a_stranger_writes_is_nobody_s_question(text: str, by: str) -> None:
    found = read(text)
    assert (found.intent, found.is_noise, found.by) == (Intent.UNKNOWN, True, by)
    assert found.language == "vi"
    assert by in found.words


def test_who_writes_a_code_is_answered_whatever_stands_beside_it() -> None:
    found = read(f"vay vốn {CODE}")
    assert (found.intent, found.is_noise) == (Intent.STATUS, False)


def test_codes_stand_in_the_order_of_the_text() -> None:
    assert read("H29.45-261120-0124 roi H29.45-261120-0123").codes == (
        "H29.45-261120-0124",
        "H29.45-261120-0123",
    )


def labelled(name: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Texts written by people who did not know the keyword table; ``\\n`` is a line break."""
    lines = (DATA / name).read_text(encoding="utf-8").split("\n")[1:]
    cells = [line.split("\t") for line in lines if line]
    return [
        (text.replace("\\n", "\n"), intent, tuple(codes.split(", ")) if codes else ())
        for intent, text, codes in cells
    ]


CITIZENS = {
    name: labelled(f"{name}.tsv")
    for name in ("citizens", "citizens_2", "citizens_3", "citizens_4", "citizens_5")
}
LEGAL = {Intent.OPT_OUT, Intent.WITHDRAW, Intent.COMPLAINT}
"""What a text must not be taken for when it is not."""


@pytest.mark.parametrize("name", CITIZENS)
def test_every_code_that_citizens_wrote_is_found_and_none_is_invented(name: str) -> None:
    wrong = [
        number
        for number, (text, _, codes) in enumerate(CITIZENS[name])
        if read(text).codes != codes
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("citizens", 0.98),
        ("citizens_2", 0.98),
        ("citizens_3", 0.97),
        ("citizens_4", 0.98),
        ("citizens_5", 0.98),
    ],
)
def test_what_citizens_want_is_understood(name: str, share: float) -> None:
    right = sum(read(text).intent == intent for text, intent, _ in CITIZENS[name])
    assert right >= share * len(CITIZENS[name])


@pytest.mark.parametrize("name", CITIZENS)
def test_nobody_is_taken_to_refuse_withdraw_or_complain_who_does_not(name: str) -> None:
    wrong = [
        number
        for number, (text, intent, _) in enumerate(CITIZENS[name])
        if (found := read(text).intent) in LEGAL and found != intent
    ]
    assert wrong == []


@pytest.mark.parametrize("name", CITIZENS)
def test_who_refuses_withdraws_or_complains_is_understood(name: str) -> None:
    missed = [
        number
        for number, (text, intent, _) in enumerate(CITIZENS[name])
        if intent in LEGAL and read(text).intent != intent
    ]
    assert missed == []


def test_what_was_read_and_what_decided_can_be_shown() -> None:
    found = read(f"Cho e hỏi hs {CODE} trễ hẹn r sao z ạ")
    assert (found.words, found.by) == ("cho em hoi ho_so tre hen roi sao vay anh", "tre hen")


@pytest.mark.parametrize(
    ("text", "intent", "by"),
    [
        ("TC", Intent.OPT_OUT, "tc"),
        (CODE, Intent.STATUS, "a code and no other wish"),
        (
            "TTPVHCC P.Thu Dau Mot: Da co ket qua.\nTu choi nhan tin soan TC",
            Intent.STATUS,
            "a message of ours, sent back",
        ),
        ("abcxyz", Intent.UNKNOWN, ""),
        ("", Intent.UNKNOWN, ""),
    ],
)
def test_what_decides_where_no_phrase_does(text: str, intent: Intent, by: str) -> None:
    found = read(text)
    assert (found.intent, found.by) == (intent, by)


@given(st.text(max_size=300) | st.text("tchuyđkHS .-0192" + "\u0300\ud83d"[:1], max_size=80))
@example("\x00" * 3_000)
@example("\ud800")
@settings(deadline=None)
def test_whatever_is_written_is_read(text: str) -> None:
    assert isinstance(read(text).intent, Intent)


def test_a_text_is_read_to_its_two_thousandth_character() -> None:
    before = "." * (2_000 - len(CODE))
    assert read(before + CODE).codes == (CODE,)
    assert read("." + before + CODE).codes == ()


def test_a_single_line_of_ninety_letters_may_be_a_message_of_ours() -> None:
    ours = "xin loi ong ba vi ho so "
    assert read(ours + "1" * (89 - len(ours))).words != ""
    assert read(ours + "1" * (90 - len(ours))).words == ""


def test_a_question_is_not_written_out_beyond_its_codes() -> None:
    assert "tu choi" not in repr(read("từ chối"))


def test_a_code_at_the_end_of_what_is_read_is_whole_or_not_there() -> None:
    """A text longer than is read is cut between words: no other dossier comes of half a serial."""
    for more in range(20):
        told = read("x " * (999 - len(CODE) // 2) + "y" * more + f" {CODE}")
        assert told.codes in {(CODE,), ()}
