"""Units: who handles dossiers, what people call them, and where to ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from notifier.domain.dossier import UnitRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """``short`` is what fits into an SMS; ``aliases``: other codes and names of the same unit."""

    code: str
    name: str
    short: str
    phone: str = ""
    address: str = ""
    hours: str = ""
    calendar: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Province:
    """A level-1 code inside dossier codes. ``successor``: what it became, empty while it lasts."""

    code: str
    name: str
    valid_to: date | None = None
    successor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who speaks: the installation's own name, hotline and portal, as messages show them."""

    name: str
    short: str
    hotline: str
    portal: str
    short_code: str = ""
    """The number that people text; empty where there is none."""
    address: str = ""
    hours: str = ""
    level1: frozenset[str] = frozenset()
    """Level-1 codes served here; empty: all."""


@dataclass(frozen=True, slots=True)
class Units:
    """All units of the installation, found by code, alias or name."""

    office: Office
    provinces: Mapping[str, Province] = field(default_factory=dict)
    _by_key: Mapping[str, Unit] = field(default_factory=dict)

    @classmethod
    def of(cls, office: Office, units: Sequence[Unit], provinces: Sequence[Province]) -> Units:
        """The registry; a later unit of the same code or alias wins."""
        by_key = {
            spelling: unit
            for unit in units
            for key in (*unit.aliases, unit.name, unit.code)
            if key
            for spelling in (key, fold(key))
        }
        return cls(office, {province.code: province for province in provinces}, by_key)

    @property
    def all(self) -> frozenset[Unit]:
        """Every unit of the registry, once."""
        return frozenset(self._by_key.values())

    def find(self, ref: UnitRef | None) -> Unit:
        """The unit that a source means; one that is not in the registry keeps the source's name."""
        if ref is not None:
            known = self._known(ref.code) or self._known(ref.name)
            if known is not None:
                return known
            if ref.name:
                return self._of_office(ref.code, ref.name)
        return self._of_office("", self.office.name, short=self.office.short)

    def elsewhere(self, level1: str) -> str | None:
        """The place that serves a code of another installation; None for one of our own."""
        if not self.office.level1 or level1 in self.office.level1:
            return None
        province = self.provinces.get(level1)
        if province is None:
            return level1
        return province.successor or province.name

    def _known(self, key: str) -> Unit | None:
        """As it is written, which is how sources mostly write it; else folded, which costs more."""
        return self._by_key.get(key) or (self._by_key.get(fold(key)) if key else None)

    def _of_office(self, code: str, name: str, short: str = "") -> Unit:
        return Unit(code=code, name=name, short=short or name, phone=self.office.hotline)
