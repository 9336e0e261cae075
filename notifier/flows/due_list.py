"""What falls due, and what is late: the same lists for warnings and for a person who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from notifier.domain import deadline
from notifier.domain.message import State
from notifier.domain.notice import Role, notice_key
from notifier.domain.status import DeadlineClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.unit import Unit
    from notifier.ports import Session, Store

PAGE: Final = 500

NOT_SAID: Final = frozenset({State.FAILED, State.EXPIRED, State.CANCELLED, State.SUPERSEDED})
"""Where a message ended that told nobody anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A dossier whose limit runs. ``apology``: where the message stands that says sorry."""

    dossier: Dossier = field(repr=False)
    unit: Unit
    due_at: Instant
    apology: State | None = None

    @property
    def is_debt(self) -> bool:
        """Whether nobody has said sorry, if it is late."""
        return self.apology is None or self.apology in NOT_SAID


class DueList:
    """Reads in pages, each a short look of its own."""

    def __init__(self, store: Store, installation: Installation) -> None:
        self._store = store
        self._installation = installation
        statuses = installation.statuses
        # A state may run for some procedures only; each dossier is looked at again.
        clocks = [
            *((number, status.clock) for number, status in statuses.by_number.items()),
            *(pair for procedure in statuses.by_procedure for pair in procedure.clocks.items()),
        ]
        self._running = sorted({number for number, clock in clocks if clock is DeadlineClock.RUNS})

    async def pages(
        self, until: Instant, *, after: Instant = 0, untold: str = ""
    ) -> AsyncIterator[list[Due]]:
        """What is due later than ``after`` and up to ``until`` (ms), earliest first.

        With ``untold`` without what staff were told of under that name.
        """
        statuses = self._installation.statuses
        behind = (after, "\U0010ffff")
        while True:
            async with self._store.read() as session:
                page = await session.due(self._running, until, PAGE, behind=behind, untold=untold)
                apologies = await self._apologies(session, page)
            yield [
                Due(
                    dossier=one,
                    unit=self._installation.units.find(one.facts.unit),
                    due_at=one.facts.due_at or 0,
                    apology=apologies.get(one.code),
                )
                for one in page
                if deadline.runs(one, statuses) and not deadline.is_stale(one, statuses)
            ]
            if len(page) < PAGE:
                return
            behind = (page[-1].facts.due_at or 0, page[-1].code)

    async def _apologies(self, session: Session, dossiers: Sequence[Dossier]) -> dict[str, State]:
        """Where the apology for the due date of each stands; one that was said wins."""
        rules = self._installation.rules
        signed = rules.on_apology()
        families = {rule.family for rule in rules.on_due() if rule.after}
        families |= {signed.family} if signed else set()
        keys = {
            notice_key(one.code, family, deadline.episode(one.facts.due_at), role): one.code
            for one in dossiers
            if one.facts.due_at is not None
            for family in families
            for role in Role
        }
        states = await session.states_of(sorted(keys))
        found: dict[str, State] = {}
        for key, state in states.items():
            code = keys[key]
            if code not in found or found[code] in NOT_SAID:
                found[code] = state
        return found


def is_of(due: Due, unit: str) -> bool:
    """Whether a person means its unit by these words: its code, or the name that a source gives."""
    ref = due.dossier.facts.unit
    return unit in {due.unit.code, due.unit.name} or (ref is not None and unit == ref.code)
