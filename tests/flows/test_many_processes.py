"""Several processes take in and answer at once, on one store."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import NAME, NOW, PHONE, code, event, inbound, received
from doubles.gateway import ScriptedGateway
from engines import on_every_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from builders import Centre

PROCESSES = 3
DOSSIERS = 4


@pytest.fixture
async def processes(centre: Centre) -> AsyncIterator[list[Centre]]:
    others = [centre.another() for _ in range(PROCESSES - 1)]
    for other in others:
        await other.store.open()
    yield [centre, *others]
    for other in others:
        await other.store.close()


@on_every_store
async def test_no_event_of_a_dossier_is_lost(centre: Centre, processes: list[Centre]) -> None:
    """Each hears of every dossier at once, from the first event on."""
    steps = [
        [
            event(what, number=n, at=NOW + later, applicant_phone=PHONE, applicant_name=NAME)
            for later, what in enumerate(("received", "processing", "finished"))
        ]
        for n in range(DOSSIERS)
    ]
    await asyncio.gather(
        *(
            process.push(*(told[place] for told in (steps if place else steps[::-1])))
            for place, process in enumerate(processes)
        )
    )
    for number in range(DOSSIERS):
        dossier = await centre.dossier(number)
        assert dossier
        assert len(dossier.steps) == PROCESSES
        assert dossier.status == 9
    told = Counter((row.dossier, row.notice) for row in await centre.outbox())
    assert set(told.values()) == {1}
    assert {dossier for dossier, notice in told if notice == "result_ready"} == {
        code(n) for n in range(DOSSIERS)
    }


@on_every_store
async def test_who_asks_while_the_dossier_appears_is_answered(
    centre: Centre, processes: list[Centre]
) -> None:
    """Now, or when it is there: never kept waiting for what is there already."""
    _, asked, told = processes
    await asyncio.gather(
        *(
            work
            for n in range(12)
            for work in (
                asked.receive().accept(
                    [inbound(f"HS {code(n)}", key=str(n), sender=f"telegram:{1000 + n}")]
                ),
                told.push(received(n)),
            )
        )
    )
    assert centre.rows("SELECT code FROM kept") == []


@on_every_store
async def test_a_guesser_gains_nothing_by_asking_many_processes(
    centre: Centre, processes: list[Centre]
) -> None:
    """Not even with codes that have no day in common."""
    limit = centre.installation.disclosure.most_guesses_lately
    codes = [f"H19.45-26{month:02}{day:02}-0001" for month in (8, 9, 10) for day in range(1, 11)]
    await centre.push(*(replace(received(), id=one, code=one, code_raw=one) for one in codes))
    await asyncio.gather(
        *(
            processes[n % PROCESSES]
            .receive()
            .accept([inbound(f"HS {one}", key=str(n), sender="telegram:666")])
            for n, one in enumerate(codes)
        )
    )
    answers = [row.text for row in await centre.outbox() if row.notice == "answer"]
    assert len([text for text in answers if text.startswith("Hồ sơ")]) == limit


@on_every_store
async def test_what_waits_is_sent_once_by_many(centre: Centre, processes: list[Centre]) -> None:
    await centre.push(*(received(n) for n in range(20)))
    gateways = [ScriptedGateway(window=5) for _ in processes]
    await asyncio.gather(
        *(
            process.turn(process.dispatcher(gateway))
            for process, gateway in zip(processes, gateways, strict=True)
        )
    )
    await centre.turn(centre.dispatcher(gateways[0]))  # what was held while they looked
    sent = Counter(key for gateway in gateways for key in gateway.keys)
    assert len(sent) == 20
    assert set(sent.values()) == {1}
    assert set((await centre.states()).values()) == {"accepted"}
