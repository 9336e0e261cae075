"""The wheel: what lies in it, and that the command works from its files alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Standard output; a failure shows all that was said."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("NOTIFIER_", "PYTHON"))}  # fmt: skip
    ran = subprocess.run(  # noqa: S603 - our own words
        command, cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_nothing_but_two_packages_lies_at_the_top(names):
    tops = {name.split("/")[0] for name in names}
    [about] = [top for top in tops if top.endswith(".dist-info")]
    assert re.fullmatch(r"motcua_notifier-\d+\.\d+\.\d+\.dist-info", about)
    assert tops - {about} == {"notifier", "gateways"}


@pytest.mark.parametrize("folder", ["templates", "config"])
def test_every_shipped_file_is_inside(names, folder):
    live = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    assert live
    inside = {name.removeprefix("notifier/_shipped/") for name in names
              if name.startswith(f"notifier/_shipped/{folder}/")}  # fmt: skip
    assert inside == live


def test_every_module_and_migration_is_inside(names):
    code = {path.relative_to(ROOT).as_posix() for package in ("notifier", "gateways")
            for kind in ("*.py", "*.sql") for path in (ROOT / package).rglob(kind)}  # fmt: skip
    assert code <= names


def test_nothing_of_the_workshop_is_inside(names):
    stray = re.compile(r"(^|/)(tests?|docs|bench|__pycache__)/|\.(pyc|db|keys|lock)$")
    assert [name for name in names if stray.search(name)] == []


def test_the_command_works_from_the_wheel_alone(wheel, tmp_path):
    here = tmp_path / "environment"
    venv.create(here, with_pip=False, symlinks=True)
    run(sys.executable, "-m", "pip", "--python", here, "install", "--quiet", "--no-deps",
        "--no-index", "--disable-pip-version-check", wheel, cwd=tmp_path)  # fmt: skip
    [packages] = here.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")

    store = f"sqlite:///{tmp_path}/notifier.db"
    shipped = run(
        here / "bin" / "python",
        "-c",
        "from notifier.shipped import folder; print(folder('config'), folder('templates'))",
        cwd=tmp_path,
    )
    assert shipped.split() == [
        str(packages / "notifier" / "_shipped" / folder) for folder in ("config", "templates")
    ]
    command = here / "bin" / "notifier"
    run(command, "config", "check", cwd=tmp_path, NOTIFIER_STORE=store)
    texts = run(command, "templates", "check", "--json", cwd=tmp_path, NOTIFIER_STORE=store)
    assert '"template": "vi/sms/received"' in texts
    answer = run(command, "ask", "HD", cwd=tmp_path, NOTIFIER_STORE=store)
    assert "Tra cuu" in answer
