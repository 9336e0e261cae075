"""From what is to be said to a message that can be sent: words, accents, length, times."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from notifier.domain import consent, deadline, instant
from notifier.domain.answer import Say
from notifier.domain.disclosure import Level
from notifier.domain.ladder import CALL, EMAIL, address_of
from notifier.domain.message import Address, Lane, Message, message_id
from notifier.domain.opening import spans_words
from notifier.domain.rules import DueRule, TransitionRule, is_owed
from notifier.domain.segments import SegmentPlan, plan_plain, plan_sms
from notifier.domain.text import nfc, unaccent
from notifier.errors import TemplateError
from notifier.ports import WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from notifier.domain.answer import Answer, Part
    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.knowledge import Procedure
    from notifier.domain.notice import Notice
    from notifier.domain.unit import Unit
    from notifier.ports import Renderer

ANSWER_BEST_BEFORE: Final = 6 * instant.HOUR
"""An answer that comes later than this (ms) is no answer any more."""

SPARED_FOR_TARGET: Final = ((), ("hotline",), ("procedure",), ("hotline", "procedure"))
"""What a text leaves out, step by step, to fit into the number of SMS aimed at."""

SPARED_FOR_LIMIT: Final = ("hotline", "procedure", "reason")
"""What it leaves out when it would otherwise be refused as too long."""

KNOWLEDGE_SEGMENTS: Final = 2
"""SMS that an answer from the office's knowledge takes; the rest stands on the portal."""

BESIDE: Final[Mapping[Say, str]] = {Say.ADDRESS: "hours", Say.HOURS: "address"}
"""What an answer about a unit says beside what was asked for."""

MANY: Final = "_many"
"""What the name of a template that says several notices at once ends with."""

MOST_CODES: Final = (50, 20, 10, 5, 3, 2, 1, 0)
"""Codes of each group that a message to staff names; the first that there is room for."""

LONGEST_LIST: Final = 3_500
"""Characters of such a message on a channel without SMS."""

LONGEST_NAME: Final = 70
"""Characters of a procedure's title in an SMS."""


NO_ACCOUNTS: Final[Mapping[Address, Sequence[Address]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a person reads, and how it is cut."""

    text: str = field(repr=False)
    plan: SegmentPlan = field(repr=False)
    subject: str = field(default="", repr=False)
    """What an e-mail is headed by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """Messages to queue, and what people have to see to because no message could be made."""

    messages: tuple[Message, ...] = ()
    work: tuple[WorkItem, ...] = ()


class Composer:
    """Words for notices and answers, by the installation's templates and policies."""

    def __init__(self, installation: Installation, renderer: Renderer) -> None:
        self._installation = installation
        self._renderer = renderer

    def notices(
        self,
        notices: Sequence[Notice],
        now: Instant,
        accounts: Mapping[Address, Sequence[Address]] = NO_ACCOUNTS,
    ) -> Composed:
        """One message a notice, over the first channel that comes into question.

        A person who can't be reached comes to the call list. ``accounts``: chat accounts by the
        number that they are tied to, the latest first.
        """
        messages: list[Message] = []
        work: list[WorkItem] = []
        for notice in notices:
            made = self._notice(notice, accounts, now)
            if isinstance(made, Message):
                messages.append(made)
            elif made.kind != CALL or is_owed(notice.rule):
                work.append(made)
        return Composed(messages=tuple(messages), work=tuple(work))

    def answer(
        self, answer: Answer, to: Address, *, key: str, language: str, now: Instant
    ) -> Message:
        """The message that answers; raises ``TemplateError``."""
        text = self.answer_text(answer, channel=to.channel, language=language, now=now)
        return Message(
            id=message_id(key, now),
            key=key,
            lane=Lane.ANSWER,
            address=to,
            text=text.text,
            plan=text.plan,
            locale=language,
            created_at=now,
            not_before=now,
            best_before=now + ANSWER_BEST_BEFORE,
            notice="answer",
            buttons=_buttons(answer) if to.channel != "sms" else (),
            contact_button=self._contact_button(answer, to.channel, language),
        )

    def later_answer(
        self,
        answer: Answer,
        to: Address,
        *,
        key: str,
        language: str,
        lane: Lane,
        best_before: int,
        now: Instant,
    ) -> Message:
        """An answer that nobody waits for by the phone: it keeps quiet hours. Spans in ms."""
        not_before = self._installation.notice_hours.next_open(now)
        return replace(
            self.answer(answer, to, key=key, language=language, now=now),
            lane=lane,
            not_before=not_before,
            best_before=not_before + best_before,
        )

    def answer_text(self, answer: Answer, *, channel: str, language: str, now: Instant) -> Text:
        """The words of an answer, its parts one under the other."""
        contexts = [(part.say, self._part_context(part, language, now)) for part in answer.parts]

        def words(spared: tuple[str, ...]) -> str:
            return "\n".join(
                self._renderer.render(language, channel, say, {**context, **_without(spared)})
                for say, context in contexts
            )

        known = [part for part in answer.parts if part.is_known]
        if channel == "sms" and known:
            return self._first_of(
                lambda changed: "\n".join(
                    self._renderer.render(language, channel, say, {**context, **changed})
                    for say, context in contexts
                ),
                _shorter(known),
            )
        return self._fitted(words, channel)

    def _contact_button(self, answer: Answer, channel: str, language: str) -> str:
        """The label of the button that ties the account, where that would tell the asker more."""
        if channel == "sms" or not any(_tells_more_when_tied(part) for part in answer.parts):
            return ""
        return self._renderer.render(language, channel, "button_share_number", {}).strip()

    def bulk_text(
        self, template: str, values: Mapping[str, str], *, channel: str, keep_accents: bool
    ) -> Text:
        """The words of a broadcast for one recipient; raises ``TemplateError``."""
        office = self._office_context(self._installation.locale)
        text = self._renderer.render_text(template, {**office, **values})
        return self._cut(text, channel, keep_accents=keep_accents)

    def plain_text(self, text: str, *, channel: str) -> Text:
        """A text that stands for itself, by the installation's accent policy."""
        return self._cut(text, channel, keep_accents=self._installation.sms.keep_accents)

    def notice_text(self, notice: Notice, *, locale: str, channel: str, now: Instant) -> Text:
        """The words of a notice."""
        policy = self._installation.sms
        context = self._dossier_context(notice.dossier, locale, now)
        if not context["running"]:
            context["reason"] = _reason(notice.dossier)
        # An SMS has the link to a letter where that costs no further one.
        unlinked = {"letter": ""} if channel == "sms" and context["letter"] else {}
        fitted = self._fitted(
            lambda spared: self._said(
                notice, locale, channel, {**context, **_without(spared), **unlinked}
            ),
            channel,
        )
        if not unlinked:
            return fitted
        linked = self._cut(
            self._said(notice, locale, channel, context),
            channel,
            keep_accents=policy.keep_accents,
            most=None,
        )
        return linked if linked.plan.segments <= fitted.plan.segments else fitted

    def _said(self, notice: Notice, locale: str, channel: str, context: Mapping[str, Any]) -> str:
        return self._renderer.render(locale, channel, notice.rule.notice, context)

    def together(
        self, notices: Sequence[Notice], *, locale: str, channel: str, now: Instant
    ) -> Text | None:
        """The words that say several notices of one rule at once; None where there are none.

        Where the template is missing or at fault, or the text too long, each is said by itself.
        """
        if not self.has_many(notices[0].rule.notice, locale=locale, channel=channel):
            return None
        try:
            return self.together_text(notices, locale=locale, channel=channel, now=now)
        except TemplateError:
            return None

    def has(self, notice: str, *, locale: str, channel: str) -> bool:
        """Whether there are words for a notice."""
        return self._renderer.has(locale, channel, notice)

    def has_many(self, notice: str, *, locale: str, channel: str) -> bool:
        """Whether there are words that say several of a notice at once."""
        return self._renderer.has(locale, channel, f"{notice}{MANY}")

    def together_text(
        self, notices: Sequence[Notice], *, locale: str, channel: str, now: Instant
    ) -> Text:
        """As ``together``; raises ``TemplateError``."""
        contexts = [self._dossier_context(notice.dossier, locale, now) for notice in notices]

        def words(spared: tuple[str, ...]) -> str:
            spare = _without(spared)
            dossiers = [{**context, **spare} for context in contexts]
            return self._renderer.render(
                locale,
                channel,
                f"{notices[0].rule.notice}{MANY}",
                {**dossiers[0], "dossiers": dossiers},
            )

        return self._fitted(words, channel)

    def staff_message(
        self,
        name: str,
        context: Mapping[str, Any],
        to: Address,
        *,
        key: str,
        best_before: Instant,
        now: Instant,
    ) -> Message:
        """A message to staff that lists dossiers; raises ``TemplateError``.

        ``context`` has ``unit``, and ``groups`` of ``due``, ``late`` and ``codes``.
        """
        locale = self._installation.locale
        text = self.staff_text(name, context, locale=locale, channel=to.channel)
        return Message(
            id=message_id(key, now),
            key=key,
            lane=Lane.DEADLINE,
            address=to,
            text=text.text,
            plan=text.plan,
            subject=text.subject,
            locale=locale,
            created_at=now,
            not_before=self._installation.notice_hours.next_open(now),
            best_before=best_before,
            notice=name,
        )

    def staff_text(
        self, name: str, context: Mapping[str, Any], *, locale: str, channel: str
    ) -> Text:
        """Its words: as many codes of each group as there is room for, and how many there are."""
        groups = context["groups"]
        for most in MOST_CODES:
            shown = [
                {
                    **group,
                    "count": len(group["codes"]),
                    "codes": group["codes"][:most],
                    "more": max(0, len(group["codes"]) - most),
                }
                for group in groups
            ]
            given = {**self._office_context(locale), **context, "groups": shown}
            words = self._renderer.render(locale, channel, name, given)
            text = self._cut(words, channel, keep_accents=False, most=None)
            if channel != "sms" and text.plan.units <= LONGEST_LIST:
                return text
            if channel == "sms" and text.plan.segments <= self._installation.sms.most:
                return text
        return self._cut(words, channel, keep_accents=False)

    def _notice(
        self, notice: Notice, accounts: Mapping[Address, Sequence[Address]], now: Instant
    ) -> Message | WorkItem:
        """Over the first channel whose words can be made, and which the dossier does not forbid.

        Where it forbids all of them the first, so that the last look says so.
        """
        rungs = self._installation.ladder.of(notice.rule.lane)
        found = [address_of(notice.person, channel, accounts) for channel in rungs]
        addresses = [address for address in found if address]
        allowed = [one for one in addresses if consent.allows(notice.dossier, one.channel)]
        fault = ""
        for address in allowed or addresses:
            try:
                return self._to(notice, address, rungs, now)
            except TemplateError as error:
                fault = fault or str(error)
        if fault:
            return _work(notice, "not_composed", fault, now)
        return _work(notice, CALL, "there is no number or address that we can write to", now)

    def _to(
        self, notice: Notice, address: Address, rungs: tuple[str, ...], now: Instant
    ) -> Message:
        installation = self._installation
        text = self.notice_text(
            notice, locale=installation.locale, channel=address.channel, now=now
        )
        wait = notice.rule.wait if isinstance(notice.rule, TransitionRule) else 0
        not_before = installation.notice_hours.next_open(now + wait)
        return Message(
            id=message_id(notice.key, now),
            key=notice.key,
            lane=notice.rule.lane,
            address=address,
            text=text.text,
            plan=text.plan,
            subject=text.subject,
            rungs=rungs,
            locale=installation.locale,
            created_at=now,
            not_before=not_before,
            best_before=_best_before(notice, not_before),
            notice=notice.rule.notice,
            dossier=notice.dossier.code,
            episode=notice.episode,
        )

    def _fitted(self, words: Any, channel: str) -> Text:
        """The fullest wording that fits the target; else the fullest of the shortest ones."""
        policy = self._installation.sms
        tried: list[Text] = []
        for spared in SPARED_FOR_TARGET:
            text = self._cut(words(spared), channel, keep_accents=policy.keep_accents, most=None)
            if channel != "sms" or text.plan.segments <= policy.target:
                return text
            tried.append(text)
        fewest = min(text.plan.segments for text in tried)
        if fewest <= policy.most:
            return next(text for text in tried if text.plan.segments == fewest)
        return self._cut(words(SPARED_FOR_LIMIT), channel, keep_accents=policy.keep_accents)

    def _first_of(
        self, words: Callable[[dict[str, Any]], str], changes: Sequence[dict[str, Any]]
    ) -> Text:
        """The first wording that takes no more SMS than knowledge should.

        Else the last, and that without accents, rather than no answer.
        """
        policy = self._installation.sms
        for changed in changes:
            text = self._cut(words(changed), "sms", keep_accents=policy.keep_accents, most=None)
            if text.plan.segments <= min(KNOWLEDGE_SEGMENTS, policy.most):
                return text
        return self._cut(words(changes[-1]), "sms", keep_accents=False)

    def _cut(self, text: str, channel: str, *, keep_accents: bool, most: int | None = 0) -> Text:
        text = nfc(text).strip()
        if not text:
            raise TemplateError("the text is empty; write something in its template")
        if channel == EMAIL:
            subject, _, text = (part.strip() for part in text.partition("\n"))
            if not text:
                raise TemplateError("an e-mail has its subject in the first line, and a text below")
            return Text(text=text, plan=plan_plain(text), subject=subject)
        if channel != "sms":
            return Text(text=text, plan=plan_plain(text))
        if not keep_accents:
            text = unaccent(text)
        plan = plan_sms(text)
        limit = self._installation.sms.most
        if most is not None and plan.segments > limit:
            raise TemplateError(
                f"the text takes {plan.segments} SMS and {limit} are allowed; shorten its template "
                "or raise sms.most_segments"
            )
        return Text(text=text, plan=plan)

    def _part_context(self, part: Part, locale: str, now: Instant) -> dict[str, Any]:
        context = {
            **self._office_context(locale),
            **self._place(part.unit, locale, now),
            "code": part.code,
            "place": part.place,
            "options": part.options,
            **_knowledge_context(part, locale),
        }
        if part.dossier is None:
            return context
        context = self._dossier_context(part.dossier, locale, now)
        context["fees_asked"] = part.fees_asked
        policy = self._installation.disclosure
        if part.level is not Level.L1:
            hidden = (
                "procedure", "supplement", "fees", "fees_due", "fees_paid", "reason", "handler",
            )  # fmt: skip
            context.update(dict.fromkeys(hidden, ""), since=None)
            if not policy.due_date_for_anyone:
                context["due"] = context["new_due"] = context["old_due"] = None
        elif not policy.handler_for_owner:
            context["handler"] = ""
        return context

    def _dossier_context(self, dossier: Dossier, locale: str, now: Instant) -> dict[str, Any]:
        facts, statuses = dossier.facts, self._installation.statuses
        office = self._installation.units.office
        unit = self._installation.units.find(facts.unit)
        fees = facts.fees or ()
        rescheduled = facts.rescheduled
        holdings = dossier.holdings()
        stale = deadline.is_stale(dossier, statuses)
        return {
            **self._office_context(locale),
            "code": dossier.code,
            "unit": unit.short,
            "unit_name": unit.name,
            "address": unit.address,
            "hours": unit.hours.words(locale) if unit.hours else "",
            "hotline": unit.phone or office.hotline,
            "contact": unit.phone or office.hotline or unit.name,
            "status": dossier.status,
            "status_word": statuses.word(dossier.status, locale),
            "late": deadline.is_late(dossier, statuses, now=now),
            "running": deadline.runs(dossier, statuses),
            "due": None if stale else facts.due_at,
            "early": not stale and _is_early(dossier),
            "return_by": facts.return_by or "",
            "old_due": _moved_from(dossier),
            "new_due": rescheduled.due_at if rescheduled and rescheduled.due_at > now else None,
            "reason": (rescheduled.reason if rescheduled else "") or facts.reason or "",
            "letter": rescheduled.letter if rescheduled else "",
            "procedure": facts.procedure_name or "",
            "supplement": [asked.what for asked in facts.supplement or ()],
            "fees": [fee.name for fee in fees if not fee.paid],
            "fees_paid": bool(fees) and all(fee.paid for fee in fees),
            "fees_due": sum(fee.amount for fee in fees if not fee.paid),
            "handler": facts.handler or "",
            "since": holdings[-1].since if holdings else None,
        }

    def _place(self, listed: Unit | None, locale: str, now: Instant) -> dict[str, Any]:
        """Where a unit of the registry, or else the office, is; and when it is open, also today."""
        units = self._installation.units
        unit = listed or units.own
        return {
            "unit": unit.short,
            "unit_name": unit.name,
            "of_unit": listed is not None,
            "address": unit.address,
            "hours": unit.hours.words(locale) if unit.hours else "",
            "hotline": unit.phone or units.office.hotline,
            "contact": unit.phone or units.office.hotline or unit.name,
            **self._today(unit, now),
        }

    def _today(self, unit: Unit, now: Instant) -> dict[str, Any]:
        """Whether the unit is open today, when if not as usual, and on which day next."""
        calendar = self._installation.calendar_of(unit)
        today = instant.local_date(now)
        hours = unit.hours
        spans = hours.on(today, calendar) if hours else ()
        next_open = hours.next_open(today, calendar) if hours else None
        return {
            "open_today": bool(spans) if hours else calendar.is_working(today),
            "hours_today": spans_words(spans) if hours and spans != hours.usual else "",
            "holiday": calendar.names.get(today, ""),
            "next_open": instant.at(next_open or calendar.after(today, 1), time(0)),
        }

    def _office_context(self, locale: str) -> dict[str, Any]:
        office = self._installation.units.office
        return {
            "office": office.short,
            "office_name": office.name,
            "hotline": office.hotline,
            "contact": office.hotline or office.name,
            "portal": office.portal,
            "short_code": office.short_code,
            "address": office.address,
            "hours": office.hours.words(locale) if office.hours else "",
        }


def _knowledge_context(part: Part, locale: str) -> dict[str, Any]:
    """What the office knows of what ``part`` is about; empty where that is nothing."""
    known = part.procedure or part.topic or part.unit
    context: dict[str, Any] = {
        "source": known.source if known else "",
        "as_of": instant.at(known.as_of, time(0)) if known and known.as_of else None,
    }
    if part.topic is not None:
        context |= {"short": part.topic.short[locale], "long": part.topic.long[locale]}
    procedure = part.procedure
    if procedure is not None:
        context |= {
            "name": procedure.name,
            "short_name": _short_name(procedure),
            "procedure_code": procedure.code,
            "papers": procedure.papers,
            "more_papers": False,
            "limit": procedure.limit,
            "fee": procedure.fee,
            "fee_note": procedure.fee_note,
            "where": procedure.where,
        }
    return context


def _short_name(procedure: Procedure) -> str:
    """The title, or as many of its words as an SMS has room for, and the code to find it by."""
    name = procedure.name
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME].rsplit(' ', 1)[0].rstrip(' ,;')} ({procedure.code})"


def _shorter(known: Sequence[Part]) -> list[dict[str, Any]]:
    """What an SMS leaves out, step by step: hotline, source, papers, the note, the limit.

    Of a unit what was not asked for: the hours beside an address, the address beside hours.
    """
    spared: dict[str, Any] = _without(("hotline", "source"))
    papers = max((part.procedure.papers for part in known if part.procedure), key=len, default=())
    fewer = [
        {**spared, "papers": papers[:count], "more_papers": True}
        for count in reversed(range(len(papers)))
    ]
    noteless = {**(fewer or [spared])[-1], "fee_note": ""}
    limitless = {**noteless, "limit": None}
    beside = {name: "" for part in known if (name := BESIDE.get(part.say))}
    return [{}, {"hotline": ""}, spared, *fewer, noteless, {**limitless, **beside}]


def _moved_from(dossier: Dossier) -> Instant | None:
    """The due date before the re-appointment; None where there was none, or none is known."""
    if dossier.facts.rescheduled is None:
        return None
    if dossier.facts.rescheduled.replaces is not None:
        return dossier.facts.rescheduled.replaces
    dues = [step.due_at for step in dossier.steps if step.due_at is not None]
    return next((due for due in reversed(dues) if due != dossier.facts.due_at), None)


def _reason(dossier: Dossier) -> str:
    """Why the present state was entered.

    What an earlier state gave as its reason, or a re-appointment, is not that of a refusal.
    """
    facts = dossier.facts
    said, since = dossier.stamps.get("reason"), dossier.status_since
    is_older = said is not None and since is not None and said[0] < since
    return "" if is_older else facts.reason or ""


def _is_early(dossier: Dossier) -> bool:
    """Whether it was finished before the day it was due (NĐ 61/2018 art 20(4))."""
    facts = dossier.facts
    finished = facts.finished_at if facts.finished_at is not None else dossier.status_since
    if finished is None or facts.due_at is None:
        return False
    return instant.local_date(finished) < instant.local_date(facts.due_at)


def _best_before(notice: Notice, not_before: Instant) -> Instant:
    rule = notice.rule
    if isinstance(rule, DueRule) and rule.best_before is None:
        return notice.dossier.facts.due_at or not_before
    return not_before + (rule.best_before or 0)


def _without(names: tuple[str, ...]) -> dict[str, str]:
    return dict.fromkeys(names, "")


def _work(notice: Notice, kind: str, detail: str, now: Instant) -> WorkItem:
    return WorkItem(
        key=f"{kind}|{notice.key}",
        kind=kind,
        dossier=notice.dossier.code,
        detail=f"{notice.rule.notice}: {detail}",
        opened_at=now,
    )


def _tells_more_when_tied(part: Part) -> bool:
    return part.say in {Say.LINK_HOW, Say.ASK_CODE} or part.level is Level.L0


def _buttons(answer: Answer) -> tuple[str, ...]:
    """What a chat offers as quick replies."""
    told = tuple(part.code for part in answer.parts if part.say is Say.STATUS)
    return (*(answer.offered or told)[:2], "HD", "DK" if answer.refuse else "TC")
