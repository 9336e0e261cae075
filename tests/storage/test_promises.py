"""A store counts promises as the definitions do, one dossier at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from builders import NOW
from dossier_samples import dossier, event, installation
from engines import PostgresEngine, SqliteEngine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.domain import promise
from notifier.domain.dossier import Rescheduled, UnitRef
from notifier.domain.event import EventType
from notifier.domain.instant import DAY, HOUR
from notifier.domain.promise import Apologised
from notifier.domain.tally import Asked, By, Tally, tallied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.domain.promise import Promise
    from notifier.domain.tally import Key

UNITS = (
    UnitRef(code="X1", name="UBND xã Một"),
    UnitRef(code="X2", name="Sở Hai"),
    UnitRef(code="", name="Bộ phận Ba"),
)
TIMES = st.integers(0, 24).map(lambda days: NOW + days * DAY // 2)
KINDS = (
    EventType.SUBMITTED, EventType.RECEIVED, EventType.PROCESSING, EventType.SUPPLEMENT_REQUESTED,
    EventType.SUPPLEMENTED, EventType.PAYMENT_REQUESTED, EventType.PAID, EventType.STOPPED,
    EventType.REFUSED, EventType.WITHDRAWN, EventType.FINISHED, EventType.RETURNED,
    EventType.REOPENED, EventType.RESCHEDULED, EventType.CORRECTED,
)  # fmt: skip


@st.composite
def promises(draw: st.DrawFn, number: int) -> Promise:
    """Of a dossier with any history: most are plain, and some make no sense."""
    plain = [EventType.RECEIVED, EventType.FINISHED]
    kinds = draw(st.just(plain) | st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))
    when = draw(TIMES)
    events = []
    for place, kind in enumerate(kinds):
        said: dict[str, Any] = {}
        if kind is EventType.RESCHEDULED:
            said["due_at"] = draw(TIMES)
            said["rescheduled"] = Rescheduled(due_at=said["due_at"])
        elif draw(st.booleans()) or kind is EventType.RECEIVED:
            said |= {"due_at": draw(TIMES), "unit": draw(st.sampled_from(UNITS))}
            said |= {
                "procedure_code": draw(st.sampled_from(["1.001", "1.002"])),
                "procedure_field": draw(st.sampled_from(["Đất đai", "Hộ tịch"])),
            }
        when += draw(st.integers(1, 6)) * DAY // 2
        events.append(event(kind.value, when, code=f"H19.45-261118-{number:04}", **said))
        assert place < 6
    return promise.of(dossier(*events), installation())


@st.composite
def reports(draw: st.DrawFn) -> Asked:
    start = draw(TIMES)
    return Asked(
        start=start,
        at=start + draw(st.integers(0, 40)) * DAY // 2 - draw(st.integers(0, 1)) * HOUR,
        by=tuple(draw(st.lists(st.sampled_from(By), unique=True, max_size=3))),
        level=draw(st.sampled_from(["", "", "", "commune", "province"])),
        unit=draw(st.sampled_from(["", "", "", "X1", "Bộ phận Ba"])),
        field=draw(st.sampled_from(["", "", "", "Đất đai"])),
        procedure=draw(st.sampled_from(["", "", "", "1.001"])),
    )


MANY = st.integers(1, 12).flatmap(lambda count: st.tuples(*map(promises, range(count))))


class Counted:
    """A store on a loop of its own, for properties that are not coroutines."""

    def __init__(self, engine: SqliteEngine | PostgresEngine, loop: asyncio.AbstractEventLoop):
        self.engine = engine
        self.loop = loop

    def count(self, held: tuple[Promise, ...], asked: Asked) -> dict[Key, Tally]:
        return self.loop.run_until_complete(self._count(held, asked))

    async def _count(self, held: tuple[Promise, ...], asked: Asked) -> dict[Key, Tally]:
        async with self.engine.store.write() as session:
            await session.run("DELETE FROM promise")  # type: ignore[attr-defined]
            await session.put_promises(held, [one.place for one in held])
        lines: dict[Key, Tally] = {}
        async with self.engine.store.read() as session:
            for cell in await session.tally(asked):
                lines.setdefault(cell.key, Tally()).add(cell)
            codes: list[tuple[str, Key]] = []
            while page := await session.late_promises(asked, codes[-1][0] if codes else "", 2):
                codes += page
        for _, key in codes:
            lines[key].add_apologised([Apologised.SIGNED])
        return lines


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def counted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Counted]:
    loop = asyncio.new_event_loop()
    if request.param == "sqlite":
        engine: SqliteEngine | PostgresEngine = SqliteEngine(tmp_path_factory.mktemp("promises"))
        loop.run_until_complete(engine.store.open())
        yield Counted(engine, loop)
        loop.run_until_complete(engine.close())
    else:
        served = loop.run_until_complete(PostgresEngine.fresh(request.getfixturevalue("postgres")))
        yield Counted(served, loop)
        loop.run_until_complete(served.give_back())
    loop.close()


@given(MANY, reports())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_a_store_counts_as_the_definitions_do(
    counted: Counted, held: tuple[Promise, ...], asked: Asked
) -> None:
    every_late = {one.code: frozenset({Apologised.SIGNED}) for one in held}
    assert counted.count(held, asked) == tallied(held, asked, every_late)
