"""``POST /v1/events``: who may, what becomes of each item, and that nothing is lost."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import office
import pytest

from notifier.sources import standard_webhooks

OTHER_SECRET = "whsec_" + "QUJD" * 10


def fates(document: dict[str, Any]) -> list[str]:
    return [row["result"] for row in document["results"]]


def without(event: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


async def test_an_event_is_stored_and_named_in_the_answer(running):
    status, document = await running.push(office.encoded(office.event()))
    assert status == 202
    assert document == {
        "results": [
            {
                "result": "stored",
                "id": f"{office.CODE}:received",
                "source": office.SOURCE,
                "subject": office.CODE,
            }
        ]
    }
    assert running.rows("SELECT code FROM dossier") == [(office.CODE,)]


# ------------------------------------------------------------------------------------ signatures


def forged(name: str, secret: str, body: bytes) -> tuple[bytes, dict[str, str]]:
    """A request that is not signed as agreed, in the way that ``name`` says."""
    good = office.signed(secret, body)
    without_id = {key: value for key, value in good.items() if key != "webhook-id"}
    return {
        "unsigned": (body, {"content-type": office.ONE}),
        "without its id": (body, without_id),
        "another's secret": (body, office.signed(OTHER_SECRET, body)),
        "a changed body": (body.replace(b"2026", b"2027"), good),
        "a changed id": (body, good | {"webhook-id": "msg-2"}),
        "a changed time": (
            body,
            good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) - 1)},
        ),
        "six minutes old": (body, office.signed(secret, body, age=360)),
        "six minutes ahead": (body, office.signed(secret, body, age=-360)),
        "a time that is no number": (body, good | {"webhook-timestamp": "now"}),
        "another version": (
            body,
            good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v2,")},
        ),
        "no signature at all": (body, good | {"webhook-signature": "v1,"}),
        "letters that are not ASCII": (body, good | {"webhook-signature": "v1,chữ ký"}),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "unsigned",
        "without its id",
        "another's secret",
        "a changed body",
        "a changed id",
        "a changed time",
        "six minutes old",
        "six minutes ahead",
        "a time that is no number",
        "another version",
        "no signature at all",
        "letters that are not ASCII",
    ],
)
async def test_what_is_not_signed_is_refused_and_not_kept(running, name):
    body, headers = forged(
        name, running.secret, office.encoded(office.event(due_at="2026-12-01T17:00:00+07:00"))
    )
    status, document = await running.call("POST", "/v1/events", body, headers)
    assert status == 401
    assert document["detail"]
    assert running.rows("SELECT count(*) FROM event") == [(0,)]
    assert running.rows("SELECT count(*) FROM quarantine") == [(0,)]


async def test_one_of_several_signatures_is_enough_while_a_secret_is_changed(running):
    body = office.encoded(office.event())
    headers = office.signed(running.secret, body)
    old = office.signed(OTHER_SECRET, body)["webhook-signature"]
    headers["webhook-signature"] = f"{old} {headers['webhook-signature']}"
    status, _ = await running.call("POST", "/v1/events", body, headers)
    assert status == 202


# ------------------------------------------------------------------------------- what can't be read


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda event: without(event, "id"), "/id"),
        (lambda event: without(event, "source"), "/source"),
        (lambda event: without(event, "subject"), "/subject"),
        (lambda event: without(event, "time"), "/time"),
        (lambda event: event | {"time": "yesterday"}, "/time"),
        (lambda event: event | {"id": ""}, "/id"),
        (lambda event: event | {"id": 7}, "/id"),
        (lambda event: event | {"specversion": "0.3"}, "/specversion"),
        (lambda event: event | {"type": "dossier.eaten"}, "/type"),
        (lambda event: event | {"type": "received"}, "/type"),
        (lambda event: event | {"data": {"due_at": "soon"}}, "/data/due_at"),
        (lambda event: event | {"data": {"status": "2"}}, "/data/status"),
        (lambda event: event | {"data": {"applicant": "Hoa"}}, "/data/applicant"),
        (
            lambda event: event | {"data": {"fees": [{"name": "phí", "amount": -1}]}},
            "/data/fees/0/amount",
        ),
        (
            lambda event: event | {"data": {"rescheduled": {"due_at": "later"}}},
            "/data/rescheduled/due_at",
        ),
    ],
)
async def test_a_request_with_nothing_readable_is_400_with_the_field(running, change, field):
    status, document = await running.push(office.encoded(change(office.event())))
    assert status == 400
    assert document["field"] == field
    assert document["detail"]
    assert running.rows("SELECT door FROM quarantine") == [("events",)]
    assert running.rows("SELECT count(*) FROM event") == [(0,)]


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"not json at all", office.ONE, "JSON"),
        (b'{"specversion": "1.0", ', office.ONE, "JSON"),
        (b"\xff\xfe\x00", office.ONE, "JSON"),
        (b"", office.ONE, "JSON"),
        (b"[]", office.BATCH, "no event"),
        (b"\n\n", office.LINES, "no event"),
        (b'"text"', office.ONE, "a list of events"),
        (b"[" * 5000, office.ONE, "JSON"),
    ],
)
async def test_a_body_that_is_no_event_is_400_and_kept(running, body, kind, says):
    headers = signed_bytes(running.secret, body, kind)
    status, document = await running.call("POST", "/v1/events", body, headers)
    assert status == 400
    assert says in document["detail"]
    assert fates(document) == ["quarantined"]
    assert running.rows("SELECT count(*) FROM quarantine") == [(1,)]


def signed_bytes(secret: str, body: bytes, kind: str) -> dict[str, str]:
    """As ``office.signed``, for bytes that are no text, which the reference can't sign."""
    headers = office.signed(secret, b"", kind=kind)
    stamp = int(headers["webhook-timestamp"])
    key = standard_webhooks.read_secret(secret)
    signature = standard_webhooks.sign(key, headers["webhook-id"], stamp, body)
    return headers | {"webhook-signature": signature}


async def test_what_was_kept_can_be_read_again_by_nobody_without_the_key(running):
    body = office.encoded(without(office.event(), "id"))
    await running.push(body)
    [(sealed,)] = running.rows("SELECT raw_sealed FROM quarantine")
    assert office.PHONE.encode() not in sealed
    assert office.NAME.encode() not in sealed


@pytest.mark.parametrize("kind", [office.BATCH, office.LINES])
async def test_good_items_of_a_batch_are_taken_and_each_is_answered(running, kind):
    batch = [
        office.event(code="H19.45-261118-0001"),
        without(office.event(code="H19.45-261118-0002"), "time"),
        office.event(code="H19.45-261118-0003"),
    ]
    body = (
        b"\n".join(office.encoded(one) for one in batch)
        if kind == office.LINES
        else office.encoded(*batch)
    )
    status, document = await running.push(body, kind=kind)
    assert status == 202
    assert fates(document) == ["stored", "quarantined", "stored"]
    assert document["results"][1]["reason"].startswith("/time: ")
    assert document["results"][2]["subject"] == "H19.45-261118-0003"
    assert running.rows("SELECT code FROM dossier ORDER BY code") == [
        ("H19.45-261118-0001",),
        ("H19.45-261118-0003",),
    ]
    assert running.rows("SELECT count(*) FROM quarantine") == [(1,)]


async def test_a_line_that_is_no_json_costs_only_itself(running):
    body = office.encoded(office.event()) + b"\n{broken\n"
    status, document = await running.push(body, kind=office.LINES)
    assert (status, fates(document)) == (202, ["stored", "quarantined"])


async def test_an_event_in_headers_is_read_as_any_other(running):
    whole = office.event()
    body = office.encoded(whole["data"])
    headers = office.signed(running.secret, body, kind="application/json")
    headers |= {f"ce-{key}": value for key, value in whole.items() if key != "data"}
    status, document = await running.call("POST", "/v1/events", body, headers)
    assert (status, fates(document)) == (202, ["stored"])


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            office.event(time=(datetime.now(UTC) + timedelta(minutes=30)).isoformat()),
            "10 minutes ahead",
        ),
        (office.event(status=77), "status 77"),
    ],
    ids=["from the future", "a state that nobody knows"],
)
async def test_what_is_readable_but_not_believable_is_kept_aside(running, event, reason):
    status, document = await running.push(office.encoded(event, office.event(ce_id="good")))
    assert (status, fates(document)) == (202, ["quarantined", "stored"])
    assert reason in document["results"][0]["reason"]


async def test_a_repeated_event_is_a_duplicate_and_tells_nobody_again(running):
    body = office.encoded(office.event())
    _, first = await running.push(body, call="msg-1")
    _, second = await running.push(body, call="msg-2")
    assert (fates(first), fates(second)) == (["stored"], ["duplicate"])
    assert running.rows("SELECT notice FROM message") == [("received",)]


async def test_the_same_event_twice_in_one_batch_is_stored_once(running):
    event = office.event()
    _, document = await running.push(office.encoded(event, event), kind=office.BATCH)
    assert fates(document) == ["stored", "duplicate"]
    assert running.rows("SELECT notice FROM message") == [("received",)]


# ------------------------------------------------------------------------------------- the door


async def test_a_request_over_the_limit_is_413_and_says_what_to_do(running):
    body = b" " * 100_001
    status, document = await running.push(body)
    assert status == 413
    assert "fewer" in document["detail"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_another_method_is_405_and_names_the_right_one(running, method):
    response, _ = await running.raw(method, "/v1/events")
    assert response.status == 405
    assert response.content_type == "application/problem+json"
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/events/7", "/v2/events", "/hooks"])
async def test_an_unknown_path_is_404(running, path):
    status, _ = await running.call("POST", path)
    assert status == 404


# ----------------------------------------------------------------------- answered after the commit


async def test_two_hundred_at_once_are_each_answered_after_their_commit(running):
    async def one(number: int) -> bool:
        body = office.encoded(office.event(code=f"H19.45-261118-{number:04}"))
        status, document = await running.push(body, call=f"msg-{number}")
        assert (status, fates(document)) == (202, ["stored"])
        return running.rows("SELECT 1 FROM event WHERE id = ?", document["results"][0]["id"]) != []

    assert all(await asyncio.gather(*(one(number) for number in range(200))))
    assert running.rows("SELECT count(*) FROM dossier") == [(200,)]
    assert running.rows("SELECT count(DISTINCT dossier) FROM message") == [(200,)]


async def test_nothing_is_answered_while_the_store_can_not_commit(running):
    body = office.encoded(office.event())
    path = running.service.settings.store_path
    with closing(sqlite3.connect(path, isolation_level=None)) as another_process:
        another_process.execute("BEGIN IMMEDIATE")
        pushing = asyncio.create_task(running.push(body))
        done, _ = await asyncio.wait([pushing], timeout=0.3)
        assert not done
        another_process.execute("ROLLBACK")
    status, document = await pushing
    assert (status, fates(document)) == (202, ["stored"])
    assert running.rows("SELECT count(*) FROM event") == [(1,)]


async def test_a_store_that_fails_is_a_500_that_tells_nothing_and_takes_nothing(
    running, monkeypatch
):
    def broken() -> Any:
        raise sqlite3.OperationalError(f"disk I/O error near {office.PHONE}")

    with monkeypatch.context() as store:
        store.setattr(running.service.store, "write", broken)
        status, document = await running.push(office.encoded(office.event()))
    assert status == 500
    assert "disk" not in json.dumps(document)
    assert office.PHONE not in json.dumps(document)
    status, document = await running.push(office.encoded(office.event()), call="msg-2")
    assert (status, fates(document)) == (202, ["stored"])
