"""``notifier import``: everything good is taken, everything bad is named and kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import exchange_samples as samples
import pytest
from workbooks import workbook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]

CODE = "H19.45-261118-0007"


@pytest.fixture
def notifier(tmp_path: Path) -> Run:
    """The real command, on a store of its own and the shipped configuration."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("NOTIFIER_")}
    clean |= {"NOTIFIER_STORE": f"sqlite:///{tmp_path}/notifier.db", "COLUMNS": "200"}

    def run(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "notifier", *words],
            env=clean,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran

    return run


def dossiers(notifier: Run) -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in notifier("dossiers", "--json").stdout.splitlines()]
    return {row["code"]: {key: row[key] for key in ("status", "due", "phone")} for row in rows}


def test_the_sample_ends_as_it_has_to_and_again(notifier: Run) -> None:
    ran = notifier("import", samples.FILE, "--source", "exchange", "--now", "2026-11-22T09:00")
    assert ran.stdout == ""
    assert "693 record(s): 544 stored, 144 known already, 5 kept for a person" in ran.stderr
    assert "line 48, record 9: /TrangThaiHoSo: " in ran.stderr
    assert dossiers(notifier) == samples.EXPECTED
    again = notifier("import", samples.FILE, "--source", "exchange", "--now", "2026-11-23T09:00")
    assert "693 record(s): 688 known already" in again.stderr.replace("0 stored, ", "")
    assert dossiers(notifier) == samples.EXPECTED
    assert len(notifier("quarantine", "list", "--json").stdout.splitlines()) == 5
    assert notifier("outbox", "list", "--json").stdout == ""


def test_a_bad_line_is_named_and_costs_no_good_one(notifier: Run, tmp_path: Path) -> None:
    file = tmp_path / "pushes.ndjson"
    good = json.dumps({"MaHoSo": CODE, "TrangThaiHoSo": 2, "SoDienThoai": "0912000001"})
    bad = json.dumps({"MaHoSo": CODE, "NgayHenTra": "hôm qua"})
    file.write_text(f"{good}\n{{broken\n\n{bad}\n[{good.replace('0007', '0008')}]\n")
    ran = notifier("import", file, "--source", "exchange", code=1)
    assert "line 2: it is not JSON" in ran.stderr
    assert "line 4: /NgayHenTra: it is not a date" in ran.stderr
    assert "2 stored, 2 could not be read, and are kept" in ran.stderr
    assert "0912" not in ran.stderr
    assert list(dossiers(notifier)) == [CODE, CODE.replace("0007", "0008")]


HEADING = "Mã hồ sơ;TRANG THAI;Ngày hẹn trả;Số điện thoại;Thời điểm cập nhật;Cột khác"
EXPECTED = {CODE: {"status": 4, "due": "2030-12-02T17:00:00+07:00", "phone": "+84912000001"}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_csv(notifier: Run, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "table.csv"
    lines = [
        HEADING,
        f"{CODE};Đang xử lý;02/12/2030;0912 000 001;20/11/2026 09:00;x",
        f"{CODE};Đã tiếp nhận;01/12/2030;;19/11/2026 09:00;x",
        f"{CODE};Lạ;01/12/2030;;21/11/2026 09:00;x",
        ";Đang xử lý;;;;",
        f"{CODE};4;31/11/2030;;;",
        f"{CODE};4;;;;;thừa",
    ]
    file.write_text("\n".join(lines) + "\n", encoding=encoding)
    ran = notifier("import", file, "--source", "table", "--now", "2026-11-22T09:00", code=1)
    assert dossiers(notifier) == EXPECTED
    assert "6 record(s): 2 stored, 1 kept for a person to look at, 3 could not" in ran.stderr
    for line in ("line 4: /Trạng thái: ", "line 5: /Mã hồ sơ: ", "line 6: /Ngày hẹn trả: ",
                 "line 7: the line has more cells"):  # fmt: skip
        assert line in ran.stderr


def test_a_workbook(notifier: Run, tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "table.xlsx",
        HEADING.split(";"),
        [CODE, "Đang xử lý", "2030-12-02", 912000001.0, "20/11/2026 09:00"],
        [CODE, 2.0, "2030-12-01", "", "19/11/2026 09:00"],
    )
    notifier("import", file, "--source", "table")
    assert dossiers(notifier) == EXPECTED


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "Ma;Trang thai\nx;4\n", 'no column "Mã hồ sơ"'),
        ("a.ndjson", "", "is empty"),
        ("a.xlsx", "no workbook", "can't be read"),
        ("none.json", None, "can't be read"),
    ],
)
def test_a_file_that_is_none(
    notifier: Run, tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert words in notifier("import", tmp_path / name, "--source", "table", code=1).stderr


def test_a_source_that_is_none(notifier: Run) -> None:
    ran = notifier("import", samples.FILE, "--source", "exchang", code=2)
    assert "there are exchange, table" in ran.stderr
