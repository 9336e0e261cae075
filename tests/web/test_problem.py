"""Errors over HTTP: each becomes a problem document, and what was not foreseen tells nothing."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from notifier.errors import (
    AudienceError,
    EventError,
    NotAllowedError,
    SignatureError,
    StoreError,
    WebhookError,
)
from notifier.web.problem import problem, problems


async def answered(aiohttp_client, error):
    """What a caller gets where the handler raises ``error``."""

    async def handler(request):
        raise error

    app = web.Application(middlewares=[problems])
    app.router.add_get("/{anything:.*}", handler)
    client = await aiohttp_client(app)
    return await client.get("/x", allow_redirects=False)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EventError("/time", "it is missing"), 400),
        (WebhookError("there is no callback at this path"), 400),
        (AudienceError("row 2: there is no number in it"), 400),
        (SignatureError("the request is not signed"), 401),
        (NotAllowedError("another person has to approve it"), 409),
        (web.HTTPNotFound(), 404),
        (web.HTTPForbidden(), 403),
        (web.HTTPRequestEntityTooLarge(max_size=10, actual_size=11), 413),
        (web.HTTPServiceUnavailable(), 503),
        (StoreError("the store is not open"), 500),
        (ValueError("oops"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_an_error_is_a_problem_document(aiohttp_client, error, status):
    response = await answered(aiohttp_client, error)
    document = await response.json(content_type="application/problem+json")
    assert response.status == document["status"] == status
    assert document["type"] == "about:blank"
    assert document["title"]


async def test_an_event_error_names_the_field(aiohttp_client):
    response = await answered(aiohttp_client, EventError("/data/due_at", "it is not a time"))
    document = await response.json(content_type=None)
    assert document["field"] == "/data/due_at"
    assert document["detail"] == "it is not a time"


async def test_what_was_not_foreseen_tells_nothing(aiohttp_client):
    response = await answered(aiohttp_client, RuntimeError("the key is 0912000345"))
    text = await response.text()
    assert response.status == 500
    assert "0912000345" not in text
    assert "RuntimeError" not in text


async def test_a_method_that_is_not_allowed_names_those_that_are(aiohttp_client):
    response = await answered(aiohttp_client, web.HTTPMethodNotAllowed("GET", ["PUT", "POST"]))
    assert response.status == 405
    assert response.headers["Allow"] == "POST,PUT"


async def test_a_redirect_is_no_problem(aiohttp_client):
    response = await answered(aiohttp_client, web.HTTPSeeOther("/elsewhere"))
    assert response.status == 303
    assert response.headers["Location"] == "/elsewhere"


def test_further_members_stand_beside_the_usual_ones():
    response = problem(400, "No event can be read", "send one", field="/id")
    assert json.loads(response.body) == {
        "type": "about:blank",
        "title": "No event can be read",
        "status": 400,
        "detail": "send one",
        "field": "/id",
    }


async def test_a_body_that_is_not_packed_as_its_headers_say_is_400(aiohttp_client):
    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application(middlewares=[problems])
    app.add_routes([web.post("/", read)])
    client = await aiohttp_client(app)
    response = await client.post("/", data=b"{}", headers={"content-encoding": "gzip"})
    assert response.status == 400
    assert response.content_type == "application/problem+json"


async def test_a_connection_of_ours_that_breaks_is_a_failure_of_ours(aiohttp_client):
    response = await answered(aiohttp_client, ConnectionResetError("the database is gone"))
    assert response.status == 500
