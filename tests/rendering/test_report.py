"""The report as people read it: in the terminal, as CSV, in Excel and drawn."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from python_calamine import CalamineWorkbook

from notifier.domain import instant
from notifier.domain.promise import Kept, Standing, Verdict
from notifier.domain.tally import Asked, By, Cell, Tally
from notifier.flows.report import Line, Report
from notifier.rendering import report_chart, report_table
from notifier.rendering.report_files import write_csv, write_excel

if TYPE_CHECKING:
    from pathlib import Path

AT = instant.read_iso("2026-11-30T23:59:59")
SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314 - we drew it ourselves


def tally(early: int, on_time: int, late: int, *, paused: int = 0) -> Tally:
    found = Tally()
    for kept, count in ((Kept.EARLY, early), (Kept.ON_TIME, on_time), (Kept.LATE, late)):
        verdict = Verdict(standing=Standing.DONE, kept=kept, first_kept=kept)
        days = 2 * count if kept is Kept.LATE else 0
        found.add(Cell(key=(), verdict=verdict, count=count, late_days=days))
    found.add(Cell(key=(), verdict=Verdict(standing=Standing.PAUSED), count=paused))
    return found


def report(by: By, *lines: tuple[str, Tally]) -> Report:
    total = Tally()
    for _, line in lines:
        total.early += line.early
        total.on_time += line.on_time
        total.late += line.late
        total.first_late += line.first_late
        total.late_days += line.late_days
    return Report(
        asked=Asked(start=0, at=AT, by=(by,)),
        office="Trung tâm Phục vụ hành chính công tỉnh",
        lines=tuple(Line(key=(name,), labels=(name,), tally=line) for name, line in lines),
        total=total,
    )


@pytest.fixture
def units() -> Report:
    return report(
        By.UNIT,
        ("UBND phường Trấn Biên", tally(100_000, 24_970, 3_985)),
        ('=HYPERLINK("x")', tally(0, 3, 1)),
        ("Sở <Xây dựng> & Nhà ở", tally(0, 0, 0)),
    )


def test_the_table_has_points_commas_and_a_dash_for_nothing(units: Report) -> None:
    first, _, empty, total = report_table.words(units)
    assert first[:7] == [
        "UBND phường Trấn Biên", "128.955", "100.000", "24.970", "3.985", "96,91%", "96,91%",
    ]  # fmt: skip
    assert first[7] == "2,0"
    assert empty[5:8] == ["–", "–", "–"]
    assert total[:2] == ["Tổng cộng", "128.959"]


def test_excel_opens_the_csv_with_accents_and_runs_no_formula(
    units: Report, tmp_path: Path
) -> None:
    write_csv(units, tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        head, first, formula, *_ = csv.reader(file, delimiter=";")
    assert head[:2] == ["Đơn vị", "Đã giải quyết"]
    assert first[:2] == ["UBND phường Trấn Biên", "128955"]
    assert first[5] == "0,9691"
    assert formula[0].startswith("'=")


def test_the_workbook_holds_numbers(units: Report, tmp_path: Path) -> None:
    write_excel(units, tmp_path / "r.xlsx")
    rows = CalamineWorkbook.from_path(tmp_path / "r.xlsx").get_sheet_by_index(0).to_python()
    assert rows[1][0] == report_table.TITLE
    assert rows[5][:5] == ["UBND phường Trấn Biên", 128_955, 100_000, 24_970, 3_985]
    assert rows[5][5] == pytest.approx(0.969098, abs=1e-6)
    assert rows[6][0] == '=HYPERLINK("x")'
    assert [row[0] for row in rows].count("Tổng cộng") == 1


def words_of(drawn: str) -> list[str]:
    return [text.text or "" for text in parsed(drawn).iter(f"{SVG}text")]


def test_bars_say_their_figures_and_the_picture_says_what_it_is(units: Report) -> None:
    drawn = report_chart.draw(units)
    root = parsed(drawn)
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title desc")
    assert root.findtext(f"{SVG}title") == report_table.TITLE
    assert "UBND phường Trấn Biên: 96,91%" in (root.findtext(f"{SVG}desc") or "")
    assert {"UBND phường Trấn Biên", "96,91%", "/ 128.955", "75,00%"} <= set(words_of(drawn))
    assert any(words.startswith("Không vẽ 1 dòng") for words in words_of(drawn))
    assert "<script" not in drawn
    assert "href" not in drawn.lower().replace('=hyperlink("x")', "")


def test_of_many_units_the_worst_are_drawn() -> None:
    lines = [(f"Xã {number}", tally(0, 1_000 - number, number)) for number in range(60)]
    drawn = words_of(report_chart.draw(report(By.UNIT, *lines)))
    assert {"Xã 59", "Xã 20"} <= set(drawn)
    assert "Xã 19" not in drawn
    assert any(words.startswith("Không vẽ 20 dòng") for words in drawn)


def test_months_are_a_line_whose_scale_says_where_it_begins() -> None:
    months = [(f"{n:02}/2026", tally(0, 960 + n, 40 - n)) for n in range(1, 12)]
    drawn = report_chart.draw(report(By.MONTH, *months))
    [line] = parsed(drawn).iter(f"{SVG}polyline")
    heights = [float(point.split(",")[1]) for point in (line.get("points") or "").split()]
    assert heights == sorted(heights, reverse=True)
    assert len(heights) == 11
    assert {"01/2026", "96,10%", "Trục tung bắt đầu từ 95%."} <= set(words_of(drawn))


def test_nothing_finished_is_a_picture_too() -> None:
    for by in (By.UNIT, By.MONTH):
        drawn = report_chart.draw(report(by, ("A", tally(0, 0, 0)), ("B", tally(0, 0, 0))))
        parsed(drawn)
        assert parsed(report_chart.draw(report(by))) is not None
