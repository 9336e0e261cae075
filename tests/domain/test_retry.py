from __future__ import annotations

from dataclasses import replace

import pytest
from dossier_samples import installation
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain import instant, retry
from notifier.domain.capabilities import Capabilities
from notifier.domain.message import Address, Lane, Message, State
from notifier.domain.outcome import (
    Accepted,
    OptedOut,
    Outcome,
    Partial,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.domain.retry import Way
from notifier.domain.segments import plan_sms

NOW = 1_795_168_800_000
MESSAGE = Message(
    id="0",
    key="H10.19-250703-0001|result|1|applicant",
    lane=Lane.NOTICE,
    address=Address("sms", "+84912000001"),
    text="a",
    plan=plan_sms("a"),
    locale="vi",
    created_at=NOW,
    not_before=NOW,
    best_before=NOW + instant.DAY,
    notice="result_ready",
    attempts=1,
)


@pytest.mark.parametrize(
    ("outcome", "state", "reason", "counts", "alarm"),
    [
        (Accepted(refs=("1",)), State.ACCEPTED, "", True, False),
        (Accepted(duplicate=True), State.ACCEPTED, "duplicate", True, False),
        (Throttled(retry_after=1_000), State.QUEUED, "throttled", False, False),
        (Temporary(code="503", detail="busy"), State.QUEUED, "503: busy", True, False),
        (Permanent(code="105"), State.FAILED, "105", True, False),
        (Permanent(code="131", scope=Scope.CONTENT), State.FAILED, "131", True, False),
        (Permanent(code="146", scope=Scope.TEMPLATE), State.FAILED, "146", True, False),
        (Permanent(code="103", scope=Scope.ACCOUNT), State.QUEUED, "held: 103", False, True),
        (Permanent(code="104", scope=Scope.CONFIGURATION), State.QUEUED, "held: 104", False, True),
        (OptedOut(code="dnd"), State.FAILED, "recipient refuses (dnd)", True, False),
        (Unknown(code="timeout"), State.UNKNOWN, "timeout", True, False),
        (Partial(done=((0, "1"),), rest=Temporary(code="503")), State.QUEUED, "503", True, False),
        (Partial(done=((0, "1"),), rest=Permanent(code="105")), State.FAILED, "105", True, False),
        (Partial(done=((0, "1"),), rest=Unknown(code="cut")), State.UNKNOWN, "cut", True, False),
        (
            Partial(done=((0, "1"),), rest=Permanent(code="101", scope=Scope.ACCOUNT)),
            State.QUEUED,
            "held: 101",
            True,
            True,
        ),
    ],
    ids=repr,
)
def test_what_follows_an_outcome(
    outcome: Outcome, state: State, reason: str, counts: bool, alarm: bool
) -> None:
    verdict = retry.verdict(MESSAGE, outcome, now=NOW)
    assert (verdict.state, verdict.reason) == (state, reason)
    assert (verdict.counts, verdict.alarm) == (counts, alarm)
    assert (verdict.not_before is not None) is (state is State.QUEUED)


@pytest.mark.parametrize(
    ("outcome", "wait"),
    [
        (Throttled(retry_after=1_500), 1_500),
        (Throttled(retry_after=0), 1),  # never at once
        (Permanent(code="103", scope=Scope.ACCOUNT), retry.ALARM_PAUSE),
        (Temporary(code="503", retry_after=instant.HOUR), instant.HOUR),  # longer than our pause
        (Temporary(code="503", retry_after=1), retry.pause(MESSAGE)),  # ours is longer
    ],
    ids=repr,
)
def test_how_long_it_waits(outcome: Outcome, wait: int) -> None:
    assert retry.verdict(MESSAGE, outcome, now=NOW).not_before == NOW + wait


@pytest.mark.parametrize(
    "outcome",
    [
        Throttled(retry_after=1_500),
        Temporary(code="503"),
        Permanent(code="103", scope=Scope.ACCOUNT),
    ],
    ids=repr,
)
def test_a_wait_that_ends_at_the_best_before_is_too_long(outcome: Outcome) -> None:
    wait = (retry.verdict(MESSAGE, outcome, now=NOW).not_before or 0) - NOW
    for left, state in ((wait, State.EXPIRED), (wait + 1, State.QUEUED)):
        message = replace(MESSAGE, best_before=NOW + left)
        assert retry.verdict(message, outcome, now=NOW).state is state


@pytest.mark.parametrize(
    ("attempts", "state"),
    [(1, State.QUEUED), (retry.MOST_ATTEMPTS - 1, State.QUEUED), (12, State.FAILED)],
)
def test_it_is_given_up_after_the_last_attempt(attempts: int, state: State) -> None:
    tried = replace(MESSAGE, attempts=attempts)
    assert retry.verdict(tried, Temporary(code="503"), now=NOW).state is state


def test_a_resting_gateway_is_no_fault_of_the_message() -> None:
    for attempts in (1, retry.MOST_ATTEMPTS, 500):
        tried = replace(MESSAGE, attempts=attempts)
        verdict = retry.verdict(tried, Temporary(code="503"), now=NOW, resting=True)
        assert verdict.state is State.QUEUED
        assert 0 < (verdict.not_before or 0) - NOW <= retry.RESTING_PAUSE


@pytest.mark.parametrize(
    "outcome",
    [
        Temporary(code="503", retry_after=instant.HOUR),
        Permanent(code="103", scope=Scope.ACCOUNT),
        Partial(done=((0, "1"),), rest=Temporary(code="503")),
    ],
    ids=repr,
)
def test_where_another_gateway_takes_over_nothing_waits(outcome: Outcome) -> None:
    verdict = retry.verdict(MESSAGE, outcome, now=NOW, resting=True, relieved=True)
    assert (verdict.state, verdict.not_before) == (State.QUEUED, NOW)


@pytest.mark.parametrize("lane", Lane)
def test_the_first_pause_is_the_lanes_and_each_further_one_is_about_twice_as_long(
    lane: Lane,
) -> None:
    first = retry.FIRST_PAUSE[lane]
    for attempts in range(1, 13):
        shortest = min(first << (attempts - 1), retry.LONGEST_PAUSE)
        pause = retry.pause(replace(MESSAGE, lane=lane, attempts=attempts))
        assert shortest <= pause <= shortest * 5 // 4


def test_messages_of_one_moment_do_not_come_back_at_one_moment() -> None:
    pauses = {retry.pause(replace(MESSAGE, key=str(number))) for number in range(50)}
    assert len(pauses) > 40
    assert retry.pause(MESSAGE) == retry.pause(MESSAGE)


OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Throttled, retry_after=st.integers(0, 10 * instant.DAY)),
    st.builds(
        Temporary,
        code=st.just("503"),
        retry_after=st.none() | st.integers(0, 10 * instant.DAY),
    ),
    st.just(Permanent(code="103", scope=Scope.ACCOUNT)),
    st.just(Partial(done=(), rest=Temporary(code="503"))),
)


@given(OUTCOMES, st.integers(1, 11), st.integers(-1_000, 2 * instant.DAY), st.sampled_from(Lane))
def test_nothing_is_put_off_beyond_its_best_before(
    outcome: Outcome, attempts: int, left: int, lane: Lane
) -> None:
    message = replace(MESSAGE, attempts=attempts, lane=lane, best_before=NOW + left)
    verdict = retry.verdict(message, outcome, now=NOW)
    if verdict.state is State.QUEUED:
        assert verdict.not_before is not None
        assert NOW < verdict.not_before < message.best_before
    else:
        assert verdict.state is State.EXPIRED
        assert verdict.reason


@pytest.mark.parametrize(
    ("lane", "notice", "again"),
    [
        (Lane.ANSWER, "answer", True),
        (Lane.NOTICE, "received", True),
        (Lane.NOTICE, "result_ready", True),
        (Lane.DEADLINE, "due_soon", True),
        (Lane.DEADLINE, "late", False),  # the automatic apology: never twice without a person
        (Lane.NOTICE, "of_a_rule_that_was_dropped", False),
        (Lane.BULK, "broadcast", False),
    ],
)
def test_what_may_be_sent_again_when_nobody_knows(lane: Lane, notice: str, again: bool) -> None:
    message = replace(MESSAGE, lane=lane, notice=notice)
    rule = installation().rules.named(notice)
    assert retry.resend_after_unknown(message, rule) is again


HOURS = instant.HOUR
SURE = Capabilities(channel="sms", suppresses_duplicates=24 * HOURS)
TOLD = Capabilities(channel="sms", can_query=True)
BOTH = replace(SURE, can_query=True)
PLAIN = Capabilities(channel="sms")


@pytest.mark.parametrize(
    ("capabilities", "times", "since", "first", "notice", "way"),
    [
        # the provider drops doubles: at once, a few times, while it remembers
        (SURE, 1, 0, 0, "result_ready", Way.SAME_KEY),
        (SURE, 5, 0, HOURS, "result_ready", Way.SAME_KEY),
        (SURE, 6, 0, HOURS, "result_ready", Way.WAIT),
        (SURE, 1, 0, 24 * HOURS - retry.SAME_KEY_MARGIN, "result_ready", Way.WAIT),
        (SURE, 1, 0, 0, "late", Way.SAME_KEY),  # an apology too: it can't be doubled
        (BOTH, 1, 0, 0, "result_ready", Way.SAME_KEY),
        # the clock went back since: how long the provider has known the key can't be told
        (PLAIN, 1, -HOURS, -HOURS, "late", Way.WAIT),
        (SURE, 1, -HOURS, -HOURS, "late", Way.WAIT),
        # the provider can be asked, for some time
        (TOLD, 1, 0, 0, "result_ready", Way.ASK),
        (BOTH, 6, 0, HOURS, "result_ready", Way.ASK),
        (TOLD, 1, retry.ASKING, retry.ASKING, "result_ready", Way.AGAIN),
        # neither: a report may come, then the class decides, then a person
        (PLAIN, 1, retry.UNKNOWN_WAIT - 1, HOURS, "result_ready", Way.WAIT),
        (PLAIN, 1, retry.UNKNOWN_WAIT, HOURS, "result_ready", Way.AGAIN),
        (PLAIN, 2, retry.UNKNOWN_WAIT, HOURS, "result_ready", Way.PERSON),
        (PLAIN, 1, retry.UNKNOWN_WAIT, HOURS, "late", Way.PERSON),
        # a gateway that is gone from the configuration
        (None, 1, 0, 0, "result_ready", Way.WAIT),
        (None, 1, retry.UNKNOWN_WAIT, HOURS, "result_ready", Way.AGAIN),
    ],
)
def test_how_an_unknown_fate_is_settled(
    capabilities: Capabilities | None, times: int, since: int, first: int, notice: str, way: Way
) -> None:
    found = retry.settle(
        replace(MESSAGE, notice=notice, best_before=NOW + 48 * HOURS),
        installation().rules.named(notice),
        capabilities,
        times=times,
        since=NOW - since,
        first_at=NOW - first,
        now=NOW,
    )
    assert found is way


def test_what_is_too_late_is_not_sent_again_even_with_its_key() -> None:
    over = replace(MESSAGE, best_before=NOW)
    rule = installation().rules.named(over.notice)
    times = {"since": NOW - retry.UNKNOWN_WAIT, "first_at": NOW - HOURS, "now": NOW}
    assert retry.settle(over, rule, SURE, times=1, **times) is Way.PERSON
