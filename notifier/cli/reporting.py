"""``notifier report``"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, time
from typing import TYPE_CHECKING, Any

import typer

from notifier.cli import running
from notifier.domain import instant, period
from notifier.domain.tally import Asked, By
from notifier.rendering import report_chart, report_files, report_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from notifier.domain.period import Span
    from notifier.flows.report import Report


def report(
    folder: Path | None,
    *,
    first: str,
    last: str,
    now: str,
    by: Sequence[By],
    only: dict[str, str],
    csv: Path | None,
    excel: Path | None,
    svg: Path | None,
    as_json: bool,
    rebuild: bool,
) -> None:
    """Count, print, and write what is asked for."""
    start = instant.at(_day(first, "--from"), time()) if first else 0
    until = period.end_of(_day(last, "--to")) if last else None
    at = running.clock(now).civil()
    asked = Asked(start=start, at=at if until is None else min(at, until), by=tuple(by), **only)
    if asked.start > asked.at:
        raise typer.BadParameter("the time ends before it begins, or has not begun yet")
    counted = running.run(_counted(folder, now, asked, rebuild=rebuild))
    if csv is not None:
        report_files.write_csv(counted, csv)
        running.say(f"written to {csv}")
    if excel is not None:
        report_files.write_excel(counted, excel)
        running.say(f"written to {excel}")
    if svg is not None:
        svg.write_text(report_chart.draw(counted), encoding="utf-8")
        running.say(f"written to {svg}")
    if as_json:
        for row in _rows(counted):
            running.out(row)
    elif csv is None and excel is None and svg is None:
        _print(counted)


async def _counted(folder: Path | None, now: str, asked: Asked, *, rebuild: bool) -> Report:
    async with running.core(folder, now) as core:
        reporting = core.reporting
        if rebuild:
            with _bar("dossiers read anew") as progress:
                await reporting.rebuild(progress)
        with _bar("late dossiers looked up") as progress:
            return await reporting(asked, progress=progress)


def digest(folder: Path | None, span: Span, *, now: str) -> None:
    """Print the digest of the period that is over."""
    running.run(_digest(folder, span, now))


async def _digest(folder: Path | None, span: Span, now: str) -> None:
    async with running.core(folder, now) as core:
        text = await core.digest(()).text(period.last_over(span, core.clock.civil()))
    sys.stdout.write(text + "\n")


@contextmanager
def _bar(words: str) -> Iterator[Callable[[int], None]]:
    """A count on standard error, which is there only while it grows."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description} {task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(words, total=None)
        yield lambda done: bars.update(task, completed=done)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} {text} is not a day; write it 2026-11-22") from None


def _print(counted: Report) -> None:
    sys.stdout.write(f"{report_table.TITLE}\n{report_table.period(counted.asked)}\n\n")
    if counted.asked.by:
        running.show(report_table.headings(counted.asked), report_table.words(counted))
    else:
        [row] = report_table.words(counted)
        for head, value in zip(report_table.headings(counted.asked), row, strict=True):
            sys.stdout.write(f"{head:<28}{value:>12}\n")
    notes = (report_table.aside(counted.total), *report_table.FOOTER)
    sys.stdout.write("\n" + "\n".join(filter(None, notes)) + "\n")


def _rows(counted: Report) -> Iterator[dict[str, Any]]:
    """One object a line, then the total, whose ``by`` is empty."""
    for labels, key, tally in (
        *((line.labels, line.key, line.tally) for line in counted.lines),
        ((), (), counted.total),
    ):
        figures = asdict(tally)
        figures["aside"] = {
            standing.name.lower(): number for standing, number in sorted(tally.aside.items())
        }
        figures["apologised_by"] = {way.value: n for way, n in tally.apologised_by.items()}
        figures["oldest"] = instant.iso(tally.oldest) if tally.oldest is not None else None
        yield {
            "by": dict(zip((by.value for by in counted.asked.by), key, strict=False)),
            "labels": list(labels),
            "from": instant.iso(counted.asked.start) if counted.asked.start else None,
            "at": instant.iso(counted.asked.at),
            "done": tally.done,
            "kept": tally.kept,
            "share": round(tally.kept / tally.done, 6) if tally.done else None,
            "first_share": round(tally.first_kept / tally.done, 6) if tally.done else None,
            "owed": tally.owed,
            **figures,
        }
