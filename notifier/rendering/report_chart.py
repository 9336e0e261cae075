"""The report of promises drawn, as an office would print it: bars by what it is told by, or a line.

Pure SVG: no script, no picture from elsewhere. Shades differ in brightness and pattern too, so that
it reads in black and white and by those who see no colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from notifier.domain import figures
from notifier.domain.tally import By
from notifier.rendering.report_table import TITLE, period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.flows.report import Line, Report

WIDTH: Final = 1120
MARGIN: Final = 40
NAMES: Final = 380
"""Room for what a bar is called."""
FIGURES: Final = 190
"""Room behind a bar for its figures."""
TOP: Final = 150
BAR: Final = 34
MOST: Final = 40
"""Bars on one page; the worst are drawn."""
MOST_MONTHS: Final = 14
"""Months that are written out; of more only every second, third, ...: all are drawn."""
LONGEST: Final = 48
"""Characters of a name."""
PLOT: Final = 380
"""Height of the line's field."""

EARLY, ON_TIME, LATE = "#1b4f8a", "#8db4dd", "url(#late)"
INK, GREY, RULE = "#1a1a1a", "#555555", "#d0d0d0"
FONT: Final = "'Times New Roman','Liberation Serif','DejaVu Serif',serif"


def draw(report: Report) -> str:
    """The picture as SVG: a line where the report is told by month alone, else bars."""
    if report.asked.by == (By.MONTH,) and len(report.lines) > 1:
        return _page(report, *_months(report.lines))
    return _page(report, *_bars(report))


def _page(report: Report, height: int, body: Sequence[str]) -> str:
    total = report.total
    said = (
        f"{figures.count(total.done)} hồ sơ đã giải quyết, "
        f"{figures.share(total.kept, total.done)} đúng hẹn; {figures.count(total.open_late)} hồ sơ "
        "đang giải quyết đã quá hạn."
    )
    lines = "; ".join(
        f"{_name(line)}: {figures.share(line.tally.kept, line.tally.done)}"
        for line in report.lines[:MOST]
    )
    middle = WIDTH // 2
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
                f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc" '
                f'lang="vi" font-family="{FONT}" fill="{INK}">'
            ),
            f'<title id="title">{escape(TITLE)}</title>',
            f'<desc id="desc">{escape(f"{period(report.asked)}. {said} {lines}")}</desc>',
            (
                '<defs><pattern id="late" width="6" height="6" patternUnits="userSpaceOnUse" '
                'patternTransform="rotate(45)"><rect width="6" height="6" fill="#c0392b"/>'
                '<rect width="2" height="6" fill="#ffffff" fill-opacity="0.55"/></pattern></defs>'
            ),
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            _text(middle, 34, report.office, size=17, anchor="middle"),
            _text(middle, 64, TITLE, size=20, anchor="middle", bold=True),
            _text(middle, 90, period(report.asked), size=16, anchor="middle", italic=True),
            _text(middle, 118, said, size=16, anchor="middle"),
            *body,
            "</svg>\n",
        ]
    )


def _bars(report: Report) -> tuple[int, list[str]]:
    drawn = [line for line in report.lines if line.tally.done]
    left_out = len(report.lines) - len(drawn)
    if len(drawn) > MOST:
        left_out = len(report.lines) - MOST
        drawn = sorted(drawn, key=lambda line: line.tally.kept / line.tally.done)[:MOST]
    left, right = MARGIN + NAMES, WIDTH - MARGIN - FIGURES
    bottom = TOP + max(1, len(drawn)) * BAR
    body: list[str] = []
    for tenth in range(0, 101, 20):
        x = left + (right - left) * tenth / 100
        body.append(_rule(x, TOP - 6, x, bottom + 2))
        body.append(_text(x, bottom + 20, f"{tenth}%", size=13, anchor="middle", ink=GREY))
    for place, line in enumerate(drawn):
        body += _bar(line, TOP + place * BAR, left, right - left)
    if not drawn:
        body.append(_text(WIDTH // 2, TOP + 22, "Chưa có hồ sơ nào được giải quyết", size=16,
                          anchor="middle", ink=GREY))  # fmt: skip
    body += _legend(bottom + 50, left)
    notes = ["Tỷ lệ đúng hẹn theo ngày hẹn trả sau cùng, trên số hồ sơ đã giải quyết."]
    if left_out:
        notes.append(f"Không vẽ {left_out} dòng: tỷ lệ cao hơn, hoặc chưa có hồ sơ nào xong.")
    body += [
        _text(MARGIN, bottom + 86 + 20 * number, note, size=13, italic=True, ink=GREY)
        for number, note in enumerate(notes)
    ]
    return bottom + 86 + 20 * len(notes) + 10, body


def _bar(line: Line, top: float, left: float, width: float) -> list[str]:
    tally = line.tally
    parts = [_text(left - 12, top + BAR * 0.6, _name(line), size=15, anchor="end")]
    x = left
    for number, fill in ((tally.early, EARLY), (tally.on_time, ON_TIME), (tally.late, LATE)):
        length = width * number / tally.done
        if number:
            parts.append(
                f'<rect x="{x:.1f}" y="{top + 5}" width="{length:.1f}" height="{BAR - 10}" '
                f'fill="{fill}"/>'
            )
        x += length
    share = figures.share(tally.kept, tally.done)
    parts.append(_text(left + width + 10, top + BAR * 0.6, share, size=15, bold=True))
    counted = f"/ {figures.count(tally.done)}"
    parts.append(_text(left + width + 80, top + BAR * 0.6, counted, size=14, ink=GREY))
    return parts


def _legend(y: float, left: float) -> list[str]:
    parts: list[str] = []
    entries = (("Trước hạn", EARLY), ("Đúng hạn", ON_TIME), ("Quá hạn", LATE))
    for place, (word, fill) in enumerate(entries):
        x = left + place * 150
        parts.append(f'<rect x="{x}" y="{y - 13}" width="22" height="15" fill="{fill}"/>')
        parts.append(_text(x + 30, y, word, size=14))
    return parts


def _months(lines: Sequence[Line]) -> tuple[int, list[str]]:
    """A line may leave out the lower part of the scale, which its figures then say."""
    shares = [
        line.tally.kept / line.tally.done * 100 if line.tally.done else None for line in lines
    ]
    lowest = min((share for share in shares if share is not None), default=0)
    floor = max(0, int((lowest - 1) // 5) * 5)
    left, right, bottom = MARGIN + 60, WIDTH - MARGIN - 20, TOP + PLOT

    def x_of(place: int) -> float:
        return left + 40 + (right - left - 80) * place / (len(lines) - 1)

    def y_of(share: float) -> float:
        return bottom - PLOT * (share - floor) / (100 - floor)

    step = 1 if floor >= 90 else 5 if floor >= 70 else 20
    body: list[str] = []
    for tick in range(floor, 101, step):
        body.append(_rule(left, y_of(tick), right, y_of(tick)))
        body.append(_text(left - 10, y_of(tick) + 5, f"{tick}%", size=13, anchor="end", ink=GREY))
    every = -(-len(lines) // MOST_MONTHS)
    told = [(x_of(n), y_of(share), n) for n, share in enumerate(shares) if share is not None]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in told)
    body.append(f'<polyline points="{points}" fill="none" stroke="{EARLY}" stroke-width="3"/>')
    for x, y, number in told:
        tally = lines[number].tally
        share = figures.share(tally.kept, tally.done)
        body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{EARLY}"/>')
        if number % every == 0:
            body.append(_text(x, y - 14, share, size=14, anchor="middle", bold=True))
    for number, line in list(enumerate(lines))[::every]:
        x = x_of(number)
        body.append(_text(x, bottom + 24, line.labels[0], size=14, anchor="middle"))
        done = figures.count(line.tally.done)
        body.append(_text(x, bottom + 44, done, size=13, anchor="middle", ink=GREY))
    notes = ["Dưới mỗi tháng: số hồ sơ đã giải quyết. Tỷ lệ đúng hẹn theo ngày hẹn trả sau cùng."]
    if floor:
        notes.append(f"Trục tung bắt đầu từ {floor}%.")
    body += [
        _text(MARGIN, bottom + 80 + 20 * number, note, size=13, italic=True, ink=GREY)
        for number, note in enumerate(notes)
    ]
    return bottom + 80 + 20 * len(notes) + 10, body


def _name(line: Line) -> str:
    name = ", ".join(line.labels) or "Toàn bộ"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int,
    anchor: str = "start",
    bold: bool = False,
    italic: bool = False,
    ink: str = INK,
) -> str:
    more = ' font-weight="bold"' * bold + ' font-style="italic"' * italic
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'fill="{ink}"{more}>{escape(words)}</text>'
    )


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{RULE}" '
        'stroke-width="1"/>'
    )
