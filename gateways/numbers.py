"""How providers want a citizen's number to be written."""

from __future__ import annotations

from typing import Literal

NumberForm = Literal["84", "0", "+84"]


def dialled(number: str, form: NumberForm) -> str:
    """``+84912…`` as the provider wants it; a short code stays as it is."""
    if not number.startswith("+") or form == "+84":
        return number
    if form == "84":
        return number[1:]
    return "0" + number[3:] if number.startswith("+84") else "00" + number[1:]
