"""Calendar files: what they say, one built on another, and every fault with its file and key."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from notifier import settings
from notifier.calendar_files import load_calendars
from notifier.domain import limit, working_time
from notifier.domain.instant import at, iso

if TYPE_CHECKING:
    from notifier.domain.calendar import WorkingCalendar

OPERATING = Path(__file__).parents[1] / "docs" / "operating.md"


def loaded(folder: Path, **texts: str) -> tuple[dict[str, WorkingCalendar], dict[str, str]]:
    """The calendars, and what is wrong by file and key."""
    (folder / "calendar").mkdir()
    for name, text in texts.items():
        (folder / "calendar" / f"{name}.toml").write_text(text, encoding="utf-8")
    files = settings.Files(folder)
    found = load_calendars(files)
    return found, {f"{Path(one.file).name}: {one.key}": one.problem for one in files.faults}


def sound(folder: Path, **texts: str) -> WorkingCalendar:
    found, faults = loaded(folder, **texts)
    assert faults == {}
    return found["own"]


SIMPLE = 'week = ["mon"]\nhours = [["08:00", "11:00"]]\n'


def test_the_example_of_the_page(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(base = .*?)```", OPERATING.read_text("utf-8"), re.DOTALL)
    own = sound(tmp_path, own=example)
    assert own.is_working(date(2026, 11, 27))
    assert own.spans(date(2026, 11, 27)) == ((time(7, 30), time(11, 30)),)
    assert own.spans(date(2026, 11, 20))[-1] == (time(13, 30), time(16, 30))  # a Friday
    assert own.spans(date(2026, 11, 24)) == ((time(8), time(11)),)  # off in the base
    assert own.is_reception(date(2026, 11, 28))
    assert not own.is_working(date(2026, 11, 28))
    assert own.spans(date(2026, 7, 3))[0] == (time(7), time(11, 30))
    assert not own.is_working(date(2026, 9, 2))
    assert own.provisional(date(2026, 1, 1), date(2027, 1, 1)) == (2027,)
    ends = working_time.due_of(at(date(2026, 11, 18), time(10, 23)), limit.read("8h"), own)
    assert iso(ends) == "2026-11-19T10:23:00+07:00"


def test_what_is_left_out_is_as_in_the_base(tmp_path: Path) -> None:
    found, faults = loaded(
        tmp_path,
        own='base = "middle"\nprovisional = []\n',
        middle='base = "vn"\nweek = ["mon", "tue", "wed", "thu"]\n'
        '[weekday]\nsat = [["08:00", "10:00"]]\n',
        late='base = "middle"\nhours = [["09:00", "12:00"]]\n',
    )
    assert faults == {}
    assert found["own"].week == {0, 1, 2, 3}
    assert found["own"].exceptions == found["vn"].exceptions
    assert found["own"].hours == found["vn"].hours
    assert found["own"].is_reception(date(2026, 11, 28))
    assert found["own"].provisional_years == frozenset()
    assert found["middle"].provisional_years == {2027}
    assert not found["late"].is_reception(date(2026, 11, 28))


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("", "", "it needs `week` and `hours`, or `base`"),
        ('week = ["mon"]\n', "", "it needs `week` and `hours`"),
        ('week = []\nhours = [["08:00", "11:00"]]\n', "week", "at least 1 item"),
        ('week = ["mon"]\nhours = []\n', "hours", "at least 1 item"),
        ('week = ["mon"]\nhours = [["11:00", "08:00"]]\n', "hours", "opens before it closes"),
        ('week = ["mon"]\nhours = [["08:00", "12:00"], ["11:00", "17:00"]]\n', "hours", "overlap"),
        (SIMPLE + 'day_length = "0h"\n', "day_length", "how long a whole day counts"),
        (SIMPLE + 'day_length = "25h"\n', "day_length", "how long a whole day counts"),
        (SIMPLE + '[weekday]\nsun = [["11:00", "08:00"]]\n', "weekday.sun", "opens before"),
        ('base = "tet"\n', "base", "no file calendar/tet.toml to build on"),
        ('base = "own"\n', "base", "it builds on itself (own on own)"),
        (SIMPLE + '[[day]]\nkind = "half"\nname = "x"\ndates = []\n', "day.0", "which half"),
        (
            SIMPLE + '[[day]]\nkind = "off"\nhalf = "morning"\nname = "x"\ndates = []\n',
            "day.0", "a day off has no hours",
        ),
        (
            SIMPLE + '[[day]]\nkind = "work"\nhalf = "morning"\nname = "x"\ndates = []\n',
            "day.0", 'has kind = "half"',
        ),
        (
            SIMPLE + '[[day]]\nkind = "half"\nhalf = "afternoon"\nname = "x"\n'
            "dates = [2026-11-23]\n",
            "day", "2026-11-23 has no hours in the afternoon",
        ),
        (
            SIMPLE + '[[day]]\nkind = "off"\nname = "x"\ndates = [2026-11-23]\n'
            '[[day]]\nkind = "work"\nname = "y"\ndates = [2026-11-23]\n',
            "day.0.dates", "2026-11-23 stands there 2 times",
        ),
        (
            SIMPLE + '[[season]]\nname = "x"\nfirst = 2026-05-01\nlast = 2026-04-01\n'
            'hours = [["08:00", "11:00"]]\n',
            "season.0", "ends before it begins",
        ),
        (
            SIMPLE + '[[season]]\nname = "x"\nfirst = 2026-05-01\nlast = 2026-08-01\n'
            'hours = [["08:00", "11:00"]]\n[[season]]\nname = "y"\nfirst = 2026-04-01\n'
            'last = 2026-05-01\nhours = [["08:00", "11:00"]]\n',
            "season.0.first", '"x" begins before "y" has ended',
        ),
    ],
)  # fmt: skip
def test_a_fault_has_its_file_and_key(tmp_path: Path, text: str, key: str, says: str) -> None:
    found, faults = loaded(tmp_path, own=text)
    assert list(faults) == [f"own.toml: {key}"]
    assert says in faults[f"own.toml: {key}"]
    assert found.keys() == {"vn"}


def test_the_faults_of_all_files_at_once(tmp_path: Path) -> None:
    found, faults = loaded(
        tmp_path,
        a='base = "b"\n',
        b='base = "a"\n',
        c='week = ["fun"]\nhours = [["8", "9"]]\n',
        d="week = [",
        own='base = "c"\n',  # what it builds on is at fault, which is said once
    )
    assert faults.keys() == {
        "a.toml: base", "b.toml: base", "c.toml: week.0", "c.toml: hours.0.0", "c.toml: hours.0.1",
        "c.toml: hours",  # which is empty without the one that can't be read
        "d.toml: ",
    }  # fmt: skip
    assert found.keys() == {"vn"}
