"""What one installation has decided, as one value: its data, without its secrets or machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notifier.domain.apology import Apologies
from notifier.domain.caps import Caps
from notifier.domain.knowledge import Knowledge
from notifier.domain.ladder import Ladder
from notifier.domain.warning import Warnings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.code_form import CodeForm
    from notifier.domain.disclosure import Policy
    from notifier.domain.inquiry import Keywords
    from notifier.domain.quiet import Hours
    from notifier.domain.rules import Rules
    from notifier.domain.status import Statuses
    from notifier.domain.unit import Unit, Units


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPolicy:
    """``keep_accents``: pay for UCS-2, or send without. A text aims at ``target`` segments.

    What would take more than ``most`` is refused when it is composed.
    """

    keep_accents: bool = False
    target: int = 1
    most: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One province or ministry with all its units."""

    units: Units
    statuses: Statuses
    rules: Rules
    calendars: Mapping[str, WorkingCalendar]
    calendar: str
    """The name of the calendar of units that name none."""
    keywords: Keywords
    disclosure: Policy
    notice_hours: Hours
    broadcast_hours: Hours
    caps: Caps = field(default_factory=Caps)
    sms: SmsPolicy = field(default_factory=SmsPolicy)
    locale: str = "vi"
    warnings: Warnings = field(default_factory=Warnings)
    knowledge: Knowledge = field(default_factory=Knowledge, repr=False)
    ladder: Ladder = field(default_factory=Ladder)
    apology: Apologies = field(default_factory=Apologies)
    legacy_codes: tuple[CodeForm, ...] = ()
    """Older and home-made forms of codes that are switched on; the first that fits is taken."""

    def calendar_of(self, unit: Unit) -> WorkingCalendar:
        """The calendar that a unit's days are counted by."""
        return self.calendars.get(unit.calendar) or self.calendars[self.calendar]
