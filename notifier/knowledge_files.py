"""``knowledge/procedures.csv`` and ``knowledge/topics.toml`` to values, with every fault."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from notifier.domain import limit, phrases
from notifier.domain.inquiry import Intent  # noqa: TC001 - pydantic reads it
from notifier.domain.knowledge import Procedure, Topic
from notifier.domain.limit import Limit
from notifier.domain.text import fold, nfc
from notifier.errors import Fault
from notifier.settings import Table, faults_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from notifier.settings import Files

PROCEDURES: Final = "knowledge/procedures.csv"
TOPICS: Final = "knowledge/topics.toml"

COLUMNS: Final = (
    "code", "name", "also", "field", "papers", "limit", "fee", "fee_note", "where", "source",
    "as_of",
)  # fmt: skip
"""The columns of ``procedures.csv`` in the order they are written."""

NEEDED: Final = ("code", "name", "source", "as_of")

FEE: Final = re.compile(r"(\d{1,3}(?:\.\d{3})+|\d{1,9}) ?(?:đ|₫|đồng)?")


def _read_limit(value: object) -> object:
    if value in (None, ""):
        return None
    return limit.read(str(value))


def _read_fee(value: object) -> object:
    if value in (None, ""):
        return None
    found = FEE.fullmatch(nfc(str(value)).strip())
    if not found:
        raise ValueError('write the fee in đồng, such as "8000"; empty where it is not known')
    return int(found[1].replace(".", ""))


def _read_day(value: object) -> object:
    """``2026-11-22``, or ``22/11/2026`` as people write it."""
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", str(value).strip())
    if not found:
        return str(value).strip()[:10]
    try:
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        raise ValueError("there is no such day") from None


def _listed(value: object) -> object:
    """What stands between semicolons or line breaks."""
    parts = re.split(r"[;\n]", value if isinstance(value, str) else "")
    return tuple(line for part in parts if (line := part.strip(" .-\t\r")))


Words = Annotated[str, BeforeValidator(lambda value: " ".join(nfc(str(value or "")).split()))]
Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Day = Annotated[date, BeforeValidator(_read_day)]


class Coded(Table):
    """A line that a code tells from the others."""

    code: str


CodedRow = TypeVar("CodedRow", bound=Coded)


class ProcedureRow(Coded):
    """One line of ``procedures.csv``."""

    code: Annotated[Words, Field(pattern=r"^\d\.\d{6}(\.[0-9A-Z]{2,3})*$")]
    name: Annotated[Words, Field(min_length=1, max_length=500)]
    also: Listed = ()
    field: Words = ""
    papers: Listed = ()
    limit: Annotated[Limit | None, BeforeValidator(_read_limit)] = None
    fee: Annotated[int | None, BeforeValidator(_read_fee)] = None
    fee_note: Words = ""
    where: Words = ""
    source: Annotated[Words, Field(min_length=1)]
    as_of: Day

    def procedure(self) -> Procedure:
        """The row as a value."""
        return Procedure(**{name: getattr(self, name) for name in COLUMNS})


class WordingTable(Table):
    """What is said in one language: ``short`` for SMS, ``long`` for chats."""

    short: str = Field(min_length=1, max_length=240)
    long: str = Field(min_length=1, max_length=1_500)


class TopicTable(Table):
    """One ``[[topic]]``."""

    name: str = Field(pattern=r"^[a-z_]+$")
    intents: frozenset[Intent] = Field(min_length=1)
    phrases: tuple[str, ...] = Field(min_length=1)
    vi: WordingTable
    en: WordingTable
    source: str = Field(min_length=1)
    as_of: date

    @model_validator(mode="after")
    def _readable(self) -> TopicTable:
        phrases.check(self.phrases)
        return self


class TopicsFile(Table):
    """``topics.toml``"""

    topic: tuple[TopicTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its number as people see it, and its cells by column."""

    number: int
    cells: Mapping[str, str]


def load_procedures(files: Files) -> list[Procedure]:
    """Those of the configuration; faults go to ``files``."""
    path = files.path(PROCEDURES)
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        problem = f"it can't be read ({error.strerror})."
        files.faults.append(Fault(file=str(path), key="", problem=problem))
        return []
    except UnicodeDecodeError:
        files.faults.append(Fault(file=str(path), key="", problem="it is not UTF-8."))
        return []
    procedures, faults = read_procedures(csv_rows(text), str(path))
    files.faults += faults
    return procedures


def load_topics(files: Files, compounds: Mapping[str, str]) -> list[Topic]:
    """Those of the configuration, in their order; faults go to ``files``."""
    path = files.path(TOPICS)
    try:
        file = TopicsFile.model_validate(files.toml(path))
    except ValidationError as error:
        files.faults += faults_of(error, str(path))
        return []
    return [topic for table in file.topic if (topic := _topic(table, compounds))]


def _topic(table: TopicTable, compounds: Mapping[str, str]) -> Topic | None:
    pattern = phrases.compiled([fold(phrase) for phrase in table.phrases], compounds)
    return pattern and Topic(
        name=table.name,
        intents=table.intents,
        phrases=pattern,
        short={"vi": table.vi.short, "en": table.en.short},
        long={"vi": table.vi.long, "en": table.en.long},
        source=table.source,
        as_of=table.as_of,
    )


def csv_rows(text: str) -> Iterator[Row]:
    """The lines of a CSV with a heading; a line that begins with ``#`` is a comment.

    Columns lie between commas, or between semicolons where the heading has more of those.
    """
    lines = ["\n" if line.startswith("#") else line for line in io.StringIO(text, newline="")]
    heading = next((line for line in lines if line.strip()), "")
    mark = ";" if heading.count(";") > heading.count(",") else ","
    reader = csv.reader(lines, delimiter=mark)
    yield from table_rows((reader.line_num, cells) for cells in reader)


def table_rows(lines: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Row]:
    """Numbered lines as rows: the first that is not empty is the heading."""
    heading: list[str] = []
    for number, typed in lines:
        cells = [cell.strip() for cell in typed]
        if not any(cells):
            continue
        if not heading:
            heading = [cell.lower() for cell in cells]
            continue
        row = dict.fromkeys(heading, "") | dict(zip(heading, cells, strict=False))
        if any(cells[len(heading) :]):
            row["columns too many"] = ";".join(cells[len(heading) :])
        yield Row(number, row)


def read_procedures(rows: Iterable[Row], file: str) -> tuple[list[Procedure], list[Fault]]:
    """The procedures of a table, and every fault with its line and column."""
    read, faults = read_rows(rows, file, ProcedureRow, COLUMNS, NEEDED)
    return [row.procedure() for _, row in read], faults


def read_rows(
    rows: Iterable[Row],
    file: str,
    schema: type[CodedRow],
    columns: Sequence[str],
    needed: Sequence[str],
) -> tuple[list[tuple[int, CodedRow]], list[Fault]]:
    """The lines of a table by ``schema``, each with its number; and every fault.

    Each line has a ``code`` of its own; the heading has to hold the ``needed`` of its ``columns``.
    """
    read: list[tuple[int, CodedRow]] = []
    faults: list[Fault] = []
    lines: dict[str, int] = {}
    for row in rows:
        missing = [name for name in needed if name not in row.cells]
        if missing:
            problem = f"the heading lacks {', '.join(missing)}; it has to be {','.join(columns)}."
            return [], [Fault(file=file, key="", problem=problem)]
        try:
            found = schema.model_validate(row.cells)
        except ValidationError as error:
            faults += (
                replace(fault, key=f"line {row.number}, {fault.key}")
                for fault in faults_of(error, file)
            )
            continue
        first = lines.setdefault(found.code, row.number)
        if first != row.number:
            problem = f"the code stands in line {first} too; keep one of them."
            faults.append(Fault(file=file, key=f"line {row.number}, code", problem=problem))
        read.append((row.number, found))
    return read, faults


def written(procedures: Iterable[Procedure]) -> str:
    """The procedures as ``procedures.csv``."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for each in procedures:
        table.writerow([_cell(getattr(each, name)) for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case tuple():
            return "; ".join(value)
        case Limit():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
