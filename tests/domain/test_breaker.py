"""A gateway that fails rests, is tried with one message, and comes back."""

from __future__ import annotations

import pytest

from notifier.domain.breaker import LONGEST_REST, SHORTEST_REST, TOLERATED, Breaker
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.domain.retry import ALARM_PAUSE

DOWN = Temporary(code="connect")
NOW = 1_000_000


def after(breaker: Breaker, *outcomes: object, now: int = NOW) -> Breaker:
    for outcome in outcomes:
        breaker = breaker.after(outcome, now=now)  # type: ignore[arg-type]
    return breaker


def places(breaker: Breaker, now: int, *, in_flight: int = 0) -> int:
    return breaker.places(16, now=now, in_flight=in_flight)


def test_a_few_failures_are_tolerated() -> None:
    assert places(after(Breaker(), *[DOWN] * (TOLERATED - 1)), NOW) == 16


@pytest.mark.parametrize("failure", [DOWN, Unknown(code="timeout")])
def test_failures_in_a_row_open_it(failure: Temporary | Unknown) -> None:
    opened = after(Breaker(), *[failure] * TOLERATED)
    assert places(opened, NOW + SHORTEST_REST - 1) == 0


@pytest.mark.parametrize(
    "verdict", [Accepted(), Permanent(code="no such number"), OptedOut(code="stop")]
)
def test_a_verdict_of_the_provider_closes_it(verdict: Accepted | Permanent | OptedOut) -> None:
    assert after(Breaker(), *[DOWN] * 5, verdict) == Breaker()


def test_after_its_rest_one_message_is_tried_at_a_time() -> None:
    opened = after(Breaker(), *[DOWN] * TOLERATED)
    assert places(opened, NOW + SHORTEST_REST) == 1
    assert places(opened, NOW + SHORTEST_REST, in_flight=1) == 0


def test_a_failed_try_doubles_the_rest_up_to_the_longest() -> None:
    breaker, now, rests = after(Breaker(), *[DOWN] * TOLERATED), NOW, []
    for _ in range(6):
        rests.append(breaker.until - now)
        now = breaker.until
        breaker = after(breaker, DOWN, now=now)
    assert rests == [SHORTEST_REST, 2 * SHORTEST_REST, 4 * SHORTEST_REST, *[LONGEST_REST] * 3]


def test_what_was_under_way_when_it_opened_opens_it_no_further() -> None:
    opened = after(Breaker(), *[DOWN] * TOLERATED)
    assert after(opened, *[DOWN] * 13).until == opened.until


def test_a_refused_account_rests_at_once() -> None:
    refused = after(Breaker(), Permanent(code="balance", scope=Scope.ACCOUNT))
    assert places(refused, NOW + ALARM_PAUSE - 1) == 0
    assert places(refused, NOW + ALARM_PAUSE) == 1


def test_a_throttled_gateway_waits_as_long_as_it_was_told() -> None:
    throttled = after(Breaker(), Throttled(retry_after=700))
    assert places(throttled, NOW + 699) == 0
    assert places(throttled, NOW + 700) == 16


def test_a_wait_that_was_asked_for_outlasts_what_was_under_way() -> None:
    throttled = after(Breaker(), Throttled(retry_after=700), Accepted())
    assert places(throttled, NOW + 699) == 0


def test_failures_while_it_waits_open_it_and_shorten_nothing() -> None:
    opened = after(Breaker(), Throttled(retry_after=60_000), *[DOWN] * TOLERATED)
    assert opened.open
    assert opened.reason
    assert (opened.since, opened.until) == (NOW, NOW + 60_000)


def test_a_throttled_recipient_does_not_stop_the_gateway() -> None:
    assert after(Breaker(), Throttled(retry_after=700, scope=Scope.RECIPIENT)) == Breaker()


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        (
            [DOWN, DOWN, Temporary(code="503", detail="busy")],
            "3 attempts in a row failed, the last with 503: busy",
        ),
        ([Unknown(code="timeout")] * 3, "3 attempts in a row failed, the last with timeout"),
        (
            [Permanent(code="103", detail="no balance", scope=Scope.ACCOUNT)],
            (
                "the provider refuses our account (103: no balance): look at the contract, the "
                "balance and the credentials"
            ),
        ),
        (
            [Partial(done=((0, "1"),), rest=Permanent(code="103", scope=Scope.ACCOUNT))],
            (
                "the provider refuses our account (103): look at the contract, the balance and the "
                "credentials"
            ),
        ),
        (
            [Permanent(code="104", scope=Scope.CONFIGURATION)],
            (
                "the provider refuses our configuration (104): correct the gateway's table in "
                "notifier.toml, and start again"
            ),
        ),
    ],
    ids=repr,
)
def test_it_says_why_it_is_open(outcomes: list[object], reason: str) -> None:
    opened = after(Breaker(), *outcomes)
    assert opened.open
    assert (opened.reason, opened.since) == (reason, NOW)
    again = after(opened, DOWN, now=opened.until)
    assert again.since == NOW
    assert after(again, Accepted(), now=again.until) == Breaker()


def test_a_gateway_on_trial_is_not_usable_and_has_one_place() -> None:
    """The next one of its channel goes on until it has shown that it works."""
    opened = after(Breaker(), *[DOWN] * TOLERATED)
    assert places(opened, opened.until) == 1
    assert not opened.usable(opened.until)
    assert after(opened, Accepted(), now=opened.until).usable(opened.until)
    throttled = after(Breaker(), Throttled(retry_after=700))
    assert not throttled.usable(NOW + 699)
    assert throttled.usable(NOW + 700)
