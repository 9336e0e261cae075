"""Several real processes on one database: the work is shared, and one that dies stops nobody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import office
import pytest
from builders import code

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from postgres_server import PostgresServer
    from processes import Office, SmsProvider


@pytest.fixture
async def home(station: Office, postgres: PostgresServer) -> AsyncIterator[Office]:
    database = await postgres.new_database()
    station.server = postgres.address(database)
    yield station
    assert postgres.password not in "\n".join(station.written)
    await postgres.give_back(database)


async def test_two_share_the_work_and_one_goes_on_alone(
    home: Office, provider: SmsProvider
) -> None:
    async with home.serving() as one, home.serving() as two:
        for number, process in enumerate((one, two, one, two)):
            answer = await process.push(office.event(code=code(number)))
            assert [row["result"] for row in answer["results"]] == ["stored"]
        told = await provider.has(4)
        again = await two.push(office.event(code=code(0)))
        assert [row["result"] for row in again["results"]] == ["duplicate"]

        assert await one.text(f"hs {code(0)}") == 200
        await provider.has(5)

        await one.kill()
        await two.push(office.event(code=code(9)))
        await provider.has(6)
        assert await two.stop() == 0
    assert set(Counter(sent.text for sent in told).values()) == {1}
    rows = await home.outbox()
    assert Counter(row["notice"] for row in rows) == {"received": 5, "answer": 1}
    assert {row["state"] for row in rows} <= {"accepted", "sending"}
