"""Peers of the tests that are written for node: installed once, kept in a cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_NODE = "NOTIFIER_TESTS_WITHOUT_NODE"
NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
INSTALL_SECONDS = 120


def installed(package: Path) -> Path:
    """A folder with the files of ``package`` and the modules that its lock names.

    Without node the test fails and says what to install, or is skipped where
    NOTIFIER_TESTS_WITHOUT_NODE=1 says that nothing else is expected.
    """
    if os.environ.get(WITHOUT_NODE) == "1":
        pytest.skip(f"{WITHOUT_NODE}=1: peers written for node are left out")
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.fail(
            f"This test needs {' and '.join(missing)}: install the packages nodejs and npm, or "
            f"set {WITHOUT_NODE}=1 to leave it out.",
            pytrace=False,
        )
    kept = _cache() / f"{package.name}-{_fingerprint(package)}"
    if not kept.is_dir():
        _install(package, kept)
    return kept


def _cache() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    folder = Path(named) / "motcua-notifier-tests" if named else ROOT / ".cache" / "node"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    return folder


def _fingerprint(package: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(package.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _install(package: Path, kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as draft:
        folder = Path(draft) / package.name
        shutil.copytree(package, folder)
        try:
            done = subprocess.run(  # noqa: S603 - the words stand above
                NPM_CI,
                cwd=folder,
                capture_output=True,
                check=False,
                text=True,
                timeout=INSTALL_SECONDS,
            )
            problem = done.stderr.strip() if done.returncode else ""
        except subprocess.TimeoutExpired:
            problem = f"it did not end within {INSTALL_SECONDS} seconds"
        if problem:
            pytest.fail(
                f"npm ci can't install {package.name}: {problem}\nIt needs a registry, or a filled "
                f"npm cache; set {WITHOUT_NODE}=1 to leave this test out.",
                pytrace=False,
            )
        try:
            folder.rename(kept)
        except OSError:
            if not kept.is_dir():  # another run of the tests was first
                raise
