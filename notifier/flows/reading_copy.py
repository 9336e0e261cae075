"""Every text with ordinary values, for an official to read before the office signs for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

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
from notifier.domain.knowledge import Procedure
from notifier.domain.limit import Limit, LimitUnit
from notifier.domain.notice import Notice, Person, Role
from notifier.domain.opening import read_hours
from notifier.domain.unit import Unit
from notifier.flows.compose import MANY
from notifier.flows.specimen import (
    CHANNELS,
    LOCALES,
    LONGEST_TOPIC,
    NOTICE_CHANNELS,
    NOW,
    STAFF_TEXTS,
)
from notifier.flows.warn import DAILY, LATE, SOON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.rules import Rule
    from notifier.flows.compose import Composer, Text

CODE: Final = "H19.45-261109-0012"
UNIT: Final = UnitRef(code="H19.45", name="UBND phường Bình Phước")
RECEIVED: Final = instant.read_iso("2026-11-09T09:15:00+07:00")
DUE: Final = instant.read_iso("2026-11-24T17:00:00+07:00")
PAST_DUE: Final = instant.read_iso("2026-11-20T17:00:00+07:00")
NEW_DUE: Final = instant.read_iso("2026-12-04T17:00:00+07:00")
TWO: Final = ((CODE, DUE), ("H19.45-261109-0021", NEW_DUE))
"""Dossiers of one person, and when they are due."""

FINISHED: Final = instant.read_iso("2026-11-20T16:00:00+07:00")
REFUSAL: Final = "thửa đất không thuộc địa bàn phường"
REASON: Final = "chờ kết quả đo đạc lại ranh giới thửa đất"

LETTER: Final = "https://motcua.example.vn/v1/letters/AaBb"

PROCEDURE: Final = Procedure(
    code="1.001612",
    name="Đăng ký thành lập hộ kinh doanh",
    papers=("Giấy đề nghị đăng ký hộ kinh doanh", "Giấy tờ tùy thân của chủ hộ"),
    limit=Limit(count=3, unit=LimitUnit.WORKING_DAYS),
    fee=100_000,
    where="Quầy Kinh doanh",
    source="Quyết định số 12/QĐ-UBND",
    as_of=LONGEST_TOPIC.as_of,
)
WARD: Final = Unit(
    code=UNIT.code,
    name=UNIT.name,
    short="P.Binh Phuoc",
    phone="02713888222",
    address="số 1 đường Hùng Vương, phường Bình Phước, tỉnh Đồng Nai",
    hours=read_hours("07:30-11:30, 13:30-17:00 T3-T6; 07:30-11:30 T2, T7"),
    source="Thông báo số 12/TB-UBND",
    as_of=LONGEST_TOPIC.as_of,
)
TOPIC: Final = replace(
    LONGEST_TOPIC,
    name="proxy",
    short={
        "vi": "Nhận thay: mang giấy hẹn, giấy ủy quyền và giấy tờ tùy thân của mình.",
        "en": "Others may collect it with your slip, your authorisation and their identity paper.",
    },
    long={
        "vi": "Người nhận thay mang giấy hẹn, văn bản ủy quyền và giấy tờ tùy thân của mình.",
        "en": "Somebody else may collect the result with your slip, your written authorisation and "
        "their own identity paper.",
    },
    source="Quy chế số 34/QC-TTPVHCC",
)

TITLES: Final[Mapping[str, str]] = {
    "received": "Đã tiếp nhận hồ sơ",
    f"received{MANY}": "Đã tiếp nhận nhiều hồ sơ",
    "supplement_requested": "Yêu cầu bổ sung hồ sơ",
    "payment_requested": "Yêu cầu thực hiện nghĩa vụ tài chính",
    "submitted": "Đã nhận hồ sơ trực tuyến",
    "supplemented": "Đã nhận giấy tờ bổ sung",
    "paused": "Tạm dừng giải quyết",
    "resumed": "Giải quyết tiếp",
    "refused": "Từ chối giải quyết",
    "withdrawn": "Rút hồ sơ",
    "uncollected": "Kết quả chưa có người nhận",
    f"uncollected{MANY}": "Nhiều kết quả chưa có người nhận",
    "rating": "Hỏi mức độ hài lòng",
    DAILY: "Cán bộ: hồ sơ đến hạn trong những ngày tới",
    SOON: "Cán bộ: hồ sơ đến hạn trong vài giờ",
    LATE: "Lãnh đạo: hồ sơ quá hạn không ai xử lý",
    "result_ready": "Đã có kết quả",
    f"result_ready{MANY}": "Nhiều hồ sơ đã có kết quả",
    "returned": "Đã trả kết quả",
    "due_soon": "Sắp đến hẹn trả",
    "late": "Xin lỗi vì trễ hẹn",
    "rescheduled": "Hẹn lại ngày trả kết quả",
    "apology": "Xin lỗi và hẹn lại, văn bản đã ký",
    Say.STATUS: "Trả lời: tình trạng hồ sơ",
    Say.UNKNOWN_CODE: "Trả lời: không tìm thấy mã",
    Say.NEARLY: "Trả lời: hỏi lại mã gần đúng",
    Say.WHICH_CODE: "Trả lời: hỏi lại mã đọc được nhiều cách",
    Say.STILL_UNKNOWN: "Trả lời sau: vẫn chưa có hồ sơ",
    Say.ELSEWHERE: "Trả lời: hồ sơ của nơi khác",
    Say.STOPPED: "Trả lời: dừng nhận tin",
    Say.STOPPED_ONE: "Trả lời: dừng nhận tin về một hồ sơ",
    Say.STARTED: "Trả lời: nhận lại tin",
    Say.STARTED_ONE: "Trả lời: nhận tin về một hồ sơ",
    Say.ONLY_OWN: "Trả lời: chỉ gửi đến số đã ghi trong hồ sơ",
    Say.HELP: "Trả lời: hướng dẫn",
    Say.ASK_CODE: "Trả lời: hỏi mã hồ sơ",
    Say.LEGAL_ACT: "Trả lời: việc không làm qua tin nhắn",
    Say.ADDRESS: "Trả lời: địa chỉ",
    Say.HOURS: "Trả lời: giờ làm việc",
    Say.PROCEDURE: "Trả lời: thủ tục, khi chưa có dữ liệu",
    Say.KNOWN_PROCEDURE: "Trả lời: thủ tục, theo dữ liệu của cơ quan",
    Say.FEE: "Trả lời: phí, lệ phí, khi chưa có dữ liệu",
    Say.KNOWN_FEE: "Trả lời: phí, lệ phí, theo dữ liệu của cơ quan",
    Say.TOPIC: "Trả lời: nội dung do cơ quan soạn",
    Say.RESULT_DELIVERY: "Trả lời: nhận kết quả",
    Say.CODE_HELP: "Trả lời: tìm mã hồ sơ ở đâu",
    Say.COMPLAINT: "Trả lời: phản ánh, khiếu nại",
    Say.AGENT: "Trả lời: gặp cán bộ",
    Say.RATING: "Trả lời: đánh giá",
    Say.THANKS: "Trả lời: cảm ơn",
    Say.NOT_UNDERSTOOD: "Trả lời: chưa rõ nội dung",
    Say.LINK_HOW: "Liên kết: cách làm",
    Say.LINK_CODE: "Liên kết: mã",
    Say.LINK_SENT: "Liên kết: đã gửi mã",
    Say.LINK_TOO_MANY: "Liên kết: quá số lần",
    Say.LINK_WRONG: "Liên kết: mã không đúng",
    Say.LINKED: "Liên kết: đã xong",
    Say.UNLINKED: "Liên kết: đã hủy",
}
"""What an official calls a text; one without a title goes by the name of its template."""

WAYS: Final[Mapping[str, str]] = {
    "desk": "Nhận tại quầy",
    "post": "Nhận qua bưu chính công ích",
    "online": "Nhận trực tuyến",
}
PLACES: Final[Mapping[str, str]] = {
    Say.ELSEWHERE: "tỉnh Lâm Đồng",
    Say.LINK_SENT: "091xxxx345",
    Say.LINKED: "091xxxx345",
}
CODES: Final[Mapping[str, str]] = {Say.LINK_CODE: "482913", Say.NEARLY: "H19.45-261109-0021"}
OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    Say.NEARLY: (CODE,),
    Say.WHICH_CODE: ("H19-20261109-0012", "H19.20-261109-0012"),
}

HEAD: Final = """# Reading copy of the texts

Every text that citizens get, with ordinary made-up values, in the order of the rules and then of
the answers; and what units and their leaders are told. An office reads it through before it signs
for it. SMS go without accents where `sms.accents` is "strip"; in brackets stands how many SMS a
text takes, and its length.

Written by the command `templates reading-copy`; a test keeps it current.
"""


def reading_copy(composer: Composer, installation: Installation) -> str:
    """The whole copy in Markdown; raises ``TemplateError`` where a text can't be rendered."""
    sections = [HEAD]
    for rule in {rule.notice: rule for rule in installation.rules.rules}.values():
        sections.append(_heading(rule.notice))
        for case, notice in _notices(rule):
            sections.append(_case(case))
            sections += (
                _shown(locale, channel, composer.notice_text(
                    notice, locale=locale, channel=channel, now=NOW
                ))
                for locale in LOCALES for channel in NOTICE_CHANNELS
                if channel in CHANNELS or composer.has(rule.notice, locale=locale, channel=channel)
            )  # fmt: skip
        sections += _many(composer, rule)
    for say in Say:
        sections.append(_heading(say))
        for case, part in _parts(say):
            answer = Answer(parts=(part,))
            sections.append(_case(case))
            sections += (
                _shown(locale, channel, composer.answer_text(
                    answer, channel=channel, language=locale, now=NOW
                ))
                for locale in LOCALES for channel in CHANNELS
            )  # fmt: skip
    for name in STAFF_TEXTS:
        sections.append(_heading(name))
        sections += (
            _shown(locale, channel, composer.staff_text(
                name, _staff_context(name), locale=locale, channel=channel
            ))
            for locale in LOCALES for channel in NOTICE_CHANNELS
        )  # fmt: skip
    return "\n".join(section for section in sections if section)


def _staff_context(name: str) -> dict[str, Any]:
    """A unit with something due, and on the daily list something late."""
    groups: list[dict[str, Any]] = [
        {"due": PAST_DUE if name == LATE else DUE, "late": False, "codes": [CODE]}
    ]
    if name == DAILY:
        codes = ["H19.45-261102-0003", "H19.45-261103-0008"]
        groups.append({"due": None, "late": True, "codes": codes})
    return {
        "unit": WARD.short, "unit_name": WARD.name, "today": NOW, "groups": groups, "step": 1,
    }  # fmt: skip


def _many(composer: Composer, rule: Rule) -> Iterator[str]:
    """The words for two dossiers at once, where there are such."""
    both = [_notice(rule, _dossier(min(rule.still), due, code=code)) for code, due in TWO]
    for locale in LOCALES:
        for channel in NOTICE_CHANNELS:
            if composer.has_many(rule.notice, locale=locale, channel=channel):
                if (locale, channel) == (LOCALES[0], CHANNELS[0]):
                    yield _heading(f"{rule.notice}{MANY}")
                yield _shown(locale, channel, composer.together_text(
                    both, locale=locale, channel=channel, now=NOW
                ))  # fmt: skip


def _heading(name: str) -> str:
    title = TITLES.get(name, "")
    return f"## {title} (`{name}`)\n" if title else f"## `{name}`\n"


def _case(case: str) -> str:
    return f"### {case}\n" if case else ""


def _shown(locale: str, channel: str, text: Text) -> str:
    plan = text.plan
    length = f"{plan.segments} SMS, {plan.units}" if channel == "sms" else f"{plan.units}"
    lines = text.text.replace("\n", "<br>\n> ")
    subject = f"> {text.subject}\n>\n" if text.subject else ""
    return f"**{locale}, {channel}** ({length})\n\n{subject}> {lines}\n"


def _notices(rule: Rule) -> Iterator[tuple[str, Notice]]:
    match rule.notice:
        case "late":
            yield "Đã có ngày hẹn lại", _notice(rule, _dossier(4, PAST_DUE, moved=True))
            yield "Chưa có ngày hẹn lại", _notice(rule, _dossier(4, PAST_DUE))
        case "rescheduled":
            yield "", _notice(rule, _dossier(4, NEW_DUE, moved=True))
        case "apology":
            moved = _dossier(4, NEW_DUE, moved=True)
            yield "Không có đường dẫn đến văn bản", _notice(rule, moved)
            made = Rescheduled(due_at=NEW_DUE, reason=REASON, replaces=PAST_DUE, letter=LETTER)
            linked = replace(moved, facts=replace(moved.facts, rescheduled=made))
            yield "Có đường dẫn đến văn bản", _notice(rule, linked)
        case "result_ready" | "returned":
            for way, case in WAYS.items():
                yield case, _notice(rule, _dossier(min(rule.still), PAST_DUE, return_by=way))
            if rule.notice == "result_ready":
                yield "Trước hạn", _notice(rule, _dossier(9, DUE, return_by="desk"))
        case _:
            yield "", _notice(rule, _dossier(min(rule.still), DUE))


def _notice(rule: Rule, dossier: Dossier) -> Notice:
    person = Person(role=Role.APPLICANT, phone=None, name=None)
    return Notice(rule=rule, dossier=dossier, episode="1", person=person)


def _parts(say: Say) -> Iterator[tuple[str, Part]]:
    if say is Say.STATUS:
        for case, dossier in _states():
            yield case, Part(say=say, code=CODE, dossier=dossier, level=Level.L1)
        stranger = Part(say=say, code=CODE, dossier=_dossier(5, DUE), level=Level.L0)
        yield "Người khác hỏi, bổ sung giấy tờ", stranger
        return
    if say in {Say.ADDRESS, Say.HOURS}:
        yield "Trung tâm", Part(say=say)
        yield "Một đơn vị", Part(say=say, unit=WARD)
        return
    yield (
        "",
        Part(
            say=say,
            code=CODES.get(say, CODE),
            place=PLACES.get(say, ""),
            options=OPTIONS.get(say, ()),
            procedure=PROCEDURE if say in {Say.KNOWN_PROCEDURE, Say.KNOWN_FEE} else None,
            topic=TOPIC if say is Say.TOPIC else None,
        ),
    )


def _states() -> Iterator[tuple[str, Dossier]]:
    yield "Người nộp hỏi, đang giải quyết", _dossier(4, DUE)
    yield "Người nộp hỏi, quá hạn", _dossier(4, PAST_DUE)
    yield "Người nộp hỏi, đã hẹn lại", _dossier(4, NEW_DUE, moved=True)
    yield "Người nộp hỏi, bổ sung giấy tờ", _dossier(5, DUE)
    yield "Người nộp hỏi, nghĩa vụ tài chính", _dossier(6, DUE)
    yield "Người nộp hỏi, đã có kết quả", _dossier(9, DUE)


def _dossier(
    status: int,
    due: Instant,
    *,
    moved: bool = False,
    code: str = CODE,
    return_by: str | None = None,
) -> Dossier:
    """A made-up dossier in a state; ``moved``: with a re-appointment and its reason."""
    return Dossier(
        code=code,
        code_raw=code,
        first_seen_at=RECEIVED,
        facts=Facts(
            status=status,
            unit=UNIT,
            procedure_name="Cấp giấy chứng nhận quyền sử dụng đất lần đầu",
            received_at=RECEIVED,
            due_at=due,
            finished_at=FINISHED if status in {9, 10} else None,
            return_by=return_by,
            reason=REFUSAL if status == 3 else REASON if status == 8 else None,
            rescheduled=Rescheduled(due_at=NEW_DUE, reason=REASON) if moved else None,
            supplement=(SupplementRequest(what="Bản sao trích lục bản đồ địa chính"),),
            fees=(Fee(name="Lệ phí cấp giấy chứng nhận", amount=100_000),),
        ),
        steps=(
            Step(
                stamp=(RECEIVED, 2, ""),
                type="received",
                status=2,
                unit=UNIT,
                due_at=PAST_DUE if moved else due,
            ),
        ),
    )
