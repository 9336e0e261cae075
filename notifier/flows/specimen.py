"""Every text with the longest unit, code, reason and papers, to see that it reads and fits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.answer import Answer, Part, Say
from notifier.domain.disclosure import Level
from notifier.domain.dossier import (
    Dossier,
    Facts,
    Fee,
    Rescheduled,
    Step,
    SupplementRequest,
    UnitRef,
)
from notifier.domain.knowledge import Procedure, Topic
from notifier.domain.ladder import EMAIL
from notifier.domain.limit import Limit, LimitUnit
from notifier.domain.notice import Notice, Person, Role
from notifier.domain.opening import read_hours
from notifier.domain.unit import Unit
from notifier.errors import TemplateError
from notifier.flows.compose import MANY
from notifier.flows.warn import DAILY, LATE, SOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from notifier.domain.installation import Installation
    from notifier.domain.rules import Rule
    from notifier.flows.compose import Composer, Text

LONGEST_CODE: Final = "000.00.19.H10-20261120-0092637"
LONGEST_REASON: Final = "chờ ý kiến của cơ quan thẩm định và kết quả đo đạc lại ranh giới thửa đất"
LONGEST_LETTER: Final = "https://motcua.dichvucong.dongnai.gov.vn/v1/letters/" + "Aa0-" * 12
LONGEST_PAPERS: Final = ("Bản sao trích lục bản đồ địa chính", "Văn bản uỷ quyền có công chứng")
NOW: Final = instant.read_iso("2026-11-23T08:00:00+07:00")
LONGEST_PROCEDURE: Final = Procedure(
    code="1.012783.000.00.00.H10",
    name="Đăng ký biến động quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất trong các "
    "trường hợp chuyển đổi, chuyển nhượng, thừa kế, tặng cho",
    papers=(
        "Đơn đăng ký biến động đất đai, tài sản gắn liền với đất theo Mẫu số 18",
        "Giấy chứng nhận đã cấp",
        "Hợp đồng hoặc văn bản về việc chuyển quyền đã công chứng, chứng thực",
        "Mảnh trích đo bản đồ địa chính thửa đất đối với trường hợp chuyển một phần",
        "Tờ khai thuế thu nhập cá nhân và tờ khai lệ phí trước bạ",
    ),
    limit=Limit(count=10, unit=LimitUnit.WORKING_DAYS),
    fee=1_250_000,
    fee_note="giảm một nửa khi nộp trực tuyến toàn trình theo nghị quyết của Hội đồng nhân dân",
    where="Quầy Đất đai và Môi trường, Trung tâm Phục vụ hành chính công phường",
    source="Quyết định số 1234/QĐ-UBND ngày 30/06/2026 của Uỷ ban nhân dân tỉnh",
    as_of=date(2026, 11, 1),
)
LONGEST_TOPIC: Final = Topic(
    name="longest",
    intents=frozenset(),
    phrases=re.compile("longest"),
    short=dict.fromkeys(("vi", "en"), "Người nhận thay mang giấy hẹn, giấy uỷ quyền. " * 5),
    long=dict.fromkeys(("vi", "en"), "Người nhận thay mang giấy hẹn, giấy uỷ quyền. " * 30),
    source=LONGEST_PROCEDURE.source,
    as_of=LONGEST_PROCEDURE.as_of,
)
LONGEST_UNIT: Final = Unit(
    code="H19.45",
    name="Bộ phận Tiếp nhận và Trả kết quả giải quyết thủ tục hành chính, Uỷ ban nhân dân phường",
    short="Bo phan TN&TKQ phuong Binh Phuoc, D.Nai",
    phone="02713888222",
    address="Tầng 2, Nhà làm việc khối các cơ quan chuyên môn, số 1234 đường Cách mạng Tháng Tám, "
    "khu phố Bình Phước 12, phường Bình Phước, tỉnh Đồng Nai",
    hours=read_hours(
        "07:30-11:30, 13:30-17:00 T2-T4; 07:30-11:30 T5; 07:00-11:00, 13:00-16:30 T6;08:00-11:00 T7"
    ),
    source=LONGEST_PROCEDURE.source,
    as_of=LONGEST_PROCEDURE.as_of,
)
STAFF_TEXTS: Final = (DAILY, SOON, LATE)
LOCALES: Final = ("vi", "en")
CHANNELS: Final = ("sms", "chat")
NOTICE_CHANNELS: Final = (*CHANNELS, EMAIL)
"""A notice may go by e-mail too, where there are words for that; an answer does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One text: its template, what it takes, and a sentence where it is at fault."""

    template: str
    segments: int = 0
    units: int = 0
    text: str = field(default="", repr=False)
    fault: str = ""


def check(composer: Composer, installation: Installation) -> list[Checked]:
    """Every notice of the rules, also of two at once, and every answer, wherever they are said."""
    return [
        *(
            row
            for rule in installation.rules.rules
            for row in _notices(composer, installation, rule)
        ),
        *(row for say in Say for row in _answers(composer, installation, say)),
        *(row for name in STAFF_TEXTS for row in _to_staff(composer, name)),
    ]


def _notices(composer: Composer, installation: Installation, rule: Rule) -> Iterator[Checked]:
    status = min(rule.still)
    notice = Notice(
        rule=rule,
        dossier=longest_dossier(installation, status),
        episode="1",
        person=Person(role=Role.APPLICANT, phone=None, name=None),
    )
    for locale in LOCALES:
        for channel in NOTICE_CHANNELS:
            if channel == EMAIL and not composer.has(rule.notice, locale=locale, channel=channel):
                continue
            yield _checked(
                f"{locale}/{channel}/{rule.notice}",
                lambda locale=locale, channel=channel: composer.notice_text(  # type: ignore[misc]
                    notice, locale=locale, channel=channel, now=NOW
                ),
            )
            if composer.has_many(rule.notice, locale=locale, channel=channel):
                yield _checked(
                    f"{locale}/{channel}/{rule.notice}{MANY}",
                    lambda locale=locale, channel=channel: composer.together_text(  # type: ignore[misc]
                        [notice, notice], locale=locale, channel=channel, now=NOW
                    ),
                )


def _to_staff(composer: Composer, name: str) -> Iterator[Checked]:
    groups = [
        {"due": NOW + day * instant.DAY, "late": day == 0, "codes": (LONGEST_CODE,) * 100}
        for day in range(3)
    ]
    context = {
        "unit": LONGEST_UNIT.short,
        "unit_name": LONGEST_UNIT.name,
        "today": NOW,
        "groups": groups,
        "step": 1,
    }
    for locale in LOCALES:
        for channel in NOTICE_CHANNELS:
            yield _checked(
                f"{locale}/{channel}/{name}",
                lambda locale=locale, channel=channel: composer.staff_text(  # type: ignore[misc]
                    name, context, locale=locale, channel=channel
                ),
            )


def _answers(composer: Composer, installation: Installation, say: Say) -> Iterator[Checked]:
    dossier = longest_dossier(installation, 5) if say is Say.STATUS else None
    part = Part(
        say=say,
        code=LONGEST_CODE,
        dossier=dossier,
        level=Level.L1,
        place="TP. Hồ Chí Minh",
        options=(LONGEST_CODE,) * 2 if say in {Say.NEARLY, Say.WHICH_CODE} else (),
        procedure=LONGEST_PROCEDURE if say in {Say.KNOWN_PROCEDURE, Say.KNOWN_FEE} else None,
        topic=LONGEST_TOPIC if say is Say.TOPIC else None,
        unit=LONGEST_UNIT if say in {Say.ADDRESS, Say.HOURS} else None,
    )
    for locale in LOCALES:
        for channel in CHANNELS:
            yield _checked(
                f"{locale}/{channel}/{say.value}",
                lambda locale=locale, channel=channel: composer.answer_text(  # type: ignore[misc]
                    Answer(parts=(part,)), channel=channel, language=locale, now=NOW
                ),
            )


def _checked(template: str, compose: Callable[[], Text]) -> Checked:
    try:
        text = compose()
    except TemplateError as error:
        return Checked(template=template, fault=str(error))
    return Checked(
        template=template, segments=text.plan.segments, units=text.plan.units, text=text.text
    )


def longest_dossier(installation: Installation, status: int) -> Dossier:
    """A made-up dossier whose every value is as long as any."""
    longest = max(installation.units.all, key=lambda unit: len(unit.short), default=None)
    unit = UnitRef(code=longest.code, name=longest.name) if longest else UnitRef(code="")
    due = instant.read_iso("2026-11-20T17:00:00+07:00")
    return Dossier(
        code=LONGEST_CODE,
        code_raw=LONGEST_CODE,
        first_seen_at=NOW,
        facts=Facts(
            status=status,
            unit=unit,
            procedure_name="Đăng ký biến động quyền sử dụng đất, tài sản gắn liền với đất",
            handler="Bộ phận thẩm định hồ sơ đất đai",
            due_at=due,
            rescheduled=Rescheduled(
                due_at=due + 10 * instant.DAY,
                reason=LONGEST_REASON,
                replaces=due,
                letter=LONGEST_LETTER,
            ),
            supplement=tuple(SupplementRequest(what=paper) for paper in LONGEST_PAPERS),
            fees=(Fee(name="Lệ phí cấp giấy chứng nhận", amount=1_250_000),),
            reason=LONGEST_REASON,
        ),
        steps=(Step(stamp=(due, 2, ""), type="received", status=2, due_at=due),),
    )
