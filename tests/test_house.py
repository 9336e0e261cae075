"""The rules of the house that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.main

from notifier.cli.table import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SKIPPED = re.compile(r"\.(venv|git|hypothesis|\w+_cache)$|^(__pycache__|node_modules|var|dist)$")
TEXTS = {".py", ".md", ".toml", ".j2", ".txt", ".sql", ".html", ".css", ".js", ".csv", ".tsv", ""}


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every text of the project, without what tools make."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if not SKIPPED.search(path.name):
                yield from files(path)
        elif path.suffix in TEXTS and path != Path(__file__):
            yield path


def lines_with(pattern: str) -> list[str]:
    """Where the pattern stands."""
    found = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if found.search(line)
    ]


def test_the_files_are_found():
    assert {"notifier/ports.py", "config/notifier.toml", "Makefile", ".ci/run"} <= {
        path.relative_to(ROOT).as_posix() for path in files()
    }


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![\w.])/(work|root|home|Users|mnt)/",
        r"[A-Z]:\\\\?(Users|work)",
        r"\.\./shared",
    ],
)
def test_no_file_names_a_place_on_somebody_s_machine(pattern):
    assert lines_with(pattern) == []


def test_the_locks_name_no_registry():
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert locks
    for lock in locks:
        assert "://" not in lock.read_text()
        assert "--index-url" not in lock.read_text()


# ------------------------------------------------------------------------------------ the command


def commands(command, name: str) -> Iterator[tuple[str, object]]:
    """Every command and group, by the words that call it."""
    yield name, command
    for word, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {word}")


COMMANDS = dict(commands(typer.main.get_command(app), "notifier"))


def test_the_commands_are_found():
    assert {"notifier serve", "notifier ask", "notifier broadcast approve"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_is_for(name):
    command = COMMANDS[name]
    assert (command.help or "").strip().endswith(".")
    for option in command.params:
        if option.param_type_name == "option":
            shown = getattr(option, "help", None)
            assert shown or option.name in {"help", "limit"}, f"{name} {option.name}"


# --------------------------------------------------------------------------------------- the pages

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)\s]*)?\)")
CALL = re.compile(
    r"(?:^|`|&& |[$] |/)notifier ((?:--config \S+ )?)([a-z]+)(?: ([a-z]+))?", re.MULTILINE
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_only_what_there_is(page):
    text = page.read_text(encoding="utf-8")
    missing = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert missing == []
    for _, word, further in CALL.findall(text):
        assert f"notifier {word}" in COMMANDS
        if hasattr(COMMANDS[f"notifier {word}"], "commands") and further:
            assert f"notifier {word} {further}" in COMMANDS


@pytest.mark.parametrize(
    "name", [name for name, command in COMMANDS.items() if not hasattr(command, "commands")]
)
def test_the_readme_lists_every_command(name):
    *group, last = name.split()
    line = re.compile(rf"^\| `{' '.join(group)} .*\b{last}\b", re.MULTILINE)
    assert line.search((ROOT / "README.md").read_text(encoding="utf-8"))
