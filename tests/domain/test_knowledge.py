"""Which procedure a text names, and what is decided from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dossier_samples import CODE, OWNER, dossier, event, installation
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge_samples import (
    BIRTH,
    BIRTH_AGAIN,
    BUSINESS,
    EXTRACT,
    IDENTITY,
    KNOWN,
    MARRIAGE,
    POST,
    PROCEDURES,
    SINGLE,
    procedure,
)

from notifier.domain import answer
from notifier.domain.answer import Answer, Say
from notifier.domain.conversation import Talk
from notifier.domain.disclosure import Asker
from notifier.domain.inquiry import Inquiry, Intent
from notifier.domain.knowledge import Knowledge, Procedure
from notifier.domain.message import Address
from notifier.domain.text import fold
from notifier.domain.titles import COMMON


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("dang ky khai sinh", BIRTH),
        ("lam giay khai sinh can giay to gi", BIRTH),
        ("lam lai giay khai sinh", BIRTH_AGAIN),
        ("le phi dang ky ket hon bao nhieu tien", MARRIAGE),
        ("dang ky ket hon co can mang can cuoc khong", MARRIAGE),
        ("how much is the fee for marriage registration", MARRIAGE),
        ("cap ban sao trich luc ho tich", EXTRACT),
        ("xac nhan doc than can gi", SINGLE),
        ("dang ky ho kinh doanh", BUSINESS),
        ("cap the can cuoc", IDENTITY),
        ("thu_tuc dang_ky ket_hon", MARRIAGE),
        ("1.000894", MARRIAGE),
        ("thu tuc 1.000894.h38 can gi", MARRIAGE),
        ("1.000894 khai sinh", MARRIAGE),
    ],
)
def test_a_procedure_is_found_by_what_people_write(words: str, found: Procedure) -> None:
    assert KNOWN.procedure(words) == found


@pytest.mark.parametrize(
    "words",
    [
        "",
        "thu tuc",
        "le phi bao nhieu",
        "tinh trang ho so",
        "dang ky nhanh hon",
        "sinh vien khai thue",
        "khai sinh va ket hon",
        "trich luc khai sinh",
        "hon ket ky dang",
        "9.999999",
        "11.000894",
        "1.0008941",
    ],
)
def test_what_names_none_or_several_finds_none(words: str) -> None:
    assert KNOWN.procedure(words) is None


def test_two_of_one_name_are_told_apart_by_their_codes_only() -> None:
    first, second = (
        procedure("1.000001", "Cấp phép xây dựng"),
        procedure("1.000002", "Cấp phép xây dựng"),
    )
    known = Knowledge.of([first, second])
    assert known.procedure("cap phep xay dung") is None
    assert known.procedure("1.000002") == second


def test_two_of_one_national_code_are_not_told_apart_by_it() -> None:
    known = Knowledge.of([procedure("1.000001.H38", "Cấp phép xây dựng"),
                          procedure("1.000001.H19", "Cấp phép xây nhà")])  # fmt: skip
    assert known.procedure("1.000001") is None
    assert known.procedure("cap phep xay nha") is not None


def test_titles_are_read_with_the_spellings_of_the_texts() -> None:
    known = Knowledge.of(
        [procedure("1.000001", "Cấp GPXD")], spellings={"gpxd": "giay phep xay dung"}
    )
    assert known.procedure("xin giay phep xay dung") is not None


def test_a_name_of_common_words_alone_names_nothing() -> None:
    known = Knowledge.of([procedure("1.000001", "Cấp giấy", "thủ tục", "?")])
    assert known.procedure("thu tuc cap giay gi") is None


def test_nothing_is_found_where_nothing_is_known() -> None:
    assert Knowledge().procedure("dang ky khai sinh 1.001193") is None
    assert Knowledge().topic(Intent.FEE, "le phi") is None


WORDS = st.sampled_from(["dang", "ky", "cap", "khai", "sinh", "ket", "hon", "dat", "nha"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=6), max_size=8),
    st.lists(WORDS | st.sampled_from(["la", "gi"]), max_size=8),
)
def test_what_is_found_shares_a_telling_word_with_the_text(
    titles: list[list[str]], said: list[str]
) -> None:
    known = Knowledge.of(
        procedure(f"1.{number:06}", " ".join(words)) for number, words in enumerate(titles)
    )
    found = known.procedure(" ".join(said))
    assert found is None or set(fold(found.name).split()) & set(said) - COMMON


@pytest.mark.parametrize("wanted", PROCEDURES, ids=lambda wanted: wanted.code)
def test_every_title_finds_its_own(wanted: Procedure) -> None:
    for name in (wanted.name, *wanted.also):
        assert KNOWN.procedure(fold(name)) == wanted


def test_a_topic_needs_its_intent_and_a_phrase() -> None:
    assert KNOWN.topic(Intent.RESULT_DELIVERY, "gui buu dien duoc khong") == POST
    assert KNOWN.topic(Intent.RESULT_DELIVERY, "nho vo lay ho") is None
    assert KNOWN.topic(Intent.FEE, "gui buu dien duoc khong") is None


# --------------------------------------------------------------------------------------- decisions

OWN = dossier(event("received", "2026-11-10 09:00", applicant_phone=OWNER))


def decide(
    intent: Intent, words: str, *codes: str, talk: Talk | None = None, noise: bool = False
) -> Answer:
    installed = installation()
    return answer.decide(
        Inquiry(intent=intent, words=words, codes=codes, is_noise=noise),
        {CODE: OWN},
        Asker(address=Address("sms", OWNER)),
        talk or Talk(),
        policy=installed.disclosure,
        units=installed.units,
        statuses=installed.statuses,
        knowledge=KNOWN,
    )


@pytest.mark.parametrize(
    ("intent", "words", "says"),
    [
        (Intent.PROCEDURE, "lam giay khai sinh can giay to gi", Say.KNOWN_PROCEDURE),
        (Intent.PROCEDURE, "lam thu tuc can gi", Say.PROCEDURE),
        (Intent.FEE, "le phi ket hon bao nhieu tien", Say.KNOWN_FEE),
        (Intent.FEE, "le phi bao nhieu tien", Say.FEE),
        (Intent.RESULT_DELIVERY, "nhan qua buu dien duoc khong", Say.TOPIC),
        (Intent.RESULT_DELIVERY, "nho vo lay ho duoc khong", Say.RESULT_DELIVERY),
        (Intent.UNKNOWN, "abc xyz", Say.NOT_UNDERSTOOD),
        (Intent.OPT_OUT, "khai sinh", Say.STOPPED),
        (Intent.WITHDRAW, "rut ho so khai sinh", Say.LEGAL_ACT),
    ],
)
def test_what_is_known_is_said_and_else_where_it_is_found(
    intent: Intent, words: str, says: Say
) -> None:
    assert [part.say for part in decide(intent, words).parts] == [says]


@pytest.mark.parametrize(
    ("words", "intent"),
    [("dang ky ket hon", Intent.PROCEDURE), ("abc xyz", Intent.UNKNOWN)],
)
def test_who_writes_the_title_of_a_procedure_wants_to_know_of_it(
    words: str, intent: Intent
) -> None:
    asked = Inquiry(intent=Intent.UNKNOWN, words=words)
    assert answer.named(asked, KNOWN).intent is intent
    assert answer.is_fragment(answer.named(asked, KNOWN), KNOWN) is (intent is Intent.UNKNOWN)
    assert answer.named(replace(asked, codes=(CODE,)), KNOWN).intent is Intent.UNKNOWN
    assert answer.named(replace(asked, is_noise=True), KNOWN).intent is Intent.UNKNOWN


def test_the_fee_of_a_procedure_that_is_named_is_not_that_of_one_s_dossier() -> None:
    talk = Talk(own=(OWN,))
    named = decide(Intent.FEE, "le phi ket hon", talk=talk)
    assert [part.procedure for part in named.parts] == [MARRIAGE]
    unnamed = decide(Intent.FEE, "le phi bao nhieu", talk=talk)
    assert [part.say for part in unnamed.parts] == [Say.STATUS]


def test_a_code_asks_for_the_dossier_whatever_procedure_is_named() -> None:
    decided = decide(Intent.FEE, "le phi ket hon", CODE)
    assert [part.say for part in decided.parts] == [Say.STATUS]


def test_a_topic_stands_beside_the_dossier() -> None:
    decided = decide(Intent.RESULT_DELIVERY, "gui buu dien", CODE)
    assert [part.say for part in decided.parts] == [Say.STATUS, Say.TOPIC]


def test_a_machine_that_names_a_procedure_is_not_answered() -> None:
    assert decide(Intent.UNKNOWN, "dang ky ket hon", noise=True).parts == ()
