"""Promises as rows, and the statements that count them: the same words for every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from notifier.domain.promise import Apologised, Kept, Standing, Verdict, month_of
from notifier.domain.tally import By, Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from notifier.domain.promise import Place, Promise
    from notifier.domain.tally import Asked, Key

PROMISE: Final = (
    "code, place, received_at, first_due_at, due_at, ended_at, month, verdict, late_days, moved"
)
PLACE: Final = "place, tier, unit, field, procedure, unit_name, procedure_name"

LATE: Final = int(Kept.LATE)
OPEN: Final = int(Standing.OPEN)
STALE: Final = int(Standing.STALE)
UNDATED: Final = int(Standing.UNDATED)

COLUMNS: Final = {
    By.LEVEL: "tier",
    By.UNIT: "unit",
    By.FIELD: "field",
    By.PROCEDURE: "procedure",
    By.MONTH: "CAST(month AS TEXT)",
}

# As ``promise.as_of``: what had come by then and had not ended, where it stood.
_STOOD: Final = f"""CASE WHEN ended_at IS NULL OR verdict / 100 = {STALE} THEN verdict / 100
    WHEN due_at IS NULL THEN {UNDATED} ELSE {OPEN} END"""
_PASSED: Final = f"CASE WHEN {{}} < $2 THEN {LATE} ELSE 0 END"
_OPEN_AT: Final = f"""SELECT code, place, moved, due_at, first_due_at, {_STOOD} AS stood
    FROM promise WHERE (ended_at IS NULL OR ended_at > $2) AND received_at <= $2"""
_NOW: Final = f"""CASE WHEN stood = {OPEN} THEN {OPEN * 100} + 10 * {_PASSED.format("due_at")}
    + {_PASSED.format("first_due_at")} ELSE stood * 100 END"""
_WANTED: Final = """(CAST($4 AS TEXT) = '' OR tier = $4) AND (CAST($5 AS TEXT) = '' OR unit = $5)
    AND (CAST($6 AS TEXT) = '' OR field = $6) AND (CAST($7 AS TEXT) = '' OR procedure = $7)"""


def tally_sql(asked: Asked) -> str:
    """Counts by line and verdict. Parameters: those of ``parameters``.

    What ended is read from the index that it is grouped by, in order; only what is open depends on
    the moment, and that is little.
    """
    keys = "".join(f"{COLUMNS[by]}, " for by in asked.by)
    return f"""SELECT {keys}verdict, CAST(SUM(count) AS BIGINT), CAST(SUM(days) AS BIGINT),
        MAX(longest), CAST(SUM(changed) AS BIGINT), MIN(oldest)
    FROM (
        SELECT place, month, verdict, COUNT(*) AS count, SUM(late_days) AS days,
            MAX(late_days) AS longest, SUM(CASE WHEN moved > 0 THEN 1 ELSE 0 END) AS changed,
            CAST(NULL AS BIGINT) AS oldest
        FROM promise WHERE ended_at >= $1 AND ended_at <= $2 GROUP BY place, month, verdict
        UNION ALL
        SELECT place, $3, verdict, COUNT(*), 0, 0,
            SUM(CASE WHEN moved > 0 THEN 1 ELSE 0 END),
            MIN(CASE WHEN verdict >= {OPEN * 100 + LATE * 10} AND stood = {OPEN} THEN due_at END)
        FROM (SELECT place, moved, due_at, stood, {_NOW} AS verdict FROM ({_OPEN_AT}) AS stood_at)
            AS open_at
        GROUP BY place, verdict
    ) AS counted JOIN place USING (place) WHERE {_WANTED}
    GROUP BY {keys}verdict"""


def late_sql(asked: Asked) -> str:
    """Codes, with their lines, that are late against the first due date; a page in order of code.

    Parameters: those of ``parameters``, then the code it begins behind, and how many.
    """
    keys = "".join(f", {COLUMNS[by]}" for by in asked.by)
    return f"""SELECT code{keys} FROM (
        SELECT code, place, CASE WHEN ended_at <= $2 THEN month ELSE $3 END AS month FROM promise
        WHERE code > $8 AND received_at <= $2 AND CAST($3 AS BIGINT) > 0 AND (
            (ended_at >= $1 AND ended_at <= $2 AND verdict % 10 = {LATE})
            OR ((ended_at IS NULL OR ended_at > $2) AND first_due_at < $2
                AND {_STOOD} = {OPEN}))
    ) AS late JOIN place USING (place) WHERE {_WANTED} ORDER BY code LIMIT $9"""


def parameters(asked: Asked) -> tuple[Any, ...]:
    """Seven: the time, the month of its end, and the filters."""
    return (
        asked.start,
        asked.at,
        month_of(asked.at),
        asked.level,
        asked.unit,
        asked.field,
        asked.procedure,
    )


def promise_rows(promises: Sequence[Promise]) -> list[tuple[Any, ...]]:
    """One row a code, of the last that has it; in the order of ``PROMISE``."""
    last = {promise.code: promise for promise in promises}
    return [
        (
            promise.code,
            promise.place.id,
            promise.received_at,
            promise.first_due_at,
            promise.due_at,
            promise.ended_at,
            promise.month,
            promise.verdict,
            promise.late_days,
            promise.moved,
        )
        for promise in last.values()
    ]


def place_rows(places: Sequence[Place]) -> list[tuple[Any, ...]]:
    """One row a place; in the order of ``PLACE``."""
    return [
        (
            number,
            place.level,
            place.unit,
            place.field,
            place.procedure,
            place.unit_name,
            place.procedure_name,
        )
        for number, place in sorted({place.id: place for place in places}.items())
    ]


def read_cells(rows: Iterable[Sequence[Any]], asked: Asked) -> list[Cell]:
    """From the rows of ``tally_sql``."""
    width = len(asked.by)
    return [
        Cell(
            key=tuple(row[:width]),
            verdict=Verdict.of(row[width]),
            count=row[width + 1],
            late_days=row[width + 2],
            longest=row[width + 3],
            moved=row[width + 4],
            oldest=row[width + 5],
        )
        for row in rows
    ]


def read_late(rows: Iterable[Sequence[Any]]) -> list[tuple[str, Key]]:
    """From the rows of ``late_sql``."""
    return [(row[0], tuple(row[1:])) for row in rows]


APOLOGISED_STATES: Final = ("accepted", "delivered")
"""Of a message that left; what is queued, failed or of unknown fate is no apology yet."""


SIGNED_STATES: Final = ("sent", "returned")
"""Of a signed apology whose applicant was written to."""


def read_apologised(rows: Iterable[Sequence[Any]]) -> dict[str, frozenset[Apologised]]:
    """From rows of a code and a way."""
    found: dict[str, frozenset[Apologised]] = {}
    for code, how in rows:
        found[code] = found.get(code, frozenset()) | {Apologised(how)}
    return found
