"""``notifier knowledge import --kind units``: taken as a whole or not at all, faults by row."""

from __future__ import annotations

import csv
import sys
import tomllib
from datetime import date
from typing import TYPE_CHECKING

import office
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from workbooks import workbook

from notifier.bootstrap.core import configure
from notifier.cli import main
from notifier.domain.dossier import UnitRef
from notifier.domain.opening import read_hours
from notifier.domain.unit import Unit
from notifier.knowledge_files import Row
from notifier.settings import Files
from notifier.unit_files import COLUMNS, UnitsFile, read_units, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = {
    "code": "H19.45",
    "name": "UBND phường  Trấn Biên",
    "short": "P.Tran Bien",
    "phone": "0251 382 2222",
    "address": "số 1 đường Hùng Vương",
    "hours": "07:30-11:30, 13:30-17:00 T2-T6; 07:30-11:30 thứ Bảy",
    "aliases": "000.00.45.H19; Phường Trấn Biên",
    "source": "Thông báo số 12/TB-UBND",
    "as_of": "1/11/2026",
}
TRAN_BIEN = Unit(
    code="H19.45",
    name="UBND phường Trấn Biên",
    short="P.Tran Bien",
    phone="02513822222",
    address="số 1 đường Hùng Vương",
    hours=read_hours("07:30-11:30, 13:30-17:00 T2-T6; 07:30-11:30 T7"),
    aliases=("000.00.45.H19", "Phường Trấn Biên"),
    source="Thông báo số 12/TB-UBND",
    as_of=date(2026, 11, 1),
)


def table(folder: Path, *rows: dict[str, str]) -> Path:
    """A CSV of an office; each row is GOOD with changes."""
    path = folder / "units-of-ours.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows({**GOOD, **row} for row in rows)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return office.write_config(tmp_path / "config")


@pytest.fixture
def run(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    monkeypatch.delenv("NOTIFIER_CONFIG", raising=False)

    def run(*words: str | Path) -> tuple[int, str]:
        arguments = ["notifier", "--config", str(own), "knowledge", *map(str, words)]
        monkeypatch.setattr(sys, "argv", arguments)
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, capsys.readouterr().err

    def take(path: Path) -> tuple[int, str]:
        return run("import", path, "--kind", "units")

    run.take = take  # type: ignore[attr-defined]
    return run


def test_units_are_taken_into_the_folder(run, own: Path, tmp_path: Path) -> None:
    bare = {"code": "H19.46", "name": "UBND phường Tam Hiệp", "phone": "1022", "address": "",
            "hours": "", "aliases": ""}  # fmt: skip
    code, said = run.take(table(tmp_path, {}, bare))
    assert code == 0, said
    assert "2 units" in said
    assert [path.name for path in (own / "units").iterdir()] == ["units.toml"]
    units = configure(own).installation.units
    assert units.find(UnitRef(code="000.00.45.H19")) == TRAN_BIEN
    assert units.find(UnitRef(code="H19.46")).hours is None
    said = run("check")[1]
    assert "2 unit(s), 1 of them without an address or hours." in said
    assert "the office's are told: H19.46." in said


def test_what_no_longer_stands_in_the_table_is_named(run, own: Path, tmp_path: Path) -> None:
    assert run.take(table(tmp_path, {}, {"code": "H19.46", "aliases": ""}))[0] == 0
    code, said = run.take(table(tmp_path, {"code": "H19.46"}))
    assert code == 0
    assert "No longer among them: H19.45." in said
    assert [unit.code for unit in configure(own).installation.units.all] == ["H19.46"]


FAULTY = [
    ({"code": "H19/45"}, "code"),
    ({"name": ""}, "name"),
    ({"short": "P" * 41}, "short"),
    ({"phone": "2513822222"}, "phone: write one telephone with its area code"),
    ({"phone": "02513822222; 1022"}, "phone: write one telephone"),
    ({"address": "x" * 151}, "address"),
    ({"hours": "giờ hành chính"}, "hours: the hours can't be read; write them as"),
    ({"hours": "11:30-07:30 T2"}, "hours: a span opens before it closes"),
    ({"calendar": "tet"}, "calendar: there is no file calendar/tet.toml"),
    ({"calendar": "../vn"}, "calendar"),
    ({"source": ""}, "source"),
    ({"as_of": "31/02/2026"}, "as_of: there is no such day"),
    ({"aliases": "Phường Trấn Biên"}, "aliases: one of them stands in line 2 too"),
    ({"aliases": "h19.45"}, "aliases: one of them stands in line 2 too"),
]


def test_every_fault_is_said_with_its_row_and_nothing_is_written(
    run, own: Path, tmp_path: Path
) -> None:
    assert run.take(table(tmp_path, {}))[0] == 0
    before = (own / "units" / "units.toml").read_bytes()
    rows = [
        {"code": f"H19.{number}", "aliases": "", **row}
        for number, (row, _) in enumerate(FAULTY, start=50)
    ]
    code, said = run.take(table(tmp_path, {}, *rows, {"aliases": ""}))
    assert code == 1
    for line, (_, says) in enumerate(FAULTY, start=3):
        assert f"line {line}, {says}" in said
    assert f"line {len(FAULTY) + 3}, code: the code stands in line 2 too" in said
    assert f"{len(FAULTY) + 1} fault(s); nothing was written." in said
    for private in ("2513822222", "pydantic"):
        assert private not in said
    assert (own / "units" / "units.toml").read_bytes() == before


def test_a_calendar_of_ones_own_may_be_named(run, own: Path, tmp_path: Path) -> None:
    (own / "calendar").mkdir()
    (own / "calendar" / "ward.toml").write_text(
        'week = ["wed"]\nhours = [["08:00", "11:00"]]\n', "utf-8"
    )
    code, said = run.take(table(tmp_path, {"calendar": "ward"}))
    assert code == 0, said
    installed = configure(own).installation
    assert installed.calendar_of(installed.units.find(UnitRef(code="H19.45"))).name == "ward"


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "lists no units"), ("code,name\nH19.45,x\n", "the heading lacks short, source, as_of")],
)
def test_a_file_that_is_no_such_table_is_refused(
    run, own: Path, tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content, "utf-8")
    code, said = run.take(path)
    assert code == 1
    assert says in said
    assert not (own / "units").exists()


def test_a_workbook_is_taken_as_a_table_is(run, own: Path, tmp_path: Path) -> None:
    book = workbook(tmp_path / "units.xlsx", list(GOOD), list(GOOD.values()))
    code, said = run.take(book)
    assert code == 0, said
    assert configure(own).installation.units.all == {TRAN_BIEN}
    # Excel makes a number of a telephone, and its leading 0 is gone.
    numbers = [2513822222 if name == "phone" else value for name, value in GOOD.items()]
    code, said = run.take(workbook(tmp_path / "units.xlsx", list(GOOD), numbers))
    assert code == 1
    assert "line 2, phone: write one telephone with its area code and its leading 0" in said


def test_a_hand_written_file_has_its_faults_named(own: Path, run) -> None:
    (own / "units").mkdir()
    (own / "units" / "units.toml").write_text(
        '[[unit]]\ncode = "H19.45"\nname = "A"\nshort = "A"\nhours = "cả ngày"\nas_of = "soon"\n',
        "utf-8",
    )
    code, said = run("check")
    assert code == 2
    assert "units.toml: unit.0.hours: the hours can't be read" in said
    assert "units.toml: unit.0.as_of" in said


def test_the_office_s_own_hours_have_to_be_readable(own: Path, run) -> None:
    office.write_config(own, office={"hours": "giờ hành chính"})
    code, said = run("check")
    assert code == 2
    assert "office.hours: the hours can't be read; write them as" in said


def test_what_was_imported_is_what_is_told(
    own: Path, run, tmp_path: Path, monkeypatch, capsys
) -> None:
    assert run.take(table(tmp_path, {}))[0] == 0
    monkeypatch.setenv("NOTIFIER_STORE", f"sqlite:///{tmp_path}/notifier.db")
    asked = ["ask", "gio lam viec phuong tran bien", "--now", "2026-11-24T09:00:00+07:00"]
    monkeypatch.setattr(sys, "argv", ["notifier", "--config", str(own), *asked])
    with pytest.raises(SystemExit, match="0"):
        main()
    said = capsys.readouterr().out
    assert "thu Hai den thu Sau; 07:30-11:30 thu Bay." in said
    assert "Hom nay nghi (Ngay Van hoa Viet Nam), lam viec lai 25/11/2026." in said
    assert "so 1 duong Hung Vuong" in said


PLAIN = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@example('"\\', "\x7f", "", "")
@given(PLAIN, PLAIN, st.sampled_from(["", "07:30-11:30 T2, T4"]), st.sampled_from(["", "a; b"]))
def test_what_is_written_is_read_back(name: str, address: str, hours: str, aliases: str) -> None:
    cells = {**GOOD, "name": name, "address": address, "hours": hours, "aliases": aliases}
    units, faults = read_units([Row(2, cells)], "table", Files(None))
    assert faults == []
    read = UnitsFile.model_validate(tomllib.loads(written(units)))
    assert [row.unit() for row in read.unit] == units
