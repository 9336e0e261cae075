"""Letters: one page, Vietnamese, and what people typed is never read as markup."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from notifier.errors import TemplateError
from notifier.rendering.letters import TypstLetters

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {
    "superior": "UBND tỉnh Đồng Nai",
    "agency": "UBND phường Bình Phước",
    "place": "Đồng Nai",
    "number": "12/PXL-UBND",
    "day": "23",
    "month": "11",
    "year": "2026",
    "addressee": "Nguyễn Thị Thử",
    "is_person": "yes",
    "code": "H19.45-261118-0007",
    "procedure": "Cấp giấy chứng nhận quyền sử dụng đất lần đầu",
    "received": "ngày 18 tháng 11 năm 2026",
    "due": "17 giờ 00, ngày 27 tháng 11 năm 2026",
    "passed": "",
    "reason": "chờ kết quả đo đạc",
    "new_due": "17 giờ 00, ngày 04 tháng 12 năm 2026",
    "contact": "0271 3888 222",
    "title": "KT. GIÁM ĐỐC\nPHÓ GIÁM ĐỐC",
    "signer": "Trần Văn Mẫu",
    "check_url": "https://motcua.example.vn/v1/letters/" + "A" * 43,
}
FORMS = ("apology_2018", "apology_2025")
LETTERS = TypstLetters()


@pytest.mark.parametrize("template", FORMS)
@pytest.mark.parametrize("empty", ["", "superior", "procedure", "received", "check_url", "place"])
async def test_every_form_takes_one_page_also_where_something_is_not_known(
    template: str, empty: str
) -> None:
    made = await LETTERS.pdf(template, {**VALUES, empty: ""} if empty else VALUES)
    assert made.startswith(b"%PDF-")
    assert made.count(b"/Type /Page\n") + made.count(b"/Type/Page\n") <= 1
    assert b"/Count 1" in made


async def test_what_people_typed_is_never_markup() -> None:
    plain = await LETTERS.png("apology_2025", VALUES)
    hostile = '#panic("x") #read("/etc/passwd") *b* $x$ \\ [ ] = @y <z>'
    for name in ("addressee", "reason", "procedure", "agency", "signer", "number"):
        typed = await LETTERS.png("apology_2025", {**VALUES, name: hostile})
        assert typed.startswith(b"\x89PNG")
        assert typed != plain


async def test_each_value_is_in_the_letter() -> None:
    plain = await LETTERS.png("apology_2025", VALUES)
    for name in VALUES.keys() - {"passed"}:
        assert await LETTERS.png("apology_2025", {**VALUES, name: ""}) != plain, name


async def test_letters_are_made_at_once_and_alike() -> None:
    made = await asyncio.gather(*(LETTERS.png("apology_2018", VALUES) for _ in range(4)))
    assert len(set(made)) == 1


async def test_a_template_that_is_missing_or_at_fault_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="letters/none"):
        await LETTERS.pdf("none", VALUES)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "apology_2025.typ").write_text("#nothing()")
    with pytest.raises(TemplateError, match="letters/apology_2025"):
        await TypstLetters(tmp_path).pdf("apology_2025", VALUES)
