"""``calendar/<name>.toml`` to values, one built on another, with every fault of all of them."""

from __future__ import annotations

from collections import Counter
from datetime import date  # noqa: TC003 - pydantic reads it
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from notifier.domain.calendar import DayKind, Half, Season, WorkingCalendar
from notifier.domain.instant import DAY
from notifier.errors import Fault
from notifier.settings import ClockTime, Duration, Table, faults_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from notifier.domain.calendar import Spans
    from notifier.settings import Files

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _in_order(spans: Spans) -> Spans:
    for opens, closes in spans:
        if opens >= closes:
            raise ValueError("a span opens before it closes; hours don't run over midnight")
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        raise ValueError("two spans of a day overlap, or stand in the wrong order")
    return spans


def _within_a_day(length: int) -> int:
    if not 0 < length <= DAY:
        raise ValueError('write how long a whole day counts, such as "8h"')
    return length


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Hours = Annotated[
    tuple[tuple[ClockTime, ClockTime], ...], Field(min_length=1), AfterValidator(_in_order)
]


class DaysTable(Table):
    """One ``[[day]]``: days of one kind and name; ``half``, or ``hours``, is what is worked."""

    kind: DayKind
    name: str = Field(min_length=1)
    dates: tuple[date, ...]
    half: Half | None = None
    hours: Hours | None = None
    source: str = ""

    @model_validator(mode="after")
    def _whole(self) -> DaysTable:
        if self.half and self.hours:
            raise ValueError("it has `half` and `hours`; keep one of them")
        if self.kind is DayKind.OFF and (self.half or self.hours):
            raise ValueError('a day off has no hours; a half one has kind = "half"')
        if self.kind is DayKind.HALF and not (self.half or self.hours):
            raise ValueError('say which half is worked: half = "morning", or give its `hours`')
        if self.kind is DayKind.WORK and self.half:
            raise ValueError('a day of which half is worked has kind = "half"')
        return self


class SeasonTable(Table):
    """One ``[[season]]``: other hours from ``first`` to ``last``, both included."""

    name: str = Field(min_length=1)
    first: date
    last: date
    hours: Hours
    weekday: dict[Weekday, Hours] = Field(default_factory=dict)
    source: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> SeasonTable:
        if self.first > self.last:
            raise ValueError("it ends before it begins; `first` and `last` are its days")
        return self

    def season(self) -> Season:
        """The table as a value."""
        return Season(
            name=self.name,
            first=self.first,
            last=self.last,
            hours=self.hours,
            by_weekday=_by_weekday(self.weekday),
        )


class CalendarFile(Table):
    """``calendar/<name>.toml``; what it leaves out is as in ``base``."""

    base: str = ""
    week: frozenset[Weekday] | None = Field(None, min_length=1)
    hours: Hours | None = None
    weekday: dict[Weekday, Hours] = Field(default_factory=dict)
    day_length: Annotated[Duration, AfterValidator(_within_a_day)] | None = None
    provisional: frozenset[int] | None = None
    season: tuple[SeasonTable, ...] = ()
    day: tuple[DaysTable, ...] = ()

    @model_validator(mode="after")
    def _stands_alone(self) -> CalendarFile:
        if not self.base and (self.week is None or self.hours is None):
            raise ValueError('it needs `week` and `hours`, or `base`, such as base = "vn"')
        return self


def load_calendars(files: Files) -> dict[str, WorkingCalendar]:
    """The shipped ones and the folder's own, by the names of their files; faults to ``files``."""
    paths = {path.stem: path for path in files.path("calendar/vn.toml").parent.glob("*.toml")}
    if files.own is not None:
        paths |= {path.stem: path for path in (files.own / "calendar").glob("*.toml")}
    tables = {name: _read(files, path) for name, path in sorted(paths.items())}
    built: dict[str, WorkingCalendar] = {}
    for name, table in tables.items():
        if table is None:
            continue
        fault = _base_fault(name, tables)
        if fault:
            files.faults.append(Fault(file=str(paths[name]), key="base", problem=fault))
            continue
        line = list(_line(name, tables))
        if None in line:  # what it builds on is at fault, which is said there
            continue
        calendar = _built(name, [one for one in reversed(line) if one])
        found = list(_faults(str(paths[name]), table, calendar))
        files.faults += found
        if not found:
            built[name] = calendar
    return built


def _read(files: Files, path: Path) -> CalendarFile | None:
    before = len(files.faults)
    tables = files.toml(path)
    if len(files.faults) > before:
        return None
    try:
        return CalendarFile.model_validate(tables)
    except ValidationError as error:
        files.faults += faults_of(error, str(path))
        return None


def _line(name: str, tables: Mapping[str, CalendarFile | None]) -> Iterator[CalendarFile | None]:
    """The calendar's table, that of its base, and so on."""
    while name:
        table = tables[name]
        yield table
        name = table.base if table else ""


def _base_fault(name: str, tables: Mapping[str, CalendarFile | None]) -> str:
    seen: list[str] = []
    while name:
        if name in seen:
            return f"it builds on itself ({' on '.join([*seen, name])}); give one of them none."
        if name not in tables:
            return f"there is no file calendar/{name}.toml to build on."
        seen.append(name)
        table = tables[name]
        name = table.base if table else ""
    return ""


def _built(name: str, line: list[CalendarFile]) -> WorkingCalendar:
    """The tables laid one on the other, the first one below."""
    week: frozenset[Weekday] = frozenset()
    hours: Spans = ()
    weekday: dict[Weekday, Spans] = {}
    seasons: tuple[SeasonTable, ...] = ()
    days: dict[date, DaysTable] = {}
    provisional: frozenset[int] = frozenset()
    day_length: int | None = None
    for table in line:
        if table.hours is not None:  # hours of its own, and none of the base's seasons
            hours, weekday, seasons = table.hours, {}, ()
        week = table.week or week
        weekday |= table.weekday
        seasons = table.season or seasons
        day_length = table.day_length or day_length
        provisional = provisional if table.provisional is None else table.provisional
        days |= {day: named for named in table.day for day in named.dates}
    return WorkingCalendar(
        name=name,
        week=frozenset(WEEKDAYS.index(day) for day in week),
        exceptions={day: named.kind for day, named in days.items()},
        names={day: named.name for day, named in days.items()},
        hours=hours,
        by_weekday=_by_weekday(weekday),
        seasons=tuple(season.season() for season in seasons),
        halves={day: named.half for day, named in days.items() if named.half},
        own_hours={day: named.hours for day, named in days.items() if named.hours},
        day_length=day_length,
        provisional_years=provisional,
    )


def _by_weekday(hours: Mapping[Weekday, Spans]) -> dict[int, Spans]:
    return {WEEKDAYS.index(day): spans for day, spans in hours.items()}


def _faults(file: str, table: CalendarFile, calendar: WorkingCalendar) -> Iterator[Fault]:
    """What no single table of the file shows."""
    times = Counter(day for named in table.day for day in named.dates)
    for i, named in enumerate(table.day):
        for day in named.dates:
            key = f"day.{i}.dates"
            if times[day] > 1:
                problem = f"{day} stands there {times[day]} times; keep one of them."
                yield Fault(file=file, key=key, problem=problem)
                times[day] = 0
    in_order = sorted(enumerate(table.season), key=lambda placed: placed[1].first)
    for (_, earlier), (i, later) in pairwise(in_order):
        if later.first <= earlier.last:
            problem = f'"{later.name}" begins before "{earlier.name}" has ended.'
            yield Fault(file=file, key=f"season.{i}.first", problem=problem)
    for day, half in calendar.halves.items():
        if not calendar.spans(day):
            problem = f"{day} has no hours in the {half.value}; give it `hours` of its own."
            yield Fault(file=file, key="day", problem=problem)
