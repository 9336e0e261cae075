"""A processing limit: so many working days, working hours or calendar days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping


class LimitUnit(StrEnum):
    """What a time limit counts, as the data files write it."""

    WORKING_DAYS = "d"
    CALENDAR_DAYS = "cd"
    WORKING_HOURS = "h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long a procedure takes by its decision; a count of 0 means within the day."""

    count: int
    unit: LimitUnit

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


_WRITTEN: Final = re.compile(r"(\d{1,3}) ?(d|cd|h|ngay lam viec|ngay|gio|gio lam viec)")
_UNITS: Final[Mapping[str, LimitUnit]] = {
    "d": LimitUnit.WORKING_DAYS,
    "ngay lam viec": LimitUnit.WORKING_DAYS,
    "cd": LimitUnit.CALENDAR_DAYS,
    "ngay": LimitUnit.CALENDAR_DAYS,
    "h": LimitUnit.WORKING_HOURS,
    "gio": LimitUnit.WORKING_HOURS,
    "gio lam viec": LimitUnit.WORKING_HOURS,
}


def read(text: str) -> Limit:
    """``5d``, ``8h`` or ``15cd``, or as decisions write it: ``5 ngày làm việc``.

    Raises ``ValueError`` with a sentence.
    """
    found = _WRITTEN.fullmatch(fold(text))
    if not found:
        raise ValueError(
            'write working days as "5d", calendar days as "15cd", working hours as "4h"'
        )
    return Limit(count=int(found[1]), unit=_UNITS[found[2]])
