"""Who may be written to: what a person refused, and what a dossier's consent flags say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notifier.domain.message import Lane

if TYPE_CHECKING:
    from notifier.domain.dossier import Dossier
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address

EVERYTHING = ""
"""The scope of a refusal of all messages, by the person's own word; else it is a dossier's code."""

BLOCKED = "*"
"""The scope where a provider says that the person takes nothing from us at this address.

It closes the address and says nothing of the person's others.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A person's "stop". ``proof`` says by what: the inbound message's key, or who took it down."""

    address: Address = field(repr=False)
    scope: str
    at: Instant
    proof: str


def refuses(scopes: frozenset[str], *, lane: Lane, dossier: str | None) -> bool:
    """Whether someone who refused ``scopes`` refuses this message too.

    An answer is never refused: it was asked for.
    """
    if lane is Lane.ANSWER:
        return False
    return not scopes.isdisjoint({EVERYTHING, BLOCKED, dossier})


def closed(scopes: frozenset[str]) -> bool:
    """Whether nothing that was not asked for may go to an address with these refusals."""
    return not scopes.isdisjoint({EVERYTHING, BLOCKED})


def own_word(scopes: frozenset[str], dossier: str | None) -> bool:
    """Whether the person said so, of all messages or of this dossier's: on whatever channel."""
    return not scopes.isdisjoint({EVERYTHING, dossier})


def allows(dossier: Dossier, channel: str) -> bool:
    """Whether the dossier's own flags let us use ``channel``; what was never said is a yes.

    A status notice rests on the agency's duty to inform; an explicit no is honoured.
    """
    flags = {
        "sms": dossier.facts.consent_sms,
        "email": dossier.facts.consent_email,
        "zalo": dossier.facts.consent_zalo,
        "zns": dossier.facts.consent_zalo,
    }
    return flags.get(channel) is not False
