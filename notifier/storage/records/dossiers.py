"""Dossiers, their events and their due moments, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifier.domain import phone
from notifier.domain.deadline import Moment
from notifier.storage.packing import pack, pack_dossier, unpack_dossier
from notifier.storage.records.base import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.domain.dossier import Dossier
    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address
    from notifier.ports import Told

EVENT = "source, id, code, type, time, received_at, body_sealed"
DOSSIER = (
    "code, status, due_at, unit, procedure, applicant_hash, agent_hash, first_seen_at, "
    "updated_at, body_sealed"
)
MOMENT = "code, notice, at, episode"
TOLD = "subject, name, at, told_at"

MOST_OF_ONE = 20
"""Dossiers of one number that are looked at."""


class DossierRecords(Records):
    """The tables ``dossier``, ``event`` and ``moment``."""

    def _event_rows(self, events: Sequence[DossierEvent], now: Instant) -> list[tuple[Any, ...]]:
        """One row an identity, of the first that has it; in the order of ``EVENT``."""
        first: dict[tuple[str, str], DossierEvent] = {}
        for event in events:
            first.setdefault((event.source, event.id), event)
        return [
            (
                event.source,
                event.id,
                event.code,
                event.type.value,
                event.time,
                now,
                self._sealer.seal(pack(event.carried), b"event"),
            )
            for event in first.values()
        ]

    def _dossier_rows(self, dossiers: Sequence[Dossier], now: Instant) -> list[tuple[Any, ...]]:
        """One row a code, of the last that has it; in the order of ``DOSSIER``."""
        last = {dossier.code: dossier for dossier in dossiers}
        return [
            (
                dossier.code,
                dossier.status,
                dossier.facts.due_at,
                dossier.facts.unit.key if dossier.facts.unit else "",
                dossier.facts.procedure_code or "",
                self._phone_hash(dossier.facts.applicant_phone),
                self._phone_hash(dossier.facts.agent_phone),
                dossier.first_seen_at,
                now,
                self._sealer.seal(pack_dossier(dossier), b"dossier"),
            )
            for dossier in last.values()
        ]

    def _dossier(self, code: str, sealed: bytes) -> Dossier:
        return unpack_dossier(code, self._sealer.open(sealed, b"dossier"))

    def _by_holder(
        self, rows: Iterable[Sequence[Any]], by_hash: Mapping[bytes, Address]
    ) -> dict[Address, list[Dossier]]:
        """Rows of holder's hash, code and body, in the order they come."""
        found: dict[Address, list[Dossier]] = {}
        for holder, code, sealed in rows:
            found.setdefault(by_hash[holder], []).append(self._dossier(code, sealed))
        return found

    def _phone_hash(self, raw: str | None) -> bytes | None:
        number = phone.read(raw) if raw else None
        return self._sealer.digest(f"sms:{number.e164}") if number else None


def moment_rows(plans: Mapping[str, Sequence[Moment]]) -> list[tuple[Any, ...]]:
    """In the order of ``MOMENT``."""
    return [
        (moment.code, moment.notice, moment.at, moment.episode)
        for moments in plans.values()
        for moment in moments
    ]


def told_rows(told: Sequence[Told], now: Instant) -> list[tuple[Any, ...]]:
    """One row each, in the order of ``TOLD``."""
    return [(one.subject, one.name, one.at, now) for one in dict.fromkeys(told)]


def read_moments(rows: Iterable[Sequence[Any]]) -> list[Moment]:
    """From rows in the order of ``MOMENT``."""
    return [
        Moment(code=code, notice=notice, at=at, episode=episode)
        for code, notice, at, episode in rows
    ]
