"""Where the shipped templates and configuration lie: in the wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder ``templates`` or ``config``; a checkout's live one comes before the wheel's."""
    live = _HERE.parent / name
    if (_HERE.parent / "pyproject.toml").exists() and live.is_dir():
        return live
    return _HERE / "_shipped" / name
