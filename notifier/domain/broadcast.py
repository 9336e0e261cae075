"""A notice to a list: written by one person, approved by another, sent in slices."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.errors import NotAllowedError

if TYPE_CHECKING:
    from notifier.domain.instant import Instant


class BroadcastState(StrEnum):
    """Where a broadcast stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    ABORTED = "aborted"


MOVES: dict[str, tuple[frozenset[BroadcastState], BroadcastState]] = {
    "approve": (frozenset({BroadcastState.DRAFT}), BroadcastState.APPROVED),
    "start": (
        frozenset({BroadcastState.APPROVED, BroadcastState.PAUSED}),
        BroadcastState.RUNNING,
    ),
    "pause": (frozenset({BroadcastState.RUNNING}), BroadcastState.PAUSED),
    "abort": (
        frozenset(
            {
                BroadcastState.DRAFT,
                BroadcastState.APPROVED,
                BroadcastState.RUNNING,
                BroadcastState.PAUSED,
            }
        ),
        BroadcastState.ABORTED,
    ),
    "finish": (frozenset({BroadcastState.RUNNING}), BroadcastState.DONE),
}
"""Each act: the states it starts from, and the one it leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """``author`` wrote it, ``approver`` let it go; they are two people.

    ``recipients``, ``segments``, ``refused``, ``faults`` were counted when the list was read;
    ``released`` is how many have been handed to the outbox.
    """

    id: str
    title: str
    template: str = field(repr=False)
    channel: str
    state: BroadcastState
    author: str
    approver: str = ""
    created_at: Instant
    recipients: int = 0
    segments: int = 0
    refused: int = 0
    faults: int = 0
    released: int = 0
    keep_accents: bool = False


def check(broadcast: Broadcast, act: str, by: str) -> BroadcastState:
    """The state that ``act`` by the person ``by`` leads to.

    Raises ``NotAllowedError`` where the state does not admit it, or the author would approve.
    """
    starts, leads_to = MOVES[act]
    if broadcast.state not in starts:
        raise NotAllowedError(
            f"broadcast {broadcast.id} is {broadcast.state.value}; to {act} it, it has to be "
            + " or ".join(sorted(state.value for state in starts))
        )
    if not by.strip():
        raise NotAllowedError(f"who wants to {act} broadcast {broadcast.id} has to give a name")
    if act == "approve" and by.strip().casefold() == broadcast.author.strip().casefold():
        raise NotAllowedError(
            f"broadcast {broadcast.id} was written by {by}; another person has to approve it"
        )
    return leads_to
