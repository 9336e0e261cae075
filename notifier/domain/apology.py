"""The signed apology with a new date: who writes it, who signs it, and what it has to keep to.

The automatic apology is a rule of ``rules.toml``; this is the document of NĐ 61/2018 art 19(9).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from notifier.domain import deadline, instant
from notifier.errors import NotAllowedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.dossier import Dossier
    from notifier.domain.instant import Instant
    from notifier.domain.status import Statuses

FAMILY: Final = "apology"
"""What the automatic and the signed apology share in their keys: one a delay."""

FORM: Final = "apology"
"""The key of the form; its number moved from one circular to the next."""

LONGEST_REASON: Final = 200
"""Characters of a reason: more fits into no SMS and into no line of the form."""

LEAD: Final = 1
"""Working days before the due date by which the apology is owed.

NĐ 61/2018 art 19(9) says one day; a Monday's has to be there by Friday.
"""


class ApologyState(StrEnum):
    """Where an apology stands."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    """Signed; the applicant has not been written to."""
    SENT = "sent"
    """The message to the applicant is in the outbox."""
    RETURNED = "returned"
    """The one-stop system has confirmed the new date."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


SIGNED: Final = frozenset({ApologyState.APPROVED, ApologyState.SENT, ApologyState.RETURNED})
DROPPED: Final = frozenset({ApologyState.REJECTED, ApologyState.WITHDRAWN})

MOVES: Final[Mapping[str, tuple[frozenset[ApologyState], ApologyState]]] = {
    "approve": (frozenset({ApologyState.DRAFTED}), ApologyState.APPROVED),
    "reject": (frozenset({ApologyState.DRAFTED}), ApologyState.REJECTED),
    "withdraw": (frozenset({ApologyState.DRAFTED}), ApologyState.WITHDRAWN),
    "send": (frozenset({ApologyState.APPROVED}), ApologyState.SENT),
    "return": (
        frozenset({ApologyState.APPROVED, ApologyState.SENT}),
        ApologyState.RETURNED,
    ),
}
"""Each act: the states it starts from, and the one it leads to. What is signed is not unsigned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A reason of the office's list; ``words`` by language."""

    key: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterForm:
    """A form of a circular, by its lasting ``key``; ``number`` is what the circular calls it.

    ``template`` names a file of ``templates/letters/``; both days are included.
    """

    key: str
    template: str
    number: str
    source: str
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A leader who may sign: the user's name, and the name and title that stand in the letter."""

    user: str
    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Apologies:
    """What the office has laid down. No ``signers``: whoever is not the author may sign.

    ``superior`` and ``place`` stand in the head of the letter; empty ones are left out.
    """

    reasons: tuple[Reason, ...] = ()
    forms: tuple[LetterForm, ...] = ()
    signers: tuple[Signer, ...] = ()
    superior: str = ""
    place: str = ""

    def reason(self, key: str, free: str, locale: str = "vi") -> str:
        """The words of a reason from the list, with free text behind it, or that alone.

        Raises ``NotAllowedError`` where the list has no such key.
        """
        free = " ".join(free.split()).rstrip(".")
        if not key:
            return free
        found = next((reason for reason in self.reasons if reason.key == key), None)
        if found is None:
            known = ", ".join(reason.key for reason in self.reasons)
            raise NotAllowedError(f"there is no reason {key}; apology.toml has {known}")
        return f"{found.words[locale]}; {free}" if free else found.words[locale]

    def form(self, key: str, day: date) -> LetterForm | None:
        """The form that holds on ``day``; of several the newest."""
        valid = [
            form
            for form in self.forms
            if form.key == key
            and form.valid_from <= day
            and (form.valid_to is None or day <= form.valid_to)
        ]
        return max(valid, key=lambda form: form.valid_from, default=None)

    def signer(self, user: str) -> Signer | None:
        """The leader of this user name."""
        return next((signer for signer in self.signers if same(signer.user, user)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Apology:
    """One apology for one delay: that of ``dossier`` at the due date ``due_at``. Instants in ms.

    ``author`` wrote it, ``approver`` signed it: user names of two people. ``late``: signed with
    less lead than the law asks for. ``letter`` holds the values of the letter as they were signed.
    """

    id: str
    dossier: str
    due_at: Instant
    new_due_at: Instant
    reason: str = field(repr=False)
    reason_key: str = ""
    state: ApologyState
    late: bool = False
    author: str
    created_at: Instant
    approver: str = ""
    signer: str = field(default="", repr=False)
    title: str = ""
    number: str = ""
    signed_at: Instant | None = None
    template: str = ""
    letter: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def episode(self) -> str:
        """The name of its delay in keys."""
        return deadline.episode(self.due_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApologyAct:
    """Who did what to an apology, when (ms), and what they said of it."""

    apology: str
    at: Instant
    act: str
    by: str
    note: str = ""


def same(one: str, other: str) -> bool:
    """Whether two user names are the same person's."""
    return one.strip().casefold() == other.strip().casefold()


def check(apology: Apology, act: str, by: str, book: Apologies) -> ApologyState:
    """The state that ``act`` by the user ``by`` leads to.

    Raises ``NotAllowedError`` where the state does not admit it, the author would approve, or
    whoever approves is not among the office's leaders.
    """
    starts, leads_to = MOVES[act]
    if apology.state not in starts:
        raise NotAllowedError(
            f"apology {apology.id} is {apology.state.value}; to {act} it, it has to be "
            + " or ".join(sorted(state.value for state in starts))
        )
    if not by.strip():
        raise NotAllowedError(f"who wants to {act} apology {apology.id} has to give a name")
    if act == "approve" and same(by, apology.author):
        raise NotAllowedError(
            f"apology {apology.id} was written by {by.strip()}; another person has to sign it"
        )
    if act == "approve" and book.signers and book.signer(by) is None:
        raise NotAllowedError(
            f"{by.strip()} is not among the leaders who may sign; they stand in apology.toml"
        )
    if act == "withdraw" and not same(by, apology.author):
        raise NotAllowedError(
            f"apology {apology.id} was written by somebody else; reject it instead"
        )
    return leads_to


def is_second(dossier: Dossier) -> bool:
    """Whether the dossier was re-appointed before: that is done at most once.

    NĐ 61/2018 art 19(9): "không quá một lần".
    """
    return dossier.facts.rescheduled is not None


def nothing_to_excuse(dossier: Dossier, statuses: Statuses) -> str:
    """Why a dossier can't be apologised for now; empty where it can."""
    if dossier.facts.due_at is None:
        return f"dossier {dossier.code} has no due date"
    if not deadline.runs(dossier, statuses):
        word = statuses.word(dossier.status, "en") or "in no known state"
        return f"the time limit of dossier {dossier.code} does not run: it is {word}"
    if deadline.is_stale(dossier, statuses):
        return (
            f"the due date of dossier {dossier.code} is from before the supplement; enter the new "
            "one in the one-stop system first"
        )
    return ""


def date_faults(
    *, due_at: Instant, new_due_at: Instant, calendar: WorkingCalendar, now: Instant
) -> tuple[str, ...]:
    """What is wrong with a new date: it is later than the old and than now, on a working day."""
    day = instant.local_date(new_due_at)
    said = f"the new date {day:%d/%m/%Y}"
    faults = []
    if day <= instant.local_date(due_at):
        faults.append(f"{said} is not later than the old one, {instant.local(due_at):%d/%m/%Y}")
    if new_due_at <= now:
        faults.append(f"{said} has passed")
    if not calendar.is_working(day):
        off = calendar.names.get(day, "")
        faults.append(f"{said} is no working day{f' ({off})' if off else ''}")
    return tuple(faults)


def reason_faults(reason: str) -> tuple[str, ...]:
    """What is wrong with a reason: the law asks for one, and it has to fit."""
    if not reason.strip():
        return ("an apology needs a reason: one of apology.toml, or words",)
    if len(reason) > LONGEST_REASON:
        return (f"the reason has {len(reason)} characters; at most {LONGEST_REASON} fit",)
    return ()


def is_late(due_at: Instant, calendar: WorkingCalendar, *, now: Instant) -> bool:
    """Whether an apology of now comes with less than the lead that is owed."""
    last_day = calendar.before(instant.local_date(due_at), LEAD)
    return instant.local_date(now) > last_day
