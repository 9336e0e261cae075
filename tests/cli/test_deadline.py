"""``notifier deadline``, and what ``timeline`` says of the source's due date."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from notifier.bootstrap.core import Core, configure
from notifier.cli import main, running
from notifier.clock import FixedClock
from notifier.domain import instant
from notifier.domain.event import DossierEvent, EventType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

CODE = "H19.45-261230-0001"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in this process, with a configuration and a store of its own."""
    (tmp_path / "calendar").mkdir()
    (tmp_path / "units").mkdir()
    (tmp_path / "notifier.toml").write_text("")
    (tmp_path / "calendar" / "eight.toml").write_text('base = "vn"\nday_length = "8h"\n')
    (tmp_path / "units" / "units.toml").write_text(
        '[[unit]]\ncode = "H19.45"\nname = "UBND"\nshort = "P"\ncalendar = "eight"\n'
    )
    monkeypatch.setenv("NOTIFIER_CONFIG", str(tmp_path))
    monkeypatch.setenv("NOTIFIER_STORE", f"sqlite:///{tmp_path}/notifier.db")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["notifier", *arguments])
        capsys.readouterr()
        try:
            main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return int(code or 0), said.out, said.err

    return call


def rows(run: Run, *arguments: str) -> dict[str, Any]:
    code, out, _ = run("deadline", *arguments, "--json")
    assert code == 0
    [line] = out.splitlines()
    row: dict[str, Any] = json.loads(line)
    return row


def test_days_for_a_program(run: Run) -> None:
    now = "2026-12-02T09:00"
    assert rows(run, "--received", "2026-11-20T10:00", "--limit", "5d", "--now", now) == {
        "received": "2026-11-20T10:00:00+07:00",
        "limit": "5d",
        "calendar": "vn",
        "due": "2026-11-30T17:00:00+07:00",
        "warn_by": "2026-11-27T17:00:00+07:00",
        "counted": ["2026-11-23", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-30"],
        "left_out": [
            {"date": "2026-11-20", "kind": "receipt", "why": "ngày tiếp nhận"},
            {"date": "2026-11-21", "kind": "weekend", "why": "ngày nghỉ hằng tuần (thứ Bảy)"},
            {"date": "2026-11-22", "kind": "weekend", "why": "ngày nghỉ hằng tuần (Chủ nhật)"},
            {"date": "2026-11-24", "kind": "off", "why": "Ngày Văn hóa Việt Nam"},
            {"date": "2026-11-28", "kind": "weekend", "why": "ngày nghỉ hằng tuần (thứ Bảy)"},
            {"date": "2026-11-29", "kind": "weekend", "why": "ngày nghỉ hằng tuần (Chủ nhật)"},
        ],
        "provisional": [],
        "now": "2026-12-02T09:00:00+07:00",
        "late": True,
        "days_left": 0,
        "days_late": 2,
    }


def test_hours_for_a_program(run: Run) -> None:
    row = rows(run, "--received", "2026-11-20T16:00+07:00", "--limit", "8h")
    assert row["due"] == "2026-11-23T16:30:00+07:00"
    assert row["counted"] == [
        {"from": "2026-11-20T16:00:00+07:00", "to": "2026-11-20T17:00:00+07:00"},
        {"from": "2026-11-23T07:30:00+07:00", "to": "2026-11-23T11:30:00+07:00"},
        {"from": "2026-11-23T13:30:00+07:00", "to": "2026-11-23T16:30:00+07:00"},
    ]


def test_another_zone_and_the_calendar_of_a_unit(run: Run) -> None:
    row = rows(run, "--received", "2026-11-20T09:00Z", "--limit", "8h", "--unit", "H19.45")
    assert (row["calendar"], row["due"]) == ("eight", "2026-11-23T16:00:00+07:00")


def test_without_a_receipt_it_is_received_now(run: Run) -> None:
    row = rows(run, "--limit", "5d", "--now", "2026-11-20T10:00")
    assert (row["received"], row["days_left"]) == ("2026-11-20T10:00:00+07:00", 5)


def test_for_people(run: Run) -> None:
    code, out, err = run(
        "deadline", "--received", "2026-12-30T10:00", "--limit", "5d", "--now", "2027-01-04T08:00"
    )
    assert code == 0
    assert "07/01/2027 17:00" in out
    assert "3 working day(s) left" in out
    assert "Tết Dương lịch" in out
    assert "the days off of 2027 are not announced" in err
    code, _, err = run("deadline", "--received", "2026-11-20T10:00", "--limit", "5d")
    assert "announced" not in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--limit", "5w"), "5w is no limit"),
        (("--limit", "5d", "--received", "yesterday"), "yesterday is not a moment"),
        (("--limit", "5d", "--unit", "H19.99"), "no unit H19.99"),
        (("--received", "2026-11-20T10:00"), "--limit"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...], says: str) -> None:
    code, out, err = run("deadline", *arguments)
    assert (code, out) == (2, "")
    assert says in err


async def _pushed(**carried: Any) -> None:
    opened = Core(configure(None, gateways=False), FixedClock(instant.read_iso("2026-12-30T10:05")))
    await opened.store.open()
    received = instant.read_iso("2026-12-30T10:00")
    event = DossierEvent(
        id="1", source="urn:test", type=EventType.RECEIVED, code=CODE, code_raw=CODE,
        time=received, carried={"status": 2, "received_at": received, **carried},
    )  # fmt: skip
    await opened.ingest([event])
    await opened.store.close()


@pytest.mark.parametrize(
    ("carried", "differs"),
    [
        ({"due_at": "2027-01-07T17:00", "limit": "5d"}, False),
        ({"due_at": "2027-01-06T17:00", "limit": "5d"}, True),
        ({"limit": "5d"}, None),
    ],
)
def test_the_timeline_says_whether_the_dates_agree(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    carried: dict[str, Any], differs: bool | None,
) -> None:  # fmt: skip
    monkeypatch.setenv("NOTIFIER_CONFIG", str(tmp_path))
    said = {name: instant.read_iso(v) if name == "due_at" else v for name, v in carried.items()}
    running.run(_pushed(**said))
    code, out, _ = run("timeline", CODE, "--json")
    assert code == 0
    check = json.loads(out)["check"]
    assert check["expected_due"] == "2027-01-07T17:00:00+07:00"
    assert (check["differs"], check["provisional"]) == (differs, [2027])
    _, shown, _ = run("timeline", CODE)
    assert ("differs from the source's 2027-01-06T17:00:00+07:00" in shown) is bool(differs)
    assert "provisional, the days off of 2027 are not announced" in shown


def test_without_a_limit_the_timeline_checks_nothing(run: Run) -> None:
    running.run(_pushed(due_at=instant.read_iso("2027-01-06T17:00")))
    _, out, _ = run("timeline", CODE, "--json")
    assert json.loads(out)["check"] is None
