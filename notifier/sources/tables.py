"""Workbooks as lines of cells: whatever ``python-calamine`` opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from notifier.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EXCEL: Final = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})


def sheet(file: Path) -> Sequence[Sequence[Any]]:
    """The lines of the first sheet; raises ``InputError``."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise InputError(
            "Excel can't be read here; install motcua-notifier[excel], or save it as CSV UTF-8"
        ) from None
    try:
        found = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0)
        lines: Sequence[Sequence[Any]] = found.to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise InputError(f"{file} can't be read ({error})") from None
    return lines
