"""The numbered SQL files of an engine, and those that a store still lacks."""

from __future__ import annotations

from importlib.resources import files

from notifier.errors import StoreError


def migrations(package: str) -> dict[int, str]:
    """The SQL files in ``migrations/`` of ``package``, by number."""
    folder = files(package) / "migrations"
    return {
        int(entry.name.partition("_")[0]): entry.read_text()
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    }


def lacking(package: str, version: int, store: str) -> list[tuple[int, str]]:
    """What brings ``store`` from ``version`` to the newest; raises ``StoreError`` above that."""
    scripts = migrations(package)
    newest = max(scripts)
    if version > newest:
        raise StoreError(
            f"the store {store} is of version {version}, and this program knows versions up to "
            f"{newest}. Install the newer program."
        )
    return [(number, scripts[number]) for number in range(version + 1, newest + 1)]
