from __future__ import annotations

from dataclasses import replace

import pytest

from notifier.domain.broadcast import MOVES, Broadcast, BroadcastState, check
from notifier.errors import NotAllowedError

DRAFT = Broadcast(
    id="b1", title="Cúp điện", template="...", channel="sms", state=BroadcastState.DRAFT,
    author="An", created_at=0,
)  # fmt: skip

LEADS_TO = {
    ("approve", "draft"): "approved",
    ("start", "approved"): "running",
    ("start", "paused"): "running",
    ("pause", "running"): "paused",
    ("abort", "draft"): "aborted",
    ("abort", "approved"): "aborted",
    ("abort", "running"): "aborted",
    ("abort", "paused"): "aborted",
    ("finish", "running"): "done",
}


@pytest.mark.parametrize("state", BroadcastState)
@pytest.mark.parametrize("act", MOVES)
def test_what_each_act_does_in_each_state(act: str, state: BroadcastState) -> None:
    found = replace(DRAFT, state=state)
    expected = LEADS_TO.get((act, state.value))
    if expected is None:
        with pytest.raises(NotAllowedError, match=f"b1 is {state.value}"):
            check(found, act, "Bình")
    else:
        assert check(found, act, "Bình") is BroadcastState(expected)


@pytest.mark.parametrize("by", ["An", "an", " AN ", "aN"])
def test_the_author_does_not_approve(by: str) -> None:
    with pytest.raises(NotAllowedError, match="another person has to approve it"):
        check(DRAFT, "approve", by)


@pytest.mark.parametrize("act", ["start", "abort"])
def test_the_author_may_do_the_rest(act: str) -> None:
    assert check(replace(DRAFT, state=BroadcastState.APPROVED), act, "An")


@pytest.mark.parametrize("by", ["", "  "])
@pytest.mark.parametrize("act", ["approve", "abort"])
def test_nobody_acts_without_a_name(act: str, by: str) -> None:
    with pytest.raises(NotAllowedError, match="give a name"):
        check(DRAFT, act, by)
