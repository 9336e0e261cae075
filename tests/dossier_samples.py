"""Dossiers, their events and the shipped installation, for the tests of rules and of words."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from notifier import installation as installation_files
from notifier import settings
from notifier.domain import instant
from notifier.domain.dossier import Dossier, apply
from notifier.domain.event import DEFAULT_STATUS, DossierEvent, EventType

if TYPE_CHECKING:
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant

CODE = "H10.19-250703-0001"
OWNER = "+84912000001"
STRANGER = "+84912000002"


@cache
def installation() -> Installation:
    """What the shipped configuration says."""
    files = settings.Files(None)
    read = settings.load(files)
    assert read is not None
    loaded = installation_files.load(files, read)
    assert loaded is not None, files.faults
    return loaded


def at(text: str) -> Instant:
    """The instant of a Vietnamese wall clock, ``2026-11-20 17:00``."""
    return instant.read_iso(text)


def event(
    type_: str, when: str | Instant, *, id_: str = "", code: str = CODE, **carried: Any
) -> DossierEvent:
    """An event as a source hands it over: with the status that its type means."""
    kind = EventType(type_)
    time = at(when) if isinstance(when, str) else when
    if "status" not in carried and DEFAULT_STATUS[kind] is not None:
        carried["status"] = DEFAULT_STATUS[kind]
    return DossierEvent(
        id=id_ or f"{type_}@{time}",
        source="one-stop",
        type=kind,
        code=code,
        code_raw=code,
        time=time,
        carried=carried,
    )


def dossier(*events: DossierEvent, first_seen: str | Instant | None = None) -> Dossier:
    """The dossier after ``events``, first seen at the time of the first unless said otherwise."""
    now = at(first_seen) if isinstance(first_seen, str) else first_seen
    found: Dossier | None = None
    for one in events:
        found = apply(found, one, now=events[0].time if now is None else now)
    assert found is not None
    return found
