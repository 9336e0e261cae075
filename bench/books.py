"""The books of a simulated year: what each delay was owed, and what the store and readers say."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bench.lives import Way
from notifier.domain.apology import ApologyState
from notifier.domain.ladder import CALL
from notifier.flows.apologise import REPLACED, SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.lives import Delay
    from notifier.domain.instant import Instant
    from notifier.ports import Session

SAID: Final = frozenset({"queued", "sending", "accepted", "delivered", "unknown"})
"""Where a message is that left, may have left, or is about to."""

TAKEN: Final = frozenset({"accepted", "delivered", "unknown"})
"""Where one is that a carrier took."""

ASKED: Final = frozenset({Way.SEEN_LATE, Way.NOT_RENEWED, Way.IN_PAUSE})
"""What goes to a person, by the kind of work that it is."""

Episode = tuple[str, str]
"""A dossier's code, and the name of a due date of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One delay of one life, by the dossier's code and the due date's name."""

    code: str
    kind: str
    episode: str
    delay: Delay
    may_end: frozenset[Way]

    @property
    def key(self) -> Episode:
        """What tells it from every other delay."""
        return (self.code, self.episode)


@dataclass(slots=True, kw_only=True)
class Expected:
    """What the lives of the year come to. ``late``: codes; ``signed``: those an apology is for.

    ``seconds``: second attempts, each with the due date that stands.
    """

    owed: list[Owed] = field(default_factory=list)
    late: set[str] = field(default_factory=set)
    signed: set[str] = field(default_factory=set)
    seconds: set[Episode] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Apologised:
    """One message that apologises, as it lies in the store."""

    notice: str
    state: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Books:
    """What the store says of the year. ``violations``: a sentence each, by the dossier's code."""

    late: int = 0
    ways: Counter[Way] = field(default_factory=Counter)
    not_late: Counter[Way] = field(default_factory=Counter)
    """The same of what was in time, or stood still, and was nevertheless to be decided."""
    apologies: Counter[str] = field(default_factory=Counter)
    """Signed ones, by their state."""
    refused_seconds: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


async def keep(
    session: Session, expected: Expected, read: Mapping[Episode, int], now: Instant
) -> Books:
    """The books at ``now`` (ms). ``read``: how often an apology for each delay reached a reader."""
    found = Books(late=len(expected.late))
    reading = _Reading(session)
    messages = await reading.apologies()
    work = await reading.work()
    told = await reading.told_of_a_new_date()
    for one in expected.owed:
        rows = messages.pop(one.key, [])
        _judge(one, rows, work[one.code], read.get(one.key, 0), found, told=one.code in told)
    owed = {one.key for one in expected.owed}
    for code, episode in sorted({*messages, *read} - owed):
        found.violations.append(f"{code}: an apology for {episode}, for which none is owed")
    for code, episode in sorted(expected.seconds):
        if (f"{SECOND}|{code}|{episode}", SECOND) in work[code]:
            found.refused_seconds += 1
        else:
            found.violations.append(f"{code}: nobody was asked about a second attempt")
    _documents(await reading.documents(), expected.signed, found)
    found.counts = await reading.counts(now)
    if found.counts["undecided"]:
        found.violations.append(f"{found.counts['undecided']} due moments were not decided")
    return found


class _Reading:
    """Plain SQL, past the port: what lies in the tables, the same on every engine."""

    def __init__(self, session: Session) -> None:
        self._session: Any = session

    async def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self._session.run(sql)]

    async def apologies(self) -> dict[Episode, list[Apologised]]:
        found: defaultdict[Episode, list[Apologised]] = defaultdict(list)
        for code, episode, *rest in await self._rows(
            "SELECT dossier, episode, notice, state, reason FROM message "
            "WHERE notice IN ('late', 'apology') ORDER BY id"
        ):
            found[code, episode].append(Apologised(*rest))
        return dict(found)

    async def work(self) -> defaultdict[str, set[tuple[str, str]]]:
        """Key and kind of every item, by dossier; settled ones too."""
        found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        sql = "SELECT key, kind, dossier FROM work WHERE dossier IS NOT NULL"
        for key, kind, code in await self._rows(sql):
            found[code].add((key, kind))
        return found

    async def told_of_a_new_date(self) -> set[str]:
        sql = "SELECT dossier FROM message WHERE notice = 'rescheduled'"
        return {code for (code,) in await self._rows(sql)}

    async def documents(self) -> list[tuple[str, str]]:
        return [(code, state) for code, state in await self._rows(
            "SELECT dossier, state FROM apology"
        )]  # fmt: skip

    async def counts(self, now: Instant) -> dict[str, int]:
        counted = {
            "known": "FROM dossier",
            "events": "FROM event",
            "messages": "FROM message",
            "undecided": f"FROM moment WHERE at <= {now}",
        }
        return {
            name: (await self._rows(f"SELECT count(*) {what}"))[0][0]
            for name, what in counted.items()
        }


def _judge(
    one: Owed,
    rows: list[Apologised],
    items: set[tuple[str, str]],
    read: int,
    found: Books,
    *,
    told: bool,
) -> None:
    named = f"{one.code} ({one.kind}): {one.episode}"
    said = [row for row in rows if row.state in SAID]
    taken = [row for row in said if row.state in TAKEN]
    if len(said) > 1:
        notices = " and ".join(row.notice for row in said)
        found.violations.append(f"{named}: {notices}, which is two")
    if read != len(taken):
        found.violations.append(f"{named}: {len(taken)} apologies left, and {read} were read")
    way = _way(one, rows, items, told=told)
    (found.ways if one.delay.late else found.not_late)[way] += 1
    if way not in one.delay.ways | one.may_end:
        wanted = " or ".join(sorted(one.delay.ways | one.may_end))
        found.violations.append(f"{named}: it is {way!s}; it should be {wanted}")


def _way(one: Owed, rows: list[Apologised], items: set[tuple[str, str]], *, told: bool) -> Way:
    """What became of a delay."""
    said = {row.notice for row in rows if row.state in SAID}
    if "apology" in said:
        replaced = any(row.reason == REPLACED for row in rows)
        return Way.SIGNED_INSTEAD if replaced else Way.SIGNED
    if said:
        return Way.AUTOMATIC if one.delay.late else Way.TOLD_LATE
    # A date that the source moved itself is told in a family of its own, by the new date.
    owed = "|reappointment|" if Way.BY_SOURCE in one.delay.ways else f"|apology|{one.episode}|"
    if any(kind == CALL and owed in key for key, kind in items):
        return Way.CALL
    states = {row.state for row in rows if row.reason != REPLACED}
    if "cancelled" in states:
        return Way.REFUSED
    if "superseded" in states:
        return Way.MOVED_ON
    for key, kind in items:
        if kind in ASKED and one.episode in key:
            return Way(kind)
    return Way.BY_SOURCE if told and not rows else Way.NOTHING


def _documents(rows: list[tuple[str, str]], wanted: set[str], found: Books) -> None:
    """Each apology that was signed has gone back to the one-stop system, once a dossier."""
    found.apologies.update(state for _, state in rows)
    back = Counter(code for code, state in rows if state == ApologyState.RETURNED)
    for code in sorted(wanted | back.keys()):
        if back[code] != (code in wanted):
            found.violations.append(f"{code}: {back[code]} signed apologies were given back")
