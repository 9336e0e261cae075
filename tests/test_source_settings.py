"""The sources' tables and maps: what the page shows can be used, and every fault is named."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import office
import pytest

from notifier.bootstrap.core import configure
from notifier.errors import ConfigurationError
from notifier.shipped import folder as shipped

PAGE = Path(__file__).parents[1] / "docs" / "sources.md"
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SECRETS = ("LGSP_SECRET", "REST_SECRET", "NATS_PASSWORD")


def test_what_the_page_shows_is_a_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inbox").mkdir()
    for name in SECRETS:
        monkeypatch.setenv(name, "a secret")
    tables: dict[str, Any] = {}
    for block in BLOCKS:
        tables |= tomllib.loads(block)["sources"]
    config = office.write_config(tmp_path / "config", sources=tables)
    assert set(configure(config).readers) == {*tables, "exchange", "table"}
    assert {"lgsp", "rest", "drop", "bus"} == set(tables)


def test_every_key_of_a_map_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    text = (shipped("config") / "sources" / "exchange.toml").read_text(encoding="utf-8")
    for key, value in tomllib.loads(text).items():
        assert f"`[{key}]`" in page if isinstance(value, dict) else f"`{key}`" in page


def faults(tmp_path: Path, tables: dict[str, Any], maps: dict[str, str] | None = None) -> str:
    config = office.write_config(tmp_path / "config", sources=tables)
    (config / "sources").mkdir(exist_ok=True)
    for name, text in (maps or {}).items():
        (config / "sources" / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        configure(config)
    return str(raised.value)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "pigeon"}, "'file', 'http', 'folder', 'jetstream'"),
        ({"kind": "http", "map": "exchange", "auth": "bearer"}, "needs a secret"),
        ({"kind": "http", "map": "exchange", "auth": "basic", "secret": "x"}, "needs a user"),
        ({"kind": "http", "map": "exchange", "secret": "short"}, "sources.ours.secret"),
        ({"kind": "http", "map": "exchange", "secret": "env:NOT_SET"}, "NOT_SET is not set"),
        ({"kind": "http"}, "there is no file sources/ours.toml"),
        ({"kind": "file", "map": "../exchange"}, "sources.ours"),
        ({"kind": "folder", "map": "exchange", "path": "not/there"}, "is not there"),
        ({"kind": "jetstream", "map": "exchange", "stream": "a.b"}, "stream"),
        ({"kind": "file", "map": "exchange", "more": 1}, "there is no such setting"),
    ],
)
def test_a_table_that_can_not_be_used(tmp_path, table, said):
    assert said in faults(tmp_path, {"ours": table})


GOOD = (
    'date_formats = ["iso"]\n[fields]\ncode = "MaHoSo"\nstatus = "TrangThai"\n[statuses]\n1 = 1\n'
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"iso"', '"yyyyMMdd"', "date_formats"),
        ('"iso"', '"%H:%M"', "date_formats"),
        ('["iso"]', "[]", "date_formats"),
        ('code = "MaHoSo"', "", "which field is the code"),
        ("[statuses]\n1 = 1", "", "what each state is"),
        ("1 = 1", "11 = 77", "77 is not in statuses.toml"),
        ('status = "TrangThai"', 'statos = "TrangThai"', "statos"),
        ("[fields]", "[fields", "it is not TOML"),
    ],
)
def test_a_map_that_can_not_be_used(tmp_path, old, new, said):
    assert old in GOOD
    text = faults(tmp_path, {"ours": {"kind": "file"}}, {"ours": GOOD.replace(old, new)})
    assert said in text
    assert "ours.toml" in text


def test_every_fault_of_every_source_is_reported_together(tmp_path):
    text = faults(
        tmp_path,
        {"a": {"kind": "file"}, "b": {"kind": "folder", "map": "exchange", "path": "not/there"}},
        {"c": ""},
    )
    assert "sources/a.toml" in text
    assert "sources.b.path" in text


def test_a_map_of_our_own_replaces_the_shipped_one(tmp_path):
    config = office.write_config(tmp_path / "config")
    (config / "sources").mkdir()
    shutil.copy(shipped("config") / "sources" / "table.toml", config / "sources" / "exchange.toml")
    reader: Any = configure(config).readers["exchange"]
    assert reader.lacking(["MaHoSo"]) == "Mã hồ sơ"
