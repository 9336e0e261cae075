from __future__ import annotations

import os
import re
import tomllib
from datetime import date, time
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from notifier import shipped
from notifier.bootstrap.core import Configuration, configure
from notifier.domain import code_reader
from notifier.domain.calendar import DayKind
from notifier.domain.dossier import Facts, UnitRef
from notifier.domain.instant import DAY, HOUR, MINUTE, SECOND
from notifier.domain.message import Address
from notifier.domain.rules import DueRule, TransitionRule
from notifier.domain.status import DeadlineClock
from notifier.errors import ConfigurationError
from notifier.settings import PushSource, Settings, read_clock, read_duration

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.domain.code_form import CodeForm

SHIPPED = shipped.folder("config") / "notifier.toml"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("NOTIFIER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A configuration folder, still empty."""
    folder = tmp_path / "config"
    folder.mkdir()
    return folder


def write(own: Path, **files: str) -> Path:
    """Files named ``notifier_toml`` or ``units__units_toml``."""
    for name, text in files.items():
        path = own / re.sub(r"_(toml|csv)$", r".\1", name.replace("__", "/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return own


def configured(own: Path, **files: str) -> Configuration:
    return configure(write(own, **files))


def faults(own: Path, **files: str) -> dict[str, str]:
    """What is wrong, by file and key as they are printed."""
    with pytest.raises(ConfigurationError) as caught:
        configured(own, **files)
    found: dict[str, str] = {}
    for fault in caught.value.faults:
        where = f"{fault.file.removeprefix(f'{own}/')}: {fault.key}"
        found[where] = f"{found.get(where, '')} {fault.problem}".strip()
    return found


# ------------------------------------------------------------------------------ the shipped folder


def test_the_shipped_folder_is_sound(tmp_path: Path) -> None:
    shipped_one = configure()
    assert shipped_one.folder is None
    assert shipped_one.installation.rules.rules
    assert shipped_one.installation.calendars.keys() == {"vn"}
    empty = tmp_path / "empty"
    empty.mkdir()
    assert configure(empty).settings == shipped_one.settings


def names_of(model: type[BaseModel], before: str = "") -> set[str]:
    """Every setting of the code, as ``table.key``."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= names_of(field.annotation, f"{name}.")
        else:
            found.add(before + name)
    return found


NAMED_BY_OFFICES = {"routes", "gateways", "sources"}


def test_the_shipped_source_names_every_setting_of_its_kind_with_its_default() -> None:
    written = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))["sources"]["exchange"]
    assert written.keys() == PushSource.model_fields.keys()
    assert PushSource.model_validate(written) == PushSource(kind="http")


def test_the_shipped_file_names_every_setting_with_the_default_of_the_code() -> None:
    tables = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    written = {
        f"{name}.{key}" if isinstance(value, dict) and name not in NAMED_BY_OFFICES else name
        for name, value in tables.items()
        for key in (value if isinstance(value, dict) and value else [""])
    }
    assert written == names_of(Settings)
    assert not any(tables["routes"].values())
    assert not tables["gateways"]
    del tables["routes"], tables["gateways"], tables["sources"]
    assert Settings(**tables) == Settings()


def test_every_setting_of_the_shipped_file_has_a_comment() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if re.match(r"\w+ = ", line)
        and not (before.startswith("#") or re.match(r"\w+ = ", before))
        and line.split(" = ")[0] not in {"sms", "telegram"}  # the comment stands at [routes]
    ]
    assert bare == []


def test_no_secret_is_shipped() -> None:
    assert configure().settings.events.secret == ""
    for path in shipped.folder("config").rglob("*.toml"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := re.match(r'#?\s*(\w*(?:secret|token|password|key))\s*=\s*"(.+)"', line):
                assert found[2].startswith(("env:", "file:")), f"{path.name}: {found[1]}"


# -------------------------------------------------------------------------------------- a folder


def test_a_folder_needs_only_what_differs(own: Path) -> None:
    found = configured(own, notifier_toml='[office]\nshort = "TTPVHCC Dong Nai"\n').settings
    assert found.office.short == "TTPVHCC Dong Nai"
    assert found.office.hotline == Settings().office.hotline
    assert found.web == Settings().web


def test_a_file_of_ones_own_replaces_the_shipped_one_of_its_name(own: Path) -> None:
    found = configured(
        own,
        rules_toml="""
            [[rule]]
            notice = "received"
            family = "received"
            on = "status"
            entering = [2]
            still = [2, 4]
            best_before = "36h"

            [[rule]]
            notice = "due_soon"
            family = "reminder"
            on = "due"
            before = 2
            at = "09:15"
            still = [4]
            lane = "deadline"
            best_before = "due"
        """,
        units__units_toml="""
            [[unit]]
            code = "H19.45"
            name = "UBND phường Trấn Biên"
            short = "P.Tran Bien"
            calendar = "saturdays"
        """,
        calendar__saturdays_toml="""
            week = ["mon", "tue", "wed", "thu", "fri", "sat"]
            hours = [["07:00", "11:30"]]
            [[day]]
            kind = "off"
            name = "Nghỉ"
            dates = [2026-11-24]
        """,
    ).installation
    received, due_soon = found.rules.rules
    assert isinstance(received, TransitionRule)
    assert received.best_before == 36 * HOUR
    assert isinstance(due_soon, DueRule)
    assert (due_soon.working_days_before, due_soon.clock) == (2, time(9, 15))
    assert due_soon.best_before is None
    calendar = found.calendar_of(found.units.find(UnitRef(code="H19.45")))
    assert calendar.is_working(date(2026, 11, 28))
    assert calendar.exceptions == {date(2026, 11, 24): DayKind.OFF}
    assert found.calendar_of(found.units.find(None)).name == "vn"  # the shipped one is there too
    assert len(found.statuses.by_number) == 10  # and so are the other files


def test_the_environment_wins(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_STORE", "sqlite:///elsewhere.db")
    monkeypatch.setenv("NOTIFIER_WEB__PORT", "9090")
    monkeypatch.setenv("NOTIFIER_OFFICE__LEVEL1", '["H19", "H10"]')
    monkeypatch.setenv("NOTIFIER_TICKS__REMIND", "1m")
    found = configured(own, notifier_toml='store = "sqlite:///here.db"\n[web]\nport = 7070\n')
    assert found.settings.store_path.name == "elsewhere.db"
    assert found.settings.web.port == 9090
    assert found.settings.web.host == "127.0.0.1"
    assert found.settings.office.level1 == {"H19", "H10"}
    assert found.settings.ticks.remind == MINUTE


def test_the_folder_may_be_named_by_the_environment(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(own, notifier_toml="[web]\nport = 7070\n")
    monkeypatch.setenv("NOTIFIER_CONFIG", str(own))
    assert configure().settings.web.port == 7070


def test_secrets_come_from_the_environment_and_from_files(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_SECRET", "whsec_fromenv")
    assert (
        configured(
            own, notifier_toml='[events]\nsecret = "env:EVENTS_SECRET"\n'
        ).settings.events.secret
        == "whsec_fromenv"
    )
    (tmp_path / "secret").write_text("whsec_fromfile\n")
    assert (
        configured(
            own, notifier_toml=f'[events]\nsecret = "file:{tmp_path}/secret"\n'
        ).settings.events.secret
        == "whsec_fromfile"
    )
    monkeypatch.setenv("NOTIFIER_EVENTS__SECRET", "env:EVENTS_SECRET")
    assert configured(own).settings.events.secret == "whsec_fromenv"


def test_secrets_of_gateways_are_resolved_however_deep(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "sixteen-letters-or-more")
    found = configured(
        own,
        notifier_toml="""
            [gateways.sim]
            kind = "simulator"
            secret = "env:TOKEN"
        """,
    )
    assert found.settings.gateways["sim"]["secret"] == "sixteen-letters-or-more"


# -------------------------------------------------------------------------------------- the faults


def test_every_fault_of_every_file_at_once(own: Path) -> None:
    found = faults(
        own,
        notifier_toml="""
            stor = "sqlite:///x.db"
            [web]
            port = 70000
            hots = "0.0.0.0"
            [hours]
            notices = ["7:00", "22:00"]
            [ticks]
            remind = 15
        """,
        rules_toml="""
            [[rule]]
            notice = "received"
            family = "received"
            on = "status"
            still = [2]
            best_before = "soon"
            [[rule]]
            notice = "Late!"
            family = "apology"
            on = "due"
            still = []
            best_before = "1d"
        """,
        statuses_toml='[[status]]\nnumber = 1\nclock = "stands"\nvi = ""\n',
        keywords_toml='[[intent]]\nname = "GUESS"\n',
        units__units_toml='[[unit]]\ncode = "H19.45"\nname = "A"\n',
        units__provinces_csv="code,name,valid_to,successor\nXX,A,,\nH19,B,tomorrow,\nH20,C,,,,\n",
        calendar__vn_toml='week = ["mon", "fun"]\nhours = []\n',
    )
    assert found.keys() == {
        "notifier.toml: stor",
        "notifier.toml: web.port",
        "notifier.toml: web.hots",
        "notifier.toml: hours.notices.0",
        "notifier.toml: ticks.remind",
        "rules.toml: rule.0.best_before",
        "rules.toml: rule.1.notice",
        "rules.toml: rule.1.still",
        "statuses.toml: status",  # which is empty without the one that can't be used
        "statuses.toml: status.0.clock",
        "statuses.toml: status.0.vi",
        "statuses.toml: status.0.en",
        "keywords.toml: intent.0.name",
        "units/units.toml: unit.0.short",
        "units/provinces.csv: line 2, code",
        "units/provinces.csv: line 3, valid_to",
        "units/provinces.csv: line 4, columns too many",
        "calendar/vn.toml: week.1",
        "calendar/vn.toml: hours",
    }
    assert all(problem.endswith(".") for problem in found.values())
    assert not any("pydantic" in problem for problem in found.values())


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('on = "status"\nbest_before = "1d"', "needs `entering`"),
        ('on = "due"\nbest_before = "1d"', "either `before` or `after`"),
        ('on = "due"\nbefore = 1\nafter = "1m"\nbest_before = "1d"', "either `before` or `after`"),
        ('on = "due"\nafter = "1m"\nbest_before = "due"', 'best_before = "due"'),
        ('on = "status"\nentering = [2]\nbest_before = "due"', 'best_before = "due"'),
        ('on = "state"\nbest_before = "1d"', "needs `after`"),
        ('on = "state"\nafter = ["2d", "1d"]\nbest_before = "1d"', "grow"),
        ('on = "due"\nafter = ["1d", "2d"]\nbest_before = "1d"', "several spans"),
        ('on = "due"\nbefore = 1\nwait = "1s"\nbest_before = "1d"', "can have `wait`"),
        ('on = "status"\nentering = [2]\nowed = false\nbest_before = "1d"', "can have `owed`"),
    ],
)
def test_a_rule_that_makes_no_sense(own: Path, rule: str, said: str) -> None:
    text = f'[[rule]]\nnotice = "a"\nfamily = "a"\nstill = [2]\n{rule}\n'
    [(key, problem)] = faults(own, rules_toml=text).items()
    assert key == "rules.toml: rule.0"
    assert said in problem


def test_who_is_warned(own: Path) -> None:
    found = configured(
        own,
        notifier_toml="""
            [warn]
            leads = ["3d", "2h"]
            daily = "08:15"
            escalate = ["6h"]
            staff = ["sms:0912 000 801"]
        """,
        units__units_toml="""
            [[unit]]
            code = "H19.45"
            name = "UBND phường Trấn Biên"
            short = "P.Tran Bien"
            leaders = ["email:chu-tich@example.vn", "telegram:77"]
        """,
    ).installation
    policy = found.warnings
    assert (policy.days, policy.hours, policy.escalate) == ((3,), (2 * HOUR,), (6 * HOUR,))
    assert (policy.daily, policy.leaders) == (time(8, 15), ())
    unit = found.units.find(UnitRef(code="H19.45"))
    assert policy.staff_of(unit) == (Address("sms", "+84912000801"),)
    assert unit.leaders == (Address("email", "chu-tich@example.vn"), Address("telegram", "77"))


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ('[warn]\nleads = ["2w"]', "warn.leads.0", "working time"),
        ('[warn]\nescalate = ["2d"]', "warn.escalate.0", "working hours"),
        ('[warn]\nstaff = ["0912000801"]', "warn.staff.0", "channel:value"),
        ('[warn]\nstaff = ["sms:02513000000"]', "warn.staff.0", "no SMS can reach"),
        ("store =", "", "is not TOML"),
        ('store = "mysql://x"', "store", "write a store as"),
        ("[sms]\ntarget_segments = 0", "sms.target_segments", "greater than or equal to 1"),
        ("[sms]\naccents = true", "sms.accents", "'strip' or 'keep'"),
        ('[office]\nlevel1 = ["H1"]', "office.level1.0", "pattern"),
        ('[office]\ncalendar = "tet"', "office.calendar", "no usable file calendar/tet.toml"),
        ('[log]\nlevel = "loud"', "log.level", "'debug', 'info'"),
        ('[hours]\nnotices = ["22:00", "07:00"]', "hours.notices", "opens before it closes"),
        ('[hours]\nbroadcasts = ["07:00", "07:00"]', "hours.broadcasts", "opens before it closes"),
        ('[events]\nsecret = "env:NOT_SET_ANYWHERE"', "events.secret", "NOT_SET_ANYWHERE is not"),
        ('[events]\nsecret = "file:/does/not/exist"', "events.secret", "/does/not/exist can't"),
        ("gateways = 3", "gateways", "dictionary"),
        ("[gateways]\nx = 3", "gateways.x", "dictionary"),
        ("[gateways.x]\n", "gateways.x.kind", "no gateway of kind None"),
        ('[gateways.x]\nkind = "fax"', "gateways.x.kind", "no gateway of kind 'fax'"),
        ('[gateways.x]\nkind = "simulator"\nsecret = "env:NOT_SET"', "gateways.x.secret",
         "NOT_SET is not set"),
        ('[routes]\nsms = ["nobody"]', "routes.sms", "no table [gateways.nobody]"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_file_and_key(own: Path, text: str, key: str, said: str) -> None:
    found = faults(own, notifier_toml=text)
    assert f"notifier.toml: {key}" in found
    assert said in found[f"notifier.toml: {key}"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NOTIFIER_WEB__PORT", "many"),
        ("NOTIFIER_WEB__PROT", "8080"),
        ("NOTIFIER_TICKS__REMIND", "15"),
        ("NOTIFIER_OFFICE__LEVEL1", "H19"),  # a list is written as JSON
        ("NOTIFIER_STORE", "x"),
    ],
)
def test_a_fault_of_the_environment_is_named_by_its_variable(
    own: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    [key] = faults(own)
    assert key.startswith("environment: ")
    assert variable in key


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere: there is no such folder"):
        configure(tmp_path / "nowhere")


def test_a_file_that_is_no_text(own: Path) -> None:
    write(own, units__provinces_csv="")
    for name in ("rules.toml", "units/provinces.csv"):
        (own / name).write_bytes(b"code,name\n\xff\xfe,\xff\n")
    assert {key.partition(":")[0] for key in faults(own)} == {"rules.toml", "units/provinces.csv"}


def test_a_fault_never_repeats_a_secret(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "very-secret")
    found = faults(
        own,
        notifier_toml="""
            [gateways.x]
            kind = "simulator"
            secret = "env:TOKEN"
            nonsense = "env:TOKEN"
            [events]
            secret = ["very-secret"]
        """,
    )
    assert found
    assert "very-secret" not in str(found)


# ------------------------------------------------------------------------------------- the values


@pytest.mark.parametrize(
    ("text", "span"),
    [("30s", 30 * SECOND), ("15m", 15 * MINUTE), ("8h", 8 * HOUR), ("3d", 3 * DAY), ("1 d", DAY)],
)
def test_a_duration(text: str, span: int) -> None:
    assert read_duration(text) == span


@pytest.mark.parametrize("value", ["", "5", "m", "1.5h", "-1m", "5 weeks", "5M", 5, None, True])
def test_what_is_no_duration(value: Any) -> None:
    with pytest.raises(ValueError, match="write a duration"):
        read_duration(value)


def test_a_time_of_day() -> None:
    assert read_clock("08:30") == time(8, 30)


@pytest.mark.parametrize("value", ["8:30", "24:00", "08:60", "08:30:00", "", 8, None])
def test_what_is_no_time_of_day(value: Any) -> None:
    with pytest.raises(ValueError, match="write a time of day"):
        read_clock(value)


# ---------------------------------------------------------------------- older forms of codes

OURS = """
    [[form]]
    name = "ours"
    what = "Mã tự đặt"
    pattern = 'MC-[0-9]{7}'
    example = "MC-0012345"
"""


def forms(own: Path, *names: str, **files: str) -> tuple[CodeForm, ...]:
    switched_on = f"[codes]\nlegacy = [{', '.join(map(repr, names))}]\n"
    return configured(own, notifier_toml=switched_on, **files).installation.legacy_codes


def test_older_forms_are_off_until_they_are_named(own: Path) -> None:
    assert configured(own).installation.legacy_codes == ()
    eleven, eight = forms(own, "receipt_11", "access_8")
    assert eleven.pattern.search("SO 00673810079")
    assert not eight.pattern.search("SO 00673810079")


def test_forms_of_ones_own_stand_beside_the_shipped_ones(own: Path) -> None:
    mine, shipped_one = forms(own, "ours", "hs_year", codes_toml=OURS)
    assert mine.pattern.search("MC 0012345")
    assert shipped_one.pattern.search("HS-2025-001234")
    [changed] = forms(own, "hs_year", codes_toml=OURS.replace('"ours"', '"hs_year"'))
    assert changed == mine


def test_every_shipped_form_reads_its_example(own: Path) -> None:
    written = tomllib.loads((shipped.folder("config") / "codes.toml").read_text("utf-8"))["form"]
    assert len(written) >= 5
    read = forms(own, *(form["name"] for form in written))
    for form, switched_on in zip(written, read, strict=True):
        for legacy in (read, [switched_on]):
            text = f"so {form['example'].lower()} den dau roi"
            [only] = code_reader.read(text, today=date(2026, 11, 22), legacy=legacy)
            assert only.text == form["example"]


def test_every_fault_of_the_forms_at_once(own: Path) -> None:
    def form(name: str, pattern: str, example: str) -> str:
        return (
            f"[[form]]\nname = '{name}'\nwhat = 'Mã'\npattern = '{pattern}'\n"
            f"example = '{example}'\n"
        )

    found = faults(
        own,
        notifier_toml='[codes]\nlegacy = ["hs_year"]\n[web]\nhots = "x"\n',
        codes_toml=form("Ours", "HS-[0-9]{6}", "HS-001234")
        + form("broken", "HS-[0-9", "HS-1")
        + form("slow", "([0-9]+)+", "1")
        + form("phones", "0[0-9]{9}", "0912345678")
        + form("other", "HS-[0-9]{6}", "BN-001234")
        + form("long_phones", "84[0-9]{9}", "84912345678"),
    )
    assert found.keys() == {
        "notifier.toml: web.hots",
        "codes.toml: form.0.name",
        "codes.toml: form.1.pattern",
        "codes.toml: form.2.pattern",
        "codes.toml: form.3.pattern",
        "codes.toml: form.4",
        "codes.toml: form.5",
    }
    assert "10 digits" in found["codes.toml: form.3.pattern"]
    assert "does not fit the pattern" in found["codes.toml: form.4"]
    assert "telephone" in found["codes.toml: form.5"]
    assert all(problem.endswith(".") for problem in found.values())


def test_a_form_that_is_not_there_and_one_that_is_there_twice(own: Path) -> None:
    found = faults(
        own, notifier_toml='[codes]\nlegacy = ["hs_year", "none_such"]\n', codes_toml=OURS + OURS
    )
    assert found.keys() == {"notifier.toml: codes.legacy.1", "codes.toml: form.1.name"}
    assert "ours" in found["notifier.toml: codes.legacy.1"]


def test_procedures_whose_states_do_something_else(own: Path) -> None:
    statuses = configured(
        own,
        clocks_toml="""
            [[clock]]
            procedures = ["1.009994"]
            fields = ["Đất đai"]
            states = { 6 = "runs" }
            source = "Nghị định"
        """,
    ).installation.statuses
    assert statuses.clock(6, Facts(procedure_code="1.009994")) is DeadlineClock.RUNS
    assert statuses.clock(6, Facts(procedure_field="đất  đai")) is DeadlineClock.RUNS
    assert statuses.clock(6, Facts(procedure_code="1.009995")) is DeadlineClock.PAUSES


def test_faults_of_the_clocks(own: Path) -> None:
    found = faults(
        own,
        clocks_toml="""
            [[clock]]
            states = { 6 = "runs" }
            source = "Nghị định"
            [[clock]]
            procedures = ["land"]
            states = { 6 = "flies" }
            source = ""
        """,
    )
    assert found.keys() == {
        "clocks.toml: clock.0",
        "clocks.toml: clock.1.procedures.0",
        "clocks.toml: clock.1.states.6",
        "clocks.toml: clock.1.source",
    }
    unknown = 'clock = [{procedures = ["1.009994"], states = {77 = "runs"}, source = "x"}]'
    assert faults(own, clocks_toml=unknown) == {
        "clocks.toml: clock.0.states.77": "statuses.toml has no status 77."
    }
