"""``/v1/apologies`` and ``/v1/letters`` of the running service, and the way back to the source."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import office
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from builders import until
from standardwebhooks import Webhook

from notifier.bootstrap.core import configure
from notifier.bootstrap.service import Service
from notifier.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOKEN = "a token of the console"
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
DUE = "2030-12-02T17:00:00+07:00"
PUBLIC = "https://motcua.example.vn"


class OneStop:
    """The one-stop system: refuses the first call, and keeps what it was sent."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        Webhook(SECRET).verify(body, dict(request.headers))
        self.calls.append(json.loads(body))
        return web.Response(status=503 if len(self.calls) == 1 else 204)


class Desk:
    """A console that works with the service over HTTP."""

    def __init__(self, service: Service, http: aiohttp.ClientSession, back: OneStop) -> None:
        self.service = service
        self.back = back
        self._http = http

    async def call(
        self, method: str, path: str, token: str = TOKEN, **body: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        sent = {"json": body} if body else {}
        url = self.service.url + path
        async with self._http.request(method, url, headers=headers, **sent) as answer:
            if "json" in answer.content_type:
                return answer.status, await answer.json(content_type=None)
            return answer.status, await answer.read()

    async def signed(self) -> dict[str, Any]:
        """A dossier whose apology is signed."""
        body = office.encoded(office.event(due_at=DUE))
        headers = office.signed(self.service.keys.events, body)
        async with self._http.post(
            f"{self.service.url}/v1/events", data=body, headers=headers
        ) as answer:
            assert answer.status == 202
        status, made = await self.call(
            "POST", "/v1/apologies", dossier=office.CODE, new_due="2030-12-09", by="lan",
            reason_key="survey",
        )  # fmt: skip
        assert status == 201
        status, signed = await self.call(
            "POST", f"/v1/apologies/{made['id']}/approve", by="minh", number="12/PXL",
            signer="Trần Văn Mẫu", title="GIÁM ĐỐC",
        )  # fmt: skip
        assert status == 200
        return signed


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    back = OneStop()
    app = web.Application()
    app.router.add_post("/back", back.take)
    server = TestServer(app)
    await server.start_server()
    monkeypatch.setenv("NOTIFIER_STORE", f"sqlite:///{tmp_path}/notifier.db")
    monkeypatch.setenv("NOTIFIER_WEB__PORT", "0")
    monkeypatch.setenv("APOLOGY_TOKEN", TOKEN)
    folder = office.write_config(
        tmp_path / "config",
        web={"public_url": PUBLIC + "/"},
        apology={
            "api_token": "env:APOLOGY_TOKEN",
            "return_url": str(server.make_url("/back")),
            "return_secret": SECRET,
        },
    )
    service = Service(configure(folder), SystemClock())
    await service.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Desk(service, http, back)
    finally:
        await service.stop()
        await server.close()


async def test_nobody_comes_in_without_the_token(desk):
    for token in ("", "another token of 16", TOKEN + "x", "ké"):
        for method, path in (
            ("GET", "/v1/apologies"),
            ("POST", "/v1/apologies"),
            ("GET", "/v1/apologies/debts"),
            ("GET", "/v1/apologies/x"),
            ("GET", "/v1/apologies/x/letter"),
            ("POST", "/v1/apologies/x/approve"),
            ("POST", "/v1/apologies/x/reject"),
        ):
            status, document = await desk.call(method, path, token)
            assert status == 401, path
            assert document["title"]


async def test_without_a_token_in_the_settings_there_is_no_such_path(running):
    assert (await running.call("GET", "/v1/apologies"))[0] == 404
    assert (await running.call("GET", "/v1/letters/none"))[0] == 404


async def test_a_console_signs_and_shows_who_did_what(desk):
    signed = await desk.signed()
    assert (signed["state"], signed["number"]) == ("sent", "12/PXL")
    status, shown = await desk.call("GET", f"/v1/apologies/{signed['id']}")
    assert status == 200
    assert [(act["act"], act["by"]) for act in shown["acts"]][:2] == [
        ("draft", "lan"), ("approve", "minh"),
    ]  # fmt: skip
    _, listed = await desk.call("GET", "/v1/apologies?state=sent&limit=1")
    assert [row["id"] for row in listed["apologies"]] == [signed["id"]]
    assert (await desk.call("GET", "/v1/apologies/debts"))[1] == {"debts": []}
    status, letter = await desk.call("GET", f"/v1/apologies/{signed['id']}/letter")
    assert status == 200
    assert letter.startswith(b"%PDF-")


async def test_the_rules_hold_over_http_too(desk):
    signed = await desk.signed()
    path = f"/v1/apologies/{signed['id']}"
    for status, method, where, body in (
        (409, "POST", f"{path}/approve",
         {"by": "minh", "number": "1", "signer": "T", "title": "G"}),
        (409, "POST", f"{path}/withdraw", {"by": "lan"}),
        (409, "POST", "/v1/apologies",
         {"dossier": office.CODE, "new_due": "2030-12-16", "by": "lan", "reason": "x"}),
        (400, "POST", "/v1/apologies", {"dossier": office.CODE, "by": "lan"}),
        (400, "POST", "/v1/apologies",
         {"dossier": office.CODE, "new_due": "soon", "by": "lan", "reason": "x"}),
        (400, "POST", f"{path}/reject", {"by": "lan", "force": True}),
        (400, "GET", "/v1/apologies?limit=0", {}),
        (400, "GET", "/v1/apologies?state=lost", {}),
        (400, "GET", "/v1/apologies/none", {}),
        (404, "POST", f"{path}/fly", {"by": "lan"}),
    ):  # fmt: skip
        got, document = await desk.call(method, where, **body)
        assert got == status, (where, document)
        assert document["status"] == status


async def test_whoever_holds_the_letter_can_check_it_and_learns_no_name(desk):
    signed = await desk.signed()
    found, _ = await desk.service.apologise.shown(signed["id"])
    check = desk.service.apologise.check_url(found)
    assert check.startswith(f"{PUBLIC}/v1/letters/")
    assert found.letter["check_url"] == check
    status, page = await desk.call("GET", check.removeprefix(PUBLIC), token="")
    text = page.decode()
    assert status == 200
    for told in ("12/PXL", office.CODE, "UBND phường Bình Phước"):
        assert told in text
    for kept in (office.NAME, "Trần Văn Mẫu", "đo đạc", office.PHONE):
        assert kept not in text
    forged = check.removeprefix(PUBLIC)[:-2] + "AA"
    status, page = await desk.call("GET", forged, token="")
    assert status == 404
    assert office.CODE not in page.decode()


async def test_the_link_in_the_message_opens_the_letter(desk):
    await desk.signed()
    async with desk.service.store.read() as session:
        found = (await session.dossiers([office.CODE]))[office.CODE]
    link = found.facts.rescheduled.letter
    status, letter = await desk.call("GET", link.removeprefix(PUBLIC), token="")
    assert status == 200
    assert letter.startswith(b"%PDF-")


async def test_the_source_is_told_again_until_it_takes_it(desk):
    signed = await desk.signed()
    back = desk.back
    now = desk.service.clock.civil()
    give_back = next(tick for tick in desk.service.ticks._ticks if tick.name == "give_back")
    await give_back.sweep(now)
    assert len(back.calls) == 1
    await give_back.sweep(now + 10 * 60_000)
    await until(lambda: len(back.calls) == 2)
    first, second = back.calls
    assert first == second
    assert (first["type"], first["id"]) == ("dossier.rescheduled", signed["id"])
    assert first["data"]["rescheduled"]["document"]["number"] == "12/PXL"
    _, shown = await desk.call("GET", f"/v1/apologies/{signed['id']}")
    assert shown["state"] == "returned"
