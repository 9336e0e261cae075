"""The command ``notifier``: what it prints where, and what it exits with."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import office
import pytest
import structlog

from notifier.bootstrap.core import Core, configure
from notifier.cli import main
from notifier.clock import SystemClock
from notifier.sources import cloudevents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENTENCE = re.compile(r"^[^\n]{20,}$", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal:
    """A person at a shell; commands run in this process, as ``python -m notifier`` would."""

    def __init__(self, folder: Path, monkeypatch, capsys) -> None:
        self.store = folder / "notifier.db"
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: str, typed: str = "", code: int = 0) -> Ran:
        self._monkeypatch.setattr(sys, "argv", ["notifier", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        self._capsys.readouterr()
        try:
            main()
            ended = 0
        except SystemExit as end:
            ended = end.code or 0
        said = self._capsys.readouterr()
        ran = Ran(ended, said.out, said.err)
        assert ran.code == code, ran
        assert "Traceback" not in ran.err
        # A connection that stays open would keep the process from ending.
        assert [thread.name for thread in threading.enumerate() if not thread.daemon] == [
            "MainThread"
        ]
        return ran

    def rows(self, sql: str):
        with closing(sqlite3.connect(self.store)) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def terminal(tmp_path, monkeypatch, capsys) -> Iterator[Terminal]:
    monkeypatch.setenv("NOTIFIER_STORE", f"sqlite:///{tmp_path}/notifier.db")
    monkeypatch.setenv("NOTIFIER_USER", "An")
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.delenv("NOTIFIER_CONFIG", raising=False)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield Terminal(tmp_path, monkeypatch, capsys)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def filled(terminal) -> Terminal:
    """Two dossiers, one of them late and without a number that takes SMS."""
    asyncio.run(fill([
        office.event(due_at="2030-12-02T17:00:00+07:00"),
        office.event(
            code="H19.45-261118-0008",
            applicant={"name": office.NAME, "phone": "none"},
            due_at="2020-12-02T17:00:00+07:00",
        ),
    ]))  # fmt: skip
    return terminal


async def fill(events) -> None:
    core = Core(configure(), SystemClock())
    await core.store.open()
    try:
        now = core.clock.civil()
        await core.ingest([cloudevents.read_item(event, now) for event in events])
    finally:
        await core.store.close()


# ------------------------------------------------------------------------------------ exit codes


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("serve", "--fast"),
        ("ask",),
        ("outbox", "list", "--limit", "none"),
        ("outbox", "list", "--limit", "0"),
        ("outbox", "list", "--state", "gone"),
        ("outbox", "show"),
        ("dossiers", "--now", "yesterday"),
        ("ask", "HD", "--now", "2026-13-01"),
        ("ask", "HD", "--from", "0912000345"),
        ("ask", "HD", "--from", "sms:"),
        ("send", "nobody", "Xin chao"),
        ("broadcast", "new", "list.csv"),
        ("--config",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2_with_a_sentence(terminal, arguments):
    ran = terminal.run(*arguments, code=2)
    assert ran.out == ""
    assert SENTENCE.search(ran.err)
    assert "0912000345" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("outbox", "show", "no-such-message"),
        ("outbox", "cancel", "no-such-message"),
        ("timeline", "no-such-dossier"),
        ("broadcast", "preview", "no-such-broadcast"),
        ("broadcast", "status", "no-such-broadcast"),
        ("broadcast", "approve", "no-such-broadcast"),
        ("broadcast", "start", "no-such-broadcast"),
        ("broadcast", "start", "no-such-broadcast", "--watch"),
        ("broadcast", "new", "no-such-list.csv", "--text", "Xin chao"),
        ("broadcast", "new", "list.csv", "--text-file", "no-such-text.txt"),
    ],
    ids=" ".join,
)
def test_what_can_not_be_done_is_exit_1_with_a_sentence(terminal, arguments):
    ran = terminal.run(*arguments, code=1)
    assert ran.out == ""
    assert SENTENCE.search(ran.err)
    assert "no-such" in ran.err


def test_a_store_that_can_not_be_opened_is_exit_1_and_names_the_way_out(
    terminal, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NOTIFIER_STORE", f"sqlite:///{tmp_path}/file/notifier.db")
    ran = terminal.run("dossiers", code=2)
    assert "key file can't be used" in ran.err


def test_a_store_of_another_program_is_refused(terminal):
    terminal.store.write_bytes(b"this is no database" * 100)
    ran = terminal.run("dossiers", code=1)
    assert "NOTIFIER_STORE" in ran.err


# --------------------------------------------------------------------------------- configuration


def three_faults(folder: Path) -> Path:
    """A configuration with two faults in one file and one in another."""
    office.write_config(folder, web={"port": 99999}, sms={"accent": "strip"})
    (folder / "rules.toml").write_text('[[rule]]\nnotice = "Received!"\n')
    return folder


@pytest.mark.parametrize(
    "arguments",
    [("--config", "{}", "config", "check"), ("config", "check", "--config", "{}"),
     ("config", "--config={}", "check"), ("dossiers", "--config", "{}", "--json")],
    ids=["before", "behind", "between", "before an option"],
)  # fmt: skip
def test_every_fault_of_every_file_is_named_wherever_the_option_stands(
    terminal, tmp_path, arguments
):
    folder = three_faults(tmp_path / "config")
    ran = terminal.run(*(argument.format(folder) for argument in arguments), code=2)
    assert ran.out == ""
    assert "notifier.toml: web.port: " in ran.err
    assert "notifier.toml: sms.accent: there is no such setting" in ran.err
    assert "rules.toml: rule.0.notice: " in ran.err


def test_the_configuration_may_be_named_by_the_environment(terminal, tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFIER_CONFIG", str(three_faults(tmp_path / "config")))
    assert "web.port" in terminal.run("config", "check", code=2).err


def test_a_fault_in_the_environment_is_named_as_it_is_written_there(terminal, monkeypatch):
    monkeypatch.setenv("NOTIFIER_WEB__PORT", "many")
    assert "NOTIFIER_WEB__PORT" in terminal.run("config", "check", code=2).err


def test_a_folder_that_is_not_there_is_a_fault(terminal, tmp_path):
    ran = terminal.run("--config", str(tmp_path / "nowhere"), "dossiers", code=2)
    assert "there is no such folder" in ran.err


def test_the_shipped_configuration_and_texts_are_sound(terminal):
    assert "sound" in terminal.run("config", "check").err
    rows = terminal.run("templates", "check", "--json").rows
    assert {row["fault"] for row in rows} == {""}
    assert {row["template"].split("/")[0] for row in rows} == {"vi", "en"}
    assert "0 at fault" in terminal.run("templates", "check").err


def test_a_template_at_fault_is_named_and_exit_1(terminal, tmp_path):
    folder = office.write_config(tmp_path / "config")
    (folder / "templates" / "vi" / "sms").mkdir(parents=True)
    (folder / "templates" / "vi" / "sms" / "received.j2").write_text("{{ nonsense }}")
    rows = terminal.run("--config", str(folder), "templates", "check", "--json", code=1).rows
    assert [row["template"] for row in rows if row["fault"]] == ["vi/sms/received"]


def test_keys_are_made_beside_the_store_for_their_owner_only(terminal, tmp_path):
    terminal.run("dossiers")
    assert (tmp_path / "notifier.db.keys").stat().st_mode & 0o777 == 0o600
    assert terminal.store.stat().st_mode & 0o077 == 0


# -------------------------------------------------------------------------------------------- ask


def test_each_line_of_questions_has_one_line_of_answer(filled):
    lines = [
        json.dumps({"text": f"HS {office.CODE}", "from": f"sms:{office.PHONE}"}),
        "no json",
        json.dumps({"text": "HD"}),
        "",
        json.dumps({"from": f"sms:{office.PHONE}"}),
        json.dumps({"text": "HD", "from": "0912000345"}),
        json.dumps({"text": f"HS {office.CODE}", "from": "telegram:12345"}),
    ]
    ran = filled.run("ask", "-", typed="\n".join(lines), code=1)
    assert [row.get("intent", "error") for row in ran.rows] == [
        "STATUS", "error", "HELP", "error", "error", "STATUS",
    ]  # fmt: skip
    assert [row["disclosure"] for row in ran.rows if row.get("codes")] == ["L1", "L0"]
    assert "3 lines" in ran.err


OLDER = {
    "bn 00673810079": "00673810079",
    "XNC 13557009": "13557009",
    "bhxh 03706 2026.07906 den dau roi": "03706/2026/07906",
    "tdm-ncc-2026-00412": "TDM-NCC-2026-00412",
    "hs 2025 001234": "HS-2025-001234",
    # of a person, or a day
    "bn 0912345678": None,
    "goi 028 38221234": None,
    "02513822222": None,
    "bn 001085012345": None,
    "mst 0312345678-001": None,
    "sinh ngay 15081985": None,
}
FORMS = ["receipt_11", "access_8", "social_insurance", "office_field_year", "hs_year"]


def test_older_codes_are_read_where_they_are_switched_on(terminal, tmp_path):
    folder = office.write_config(
        tmp_path / "own", codes={"legacy": FORMS}, office={"level1": ["H19"]}
    )
    typed = "\n".join(json.dumps({"text": text}) for text in OLDER)
    ran = terminal.run("--config", str(folder), "ask", "-", typed=typed)
    for answered, (text, code) in zip(ran.rows, OLDER.items(), strict=True):
        assert answered["codes"] == ([code] if code else []), text
        if code:
            assert (answered["intent"], answered["disclosure"]) == ("STATUS", "L0")
            assert f"Khong tim thay ho so {code}." in answered["reply"]
        else:
            assert not re.search("[0-9]{5}", answered["reply"].replace(" ", ""))
    for answered, text in zip(terminal.run("ask", "-", typed=typed).rows, OLDER, strict=True):
        assert answered["codes"] == [], text
        assert not re.search("[0-9]{5}", answered["reply"])


def test_an_older_code_finds_its_dossier_however_it_is_typed(terminal, tmp_path):
    folder = office.write_config(tmp_path / "own", codes={"legacy": FORMS})
    asyncio.run(fill([office.event(code="03706 / 2026 / 07906")]))
    for typed in ("03706/2026/07906", "03706 2026 07906", "03706.2026.07906", "03706-2026_07906"):
        ran = terminal.run("--config", str(folder), "ask", f"HS {typed}", "--json")
        assert ran.rows[0]["codes"] == ["03706/2026/07906"]
        assert "da duoc tiep nhan" in ran.rows[0]["reply"]
        assert "received" in terminal.run("--config", str(folder), "timeline", typed).out


@pytest.mark.parametrize("text", ["HD", "TC", f"HS {office.CODE}", f"TC {office.CODE}", "?!", ""])
def test_asking_changes_nothing(filled, text):
    tables = [name for (name,) in filled.rows("SELECT name FROM sqlite_schema WHERE type='table'")]
    counts = [filled.rows(f"SELECT count(*) FROM {table}") for table in tables]
    filled.run("ask", text, "--from", f"sms:{office.PHONE}")
    assert [filled.rows(f"SELECT count(*) FROM {table}") for table in tables] == counts


def test_time_is_what_now_says(filled):
    asked = ("ask", f"HS {office.CODE}", "--from", f"sms:{office.PHONE}", "--json", "--now")
    [before] = filled.run(*asked, "2030-12-02T16:59:00+07:00").rows
    [after] = filled.run(*asked, "2030-12-02T17:01:00+07:00").rows
    assert "qua han" not in before["reply"]
    assert "qua han" in after["reply"]


def test_who_knows_only_the_code_learns_nothing_else(filled):
    asked = ("ask", f"HS {office.CODE}", "--json")
    [row] = filled.run(*asked).rows
    assert row["disclosure"] == "L0"
    assert office.NAME.split()[-1] not in row["reply"]


# ------------------------------------------------------------------------------------------ lists


def test_dossiers_say_what_others_rely_on(filled):
    rows = filled.run("dossiers", "--json", "--now", "2026-11-22T12:00:00+07:00").rows
    assert [
        (row["code"], row["status"], row["due"], row["phone"], row["late"], row["notices"])
        for row in rows
    ] == [
        (office.CODE, 2, "2030-12-02T17:00:00+07:00", office.PHONE, False, ["received"]),
        ("H19.45-261118-0008", 2, "2020-12-02T17:00:00+07:00", None, True, []),
    ]


@pytest.mark.parametrize(
    "arguments", [("outbox", "list"), ("work", "list"), ("dossiers",), ("broadcast", "status")],
    ids=" ".join,
)  # fmt: skip
def test_a_table_for_people_shows_no_number_and_no_name(filled, arguments):
    out = filled.run(*arguments).out
    assert office.CODE[:6] in out or arguments == ("broadcast", "status")
    assert office.NAME not in out
    assert not re.search(r"912[ .]?000[ .]?345", out)


@pytest.mark.parametrize(
    ("options", "count"),
    [((), 1), (("--state", "queued"), 1), (("--state", "failed"), 0),
     (("--dossier", office.CODE), 1), (("--dossier", "H19.45-261118-0008"), 0)],
)  # fmt: skip
def test_the_outbox_is_listed_by_state_and_dossier(filled, options, count):
    assert len(filled.run("outbox", "list", "--json", *options).rows) == count


def test_a_timeline_tells_what_happened_to_one_dossier(filled):
    [row] = filled.run("timeline", office.CODE.lower(), "--json").rows
    assert row["code"] == office.CODE
    assert [event["what"] for event in row["events"]] == ["received", "message: received"]
    assert office.NAME not in filled.run("timeline", office.CODE).out


def test_a_message_is_taken_back_once(filled):
    [row] = filled.run("outbox", "list", "--json").rows
    filled.run("outbox", "cancel", row["id"])
    [shown] = filled.run("outbox", "show", row["id"], "--json").rows
    assert (shown["state"], shown["reason"]) == ("cancelled", "cancelled by An")
    assert "it is cancelled" in filled.run("outbox", "cancel", row["id"], code=1).err


def test_work_is_listed_by_kind_and_settled(filled):
    kinds = {row["kind"] for row in filled.run("work", "list", "--json").rows}
    assert kinds == {"late_before_first_seen", "call"}
    [row] = filled.run("work", "list", "--kind", "call", "--json").rows
    assert "1 of 2" in filled.run("work", "settle", row["key"], "no-such-key").err
    assert filled.run("work", "list", "--kind", "call", "--json").rows == []


@pytest.mark.parametrize(
    ("text", "says"),
    [("sdt\n0912000345\n", "the text is empty"), ("sdt\n", "no rows"), ("ten\nAn\n", "--column"),
     ("sdt\nkhong\n", "nobody who can be written to")],
)  # fmt: skip
def test_a_list_that_can_not_be_used_makes_no_draft(terminal, tmp_path, text, says):
    path = tmp_path / "list.csv"
    path.write_text(text)
    words = " {{ '' }} " if "empty" in says else "Xin chao"
    ran = terminal.run("broadcast", "new", str(path), "--text", words, code=1)
    assert says in ran.err
    assert "0912000345" not in ran.err
    assert terminal.run("broadcast", "status", "--json").rows == []


def test_a_preview_shows_whole_texts_to_masked_people(terminal, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(f"sdt,ten\n{office.PHONE},Hoa\n")
    new = ("broadcast", "new", str(path), "--text", "Kính gửi Ông/Bà {{ ten }}.", "--accents")
    [draft] = terminal.run(*new).rows
    ran = terminal.run("broadcast", "preview", draft["id"])
    assert ran.out.strip() == "Kính gửi Ông/Bà Hoa."
    assert "sms:…345 (1 SMS, " in ran.err


# ------------------------------------------------------------------------------------ as a process


def test_a_reader_that_goes_away_is_no_traceback(terminal):
    asyncio.run(fill([office.event(code=f"H19.45-261118-{n:04}") for n in range(1500)]))
    ran = subprocess.run(  # noqa: S603 - our own words
        [
            "/bin/bash",
            "-c",
            f"set -o pipefail; {sys.executable} -m notifier dossiers --json | head -1",
        ],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["code"] == "H19.45-261118-0000"
    assert ran.stderr == ""


# ------------------------------------------------------------------- what staff decide by hand


def test_what_could_not_be_taken_is_listed_shown_and_dropped(filled) -> None:
    asyncio.run(fill([{**office.event(), "type": "dossier.flown"}]))
    [row] = filled.run("quarantine", "list", "--json").rows
    assert (row["door"], "type" in row["reason"]) == ("events", True)
    assert "dossier.flown" in filled.run("quarantine", "show", str(row["id"])).out
    refused = filled.run("quarantine", "release", str(row["id"]), code=1)
    assert SENTENCE.search(refused.err)
    assert "1 of 1 dropped" in filled.run("quarantine", "drop", str(row["id"])).err
    assert filled.run("quarantine", "list", "--json").rows == []
    assert "there is no item" in filled.run("quarantine", "show", str(row["id"]), code=1).err


def test_what_falls_due_and_what_is_late(filled) -> None:
    """One is due on Monday 2 December 2030; the other has been late for ten years."""
    early = ("--json", "--now", "2030-11-28T09:00:00+07:00")  # a Thursday
    assert filled.run("due", "list", *early).rows == [
        {
            "code": "H19.45-261118-0007",
            "due": "2030-12-02T17:00:00+07:00",
            "status": 2,
            "unit": "UBND phường Bình Phước",
            "unit_code": "H19.45",
            "procedure": None,
        }
    ]
    assert filled.run("due", "list", "--within", "1d", *early).rows == []
    assert filled.run("due", "list", "--within", "20h", *early).rows == []
    assert len(filled.run("due", "list", "--within", "24h", *early).rows) == 1
    assert filled.run("due", "list", "--unit", "H19.46", *early).rows == []
    filled.run("due", "list", "--within", "soon", code=2)
    [late] = filled.run("due", "late", *early).rows
    assert (late["code"], late["apology"], late["debt"]) == ("H19.45-261118-0008", None, True)
    assert filled.run("due", "late", "--debts", "--unit", "H19.45", *early).rows == [late]
    said = filled.run("due", "late", "--now", "2031-01-02T09:00:00+07:00").out
    assert "0007" in said
    assert "0008" in said
    assert office.NAME not in said


def test_resolving_names_messages_or_says_all(filled) -> None:
    filled.run("outbox", "resolve", "--as", "delivered", code=2)
    filled.run("outbox", "resolve", "--all", "some-id", "--as", "delivered", code=2)
    filled.run("outbox", "resolve", "--all", "--as", "gone", code=2)
    done = filled.run("outbox", "resolve", "--all", "--as", "delivered")
    assert "0 of 0 settled" in done.err
    assert filled.run("outbox", "unknown", "--json").rows == []
    [row] = filled.run("outbox", "list", "--json").rows[:1]
    refused = filled.run("outbox", "retry", row["id"], code=1)
    assert "only a failed or expired one" in refused.err


def test_a_backup_brings_everything_back(filled, tmp_path) -> None:
    backup = tmp_path / "backup.db"
    before = filled.run("dossiers", "--json").rows
    assert "keep the keys" in filled.run("backup", str(backup)).err
    assert "there already" in filled.run("backup", str(backup), code=1).err
    assert "--replace" in filled.run("restore", str(backup), code=1).err
    filled.run("restore", str(backup), "--replace")
    assert filled.run("dossiers", "--json").rows == before
    assert "no file" in filled.run("restore", str(tmp_path / "none.db"), code=1).err


def test_a_store_is_copied_into_another_one(filled, tmp_path, monkeypatch) -> None:
    before = filled.run("dossiers", "--json").rows
    target = f"sqlite:///{tmp_path}/copy/notifier.db"
    copied = filled.run("store", "copy", target)
    assert "rows copied and compared" in copied.err
    assert "not empty" in filled.run("store", "copy", target, code=1).err
    filled.run("store", "copy", "mysql://host/database", code=2)
    monkeypatch.setenv("NOTIFIER_STORE", target)
    monkeypatch.setenv("NOTIFIER_KEYS", f"{tmp_path}/notifier.db.keys")
    assert filled.run("dossiers", "--json").rows == before


# ------------------------------------------------------------------------------------- apologies


def test_an_apology_is_written_by_one_and_signed_by_another(filled, tmp_path) -> None:
    """From the list of debts to the letter, as staff do it."""
    [owed] = filled.run("apology", "debts", "--json").rows
    assert (owed["dossier"], owed["draft"]) == ("H19.45-261118-0008", None)

    typed = office.CODE.lower()
    words = ("--reason", "survey", "--words", "đợt hai", "--new-due", "2030-12-09")
    said = filled.run("apology", "draft", typed, *words)
    [made] = said.rows
    assert made["new_due"] == "2030-12-09T17:00:00+07:00"
    assert made["reason"].endswith("; đợt hai")
    assert filled.run("apology", "list", "--state", "drafted", "--json").rows == [made]
    sign = ("apology", "approve", made["id"], "--number", "12/PXL", "--signer", "Trần", "--title")
    assert "another person" in filled.run(*sign, "GIÁM ĐỐC", code=1).err
    assert "not signed" in filled.run("apology", "letter", made["id"], "x.pdf", code=1).err
    [signed] = filled.run(*sign, "GIÁM ĐỐC", "--by", "Minh").rows
    assert (signed["state"], signed["author"], signed["approver"]) == ("sent", "An", "Minh")

    for name, head in (("letter.pdf", b"%PDF-"), ("letter.png", b"\x89PNG")):
        filled.run("apology", "letter", made["id"], str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(head)
    [shown] = filled.run("apology", "show", made["id"], "--json").rows
    assert [act["act"] for act in shown["acts"]] == ["draft", "approve", "send"]
    assert office.NAME not in filled.run("apology", "show", made["id"]).out
    [timeline] = filled.run("timeline", typed, "--json").rows
    told = [event["what"] for event in timeline["events"]]
    for what in ("apology: draft", "apology: approve", "rescheduled", "message: apology"):
        assert what in told
    assert "once" in filled.run("apology", "draft", typed, *words, code=1).err
    assert "second_reappointment" in filled.run("work", "list").out


def test_a_draft_is_rejected_withdrawn_or_never_was(filled) -> None:
    draft = ("apology", "draft", office.CODE, "--new-due", "2030-12-09", "--words", "mất điện")
    [made] = filled.run(*draft).rows
    assert (
        "reject it instead"
        in filled.run("apology", "withdraw", made["id"], "--by", "Minh", code=1).err
    )
    filled.run("apology", "reject", made["id"], "--by", "Minh", "--note", "ngày khác")
    [again] = filled.run(*draft).rows
    [gone] = filled.run("apology", "withdraw", again["id"]).rows
    assert gone["state"] == "withdrawn"
    assert "no working day" in filled.run(*draft[:4], "2030-12-08", *draft[5:], code=1).err
    assert "there is no apology" in filled.run("apology", "show", "none", code=1).err
    assert "apology.toml has" in filled.run(*draft, "--reason", "none", code=1).err


# ------------------------------------------------------------------------------------- report


def test_report_counts_what_is_open(filled):
    ran = filled.run("report", "--by", "unit", "--json", "--now", "2030-01-01T00:00:00+07:00")
    line, total = ran.rows
    assert line["labels"] == ["UBND phường Bình Phước"]
    assert (line["open_in_time"], line["open_late"], total["owed"]) == (1, 1, 1)
    assert total["share"] is None


def test_report_prints_a_table_and_its_definitions(filled):
    ran = filled.run("report", "--by", "level")
    assert "Cấp xã" in ran.out
    assert "Tổng cộng" in ran.out
    assert "Tỷ lệ đúng hẹn =" in ran.out
    assert "Đã giải quyết" in filled.run("report").out


def test_report_writes_files_and_says_where(filled, tmp_path):
    paths = [tmp_path / f"report.{kind}" for kind in ("csv", "xlsx", "svg")]
    ran = filled.run(
        "report", "--by", "month", "--csv", str(paths[0]), "--excel", str(paths[1]), "--svg",
        str(paths[2]), "--rebuild",
    )  # fmt: skip
    assert ran.out == ""
    assert all(f"written to {path}" in ran.err and path.stat().st_size for path in paths)


def test_report_of_a_time_that_has_not_begun_or_is_no_time_is_refused(filled):
    assert "is not a day" in filled.run("report", "--from", "1/11/2026", code=2).err
    assert "ends before it begins" in filled.run("report", "--from", "2099-01-01", code=2).err
    later = filled.run("report", "--from", "2026-01-02", "--to", "2026-01-01", code=2)
    assert "ends before it begins" in later.err


def test_a_digest_is_printed(filled):
    ran = filled.run("report", "--digest", "month", "--now", "2026-12-05T08:00:00+07:00")
    assert ran.out.startswith("Tình hình hẹn trả kết quả tháng 11/2026")
