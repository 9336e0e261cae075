"""The books of one round: what was confirmed, what the store says, and what the provider took.

Nothing here trusts the service's own counts of what left: a phone rang when the provider says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final

from notifier.domain.message import FINAL_STATES, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.ports import AttemptRow, OutboxRow, WorkItem
    from torture.load import Case, Question
    from torture.provider import Dialect, Took

MAY_HAVE_LEFT: Final = frozenset({"accepted", "unknown", "partial", ""})
"""Attempts that own up to a message at the provider; the empty one has not ended."""

MOST_COPIES: Final = 2
"""Where nobody is asked, a message of unknown fate leaves once more and not again."""

NEVER_AGAIN: Final = frozenset({"late", "broadcast"})
"""Notices that do not leave a second time without a person."""

FORWARD: Final[Mapping[str, frozenset[str]]] = {
    "queued": frozenset({"sending", "delivered", "expired", "cancelled", "superseded"}),
    "sending": frozenset(
        {"queued", "accepted", "delivered", "failed", "unknown", "expired", "cancelled"}
    ),
    "accepted": frozenset({"delivered", "failed"}),
    "unknown": frozenset({"queued", "delivered", "failed", "expired", "cancelled", "superseded"}),
}
"""Where a message may go from each state; from a final one nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of it. ``notes``: a sentence for each fault, without a name or a number."""

    kills: int = 0
    events: int = 0
    questions: int = 0
    messages: int = 0
    lost: int = 0
    doubled_unmarked: int = 0
    doubled_marked: int = 0
    unknown_left: int = 0
    went_back: int = 0
    notes: tuple[str, ...] = field(default=())
    tally: Mapping[str, int] = field(default_factory=dict)
    """How often what happened: states at the end, faults on the way, points passed."""

    @property
    def faults(self) -> int:
        """What has to be nought."""
        return self.lost + self.doubled_unmarked + self.unknown_left + self.went_back

    def __add__(self, other: Figures) -> Figures:
        summed = {
            part.name: getattr(self, part.name) + getattr(other, part.name)
            for part in fields(self)
            if part.name != "tally"
        }
        return Figures(**summed, tally=dict(Counter(self.tally) + Counter(other.tally)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Everything that is known at the end of a round."""

    dialect: Dialect
    cases: Sequence[Case]
    questions: Sequence[Question]
    recipients: Sequence[str]
    """The keys of a broadcast's messages."""
    rows: Sequence[OutboxRow]
    attempts: Mapping[str, Sequence[AttemptRow]]
    """By the message's id."""
    work: Sequence[WorkItem]
    moves: Sequence[tuple[str, str, str]]
    took: Sequence[Took]
    faults: Sequence[str]
    """What went wrong before the books: a confirmed event that is new when it is pushed again."""
    quarantined: int
    strange: int
    """Reports with an unknown word that were acknowledged."""
    damage: str = ""


class Books:
    """Judges a round; each ``_find`` method yields a sentence a fault."""

    def __init__(self, played: Round) -> None:
        self._played = played
        self._by_key = {row.key: row for row in played.rows}
        self._about: dict[str, set[str]] = defaultdict(set)
        for row in played.rows:
            self._about[row.dossier or ""].add(row.notice)
        self._copies = Counter(took.key for took in played.took)
        self._asked_people = {item.key for item in played.work}
        self._work_about = {item.dossier for item in played.work if item.dossier}

    def figures(self) -> Figures:
        """The round in figures."""
        lost = list(self._find_lost())
        unmarked = dict(self._find_unmarked())
        left = list(self._find_left())
        back = list(self._find_back())
        return Figures(
            events=sum(len(case.confirmed) for case in self._played.cases),
            questions=len(self._played.questions),
            messages=len(self._played.rows),
            lost=len(lost),
            doubled_unmarked=len(unmarked),
            doubled_marked=len(self._doubled() - unmarked.keys()),
            unknown_left=len(left),
            went_back=len(back),
            notes=(*lost, *unmarked.values(), *left, *back),
            tally=dict(Counter(f"state {row.state.value}" for row in self._played.rows)),
        )

    def _find_lost(self) -> Iterable[str]:
        played = self._played
        yield from played.faults
        if played.damage:
            yield played.damage
        for case in played.cases:
            for notice in case.notices:
                if notice not in self._about[case.code]:
                    yield f"nobody is told that {case.code} is {notice}"
            if case.due_at is not None and case.confirmed and not self._late_is_seen_to(case):
                yield f"the due date of {case.code} passed in silence"
        for question in played.questions:
            if f"answer|sms|{question.id}" not in self._by_key:
                yield f"question {question.id} was acknowledged and is not answered"
        for key in played.recipients:
            if key not in self._by_key:
                yield f"{key} is not in the outbox"
        if played.quarantined < played.strange:
            yield f"of {played.strange} strange reports {played.quarantined} are kept"
        for row in played.rows:
            yield from self._never_left(row)

    def _late_is_seen_to(self, case: Case) -> bool:
        return "late" in self._about[case.code] or case.code in self._work_about

    def _never_left(self, row: OutboxRow) -> Iterable[str]:
        """What is said to be out and is not; what waits although nothing is in its way."""
        if row.state in {State.ACCEPTED, State.DELIVERED}:
            missing = [key for key in self._keys(row) if not self._copies[key]]
            if missing:
                yield f"{row.key} is {row.state.value}, and the provider never had it"
        elif row.state is State.QUEUED:
            yield f"{row.key} is still queued ({row.reason or 'never tried'})"
        elif row.state in FINAL_STATES and not row.reason:
            yield f"{row.key} is {row.state.value} and nobody says why"

    def _keys(self, row: OutboxRow) -> list[str]:
        """What the provider knows a message by."""
        if not self._played.dialect.by_part:
            return [row.key]
        return [f"{row.key}#{part}" for part in range(row.segments)]

    def _doubled(self) -> set[str]:
        """Keys that the provider took more than once, and keys with a text that a person has."""
        doubled = {key for key, copies in self._copies.items() if copies > 1}
        keys_of_text: dict[tuple[str, str], list[str]] = defaultdict(list)
        for took in self._played.took:
            if took.key not in keys_of_text[took.to, took.text]:
                keys_of_text[took.to, took.text].append(took.key)
        for keys in keys_of_text.values():
            doubled.update(keys[1:])
        return doubled

    def _find_unmarked(self) -> Iterable[tuple[str, str]]:
        """Texts at the provider that the attempts of their message do not show."""
        for key in self._doubled():
            if self._copies[key] == 1:
                yield key, f"{key} says to a person what another message has said already"
        for key, copies in self._copies.items():
            name = key.rpartition("#")[0] if self._played.dialect.by_part else key
            row = self._by_key.get(name)
            if row is None:
                yield key, f"the provider took {name}, which is not in the outbox"
                continue
            owned = self._owned(row)
            if copies > owned:
                yield key, f"the provider took {key} {copies} times, and {owned} attempts own up"
            elif copies > (1 if row.notice in NEVER_AGAIN else MOST_COPIES):
                yield key, f"{key} ({row.notice}) left {copies} times, and nobody was asked"

    def _owned(self, row: OutboxRow) -> int:
        """Attempts of which one could know that they may have reached the provider."""
        attempts = self._played.attempts[row.id]
        if self._played.dialect.suppresses:
            return len(attempts)
        outcomes = [attempt.outcome for attempt in attempts if attempt.outcome in MAY_HAVE_LEFT]
        # What was accepted is not sent again: of two such attempts one was made in silence.
        return len(outcomes) - max(outcomes.count("accepted") - 1, 0)

    def _find_left(self) -> Iterable[str]:
        for row in self._played.rows:
            if row.state is State.SENDING:
                yield f"{row.key} is being sent by nobody"
            elif row.state is State.UNKNOWN and f"unknown|{row.id}" not in self._asked_people:
                yield f"{row.key} is of unknown fate, and nobody is asked"

    def _find_back(self) -> Iterable[str]:
        for message, old, new in self._played.moves:
            if new not in FORWARD.get(old, frozenset()):
                yield f"message {message} went from {old} to {new}"
