from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from notifier.domain import code, code_reader
from notifier.domain.code import DossierCode

TODAY = date(2026, 11, 22)
UTTERANCES = Path(__file__).parent.parent / "data" / "utterances.tsv"
C1, C2 = "H29.45-261120-0123", "H29.45-261120-0124"


def texts(message: str, **options: object) -> list[str]:
    return [found.text for found in code_reader.read(message, today=TODAY, **options)]  # type: ignore[arg-type]


def label(value: object) -> str:
    """The name of a case, in which no number looks like that of a person."""
    return re.sub(r"[0-9](?:[ .]?[0-9]){7,}", "#", str(value))


# ------------------------------------------------------------------------------ the strict form

CONFORMING = [
    # text, unit, level 1, day, serial
    ("000.19.H10-180703-0001", "000.19.H10", "H10", date(2018, 7, 3), "0001"),
    ("000.00.19.H10-180703-0001", "000.00.19.H10", "H10", date(2018, 7, 3), "0001"),
    ("000.A0.01.H26-210212-9090", "000.A0.01.H26", "H26", date(2021, 2, 12), "9090"),
    ("H10.19-250703-0001", "H10.19", "H10", date(2025, 7, 3), "0001"),
    ("H10-250703-0001", "H10", "H10", date(2025, 7, 3), "0001"),
    ("G01.899.909-261008-000123", "G01.899.909", "G01", date(2026, 10, 8), "000123"),
    ("G09.20-20260609-0092637", "G09.20", "G09", date(2026, 6, 9), "0092637"),
    ("K05.01-240229-0001", "K05.01", "K05", date(2024, 2, 29), "0001"),
    ("H10.1.22.333.4444.55555.6-250703-0001", "H10.1.22.333.4444.55555.6", "H10",
     date(2025, 7, 3), "0001"),
    ("H10.11111.22222.33333.44444.55555.6-250703-0001", "H10.11111.22222.33333.44444.55555.6",
     "H10", date(2025, 7, 3), "0001"),  # a unit of 35, the longest
]  # fmt: skip


@pytest.mark.parametrize(("text", "unit", "level1", "day", "serial"), CONFORMING)
def test_a_conforming_code_has_its_parts(
    text: str, unit: str, level1: str, day: date, serial: str
) -> None:
    expected = DossierCode(text=text, unit=unit, level1=level1, day=day, serial=serial)
    assert code.parse(text, today=TODAY) == expected
    assert code.canonical(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h10.19-250703-0001",
        "H10.19-250703-0001 ",
        "H10.19-250703-0001\n",
        "H10.19-250703-001",
        "H10.19-250703-00000001",
        "H10.19-250229-0001",  # no leap year
        "H10.19-251301-0001",
        "H10.19-141231-0001",  # before the first code
        "H10.19-19250703-0001",
        "Z10.19-250703-0001",
        "H1.19-250703-0001",
        "H10.194567-250703-0001",
        "H10.11111.22222.33333.44444.55555.66-250703-0001",  # a unit of 36
        "H10.1.2.3.4.5.6.7-250703-0001",  # a seventh group
        "H10..19-250703-0001",
        "000.H10-180703-0001",
        "H10.19.1.2.3.4.5-250703-0001x",
        "00.19.H10-180703-0001",
        "000.19.H10.20-180703-0001",
        "000.00.00.19.H10-180703-0001",
        "1.005129",
        "KQ.G07.000122",
        "000.00.00.G09-KQ002269",
        "H10.19-２50703-0001",
    ],
)
def test_anything_else_does_not_conform(text: str) -> None:
    assert code.parse(text) is None


def test_the_date_may_be_tomorrow_and_no_later() -> None:
    assert code.parse("H10.19-261123-0001", today=TODAY) is not None
    assert code.parse("H10.19-261124-0001", today=TODAY) is None
    assert code.parse("H10.19-261124-0001") is not None


# ---------------------------------------------------------------------------- what a source sends


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("H10.19-250703-0001", "H10.19-250703-0001"),
        ("  h10.19 – 250703 — 0001\t", "H10.19-250703-0001"),
        ("H10..19--250703-0001.", "H10.19-250703-0001"),
        ("Ｈ１０．１９－２５０７０３－０００１", "H10.19-250703-0001"),
        ("H10.19\u200b-250703-0001", "H10.19-250703-0001"),
        ("TDM-NCC-2026-00412", "TDM-NCC-2026-00412"),
        ("tdm_ncc_2026", "TDM_NCC_2026"),
        ("QĐ-2026-01", "QD-2026-01"),
        ("qđ-2026-01", "QD-2026-01"),
        ("tdm__ncc//2026", "TDM_NCC/2026"),
        ("A-12", "A-12"),
        ("x" * 64, "X" * 64),
        ("TDM _ NCC /2026. 01", "TDM_NCC/2026.01"),
        ("-XNC-2026-01-X-", "XNC-2026-01-X"),  # joints at the ends go, letters stay
        ("03706/2026/07906", "03706/2026/07906"),
        ("00673810079", "00673810079"),
        ("H10.O9-250703-0001", "H10.O9-250703-0001"),  # what a source sends is not guessed at
    ],
)
def test_the_key_of_a_source_s_code(raw: str, key: str) -> None:
    assert code.canonical(raw) == key
    assert code.canonical(key) == key


H10 = "H10.19-250703-0001"
DASHES = "\u00ad˗֊᠆‐‑‒–—―⁃−➖⸺⸻ー"
INVISIBLE = "\u034f\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
DOTS = "·•。"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *((char, "-") for char in DASHES),
        *((char, "") for char in INVISIBLE),
        *((char, ".") for char in DOTS),
    ],
    ids=[f"U+{ord(char):04X}" for char in DASHES + INVISIBLE + DOTS],
)
def test_what_a_printed_or_pasted_code_may_hold(typed: str, meant: str) -> None:
    raw = f"TDM{typed}NCC{typed}00412"
    assert code.canonical(raw) == f"TDM{meant}NCC{meant}00412"
    joint = meant or "-"
    message = H10.replace(joint, typed if meant else typed + joint + typed)
    assert texts(message) == [H10]


@pytest.mark.parametrize("raw", ["", "---", "A-1", "x" * 65, "HS 2025 001", "mã số", "A'--1234"])
def test_a_key_that_can_not_be_made_is_refused_in_a_sentence(raw: str) -> None:
    sentence = (
        "a dossier code has 4 to 64 letters, digits and . / _ - between them, "
        "such as H10.19-250703-0001"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        code.canonical(raw)
