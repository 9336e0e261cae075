"""The report of promises: counted by the store, named by what the office calls its units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from notifier.domain import promise
from notifier.domain.dossier import UnitRef
from notifier.domain.tally import By, Tally
from notifier.domain.tier import TIER_WORDS, Tier

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifier.domain.installation import Installation
    from notifier.domain.rules import Rules
    from notifier.domain.tally import Asked, Key
    from notifier.ports import Session, Store

PAGE: Final = 5_000
"""Late dossiers whose apologies are looked up at once."""

REBUILT: Final = 1_000
"""Dossiers read anew in one transaction."""

APOLOGY: Final = "apology"
"""The family of the rules that say that we are sorry."""

TIERS: Final = ("", *Tier)

UNKNOWN: Final = {
    "vi": {
        By.UNIT: "Chưa rõ đơn vị",
        By.FIELD: "Chưa rõ lĩnh vực",
        By.PROCEDURE: "Chưa rõ thủ tục",
    },
    "en": {By.UNIT: "No unit", By.FIELD: "No field", By.PROCEDURE: "No procedure"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: what it is told by, in words, and its figures."""

    key: Key
    labels: tuple[str, ...]
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The lines in the order of what they are told by, and all of them together."""

    asked: Asked
    office: str
    lines: tuple[Line, ...]
    total: Tally


def apology_notices(rules: Rules) -> tuple[str, ...]:
    """The notices that say that we are sorry by themselves."""
    return tuple(rule.notice for rule in rules.on_due() if rule.family == APOLOGY)


class Reporting:
    """Reads; changes nothing but in ``rebuild``."""

    def __init__(self, store: Store, installation: Installation) -> None:
        self._store = store
        self._installation = installation

    async def __call__(
        self, asked: Asked, *, locale: str = "vi", progress: Callable[[int], None] | None = None
    ) -> Report:
        """Count; ``progress`` hears how many late dossiers were looked up so far."""
        tallies: dict[Key, Tally] = {}
        total = Tally()
        async with self._store.read() as session:
            for cell in await session.tally(asked):
                tallies.setdefault(cell.key, Tally()).add(cell)
                total.add(cell)
            await self._add_apologies(session, asked, tallies, total, progress)
            names = await self._names(session, asked, locale)
        lines = [
            Line(
                key=key,
                labels=tuple(names[by][word] for by, word in zip(asked.by, key, strict=True)),
                tally=tally,
            )
            for key, tally in tallies.items()
        ]
        return Report(
            asked=asked,
            office=self._installation.units.office.name,
            lines=tuple(sorted(lines, key=lambda line: _order(line, asked))),
            total=total,
        )

    async def _add_apologies(
        self,
        session: Session,
        asked: Asked,
        tallies: dict[Key, Tally],
        total: Tally,
        progress: Callable[[int], None] | None,
    ) -> None:
        if not total.owed:
            return
        notices = apology_notices(self._installation.rules)
        after, looked_at = "", 0
        while page := await session.late_promises(asked, after, PAGE):
            told = await session.apologised([code for code, _ in page], notices, asked.at)
            for code, key in page:
                if ways := told.get(code):
                    tallies[key].add_apologised(ways)
                    total.add_apologised(ways)
            after, looked_at = page[-1][0], looked_at + len(page)
            if progress:
                progress(looked_at)

    async def _names(self, session: Session, asked: Asked, locale: str) -> dict[By, dict[str, str]]:
        """What is written for each key, where that is not the key itself."""
        names: dict[By, dict[str, str]] = {by: _Keys() for by in By}
        for by, word in UNKNOWN[locale].items():
            names[by][""] = word
        names[By.LEVEL] |= {str(tier): word for tier, word in TIER_WORDS[locale].items()}
        if By.UNIT in asked.by or By.PROCEDURE in asked.by:
            for unit, unit_name, procedure, procedure_name in await session.names_of_places():
                listed = self._installation.units.listed(UnitRef(code=unit))
                if unit:
                    names[By.UNIT][unit] = listed.name if listed else unit_name or unit
                if procedure:
                    names[By.PROCEDURE][procedure] = procedure_name or procedure
        return {**names, By.MONTH: _Months()}

    async def rebuild(self, progress: Callable[[int], None] | None = None) -> int:
        """Work out every dossier anew: after a calendar, the units or the states were changed.

        In pages, each held by itself, so that events go on coming in; how many there were.
        """
        after, done = "", 0
        while True:
            async with self._store.read() as session:
                codes = [held.code for held in await session.list_dossiers(after, REBUILT)]
            if not codes:
                return done
            async with self._store.write() as session:
                await session.hold(codes)
                dossiers = (await session.dossiers(codes)).values()
                found = [promise.of(dossier, self._installation) for dossier in dossiers]
                places = {one.place.id: one.place for one in found}
                await session.put_promises(found, list(places.values()))
            after, done = codes[-1], done + len(codes)
            if progress:
                progress(done)


class _Keys(dict[str, str]):
    """What has no name is called by its key."""

    def __missing__(self, key: str) -> str:
        return key


class _Months(dict[str, str]):
    """``202611`` as people write it, ``11/2026``."""

    def __missing__(self, key: str) -> str:
        return f"{key[4:]}/{key[:4]}"


def _order(line: Line, asked: Asked) -> list[tuple[int, str]]:
    """Levels from the top, months as they pass, the rest by name."""
    return [
        (TIERS.index(key), "") if by is By.LEVEL else (0, key if by is By.MONTH else label)
        for by, key, label in zip(asked.by, line.key, line.labels, strict=True)
    ]
