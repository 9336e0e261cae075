"""What the office knows, in the citizen's words: how much of it an SMS has room for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import GATEWAY, NOW, Centre, inbound
from knowledge_samples import BIRTH, BUSINESS, KNOWN, MARRIAGE, POST, SOURCE

from notifier.domain.answer import Answer, Part, Say
from notifier.domain.limit import Limit, LimitUnit
from notifier.domain.text import unaccent
from notifier.flows.compose import Composer

if TYPE_CHECKING:
    from notifier.domain.installation import Installation
    from notifier.domain.knowledge import Procedure
    from notifier.flows.compose import Text
    from notifier.rendering import Templates


@pytest.fixture
def composer(installation: Installation, templates: Templates) -> Composer:
    return Composer(installation, templates)


def told(
    composer: Composer, procedure: Procedure, say: Say = Say.KNOWN_PROCEDURE,
    *, channel: str = "sms", language: str = "vi",
) -> Text:  # fmt: skip
    answer = Answer(parts=(Part(say=say, procedure=procedure),))
    return composer.answer_text(answer, channel=channel, language=language, now=NOW)


def test_a_chat_says_all_with_its_source_and_date(composer: Composer) -> None:
    text = told(composer, BUSINESS, channel="telegram").text
    for known in (BUSINESS.code, BUSINESS.name, *BUSINESS.papers, "3 ngày làm việc", "100.000đ",
                  SOURCE, "01/11/2026"):  # fmt: skip
        assert known in text


def test_an_sms_that_has_room_names_the_source(composer: Composer) -> None:
    text = told(composer, BUSINESS)
    assert unaccent(f"(theo {SOURCE})") in text.text
    assert text.plan.segments <= 2


@pytest.mark.parametrize("papers", [0, 1, 5, 12, 40])
@pytest.mark.parametrize("keep", [False, True], ids=["plain", "accents"])
def test_an_sms_takes_no_more_than_two(
    installation: Installation, templates: Templates, papers: int, keep: bool
) -> None:
    installation = replace(installation, sms=replace(installation.sms, keep_accents=keep))
    many = replace(
        BUSINESS,
        name=BUSINESS.name + " và các ngành nghề kinh doanh có điều kiện theo quy định" * 4,
        papers=tuple(f"Giấy tờ cần nộp thứ {number}" for number in range(papers)),
    )
    text = told(Composer(installation, templates), many)
    assert text.plan.segments <= 2
    assert installation.units.office.portal in text.text
    assert many.code in text.text


def test_the_first_papers_stay(composer: Composer) -> None:
    many = replace(BUSINESS, papers=tuple(f"Giay so {number}" for number in range(30)))
    text = told(composer, many).text
    assert "Giay so 0; Giay so 1;" in text
    assert "; va giay to khac" in text
    assert "Giay so 29" not in text


@pytest.mark.parametrize(
    ("fee", "note", "vi", "en"),
    [
        (0, "", "Phí, lệ phí: không thu.", "Fee: none."),
        (8_000, "", "Phí, lệ phí: 8.000đ.", "Fee: 8.000đ."),
        (8_000, "quá hạn", "Phí, lệ phí: 8.000đ (quá hạn).", "Fee: 8.000đ (quá hạn)."),
        (None, "tùy diện tích", "Phí, lệ phí: tùy diện tích.", "Fee: tùy diện tích."),
        (None, "", "Ông/Bà xem tại dichvucong.gov.vn.", "is at dichvucong.gov.vn."),
    ],
)
def test_a_fee_is_said_as_far_as_it_is_known(
    composer: Composer, fee: int | None, note: str, vi: str, en: str
) -> None:
    known = replace(MARRIAGE, fee=fee, fee_note=note)
    for language, wanted in (("vi", vi), ("en", en)):
        text = told(composer, known, Say.KNOWN_FEE, channel="chat", language=language).text
        assert wanted in text
        assert (SOURCE in text) == (fee is not None or bool(note))


@pytest.mark.parametrize(
    ("limit", "vi"),
    [
        (Limit(count=0, unit=LimitUnit.WORKING_DAYS), "trong ngày"),
        (Limit(count=5, unit=LimitUnit.WORKING_DAYS), "5 ngày làm việc"),
        (Limit(count=15, unit=LimitUnit.CALENDAR_DAYS), "15 ngày"),
        (Limit(count=4, unit=LimitUnit.WORKING_HOURS), "4 giờ làm việc"),
    ],
)
def test_a_limit_is_said_in_its_own_unit(composer: Composer, limit: Limit, vi: str) -> None:
    known = replace(MARRIAGE, limit=limit)
    assert f"Thời hạn giải quyết: {vi}" in told(composer, known, channel="chat").text
    assert f"Thoi han: {unaccent(vi)}" in told(composer, known).text


def test_what_is_too_long_with_accents_goes_without(
    installation: Installation, templates: Templates
) -> None:
    installation = replace(installation, sms=replace(installation.sms, keep_accents=True))
    long = replace(POST, short={"vi": "Ông/Bà đăng ký tại quầy Bưu chính. " * 6, "en": ""})
    answer = Answer(parts=(Part(say=Say.TOPIC, topic=long),))
    text = Composer(installation, templates).answer_text(
        answer, channel="sms", language="vi", now=NOW
    )
    assert text.text.isascii()
    assert text.plan.segments <= 2


def test_little_known_leaves_no_hole(composer: Composer) -> None:
    for channel in ("sms", "chat"):
        for language in ("vi", "en"):
            text = told(composer, MARRIAGE, channel=channel, language=language).text
            for flaw in ("None", " .", "..", "()", ": .", "  "):
                assert flaw not in text


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("làm giấy khai sinh cần giấy tờ gì", BIRTH.papers[0]),
        ("lệ phí đăng ký khai sinh bao nhiêu tiền", BIRTH.fee_note),
        ("nhận kết quả qua bưu điện được không", POST.short["vi"]),
        ("đăng ký kết hôn", MARRIAGE.name),
    ],
)
async def test_a_text_is_answered_from_what_the_office_knows(
    centre: Centre, installation: Installation, templates: Templates, text: str, holds: str
) -> None:
    centre.installation = replace(installation, knowledge=KNOWN)
    await centre.restart()
    await centre.receive().accept([inbound(text, key="1")])
    [row] = [row for row in await centre.outbox() if row.key == f"answer|{GATEWAY}|1"]
    assert unaccent(holds) in row.text
