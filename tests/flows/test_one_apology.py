"""Whatever order things happen in, one delay has one apology: the automatic or the signed one."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from builders import DUE, NOW, Centre, code, event, received
from doubles.clock import StillClock
from doubles.gateway import ScriptedGateway
from engines import SqliteEngine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notifier import installation as installation_files
from notifier import settings as configured
from notifier.domain import deadline, instant
from notifier.domain.apology import ApologyState
from notifier.domain.message import State
from notifier.domain.outcome import Accepted, Temporary
from notifier.errors import NotAllowedError
from notifier.flows.give_back import GiveBack
from notifier.rendering import Templates

NEW_DUE = instant.read_iso("2026-12-04T17:00")
APOLOGIES = frozenset({"late", "apology"})
NOT_SAID = frozenset({State.SUPERSEDED})


def shipped() -> Any:
    files = configured.Files(None)
    return installation_files.load(files, configured.load(files))


INSTALLATION = shipped()
TEMPLATES = Templates()


class OneApology(RuleBasedStateMachine):
    """One dossier; people, ticks, the source and the gateway act on it in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.signed = False
        self.pushes = 0
        self.returned: list[str] = []
        self.accepts = True

    @initialize()
    def a_dossier(self) -> None:
        engine = SqliteEngine(Path(self.folder.name))
        clock = StillClock()
        clock.now = NOW
        self.centre = Centre(engine.make_store, engine.look, clock, INSTALLATION, TEMPLATES)
        self.first = received()
        self.run(self.centre.store.open())
        self.run(self.centre.push(self.first))

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    # what happens

    @rule(hours=st.sampled_from([1, 10, 55, 110]))
    def time_passes(self, hours: int) -> None:
        self.centre.clock.now += hours * instant.HOUR
        self.run(self.centre.sweep())

    @rule()
    def a_tick(self) -> None:
        self.run(self.centre.sweep())

    @rule()
    def a_draft(self) -> None:
        try:
            self.run(
                self.centre.apologise.draft(
                    code(), new_due_at=NEW_DUE, reason="đo đạc", author="lan"
                )
            )
        except NotAllowedError:
            assert self.drafts() or self.signed or self.centre.clock.now >= NEW_DUE

    @precondition(lambda self: self.drafts())
    @rule(by=st.sampled_from(["minh", "minh", "lan"]))
    def a_signature(self, by: str) -> None:
        [found] = self.drafts()
        try:
            self.run(
                self.centre.apologise.approve(
                    found.id, by=by, number="1/PXL", signer="T", title="GIÁM ĐỐC"
                )
            )
        except NotAllowedError:
            assert by == "lan" or self.centre.clock.now >= NEW_DUE
        else:
            self.signed = True

    @precondition(lambda self: not self.signed)
    @rule()
    def a_draft_and_its_signature(self) -> None:
        self.a_draft()
        if self.drafts():
            self.a_signature("minh")

    @precondition(lambda self: self.drafts())
    @rule()
    def a_rejection(self) -> None:
        [found] = self.drafts()
        self.run(self.centre.apologise.reject(found.id, by="minh"))

    @rule(again=st.booleans())
    def the_source_pushes_it_again(self, again: bool) -> None:
        self.pushes += 1
        same = self.first
        if not again:
            same = event("processing", at=self.centre.clock.now, id=f"p{self.pushes}", due_at=DUE)
        self.run(self.centre.push(same))

    @rule(taken=st.booleans())
    def the_gateway_sends(self, taken: bool) -> None:
        outcome = Accepted(refs=()) if taken else Temporary(code="busy")
        self.run(self.centre.turn(self.centre.dispatcher(ScriptedGateway(usual=outcome))))

    @rule()
    def a_restart(self) -> None:
        self.run(self.centre.restart())

    @rule(taken=st.booleans())
    def the_source_is_told(self, taken: bool) -> None:
        self.accepts = taken
        flow = GiveBack(self.centre.store, self.centre.clock, self)
        self.run(flow.sweep(self.centre.clock.now))

    async def tell(self, apology: Any, now: int) -> str:
        del now
        if not self.accepts:
            return "it answered 503"
        self.returned.append(apology.id)
        return ""

    # what always holds

    def drafts(self) -> list[Any]:
        return self.run(self.centre.apologise.listed(state=ApologyState.DRAFTED))

    def said_of(self, due_at: int) -> list[Any]:
        episode = deadline.episode(due_at)
        return [
            row
            for row in self.run(self.centre.outbox())
            if row.notice in APOLOGIES and f"|{episode}|" in row.key and row.state not in NOT_SAID
        ]

    @invariant()
    def one_delay_has_one_apology(self) -> None:
        assert len(self.said_of(DUE)) <= 1
        assert len(self.said_of(NEW_DUE)) <= 1

    @invariant()
    def a_delay_that_was_seen_or_signed_for_has_one(self) -> None:
        swept = not any(
            at <= self.centre.clock.now
            for (at,) in self.centre.rows("SELECT at FROM moment WHERE notice = 'late'")
        )
        if self.signed or (swept and self.centre.clock.now > DUE + instant.MINUTE):
            assert len(self.said_of(DUE)) == 1

    @invariant()
    def a_signature_holds(self) -> None:
        found = self.run(self.centre.dossier())
        assert found.facts.due_at == (NEW_DUE if self.signed else DUE)
        assert len(self.returned) <= self.signed

    def teardown(self) -> None:
        self.run(self.centre.store.close())
        self.runner.close()
        self.folder.cleanup()


TestOneApology = OneApology.TestCase
TestOneApology.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    phases=[Phase.generate],  # making a failure small takes minutes: each step is a transaction
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
