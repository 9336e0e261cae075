"""Units are warned before a citizen hears of a delay, and leaders when nobody acts.

What staff are told leaves through the outbox, and names codes only. Each dossier is told of once
under each name, by a row that is written together with the message.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from notifier.domain import instant, warning
from notifier.domain.deadline import CLOSING_TIME
from notifier.domain.warning import END_OF_DAY, START_OF_DAY
from notifier.errors import TemplateError
from notifier.flows.due_list import DueList
from notifier.ports import Told, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address, Message
    from notifier.domain.unit import Unit
    from notifier.flows.compose import Composer
    from notifier.flows.due_list import Due
    from notifier.ports import Session, Store

DAILY: Final = "staff_daily"
SOON: Final = "staff_soon"
LATE: Final = "staff_late"
"""The texts to staff: what is due these days, in hours, and what is late with nobody acting."""

WILL_BE_LATE: Final = "will_be_late"
UNATTENDED: Final = "late_unattended"
"""Kinds of work, where there is nobody to be told."""

MOST_NAMED: Final = 20
"""Codes that an item of work names."""

OLD_ITEMS: Final = 1_000
"""Items of the day before that are taken off at once."""

LATE_LIST: Final = instant.DAY
"""How long (ms) it makes sense to tell a leader that nobody has acted."""


class Warn:
    """Decides who is to be warned of what."""

    def __init__(
        self,
        store: Store,
        installation: Installation,
        composer: Composer,
        channels: Collection[str],
        queued: Callable[[], None],
    ) -> None:
        """``channels`` are those that have a way out."""
        self._store = store
        self._installation = installation
        self._composer = composer
        self._channels = frozenset(channels)
        self._queued = queued
        self._lists = DueList(store, installation)
        self._listed: dict[str, date] = {}

    async def sweep(self, now: Instant) -> int:
        """Warn of what is to be warned of at ``now`` (ms, civil); how many dossiers, and lists."""
        policy = self._installation.warnings
        done = 0
        for span in policy.hours:
            done += await self._soon(span, now)
        for number, span in enumerate(policy.escalate, start=1):
            done += await self._escalate(number, span, now)
        for calendar in self._calendars():
            done += await self._daily(calendar, now)
        return done

    # hours before

    async def _soon(self, span: Instant, now: Instant) -> int:
        """What falls due within ``span`` ms of working time, each once."""
        name = f"soon {span // instant.HOUR}h"
        reach = {
            calendar: warning.worked_until(now, span, self._installation.calendars[calendar])
            for calendar in self._calendars()
        }
        done = 0
        async for page in self._lists.pages(max(reach.values()), after=now, untold=name):
            near = [one for one in page if one.due_at <= reach[self._calendar_of(one.unit)]]
            done += await self._tell(near, SOON, name, now)
        return done

    async def _escalate(self, number: int, span: Instant, now: Instant) -> int:
        """What has been late for ``span`` ms of working time, each once; who acted is not named."""
        name = f"late {number}"
        done = 0
        async for page in self._lists.pages(now, untold=name):
            over = [
                one
                for one in page
                if warning.worked_until(one.due_at, span, self._calendar(one.unit)) <= now
            ]
            done += await self._tell(over, LATE, name, now, step=number)
        return done

    async def _tell(
        self, found: Sequence[Due], template: str, name: str, now: Instant, *, step: int = 0
    ) -> int:
        """Record that it is told, and tell what was not; what needs no word is recorded too."""
        if not found:
            return 0
        told = [Told(subject=one.dossier.code, name=name, at=one.due_at) for one in found]
        async with self._store.write() as session:
            new = await session.add_told(told, now)
            fresh = [one for one, is_new in zip(found, new, strict=True) if is_new]
            if step:
                fresh = await self._unattended(session, fresh)
            messages: list[Message] = []
            work: list[WorkItem] = []
            for unit, dues in _by_unit(fresh).items():
                made, left = self._to_unit(unit, dues, template, name, now, step=step)
                messages += made
                work += left
            added = await session.add_messages(messages)
            await session.add_work(work)
        if added:
            self._queued()
        return len(fresh)

    async def _unattended(self, session: Session, late: Sequence[Due]) -> list[Due]:
        """Those of which nobody has said sorry or settled an item since they are late."""
        debts = [one for one in late if one.is_debt]
        acted = await session.acted_on([one.dossier.code for one in debts])
        return [one for one in debts if acted.get(one.dossier.code, 0) < one.due_at]

    def _to_unit(
        self,
        unit: Unit,
        dues: Sequence[Due],
        template: str,
        name: str,
        now: Instant,
        *,
        step: int,
    ) -> tuple[list[Message], list[WorkItem]]:
        policy = self._installation.warnings
        asked = policy.leaders_of(unit, step) if step else policy.staff_of(unit)
        key = f"{name}|{_key_of(unit)}|{_digest(dues)}"
        messages, fault = self._messages(
            asked,
            template,
            {"unit": unit.short, "unit_name": unit.name, "groups": _by_due(dues), "step": step},
            key=key,
            best_before=now + LATE_LIST if step else max(one.due_at for one in dues),
            now=now,
        )
        if messages:
            return messages, []
        if step:
            return [], [_unattended_work(one, fault, now) for one in dues]
        return [], [_work(key, unit, [("due", dues)], fault, now)]

    # the daily list

    async def _daily(self, calendar: str, now: Instant) -> int:
        """The list of each unit of a calendar, once a working day; how many lists."""
        today = instant.local_date(now)
        days = self._installation.calendars[calendar]
        policy = self._installation.warnings
        begins = instant.at(today, policy.daily)
        if not (begins <= now < instant.at(today, CLOSING_TIME)) or not days.is_working(today):
            return 0
        if self._listed.get(calendar) == today:
            return 0
        groups: dict[Unit, dict[date | None, list[Due]]] = defaultdict(lambda: defaultdict(list))
        last = warning.due_days(days, today, max(policy.days, default=0))[1]
        async for page in self._lists.pages(instant.at(last, END_OF_DAY)):
            for one in page:
                group = self._group(one, today, days, now)
                if self._calendar_of(one.unit) == calendar and group is not None:
                    groups[one.unit][group[0]].append(one)
        count = await self._send_daily(calendar, today, groups, now)
        self._listed[calendar] = today
        return count

    def _group(
        self, due: Due, today: date, calendar: WorkingCalendar, now: Instant
    ) -> tuple[date | None] | None:
        """The due day that it is listed under, (None,) among the late; None where nowhere."""
        if due.due_at <= now:
            return (None,) if due.is_debt else None
        day = instant.local_date(due.due_at)
        for lead in (0, *self._installation.warnings.days):
            first, last = warning.due_days(calendar, today, lead)
            if first <= day <= last:
                return (day,)
        return None

    async def _send_daily(
        self,
        calendar: str,
        today: date,
        groups: Mapping[Unit, Mapping[date | None, list[Due]]],
        now: Instant,
    ) -> int:
        mark = Told(subject=calendar, name="daily", at=instant.at(today, START_OF_DAY))
        messages: list[Message] = []
        work: list[WorkItem] = []
        for unit, by_day in groups.items():
            listed = sorted(by_day.items(), key=lambda item: (item[0] is None, item[0] or today))
            context = {
                "unit": unit.short,
                "unit_name": unit.name,
                "today": now,
                "groups": [
                    {
                        "due": instant.at(day, CLOSING_TIME) if day else None,
                        "late": day is None,
                        "codes": [one.dossier.code for one in dues],
                    }
                    for day, dues in listed
                ],
            }
            key = f"daily|{_key_of(unit)}|{today}"
            made, fault = self._messages(
                self._installation.warnings.staff_of(unit),
                DAILY,
                context,
                key=key,
                best_before=instant.at(today, CLOSING_TIME),
                now=now,
            )
            messages += made
            if not made:
                named = [(f"due {day}" if day else "late without an apology", dues)
                         for day, dues in listed]  # fmt: skip
                work.append(_work(key, unit, named, fault, now))
        async with self._store.write() as session:
            [is_new] = await session.add_told([mark], now)
            if not is_new:
                return 0
            before = await session.work(kind=WILL_BE_LATE, limit=OLD_ITEMS)
            old = [item.key for item in before if item.opened_at < mark.at]
            await session.settle_work(old, "notifier", now)
            added = await session.add_messages(messages)
            await session.add_work(work)
        if added:
            self._queued()
        return len(groups)

    # to whom

    def _messages(
        self,
        asked: Iterable[Address],
        template: str,
        context: Mapping[str, Any],
        *,
        key: str,
        best_before: Instant,
        now: Instant,
    ) -> tuple[list[Message], str]:
        """One message an address that has a way out; or none, and why."""
        addresses = [to for to in dict.fromkeys(asked) if to.channel in self._channels]
        if not addresses:
            return [], "nobody is named to be told, or there is no way to them"
        try:
            return [
                self._composer.staff_message(
                    template,
                    context,
                    to,
                    key=f"staff|{key}|{number}",
                    best_before=best_before,
                    now=now,
                )
                for number, to in enumerate(addresses)
            ], ""
        except TemplateError as error:
            return [], str(error)

    def _calendars(self) -> list[str]:
        """The names of the calendars that units go by."""
        units = self._installation.units.all
        return sorted({self._installation.calendar, *map(self._calendar_of, units)})

    def _calendar_of(self, unit: Unit) -> str:
        known = unit.calendar in self._installation.calendars
        return unit.calendar if known else self._installation.calendar

    def _calendar(self, unit: Unit) -> WorkingCalendar:
        return self._installation.calendar_of(unit)


def _by_unit(dues: Iterable[Due]) -> dict[Unit, list[Due]]:
    grouped: dict[Unit, list[Due]] = {}
    for one in dues:
        grouped.setdefault(one.unit, []).append(one)
    return grouped


def _by_due(dues: Iterable[Due]) -> list[dict[str, Any]]:
    """The groups of a message, one a due date."""
    grouped: dict[Instant, list[str]] = {}
    for one in dues:
        grouped.setdefault(one.due_at, []).append(one.dossier.code)
    return [{"due": due, "late": False, "codes": codes} for due, codes in sorted(grouped.items())]


def _key_of(unit: Unit) -> str:
    return unit.code or unit.name


def _digest(dues: Iterable[Due]) -> str:
    """What tells one list of dossiers from another."""
    said = "\n".join(sorted(f"{one.dossier.code} {one.due_at}" for one in dues))
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _work(
    key: str,
    unit: Unit,
    groups: Sequence[tuple[str, Sequence[Due]]],
    fault: str,
    now: Instant,
) -> WorkItem:
    listed = "; ".join(f"{what}: {_named(dues)}" for what, dues in groups)
    return WorkItem(
        key=f"{WILL_BE_LATE}|{key}",
        kind=WILL_BE_LATE,
        detail=f"{unit.name}: {listed} ({fault})",
        opened_at=now,
    )


def _named(dues: Sequence[Due]) -> str:
    codes = ", ".join(one.dossier.code for one in dues[:MOST_NAMED])
    more = len(dues) - MOST_NAMED
    return f"{codes} and {more} more" if more > 0 else codes


def _unattended_work(due: Due, fault: str, now: Instant) -> WorkItem:
    """Once a dossier and due date, whatever the step: whoever settles it has acted."""
    return WorkItem(
        key=f"{UNATTENDED}|{due.dossier.code}|{instant.iso(due.due_at)}",
        kind=UNATTENDED,
        dossier=due.dossier.code,
        detail=f"{due.unit.name}: late since {instant.iso(due.due_at)}, with no apology and no new "
        f"date ({fault})",
        opened_at=now,
    )
