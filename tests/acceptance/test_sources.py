"""Sources with real processes: an import beside the service, a folder, a push, and a kill."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import Any

import exchange_samples as samples
import office
import pytest
from processes import Office, eventually


async def standing(station: Office) -> dict[str, Any]:
    rows = (await station.run("dossiers", "--json", names_people=True)).rows
    keys = ("status", "due", "phone")
    return {row["code"]: {key: row[key] for key in keys} for row in rows}


@pytest.fixture
def inbox(station):
    inbox = station.folder / "inbox"
    inbox.mkdir()
    table = {"kind": "folder", "map": "exchange", "path": str(inbox), "settle": "0s"}
    station.configure(sources={"drop": {**table, "every": "1s"}})
    return inbox


async def test_an_import_and_a_folder_work_beside_a_running_service(station, inbox, provider):
    async with station.serving() as service:
        part = inbox / "pushes.ndjson.part"
        shutil.copy(samples.FILE, part)
        part.rename(inbox / "pushes.ndjson")
        ran = await station.run("import", str(samples.FILE), "--source", "exchange")
        assert "5 kept for a person" in ran.err

        async def taken():
            return (inbox / "done" / "pushes.ndjson").exists()

        await eventually(taken, "the file is in done/")
        # What is new is told by the service that runs.
        now = datetime.now(UTC).isoformat()
        record = {"MaHoSo": office.CODE, "TrangThaiHoSo": 2, "NgayHenTra": "2030-12-02 17:00:00",
                  "ChuHoSo": office.NAME, "SoDienThoai": office.PHONE}  # fmt: skip
        file = station.folder / "new.json"
        file.write_text(json.dumps({"occurred_at": [now], "data": record}))
        await station.run("import", str(file), "--source", "exchange")
        [told] = await provider.has(1)
        assert office.CODE in told.text
        # The same again by HTTP is known already.
        body = file.read_bytes()
        headers = office.signed(service.secret, body, kind="application/json")
        url = f"{service.url}/v1/sources/exchange"
        async with service.http.post(url, data=body, headers=headers) as answer:
            document = await answer.json()
        assert [row["result"] for row in document["results"]] == ["duplicate"]
        async with service.http.get(f"{service.url}/health/ready") as answer:
            assert (await answer.json())["sources"] == {"drop": {"state": "ok", "reason": ""}}
    found = await standing(station)
    assert found.pop(office.CODE)["status"] == 2
    assert found == samples.EXPECTED
    assert len(provider.received) == 1


async def test_a_service_that_is_killed_takes_the_rest_of_a_folder_at_its_next_start(
    station, inbox
):
    lines = samples.FILE.read_bytes().splitlines(keepends=True)
    for number in range(12):
        cut = b"".join(lines[number::12])
        (inbox / f"{number:02}.ndjson").write_bytes(cut)
    async with station.serving() as service:

        async def some_taken():
            return len(list(inbox.glob("done/*"))) >= 3

        await eventually(some_taken, "some files are in done/")
        await service.kill()
    left = len(list(inbox.glob("*.ndjson")))
    async with station.serving():

        async def all_taken():
            return len(list(inbox.glob("done/*.ndjson"))) == 12

        await eventually(all_taken, "all files are in done/")
    assert left < 12
    assert await standing(station) == samples.EXPECTED
