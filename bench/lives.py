"""Made-up dossiers of a year: what happens to each, when we hear of it, and what it is owed.

What a dossier is owed is known here from how its life was made up, and from nothing that the
service says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from datetime import time as clock
from enum import StrEnum
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Final

from notifier.domain import instant
from notifier.domain.dossier import Rescheduled, SupplementRequest, UnitRef
from notifier.domain.event import DEFAULT_STATUS, DossierEvent, EventType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.instant import Instant

FIRST: Final = date(2026, 1, 5)
LAST: Final = date(2026, 11, 30)
"""Dossiers are received for eleven months; what is due later is followed to its end."""

SOURCE: Final = "urn:year:one-stop"
REPEATED: Final = 0.04
"""The share of events that the source pushes again as they were."""
AGAIN_AFTER: Final = (0, instant.HOUR, instant.DAY, 6 * instant.DAY)
SAID_AGAIN: Final = 0.1
"""The share of dossiers whose source says the due date again while they are under way."""


class Way(StrEnum):
    """What became of a delay, as the store tells it."""

    AUTOMATIC = "automatic"
    SIGNED = "signed"
    SIGNED_INSTEAD = "signed instead of the automatic one"
    CALL = "nobody to write to: on the call list"
    REFUSED = "the person wants to hear nothing"
    MOVED_ON = "taken back: the dossier had moved on before it left"
    BY_SOURCE = "the source re-appointed it itself"
    SEEN_LATE = "late_before_first_seen"
    NOT_RENEWED = "due_not_renewed_after_supplement"
    IN_PAUSE = "due_passed_while_the_limit_stood_still"
    TOLD_LATE = "apologised, since the source said too late that it was done"
    NOTHING = "nothing at all"


TROUBLED: Final = frozenset({Way.CALL, Way.REFUSED})
"""How a delay may also end for a person who is hard to reach."""


class Act(StrEnum):
    """What people do."""

    DRAFT = "draft"
    SIGN = "sign"
    REJECT = "reject"
    SECOND = "a second attempt"
    STOP = "stop"


class Lot(StrEnum):
    """How a person can be reached: what the carrier does with the number."""

    FINE = "1"
    NO_SUCH_NUMBER = "2"
    OPTED_OUT = "3"
    SILENT = "4"
    """The carrier never says what became of a message."""
    STOPS = "5"
    NO_NUMBER = "6"
    EMAIL_ONLY = "7"
    LANDLINE = "8"
    FORBIDS_SMS = "9"


LOTS: Final = {
    Lot.FINE: 930,
    Lot.NO_SUCH_NUMBER: 10,
    Lot.OPTED_OUT: 5,
    Lot.SILENT: 5,
    Lot.STOPS: 5,
    Lot.NO_NUMBER: 15,
    Lot.EMAIL_ONLY: 10,
    Lot.LANDLINE: 10,
    Lot.FORBIDS_SMS: 10,
}
"""How many of a thousand."""

CARRIED: Final = frozenset({Lot.FINE, Lot.NO_SUCH_NUMBER, Lot.OPTED_OUT, Lot.SILENT})
"""Those that the carrier decides, by the second digit of the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A due date that calls for an apology or for a person, and how that may end.

    ``late`` is False where the dossier was in time after all, or its limit stood still.
    """

    due_at: Instant
    ways: frozenset[Way]
    late: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a person does at ``at``; ``new_due_at`` where it is about a new date."""

    at: Instant
    act: Act
    new_due_at: Instant = 0


@dataclass(slots=True)
class Life:
    """One dossier. ``heard``: events, each with the moment at which we hear of it."""

    number: int
    code: str
    kind: str
    lot: Lot
    phone: str = field(repr=False)
    heard: list[tuple[Instant, DossierEvent]] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    delays: list[Delay] = field(default_factory=list)

    @property
    def may_end(self) -> frozenset[Way]:
        """How any of its delays may end as well."""
        return frozenset() if self.lot is Lot.FINE else TROUBLED

    @property
    def signed(self) -> bool:
        """Whether an apology is signed for it."""
        return any(deed.act is Act.SIGN for deed in self.deeds)


class Days:
    """A calendar that remembers what it was asked."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self.is_working = calendar.is_working
        self.after = cache(calendar.after)
        self.before = cache(calendar.before)


class Plot:
    """A life while it is made up."""

    def __init__(
        self, life: Life, day: date, limit: int, days: Days, chance: Random, due: str = "17:00"
    ) -> None:
        self.life = life
        self.day = day
        self.limit = limit
        self.days = days
        self.chance = chance
        self.due_day = days.after(day, limit)
        self.due_at = at(self.due_day, due)

    def say(
        self, what: str, when: Instant, *, heard: Instant | None = None, **said: Any
    ) -> DossierEvent:
        """The source says it of ``when``, and we hear of it then or at ``heard``."""
        kind = EventType(what)
        status = DEFAULT_STATUS[kind]
        life = self.life
        event = DossierEvent(
            id=f"{life.code}-{len(life.heard)}",
            source=SOURCE,
            type=kind,
            code=life.code,
            code_raw=life.code,
            time=when,
            carried={"status": status, **said} if status is not None else said,
        )
        life.heard.append((heard or when, event))
        return event

    def receive(self, *, heard: Instant | None = None) -> None:
        """The desk takes it in, with its due date and whom to write to."""
        when = at(self.day, f"{self.chance.randint(8, 15):02}:{self.chance.randint(0, 59):02}")
        unit = self.life.number % 120 + 1
        self.say(
            "received",
            when,
            heard=heard,
            unit=UnitRef(code=f"H19.{unit}", name=f"UBND phường số {unit}"),
            procedure_code=f"1.{self.life.number % 40:06}",
            procedure_name=f"Thủ tục số {self.life.number % 40}",
            received_at=when,
            due_at=self.due_at,
            **_reached(self.life),
        )

    def under_way(self, when: Instant | None = None, due_at: Instant | None = None) -> None:
        """It is worked on; some sources say the due date again each time."""
        when = when or at(self.days.after(self.day, 1), "08:10")
        said = {"due_at": due_at or self.due_at} if self.chance.random() < SAID_AGAIN else {}
        self.say("processing", when, **said)

    def finish(self, day: date, hour: str = "10:20", *, heard: Instant | None = None) -> None:
        """The result is there, and is fetched on the next working day."""
        self.say("finished", at(day, hour), heard=heard, finished_at=at(day, hour))
        fetched = at(self.days.after(day, 1), "15:10")
        self.say("returned", fetched, returned_at=fetched)

    def finish_late(self, most: int = 4) -> None:
        """One to ``most`` working days after the due date."""
        self.finish(self.days.after(self.due_day, self.chance.randint(1, most)))

    def act(self, act: Act, when: Instant, new_due_at: Instant = 0) -> None:
        """A person does it."""
        self.life.deeds.append(Deed(at=when, act=act, new_due_at=new_due_at))

    def owed(self, due_at: Instant, *ways: Way, late: bool = True) -> None:
        """The due date calls for something."""
        self.life.delays.append(Delay(due_at=due_at, ways=frozenset(ways), late=late))

    def re_appoint(self, written: Instant, signed: Instant, days: int = 3) -> date:
        """One person writes it, a leader signs it; the day of the new date."""
        day = self.days.after(self.due_day, days)
        self.act(Act.DRAFT, written, at(day, "17:00"))
        self.act(Act.SIGN, signed, at(day, "17:00"))
        return day

    @property
    def eve(self) -> date:
        """The working day before the due date: the reminder goes out, and the risk is seen."""
        return self.days.before(self.due_day, 1)


def at(day: date, hour: str) -> Instant:
    """``day`` at ``hour``, Vietnamese time."""
    return instant.at(day, clock.fromisoformat(hour))


def _reached(life: Life) -> dict[str, Any]:
    name = {"applicant_name": f"Người Thử {life.number}"}
    email = {"applicant_email": f"nguoi{life.number}@example.vn"}
    match life.lot:
        case Lot.NO_NUMBER:
            return name
        case Lot.EMAIL_ONLY:
            return {**name, **email}
        case Lot.LANDLINE:
            return {**name, "applicant_phone": f"0251{3_000_000 + life.number % 900_000}"}
        case Lot.FORBIDS_SMS:
            return {**name, "applicant_phone": life.phone, "consent_sms": False}
        case Lot.NO_SUCH_NUMBER if life.number % 2:
            return {**name, **email, "applicant_phone": life.phone}
        case _:
            return {**name, "applicant_phone": life.phone}


# ------------------------------------------------------------------------------------------ late


def _only_late(plot: Plot) -> None:
    plot.receive()
    plot.under_way()
    plot.finish_late()
    plot.owed(plot.due_at, Way.AUTOMATIC)


def _signed_in_time(plot: Plot) -> None:
    plot.receive()
    plot.under_way()
    day = plot.re_appoint(at(plot.eve, "09:10"), at(plot.eve, "14:10"))
    plot.under_way(at(plot.due_day, "08:30"))  # the source may not know of the new date yet
    plot.finish(plot.days.before(day, 1))
    plot.owed(plot.due_at, Way.SIGNED)


def _signed_on_the_last_day(plot: Plot) -> None:
    plot.receive()
    plot.under_way()
    day = plot.re_appoint(at(plot.due_day, "11:10"), at(plot.due_day, "16:00"))
    plot.say("noted", at(plot.days.after(plot.due_day, 1), "09:00"), due_at=at(day, "17:00"))
    plot.finish(day, "09:40")
    plot.owed(plot.due_at, Way.SIGNED)


def _late_again(plot: Plot) -> None:
    plot.receive()
    day = plot.re_appoint(at(plot.eve, "09:10"), at(plot.eve, "14:10"), days=2)
    again = plot.days.after(day, 3)
    plot.act(Act.SECOND, at(plot.days.after(plot.due_day, 1), "09:20"), at(again, "17:00"))
    plot.finish(again, "10:00")
    plot.owed(plot.due_at, Way.SIGNED)
    plot.owed(at(day, "17:00"), Way.AUTOMATIC)


def _signed_while_it_waits(plot: Plot) -> None:
    plot.receive()
    plot.under_way()
    day = plot.re_appoint(at(plot.due_day, "17:08"), at(plot.due_day, "17:10"))
    plot.finish(day, "11:00")
    plot.owed(plot.due_at, Way.SIGNED_INSTEAD)


def _signed_afterwards(plot: Plot) -> None:
    plot.receive()
    plot.under_way()
    next_day = plot.days.after(plot.due_day, 1)
    day = plot.re_appoint(at(next_day, "09:00"), at(next_day, "14:00"), days=4)
    plot.finish(day, "11:00")
    plot.owed(plot.due_at, Way.AUTOMATIC)


def _rejected(plot: Plot) -> None:
    plot.receive()
    day = plot.days.after(plot.due_day, 3)
    plot.act(Act.DRAFT, at(plot.eve, "09:10"), at(day, "17:00"))
    plot.act(Act.REJECT, at(plot.eve, "16:00"))
    plot.finish_late()
    plot.owed(plot.due_at, Way.AUTOMATIC)


def _never_signed(plot: Plot) -> None:
    plot.receive()
    day = plot.days.after(plot.due_day, 3)
    plot.act(Act.DRAFT, at(plot.eve, "09:10"), at(day, "17:00"))
    plot.finish_late()
    plot.owed(plot.due_at, Way.AUTOMATIC)


def _late_when_first_seen(plot: Plot) -> None:
    seen = plot.days.after(plot.due_day, 2)
    plot.receive(heard=at(seen, "09:00"))
    plot.finish(plot.days.after(seen, 2))
    plot.owed(plot.due_at, Way.SEEN_LATE)


def _signed_when_first_seen(plot: Plot) -> None:
    seen = plot.days.after(plot.due_day, 2)
    plot.receive(heard=at(seen, "09:00"))
    day = plot.re_appoint(at(seen, "14:00"), at(seen, "16:00"), days=6)
    plot.finish(day, "10:00")
    plot.owed(plot.due_at, Way.SIGNED)


def _paused_after_it_was_late(plot: Plot) -> None:
    plot.receive()
    asked = plot.days.after(plot.due_day, 1)
    _supplement(plot, at(asked, "09:30"))
    back = plot.days.after(asked, 3)
    new = plot.days.after(back, 5)
    plot.say("supplemented", at(back, "09:00"), due_at=at(new, "17:00"))
    plot.finish(plot.days.before(new, 1))
    plot.owed(plot.due_at, Way.AUTOMATIC)


def _late_after_a_supplement(plot: Plot) -> None:
    plot.receive()
    _supplement(plot, at(plot.days.after(plot.day, 1), "10:00"))
    back = plot.days.after(plot.day, 3)
    new = plot.days.after(back, 5)
    plot.say("supplemented", at(back, "09:00"), due_at=at(new, "17:00"))
    plot.finish(plot.days.after(new, 2))
    plot.owed(at(new, "17:00"), Way.AUTOMATIC)


def _wavering(plot: Plot) -> None:
    """The source moves the date once it has passed, and back, and has another address by then."""
    plot.receive()
    later = at(plot.days.after(plot.due_day, 2), "17:00")
    plot.say("corrected", at(plot.due_day, "17:40"), due_at=later)
    plot.say(
        "corrected",
        at(plot.due_day, "18:20"),
        due_at=plot.due_at,
        applicant_phone=None,
        applicant_email=f"khac{plot.life.number}@example.vn",
    )
    plot.finish_late()
    # Where the carrier was busy until the date was moved, the apology was taken back, and is said
    # after all.
    plot.owed(plot.due_at, Way.AUTOMATIC)


def _done_in_the_evening(plot: Plot) -> None:
    plot.receive()
    plot.finish(plot.due_day, "17:09")
    plot.owed(plot.due_at, Way.MOVED_ON)


def _re_appointed_by_the_source(plot: Plot) -> None:
    plot.receive()
    day = plot.days.after(plot.due_day, 3)
    new = at(day, "17:00")
    made = Rescheduled(due_at=new, reason="chờ ý kiến của cơ quan phối hợp")
    plot.say("rescheduled", at(plot.eve, "10:00"), due_at=new, rescheduled=made)
    plot.finish(plot.days.before(day, 1))
    plot.owed(plot.due_at, Way.BY_SOURCE)


# --------------------------------------------------------------------------------------- in time


def _in_time(plot: Plot) -> None:
    plot.receive()
    if plot.limit == 1 or plot.chance.random() < 0.3:
        plot.finish(plot.due_day, "09:50")
        return
    plot.under_way()
    plot.finish(plot.eve)


def _supplemented(plot: Plot) -> None:
    plot.receive()
    _supplement(plot, at(plot.days.after(plot.day, 1), "10:00"))
    back = plot.days.after(plot.day, 4)
    new = plot.days.after(back, plot.limit + 1)
    plot.say("supplemented", at(back, "09:00"), due_at=at(new, "17:00"))
    plot.finish(plot.days.before(new, 1))


def _not_renewed(plot: Plot) -> None:
    plot.receive()
    _supplement(plot, at(plot.days.after(plot.day, 1), "10:00"))
    plot.say("supplemented", at(plot.days.after(plot.day, 2), "09:00"))
    plot.finish(plot.days.after(plot.due_day, 1))
    plot.owed(plot.due_at, Way.NOT_RENEWED, late=False)


def _paid(plot: Plot) -> None:
    plot.receive()
    plot.say("payment-requested", at(plot.days.after(plot.day, 1), "10:00"))
    new = plot.days.after(plot.due_day, 2)
    plot.say("paid", at(plot.days.after(plot.day, 2), "09:00"), due_at=at(new, "17:00"))
    plot.finish(plot.days.before(new, 1))


def _paid_past_the_date(plot: Plot) -> None:
    plot.receive()
    plot.say("payment-requested", at(plot.eve, "10:00"))
    paid = plot.days.after(plot.due_day, 2)
    plot.say("paid", at(paid, "09:00"))
    plot.finish(plot.days.after(paid, 1))
    plot.owed(plot.due_at, Way.IN_PAUSE, late=False)


def _withdrawn(plot: Plot) -> None:
    plot.receive()
    plot.say("withdrawn", at(plot.days.after(plot.day, 1), "09:30"))


def _told_too_late(plot: Plot) -> None:
    """Done in time, but the source says so on the next day: by then it was apologised for."""
    plot.receive()
    plot.finish(plot.due_day, "16:20", heard=at(plot.days.after(plot.due_day, 1), "09:00"))
    plot.owed(plot.due_at, Way.TOLD_LATE, late=False)


def _supplement(plot: Plot, when: Instant) -> None:
    asked = SupplementRequest(what="Bản sao có chứng thực", requested_at=when)
    plot.say("supplement-requested", when, supplement=(asked,))


Kind = Callable[[Plot], None]

LATE: Final[dict[Kind, int]] = {
    _only_late: 44,
    _signed_in_time: 14,
    _signed_on_the_last_day: 5,
    _late_again: 4,
    _signed_while_it_waits: 4,
    _signed_afterwards: 7,
    _rejected: 2,
    _never_signed: 3,
    _late_when_first_seen: 4,
    _signed_when_first_seen: 2,
    _paused_after_it_was_late: 2,
    _late_after_a_supplement: 3,
    _wavering: 2,
    _done_in_the_evening: 2,
    _re_appointed_by_the_source: 2,
}
IN_TIME: Final[dict[Kind, int]] = {
    _in_time: 900,
    _supplemented: 40,
    _not_renewed: 5,
    _paid: 30,
    _paid_past_the_date: 5,
    _withdrawn: 15,
    _told_too_late: 5,
}
"""What lives there are, by weight: how many are late is published, of what kinds is made up."""


def working_days(days: Days, last: date) -> list[date]:
    """Those on which dossiers are received."""
    found = [FIRST]
    while (day := days.after(found[-1], 1)) <= last:
        found.append(day)
    return found


def lives(
    count: int, late: float, days: Days, seed: int, last: date = LAST
) -> Iterator[tuple[date, list[Life]]]:
    """``count`` lives up to ``last``, by the day of receipt; the same at every run.

    ``late``: the share of those that are late.
    """
    chance = Random(seed)
    receiving = working_days(days, last)
    number = 0
    for place, day in enumerate(receiving, start=1):
        upto = count * place // len(receiving)
        yield day, [_life(one, day, late, days, chance) for one in range(number, upto)]
        number = upto


def _life(number: int, day: date, late: float, days: Days, chance: Random) -> Life:
    is_late = chance.random() < late
    kinds = LATE if is_late else IN_TIME
    kind = _drawn(kinds, chance)
    lot = _drawn(LOTS, chance)
    life = Life(
        number=number,
        code=f"H19.{number % 120 + 1}-{day:%y%m%d}-{number:07}",
        kind=kind.__name__.strip("_").replace("_", " "),
        lot=lot,
        phone=f"+849{lot if lot in CARRIED else Lot.FINE}{number:07}",
    )
    limit = chance.choice((3, 5, 5, 10) if kind is not _in_time else (1, 3, 5, 5, 10, 15))
    at_noon = kind in {_only_late, _in_time} and chance.random() < 0.2
    plot = Plot(life, day, limit, days, chance, due="11:30" if at_noon else "17:00")
    kind(plot)
    if lot is Lot.STOPS:
        plot.act(Act.STOP, life.heard[0][0] + instant.HOUR)
    life.heard += [
        (heard + chance.choice(AGAIN_AFTER), event)
        for heard, event in life.heard
        if chance.random() < REPEATED
    ]
    return life


def _drawn(weights: dict[Any, int], chance: Random) -> Any:
    kinds: Sequence[Any] = list(weights)
    return chance.choices(kinds, list(weights.values()))[0]
