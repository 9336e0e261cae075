"""``/health/live``, ``/health/ready`` and ``/metrics``: what a watchman sees, and nobody else."""

from __future__ import annotations

import re
import sqlite3

import office

from gateways.simulator import Mode
from notifier.domain import instant
from notifier.domain.breaker import Breaker
from notifier.domain.outcome import Permanent, Scope
from notifier.ports import Health, HealthState


async def test_a_process_that_answers_is_live(running):
    assert await running.call("GET", "/health/live") == (200, {"status": "ok"})


async def test_a_service_whose_gateways_are_well_is_ready(running):
    status, document = await running.call("GET", "/health/ready")
    assert status == 200
    well = {"state": "ok", "reason": ""}
    assert document == {"status": "ok", "gateways": {"simulator": well}, "sources": {}}


async def test_a_gateway_that_is_down_is_named_with_its_reason(running, monkeypatch):
    down = Health(state=HealthState.DOWN, reason="the carrier can't be reached")
    monkeypatch.setattr(running.service.gateways["simulator"], "health", lambda: down)
    status, document = await running.call("GET", "/health/ready")
    assert status == 200
    assert document["status"] == "degraded"
    assert document["gateways"]["simulator"]["state"] == "down"
    assert "reached" in document["gateways"]["simulator"]["reason"]


async def test_a_gateway_that_rests_is_named_with_its_reason(running, monkeypatch):
    refused = Permanent(code="103", detail="no balance", scope=Scope.ACCOUNT)
    [dispatcher] = running.service.dispatchers
    opened = Breaker().after(refused, now=instant.read_iso("2026-11-23T09:00"))
    monkeypatch.setattr(dispatcher, "_breaker", opened)
    _, document = await running.call("GET", "/health/ready")
    assert document["status"] == "degraded"
    assert document["gateways"]["simulator"] == {
        "state": "ok",
        "reason": "",
        "breaker": {
            "reason": opened.reason,
            "since": "2026-11-23T09:00:00+07:00",
            "until": "2026-11-23T09:00:30+07:00",
        },
    }
    _, document = await running.call("GET", "/metrics")
    assert 'notifier_gateway_breaker_open{gateway="simulator"} 1.0' in document["text"]


async def test_a_store_that_does_not_answer_is_not_ready_and_still_live(running, monkeypatch):
    def broken() -> object:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(running.service.store, "read", broken)
    status, _ = await running.call("GET", "/health/ready")
    assert status >= 500
    assert (await running.call("GET", "/health/live"))[0] == 200


async def test_metrics_count_requests_by_route_and_the_outbox_by_lane(running):
    running.service.gateways["simulator"].provider.set_faults(mode=Mode.BUSY)
    await running.push(office.encoded(office.event()))
    await running.push(office.encoded(office.event()), call="msg-2")
    await running.call("POST", "/v1/events")
    await running.call("GET", "/nowhere")
    _, document = await running.call("GET", "/metrics")
    lines = document["text"].splitlines()
    assert 'notifier_http_requests_total{route="/v1/events",status="202"} 2.0' in lines
    assert 'notifier_http_requests_total{route="/v1/events",status="401"} 1.0' in lines
    assert 'notifier_http_requests_total{route="none",status="404"} 1.0' in lines
    assert 'notifier_gateway_up{gateway="simulator"} 1.0' in lines
    assert 'notifier_gateway_breaker_open{gateway="simulator"} 0.0' in lines
    assert any(
        re.fullmatch(r'notifier_outbox_messages{lane="notice",state="(queued|sending)"} 1.0', line)
        for line in lines
    )


async def test_metrics_name_no_person_and_no_dossier(running):
    await running.push(office.encoded(office.event()))
    await running.hook(f"HS {office.CODE}")
    await running.call("GET", f"/{office.PHONE}/{office.CODE}")
    await running.call("GET", f"/hooks/{office.PHONE}")
    _, document = await running.call("GET", "/metrics")
    assert office.PHONE.removeprefix("+84") not in document["text"]
    assert office.CODE not in document["text"]
