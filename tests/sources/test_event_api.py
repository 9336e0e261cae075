from __future__ import annotations

import json

import pytest
from dossier_samples import CODE, at
from doubles.clock import StillClock

from notifier.domain.event import DossierEvent
from notifier.domain.instant import MINUTE
from notifier.errors import SignatureError
from notifier.ports import Quarantined
from notifier.sources import standard_webhooks
from notifier.sources.cloudevents import STRUCTURED
from notifier.sources.event_api import EventApi

KEY = b"k" * 32
EVENT = {
    "specversion": "1.0", "id": "1", "source": "/one-stop", "type": "dossier.received",
    "subject": CODE, "time": "2026-11-20T09:00:00+07:00",
}  # fmt: skip


class ApartClock(StillClock):
    """A demonstration's: the civil time is years away from the elapsed one."""

    def civil(self) -> int:
        return at("2030-01-01 09:00")


@pytest.fixture
def api() -> EventApi:
    return EventApi(ApartClock(), secret=KEY, tolerance=5 * MINUTE)


def signed(body: bytes, at_ms: int = StillClock().now) -> dict[str, str]:
    return {
        "webhook-id": "m1",
        "webhook-timestamp": str(at_ms // 1000),
        "webhook-signature": standard_webhooks.sign(KEY, "m1", at_ms // 1000, body),
    }


def test_a_signed_request_gives_its_events(api: EventApi) -> None:
    body = json.dumps([EVENT, {**EVENT, "id": "2"}]).encode()
    items = api.read(body, "application/json", signed(body))
    assert [item.id for item in items if isinstance(item, DossierEvent)] == ["1", "2"]


def test_a_signature_ages_by_the_elapsed_time_and_not_by_the_civil_one(api: EventApi) -> None:
    body = json.dumps(EVENT).encode()
    with pytest.raises(SignatureError):
        api.read(body, STRUCTURED, signed(body, at("2030-01-01 09:00")))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_nobody_who_did_not_sign_is_read_however_odd_the_body(api: EventApi, body: bytes) -> None:
    with pytest.raises(SignatureError):
        api.read(body, STRUCTURED, {})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_cant_be_read_is_one_item_to_keep(api: EventApi, body: bytes) -> None:
    [item] = api.read(body, STRUCTURED, signed(body))
    assert isinstance(item, Quarantined)
    assert (item.raw, item.at) == (body, at("2030-01-01 09:00"))
    assert item.reason
