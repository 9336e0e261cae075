"""A few procedures and a topic, as an office would have them."""

from __future__ import annotations

from datetime import date
from typing import Any

from notifier.domain import phrases
from notifier.domain.inquiry import Intent
from notifier.domain.knowledge import Knowledge, Procedure, Topic
from notifier.domain.limit import Limit, LimitUnit

SOURCE = "QĐ 12/QĐ-UBND"


def procedure(code: str, name: str, *also: str, **known: Any) -> Procedure:
    """A procedure with a source and a date."""
    return Procedure(
        code=code, name=name, also=also, source=SOURCE, as_of=date(2026, 11, 1), **known
    )


BIRTH = procedure(
    "1.001193",
    "Đăng ký khai sinh",
    "giấy khai sinh",
    "birth certificate",
    papers=("Tờ khai đăng ký khai sinh", "Giấy chứng sinh"),
    limit=Limit(count=0, unit=LimitUnit.WORKING_DAYS),
    fee=0,
    fee_note="đăng ký quá hạn: 8.000đ",
)
BIRTH_AGAIN = procedure("1.004884", "Đăng ký lại khai sinh")
MARRIAGE = procedure("1.000894", "Đăng ký kết hôn", "marriage registration")
EXTRACT = procedure("2.000635", "Cấp bản sao trích lục hộ tịch")
SINGLE = procedure("1.004873", "Cấp Giấy xác nhận tình trạng hôn nhân", "giấy độc thân")
BUSINESS = procedure(
    "1.001612",
    "Đăng ký thành lập hộ kinh doanh",
    papers=("Giấy đề nghị đăng ký hộ kinh doanh", "Giấy tờ tùy thân của chủ hộ"),
    limit=Limit(count=3, unit=LimitUnit.WORKING_DAYS),
    fee=100_000,
)
IDENTITY = procedure("1.012345", "Cấp thẻ căn cước")
PROCEDURES = (BIRTH, BIRTH_AGAIN, MARRIAGE, EXTRACT, SINGLE, BUSINESS, IDENTITY)

POSTAL = phrases.compiled(["buu dien", "buu_dien", "post"], {})
assert POSTAL
POST = Topic(
    name="post",
    intents=frozenset({Intent.RESULT_DELIVERY}),
    phrases=POSTAL,
    short={"vi": "Đăng ký tại quầy Bưu chính.", "en": "Ask at the postal desk."},
    long={"vi": "Ông/Bà đăng ký tại quầy Bưu chính.", "en": "Please ask at the postal desk."},
    source="Quy chế 34",
    as_of=date(2026, 11, 1),
)
KNOWN = Knowledge.of(PROCEDURES, [POST])
