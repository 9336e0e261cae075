"""Numbers as Vietnamese officials write them: a point for thousands, a comma for decimals."""

from __future__ import annotations


def count(number: int) -> str:
    """``128.955``"""
    return f"{number:,}".replace(",", ".")


def decimal(number: float, places: int = 1) -> str:
    """``2,4``"""
    return f"{number:,.{places}f}".translate(str.maketrans(",.", ".,"))


def share(part: int, whole: int) -> str:
    """``96,91%``; a dash of nothing. Never rounded up to 100 % while something is missing."""
    if not whole:
        return "–"
    hundredths = part * 10_000 / whole
    rounded = int(hundredths) if part < whole and hundredths > 9_999 else round(hundredths)
    return f"{decimal(rounded / 100, 2)}%"
