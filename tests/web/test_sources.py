"""``POST /v1/sources/{name}``: each source proves itself in its way, and finds its own "ok"."""

from __future__ import annotations

import base64
import json
from typing import Any

import office
import pytest

CODE = office.CODE
RECORD = {"MaHoSo": CODE, "TrangThaiHoSo": "2", "SoDienThoai": "0912 000 345"}
UNKNOWN = {"MaHoSo": CODE, "TrangThaiHoSo": "11"}
BAD = {"MaHoSo": CODE, "NgayHenTra": "hôm qua"}

BEARER = {"authorization": "Bearer a token of theirs"}
QUERY = "?MaDinhDanhDV=000.00.01.H22&isUpdating=True"


def basic(user: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


async def said(running: Any, path: str, document: Any, headers: Any = None) -> tuple[int, Any]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    response, text = await running.raw("POST", f"/v1/sources/{path}", body, headers)
    return response.status, json.loads(text)


def dossiers(running: Any) -> list[tuple[Any, ...]]:
    return running.rows("SELECT code, status FROM dossier")


# ---------------------------------------------------------------------------------- as the events


async def test_the_shipped_source_is_signed_as_events_are(running):
    body = json.dumps([RECORD, UNKNOWN, BAD]).encode()
    headers = office.signed(running.secret, body, kind="application/json")
    status, answer = await said(running, "exchange", body, headers)
    assert status == 202
    assert [row["result"] for row in answer["results"]] == ["stored", "quarantined", "quarantined"]
    assert answer["results"][0]["source"] == "exchange"
    assert dossiers(running) == [(CODE, 2)]
    kept = running.rows("SELECT door, reason FROM quarantine ORDER BY id")
    assert [door for door, _ in kept] == ["sources/exchange"] * 2
    assert kept[1][1].startswith("/NgayHenTra: ")


@pytest.mark.parametrize("change", ["unsigned", "another body"])
async def test_a_forged_push_is_refused(running, change):
    body = json.dumps(RECORD).encode()
    headers = office.signed(running.secret, body) if change != "unsigned" else {}
    status, answer = await said(running, "exchange", body + b" ", headers)
    assert (status, answer["title"]) == (401, "The request is not signed as agreed")
    assert dossiers(running) == []


async def test_nothing_readable_is_a_problem_that_names_the_field(running):
    headers = basic("igate", "mật khẩu")
    status, answer = await said(running, "igate", [BAD], headers)
    assert (status, answer["field"]) == (400, "/NgayHenTra")
    status, answer = await said(running, "igate", [UNKNOWN], headers)
    assert status == 202


@pytest.mark.parametrize("name", ["none", "table"])
async def test_a_source_without_a_door(running, name):
    assert (await said(running, name, RECORD))[0] == 404
    assert (await said(running, f"{name}/session", {}))[0] == 404


# ------------------------------------------------------------------------------ who, and the reply

SECRETS = [
    {},
    {"authorization": ""},
    {"authorization": "Bearer"},
    {"authorization": "Bearer a token of their"},
    {"authorization": "Basic a token of theirs"},
    {"authorization": "Bearer a token of theirs x"},
]


async def test_a_bearer_finds_its_response_code(running):
    assert await said(running, f"rest{QUERY}", [RECORD], BEARER) == (200, {"response_code": "00"})
    assert dossiers(running) == [(CODE, 2)]


@pytest.mark.parametrize("headers", SECRETS)
async def test_another_bearer_does_not(running, headers):
    assert await said(running, f"rest{QUERY}", [RECORD], headers) == (
        401,
        {"response_code": "-1"},
    )
    assert dossiers(running) == []


async def test_the_query_has_to_be_as_agreed(running):
    for query in ("", "?MaDinhDanhDV=000.00.01.H23"):
        assert await said(running, f"rest{query}", [RECORD], BEARER) == (
            400,
            {"response_code": "-1"},
        )
    assert dossiers(running) == []


@pytest.mark.parametrize(
    "headers",
    [{}, basic("igate", "mat khau"), basic("igat", "mật khẩu"), {"authorization": "Basic ===="},
     {"authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}],
)  # fmt: skip
async def test_basic(running, headers):
    assert (await said(running, "igate", RECORD, headers))[0] == 401
    assert (await said(running, "igate", RECORD, basic("igate", "mật khẩu")))[0] == 202


async def login(running: Any, said_word: str = "") -> tuple[int, Any]:
    word = said_word or "a password of theirs"
    return await said(running, "lgsp/session", {"username": "tinh", "password": word})


async def test_a_session_is_opened_and_pushes(running):
    status, opened = await login(running)
    assert (status, opened["error_code"]) == (200, "00")
    push = {
        "session": opened["session"],
        "madonvi": "000.00.01.H22",
        "service": "DongBoHoSoMC",
        "isUpdating": "True",
        "data": [RECORD, UNKNOWN],
    }
    assert await said(running, "lgsp", push) == (
        200,
        {"error_code": "00", "message": "1 stored, 1 kept for a person to look at"},
    )
    assert dossiers(running) == [(CODE, 2)]


async def test_a_session_that_is_none(running):
    assert (await login(running, "a guess"))[1]["error_code"] == "-1"
    assert (await said(running, "lgsp/session", b"{"))[0] == 401
    _, opened = await login(running)
    expires, _, proof = opened["session"].partition(".")
    forged = [
        "",
        "x",
        f"{int(expires) + 1}.{proof}",
        f"{expires}.{proof[:-1]}0" if proof[-1] != "0" else f"{expires}.{proof[:-1]}1",
        running.service.doors["lgsp"][0]._token(1_000),
    ]
    for session in forged:
        status, answer = await said(running, "lgsp", {"session": session, "data": [RECORD]})
        assert (status, answer["error_code"]) == (401, "-1")
    # A source without sessions has no login.
    body = {"username": "igate", "password": "mật khẩu"}
    assert (await said(running, "igate/session", body))[0] == 401
    assert dossiers(running) == []


async def test_what_is_kept_is_ok_to_the_sender_and_what_is_nothing_is_not(running):
    assert await said(running, f"rest{QUERY}", [BAD], BEARER) == (200, {"response_code": "00"})
    assert await said(running, f"rest{QUERY}", b"{", BEARER) == (400, {"response_code": "-1"})
    assert await said(running, f"rest{QUERY}", [RECORD] * 2_000, BEARER) == (
        413,
        {"response_code": "-1"},
    )
    assert len(running.rows("SELECT id FROM quarantine")) == 2


async def test_a_store_that_fails_is_no_ok(running, monkeypatch):
    async def fail(items):
        raise OSError("the disk is full")

    monkeypatch.setattr(running.service.ingesting, "_flow", fail)
    assert await said(running, f"rest{QUERY}", [RECORD], BEARER) == (
        500,
        {"response_code": "-1"},
    )


async def test_no_secret_is_shown(running):
    shown = repr(running.service.settings)
    assert "theirs" not in shown
    assert "mật khẩu" not in shown
