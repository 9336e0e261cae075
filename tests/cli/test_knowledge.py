"""``notifier knowledge``: an office's table is taken as a whole or not at all."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import office
import pytest
from workbooks import workbook

from notifier.bootstrap.core import configure
from notifier.cli import main
from notifier.knowledge_files import COLUMNS, csv_rows, read_procedures, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = {
    "code": "1.001193",
    "name": "Đăng ký  khai sinh",
    "also": "giấy khai sinh",
    "papers": "Tờ khai đăng ký khai sinh; Giấy chứng sinh",
    "limit": "5d",
    "fee": "8000",
    "source": "Quyết định số 12/QĐ-UBND",
    "as_of": "2026-11-01",
}


def table(folder: Path, *rows: dict[str, str], mark: str = ",", encoding: str = "utf-8") -> Path:
    """A CSV of an office; each row is GOOD with changes."""
    path = folder / "procedures-of-ours.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=mark)
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

    def run(*words: str | Path, config: bool = True) -> tuple[int, str]:
        named = ["--config", str(own)] if config else []
        monkeypatch.setattr(sys, "argv", ["notifier", *named, "knowledge", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        assert said.out == ""
        return code, said.err

    return run


def test_a_table_is_taken_into_the_folder(run, own: Path, tmp_path: Path) -> None:
    marriage = {"code": "1.000894", "name": "Đăng ký kết hôn", "also": ""}
    code, said = run("import", table(tmp_path, {}, marriage))
    assert code == 0, said
    assert "2 procedures" in said
    known = configure(own).installation.knowledge
    found = known.procedure("lam giay khai sinh")
    assert found is not None
    assert found.name == "Đăng ký khai sinh"
    assert found.papers == ("Tờ khai đăng ký khai sinh", "Giấy chứng sinh")
    assert [path.name for path in (own / "knowledge").iterdir()] == ["procedures.csv"]
    assert "2 procedure(s), 0 topic(s)" in run("check")[1]


@pytest.mark.parametrize(
    ("mark", "encoding"), [(",", "utf-8-sig"), (";", "utf-8"), (";", "utf-8-sig")]
)
def test_a_table_may_be_saved_as_excel_saves_csv(
    run, own: Path, tmp_path: Path, mark: str, encoding: str
) -> None:
    code, said = run("import", table(tmp_path, {}, mark=mark, encoding=encoding))
    assert code == 0, said
    assert len(configure(own).installation.knowledge.procedures) == 1


def test_every_fault_is_said_with_its_row_and_nothing_is_written(
    run, own: Path, tmp_path: Path
) -> None:
    assert run("import", table(tmp_path, {}))[0] == 0
    before = (own / "knowledge" / "procedures.csv").read_bytes()
    code, said = run(
        "import",
        table(
            tmp_path,
            {},
            {"code": "H19.45", "fee": "free"},
            {"code": "1.000894", "limit": "soon"},
            {"code": "1.000895", "source": ""},
            {"code": "1.000896", "as_of": "31/02/2026"},
            {},
        ),
    )
    assert code == 1
    for where in ("line 3, code", "line 3, fee", "line 4, limit", "line 5, source",
                  "line 6, as_of", "line 7, code: the code stands in line 2 too"):  # fmt: skip
        assert where in said
    assert "6 fault(s); nothing was written." in said
    assert (own / "knowledge" / "procedures.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "lists no procedures"),
        (b"code,name\n1.001193,x\n", "the heading lacks source, as_of"),
        ("code\nĐ".encode("cp1258", "ignore") + b"\xd0\xff", "is not UTF-8"),
    ],
    ids=["empty", "heading", "not UTF-8"],
)
def test_a_file_that_is_no_such_table_is_refused(
    run, own: Path, tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    code, said = run("import", path)
    assert code == 1
    assert says in said
    assert not (own / "knowledge").exists()


def test_a_file_that_is_not_there_is_exit_1(run, tmp_path: Path) -> None:
    code, said = run("import", tmp_path / "none.csv")
    assert code == 1
    assert "none.csv can't be read" in said


def test_without_a_folder_of_ones_own_there_is_nowhere_to_write(run, tmp_path: Path) -> None:
    code, said = run("import", table(tmp_path, {}), config=False)
    assert code == 1
    assert "--config" in said


def test_check_names_faults_of_the_folder(run, own: Path) -> None:
    (own / "knowledge").mkdir()
    (own / "knowledge" / "procedures.csv").write_text("code,name,source,as_of\n1,x,,\n", "utf-8")
    (own / "knowledge" / "topics.toml").write_text(
        '[[topic]]\nname = "post"\nintents = ["NO_SUCH"]\nphrases = ["(a"]\n', "utf-8"
    )
    code, said = run("check")
    assert code == 2
    for where in ("procedures.csv: line 2, code", "procedures.csv: line 2, source",
                  "topics.toml: topic.0.intents", "topics.toml: topic.0.vi"):  # fmt: skip
        assert where in said


def test_check_names_procedures_that_share_a_title(run, tmp_path: Path) -> None:
    marriage = {"code": "1.000895", "name": "Đăng ký kết hôn", "also": ""}
    run("import", table(tmp_path, {}, {"code": "1.000894"}, marriage))
    _, said = run("check")
    assert "1.001193, 1.000894" in said
    assert "1.000895" not in said.split("apart")[1]


def test_topics_are_read(own: Path) -> None:
    (own / "knowledge").mkdir()
    (own / "knowledge" / "topics.toml").write_text(
        """
        [[topic]]
        name = "post"
        intents = ["RESULT_DELIVERY"]
        phrases = ["bưu điện"]
        vi = { short = "Tại quầy.", long = "Ông/Bà đến quầy." }
        en = { short = "At the desk.", long = "Come to the desk." }
        source = "Quy chế"
        as_of = 2026-11-01
        """,
        "utf-8",
    )
    installed = configure(own).installation
    [topic] = installed.knowledge.topics
    words = "gui buu dien"
    for compound, word in installed.keywords.compounds.items():
        words = words.replace(compound, word)
    assert installed.knowledge.topic(next(iter(topic.intents)), words) == topic


def test_the_samples_that_are_shipped_would_be_taken() -> None:
    """They stand in comments; with the marks taken away they are sound."""
    from notifier import shipped

    path = shipped.folder("config") / "knowledge" / "procedures.csv"
    lines = path.read_text("utf-8").splitlines()
    samples = [line.removeprefix("# ") for line in lines if line.startswith("# 1.")]
    procedures, faults = read_procedures(csv_rows("\n".join([lines[-1], *samples])), "samples")
    assert faults == []
    assert len(procedures) == len(samples) >= 3


def test_the_sample_topics_that_are_shipped_would_be_taken(own: Path) -> None:
    from notifier import shipped

    text = (shipped.folder("config") / "knowledge" / "topics.toml").read_text("utf-8")
    begin = text.index("# [[topic]]")
    samples = text[begin:].replace("topic = []", "").replace("\n# ", "\n").replace("\n#\n", "\n\n")
    (own / "knowledge").mkdir()
    (own / "knowledge" / "topics.toml").write_text(samples.removeprefix("# "), "utf-8")
    assert len(configure(own).installation.knowledge.topics) >= 5


@pytest.mark.parametrize(
    ("column", "typed", "meant"),
    [
        ("limit", "", ""),
        ("limit", "5 ngày làm việc", "5d"),
        ("limit", "15 ngày", "15cd"),
        ("limit", "4h", "4h"),
        ("fee", "", ""),
        ("fee", "0", "0"),
        ("fee", "8.000đ", "8000"),
        ("fee", "1.250.000 đồng", "1250000"),
        ("as_of", "1/11/2026", "2026-11-01"),
        ("as_of", "2026-11-01 00:00:00", "2026-11-01"),
        ("papers", "- Tờ khai;\n- Giấy chứng sinh;", "Tờ khai; Giấy chứng sinh"),
    ],
)
def test_a_cell_may_be_written_as_people_write(column: str, typed: str, meant: str) -> None:
    from notifier.knowledge_files import Row

    procedures, faults = read_procedures([Row(2, {**GOOD, column: typed})], "table")
    assert faults == []
    [row] = csv_rows(written(procedures))
    assert row.cells[column] == meant
    assert read_procedures([row], "table") == (procedures, [])


# ------------------------------------------------------------------------------------------- Excel


def test_a_workbook_is_taken_as_a_table_is(run, own: Path, tmp_path: Path) -> None:
    book = workbook(
        tmp_path / "procedures.xlsx",
        ["code", "name", "fee", "limit", "source", "as_of"],
        [1.00119, "Đăng ký khai sinh", 8000, "5d", "QĐ 12", "01/11/2026"],
    )
    code, said = run("import", book)
    assert code == 0, said
    [procedure] = configure(own).installation.knowledge.procedures
    assert (procedure.code, procedure.fee) == ("1.001190", 8_000)
    code, said = run("import", workbook(tmp_path / "bad.xlsx", ["code", "name", "source", "as_of"],
                                        ["1.001193", "", "QĐ", "01/11/2026"]))  # fmt: skip
    assert code == 1
    assert "line 2, name" in said


def test_what_is_no_workbook_is_refused(run, tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"no workbook")
    code, said = run("import", path)
    assert code == 1
    assert "Excel can't be read here" in said or "broken.xlsx can't be read" in said
