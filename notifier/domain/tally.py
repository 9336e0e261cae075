"""Promises counted: what a report is told by, over which time, and the figures of one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain.promise import Apologised, Kept, Standing, as_of, month_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.promise import Promise, Verdict


class By(StrEnum):
    """What the lines of a report are told by."""

    LEVEL = "level"
    UNIT = "unit"
    FIELD = "field"
    PROCEDURE = "procedure"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A report from ``start`` to ``at`` (ms, both included), of some places only where said.

    ``at`` is the end of the time, or now where that is earlier: what a report says of a time that
    is over stays the same. A filter that is empty lets everything through.
    """

    start: Instant
    at: Instant
    by: tuple[By, ...] = ()
    level: str = ""
    unit: str = ""
    field: str = ""
    procedure: str = ""

    def of_place(self, promise: Promise) -> bool:
        """Whether the filters let it through."""
        place = promise.place
        return all(
            wanted in {"", is_}
            for wanted, is_ in (
                (self.level, place.level),
                (self.unit, place.unit),
                (self.field, place.field),
                (self.procedure, place.procedure),
            )
        )

    def key(self, promise: Promise) -> Key:
        """The line that it belongs to; what was open then belongs to the last month."""
        ended = promise.ended_at is not None and promise.ended_at <= self.at
        month = promise.month if ended else month_of(self.at)
        place = promise.place
        words = {
            By.LEVEL: place.level,
            By.UNIT: place.unit,
            By.FIELD: place.field,
            By.PROCEDURE: place.procedure,
            By.MONTH: str(month),
        }
        return tuple(words[by] for by in self.by)


Key = tuple[str, ...]
"""What a line is told by, in the order asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Dossiers of one line and one verdict, as a store counts them.

    ``late_days`` summed, ``longest`` of one; ``moved``: with a new appointment; ``oldest``: the
    earliest due date of those that are open and late.
    """

    key: Key
    verdict: Verdict
    count: int
    late_days: int = 0
    longest: int = 0
    moved: int = 0
    oldest: Instant | None = None


@dataclass(slots=True, kw_only=True)
class Tally:
    """The figures of one line; it is added to. The definitions are those of ``promise``."""

    early: int = 0
    on_time: int = 0
    late: int = 0
    first_late: int = 0
    """Finished late against the first due date, those with a new appointment among them."""
    open_in_time: int = 0
    open_late: int = 0
    open_first_late: int = 0
    moved: int = 0
    late_days: int = 0
    longest: int = 0
    oldest: Instant | None = None
    aside: dict[Standing, int] = field(default_factory=dict)
    apologised: int = 0
    """Late against the first due date, finished or open, and told that we are sorry."""
    apologised_by: dict[Apologised, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Finished with a result, and counted."""
        return self.early + self.on_time + self.late

    @property
    def open(self) -> int:
        """Not finished while the limit runs."""
        return self.open_in_time + self.open_late

    @property
    def kept(self) -> int:
        """Finished early or on time, by the appointed date."""
        return self.early + self.on_time

    @property
    def first_kept(self) -> int:
        """Finished early or on time, by the first date."""
        return self.done - self.first_late

    @property
    def owed(self) -> int:
        """Whose applicants are owed an apology: late against the first date, finished or open."""
        return self.first_late + self.open_first_late

    @property
    def set_aside(self) -> int:
        """Not counted, for whatever reason."""
        return sum(self.aside.values())

    def add(self, cell: Cell) -> None:
        """Count a cell's dossiers."""
        verdict = cell.verdict
        match verdict.standing:
            case Standing.DONE:
                self.early += cell.count * (verdict.kept is Kept.EARLY)
                self.on_time += cell.count * (verdict.kept is Kept.ON_TIME)
                self.late += cell.count * (verdict.kept is Kept.LATE)
                self.first_late += cell.count * (verdict.first_kept is Kept.LATE)
                self.late_days += cell.late_days
                self.longest = max(self.longest, cell.longest)
                self.moved += cell.moved
            case Standing.OPEN:
                self.open_late += cell.count * (verdict.kept is Kept.LATE)
                self.open_in_time += cell.count * (verdict.kept is not Kept.LATE)
                self.open_first_late += cell.count * (verdict.first_kept is Kept.LATE)
                self.moved += cell.moved
                if cell.oldest is not None:
                    self.oldest = min(cell.oldest, self.oldest or cell.oldest)
            case standing:
                self.aside[standing] = self.aside.get(standing, 0) + cell.count

    def add_apologised(self, how: Iterable[Apologised]) -> None:
        """One applicant was told, in one way or more."""
        ways = frozenset(how)
        self.apologised += bool(ways)
        for way in ways:
            self.apologised_by[way] = self.apologised_by.get(way, 0) + 1


def is_late(verdict: Verdict) -> bool:
    """Whether an apology is owed: late against the first due date, finished or open."""
    return verdict.first_kept is Kept.LATE and verdict.standing in {Standing.DONE, Standing.OPEN}


def tallied(
    promises: Sequence[Promise],
    asked: Asked,
    apologised: Mapping[str, frozenset[Apologised]] | None = None,
) -> dict[Key, Tally]:
    """The lines of a report, counted one by one: what a store's own counting is held against."""
    lines: dict[Key, Tally] = {}
    for promise in promises:
        verdict = as_of(promise, start=asked.start, at=asked.at)
        if verdict is None or not asked.of_place(promise):
            continue
        line = lines.setdefault(asked.key(promise), Tally())
        done = verdict.standing is Standing.DONE
        open_late = verdict.standing is Standing.OPEN and verdict.kept is Kept.LATE
        line.add(
            Cell(
                key=asked.key(promise),
                verdict=verdict,
                count=1,
                late_days=promise.late_days if done else 0,
                longest=promise.late_days if done else 0,
                moved=int(promise.moved > 0),
                oldest=promise.due_at if open_late else None,
            )
        )
        if is_late(verdict):
            line.add_apologised((apologised or {}).get(promise.code, frozenset()))
    return lines
