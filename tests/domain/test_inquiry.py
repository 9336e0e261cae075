from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from dossier_samples import CODE, installation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifier.domain import inquiry
from notifier.domain.inquiry import Inquiry, Intent

KEYWORDS = installation().keywords
TODAY = date(2026, 11, 22)
DATA = Path(__file__).parent.parent / "data"


def read(text: str, **options: str) -> Inquiry:
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
    ],
)
def test_keywords_that_could_be_taken_for_another(text: str, intent: Intent) -> None:
    assert read(text).intent is intent


@pytest.mark.parametrize(
    ("text", "default", "language"),
    [
        ("when is my dossier ready", "vi", "en"),
        (f"status {CODE}", "vi", "en"),
        (f"HS {CODE}", "vi", "vi"),
        ("bao giờ xong", "vi", "vi"),
        ("bao giờ xong", "en", "en"),  # the channel says that they read English
        ("restart", "vi", "vi"),  # words, not parts of words
    ],
)
def test_the_language_of_the_answer(text: str, default: str, language: str) -> None:
    assert read(text, default_language=default).language == language


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


CITIZENS = labelled("citizens.tsv")
LEGAL = {Intent.OPT_OUT, Intent.WITHDRAW, Intent.COMPLAINT}
"""What a text must not be taken for when it is not."""


def test_every_code_that_citizens_wrote_is_found_and_none_is_invented() -> None:
    wrong = [
        number for number, (text, _, codes) in enumerate(CITIZENS) if read(text).codes != codes
    ]
    assert wrong == []


def test_what_citizens_want_is_understood() -> None:
    right = sum(read(text).intent == intent for text, intent, _ in CITIZENS)
    assert right >= 0.98 * len(CITIZENS)


def test_nobody_is_taken_to_refuse_withdraw_or_complain_who_does_not() -> None:
    wrong = [
        number
        for number, (text, intent, _) in enumerate(CITIZENS)
        if (found := read(text).intent) in LEGAL and found != intent
    ]
    assert wrong == []


def test_what_was_read_and_what_decided_can_be_shown() -> None:
    found = read(f"Cho e hỏi hs {CODE} trễ hẹn r sao z ạ")
    assert (found.words, found.by) == ("cho em hoi ho_so tre hen roi sao vay anh", "tre hen")


@given(st.text(max_size=300) | st.text("tchuyđkHS .-0192" + "\u0300\ud83d"[:1], max_size=80))
@example("\x00" * 3_000)
@example("\ud800")
@settings(deadline=None)
def test_whatever_is_written_is_read(text: str) -> None:
    assert isinstance(read(text).intent, Intent)


def test_a_question_is_not_written_out_beyond_its_codes() -> None:
    assert "tu choi" not in repr(read("từ chối"))
