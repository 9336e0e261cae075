"""The outbox of any store against a plain model of it: the whole of a message's life.

Reports come early, late, twice and in contradiction, by a provider's name or by our key; texts
have one part or two; processes die; people cancel. Give ``open_store`` in a subclass.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builders import GATEWAY, NOW, attempted, message
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from notifier.domain import retry
from notifier.domain.message import FINAL_STATES, Lane, Receipt, ReceiptStatus, State
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.ports import Moved, WorkItem

if TYPE_CHECKING:
    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Store

LANES = {"plain": Lane.ANSWER, "long": Lane.NOTICE, "bulk": Lane.BULK}
KEYS = list(LANES)
LONG = "long"
"""A text of two parts."""
BULK = "bulk"

DAYS = 1_000_000_000
"""Ms beyond every pause."""

SAID = st.sampled_from(
    [
        ReceiptStatus.FAILED,
        ReceiptStatus.FAILED,
        ReceiptStatus.DELIVERED,
        ReceiptStatus.DELIVERED,
        ReceiptStatus.PENDING,
    ]
)


@dataclass(slots=True)
class Try:
    """One attempt: its number, and how it ended."""

    number: int
    outcome: str = ""


@dataclass(slots=True)
class Named:
    """What the provider calls a part, or our key where it gave no name; what was said of it."""

    part: int
    said: str = ""


@dataclass(slots=True)
class Model:
    """One message."""

    made: Message
    state: State = State.QUEUED
    due: int = NOW
    tries: list[Try] = field(default_factory=list)
    names: dict[str, Named] = field(default_factory=dict)
    unknowns: int = 0
    since: int = 0
    asked: bool = False

    @property
    def own(self) -> str:
        return f"key:{self.made.key}"

    @property
    def taken(self) -> tuple[int, ...]:
        return tuple(sorted({n.part for name, n in self.names.items() if name != self.own}))

    def name(self, name: str, part: int) -> None:
        self.names.setdefault(name, Named(part))

    def hear(self, name: str, said: str) -> None:
        """A new report; by our key it speaks of all parts, but see ``_speaks_of``."""
        for known, named in self.names.items():
            if not named.said and self._speaks_of(name, known, said):
                named.said = said
        self.conclude()

    def _speaks_of(self, name: str, known: str, said: str) -> bool:
        if name != self.own:
            return name == known
        nameless = self.names.get(self.own)
        open_ = nameless is not None and nameless.said == "" and known != self.own
        return said == "delivered" or not open_

    def catch_up(self, fresh: set[str], kept: list[tuple[str, str, int]]) -> None:
        """Reports that came before the names ``fresh``; the first of each counts."""
        in_order = sorted(kept, key=lambda one: (one[2], one[1]))
        for name in fresh:
            others = name != self.own and self.own in self.names
            fit = [
                said
                for reported, said, _ in in_order
                if reported == name
                or (reported == self.own and (said == "delivered" or not others))
            ]
            if fit and not self.names[name].said:
                self.names[name].said = fit[0]
        self.conclude()

    def conclude(self) -> None:
        parts: dict[int, list[tuple[bool, str]]] = {}
        for name, named in self.names.items():
            parts.setdefault(named.part, []).append((name == self.own, named.said))
        fates = [_fate(tries) for tries in parts.values()]
        nameless = self.names.get(self.own)
        whole = nameless is not None and nameless.said == "delivered"
        match self.state:
            case State.ACCEPTED | State.UNKNOWN if "failed" in fates:
                self.state = State.FAILED
            case State.ACCEPTED | State.UNKNOWN if fates and "" not in fates:
                self.state = State.DELIVERED
            case State.QUEUED if whole and "failed" not in fates:
                self.state = State.DELIVERED
            case _:
                pass


def _fate(tries: list[tuple[bool, str]]) -> str:
    """Of one part: delivered when a try was; failed when the last was, which has a name."""
    if any(said == "delivered" for _, said in tries):
        return "delivered"
    named = [said for nameless, said in tries if not nameless]
    return "failed" if "failed" in (named or [said for _, said in tries]) else ""


FORWARD: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset(State) - {State.ACCEPTED, State.FAILED, State.UNKNOWN},
    State.SENDING: frozenset(State) - {State.SUPERSEDED},
    State.ACCEPTED: frozenset({State.DELIVERED, State.FAILED}),
    State.UNKNOWN: frozenset(State) - {State.SENDING, State.ACCEPTED},
    **dict.fromkeys(FINAL_STATES, frozenset[State]()),
}


class OutboxModel(RuleBasedStateMachine):
    """The machine; take its ``TestCase``."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now = NOW
        self.held: dict[str, Model] = {}
        self.kept: list[tuple[str, str, int]] = []
        self.before: dict[str, State] = {}
        self.numbers = 0
        self.store = self.runner.run(self.open_store())

    async def open_store(self) -> Store:
        raise NotImplementedError

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()

    def write(self, act: str, *arguments: Any) -> Any:
        async def one() -> Any:
            async with self.store.write() as session:
                return await getattr(session, act)(*arguments)

        return self.runner.run(one())

    def read(self, act: str, *arguments: Any, **named: Any) -> Any:
        async def one() -> Any:
            async with self.store.read() as session:
                return await getattr(session, act)(*arguments, **named)

        return self.runner.run(one())

    def some(self, data: st.DataObject, *states: State) -> Model:
        keys = sorted(key for key, held in self.held.items() if held.state in states)
        return self.held[data.draw(st.sampled_from(keys))]

    def any_in(self, *states: State) -> bool:
        return any(held.state in states for held in self.held.values())

    def new_name(self) -> str:
        self.numbers += 1
        return f"r{self.numbers}"

    # rules

    @rule(span=st.sampled_from([1, 1_000, 60_000]))
    def wait(self, span: int) -> None:
        self.now += span

    @initialize()
    def queue_one(self) -> None:
        self.queue(KEYS[:1])

    @rule(keys=st.lists(st.sampled_from(KEYS), max_size=4))
    def queue(self, keys: list[str]) -> None:
        made = [
            message(
                key,
                lane=LANES[key],
                at=self.now,
                text="Ho so cua Ong/Ba da co ket qua. " * (8 if key == LONG else 1),
                broadcast="b" if key == BULK else None,
                best_before=self.now + 10 * DAYS,
            )
            for key in keys
        ]
        assert self.write("add_messages", made) == set(keys) - set(self.held)
        for new in made:
            self.held.setdefault(new.key, Model(made=new, due=self.now))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Asked for whatever their state is; those that are queued begin."""
        keys = st.lists(st.sampled_from(sorted(self.held)), unique=True, min_size=1)
        self.begin_these(data.draw(keys))

    def begin_these(self, keys: list[str]) -> None:
        given = self.read("messages", [self.held[key].made.id for key in keys])
        assert [m.accepted_parts for m in given] == [self.held[key].taken for key in keys]
        begun = self.write("begin_attempts", given, GATEWAY, "test:1", self.now)
        assert [m.key for m in begun] == [k for k in keys if self.held[k].state is State.QUEUED]
        for sent in begun:
            held = self.held[sent.key]
            held.state, held.made = State.SENDING, sent
            held.tries.append(Try(len(held.tries) + 1))
            assert sent.attempts == len(held.tries)

    @precondition(lambda self: self.any_in(State.SENDING))
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        self.end_one(self.some(data, State.SENDING), data)

    def end_one(self, held: Model, data: st.DataObject, likely: tuple[Outcome, ...] = ()) -> None:
        outcome = data.draw(st.sampled_from([*self.outcomes(held), *likely * 3]))
        sent = held.made
        verdict = retry.verdict(sent, outcome, now=self.now)
        self.write("end_attempts", [attempted(sent, outcome, verdict)], self.now)
        held.state = verdict.state
        held.due = verdict.not_before or held.due
        held.tries[-1].outcome = type(outcome).__name__.lower()
        if not verdict.counts:
            held.tries.pop()
        if verdict.state is State.UNKNOWN:
            held.unknowns, held.since = held.unknowns + 1, self.now
        self.named_by(held, outcome)

    @precondition(lambda self: self.any_in(State.QUEUED))
    @rule(data=st.data())
    def attempt(self, data: st.DataObject) -> None:
        """One from its beginning to its end, with nothing in between."""
        held = self.some(data, State.QUEUED)
        self.begin_these([held.made.key])
        self.states_move_forward()
        self.end_one(held, data, likely=(Unknown(code="timeout"), Permanent(code="E7")))

    @precondition(lambda self: self.any_in(State.UNKNOWN))
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        self.move_one(self.some(data, State.UNKNOWN), State.QUEUED)

    def outcomes(self, held: Model) -> list[Outcome]:
        """What a provider may say; names are only used up where they are chosen."""
        open_ = [p for p in range(held.made.plan.segments) if p not in held.made.accepted_parts]
        names = tuple(f"r{self.numbers + n + 1}" for n in range(len(open_)))
        plain: list[Outcome] = [
            Accepted(refs=names),
            Accepted(refs=names, duplicate=True),
            Throttled(retry_after=1_000),
            Temporary(code="busy"),
            Permanent(code="E7"),
            Permanent(code="locked", scope=Scope.ACCOUNT),
            OptedOut(code="stop"),
            Unknown(code="timeout"),
        ]
        if len(open_) < 2:
            return [*plain, Accepted()]
        done = ((open_[0], names[0]),)
        rests = (
            Temporary(code="busy"),
            Permanent(code="E7"),
            Permanent(code="locked", scope=Scope.ACCOUNT),
            Unknown(code="timeout"),
        )
        return [*plain, *(Partial(done=done, rest=rest) for rest in rests)]

    def named_by(self, held: Model, outcome: Outcome) -> None:
        before = set(held.names)
        segments = held.made.plan.segments
        open_ = [p for p in range(segments) if p not in held.made.accepted_parts]
        if isinstance(outcome, Accepted) and outcome.refs:
            for part, name in zip(open_, outcome.refs, strict=True):
                held.name(name, part)
        else:
            done = dict(outcome.done) if isinstance(outcome, Partial) else {}
            for part, name in done.items():
                held.name(name, part)
            if held.state in {State.ACCEPTED, State.UNKNOWN}:
                held.name(held.own, next((p for p in open_ if p not in done), 0))
        fresh = set(held.names) - before
        self.numbers += sum(name != held.own for name in fresh)
        held.catch_up(fresh, self.kept)

    @rule(
        data=st.data(), batch=st.lists(st.tuples(st.integers(0, 5), SAID), min_size=1, max_size=2)
    )
    def report(self, data: st.DataObject, batch: list[tuple[int, ReceiptStatus]]) -> None:
        """Of a name that there is, of one that the provider gives next, or of a key."""
        receipts: list[Receipt] = []
        for choice, said in batch:
            if choice < len(KEYS):
                receipts.append(Receipt(ref=KEYS[choice], status=said, by_key=True))
            else:
                near = range(max(1, self.numbers - 1), self.numbers + 3)
                ref = f"r{data.draw(st.sampled_from(near))}"
                receipts.append(Receipt(ref=ref, status=said))
        self.told(receipts)

    @precondition(lambda self: any(held.names for held in self.held.values()))
    @rule(data=st.data(), said=SAID)
    def report_of_one(self, data: st.DataObject, said: ReceiptStatus) -> None:
        """Of a name that a message has, whatever became of it since."""
        held = self.held[data.draw(st.sampled_from([k for k, h in self.held.items() if h.names]))]
        name = data.draw(st.sampled_from(sorted(held.names)))
        by_key = name == held.own
        self.told([Receipt(ref=held.made.key if by_key else name, status=said, by_key=by_key)])

    def told(self, receipts: list[Receipt]) -> None:
        self.write("add_receipts", GATEWAY, receipts, self.now)
        known = {(name, said) for name, said, _ in self.kept}
        for receipt in receipts:
            name = f"key:{receipt.ref}" if receipt.by_key else receipt.ref
            if receipt.status is ReceiptStatus.PENDING or (name, receipt.status) in known:
                continue
            known.add((name, receipt.status))
            self.kept.append((name, receipt.status.value, self.now))
            for held in self.held.values():
                if name in {held.own, *held.names}:
                    held.hear(name, receipt.status.value)

    @precondition(lambda self: self.held)
    @rule(
        data=st.data(),
        to=st.sampled_from([State.QUEUED, State.EXPIRED, State.SUPERSEDED]),
    )
    def move(self, data: st.DataObject, to: State) -> None:
        self.move_one(self.some(data, *State), to)

    def move_one(self, held: Model, to: State) -> None:
        may = held.state in {State.QUEUED, State.UNKNOWN}
        moved = Moved(id=held.made.id, state=to, reason="moved", not_before=self.now)
        assert self.write("move", [moved], self.now) == may
        if may:
            held.state, held.due = to, self.now

    @rule()
    def die(self) -> None:
        left = [held for held in self.held.values() if held.state is State.SENDING]
        assert self.write("abandon_sending", self.now) == len(left)
        for held in left:
            held.state = State.UNKNOWN
            held.unknowns, held.since = held.unknowns + 1, self.now
            held.tries[-1].outcome = "unknown"
            fresh = {held.own} - set(held.names)
            held.name(held.own, max((n.part + 1 for n in held.names.values()), default=0))
            held.catch_up(fresh, self.kept)

    @precondition(lambda self: self.any_in(State.UNKNOWN))
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """People are asked; from then on nobody else decides."""
        held = self.some(data, State.UNKNOWN)
        self.write("add_work", [WorkItem(key=f"unknown|{held.made.id}", kind="unknown")])
        held.asked = True

    @rule()
    def cancel(self) -> None:
        held = self.held.get(BULK)
        may = held is not None and held.state is State.QUEUED
        assert self.write("cancel_broadcast", "b", "aborted", self.now) == may
        if held is not None and may:
            held.state = State.CANCELLED

    # what holds

    @invariant()
    def the_store_agrees(self) -> None:
        rows = self.read("outbox")
        assert {row.key: (row.state, row.attempts) for row in rows} == {
            key: (held.state, len(held.tries)) for key, held in self.held.items()
        }
        for row in rows:
            history = self.read("attempts", row.id)
            tries = self.held[row.key].tries
            assert [(a.number, a.outcome) for a in history] == [
                (t.number, t.outcome) for t in tries
            ]
            open_ = [attempt for attempt in history if attempt.ended_at is None]
            assert len(open_) == (row.state is State.SENDING)

    @invariant()
    def what_waits_is_queued_and_due(self) -> None:
        waiting = self.read("waiting", "sms", GATEWAY, self.now, 10)
        due = [h for h in self.held.values() if h.state is State.QUEUED and h.due <= self.now]
        assert sorted(candidate.id for candidate in waiting) == sorted(h.made.id for h in due)

    @invariant()
    def what_is_unknown_is_decided_or_asked_about(self) -> None:
        found = self.read("unknown", self.now, 10)
        assert sorted((one.message.key, one.times) for one in found) == sorted(
            (key, held.unknowns)
            for key, held in self.held.items()
            if held.state is State.UNKNOWN and not held.asked
        )

    @invariant()
    def states_move_forward(self) -> None:
        for key, held in self.held.items():
            was = self.before.get(key, State.QUEUED)
            assert held.state is was or held.state in FORWARD[was], f"{was} to {held.state}"
        self.before = {key: held.state for key, held in self.held.items()}
