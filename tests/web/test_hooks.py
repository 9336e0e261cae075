"""``/hooks/{gateway}/...``: who is believed, and that a call is answered after its commit."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing

import office
import pytest

ANSWERS = "SELECT count(*) FROM message WHERE notice = 'answer'"


async def test_a_question_is_answered(running):
    await running.push(office.encoded(office.event()))
    status, _ = await running.hook(f"HS {office.CODE}")
    assert status == 200
    assert running.rows(ANSWERS) == [(1,)]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("path", ["/hooks/zalo", "/hooks/zalo/inbound", "/hooks/Simulator/inbound"])
async def test_a_gateway_that_is_not_configured_is_404(running, method, path):
    status, _ = await running.call(method, path)
    assert status == 404


@pytest.mark.parametrize("secret", ["", "guessed", office.SIMULATOR_SECRET.upper(), "đoán"])
async def test_a_forged_call_is_401_and_asks_nothing(running, secret):
    status, _ = await running.hook(f"HS {office.CODE}", secret=secret)
    assert status == 401
    assert running.rows("SELECT count(*) FROM inbound") == [(0,)]
    assert running.rows(ANSWERS) == [(0,)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/hooks/simulator/inbound"),
        ("POST", "/hooks/simulator"),
        ("POST", "/hooks/simulator/elsewhere"),
        ("POST", "/hooks/simulator/inbound/more"),
    ],
)
async def test_a_call_that_the_gateway_does_not_know_is_400(running, method, path):
    headers = {"x-simulator-secret": office.SIMULATOR_SECRET}
    status, document = await running.call(method, path, b"", headers)
    assert status == 400
    assert document["detail"]


async def test_a_call_that_comes_twice_is_answered_once(running):
    calls = [running.hook("HS H19.45-261118-0007", text_id="t-1") for _ in range(5)]
    assert [status for status, _ in await asyncio.gather(*calls)] == [200] * 5
    assert (await running.hook("HS H19.45-261118-0007", text_id="t-1"))[0] == 200
    assert running.rows(ANSWERS) == [(1,)]


async def test_the_same_words_in_another_call_are_another_question(running):
    await running.hook("HD", text_id="t-1")
    await running.hook("HD", text_id="t-2")
    assert running.rows(ANSWERS) == [(2,)]


async def test_a_call_that_can_not_be_read_is_acknowledged_and_kept(running):
    headers = {"x-simulator-secret": office.SIMULATOR_SECRET}
    body = json.dumps({"from": office.PHONE, "words": "HS"}).encode()
    for _ in range(2):
        status, _ = await running.call("POST", "/hooks/simulator/inbound", body, headers)
        assert status == 200
    assert running.rows("SELECT door FROM quarantine") == [("hooks/simulator",)]


async def test_a_call_is_acknowledged_only_after_its_commit(running):
    path = running.service.settings.store_path
    with closing(sqlite3.connect(path, isolation_level=None)) as another_process:
        another_process.execute("BEGIN IMMEDIATE")
        calling = asyncio.create_task(running.hook("HD"))
        done, _ = await asyncio.wait([calling], timeout=0.3)
        assert not done
        another_process.execute("ROLLBACK")
    status, _ = await calling
    assert status == 200
    assert running.rows(ANSWERS) == [(1,)]


async def test_a_call_that_was_not_kept_is_not_acknowledged(running, monkeypatch):
    def broken() -> object:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as store:
        store.setattr(running.service.store, "write", broken)
        status, _ = await running.hook("HD")
    assert status == 500
    status, _ = await running.hook("HD")
    assert status == 200
    assert running.rows(ANSWERS) == [(1,)]


async def test_a_gateway_is_told_the_path_as_its_settings_write_it(running, monkeypatch):
    seen = []
    gateway = running.service.gateways["simulator"]
    read = gateway.read_webhook

    def reading(request):
        seen.append(request.path)
        return read(request)

    monkeypatch.setattr(gateway, "read_webhook", reading)
    await running.hook("HD")
    await running.call("POST", "/hooks/simulator")
    assert seen == ["/inbound", ""]
