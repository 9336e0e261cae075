"""The columns of the report of promises, for the terminal, CSV and Excel alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from notifier.domain import figures, instant
from notifier.domain.promise import Standing
from notifier.domain.tally import By

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifier.domain.tally import Asked, Tally
    from notifier.flows.report import Report

Value = int | float | str | None
"""A share is a float from 0 to 1; None: there is nothing to say."""

TITLE: Final = "TÌNH HÌNH GIẢI QUYẾT HỒ SƠ THỦ TỤC HÀNH CHÍNH THEO NGÀY HẸN TRẢ"

BY_WORDS: Final = {
    By.LEVEL: "Cấp",
    By.UNIT: "Đơn vị",
    By.FIELD: "Lĩnh vực",
    By.PROCEDURE: "Thủ tục",
    By.MONTH: "Tháng",
}
ASIDE_WORDS: Final = {
    Standing.PAUSED: "đang chờ bổ sung hoặc chờ nghĩa vụ tài chính",
    Standing.STALE: "chưa có ngày hẹn mới sau bổ sung",
    Standing.UNDATED: "không có ngày hẹn trả",
    Standing.NEW: "chưa tiếp nhận",
    Standing.REFUSED: "không được tiếp nhận hoặc từ chối",
    Standing.WITHDRAWN: "người dân rút",
    Standing.STOPPED: "dừng giải quyết",
}
FOOTER: Final = (
    (
        "Trước hạn: xong vào một ngày làm việc trước ngày hẹn trả. Đúng hạn: xong trong ngày hẹn "
        "trả, không quá giờ hẹn. Quá hạn: xong sau giờ hẹn."
    ),
    (
        "Tỷ lệ đúng hẹn = (trước hạn + đúng hạn) / đã giải quyết, theo ngày hẹn trả sau cùng. Cột "
        "“Theo ngày hẹn đầu” tính theo ngày hẹn đầu tiên còn giá trị: hồ sơ đã hẹn lại vẫn là quá "
        "hạn."
    ),
    (
        "Không tính: hồ sơ tạm dừng, từ chối, rút, dừng giải quyết, chưa tiếp nhận, không có ngày "
        "hẹn trả hoặc chưa có ngày hẹn mới sau khi bổ sung."
    ),
    "Đã xin lỗi: trong số hồ sơ quá hạn theo ngày hẹn đầu, kể cả hồ sơ chưa xong.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of figures; ``share`` ones are shown as percentages."""

    head: str
    value: Callable[[Tally], Value]
    share: bool = False


def _of(part: int, whole: int) -> float | None:
    return part / whole if whole else None


COLUMNS: Final = (
    Column(head="Đã giải quyết", value=lambda tally: tally.done),
    Column(head="Trước hạn", value=lambda tally: tally.early),
    Column(head="Đúng hạn", value=lambda tally: tally.on_time),
    Column(head="Quá hạn", value=lambda tally: tally.late),
    Column(head="Tỷ lệ đúng hẹn", value=lambda tally: _of(tally.kept, tally.done), share=True),
    Column(
        head="Theo ngày hẹn đầu",
        value=lambda tally: _of(tally.first_kept, tally.done),
        share=True,
    ),
    Column(
        head="Số ngày quá hạn bình quân",
        value=lambda tally: (
            round(tally.late_days / tally.first_late, 1) if tally.first_late else None
        ),
    ),
    Column(head="Đang giải quyết trong hạn", value=lambda tally: tally.open_in_time),
    Column(head="Đang giải quyết quá hạn", value=lambda tally: tally.open_late),
    Column(head="Hẹn lại", value=lambda tally: tally.moved),
    Column(head="Phải xin lỗi", value=lambda tally: tally.owed),
    Column(head="Đã xin lỗi", value=lambda tally: tally.apologised),
    Column(head="Không tính", value=lambda tally: tally.set_aside),
)


def headings(asked: Asked) -> list[str]:
    """Of all columns: what the lines are told by, then the figures."""
    return [*(BY_WORDS[by] for by in asked.by), *(column.head for column in COLUMNS)]


def values(report: Report) -> list[list[Value]]:
    """Every line, and the total, which is called so in the first column."""
    rows: list[list[Value]] = [
        [*line.labels, *(column.value(line.tally) for column in COLUMNS)] for line in report.lines
    ]
    if report.asked.by:
        blank = [""] * (len(report.asked.by) - 1)
        rows.append(["Tổng cộng", *blank, *(column.value(report.total) for column in COLUMNS)])
    return rows or [[column.value(report.total) for column in COLUMNS]]


def words(report: Report) -> list[list[str]]:
    """``values`` as officials read them."""
    shares = [False] * len(report.asked.by) + [column.share for column in COLUMNS]
    exact = [(line.tally.kept, line.tally.first_kept, line.tally.done) for line in report.lines] + [
        (report.total.kept, report.total.first_kept, report.total.done)
    ]
    rows = []
    for row, (kept, first_kept, done) in zip(values(report), exact, strict=False):
        parts = iter((kept, first_kept))
        rows.append(
            [
                figures.share(next(parts), done) if share else shown(value)
                for value, share in zip(row, shares, strict=True)
            ]
        )
    return rows


def shown(value: Value) -> str:
    """One value that is no share."""
    match value:
        case None:
            return "–"
        case int():
            return figures.count(value)
        case float():
            return figures.decimal(value)
        case _:
            return value


def period(asked: Asked) -> str:
    """``Từ 01/11/2026 đến 22/11/2026``; of all time: until when."""
    until = f"{instant.local(asked.at):%d/%m/%Y}"
    if not asked.start:
        return f"Đến {until}"
    return f"Từ {instant.local(asked.start):%d/%m/%Y} đến {until}"


def aside(tally: Tally) -> str:
    """What was not counted, and why; empty where there is nothing."""
    said = [
        f"{figures.count(number)} {ASIDE_WORDS[standing]}"
        for standing, number in sorted(tally.aside.items())
        if standing in ASIDE_WORDS and number
    ]
    return f"Không tính: {'; '.join(said)}." if said else ""
