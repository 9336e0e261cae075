"""The report of promises as CSV and as an Excel workbook."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from notifier.errors import InputError
from notifier.rendering.report_table import COLUMNS, FOOTER, TITLE, aside, headings, period, values

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.flows.report import Report
    from notifier.rendering import report_table

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula; names come from sources."""


def write_csv(report: Report, path: Path) -> None:
    """UTF-8 with a byte order mark and semicolons, as Excel in Vietnamese opens it; whole or not.

    Figures are plain (``0,9691``), so that they can be worked with.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings(report.asked))
    for row in values(report):
        writer.writerow([_plain(value) for value in row])
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")


def _plain(value: report_table.Value) -> str | int:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", ",")
        case str():
            return f"'{value}" if value.startswith(FORMULA) else value
        case _:
            return value


def write_excel(report: Report, path: Path) -> None:
    """A workbook of one sheet, ready to print on a landscape A4."""
    try:
        import xlsxwriter
    except ModuleNotFoundError:
        raise InputError(
            "Excel needs the extra `excel`, which is not installed: "
            'pip install "motcua-notifier[excel]". --csv needs nothing.'
        ) from None
    # What begins like a formula is written as text.
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Báo cáo")
        font = {"font_name": "Times New Roman", "font_size": 12}
        title = book.add_format({**font, "bold": True, "font_size": 14})
        plain = book.add_format(font)
        note = book.add_format({**font, "italic": True, "font_size": 10})
        boxed = {**font, "border": 1, "valign": "vcenter"}
        head = book.add_format({**boxed, "bold": True, "text_wrap": True, "align": "center"})
        formats = {
            (share, bold): book.add_format(
                {**boxed, "bold": bold, "num_format": "0.00%" if share else "#,##0.##;-#,##0.##;0"}
            )
            for share in (False, True)
            for bold in (False, True)
        }
        sheet.write(0, 0, report.office, plain)
        sheet.write(1, 0, TITLE, title)
        sheet.write(2, 0, period(report.asked), plain)
        for place, word in enumerate(headings(report.asked)):
            sheet.write(4, place, word, head)
        shares = [False] * len(report.asked.by) + [column.share for column in COLUMNS]
        rows = values(report)
        for number, row in enumerate(rows):
            is_total = bool(report.asked.by) and number == len(rows) - 1
            for place, value in enumerate(row):
                how = formats[shares[place], is_total]
                sheet.write(5 + number, place, "" if value is None else value, how)
        for number, words in enumerate(filter(None, (aside(report.total), *FOOTER))):
            sheet.write(6 + len(rows) + number, 0, words, note)
        names = len(report.asked.by)
        if names:
            sheet.set_column(0, names - 1, 38)
        sheet.set_column(names, names + len(COLUMNS) - 1, 12)
        sheet.freeze_panes(5, names)
        sheet.repeat_rows(4)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
