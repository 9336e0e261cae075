"""The contract every store keeps, as one suite; an engine is added by one fixture.

Inherit each ``...Contract`` as ``Test...`` beside a fixture ``engine`` that gives an ``Engine``,
and ``OutboxMachine`` with an ``open_engine`` of your own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from builders import (
    AGENT_PHONE,
    DUE,
    GATEWAY,
    NAME,
    NOW,
    PHONE,
    attempted,
    begin,
    code,
    event,
    inbound,
    message,
    received,
)

from notifier.domain import retry
from notifier.domain.admission import Bucket
from notifier.domain.apology import Apology, ApologyState
from notifier.domain.audience import Recipient
from notifier.domain.broadcast import Broadcast, BroadcastState
from notifier.domain.consent import EVERYTHING, Refusal
from notifier.domain.conversation import Said
from notifier.domain.deadline import Moment
from notifier.domain.dossier import (
    Document,
    Dossier,
    Facts,
    Fee,
    Rescheduled,
    SupplementRequest,
    UnitRef,
    apply,
)
from notifier.domain.instant import HOUR
from notifier.domain.message import (
    Address,
    Lane,
    Message,
    Receipt,
    ReceiptStatus,
    State,
)
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
from notifier.domain.promise import Apologised, Place, Promise, Standing
from notifier.domain.promise import Kept as HowKept
from notifier.domain.segments import plan_plain, plan_sms
from notifier.domain.tally import Asked, By
from notifier.errors import StoreBusyError, StoreError
from notifier.ports import Fragment, Heard, Kept, Moved, Quarantined, Told, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifier.domain.outcome import Outcome
    from notifier.ports import OutboxRow, Session, Store


class Engine(Protocol):
    """An open, empty store, and what a test may ask of its engine beside the contract."""

    store: Store

    async def another(self) -> Store:
        """The same data as a second process opens it; the engine closes it at the end."""

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What another connection finds by plain SQL: for what is kept and never given back."""

    takes_turns: bool
    """Whether one write waits for the end of any other."""

    async def now(self) -> int:
        """The clock that rates go by (ms); ``builders.NOW`` where they go by what they are told."""

    async def later(self, span: int, session: Session | None = None) -> None:
        """Move that clock by ``span`` ms as far as rates can tell, in ``session`` where given.

        Does nothing where they go by what they are told.
        """

    async def close(self) -> None:
        """Close everything, and leave nothing behind."""


LONG = "Ho so cua Ong/Ba da co ket qua. " * 8
"""Two SMS."""


async def queue(store: Store, *messages: Message) -> None:
    async with store.write() as session:
        await session.add_messages(messages)


async def send(store: Store, sent: Message, outcome: Outcome, gateway: str = GATEWAY) -> Message:
    """One attempt from its journal entry to its record; the message as the gateway saw it."""
    async with store.write() as session:
        [current] = await session.messages([sent.id])
        [begun] = await session.begin_attempts([current], gateway, "test:1", NOW)
        await end(session, begun, outcome, gateway)
    return begun


async def end(session: Session, begun: Message, outcome: Outcome, gateway: str = GATEWAY) -> None:
    verdict = retry.verdict(begun, outcome, now=NOW)
    await session.end_attempts([attempted(begun, outcome, verdict, gateway)], NOW)


async def report(store: Store, *receipts: Receipt, gateway: str = GATEWAY) -> None:
    async with store.write() as session:
        await session.add_receipts(gateway, receipts, NOW)


async def shown(store: Store, sent: Message) -> OutboxRow:
    async with store.read() as session:
        row = await session.outbox_row(sent.id)
    assert row is not None
    return row


async def state_of(store: Store, sent: Message) -> State:
    return (await shown(store, sent)).state


def delivered(ref: str, *, by_key: bool = False) -> Receipt:
    return Receipt(ref=ref, status=ReceiptStatus.DELIVERED, by_key=by_key)


def undelivered(ref: str, *, by_key: bool = False) -> Receipt:
    return Receipt(ref=ref, status=ReceiptStatus.FAILED, code="ABSENT", by_key=by_key)


# ----------------------------------------------------------------------------------- transactions


class TransactionContract:
    """What ``write`` and ``read`` promise."""

    async def test_what_is_committed_is_seen_by_another_process(self, engine: Engine) -> None:
        await queue(engine.store, message())
        other = await engine.another()
        async with other.read() as session:
            assert [row.key for row in await session.outbox()] == ["notice-1"]

    async def test_nothing_is_seen_before_the_commit(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_messages([message()])
            async with engine.store.read() as beside:
                assert await beside.outbox() == []

    async def test_an_error_undoes_the_whole_block(self, engine: Engine) -> None:
        async def fail() -> None:
            async with engine.store.write() as session:
                await session.add_messages([message()])
                await session.add_events([event()], NOW)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        async with engine.store.write() as session:
            assert await session.outbox() == []
            assert await session.add_events([event()], NOW) == [True]

    async def test_a_cancelled_block_is_undone_and_blocks_nobody(self, engine: Engine) -> None:
        inside = asyncio.Event()

        async def half() -> None:
            async with engine.store.write() as session:
                await session.add_messages([message("half")])
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(half())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await queue(engine.store, message("whole"))
        async with engine.store.read() as session:
            assert [row.key for row in await session.outbox()] == ["whole"]

    @pytest.mark.parametrize("steps", range(12))
    async def test_a_cancellation_at_any_step_blocks_nobody(
        self, engine: Engine, steps: int
    ) -> None:
        """Whatever the connection was doing, the next transaction finds it free."""

        async def work() -> None:
            async with engine.store.read() as session:
                await session.outbox()
            async with engine.store.write() as session:
                await session.add_messages([message(f"cancelled after {steps}")])

        task = asyncio.create_task(work())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for number in range(3):
            await queue(engine.store, message(f"after {number}"))
            async with engine.store.read() as session:
                keys = {row.key for row in await session.outbox()}
            assert f"after {number}" in keys

    async def test_a_reader_sees_one_moment(self, engine: Engine) -> None:
        async with engine.store.read() as session:
            assert await session.outbox() == []
            await queue(engine.store, message())
            assert await session.outbox() == []

    async def test_a_reader_writes_nothing(self, engine: Engine) -> None:
        with pytest.raises(Exception, match=r"(?i)read|query.only"):
            async with engine.store.read() as session:
                await session.add_messages([message()])
        async with engine.store.read() as session:
            assert await session.outbox() == []

    async def test_writers_take_turns(self, engine: Engine) -> None:
        """Ten at once, none of them lost, none of them refused."""
        await asyncio.gather(*(queue(engine.store, message(f"m{n}")) for n in range(10)))
        async with engine.store.read() as session:
            assert len(await session.outbox()) == 10

    async def test_a_second_process_writes_beside_the_first(self, engine: Engine) -> None:
        other = await engine.another()
        await asyncio.gather(
            *(queue(engine.store, message(f"a{n}")) for n in range(5)),
            *(queue(other, message(f"b{n}")) for n in range(5)),
        )
        async with engine.store.read() as session:
            assert len(await session.outbox()) == 10

    async def test_a_closed_store_says_so(self, engine: Engine) -> None:
        await engine.store.close()
        with pytest.raises(StoreError):
            async with engine.store.write():
                raise AssertionError
        with pytest.raises(StoreError):
            async with engine.store.read():
                raise AssertionError

    async def test_closing_twice_is_harmless(self, engine: Engine) -> None:
        await engine.store.close()
        await engine.store.close()


class ConcurrencyContract:
    """Several connections and processes at once: nothing is lost, nothing happens twice."""

    async def test_no_change_of_a_dossier_is_lost(self, engine: Engine) -> None:
        """Whoever holds the code reads what the one before wrote; the dossier is new to all."""
        stores = [engine.store, await engine.another(), await engine.another()]

        async def change(number: int) -> None:
            async with stores[number % 3].write() as session:
                await session.hold([code(1), code(2)])
                held = await session.dossiers([code(1), code(2)])
                await asyncio.sleep(0)
                taken = [
                    event("corrected", number=n, at=NOW + number, handler=f"H{number}")
                    for n in (1, 2)
                ]
                await session.put_dossiers(
                    [apply(held.get(one.code), one, now=NOW) for one in taken], NOW
                )

        await asyncio.gather(*map(change, range(15)))
        async with engine.store.read() as session:
            found = await session.dossiers([code(1), code(2)])
        assert [len(found[code(n)].steps) for n in (1, 2)] == [15, 15]
        assert {held.facts.handler for held in found.values()} == {"H14"}

    async def test_names_are_held_in_any_order(self, engine: Engine) -> None:
        """Nobody waits for somebody who waits for him."""
        stores = [engine.store, await engine.another()]
        names = [code(n) for n in range(20)] + [f"sms:{PHONE}"]

        async def hold(number: int) -> None:
            async with stores[number % 2].write() as session:
                await session.hold(names if number % 3 else names[::-1])
                await session.hold([])

        await asyncio.gather(*map(hold, range(12)))

    async def test_a_message_begins_once(self, engine: Engine) -> None:
        """Five claim at once, from three connections, whatever waits."""
        stores = [engine.store, await engine.another(), await engine.another()]
        await queue(engine.store, *(message(f"m{n:02}") for n in range(40)))

        async def claim(number: int) -> list[str]:
            keys: list[str] = []
            for _ in range(4):
                async with stores[number % 3].write() as session:
                    waiting = await session.waiting("sms", GATEWAY, NOW, 5)
                    found = await session.messages([candidate.id for candidate in waiting])
                    begun = await session.begin_attempts(found, GATEWAY, f"test:{number}", NOW)
                    keys += [sent.key for sent in begun]
            return keys

        claimed = [key for keys in await asyncio.gather(*map(claim, range(5))) for key in keys]
        assert sorted(claimed) == [f"m{n:02}" for n in range(40)]

    async def test_the_same_messages_at_once_begin_once(self, engine: Engine) -> None:
        stores = [engine.store, await engine.another()]
        sent = [message(f"m{n}") for n in range(10)]
        await queue(engine.store, *sent)

        async def claim(number: int) -> int:
            async with stores[number % 2].write() as session:
                asked = sent if number % 2 else sent[::-1]
                return len(await session.begin_attempts(asked, GATEWAY, f"test:{number}", NOW))

        assert sum(await asyncio.gather(*map(claim, range(6)))) == 10

    async def test_the_same_things_at_once_are_new_once(self, engine: Engine) -> None:
        stores = [engine.store, await engine.another(), await engine.another()]

        async def add(number: int) -> tuple[int, int, int]:
            way = 1 if number % 2 else -1
            async with stores[number % 3].write() as session:
                events = await session.add_events([event(id=str(n)) for n in range(9)][::way], NOW)
                heard = [
                    Heard(gateway=GATEWAY, inbound=inbound("HS", key=str(n))) for n in range(9)
                ]
                questions = await session.add_inbound(heard[::way], NOW)
                added = await session.add_messages([message(f"m{n}") for n in range(9)][::way])
                await session.add_work(
                    [WorkItem(key=f"w{n}", kind="late") for n in range(9)][::way]
                )
            return sum(events), sum(questions), len(added)

        added = await asyncio.gather(*map(add, range(6)))
        assert [sum(column) for column in zip(*added, strict=True)] == [9, 9, 9]

    async def test_what_the_living_send_is_not_abandoned(self, engine: Engine) -> None:
        living, dead = message("living"), message("dead")
        await queue(engine.store, living, dead)
        await engine.store.dispatch_alone("host:1:now")
        async with engine.store.write() as session:
            await session.begin_attempts([living], GATEWAY, "host:1:now", NOW)
            await session.begin_attempts([dead], GATEWAY, "host:1:before", NOW)
        async with engine.store.write() as session:
            assert await session.abandon_sending(NOW) == 1
        assert await state_of(engine.store, living) is State.SENDING
        assert await state_of(engine.store, dead) is State.UNKNOWN
        async with engine.store.read() as session:
            [attempt] = await session.attempts(living.id)
        assert attempt.ended_at is None

    async def test_who_was_closed_is_dead(self, engine: Engine) -> None:
        first = await engine.another()
        await queue(engine.store, message())
        await first.dispatch_alone("host:1:a")
        async with first.write() as session:
            await session.begin_attempts([message()], GATEWAY, "host:1:a", NOW)
        await first.close()
        await engine.store.dispatch_alone("host:1:b")
        async with engine.store.write() as session:
            assert await session.abandon_sending(NOW) == 1


class DispatchAloneContract:
    """For engines on which one process at a time may dispatch."""

    async def test_a_second_process_is_refused(self, engine: Engine) -> None:
        await engine.store.dispatch_alone("test:1")
        other = await engine.another()
        with pytest.raises(StoreBusyError):
            await other.dispatch_alone("test:1")

    async def test_it_may_once_the_first_is_gone(self, engine: Engine) -> None:
        await engine.store.dispatch_alone("test:1")
        other = await engine.another()
        await engine.store.close()
        await other.dispatch_alone("test:1")

    async def test_a_refused_process_still_reads_and_writes(self, engine: Engine) -> None:
        await engine.store.dispatch_alone("test:1")
        other = await engine.another()
        with pytest.raises(StoreBusyError):
            await other.dispatch_alone("test:1")
        await queue(other, message())
        assert await state_of(engine.store, message()) is State.QUEUED


# ---------------------------------------------------------------------------------------- dossiers

FULL = Facts(
    status=6,
    procedure_code="1.005129",
    procedure_name="Đăng ký biến động",
    procedure_field="Đất đai",
    unit=UnitRef(code="H19.45", name="UBND phường"),
    from_unit=UnitRef(code="H19.46"),
    handler="Bộ phận thẩm định",
    applicant_name=NAME,
    applicant_phone=PHONE,
    applicant_email="a@example.invalid",
    applicant_kind="person",
    agent_name="Người Được Uỷ Quyền",
    agent_phone="0987000111",
    agent_email="b@example.invalid",
    agent_kind="person",
    consent_sms=True,
    consent_email=False,
    consent_zalo=False,
    received_at=NOW,
    due_at=DUE,
    finished_at=DUE + 1,
    returned_at=DUE + 2,
    rescheduled=Rescheduled(
        due_at=DUE,
        reason="chờ thẩm định",
        document=Document(number="12/PXL", date="2026-11-20", signer="Trần Văn Mẫu", title="PGĐ"),
    ),
    supplement=(SupplementRequest(what="Bản sao trích lục", by="A", requested_at=NOW),),
    fees=(Fee(name="Lệ phí", amount=1_250_000, paid=True), Fee(name="Phí", amount=0)),
    reason="chờ xác minh",
    return_by="post",
    limit="5d",
)


def dossier(number: int = 1, **carried: Any) -> Dossier:
    return apply(None, received(number, **carried), now=NOW)


def due(number: int, notice: str, at: int, episode: str = "e") -> Moment:
    return Moment(code=code(number), notice=notice, at=at, episode=episode)


class DossierContract:
    """Dossiers, events and due moments."""

    async def test_an_event_is_new_once(self, engine: Engine) -> None:
        first, other = event(id="1"), event(id="2")
        async with engine.store.write() as session:
            assert await session.add_events([first, other, first], NOW) == [True, True, False]
        async with engine.store.write() as session:
            assert await session.add_events([first, event(id="3")], NOW) == [False, True]

    async def test_an_event_is_known_by_source_and_id(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            assert await session.add_events(
                [event(id="1"), replace(event(id="1"), source="urn:another")], NOW
            ) == [True, True]

    async def test_no_events_are_no_events(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            assert await session.add_events([], NOW) == []

    def test_the_full_dossier_is_full(self) -> None:
        assert not [part.name for part in fields(Facts) if getattr(FULL, part.name) is None]

    async def test_a_full_dossier_comes_back_as_it_was(self, engine: Engine) -> None:
        before = dossier()
        for name in (f.name for f in fields(Facts)):
            value = getattr(FULL, name)
            before = apply(
                before, event("corrected", at=NOW + 1, id=name, **{name: value}), now=NOW
            )
        async with engine.store.write() as session:
            await session.put_dossiers([before], NOW)
        async with engine.store.read() as session:
            [after] = (await session.dossiers([before.code])).values()
        assert after == before
        assert after.facts == FULL
        assert after.steps == before.steps
        assert after.stamps == before.stamps

    async def test_a_dossier_goes_on_from_where_it_stood(self, engine: Engine) -> None:
        """What comes back takes the next event, and refuses an older one, as before."""
        async with engine.store.write() as session:
            await session.put_dossiers([dossier(status=4)], NOW)
        async with engine.store.read() as session:
            [held] = (await session.dossiers([code()])).values()
        older = event("submitted", at=NOW - 1)
        newer = event("finished", at=NOW + 1)
        assert apply(held, older, now=NOW).status == 4
        assert apply(held, newer, now=NOW).status == 9

    async def test_putting_again_replaces(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.put_dossiers([dossier(), dossier(2)], NOW)
            await session.put_dossiers([dossier(reason="đổi")], NOW)
            found = await session.dossiers([code(1), code(2), code(3), code(1)])
        assert {key: held.facts.reason for key, held in found.items()} == {
            code(1): "đổi",
            code(2): None,
        }

    async def test_dossiers_are_listed_by_code_in_pages(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.put_dossiers([dossier(n) for n in (3, 1, 2)], NOW)
            first = await session.list_dossiers("", 2)
            rest = await session.list_dossiers(first[-1].code, 2)
        assert [held.code for held in first + rest] == [code(1), code(2), code(3)]

    async def test_more_than_one_statement_holds(self, engine: Engine) -> None:
        many = [dossier(n) for n in range(1, 1_251)]
        async with engine.store.write() as session:
            await session.put_dossiers(many, NOW)
            assert len(await session.dossiers([held.code for held in many])) == 1_250
            assert len(await session.list_dossiers("", 2_000)) == 1_250

    async def test_moments_fall_due_oldest_first(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.plan_moments(
                {
                    code(1): [due(1, "late", NOW), due(1, "due_soon", NOW - 2)],
                    code(2): [due(2, "late", NOW + 1), due(2, "due_soon", NOW - 1)],
                }
            )
            assert [m.at for m in await session.due_moments(NOW, 10)] == [NOW - 2, NOW - 1, NOW]
            assert await session.due_moments(NOW, 1) == [due(1, "due_soon", NOW - 2)]

    async def test_a_plan_replaces_the_plan_of_its_dossier(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.plan_moments({code(1): [due(1, "late", 1), due(1, "due_soon", 2)]})
            await session.plan_moments({code(2): [due(2, "late", 3)]})
            await session.plan_moments({code(1): [due(1, "late", 4, "new")]})
            assert await session.due_moments(NOW, 10) == [
                due(2, "late", 3),
                due(1, "late", 4, "new"),
            ]
            await session.plan_moments({code(2): []})
            assert await session.due_moments(NOW, 10) == [due(1, "late", 4, "new")]

    async def test_what_is_decided_is_dropped_and_what_was_planned_since_is_not(
        self, engine: Engine
    ) -> None:
        async with engine.store.write() as session:
            await session.plan_moments({code(1): [due(1, "late", 1, "old")]})
            decided = await session.due_moments(NOW, 10)
            await session.plan_moments({code(1): [due(1, "late", 2, "new")]})
            await session.drop_moments(decided)
            assert await session.due_moments(NOW, 10) == [due(1, "late", 2, "new")]
            await session.drop_moments([due(1, "late", 1, "new")])  # it was put off since
            assert await session.due_moments(NOW, 10) == [due(1, "late", 2, "new")]
            await session.drop_moments([due(1, "late", 2, "new")])
            assert await session.due_moments(NOW, 10) == []

    async def test_a_notice_has_a_moment_for_each_occasion(self, engine: Engine) -> None:
        moments = [due(1, "late", 1, "1.1"), due(1, "late", 2, "1.2")]
        async with engine.store.write() as session:
            await session.plan_moments({code(1): moments})
            assert await session.due_moments(NOW, 10) == moments
            await session.drop_moments(moments[:1])
            assert await session.due_moments(NOW, 10) == moments[1:]

    async def test_what_falls_due_earliest_first(self, engine: Engine) -> None:
        def at(number: int, when: int | None, status: int = 4) -> Dossier:
            return dossier(number, due_at=when, status=status)

        async with engine.store.write() as session:
            await session.put_dossiers(
                [
                    at(5, NOW + 1), at(2, NOW), at(1, NOW), at(3, NOW - 5, 2), at(4, NOW, 9),
                    at(6, None), at(7, NOW + 9),
                ],
                NOW,
            )  # fmt: skip

            async def found(*args: Any, **more: Any) -> list[str]:
                return [one.code for one in await session.due(*args, **more)]

            running = [2, 4]
            assert await found(running, NOW + 1, 10) == [code(n) for n in (3, 1, 2, 5)]
            assert await found([4], NOW + 1, 2) == [code(1), code(2)]
            behind = (NOW, code(1))
            assert await found(running, NOW + 1, 10, behind=behind) == [code(2), code(5)]
            assert await found(running, NOW - 6, 10) == []
            assert await found([], NOW, 10) == []

    async def test_staff_are_told_of_a_due_date_once_under_each_name(self, engine: Engine) -> None:
        told = Told(subject=code(1), name="soon", at=NOW)
        async with engine.store.write() as session:
            await session.put_dossiers([dossier(1, due_at=NOW), dossier(2, due_at=NOW)], NOW)
            assert await session.add_told([told, told], NOW) == [True, False]
            others = [told, replace(told, name="late"), replace(told, at=NOW + 1)]
            assert await session.add_told(others, NOW) == [False, True, True]
            assert await session.add_told([], NOW) == []
            untold = await session.due([2, 4], NOW, 10, untold="soon")
            assert [one.code for one in untold] == [code(2)]
            assert len(await session.due([2, 4], NOW, 10, untold="other")) == 2
            await session.put_dossiers([dossier(1, due_at=NOW + 2)], NOW)  # another date
            untold = await session.due([2, 4], NOW + 2, 10, untold="soon")
            assert [one.code for one in untold] == [code(2), code(1)]

    async def test_the_dossiers_of_a_number_latest_change_first(self, engine: Engine) -> None:
        """Whether it is the applicant's or the agent's; at most 20."""
        mine, agents = Address("sms", PHONE), Address("sms", AGENT_PHONE)
        async with engine.store.write() as session:
            await session.put_dossiers([dossier(1), dossier(3, agent_phone=AGENT_PHONE)], NOW)
            await session.put_dossiers([dossier(2, agent_phone=PHONE)], NOW + 1)
            found = await session.dossiers_of([mine, agents, Address("sms", "+84912000999")])
            assert {address: [one.code for one in held] for address, held in found.items()} == {
                mine: [code(2), code(1), code(3)],
                agents: [code(3)],
            }
            assert await session.dossiers_of([]) == {}
            await session.put_dossiers([dossier(n) for n in range(1, 30)], NOW)
            assert len((await session.dossiers_of([mine]))[mine]) == 20

    async def test_the_notices_of_dossiers(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_messages(
                [
                    message("b", dossier=code(1), at=NOW + 1, notice="late"),
                    message("a", dossier=code(1), notice="received"),
                    message("c", dossier=code(2)),
                    message("d", dossier=code(1), lane=Lane.ANSWER),
                ]
            )
            found = await session.notices_of([code(1), code(3)])
        assert {key: [row.notice for row in rows] for key, rows in found.items()} == {
            code(1): ["received", "late"],
            code(3): [],
        }


# ------------------------------------------------------------------------------------------ outbox

CHAT = "Hồ sơ của Ông/Bà đã có kết quả."

OUTCOMES: list[tuple[str, Outcome, State, int]] = [
    ("accepted", Accepted(refs=("r1",)), State.ACCEPTED, 1),
    ("accepted, no name", Accepted(), State.ACCEPTED, 1),
    ("duplicate", Accepted(refs=("r1",), duplicate=True), State.ACCEPTED, 1),
    ("throttled", Throttled(retry_after=5_000), State.QUEUED, 0),
    ("temporary", Temporary(code="busy"), State.QUEUED, 1),
    ("permanent", Permanent(code="bad number"), State.FAILED, 1),
    ("account", Permanent(code="locked", scope=Scope.ACCOUNT), State.QUEUED, 0),
    ("opted out", OptedOut(code="blocked"), State.FAILED, 1),
    ("unknown", Unknown(code="timeout"), State.UNKNOWN, 1),
    ("partial", Partial(done=((0, "r1"),), rest=Temporary(code="busy")), State.QUEUED, 1),
    ("partly unknown", Partial(done=((0, "r1"),), rest=Unknown(code="x")), State.UNKNOWN, 1),
]


class PromiseContract:
    """What reports know of dossiers; that they are counted right is a property of its own."""

    async def test_putting_again_replaces_and_the_first_name_stays(self, engine: Engine) -> None:
        held = promised(1)
        renamed = replace(held, place=replace(held.place, unit_name="UBND xã Một mới"))
        finished = replace(
            renamed,
            ended_at=NOW,
            standing=Standing.DONE,
            kept=HowKept.EARLY,
            first_kept=HowKept.EARLY,
        )
        async with engine.store.write() as session:
            await session.put_promises([held, promised(2)], [held.place])
            await session.put_promises([finished], [renamed.place])
        async with engine.store.read() as session:
            cells = await session.tally(Asked(start=0, at=NOW, by=(By.UNIT,)))
            assert await session.names_of_places() == [("X1", "UBND xã Một", "1.001", "")]
        assert {(cell.key, cell.verdict.standing, cell.count) for cell in cells} == {
            (("X1",), Standing.DONE, 1),
            (("X1",), Standing.OPEN, 1),
        }

    async def test_many_in_one_request(self, engine: Engine) -> None:
        many = [promised(number) for number in range(1_250)]
        async with engine.store.write() as session:
            await session.put_promises(many, [one.place for one in many])
            await session.put_promises([], [])
        async with engine.store.read() as session:
            [cell] = await session.tally(Asked(start=0, at=DUE + 1))
            page = await session.late_promises(Asked(start=0, at=DUE + 1), many[9].code, 2)
        assert (cell.key, cell.count, cell.oldest) == ((), 1_250, DUE)
        assert page == [(many[10].code, ()), (many[11].code, ())]

    async def test_only_an_apology_that_left_counts(self, engine: Engine) -> None:
        sent = [
            message(f"{number}|apology", notice=notice, dossier=code(number))
            for number, notice in enumerate(("late", "late", "due_soon", "late"))
        ]
        async with engine.store.write() as session:
            await session.add_messages(sent)
            for place, state in ((0, State.DELIVERED), (2, State.DELIVERED), (3, State.FAILED)):
                await session.move([Moved(id=sent[place].id, state=state, reason="")], NOW)
        codes = [code(number) for number in range(5)]
        async with engine.store.read() as session:
            assert await session.apologised(codes, ["late"], NOW) == {
                code(0): frozenset({Apologised.AUTOMATIC})
            }
            assert await session.apologised(codes, ["late"], NOW - 1) == {}

    async def test_a_signed_apology_counts_once_it_was_sent(self, engine: Engine) -> None:
        signed = [
            Apology(
                id=f"apology-{number}",
                dossier=code(number),
                due_at=DUE,
                new_due_at=DUE + HOUR,
                reason="đo đạc lại",
                state=state,
                author="lan",
                created_at=NOW,
                approver="binh",
                signed_at=NOW,
            )
            for number, state in enumerate((ApologyState.SENT, ApologyState.APPROVED))
        ]
        async with engine.store.write() as session:
            for one in signed:
                assert await session.add_apology(one)
        async with engine.store.read() as session:
            assert await session.apologised([code(0), code(1)], ["late"], NOW) == {
                code(0): frozenset({Apologised.SIGNED})
            }
            assert await session.apologised([code(0)], ["late"], NOW - 1) == {}


def promised(number: int) -> Promise:
    """Received, and due on Friday."""
    place = Place(
        level="commune", unit="X1", field="Đất đai", procedure="1.001", unit_name="UBND xã Một"
    )
    return Promise(
        code=code(number),
        place=place,
        received_at=NOW,
        first_due_at=DUE,
        due_at=DUE,
        standing=Standing.OPEN,
    )


class OutboxContract:
    """Messages, their attempts and delivery reports."""

    async def test_one_message_a_key(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            assert await session.add_messages([message("a"), message("b")]) == {"a", "b"}
            again = message("a", at=NOW + 1, text="Khac")
            assert await session.add_messages([again, message("c")]) == {"c"}
        async with engine.store.read() as session:
            assert [row.key for row in await session.outbox(limit=10)].count("a") == 1
            assert await session.messages([again.id]) == []

    async def test_the_same_key_twice_in_one_call(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            added = await session.add_messages([message("a"), message("a", at=NOW + 1)])
            assert added == {"a"}
            assert len(await session.outbox()) == 1

    async def test_a_message_comes_back_as_it_was(self, engine: Engine) -> None:
        full = message(
            "full",
            lane=Lane.DEADLINE,
            text=LONG,
            dossier=code(1),
            episode="2026-11-20T17:00:00+07:00",
            broadcast="b-1",
            not_before=NOW + 1,
            best_before=NOW + 2,
            locale="en",
        )
        chat = message(
            "chat",
            to="telegram:12345",
            text=CHAT,
            plan=plan_plain(CHAT),
            buttons=("HD", "TC"),
            contact_button="Chia sẻ",
            subject="Hồ sơ",
            rungs=("telegram", "sms"),
        )
        async with engine.store.write() as session:
            await session.add_messages([full, chat])
        async with engine.store.read() as session:
            assert await session.messages([chat.id, "gone", full.id]) == [chat, full]

    async def test_what_waits_is_due_on_this_channel_oldest_first(self, engine: Engine) -> None:
        due = ("first", "second")
        await queue(
            engine.store,
            message("later", not_before=NOW + 1),
            message("second", not_before=NOW),
            message("first", not_before=NOW - 1),
            message("elsewhere", to="telegram:12345"),
        )
        async with engine.store.read() as session:
            waiting = await session.waiting("sms", GATEWAY, NOW, 10)
        assert [candidate.id for candidate in waiting] == [message(key).id for key in due]

    async def test_each_lane_has_its_own_limit(self, engine: Engine) -> None:
        await queue(
            engine.store,
            *(message(f"{lane.name}{n}", lane=lane, text=LONG) for lane in Lane for n in range(3)),
        )
        async with engine.store.read() as session:
            waiting = await session.waiting("sms", GATEWAY, NOW, 2)
        assert Counter(candidate.lane for candidate in waiting) == dict.fromkeys(Lane, 2)
        assert {candidate.segments for candidate in waiting} == {2}

    async def test_only_what_is_queued_begins(self, engine: Engine) -> None:
        a, b = message("a"), message("b")
        await queue(engine.store, a, b)
        async with engine.store.write() as session:
            assert await begin(session, [a]) == [replace(a, attempts=1)]
            assert await begin(session, [b, a]) == [replace(b, attempts=1)]
            assert await begin(session, []) == []
        assert await state_of(engine.store, a) is State.SENDING
        async with engine.store.read() as session:
            assert await session.waiting("sms", GATEWAY, NOW, 10) == []
            [attempt] = await session.attempts(a.id)
        assert (attempt.number, attempt.gateway, attempt.started_at) == (1, GATEWAY, NOW)
        assert (attempt.ended_at, attempt.outcome) == (None, "")

    @pytest.mark.parametrize(
        "outcome", [Accepted(refs=("r1",)), Unknown(code="x"), Permanent(code="E7")], ids=repr
    )
    async def test_what_has_left_does_not_begin_again(
        self, engine: Engine, outcome: Outcome
    ) -> None:
        sent = message()
        await queue(engine.store, sent)
        begun = await send(engine.store, sent, outcome)
        async with engine.store.write() as session:
            assert await begin(session, [begun]) == []
            assert len(await session.attempts(sent.id)) == 1

    @pytest.mark.parametrize(
        ("outcome", "state", "attempts"),
        [row[1:] for row in OUTCOMES],
        ids=[row[0] for row in OUTCOMES],
    )
    async def test_an_attempt_ends(
        self, engine: Engine, outcome: Outcome, state: State, attempts: int
    ) -> None:
        sent = message(text=LONG)
        await queue(engine.store, sent)
        begun = await send(engine.store, sent, outcome)
        verdict = retry.verdict(begun, outcome, now=NOW)
        row = await shown(engine.store, sent)
        assert (row.state, row.attempts, row.reason) == (state, attempts, verdict.reason)
        assert row.not_before == (verdict.not_before or sent.not_before)
        async with engine.store.read() as session:
            history = await session.attempts(sent.id)
        assert [attempt.number for attempt in history] == list(range(1, attempts + 1))
        if attempts:
            assert history[0].ended_at == NOW
            assert history[0].outcome == type(outcome).__name__.lower()

    async def test_an_attempt_that_costs_nothing_leaves_its_number(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Temporary(code="busy"))
        await send(engine.store, sent, Throttled(retry_after=1))
        await send(engine.store, sent, Accepted(refs=("r1",)))
        async with engine.store.read() as session:
            history = await session.attempts(sent.id)
        assert [(attempt.number, attempt.outcome) for attempt in history] == [
            (1, "temporary"),
            (2, "accepted"),
        ]

    async def test_the_code_and_the_words_of_a_refusal_are_kept(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Permanent(code="E7", detail="no such subscriber"))
        async with engine.store.read() as session:
            [attempt] = await session.attempts(sent.id)
        assert (attempt.code, attempt.detail) == ("E7", "no such subscriber")

    async def test_an_attempt_is_recorded_once(self, engine: Engine) -> None:
        """Recording again, as after a commit whose end was not heard, changes nothing."""
        sent = message()
        await queue(engine.store, sent)
        begun = await send(engine.store, sent, Accepted(refs=("r1",)))
        async with engine.store.write() as session:
            await end(session, begun, Unknown(code="late"))
        assert await state_of(engine.store, sent) is State.ACCEPTED
        async with engine.store.read() as session:
            [attempt] = await session.attempts(sent.id)
        assert attempt.outcome == "accepted"

    async def test_parts_that_were_taken_are_not_sent_again(self, engine: Engine) -> None:
        sent = message(text=LONG)
        await queue(engine.store, sent)
        await send(engine.store, sent, Partial(done=((0, "r1"),), rest=Temporary(code="busy")))
        async with engine.store.read() as session:
            [rest] = await session.messages([sent.id])
        assert rest.accepted_parts == (0,)
        await send(engine.store, sent, Accepted(refs=("r2",)))
        await report(engine.store, delivered("r2"))
        assert await state_of(engine.store, sent) is State.ACCEPTED
        await report(engine.store, delivered("r1"))
        assert await state_of(engine.store, sent) is State.DELIVERED

    # what left lately

    async def test_what_left_for_an_address(self, engine: Engine) -> None:
        """Notices and bulk messages that are out or may be, by when that was known last."""
        lanes = {
            "answer": Lane.ANSWER,
            "deadline": Lane.DEADLINE,
            "bulk": Lane.BULK,
            "refused": Lane.BULK,
            "lost": Lane.NOTICE,
            "out": Lane.NOTICE,
            "waits": Lane.NOTICE,
        }
        made = {key: message(key, lane=lane) for key, lane in lanes.items()}
        another = message("another's", to="sms:+84912000009")
        await queue(engine.store, *made.values(), another)
        for key in ("answer", "deadline", "bulk"):
            await send(engine.store, made[key], Accepted(refs=(f"r-{key}",)))
        await report(engine.store, delivered("r-bulk"))
        await send(engine.store, made["refused"], Permanent(code="E7"))
        await send(engine.store, made["lost"], Unknown(code="timeout"))
        async with engine.store.write() as session:
            await begin(session, [made["out"]], NOW + 5)
        address, other = made["bulk"].address, another.address
        async with engine.store.write() as session:
            left = await session.left_since([address, other, address], NOW - 1)
            assert {key: sorted(found) for key, found in left.items()} == {
                address: [(Lane.NOTICE, NOW), (Lane.NOTICE, NOW + 5), (Lane.BULK, NOW)],
                other: [],
            }
            assert await session.left_since([address], NOW) == {address: [(Lane.NOTICE, NOW + 5)]}
            assert await session.left_since([], NOW) == {}

    async def test_an_address_is_decided_about_by_one_at_a_time(self, engine: Engine) -> None:
        """Whoever is given it sees what the one before sent; nobody waits for anybody."""
        stores = [engine.store, await engine.another(), await engine.another()]
        sent = [message(f"m{n}") for n in range(9)]
        await queue(engine.store, *sent)
        given = 0

        async def decide(number: int) -> None:
            nonlocal given
            async with stores[number % 3].write() as session:
                left = await session.left_since([sent[0].address], NOW - 1)
                for found in left.values():
                    await asyncio.sleep(0)
                    assert len(found) == given
                    assert await begin(session, [sent[given]])
                    given += 1

        await asyncio.gather(*(decide(number) for number in range(9)))
        assert given >= 1
        while given < len(sent):
            await decide(given)

    async def test_a_queued_message_is_given_another_text(self, engine: Engine) -> None:
        """Of several dossiers: from then on it is not one of a single dossier's notices."""
        first, second = message("a", dossier=code(1), episode="1"), message("b", dossier=code(2))
        await queue(engine.store, first, second, message("sent", dossier=code(3)))
        await send(engine.store, message("sent"), Accepted(refs=("r",)))
        also = ((code(2), "1"), (code(3), "27/11"))
        long = replace(first, text=LONG, plan=plan_sms(LONG), also=also)
        async with engine.store.write() as session:
            await session.reword([long, replace(message("sent"), text="no", also=also)], NOW + 7)
            await session.reword([], NOW)
            assert await session.messages([first.id, second.id]) == [long, second]
            assert [c.segments for c in await session.waiting("sms", GATEWAY, NOW, 9)].count(2) == 1
            assert [q.id for q in await session.queued_notices([code(1), code(2)])] == [second.id]
        row = await shown(engine.store, first)
        assert (row.text, row.segments, row.state, row.updated_at) == (
            LONG, 2, State.QUEUED, NOW + 7,
        )  # fmt: skip
        assert (await shown(engine.store, message("sent"))).text != "no"
        begun = await send(engine.store, first, Temporary(code="busy"))
        assert (begun.text, begun.also) == (LONG, also)

    async def test_what_is_queued_of_a_dossier(self, engine: Engine) -> None:
        of_one = [
            message("a", dossier=code(1), notice="received", episode="1"),
            message("b", dossier=code(1), notice="returned", episode="2", lane=Lane.DEADLINE),
        ]
        others = [
            message("asked for", dossier=code(1), lane=Lane.ANSWER),
            message("gone", dossier=code(1)),
            message("another's", dossier=code(2)),
            message("no dossier's"),
        ]
        await queue(engine.store, *of_one, *others)
        await send(engine.store, others[1], Accepted(refs=("r",)))
        async with engine.store.read() as session:
            found = await session.queued_notices([code(1), code(3)])
            assert await session.queued_notices([]) == []
        assert sorted((q.id, q.dossier, q.notice, q.episode) for q in found) == sorted(
            (sent.id, sent.dossier, sent.notice, sent.episode) for sent in of_one
        )

    # moves

    @pytest.mark.parametrize(
        "state", [State.EXPIRED, State.CANCELLED, State.SUPERSEDED], ids=lambda s: s.value
    )
    async def test_a_queued_message_is_moved_aside_for_good(
        self, engine: Engine, state: State
    ) -> None:
        sent = message()
        await queue(engine.store, sent)
        async with engine.store.write() as session:
            assert await session.move([Moved(id=sent.id, state=state, reason="why")], NOW) == 1
            back = Moved(id=sent.id, state=State.QUEUED, reason="")
            assert await session.move([back], NOW) == 0
            assert await begin(session, [sent]) == []
        row = await shown(engine.store, sent)
        assert (row.state, row.reason) == (state, "why")

    async def test_a_queued_message_is_moved_in_time(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        later = Moved(
            id=sent.id,
            state=State.QUEUED,
            reason="quiet hours",
            not_before=NOW + 5,
            best_before=NOW + 50,
        )
        async with engine.store.write() as session:
            assert await session.move([later], NOW) == 1
            assert await session.waiting("sms", GATEWAY, NOW + 4, 9) == []
            assert len(await session.waiting("sms", GATEWAY, NOW + 5, 9)) == 1
        row = await shown(engine.store, sent)
        assert (row.not_before, row.best_before) == (NOW + 5, NOW + 50)

    async def test_what_is_being_sent_is_not_moved(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        async with engine.store.write() as session:
            await begin(session, [sent])
            aside = Moved(id=sent.id, state=State.CANCELLED, reason="")
            assert await session.move([aside, replace(aside, id="none")], NOW) == 0
        assert await state_of(engine.store, sent) is State.SENDING

    # delivery reports

    async def test_a_delivery_report(self, engine: Engine) -> None:
        a, b = message("a"), message("b")
        await queue(engine.store, a, b)
        await send(engine.store, a, Accepted(refs=("ra",)))
        await send(engine.store, b, Accepted(refs=("rb",)))
        await report(engine.store, delivered("ra"), undelivered("rb"))
        assert await state_of(engine.store, a) is State.DELIVERED
        assert await state_of(engine.store, b) is State.FAILED

    @pytest.mark.parametrize("by_key", [False, True], ids=["by reference", "by key"])
    @pytest.mark.parametrize("when", ["while it is sent", "before it is sent"])
    async def test_a_report_that_comes_early(self, engine: Engine, when: str, by_key: bool) -> None:
        sent = message()
        early = delivered(sent.key if by_key else "r1", by_key=by_key)
        if when == "before it is sent":
            await report(engine.store, early)
        await queue(engine.store, sent)
        async with engine.store.write() as session:
            [begun] = await begin(session, [sent])
        if when == "while it is sent":
            await report(engine.store, early)
        assert await state_of(engine.store, sent) is State.SENDING
        async with engine.store.write() as session:
            await end(session, begun, Accepted(refs=("r1",)))
        assert await state_of(engine.store, sent) is State.DELIVERED

    async def test_a_report_by_our_own_key(self, engine: Engine) -> None:
        a, b = message("a"), message("b")
        await queue(engine.store, a, b)
        await send(engine.store, a, Accepted(refs=("ra",)))
        await send(engine.store, b, Accepted())
        await report(engine.store, delivered("a", by_key=True), undelivered("b", by_key=True))
        assert await state_of(engine.store, a) is State.DELIVERED
        assert await state_of(engine.store, b) is State.FAILED

    async def test_a_doubled_report(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Accepted(refs=("r1",)))
        await report(engine.store, delivered("r1"), delivered("r1"))
        await report(engine.store, delivered("r1"))
        assert await state_of(engine.store, sent) is State.DELIVERED
        assert await engine.rows("SELECT count(*) FROM receipt") == [(1,)]

    @pytest.mark.parametrize(
        ("first", "second", "state"),
        [
            (delivered("r1"), undelivered("r1"), State.DELIVERED),
            (undelivered("r1"), delivered("r1"), State.FAILED),
        ],
        ids=["delivered first", "failed first"],
    )
    async def test_final_stays_final(
        self, engine: Engine, first: Receipt, second: Receipt, state: State
    ) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Accepted(refs=("r1",)))
        await report(engine.store, first)
        await report(engine.store, second)
        assert await state_of(engine.store, sent) is state
        assert await engine.rows("SELECT count(*) FROM receipt") == [(2,)]

    async def test_an_intermediate_report_changes_nothing(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Accepted(refs=("r1",)))
        await report(engine.store, Receipt(ref="r1", status=ReceiptStatus.PENDING, code="ENROUTE"))
        assert await state_of(engine.store, sent) is State.ACCEPTED
        await report(engine.store, delivered("r1"))
        assert await state_of(engine.store, sent) is State.DELIVERED

    async def test_every_part_has_to_arrive(self, engine: Engine) -> None:
        whole, torn = message("whole", text=LONG), message("torn", text=LONG)
        await queue(engine.store, whole, torn)
        await send(engine.store, whole, Accepted(refs=("w1", "w2")))
        await send(engine.store, torn, Accepted(refs=("t1", "t2")))
        await report(engine.store, delivered("w1"), delivered("t1"))
        assert await state_of(engine.store, whole) is State.ACCEPTED
        assert await state_of(engine.store, torn) is State.ACCEPTED
        await report(engine.store, delivered("w2"), undelivered("t2"))
        assert await state_of(engine.store, whole) is State.DELIVERED
        assert await state_of(engine.store, torn) is State.FAILED

    async def test_the_first_report_of_a_part_counts(self, engine: Engine) -> None:
        sent = message(text=LONG)
        await queue(engine.store, sent)
        await send(engine.store, sent, Accepted(refs=("r1", "r2")))
        await report(engine.store, delivered("r1"))
        await report(engine.store, undelivered("r1"))
        assert await state_of(engine.store, sent) is State.ACCEPTED
        await report(engine.store, delivered("r2"))
        assert await state_of(engine.store, sent) is State.DELIVERED

    @pytest.mark.parametrize(
        ("first", "second", "state"),
        [
            (delivered("r1"), undelivered("r1"), State.DELIVERED),
            (undelivered("r1"), delivered("r1"), State.FAILED),
        ],
        ids=["delivered first", "failed first"],
    )
    async def test_of_early_reports_that_contradict_the_first_counts(
        self, engine: Engine, first: Receipt, second: Receipt, state: State
    ) -> None:
        async with engine.store.write() as session:
            await session.add_receipts(GATEWAY, [first], NOW)
            await session.add_receipts(GATEWAY, [second], NOW + 1)
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Accepted(refs=("r1",)))
        assert await state_of(engine.store, sent) is state

    async def test_of_early_reports_of_one_moment_the_good_one_counts(self, engine: Engine) -> None:
        await report(engine.store, undelivered("r1"), delivered("r1"))
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Accepted(refs=("r1",)))
        assert await state_of(engine.store, sent) is State.DELIVERED

    async def test_a_name_belongs_to_its_gateway(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Accepted(refs=("1",)))
        await report(engine.store, undelivered("1"), gateway="another")
        assert await state_of(engine.store, sent) is State.ACCEPTED

    async def test_a_report_for_nothing_we_know_is_kept(self, engine: Engine) -> None:
        await report(engine.store, delivered("nobody's"))
        assert await engine.rows("SELECT gateway, ref, status FROM receipt") == [
            (GATEWAY, "nobody's", "delivered")
        ]

    @pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED], ids=lambda s: s.value)
    async def test_a_report_opens_nothing_that_is_final(self, engine: Engine, state: State) -> None:
        """Not even one of an earlier try, which was open until now."""
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        again = State.QUEUED if state is State.FAILED else state
        async with engine.store.write() as session:
            await session.move([Moved(id=sent.id, state=again, reason="")], NOW)
        if state is State.FAILED:
            await send(engine.store, sent, Permanent(code="E7"))
        await report(engine.store, delivered(sent.key, by_key=True))
        assert await state_of(engine.store, sent) is state

    # unknown fate

    async def test_what_is_unknown_waits_to_be_settled(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        async with engine.store.read() as session:
            assert await session.unknown(NOW - 1, 10) == []
            [one] = await session.unknown(NOW, 10)
            assert (one.message, one.times, one.gateway) == (replace(sent, attempts=1), 1, GATEWAY)
            assert (one.since, one.first_at) == (NOW, NOW)

    async def test_how_often_it_became_unknown_is_counted(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        for _ in range(2):
            await send(engine.store, sent, Unknown(code="timeout"))
            async with engine.store.write() as session:
                again = Moved(id=sent.id, state=State.QUEUED, reason="again")
                assert await session.move([again], NOW) == 1
        await send(engine.store, sent, Unknown(code="timeout"))
        async with engine.store.read() as session:
            assert [one.times for one in await session.unknown(NOW, 10)] == [3]

    @pytest.mark.parametrize("settled", [False, True])
    async def test_people_are_asked_once(self, engine: Engine, settled: bool) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        async with engine.store.write() as session:
            await session.add_work([WorkItem(key=f"unknown|{sent.id}", kind="unknown")])
            if settled:
                await session.settle_work([f"unknown|{sent.id}"], "me", NOW)
            assert await session.unknown(NOW, 10) == []

    @pytest.mark.parametrize(
        ("said", "state"),
        [(delivered, State.DELIVERED), (undelivered, State.FAILED)],
        ids=["delivered", "undelivered"],
    )
    async def test_a_report_settles_what_is_unknown(
        self, engine: Engine, said: Callable[..., Receipt], state: State
    ) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        await report(engine.store, said(sent.key, by_key=True))
        assert await state_of(engine.store, sent) is state

    async def test_a_report_of_the_second_try_counts_although_the_first_is_open(
        self, engine: Engine
    ) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        async with engine.store.write() as session:
            await session.move([Moved(id=sent.id, state=State.QUEUED, reason="again")], NOW)
        await send(engine.store, sent, Accepted(refs=("r2",)))
        await report(engine.store, delivered("r2"))
        assert await state_of(engine.store, sent) is State.DELIVERED

    async def test_a_report_of_the_first_try_stops_the_second(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        async with engine.store.write() as session:
            await session.move([Moved(id=sent.id, state=State.QUEUED, reason="again")], NOW)
        await report(engine.store, delivered(sent.key, by_key=True))
        assert await state_of(engine.store, sent) is State.DELIVERED

    async def test_a_report_of_the_first_try_counts_although_the_second_fails(
        self, engine: Engine
    ) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        async with engine.store.write() as session:
            await session.move([Moved(id=sent.id, state=State.QUEUED, reason="again")], NOW)
            [begun] = await begin(session, [replace(sent, attempts=1)])
        await report(engine.store, delivered(sent.key, by_key=True))
        async with engine.store.write() as session:
            await end(session, begun, Temporary(code="busy"))
        assert await state_of(engine.store, sent) is State.DELIVERED

    @pytest.mark.parametrize("when", ["while the second waits", "when the second is accepted"])
    async def test_a_report_that_the_first_try_failed_leaves_the_second_open(
        self, engine: Engine, when: str
    ) -> None:
        """By our key it names no try; it comes once for each, and may come twice."""
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        async with engine.store.write() as session:
            await session.move([Moved(id=sent.id, state=State.QUEUED, reason="again")], NOW)
        first_failed = undelivered(sent.key, by_key=True)
        if when == "while the second waits":
            await report(engine.store, first_failed)
        await send(engine.store, sent, Accepted(refs=("r2",)))
        await report(engine.store, first_failed, first_failed)
        assert await state_of(engine.store, sent) is State.ACCEPTED
        await report(engine.store, delivered(sent.key, by_key=True))
        assert await state_of(engine.store, sent) is State.DELIVERED

    async def test_a_message_fails_when_its_last_try_did(self, engine: Engine) -> None:
        sent = message()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"))
        async with engine.store.write() as session:
            await session.move([Moved(id=sent.id, state=State.QUEUED, reason="again")], NOW)
        await send(engine.store, sent, Accepted(refs=("r2",)))
        await report(engine.store, undelivered("r2"))
        assert await state_of(engine.store, sent) is State.FAILED

    async def test_a_part_that_arrived_does_not_stand_for_one_of_unknown_fate(
        self, engine: Engine
    ) -> None:
        sent = message(text=LONG)
        await queue(engine.store, sent)
        await send(engine.store, sent, Partial(done=((0, "r1"),), rest=Unknown(code="timeout")))
        await report(engine.store, delivered("r1"))
        assert await state_of(engine.store, sent) is State.UNKNOWN
        async with engine.store.write() as session:
            await session.move([Moved(id=sent.id, state=State.QUEUED, reason="again")], NOW)
        assert await state_of(engine.store, sent) is State.QUEUED
        await send(engine.store, sent, Accepted(refs=("r2",)))
        assert await state_of(engine.store, sent) is State.ACCEPTED
        await report(engine.store, delivered("r2"))
        assert await state_of(engine.store, sent) is State.DELIVERED

    async def test_what_a_dead_process_was_sending_is_unknown(self, engine: Engine) -> None:
        sending, queued = message("sending"), message("queued")
        await queue(engine.store, sending, queued)
        async with engine.store.write() as session:
            await begin(session, [sending])
        async with engine.store.write() as session:
            assert await session.abandon_sending(NOW + 1) == 1
            assert await session.abandon_sending(NOW + 2) == 0
            [one] = await session.unknown(NOW + 1, 9)
            assert (one.message, one.times) == (replace(sending, attempts=1), 1)
            [attempt] = await session.attempts(sending.id)
        assert (attempt.ended_at, attempt.outcome) == (NOW + 1, "unknown")
        assert await state_of(engine.store, queued) is State.QUEUED

    @pytest.mark.parametrize(
        "outcome",
        [Throttled(retry_after=1), Temporary(code="busy"), Unknown(code="x"), Accepted()],
        ids=lambda outcome: type(outcome).__name__.lower(),
    )
    async def test_what_an_attempt_says_that_was_given_up_is_not_said_of_the_next(
        self, engine: Engine, outcome: Outcome
    ) -> None:
        """Its process was only slow: another one has taken the message meanwhile."""
        sent = message()
        await queue(engine.store, sent)
        async with engine.store.write() as session:
            [given_up] = await begin(session, [sent])
            await session.abandon_sending(NOW)
            await session.move([Moved(id=sent.id, state=State.QUEUED, reason="again")], NOW)
            [again] = await session.messages([sent.id])
            [begun] = await begin(session, [again])
        async with engine.store.write() as session:
            await end(session, given_up, outcome)
        assert await state_of(engine.store, sent) is State.SENDING
        async with engine.store.write() as session:
            await end(session, begun, Temporary(code="busy"))
        async with engine.store.read() as session:
            history = await session.attempts(sent.id)
        assert [(attempt.number, attempt.outcome) for attempt in history] == [
            (1, "unknown"),
            (2, "temporary"),
        ]
        await send(engine.store, begun, Accepted(refs=("r3",)))
        assert await state_of(engine.store, sent) is State.ACCEPTED

    async def test_a_report_by_key_for_what_a_dead_process_was_sending(
        self, engine: Engine
    ) -> None:
        before, after = message("before"), message("after")
        await queue(engine.store, before, after)
        async with engine.store.write() as session:
            await begin(session, [before, after])
        await report(engine.store, delivered("before", by_key=True))
        async with engine.store.write() as session:
            await session.abandon_sending(NOW)
        await report(engine.store, delivered("after", by_key=True))
        assert await state_of(engine.store, before) is State.DELIVERED
        assert await state_of(engine.store, after) is State.DELIVERED

    # what staff see

    async def test_the_outbox_is_shown_newest_first(self, engine: Engine) -> None:
        rows = [
            message("a", dossier=code(1)),
            message("b", at=NOW + 1),
            message("c", at=NOW + 2, dossier=code(1)),
        ]
        await queue(engine.store, *rows)
        await send(engine.store, rows[2], Permanent(code="E7"))
        async with engine.store.read() as session:
            assert [row.key for row in await session.outbox()] == ["c", "b", "a"]
            assert [row.key for row in await session.outbox(limit=1)] == ["c"]
            assert [row.key for row in await session.outbox(dossier=code(1))] == ["c", "a"]
            assert [row.key for row in await session.outbox(state=State.QUEUED)] == ["b", "a"]
            assert await session.outbox(state=State.FAILED, dossier=code(2)) == []
            assert await session.outbox_row("none") is None

    async def test_a_row_says_all_but_the_address(self, engine: Engine) -> None:
        sent = message(text=LONG, dossier=code(1), broadcast="b-1", lane=Lane.BULK)
        await queue(engine.store, sent)
        row = await shown(engine.store, sent)
        assert row.to == sent.address.masked
        assert PHONE.removeprefix("+84") not in repr(row) + row.to
        assert (row.text, row.segments, row.lane) == (LONG, 2, Lane.BULK)
        assert (row.notice, row.dossier, row.broadcast) == ("made_up", code(1), "b-1")
        assert (row.created_at, row.updated_at) == (NOW, NOW)

    async def test_what_is_not_final_is_counted(self, engine: Engine) -> None:
        rows = [message(f"m{n}", lane=lane) for lane in Lane for n in (lane, lane + 10)]
        await queue(engine.store, *rows)
        await send(engine.store, rows[0], Unknown(code="timeout"))
        await send(engine.store, rows[2], Permanent(code="E7"))
        async with engine.store.read() as session:
            counts = await session.outbox_counts()
        assert counts == {
            ("answer", "queued"): 1,
            ("answer", "unknown"): 1,
            ("deadline", "queued"): 1,
            ("notice", "queued"): 2,
            ("bulk", "queued"): 2,
        }


# ------------------------------------------------------------------------------------------ people

ANN, BEN = Address("sms", PHONE), Address("telegram", "12345")


def refusal(address: Address, scope: str = EVERYTHING, proof: str = "g|1") -> Refusal:
    return Refusal(address=address, scope=scope, at=NOW, proof=proof)


class PeopleContract:
    """Refusals, inbound messages, work and quarantine."""

    async def test_who_refuses_what(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.refuse([refusal(ANN, code(1)), refusal(ANN, code(2)), refusal(BEN)])
            assert await session.refusals([ANN, BEN, Address("sms", "+84912000999")]) == {
                ANN: frozenset({code(1), code(2)}),
                BEN: frozenset({EVERYTHING}),
            }
            assert await session.refusals([]) == {}

    async def test_a_channel_is_part_of_the_address(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.refuse([refusal(Address("zalo", BEN.value))])
            assert await session.refusals([BEN]) == {}

    async def test_the_first_refusal_is_the_proof(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.refuse([refusal(ANN, proof="g|first")])
            await session.refuse([refusal(ANN, proof="g|second")])
        assert await engine.rows("SELECT proof FROM refusal") == [("g|first",)]

    async def test_the_record_of_a_refusal_outlives_it(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.refuse([refusal(ANN, proof="g|1"), refusal(ANN, code(1)), refusal(BEN)])
            await session.resume([ANN], "g|2", NOW + 1)
            assert await session.refusals([ANN, BEN]) == {BEN: frozenset({EVERYTHING})}
            await session.refuse([refusal(ANN, proof="g|3")])
            assert await session.refusals([ANN]) == {ANN: frozenset({EVERYTHING})}
        assert await engine.rows(
            "SELECT proof, ended_at, ended_by FROM refusal WHERE scope = '' ORDER BY proof, at, "
            "ended_by DESC"
        ) == [("g|1", NOW + 1, "g|2"), ("g|1", None, ""), ("g|3", None, "")]

    async def test_a_question_is_new_once(self, engine: Engine) -> None:
        def heard(key: str, gateway: str = GATEWAY) -> Heard:
            return Heard(gateway=gateway, inbound=inbound("HS", key=key))

        async with engine.store.write() as session:
            assert await session.add_inbound([heard("1"), heard("2"), heard("1")], NOW) == [
                True,
                True,
                False,
            ]
        async with engine.store.write() as session:
            assert await session.add_inbound([heard("1"), heard("1", "other")], NOW) == [
                False,
                True,
            ]

    async def test_guesses_lately_and_today(self, engine: Engine) -> None:
        def guessed(key: str, sender: Address, guesses: int) -> Heard:
            text = inbound("HS", key=key, sender=str(sender))
            return Heard(gateway=GATEWAY, inbound=text, guesses=guesses)

        async with engine.store.write() as session:
            await session.add_inbound([guessed("1", ANN, 5)], NOW - 100)
            await session.add_inbound([guessed("2", ANN, 2), guessed("3", BEN, 0)], NOW - 10)
            await session.add_inbound([guessed("4", ANN, 1)], NOW)
            assert await session.guesses([ANN, BEN], NOW - 50, NOW - 1_000) == {ANN: (3, 8)}
            assert await session.guesses([ANN], NOW - 50, NOW - 60) == {ANN: (3, 3)}
            assert await session.guesses([], NOW, NOW) == {}

    async def test_the_codes_of_a_run_that_were_guessed_are_counted_once(
        self, engine: Engine
    ) -> None:
        async with engine.store.write() as session:
            await session.add_guesses([("r", "r-1"), ("r", "r-2"), ("r", "r-1")], NOW - 100)
            await session.add_guesses([("r", "r-1"), ("s", "s-1")], NOW)
            assert await session.tried(["r", "s", "t"], NOW - 101) == {"r": 2, "s": 1}
            assert await session.tried(["r"], NOW - 100) == {"r": 1}
            assert await session.tried([], NOW) == {}
            await session.drop_guesses(NOW - 100)
            assert await session.tried(["r"], 0) == {"r": 1}
            await session.add_guesses([], NOW)

    async def test_what_was_said_lately(self, engine: Engine) -> None:
        def heard(key: str, intent: str, *codes: str, offered: tuple[str, ...] = ()) -> Heard:
            text = inbound("HS", key=key, sender=str(ANN))
            return Heard(gateway=GATEWAY, inbound=text, intent=intent, codes=codes, offered=offered)

        async with engine.store.write() as session:
            assert await session.said([ANN], 0, 0) == {}
            await session.add_inbound([heard("1", "STATUS", "a", "b")], NOW - 100)
            await session.add_inbound([heard("2", "UNKNOWN")], NOW - 10)
            assert await session.said([ANN, BEN], NOW - 50, NOW - 500) == {
                ANN: Said(texts=1, not_understood=1, codes=("a", "b"), intent="UNKNOWN")
            }
            await session.add_inbound([heard("3", "DUE_DATE", offered=("c", "d"))], NOW)
            assert await session.said([ANN], NOW - 500, NOW - 50) == {
                ANN: Said(texts=3, not_understood=1, offered=("c", "d"), intent="DUE_DATE")
            }
            await session.reread([heard("3", "STATUS", "e")])
            assert (await session.said([ANN], NOW - 5, NOW - 5))[ANN] == Said(
                texts=1, codes=("e",), intent="STATUS"
            )

    async def test_a_fragment_waits_once_for_each_sender_and_gateway(self, engine: Engine) -> None:
        def waits(
            sender: Address, until: int, text: str = "cho em", gateway: str = "g"
        ) -> Fragment:
            piece = inbound(text, key=f"k{until}", sender=str(sender))
            return Fragment(gateway=gateway, inbound=piece, first_at=NOW, until=until)

        ann, ben = waits(ANN, NOW + 5), waits(BEN, NOW + 3)
        other = waits(ANN, NOW + 9, gateway="h")
        async with engine.store.write() as session:
            await session.put_fragments([ann, ben, other])
            longer = waits(ANN, NOW + 7, "cho em hỏi")
            await session.put_fragments([longer])
            assert await session.fragments_of("g", [ANN, BEN]) == {ANN: longer, BEN: ben}
            assert await session.fragments_of("g", []) == {}
            assert await session.fragments_over(NOW + 2, 9) == []
            assert await session.fragments_over(NOW + 7, 9) == [ben, longer]
            assert await session.fragments_over(NOW + 7, 1) == [ben]
            await session.drop_fragments([ben, longer])
            assert await session.fragments_over(NOW + 99, 9) == [other]

    async def test_work_is_listed_once_oldest_first(self, engine: Engine) -> None:
        late = WorkItem(key="b", kind="late", dossier=code(1), detail="one", opened_at=NOW)
        other = WorkItem(key="a", kind="unknown", detail="two", opened_at=NOW - 1)
        async with engine.store.write() as session:
            await session.add_work([late, other])
            await session.add_work([replace(late, detail="changed", opened_at=NOW + 9)])
            assert await session.work() == [other, late]
            assert await session.work(kind="late") == [late]
            assert await session.work(limit=1) == [other]

    async def test_settled_work_does_not_come_back(self, engine: Engine) -> None:
        item = WorkItem(key="a", kind="late")
        async with engine.store.write() as session:
            await session.add_work([item])
            assert await session.settle_work(["a", "none"], "me", NOW) == 1
            assert await session.settle_work(["a"], "me", NOW) == 0
            await session.add_work([item])
            assert await session.work() == []

    async def test_what_is_quarantined_is_listed_until_it_is_settled(self, engine: Engine) -> None:
        items = [
            Quarantined(door=door, key=key, reason=f"why {key}", raw=key.encode(), at=at)
            for at, (door, key) in enumerate((("events", "a"), ("hooks/x", "b"), ("events", "c")))
        ]
        async with engine.store.write() as session:
            await session.quarantine(items)
            [first, second, third] = await session.quarantined()
            assert [(row.door, row.reason) for row in (first, second, third)] == [
                ("events", "why a"), ("hooks/x", "why b"), ("events", "why c"),
            ]  # fmt: skip
            assert await session.quarantined(door="events") == [first, third]
            assert await session.quarantined(ids=[second.id]) == [second]
            assert await session.quarantined(ids=[]) == []
            assert await session.quarantined(limit=1) == [first]
            assert await session.quarantined_raw(third.id) == b"c"
        async with engine.store.write() as session:
            gone = [first.id, first.id, 999_999]
            assert await session.settle_quarantined(gone, "dropped", "me", NOW + 1) == 1
            assert await session.settle_quarantined([first.id], "released", "you", NOW + 2) == 0
            assert await session.quarantined() == [second, third]
            assert await session.quarantined_raw(first.id) is None
            await session.quarantine(items[:1])
            assert await session.quarantined() == [second, third]
        assert await engine.rows(
            "SELECT settled_at, settled_by, fate, length(raw_sealed) FROM quarantine "
            "WHERE settled_at IS NOT NULL"
        ) == [(NOW + 1, "me", "dropped", 0)]

    async def test_quarantine_keeps_what_has_a_key_once(self, engine: Engine) -> None:
        keyed = Quarantined(door="events", key="k", reason="why", raw=b"bytes", at=NOW)
        nameless = replace(keyed, key="")
        async with engine.store.write() as session:
            await session.quarantine([keyed, nameless, replace(keyed, door="hooks/x")])
            await session.quarantine([keyed, nameless])
        assert await engine.rows("SELECT door, key FROM quarantine ORDER BY door, key") == [
            ("events", ""),
            ("events", ""),
            ("events", "k"),
            ("hooks/x", "k"),
        ]

    async def test_who_acted_on_a_dossier_last(self, engine: Engine) -> None:
        items = [
            WorkItem(key=str(n), kind="k", dossier=code(n % 2), opened_at=NOW) for n in range(1, 5)
        ]
        async with engine.store.write() as session:
            await session.add_work([*items, WorkItem(key="none", kind="k", opened_at=NOW)])
            await session.settle_work(["1", "none"], "an", NOW + 1)
            await session.settle_work(["3"], "an", NOW + 5)
            assert await session.acted_on([code(0), code(1), code(9)]) == {code(1): NOW + 5}
            assert await session.acted_on([]) == {}

    async def test_where_the_messages_of_keys_stand(self, engine: Engine) -> None:
        await queue(engine.store, message("a"), message("b"))
        async with engine.store.write() as session:
            [a] = [row.id for row in await session.outbox() if row.key == "a"]
            await session.move([Moved(id=a, state=State.CANCELLED, reason="x")], NOW)
            found = await session.states_of(["a", "b", "c"])
            assert found == {"a": State.CANCELLED, "b": State.QUEUED}
            assert await session.states_of([]) == {}

    async def test_which_dossiers_were_rated(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_ratings([(code(1), 5)], NOW)
            assert await session.rated([code(1), code(2)]) == {code(1)}
            assert await session.rated([]) == set()

    async def test_a_score_stays_the_first(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_ratings([(code(1), 5), (code(2), 3)], NOW)
            await session.add_ratings([(code(1), 1)], NOW + 1)
            await session.add_ratings([], NOW)
        assert await engine.rows("SELECT dossier, score, at FROM rating ORDER BY dossier") == [
            (code(1), 5, NOW),
            (code(2), 3, NOW),
        ]


class KeptContract:
    """Codes that were asked for too early."""

    @staticmethod
    def kept(number: int, account: Address = BEN, until: int = NOW) -> Kept:
        return Kept(code=code(number), account=account, language="vi", until=until)

    async def test_it_comes_back_as_it_was(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.keep_codes([self.kept(1), self.kept(2, ANN)], 3)
            found = await session.kept_for([code(1), code(3)])
            assert await session.kept_for([]) == []
        assert [replace(one, key="") for one in found] == [self.kept(1)]
        assert found[0].key

    async def test_an_account_keeps_only_so_many(self, engine: Engine) -> None:
        """One that is kept already takes no second place, and does not begin anew."""
        async with engine.store.write() as session:
            await session.keep_codes([self.kept(1), self.kept(1), self.kept(2)], 3)
            await session.keep_codes(
                [self.kept(2, until=NOW + 9), self.kept(3), self.kept(4), self.kept(1, ANN)], 3
            )
            await session.keep_codes([], 3)
            found = await session.kept_for([code(n) for n in range(9)])
        assert sorted((one.account.channel, one.code, one.until) for one in found) == [
            ("sms", code(1), NOW),
            ("telegram", code(1), NOW),
            ("telegram", code(2), NOW),
            ("telegram", code(3), NOW),
        ]

    async def test_its_time_ends_and_it_is_dropped(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.keep_codes([self.kept(n, until=NOW + n) for n in (2, 1, 3)], 9)
            over = await session.kept_over(NOW + 2, 9)
            assert [one.code for one in over] == [code(1), code(2)]
            assert [one.code for one in await session.kept_over(NOW + 2, 1)] == [code(1)]
            await session.drop_kept([over[0], replace(over[1], account=ANN)])
            await session.drop_kept([])
            assert [one.code for one in await session.kept_over(NOW + 9, 9)] == [code(2), code(3)]


class BindingContract:
    """Accounts tied to numbers, and the codes that tie them."""

    async def test_an_account_holds_the_numbers_it_proved(self, engine: Engine) -> None:
        other = Address("sms", AGENT_PHONE)
        async with engine.store.write() as session:
            for number, proof in ((ANN, "first"), (other, "p"), (ANN, "second")):
                await session.bind(BEN, number, proof, NOW)
            assert await session.numbers_of([BEN, ANN]) == {
                BEN: frozenset({ANN.value, other.value})
            }
            assert await session.numbers_of([]) == {}
        assert await engine.rows("SELECT proof FROM binding ORDER BY proof") == [
            ("first",),
            ("p",),
        ]

    async def test_the_accounts_of_a_number_the_latest_first(self, engine: Engine) -> None:
        carl, other = Address("zalo", "7"), Address("sms", AGENT_PHONE)
        async with engine.store.write() as session:
            for account, number, at in ((BEN, ANN, 1), (carl, ANN, 2), (carl, other, 0)):
                await session.bind(account, number, "p", NOW + at)
            assert await session.accounts_of([ANN, other]) == {ANN: (carl, BEN), other: (carl,)}
            assert await session.accounts_of([BEN]) == await session.accounts_of([]) == {}
            await session.unbind([carl], "p", NOW + 3)
            assert await session.accounts_of([ANN, other]) == {ANN: (BEN,)}

    async def test_the_record_of_a_binding_outlives_it(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.bind(BEN, ANN, "a", NOW)
            await session.unbind([BEN], "b", NOW + 1)
            assert await session.numbers_of([BEN]) == {}
            await session.bind(BEN, ANN, "c", NOW + 2)
            assert await session.numbers_of([BEN]) == {BEN: frozenset({ANN.value})}
        assert await engine.rows(
            "SELECT proof, ended_at, ended_by FROM binding ORDER BY proof"
        ) == [
            ("a", NOW + 1, "b"),
            ("c", None, ""),
        ]

    async def test_a_code_ties_once_and_in_time(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_link("111111", ANN, None, NOW, NOW + 10)
            assert await session.use_link("222222", BEN, NOW) is None
            assert await session.use_link("111111", BEN, NOW + 10) is None
            assert await session.use_link("111111", BEN, NOW + 9) == ANN
            assert await session.use_link("111111", BEN, NOW + 9) is None

    async def test_a_code_for_one_account_is_of_no_use_to_another(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_link("111111", ANN, BEN, NOW, NOW + 10)
            assert await session.use_link("111111", Address("telegram", "6"), NOW) is None
            assert await session.use_link("111111", BEN, NOW) == ANN

    async def test_codes_are_counted_for_the_number_and_the_account(self, engine: Engine) -> None:
        other = Address("sms", AGENT_PHONE)
        async with engine.store.write() as session:
            await session.add_link("1", ANN, BEN, NOW - 1, NOW + 10)
            await session.add_link("2", ANN, None, NOW, NOW + 10)
            await session.add_link("3", other, BEN, NOW, NOW + 10)
            await session.add_link("4", other, BEN, NOW, NOW + 10)
            assert await session.links_since(ANN, None, NOW - 2) == 2
            assert await session.links_since(ANN, None, NOW - 1) == 1
            assert await session.links_since(ANN, BEN, NOW - 2) == 3
            assert await session.links_since(Address("sms", "+84912000999"), None, 0) == 0


# -------------------------------------------------------------------------------------- broadcasts

DRAFT = Broadcast(
    id="b-1",
    title="Nghỉ lễ",
    template="TTPVHCC: nghi le {{ ngay }}.",
    channel="sms",
    state=BroadcastState.DRAFT,
    author="An",
    created_at=NOW,
    recipients=3,
    segments=3,
    refused=1,
    faults=2,
    keep_accents=True,
)


def recipient(row: int, person: int | None = None) -> Recipient:
    number = f"+84912{row if person is None else person:06}"
    return Recipient(row=row, address=Address("sms", number), values={"ten": f"Người {row}"})


class BroadcastContract:
    """Broadcasts and their lists."""

    async def test_a_broadcast_comes_back_as_it_was(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_broadcast(DRAFT)
            assert await session.broadcast("b-1") == DRAFT
            assert await session.broadcast("none") is None

    async def test_broadcasts_newest_first(self, engine: Engine) -> None:
        running = replace(DRAFT, id="b-2", state=BroadcastState.RUNNING)
        async with engine.store.write() as session:
            await session.add_broadcast(DRAFT)
            await session.add_broadcast(running)
            assert await session.broadcasts() == [running, DRAFT]
            assert await session.broadcasts(BroadcastState.RUNNING) == [running]

    async def test_it_moves_only_from_where_it_was_seen(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_broadcast(DRAFT)
            to = BroadcastState.APPROVED
            assert await session.move_broadcast(DRAFT, to, "Bình", "approve", NOW)
            assert not await session.move_broadcast(DRAFT, to, "Cúc", "approve", NOW)
            found = await session.broadcast("b-1")
        assert found == replace(DRAFT, state=to, approver="Bình")
        assert await engine.rows("SELECT broadcast, at, act, by FROM broadcast_act") == [
            ("b-1", NOW, "approve", "Bình")
        ]

    async def test_the_approver_stays(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_broadcast(replace(DRAFT, state=BroadcastState.APPROVED, approver="B"))
            found = await session.broadcast("b-1")
            assert found
            await session.move_broadcast(found, BroadcastState.RUNNING, "Cúc", "start", NOW)
            found = await session.broadcast("b-1")
        assert found
        assert found.approver == "B"

    async def test_a_number_is_on_the_list_once(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            assert await session.add_recipients("b-1", [recipient(2), recipient(3)]) == 2
            assert await session.add_recipients("b-1", [recipient(4, 2), recipient(5)]) == 1
            assert await session.add_recipients("b-2", [recipient(2)]) == 1
            assert [r.row for r in await session.recipients("b-1", 0, 9)] == [2, 3, 5]

    async def test_a_list_is_read_in_pages(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_recipients("b-1", [recipient(n) for n in (4, 2, 3)])
            assert await session.recipients("b-1", 0, 2) == [recipient(2), recipient(3)]
            assert await session.recipients("b-1", 3, 2) == [recipient(4)]

    async def test_how_far_it_was_handed_out(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            await session.add_broadcast(DRAFT)
            assert await session.released_up_to("b-1") == 0
            await session.release_recipients("b-1", 4, 3)
            await session.release_recipients("b-1", 6, 1)
            assert await session.released_up_to("b-1") == 6
            found = await session.broadcast("b-1")
        assert found
        assert found.released == 4

    async def test_its_messages_are_counted_and_cancelled(self, engine: Engine) -> None:
        mine = [message(f"m{n}", broadcast="b-1", lane=Lane.BULK) for n in range(5)]
        await queue(engine.store, *mine, message("other", broadcast="b-2"))
        await send(engine.store, mine[0], Accepted(refs=("r1",)))
        async with engine.store.write() as session:
            await begin(session, [mine[1]])
            assert await session.open_of_broadcast("b-1", 10) == 4
            assert await session.open_of_broadcast("b-1", 2) == 2
            assert await session.cancel_broadcast("b-1", "aborted", NOW) == 3
            assert await session.broadcast_counts("b-1") == {
                State.ACCEPTED: 1,
                State.SENDING: 1,
                State.CANCELLED: 3,
            }
            assert await session.broadcast_counts("b-2") == {State.QUEUED: 1}


def two_rungs(key: str = "a", **changes: Any) -> Message:
    """A message that may go by chat, and then by SMS."""
    return message(key, to="telegram:12345", rungs=("telegram", "sms"), **changes)


def on_sms(sent: Message, **changes: Any) -> Message:
    """The same, one rung further down."""
    return replace(
        sent,
        **{
            "address": Address("sms", PHONE),
            "text": "Ngan",
            "plan": plan_sms("Ngan"),
            "rung": sent.rung + 1,
            "spent": sent.attempts,
            "accepted_parts": (),
            **changes,
        },
    )


CHAT_GATEWAY = "chat"


class LadderContract:
    """A message whose channel is over goes on over the next, and what is said of the last one."""

    async def fall(self, engine: Engine, sent: Message) -> Message:
        """By an attempt that was refused."""
        await queue(engine.store, sent)
        async with engine.store.write() as session:
            [current] = await session.messages([sent.id])
            [begun] = await session.begin_attempts([current], CHAT_GATEWAY, "test:1", NOW)
            outcome = Permanent(code="E7")
            verdict = retry.verdict(begun, outcome, now=NOW)
            ended = replace(attempted(begun, outcome, verdict, CHAT_GATEWAY), falls=True)
            assert await session.end_attempts([ended], NOW)
        return begun

    async def step(self, engine: Engine, sent: Message, **changes: Any) -> set[str]:
        async with engine.store.write() as session:
            return await session.step([on_sms(sent, **changes)], NOW + 5, "why")

    async def test_what_falls_is_listed_until_it_goes_on(self, engine: Engine) -> None:
        sent = await self.fall(engine, two_rungs(dossier=code(1)))
        async with engine.store.write() as session:
            [fallen] = await session.fallen(10)
            assert (fallen.message.key, fallen.channel, fallen.reason, fallen.unknowns) == (
                "a",
                "telegram",
                "E7",
                0,
            )
            assert fallen.message.dossiers == sent.dossiers
            assert await session.waiting("telegram", CHAT_GATEWAY, NOW, 10) == []
            assert await session.unknown(NOW, 10) == []
        assert await self.step(engine, sent, not_before=NOW + 7) == {sent.id}
        async with engine.store.read() as session:
            assert await session.fallen(10) == []
            [stepped] = await session.messages([sent.id])
        assert stepped == on_sms(sent, not_before=NOW + 7)
        row = await shown(engine.store, sent)
        assert (row.state, row.reason, row.rungs) == (State.QUEUED, "E7", ("telegram", "sms"))
        assert row.updated_at == NOW + 5
        assert await self.step(engine, replace(sent, rung=5)) == set()

    async def test_the_history_says_over_which_channel_each_attempt_was(
        self, engine: Engine
    ) -> None:
        sent = await self.fall(engine, two_rungs())
        await self.step(engine, sent)
        await send(engine.store, sent, Accepted(refs=("r1",)))
        async with engine.store.read() as session:
            history = await session.attempts(sent.id)
        assert [(one.number, one.to) for one in history] == [
            (1, "telegram:…345"),
            (2, f"sms:…{PHONE[-3:]}"),
        ]

    async def test_what_has_fallen_may_end_there(self, engine: Engine) -> None:
        sent = await self.fall(engine, two_rungs())
        async with engine.store.write() as session:
            assert await session.move([Moved(id=sent.id, state=State.FAILED, reason="x")], NOW) == 1
            assert await session.fallen(10) == []
        assert await self.step(engine, sent) == set()
        assert await state_of(engine.store, sent) is State.FAILED

    async def test_a_report_makes_it_fall_rather_than_fail(self, engine: Engine) -> None:
        sent = two_rungs()
        await queue(engine.store, sent, message("b"))
        for one in (sent, message("b")):
            await send(engine.store, one, Accepted(refs=(f"r-{one.key}",)), CHAT_GATEWAY)
        async with engine.store.write() as session:
            good = Receipt(ref="r-b", status=ReceiptStatus.FAILED)
            assert not await session.add_receipts(CHAT_GATEWAY, [good], NOW)
            bad = Receipt(ref="r-a", status=ReceiptStatus.FAILED)
            assert await session.add_receipts(CHAT_GATEWAY, [bad], NOW)
            assert [one.message.key for one in await session.fallen(10)] == ["a"]
        assert await state_of(engine.store, message("b")) is State.FAILED
        assert await state_of(engine.store, sent) is State.ACCEPTED

    async def test_what_is_unknown_falls_when_it_is_known(self, engine: Engine) -> None:
        sent = two_rungs()
        await queue(engine.store, sent)
        await send(engine.store, sent, Unknown(code="timeout"), CHAT_GATEWAY)
        async with engine.store.write() as session:
            await session.add_work([WorkItem(key=f"unknown|{sent.id}", kind="unknown")])
            await session.fall({sent.id: "it said no", "gone": "x"}, NOW)
            [fallen] = await session.fallen(10)
            assert (fallen.reason, fallen.unknowns) == ("it said no", 1)
        begun = replace(sent, attempts=1)
        await self.step(engine, begun)
        async with engine.store.read() as session:
            assert await session.work() == []
        assert (await shown(engine.store, sent)).reason == "it said no"

    async def test_what_was_reported_of_the_last_channel_does_not_end_the_next(
        self, engine: Engine
    ) -> None:
        sent = two_rungs()
        await queue(engine.store, sent)
        begun = await send(engine.store, sent, Accepted(refs=("r1",)), CHAT_GATEWAY)
        failed = Receipt(ref="r1", status=ReceiptStatus.FAILED)
        await report(engine.store, failed, gateway=CHAT_GATEWAY)
        await self.step(engine, begun)
        second = await send(engine.store, sent, Accepted(refs=("r2",)))
        assert (second.tries, second.accepted_parts) == (1, ())
        for receipt in (failed, replace(failed, status=ReceiptStatus.DELIVERED)):
            await report(engine.store, receipt, gateway=CHAT_GATEWAY)
            assert await state_of(engine.store, sent) is State.ACCEPTED
        await report(engine.store, Receipt(ref="r2", status=ReceiptStatus.DELIVERED))
        assert await state_of(engine.store, sent) is State.DELIVERED

    @pytest.mark.parametrize("first", ["step", "report"])
    async def test_delivered_after_all_before_the_next_left(
        self, engine: Engine, first: str
    ) -> None:
        sent = await self.fall(engine, two_rungs())
        by_key = Receipt(ref="a", status=ReceiptStatus.DELIVERED, by_key=True)
        if first == "step":
            await self.step(engine, sent)
        await report(engine.store, by_key, gateway=CHAT_GATEWAY)
        if first == "report":
            await self.step(engine, sent)
        assert await state_of(engine.store, sent) is State.DELIVERED
        async with engine.store.read() as session:
            assert await session.waiting("sms", GATEWAY, NOW + 1_000, 10) == []

    async def test_half_of_it_delivered_does_not_stop_the_next(self, engine: Engine) -> None:
        sent = two_rungs(text=LONG)
        await queue(engine.store, sent)
        begun = await send(engine.store, sent, Accepted(refs=("r1", "r2")), CHAT_GATEWAY)
        for ref, status in (("r1", ReceiptStatus.FAILED), ("r2", ReceiptStatus.DELIVERED)):
            await report(engine.store, Receipt(ref=ref, status=status), gateway=CHAT_GATEWAY)
        await self.step(engine, begun)
        assert await state_of(engine.store, sent) is State.QUEUED
        late = Receipt(ref="r1", status=ReceiptStatus.DELIVERED)
        await report(engine.store, late, gateway=CHAT_GATEWAY)
        assert await state_of(engine.store, sent) is State.DELIVERED

    async def test_an_earlier_attempt_that_was_slow_says_nothing_of_the_next_channel(
        self, engine: Engine
    ) -> None:
        sent = two_rungs()
        await queue(engine.store, sent)
        async with engine.store.write() as session:
            [slow] = await session.begin_attempts([sent], CHAT_GATEWAY, "test:1", NOW)
            await session.abandon_sending(NOW)
            await session.fall({sent.id: "it said no"}, NOW)
        await self.step(engine, slow)
        async with engine.store.write() as session:
            [current] = await session.messages([sent.id])
            [begun] = await begin(session, [current])
        async with engine.store.write() as session:
            outcome = Permanent(code="E7")
            verdict = retry.verdict(slow, outcome, now=NOW)
            await session.end_attempts(
                [replace(attempted(slow, outcome, verdict, CHAT_GATEWAY), falls=True)], NOW
            )
            assert await session.fallen(10) == []
        assert await state_of(engine.store, sent) is State.SENDING
        async with engine.store.write() as session:
            await end(session, begun, Accepted(refs=("r2",)))
        assert await state_of(engine.store, sent) is State.ACCEPTED

    async def test_what_is_stranded(self, engine: Engine) -> None:
        """Due, on one of these channels, with a further one, and not with a provider already."""
        later = two_rungs("later", not_before=NOW + 1)
        last = two_rungs("last", at=NOW - 1)
        made = [
            two_rungs("old", at=NOW - 2),
            two_rungs("new"),
            later,
            replace(last, rungs=("zalo", "telegram")),
            message("elsewhere", rungs=("sms", "telegram")),
            message("no ladder", to="telegram:12345"),
            two_rungs("pinned"),
        ]
        await queue(engine.store, *made)
        async with engine.store.write() as session:
            pin = Moved(id=made[-1].id, state=State.QUEUED, reason="", pinned=CHAT_GATEWAY)
            await session.move([pin], NOW)
            found = await session.stranded(["telegram", "zalo"], NOW, 10)
            assert [one.key for one in found] == ["old", "new"]
            assert [one.address.channel for one in found] == ["telegram"] * 2
            assert len(await session.stranded(["telegram"], NOW, 1)) == 1
            assert await session.stranded([], NOW, 10) == []
            await session.reword([replace(made[0], rungs=("telegram",))], NOW)
            assert [one.key for one in await session.stranded(["telegram"], NOW, 10)] == ["new"]
            assert await session.step([on_sms(made[1])], NOW, "no gateway") == {made[1].id}
        assert (await shown(engine.store, made[1])).reason == "no gateway"


class LeaseContract:
    """Named leases of sweeps; what they last is told, since a store may have a clock of its own."""

    async def test_a_lease_belongs_to_one_owner_until_it_ends(self, engine: Engine) -> None:
        async with engine.store.write() as session:
            assert await session.take_lease("remind", "a", NOW, NOW + HOUR)
            assert not await session.take_lease("remind", "b", NOW, NOW + HOUR)
            assert await session.take_lease("unknown", "b", NOW, NOW + HOUR)
            assert await session.take_lease("remind", "a", NOW, NOW)  # over at once
            assert await session.take_lease("remind", "b", NOW, NOW + HOUR)
            assert not await session.take_lease("remind", "a", NOW, NOW + HOUR)

    async def test_of_many_one_gets_it(self, engine: Engine) -> None:
        stores = [engine.store, await engine.another(), await engine.another()]

        async def take(number: int) -> bool:
            async with stores[number % 3].write() as session:
                return await session.take_lease("remind", str(number), NOW, NOW + HOUR)

        assert sum(await asyncio.gather(*map(take, range(9)))) == 1


class RateContract:
    """The bucket of a gateway, and the gap between two messages to one address.

    A store with a clock of its own goes by that: what must hold there holds however slow the test.
    """

    async def test_a_new_bucket_is_full_and_what_begins_is_taken_out(self, engine: Engine) -> None:
        """At this rate nothing that shows is gained while the test runs."""
        rate = 0.000_1
        long = message("long", text=LONG)
        await queue(engine.store, long, message("b"))
        async with engine.store.write() as session:
            assert await session.refill(GATEWAY, rate, NOW) == 1
            await begin(session, [long])
        async with engine.store.write() as session:
            assert -1 <= await session.refill(GATEWAY, rate, NOW) < -0.9
            assert await session.refill("another", rate, NOW) == 1
            await begin(session, [long])  # has begun: it is paid for once
            assert -1 <= await session.refill(GATEWAY, rate, NOW) < -0.9

    async def test_what_was_undone_was_not_taken(self, engine: Engine) -> None:
        await queue(engine.store, message("a"))
        async with engine.store.write() as session:
            await session.refill(GATEWAY, 0.000_1, NOW)
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it is undone for what is raised
            async with engine.store.write() as session:
                [sent] = await session.messages([message("a").id])
                assert await begin(session, [sent])
                raise ZeroDivisionError
        async with engine.store.write() as session:
            assert await session.refill(GATEWAY, 0.000_1, NOW) == 1

    async def test_it_is_the_same_bucket_for_every_process(self, engine: Engine) -> None:
        other = await engine.another()
        rate, spent, opened = 50.0, 0, await engine.now()
        many = [message(f"m{n}", to=f"sms:+8491200{n:04}") for n in range(300)]
        await queue(engine.store, *many)
        left = many
        for turn in range(8):
            store = (engine.store, other)[turn % 2]
            async with store.write() as session:
                level = await session.refill(GATEWAY, rate, NOW)
                now, left = left[: max(int(level), 0)], left[max(int(level), 0) :]
                spent += len(await begin(session, now))
        assert 50 <= spent <= 50 + rate * (await engine.now() - opened) / 1000 + 1

    async def test_it_fills_with_time_and_holds_a_second_s_worth(self, engine: Engine) -> None:
        rate, many = 4.0, [message(f"m{n}") for n in range(4)]
        await queue(engine.store, *many)
        async with engine.store.write() as session:
            assert await session.refill(GATEWAY, rate, NOW) == 4
            await begin(session, many)
        await engine.later(500)
        async with engine.store.write() as session:
            assert 2 <= await session.refill(GATEWAY, rate, NOW + 500) <= 4
        await engine.later(HOUR)
        async with engine.store.write() as session:
            assert await session.refill(GATEWAY, rate, NOW + HOUR) == 4

    async def test_a_clock_that_went_back_gives_nothing_and_stops_nothing(
        self, engine: Engine
    ) -> None:
        rate, many = 1.0, [message(f"m{n}") for n in range(3)]
        await queue(engine.store, *many)
        async with engine.store.write() as session:
            await session.refill(GATEWAY, rate, NOW)
            await begin(session, many)
        await engine.later(-HOUR)
        async with engine.store.write() as session:
            assert -2 <= await session.refill(GATEWAY, rate, NOW - HOUR) < 1
        await engine.later(5_000)
        async with engine.store.write() as session:
            assert await session.refill(GATEWAY, rate, NOW - HOUR + 5_000) == 1

    async def test_often_reckoned_it_loses_nothing(self, engine: Engine) -> None:
        """A slow gateway that is looked at each ms must gain as well."""
        rate = 0.3
        sent = [message(f"m{n}") for n in range(2)]
        await queue(engine.store, *sent)
        async with engine.store.write() as session:
            await session.refill(GATEWAY, rate, NOW)
            await begin(session, sent)
            for passed in range(1, 101):
                await engine.later(1, session)
                level = await session.refill(GATEWAY, rate, NOW + passed)
        assert level >= Bucket(rate=rate, level=-1, at=0).refilled(100).level - 0.000_2

    async def test_two_gateways_do_not_wait_for_one_another(self, engine: Engine) -> None:
        """Where transactions take turns, they do so whatever they are about."""
        other = await engine.another()
        async with engine.store.write() as session:
            await session.refill("one", 1.0, NOW)
            if not engine.takes_turns:
                async with asyncio.timeout(10), other.write() as beside:
                    await beside.refill("two", 1.0, NOW)

    async def test_who_was_just_written_to_is_left_out(self, engine: Engine) -> None:
        gap = HOUR
        to = {name: Address.parse(f"telegram:{n}") for n, name in enumerate("abc", start=100)}
        waiting = [message(name, to=str(address)) for name, address in to.items()]
        await queue(engine.store, *waiting, message("a2", to=str(to["a"]), at=NOW + 1))

        async def due(gateway: str = GATEWAY, *, gap: int = gap, now: int = NOW) -> list[str]:
            async with engine.store.write() as session:
                found = await session.waiting("telegram", gateway, NOW + 1, 9, gap=gap, elapsed=now)
                return sorted(one.key for one in await session.messages([c.id for c in found]))

        async with engine.store.write() as session:
            await session.spoken(GATEWAY, [to["a"], to["b"], to["a"]], gap, NOW)
        assert await due() == ["c"]
        assert await due("another") == ["a", "a2", "b", "c"]
        assert await due(gap=0) == ["a", "a2", "b", "c"]
        await engine.later(gap - 60_000)
        assert await due(now=NOW + gap - 60_000) == ["c"]
        await engine.later(60_000)
        assert await due(now=NOW + gap) == ["a", "a2", "b", "c"]
        async with engine.store.write() as session:
            await session.spoken(GATEWAY, [to["c"]], gap, NOW + gap)
        assert await engine.rows("SELECT count(*) FROM spoken") == [(1,)]
        await engine.later(-HOUR)  # set back: nobody waits for longer than he would have
        assert await due(now=NOW + gap - HOUR) == ["a", "a2", "b", "c"]

    async def test_what_one_gateway_alone_may_send(self, engine: Engine) -> None:
        await queue(engine.store, message("free"), message("bound"))
        async with engine.store.write() as session:
            bound = Moved(id=message("bound").id, state=State.QUEUED, reason="again", pinned="two")
            await session.move([bound], NOW)
        async with engine.store.read() as session:
            for gateway, ids in (("two", [message("bound").id]), ("one", [])):
                found = await session.waiting("sms", gateway, NOW, 9, pinned=True)
                assert [one.id for one in found] == ids
