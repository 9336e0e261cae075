"""The ladder of channels: which a notice may go over, in what order, and when one is over for it.

Behind the last one stands the call list: a person calls, or goes and sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from notifier.domain import instant
from notifier.domain.message import Address, Lane, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.domain.message import Message
    from notifier.domain.notice import Person
    from notifier.domain.retry import Verdict

SMS: Final = "sms"
EMAIL: Final = "email"

BY_NUMBER: Final = frozenset({SMS, "zns"})
"""Channels whose addresses are telephone numbers; a chat's are accounts that were tied to one."""

CALL: Final = "call"
"""The kind of work item that the call list consists of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """``notices`` and ``deadlines``: the order of channels for either lane.

    ``channels`` are those that have a gateway; what is queued on one of them waits for ``wait`` ms
    while none of its gateways works.
    """

    notices: tuple[str, ...] = (SMS,)
    deadlines: tuple[str, ...] = (SMS,)
    channels: frozenset[str] = frozenset({SMS})
    wait: int = 30 * instant.MINUTE

    def of(self, lane: Lane) -> tuple[str, ...]:
        """The channels that a notice of ``lane`` may go over, in order."""
        order = self.deadlines if lane is Lane.DEADLINE else self.notices
        return tuple(channel for channel in order if channel in self.channels)

    @property
    def has_chats(self) -> bool:
        """Whether it matters which accounts are tied to a number."""
        return bool(self.channels - BY_NUMBER - {EMAIL})


def address_of(
    person: Person, channel: str, accounts: Mapping[Address, Sequence[Address]]
) -> Address | None:
    """Where ``person`` is reached over ``channel``; of several accounts that tied latest."""
    if channel == EMAIL:
        return Address(EMAIL, person.email) if person.email else None
    if person.phone is None:
        return None
    if channel in BY_NUMBER:
        return Address(channel, person.phone.e164)
    tied = accounts.get(Address(SMS, person.phone.e164), ())
    return next((account for account in tied if account.channel == channel), None)


def behind(rungs: Sequence[str], channel: str) -> tuple[str, ...]:
    """The channels that come after ``channel``."""
    return tuple(rungs[rungs.index(channel) + 1 :]) if channel in rungs else ()


def is_over(message: Message, verdict: Verdict, *, now: Instant) -> bool:
    """Whether the channel that ``message`` is on is over for it: proven not to have arrived.

    What is of unknown fate may have arrived, so that it is not said again by another channel. What
    merely ran out of time for a further try over this one goes on where there is another.
    """
    if not message.rungs:
        return False
    if verdict.state is State.EXPIRED:
        return now < message.best_before and bool(behind(message.rungs, message.address.channel))
    return verdict.state is State.FAILED
