"""What providers hand over is committed before they are told so."""

from __future__ import annotations

import asyncio

import pytest
from builders import GATEWAY, Centre, inbound, message
from doubles.gateway import ScriptedGateway
from engines import KEYS

from notifier.domain.message import Receipt, ReceiptStatus, State, Unreadable
from notifier.domain.outcome import Accepted, Unknown
from notifier.storage.sealing import Sealer

DELIVERED, FAILED = ReceiptStatus.DELIVERED, ReceiptStatus.FAILED


async def test_a_question_a_report_and_a_riddle_in_one_request(centre: Centre) -> None:
    await centre.queue(message("a"))
    await centre.turn(centre.dispatcher(ScriptedGateway(Accepted(refs=("r1",)))))
    await centre.receive().accept(
        [
            inbound("HD"),
            Receipt(ref="r1", status=DELIVERED),
            Unreadable(key="u1", reason="no number in it", raw=b"??"),
        ]
    )
    assert (await centre.row("a")).state is State.DELIVERED
    assert (await centre.row(f"answer|{GATEWAY}|in-1")).state is State.QUEUED
    assert centre.rows("SELECT door, key, reason FROM quarantine") == [
        (f"hooks/{GATEWAY}", "u1", "no number in it")
    ]


async def test_a_riddle_is_kept_once_with_its_bytes(centre: Centre) -> None:
    riddle = Unreadable(key="u1", reason="why", raw=b"??")
    await centre.receive().accept([riddle, riddle])
    await centre.receive().accept([riddle])
    [(sealed,)] = centre.rows("SELECT raw_sealed FROM quarantine")
    assert Sealer(KEYS).open(sealed, b"quarantine") == b"??"


async def test_nothing_is_acknowledged_that_was_not_committed(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifier.storage.sqlite.store import SqliteSession

    async def fail(*_: object) -> None:
        raise OSError("the disk is full")

    report = Receipt(ref="r1", status=DELIVERED)
    with monkeypatch.context() as broken:
        broken.setattr(SqliteSession, "add_receipts", fail)
        with pytest.raises(OSError, match="disk is full"):
            await centre.receive().accept([report])
    assert centre.rows("SELECT * FROM receipt") == []
    await centre.receive().accept([report])
    assert centre.rows("SELECT ref FROM receipt") == [("r1",)]


async def test_one_that_cannot_be_kept_does_not_stop_the_others(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = centre.answering.take

    async def choke(session: object, gateway: str, texts: list[object], now: int) -> int:
        if any("poison" in getattr(text, "text", "") for text in texts):
            raise RuntimeError
        return await keep(session, gateway, texts, now)  # type: ignore[arg-type]

    monkeypatch.setattr(centre.answering, "take", choke)
    sink = centre.receive()
    results = await asyncio.gather(
        sink.accept([inbound("HD", key="1")]),
        sink.accept([inbound("poison", key="2")]),
        sink.accept([inbound("HD", key="3")]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), RuntimeError, type(None)]
    assert centre.rows("SELECT key FROM inbound ORDER BY key") == [("1",), ("3",)]


async def test_reports_alone_ring_nobody(centre: Centre) -> None:
    await centre.receive().accept([Receipt(ref="r1", status=DELIVERED)])
    assert centre.rung == 0
    await centre.receive().accept([inbound("HD")])
    assert centre.rung == 1


async def test_drain_waits_for_the_commit(centre: Centre) -> None:
    sink = centre.receive()
    accepting = asyncio.create_task(sink.accept([inbound("HD")]))
    await asyncio.sleep(0)
    await sink.drain()
    assert centre.rows("SELECT key FROM inbound") == [("in-1",)]
    await accepting


# ----------------------------------------------------------------- reports on what was really sent


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        ([("r1", DELIVERED)], State.DELIVERED),
        ([("r1", FAILED)], State.FAILED),
        ([("r1", ReceiptStatus.PENDING)], State.ACCEPTED),
        ([("r1", ReceiptStatus.PENDING), ("r1", DELIVERED)], State.DELIVERED),
        ([("r1", DELIVERED), ("r1", DELIVERED)], State.DELIVERED),
        ([("r1", DELIVERED), ("r1", FAILED)], State.DELIVERED),
        ([("r1", FAILED), ("r1", DELIVERED)], State.FAILED),
        ([("r1", DELIVERED), ("r1", ReceiptStatus.PENDING)], State.DELIVERED),
        ([("r2", FAILED)], State.ACCEPTED),
    ],
    ids=lambda value: None if isinstance(value, State) else " ".join(s.value for _, s in value),
)
@pytest.mark.parametrize("together", [True, False], ids=["in one request", "one by one"])
async def test_reports(
    centre: Centre, reports: list[tuple[str, ReceiptStatus]], state: State, together: bool
) -> None:
    await centre.queue(message("a"))
    await centre.turn(centre.dispatcher(ScriptedGateway(Accepted(refs=("r1",)))))
    receipts = [Receipt(ref=ref, status=status) for ref, status in reports]
    sink = centre.receive()
    for request in [receipts] if together else [[receipt] for receipt in receipts]:
        await sink.accept(request)
    assert (await centre.row("a")).state is state


async def test_a_report_may_come_while_the_gateway_still_speaks(centre: Centre) -> None:
    """The provider's hook is faster than its answer."""
    sink = centre.receive()

    async def report_first(_: object) -> Accepted:
        await sink.accept([Receipt(ref="r1", status=DELIVERED)])
        return Accepted(refs=("r1",))

    await centre.queue(message("a"))
    await centre.turn(centre.dispatcher(ScriptedGateway(report_first)))
    assert (await centre.row("a")).state is State.DELIVERED


async def test_a_report_by_our_key_settles_what_was_unknown(centre: Centre) -> None:
    await centre.queue(message("a"))
    await centre.turn(centre.dispatcher(ScriptedGateway(Unknown(code="timeout"))))
    assert (await centre.row("a")).state is State.UNKNOWN
    await centre.receive().accept([Receipt(ref="a", status=DELIVERED, by_key=True)])
    assert (await centre.row("a")).state is State.DELIVERED
