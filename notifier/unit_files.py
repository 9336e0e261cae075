"""``units/units.toml``, and the tables that offices import into it, to values with every fault."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, StringConstraints

from notifier.domain.message import Address
from notifier.domain.opening import OpeningHours, read_hours
from notifier.domain.text import fold
from notifier.domain.tier import Tier
from notifier.domain.unit import Unit
from notifier.errors import Fault
from notifier.knowledge_files import Coded, Day, Listed, Words, read_rows
from notifier.settings import Table, read_staff_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from notifier.knowledge_files import Row
    from notifier.settings import Files

UNITS: Final = "units/units.toml"
LEVELS: Final = "units/levels.toml"

COLUMNS: Final = (
    "code", "name", "short", "phone", "address", "hours", "calendar", "level", "aliases",
    "source", "as_of", "staff", "leaders",
)  # fmt: skip
"""The columns of an imported table, in the order that a new one is best written in."""

NEEDED: Final = ("code", "name", "short", "source", "as_of")

LONGEST_ADDRESS: Final = 150
"""Characters; with the hours it has to fit into an SMS or two."""

_PHONE: Final = re.compile(r"(?:0|\+84)[0-9]{9,10}|1[0-9]{2,9}")
_IN_PHONE: Final = re.compile(r"[ .()-]")

HEAD: Final = """\
# Written by `notifier knowledge import --kind units`: change the table and import it again.
# The comments in the shipped file of this name explain the keys.

"""


def _read_hours(value: object) -> object:
    if isinstance(value, OpeningHours):
        return value
    return read_hours(value) if isinstance(value, str) and value.strip() else None


def _read_phone(phone: str) -> str:
    bare = _IN_PHONE.sub("", phone)
    if bare and not _PHONE.fullmatch(bare):
        raise ValueError(
            "write one telephone with its area code and its leading 0, or a short one such as "
            "1022; Excel drops a leading 0 where the column is not text"
        )
    return bare


def _read_addresses(value: object) -> object:
    listed = value.split(";") if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)):
        return listed or ()
    return tuple(
        read_staff_address(one) for one in listed if not isinstance(one, str) or one.strip()
    )


Addresses = Annotated[tuple[InstanceOf[Address], ...], BeforeValidator(_read_addresses)]
Hours = Annotated[InstanceOf[OpeningHours] | None, BeforeValidator(_read_hours)]


Level = Annotated[Tier | None, BeforeValidator(lambda value: value or None)]


class LevelsFile(Table):
    """``units/levels.toml``: how the names of the units of each level begin."""

    begins: dict[Tier, tuple[Annotated[str, Field(min_length=1)], ...]]

    @property
    def beginnings(self) -> dict[str, Tier]:
        """Each beginning with its level."""
        return {words: tier for tier, all_words in self.begins.items() for words in all_words}


class UnitTable(Coded):
    """One ``[[unit]]``."""

    code: str = Field(min_length=1)
    name: str = Field(min_length=1)
    short: str = Field(min_length=1, max_length=40)
    phone: str = ""
    address: str = ""
    hours: Hours = None
    calendar: str = ""
    level: Level = None
    aliases: tuple[str, ...] = ()
    source: str = ""
    as_of: date | None = None
    staff: Addresses = ()
    leaders: Addresses = ()

    def unit(self) -> Unit:
        """The table as a value."""
        return Unit(**{field.name: getattr(self, field.name) for field in fields(Unit)})


class UnitsFile(Table):
    """``units/units.toml``"""

    unit: tuple[UnitTable, ...] = ()


class UnitRow(UnitTable):
    """One line of an imported table, which says more than a table written by hand has to."""

    code: Annotated[Words, StringConstraints(pattern=r"^[0-9A-Z]+(\.[0-9A-Z]+)*$")]
    name: Annotated[Words, StringConstraints(min_length=1, max_length=150)]
    short: Annotated[Words, StringConstraints(min_length=1, max_length=40)]
    phone: Annotated[Words, AfterValidator(_read_phone)] = ""
    address: Annotated[Words, StringConstraints(max_length=LONGEST_ADDRESS)] = ""
    calendar: Annotated[Words, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$")] = ""
    aliases: Listed = ()
    source: Annotated[Words, StringConstraints(min_length=1, max_length=100)]
    as_of: Day


def read_units(rows: Iterable[Row], path: str, files: Files) -> tuple[list[Unit], list[Fault]]:
    """The units of a table, and every fault with its line and column.

    ``path`` is what faults call the table; ``files`` has the calendars that it may name.
    """
    read, faults = read_rows(rows, path, UnitRow, COLUMNS, NEEDED)
    faults += _shared_names(read, path)
    for number, row in read:
        if row.calendar and not files.path(f"calendar/{row.calendar}.toml").is_file():
            problem = f"there is no file calendar/{row.calendar}.toml; write one, or leave it out."
            faults.append(Fault(file=path, key=f"line {number}, calendar", problem=problem))
    return [row.unit() for _, row in read], faults


def _shared_names(read: Iterable[tuple[int, UnitRow]], path: str) -> Iterator[Fault]:
    """Other codes and names that two lines claim; the codes themselves are looked at before."""
    read = list(read)
    lines = {fold(row.code): number for number, row in reversed(read)}
    for number, row in read:
        for alias in row.aliases:
            first = lines.setdefault(fold(alias), number)
            if first != number:
                problem = f"one of them stands in line {first} too; keep it in one of the lines."
                yield Fault(file=path, key=f"line {number}, aliases", problem=problem)


def written(units: Iterable[Unit]) -> str:
    """The units as ``units.toml``."""
    return HEAD + "\n".join(_written(unit) for unit in units)


def _written(unit: Unit) -> str:
    lines = [f"{name} = {_toml(value)}" for name in COLUMNS if (value := getattr(unit, name))]
    return "\n".join(["[[unit]]", *lines, ""])


def _toml(value: object) -> str:
    match value:
        case OpeningHours():
            return _toml(value.words("vi"))
        case date():
            return value.isoformat()
        case Address():
            return _toml(str(value))
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:  # JSON writes strings as TOML does, but for one sign
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
