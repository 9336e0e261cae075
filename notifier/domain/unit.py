"""Units: who handles dossiers, what people call them, and where to ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notifier.domain.text import fold
from notifier.domain.tier import Tier, tier_of
from notifier.domain.titles import Titles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from notifier.domain.dossier import UnitRef
    from notifier.domain.message import Address
    from notifier.domain.opening import OpeningHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """``short`` is what fits into an SMS; ``aliases``: other codes and names of the same unit.

    ``source`` says what its address and hours rest on, ``as_of`` when they were checked. ``staff``
    and ``leaders`` are who is warned before a citizen hears of a delay.
    """

    code: str
    name: str
    short: str
    phone: str = ""
    address: str = ""
    hours: OpeningHours | None = None
    calendar: str = ""
    level: Tier | None = None
    aliases: tuple[str, ...] = ()
    source: str = ""
    as_of: date | None = None
    staff: tuple[Address, ...] = field(default=(), repr=False)
    leaders: tuple[Address, ...] = field(default=(), repr=False)


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
    hours: OpeningHours | None = None
    level1: frozenset[str] = frozenset()
    """Level-1 codes served here; empty: all."""


@dataclass(frozen=True, slots=True)
class Units:
    """All units of the installation, found by code, alias or name."""

    office: Office
    provinces: Mapping[str, Province] = field(default_factory=dict)
    _by_key: Mapping[str, Unit] = field(default_factory=dict)
    _named: tuple[Unit, ...] = ()
    _titles: Titles = field(default_factory=Titles, repr=False)
    _beginnings: Mapping[str, Tier] = field(default_factory=dict, repr=False)
    _placed: dict[UnitRef, tuple[Unit | None, Tier | None]] = field(
        default_factory=dict, repr=False
    )

    @classmethod
    def of(
        cls,
        office: Office,
        units: Sequence[Unit],
        provinces: Sequence[Province],
        *,
        spellings: Mapping[str, str] | None = None,
        beginnings: Mapping[str, Tier] | None = None,
    ) -> Units:
        """The registry; a later unit of the same code or alias wins.

        ``spellings`` are those that citizens' texts are read with; ``beginnings`` how the names of
        units of each level begin.
        """
        by_key = {
            spelling: unit
            for unit in units
            for key in (*unit.aliases, unit.name, unit.code)
            if key
            for spelling in (key, fold(key))
        }
        named = tuple(dict.fromkeys(by_key.values()))
        names = [
            (number, name)
            for number, unit in enumerate(named)
            for name in (unit.name, unit.short, *filter(_is_name, unit.aliases))
        ]
        return cls(
            office,
            {province.code: province for province in provinces},
            by_key,
            named,
            # The office's own name fits it better than any unit whose name holds part of it.
            Titles.of([*names, (len(named), office.name)], spellings=spellings),
            {fold(words): tier for words, tier in (beginnings or {}).items()},
        )

    @property
    def all(self) -> frozenset[Unit]:
        """Every unit of the registry, once."""
        return frozenset(self._named)

    @property
    def own(self) -> Unit:
        """The office itself, as a unit."""
        office = self.office
        return Unit(
            code="",
            name=office.name,
            short=office.short,
            phone=office.hotline,
            address=office.address,
            hours=office.hours,
        )

    def named(self, words: str) -> Unit | None:
        """The unit or the office that plain ``words`` name; None where none or several."""
        best = self._titles.only(words)
        if best is None:
            return None
        return self._named[best] if best < len(self._named) else self.own

    def listed(self, ref: UnitRef | None) -> Unit | None:
        """The unit of the registry that a source means; None where it isn't in it."""
        return None if ref is None else self._known(ref.code) or self._known(ref.name)

    def find(self, ref: UnitRef | None) -> Unit:
        """The unit that a source means; one that is not in the registry keeps the source's name."""
        known = self.listed(ref)
        if known is not None:
            return known
        if ref is not None and ref.name:
            return self._of_office(ref.code, ref.name)
        return self._of_office("", self.office.name, short=self.office.short)

    def placed(self, ref: UnitRef) -> tuple[Unit | None, Tier | None]:
        """The unit that a source means, as ``listed``, and its level: by registry, or by name.

        Kept, since it is asked for each dossier that changes, and units are few.
        """
        found = self._placed.get(ref)
        if found is None:
            unit = self.listed(ref)
            name = unit.name if unit else ref.name
            tier = (unit.level if unit else None) or tier_of(name, self._beginnings)
            found = self._placed[ref] = (unit, tier)
        return found

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


def _is_name(alias: str) -> bool:
    """Whether people would say it; the others are codes."""
    return " " in alias or alias.isalpha()
