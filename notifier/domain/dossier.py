"""A dossier: what is known of it, since when, and how an event changes that.

``apply`` is the only way a dossier changes. For each field the newest event that carries it wins,
so late, doubled and shuffled events end in the same dossier.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from notifier.domain.event import Stamp
from notifier.domain.instant import Instant

if TYPE_CHECKING:
    from notifier.domain.event import DossierEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRef:
    """A unit as a source names it; ``name`` may be empty."""

    code: str
    name: str = ""

    @property
    def key(self) -> str:
        """What tells it from another unit: its code, or its name where a source gives no code."""
        return self.code or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementRequest:
    """A paper that is asked for; ``requested_at`` in ms."""

    what: str
    by: str = ""
    requested_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A fee in đồng."""

    name: str
    amount: int
    paid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A signed paper: its number, date (ISO), signer and the signer's title."""

    number: str = ""
    date: str = ""
    signer: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescheduled:
    """A re-appointment (hẹn lại): the new due date, why, and the paper that says so.

    ``replaces`` is the due date that it stands in for, where it was signed here: a source that
    does not know of it yet goes on to say the old one. ``letter``: where the paper can be read.
    """

    due_at: Instant
    reason: str = ""
    document: Document | None = None
    replaces: Instant | None = None
    letter: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a source may say of a dossier. None, or empty: not known. Instants in ms."""

    status: int | None = None
    procedure_code: str | None = None
    procedure_name: str | None = None
    procedure_field: str | None = None
    unit: UnitRef | None = None
    from_unit: UnitRef | None = None
    handler: str | None = None
    applicant_name: str | None = field(default=None, repr=False)
    applicant_phone: str | None = field(default=None, repr=False)
    """As the source wrote it; ``phone.read`` says where an SMS can go."""
    applicant_email: str | None = field(default=None, repr=False)
    applicant_kind: str | None = None
    agent_name: str | None = field(default=None, repr=False)
    agent_phone: str | None = field(default=None, repr=False)
    agent_email: str | None = field(default=None, repr=False)
    agent_kind: str | None = None
    consent_sms: bool | None = None
    consent_email: bool | None = None
    consent_zalo: bool | None = None
    received_at: Instant | None = None
    due_at: Instant | None = None
    finished_at: Instant | None = None
    returned_at: Instant | None = None
    rescheduled: Rescheduled | None = None
    supplement: tuple[SupplementRequest, ...] | None = None
    fees: tuple[Fee, ...] | None = None
    reason: str | None = field(default=None, repr=False)
    return_by: str | None = None
    limit: str | None = None
    """The processing limit, ``5d`` working days or ``8h`` working hours."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Step:
    """One event's part in the timeline: what it said of the state, the holder and the due date."""

    stamp: Stamp
    type: str = field(compare=False)
    status: int | None = field(default=None, compare=False)
    unit: UnitRef | None = field(default=None, compare=False)
    handler: str | None = field(default=None, compare=False)
    due_at: Instant | None = field(default=None, compare=False)

    @property
    def at(self) -> Instant:
        """When it happened, in ms."""
        return self.stamp[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A unit's turn with the dossier; ``until`` is None while it lasts."""

    unit: UnitRef
    handler: str | None
    since: Instant
    until: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """``code`` is the key, ``code_raw`` as written; ``first_seen_at``: when we first heard.

    ``stamps`` says, for each field of ``facts`` that was ever said, by which event.
    """

    code: str
    code_raw: str
    first_seen_at: Instant
    facts: Facts = Facts()
    stamps: Mapping[str, Stamp] = field(default_factory=dict, repr=False)
    steps: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def status(self) -> int | None:
        """The national status number; None while no event has said one."""
        return self.facts.status

    @property
    def status_since(self) -> Instant | None:
        """When the present state was entered."""
        entered: Instant | None = None
        for step in self.status_steps():
            if step.status != self.facts.status:
                entered = None
            elif entered is None:
                entered = step.at
        return entered

    def times_entered(self, statuses: frozenset[int]) -> int:
        """How often one of the states was entered: the number of the supplement, the result, ..."""
        count, inside = 0, False
        for step in self.status_steps():
            was, inside = inside, step.status in statuses
            count += inside and not was
        return count

    def inside_since(self, statuses: frozenset[int]) -> Instant | None:
        """Since when it has been in one of the states without a break; None where it is not."""
        entered: Instant | None = None
        for step in self.status_steps():
            if step.status not in statuses:
                entered = None
            elif entered is None:
                entered = step.at
        return entered

    def holdings(self) -> tuple[Holding, ...]:
        """Who has had it, one after the other, across units and levels; the last has it now."""
        turns: list[Holding] = []
        for step in self.steps:
            if step.unit is None:
                continue
            if turns and turns[-1].unit.key == step.unit.key:
                turns[-1] = replace(turns[-1], handler=step.handler or turns[-1].handler)
                continue
            if turns:
                turns[-1] = replace(turns[-1], until=step.at)
            turns.append(Holding(unit=step.unit, handler=step.handler, since=step.at, until=None))
        return tuple(turns)

    def status_steps(self) -> tuple[Step, ...]:
        """The steps that said a state, in order."""
        return tuple(step for step in self.steps if step.status is not None)


TIMELINE = frozenset({"status", "unit", "handler", "due_at"})
"""The fields whose history is kept, not just their newest value."""


def apply(dossier: Dossier | None, event: DossierEvent, *, now: Instant) -> Dossier:
    """The dossier after ``event``; ``dossier`` None makes a new one, first seen ``now`` (ms).

    Pure, and the same for any order and any repetition of the same events, but for
    ``first_seen_at`` and the spelling of ``code_raw``, which are the first to arrive. An event
    without a time of its own that says what stands already is a repetition, and changes nothing.
    """
    if dossier is None:
        dossier = Dossier(code=event.code, code_raw=event.code_raw, first_seen_at=now)
    elif event.arrived is not None and all(
        getattr(dossier.facts, name) == value for name, value in event.carried.items()
    ):
        return dossier
    stamp = event.stamp
    won = {
        name: value
        for name, value in event.carried.items()
        if name not in dossier.stamps or stamp > dossier.stamps[name]
    }
    steps = dossier.steps
    if not TIMELINE.isdisjoint(event.carried) and all(step.stamp != stamp for step in steps):
        steps = _with_step(steps, event, stamp)
    if not won and steps is dossier.steps:
        return dossier
    after = replace(
        dossier,
        facts=replace(dossier.facts, **won),
        stamps={**dossier.stamps, **dict.fromkeys(won, stamp)},
        steps=steps,
    )
    return _with_signed_date(after) if _signed_here(dossier) or _signed_here(after) else after


def _signed_here(dossier: Dossier) -> bool:
    made = dossier.facts.rescheduled
    return made is not None and made.replaces is not None


def _with_signed_date(dossier: Dossier) -> Dossier:
    """A re-appointment that was signed here holds while the source says the date it replaces.

    Any other date of the source wins by its time, as ever.
    """
    said_by = dossier.stamps.get("due_at")
    said = next((step.due_at for step in dossier.steps if step.stamp == said_by), None)
    made = dossier.facts.rescheduled
    holds = made is not None and made.replaces is not None and said == made.replaces
    due_at = made.due_at if made is not None and holds else said
    return replace(dossier, facts=replace(dossier.facts, due_at=due_at))


def _with_step(steps: tuple[Step, ...], event: DossierEvent, stamp: Stamp) -> tuple[Step, ...]:
    ordered = list(steps)
    step = Step(
        stamp=stamp,
        type=event.type.value,
        status=event.carried.get("status"),
        unit=event.carried.get("unit"),
        handler=event.carried.get("handler"),
        due_at=event.carried.get("due_at"),
    )
    insort(ordered, step)
    return tuple(ordered)
