from __future__ import annotations

import pytest
from dossier_samples import CODE, dossier, event

from notifier.domain import consent
from notifier.domain.consent import EVERYTHING, Refusal
from notifier.domain.message import Address, Lane

OTHER = "H10.19-250703-0002"


@pytest.mark.parametrize(
    ("scopes", "lane", "code", "refused"),
    [
        (set(), Lane.NOTICE, CODE, False),
        ({EVERYTHING}, Lane.NOTICE, CODE, True),
        ({EVERYTHING}, Lane.DEADLINE, CODE, True),
        ({EVERYTHING}, Lane.BULK, None, True),
        ({EVERYTHING}, Lane.ANSWER, CODE, False),  # an answer was asked for
        ({CODE}, Lane.NOTICE, CODE, True),
        ({CODE}, Lane.NOTICE, OTHER, False),
        ({CODE}, Lane.ANSWER, CODE, False),
        ({CODE}, Lane.BULK, None, False),  # a broadcast is about no dossier
        ({OTHER, EVERYTHING}, Lane.NOTICE, CODE, True),
    ],
)
def test_what_a_refusal_covers(scopes: set[str], lane: Lane, code: str, refused: bool) -> None:
    assert consent.refuses(frozenset(scopes), lane=lane, dossier=code) is refused


@pytest.mark.parametrize(
    ("carried", "channel", "allowed"),
    [
        ({}, "sms", True),
        ({"consent_sms": True}, "sms", True),
        ({"consent_sms": False}, "sms", False),
        ({"consent_sms": None}, "sms", True),  # taken back: never said
        ({"consent_sms": False}, "zalo", True),
        ({"consent_zalo": False}, "zalo", False),
        ({"consent_email": False}, "email", False),
        ({"consent_sms": False, "consent_zalo": False, "consent_email": False}, "telegram", True),
    ],
)
def test_an_explicit_no_is_honoured_and_silence_is_a_yes(
    carried: dict[str, bool | None], channel: str, allowed: bool
) -> None:
    found = dossier(event("received", "2026-11-16 09:00", **carried))
    assert consent.allows(found, channel) is allowed


def test_a_refusal_does_not_show_whose_it_is() -> None:
    refusal = Refusal(address=Address("sms", "+84912000001"), scope="", at=0, proof="simulator|1")
    assert "912000001" not in repr(refusal)
