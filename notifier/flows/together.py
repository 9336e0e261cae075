"""Several notices of one kind to one address become one message; what was joined may part again.

The oldest carries the words for all, and the others are superseded. Before each further try it is
looked at again for every dossier that it names: where one of them has moved on, it is dropped, and
the rest is said by new messages, since no text may change under a key that a provider has seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from notifier.domain.message import Lane, State, message_id
from notifier.domain.notice import Notice, person_of
from notifier.domain.rules import StateRule, TransitionRule
from notifier.errors import TemplateError
from notifier.ports import Moved, WorkItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Message
    from notifier.domain.rules import Rule
    from notifier.flows.compose import Composer, Text

MOST: Final = 3
"""Dossiers in one message: more are no longer read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What leaves as one: the carrier with the words for all, and those it speaks for."""

    carrier: Message
    others: tuple[Message, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """All of them."""
        return (self.carrier, *self.others)

    @property
    def moved(self) -> list[Moved]:
        """Where the others go."""
        reason = f"said together with {self.carrier.id}"
        return [Moved(id=one.id, state=State.SUPERSEDED, reason=reason) for one in self.others]


class Together:
    """Joins and parts messages; writes nothing."""

    def __init__(self, installation: Installation, composer: Composer) -> None:
        self._installation = installation
        self._composer = composer

    def candidates(self, messages: Sequence[Message]) -> list[list[Message]]:
        """Those that may be said together, two or more: the same notice, address and language.

        One that was tried before is not among them: its key may be known to the provider, which
        would take a new text for the old one.
        """
        groups: dict[tuple[object, ...], list[Message]] = {}
        for message in messages:
            if message.lane is not Lane.NOTICE or message.dossier is None:
                continue
            if not (message.also or message.attempts or message.accepted_parts):
                alike = (message.notice, message.address, message.locale)
                groups.setdefault(alike, []).append(message)
        return [group for group in groups.values() if len(group) > 1]

    def join(
        self, group: Sequence[Message], dossiers: Mapping[str, Dossier], now: Instant
    ) -> list[Joined]:
        """As few messages as say it all: of one unit, up to three dossiers, in no more SMS."""
        rule = self._installation.rules.named(group[0].notice)
        if not isinstance(rule, TransitionRule | StateRule) or not rule.resend:
            return []  # what must not be said twice in doubt could not part again
        joined: list[Joined] = []
        for messages in self._of_one_unit(group, dossiers):
            start = 0
            while start < len(messages) - 1:
                found = self._longest(messages[start:], dossiers, rule, now)
                joined += [found] if found else []
                start += len(found.messages) if found else 1
        return joined

    def _of_one_unit(
        self, group: Sequence[Message], dossiers: Mapping[str, Dossier]
    ) -> Iterable[list[Message]]:
        """The oldest first, each dossier once: what is fetched lies at one place."""
        units: dict[str, dict[str, Message]] = {}
        for message in sorted(group, key=lambda one: (one.created_at, one.id)):
            code = message.dossier or ""
            if code in dossiers:
                facts = dossiers[code].facts
                unit = self._installation.units.find(facts.unit)
                place = f"{unit.short}|{unit.address}|{facts.return_by or ''}"
                units.setdefault(place, {}).setdefault(code, message)
        return [list(messages.values()) for messages in units.values()]

    def _longest(
        self,
        messages: Sequence[Message],
        dossiers: Mapping[str, Dossier],
        rule: TransitionRule | StateRule,
        now: Instant,
    ) -> Joined | None:
        for count in range(min(MOST, len(messages)), 1, -1):
            chosen = messages[:count]
            carrier, others = chosen[0], tuple(chosen[1:])
            text = self._composer.together(
                [_notice(rule, dossiers[one.dossier or ""], one.episode) for one in chosen],
                locale=carrier.locale,
                channel=carrier.address.channel,
                now=now,
            )
            if text and text.plan.segments <= sum(one.plan.segments for one in chosen):
                also = tuple((one.dossier or "", one.episode) for one in others)
                return Joined(carrier=_worded(carrier, text, also=also), others=others)
        return None

    def apart(
        self, carrier: Message, dossiers: Sequence[tuple[Dossier, str]], now: Instant
    ) -> tuple[list[Message], list[WorkItem]]:
        """New messages for the ``dossiers`` of a carrier that are still true, with their episodes.

        What can't be worded is left to people.
        """
        rule = self._installation.rules.named(carrier.notice)
        messages: list[Message] = []
        work: list[WorkItem] = []
        for dossier, episode in dossiers:
            key = f"{carrier.key}|apart|{dossier.code}"
            try:
                if rule is None:
                    raise TemplateError("its rule is gone")
                text = self._composer.notice_text(
                    _notice(rule, dossier, episode),
                    locale=carrier.locale,
                    channel=carrier.address.channel,
                    now=now,
                )
            except TemplateError as error:
                work.append(
                    WorkItem(
                        key=f"not_composed|{key}",
                        kind="not_composed",
                        dossier=dossier.code,
                        detail=f"{carrier.notice}: {error}",
                        opened_at=now,
                    )
                )
                continue
            alone = replace(
                carrier,
                id=message_id(key, now),
                key=key,
                dossier=dossier.code,
                episode=episode,
                created_at=now,
                not_before=now,
                attempts=0,
            )
            messages.append(_worded(alone, text, also=()))
        return messages, work


def failed(message: Message, reason: str, now: Instant) -> WorkItem:
    """A message that spoke of several dossiers did not arrive: people see which they are."""
    return WorkItem(
        key=f"failed|{message.id}",
        kind="failed",
        dossier=message.dossier,
        detail=f"{named(message)}: the message failed ({reason})",
        opened_at=now,
    )


def named(message: Message) -> str:
    """What a message says, for people: its notice, and the dossiers where there are several."""
    codes = ", ".join(code for code, _ in message.dossiers)
    return f"{message.notice} of {codes}" if message.also else message.notice


def _notice(rule: Rule, dossier: Dossier, episode: str) -> Notice:
    return Notice(rule=rule, dossier=dossier, episode=episode, person=person_of(dossier))


def _worded(message: Message, text: Text, *, also: tuple[tuple[str, str], ...]) -> Message:
    return replace(message, text=text.text, plan=text.plan, subject=text.subject, also=also)
