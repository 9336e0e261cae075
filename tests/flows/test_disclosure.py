"""What may be told, proved over the shipped words: who asks, what, of which dossier, and how.

TT 01/2018/TT-VPCP art 16(2)(d): by the code alone the code and the degree of completion; to the
person themselves what is theirs. The tables here say it again, without the code that decides it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import pytest
from builders import GATEWAY, KEPT, NOW, Centre, inbound, number_of
from disclosure_samples import (
    CHAT,
    KINDS,
    MINE,
    ROLES,
    STATES,
    THEIRS,
    Planted,
    Role,
    all_fields,
    dossier_of,
    events_of,
    planted_fields,
    shipped,
    told,
)
from dossier_samples import event

from notifier.domain import answer, instant, notice
from notifier.domain.answer import Answer, Part
from notifier.domain.conversation import Said, Talk
from notifier.domain.disclosure import Asker, Level
from notifier.domain.inquiry import Inquiry, Intent
from notifier.domain.message import Address
from notifier.domain.rules import TransitionRule
from notifier.domain.text import fold
from notifier.flows.compose import Composer
from notifier.rendering import Templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from notifier.domain.dossier import Dossier
    from notifier.domain.event import DossierEvent
    from notifier.domain.installation import Installation
    from notifier.domain.message import Inbound, Message

LANGUAGES: Final = ("vi", "en")
SHIPPED: Final = shipped()
TEMPLATES: Final = Templates()
MINUTE: Final = instant.MINUTE

# ------------------------------------------------------------------------------ the specification

ABOUT: Final = frozenset(
    {Intent.STATUS, Intent.DUE_DATE, Intent.LATE, Intent.SUPPLEMENT, Intent.FEE}
)
"""Questions about a dossier: with a code or without, they are answered with it."""

WITH_A_CODE: Final = ABOUT | {
    Intent.HELP,
    Intent.GREETING,
    Intent.THANKS,
    Intent.ADDRESS,
    Intent.HOURS,
    Intent.PROCEDURE,
    Intent.RESULT_DELIVERY,
    Intent.CODE_HELP,
    Intent.UNKNOWN,
}
"""Who writes a code beside these hears of the dossier; beside all others, nothing of it."""

DUES: Final = frozenset({"due", "passed_due", "old_due", "new_due"})

MAY: Final[Mapping[Level, frozenset[str]]] = {
    Level.NONE: frozenset({"code"}),
    Level.L0: frozenset({"code", "unit"}) | DUES,
    Level.L1: frozenset(
        {"code", "unit", "procedure_name", "supplement", "fee", "fee_amount", "reason"}
        | {"rescheduled_reason", "since"}
    )
    | DUES,
}
"""All that may ever stand in a text, by what its reader may know."""

SMS: Final = frozenset({("sms", "vi"), ("sms", "en")})
BY_CHAT: Final = frozenset({(CHAT, "vi"), (CHAT, "en")})
EVERYWHERE: Final = SMS | BY_CHAT
RUNNING: Final = frozenset({"2", "4"})
LATE: Final = frozenset({"late", "late, re-appointed"})
MOVED: Final = frozenset({"re-appointed", "late, re-appointed"})
OVER: Final = frozenset({"3", "7", "10"})
ALL: Final = frozenset(STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``what`` an official would say to one of ``level`` who asks ``intents`` in ``states``."""

    what: str
    intents: frozenset[Intent] = ABOUT
    states: frozenset[str] = ALL
    where: frozenset[tuple[str, str]] = EVERYWHERE
    level: Level = Level.L1


SPOKEN: Final = (
    Row(what="code", intents=WITH_A_CODE, level=Level.L0),
    Row(what="state", intents=WITH_A_CODE, level=Level.L0),
    Row(what="unit", intents=WITH_A_CODE, level=Level.L0),
    Row(what="late", intents=WITH_A_CODE, states=LATE, level=Level.L0),
    Row(what="due", states=RUNNING, level=Level.L0),
    Row(what="passed_due", states=LATE, level=Level.L0),
    Row(what="new_due", states=MOVED, level=Level.L0),
    Row(what="old_due", states=frozenset({"re-appointed"}), level=Level.L0),
    Row(what="supplement", states=frozenset({"5"})),
    Row(what="fee_amount", states=frozenset({"6"})),
    Row(what="fee_amount", intents=frozenset({Intent.FEE})),
    Row(what="fee", states=frozenset({"6"}), where=frozenset({(CHAT, "vi")})),
    Row(what="fee", intents=frozenset({Intent.FEE})),
    Row(what="reason", states=ALL - MOVED),
    Row(what="rescheduled_reason", states=MOVED),
    Row(what="procedure_name", where=BY_CHAT),
    Row(what="since", where=BY_CHAT),
)
"""What is told; a row of level 0 holds for level 1 too."""

SPARED_FOR_TWO: Final = frozenset({"reason", "rescheduled_reason"})
"""What a text may leave out where two dossiers have to fit into it."""

LATE_WORDS: Final = {"vi": "qua han", "en": "late"}


@cache
def owed(level: Level, intent: Intent, state: str, channel: str, language: str) -> frozenset[str]:
    """What an answer has to tell of a dossier."""
    return frozenset(
        row.what
        for row in SPOKEN
        if level in (row.level, Level.L1)
        and intent in row.intents
        and state in row.states
        and (channel, language) in row.where
    )


# ------------------------------------------------------------------------------------- the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the dossiers are named: in the text, in the text before it, or by whose they are."""

    codes: tuple[Planted, ...] = ()
    before: tuple[Planted, ...] = ()

    def asked(self, role: Role, intent: Intent, state: str) -> tuple[Planted, ...]:
        """The dossiers that the answer is about; of one's own that are over, the latest."""
        if self.codes:
            return self.codes if intent in WITH_A_CODE else ()
        if intent not in ABOUT:
            return ()
        if self.before:
            return self.before
        own = tuple(each for each in (MINE, THEIRS) if each.number in role.holds)
        return own[:1] if state in OVER else own

    def talk(self, role: Role, stored: Mapping[str, Dossier]) -> Talk:
        """What went before, and the asker's own dossiers."""
        own = [each.code for each in (MINE, THEIRS) if each.number in role.holds]
        return Talk(
            own=tuple(stored[code] for code in own if code in stored),
            said=Said(codes=tuple(each.code for each in self.before)),
        )


SHAPES: Final[Mapping[str, Shape]] = {
    "with its code": Shape(codes=(MINE,)),
    "with its code and another's": Shape(codes=(MINE, THEIRS)),
    "with another's code and its own": Shape(codes=(THEIRS, MINE)),
    "as a follow-up": Shape(before=(MINE,)),
    "as a follow-up to both": Shape(before=(MINE, THEIRS)),
    "of one's own": Shape(),
}

TELLING: Final = frozenset({"3", "5", "6"}) | LATE | MOVED
"""States in which there is more to tell than the state."""

part_fields: Final = attrgetter(*(one.name for one in fields(Part) if one.name != "dossier"))


ANYBODY: Final = {"sms": Address("sms", number_of(1)), CHAT: Address(CHAT, "1")}
"""To whom the words go that are compared."""


class Desk:
    """Decides and words answers by an installation; the same answer is worded once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.composer = Composer(installation, TEMPLATES)
        self._worded: dict[object, Message] = {}

    def decide(
        self, role: Role, shape: Shape, intent: Intent, stored: Mapping[str, Dossier]
    ) -> Answer:
        """The answer to a question of this shape."""
        return answer.decide(
            Inquiry(intent=intent, codes=tuple(each.code for each in shape.codes)),
            stored,
            role.asker,
            shape.talk(role, stored),
            policy=self.installation.disclosure,
            units=self.installation.units,
            statuses=self.installation.statuses,
        )

    def message(self, decided: Answer, channel: str, language: str) -> Message:
        """The message that answers."""
        parts = tuple((id(part.dossier), *part_fields(part)) for part in decided.parts)
        key = (parts, decided.refuse, decided.resume, channel, language)
        if key not in self._worded:
            self._worded[key] = self.composer.answer(
                decided, ANYBODY[channel], key="answer|1", language=language, now=NOW
            )
        return self._worded[key]


@cache
def spoken(text: str, planted: Planted, state: str, language: str) -> frozenset[str]:
    """What a text tells of a dossier: its planted fields, its state in a word, that it is late."""
    folded = fold(text)
    number = int(state) if state.isdigit() else 4
    found = set(told(text, planted))
    if fold(SHIPPED.statuses.word(number, language)) in folded:
        found.add("state")
    if LATE_WORDS[language] in folded:
        found.add("late")
    return frozenset(found)


def too_much(
    text: str,
    role: Role,
    kind: str,
    asked: Sequence[Planted],
    written: Sequence[Planted],
    everything: Sequence[Planted] = (MINE, THEIRS),
) -> Iterator[str]:
    """What stands in a text that its reader may not know.

    A code that was ``written`` may be said again; one's own may be asked back.
    """
    for planted in everything:
        if planted in asked:
            may = MAY[role.level(planted, kind)]
        else:
            known = planted in written or planted.number in role.holds
            may = frozenset({"code"}) if known else frozenset()
        yield from sorted(told(text, planted) - may)


def too_little(
    text: str,
    role: Role,
    asked: Sequence[Planted],
    case: tuple[Intent, str, str, str],
) -> Iterator[str]:
    """What of ``SPOKEN`` is missing in a text."""
    intent, kind, state, language = case
    for planted in asked:
        level = role.level(planted, kind)
        if level is not Level.NONE:
            spared = SPARED_FOR_TWO if len(asked) > 1 else frozenset()
            must = owed(level, intent, state, role.channel, language) - spared
            yield from sorted(must - spoken(text, planted, state, language))


AT_SHIPPED: Final = Desk(SHIPPED)


def stored_of(role: Role, kind: str, state: str) -> dict[str, Dossier]:
    """Both dossiers, of the same kind and in the same state."""
    return {each.code: dossier_of(each, kind, state, agent=role.agent) for each in (MINE, THEIRS)}


def without_the_hidden(
    role: Role, kind: str, stored: Mapping[str, Dossier]
) -> tuple[Role, dict[str, Dossier]]:
    """The world in which what this one may not know of does not exist, and has not been tried."""
    hidden = {p.code for p in (MINE, THEIRS) if role.level(p, kind) is Level.NONE}
    fresh = Asker(address=role.asker.address, proved_phones=role.asker.proved_phones)
    return (
        replace(role, asker=fresh),
        {code: found for code, found in stored.items() if code not in hidden},
    )


def questions(state: str) -> Iterator[tuple[str, Shape, Intent]]:
    """What is asked of a dossier in ``state``.

    In the states with most to tell everything; in the others what is about the one dossier.
    """
    for label, shape in SHAPES.items():
        if state not in TELLING and label not in {"with its code", "as a follow-up"}:
            continue
        for intent in Intent:
            if state in TELLING or intent in (WITH_A_CODE if shape.codes else ABOUT):
                yield label, shape, intent


def faults_of(desk: Desk, name: str) -> Iterator[str]:
    """Every wrong answer to one asker, each with what was asked."""
    role = ROLES[name]
    for kind in KINDS:
        for state in STATES:
            stored = stored_of(role, kind, state)
            innocent, visible = without_the_hidden(role, kind, stored)
            hides = len(visible) < len(stored)
            for label, shape, intent in questions(state):
                asked = shape.asked(role, intent, state)
                decided = desk.decide(role, shape, intent, stored)
                unknown = desk.decide(innocent, shape, intent, visible) if hides else decided
                where = f"{name}, {intent.value} {label}, {kind}, state {state}"
                if hides and not same(decided, unknown):
                    yield f"{where}: what is decided tells that a hidden dossier exists"
                for language in LANGUAGES:
                    said = desk.message(decided, role.channel, language)
                    if hides and said != desk.message(unknown, role.channel, language):
                        yield f"{where}, {language}: the words tell of a hidden dossier"
                    case = (intent, kind, state, language)
                    shown = " ".join((said.text, *said.buttons))
                    for what in too_much(shown, role, kind, asked, shape.codes):
                        yield f"{where}, {language}: tells {what}"
                    for what in too_little(said.text, role, asked, case):
                        yield f"{where}, {language}: does not tell {what}"


def same(decided: Answer, unknown: Answer) -> bool:
    """Whether they are one answer, but for what the asker has tried."""
    return replace(decided, over_limit=False) == replace(unknown, over_limit=False)


def none_of(faults: Iterable[str]) -> None:
    """Fails with the first faults, and how many there are."""
    found = list(faults)
    assert not found, "\n".join([f"{len(found)} faults:", *found[:12]])


@pytest.mark.parametrize("name", ROLES, ids=lambda name: name.replace(" ", "-"))
def test_what_an_asker_is_told_of_every_dossier(name: str) -> None:
    none_of(faults_of(AT_SHIPPED, name))


def test_every_field_of_a_dossier_is_planted() -> None:
    assert planted_fields() == all_fields()
    for planted in (MINE, THEIRS):
        words = [fold(word) for word in planted.words.values()]
        assert not [w for w in words for other in words if w != other and w in other]
        assert len({when[:10] for when in planted.dates.values()}) == len(planted.dates)


def test_a_text_with_everything_tells_everything() -> None:
    """The finder finds: every word, number, date and amount, with accents and without."""
    for planted in (MINE, THEIRS):
        shown = [*planted.words.values(), *planted.phones.values()]
        shown += [f"{when[8:10]}/{when[5:7]}/2026" for when in planted.dates.values()]
        shown += [f"{amount:,}đ".replace(",", ".") for amount in planted.amounts.values()]
        whole = {*planted.words, *planted.phones, *planted.dates, *planted.amounts}
        assert told(" | ".join(shown), planted) == whole
        assert told(fold(" | ".join(shown)), planted) == whole
    assert told(" | ".join([*MINE.words.values(), MINE.code]), THEIRS) == frozenset()


@pytest.mark.parametrize("row", SPOKEN, ids=lambda row: row.what)
def test_what_is_spoken_of_may_be(row: Row) -> None:
    assert row.what in MAY[row.level] | {"state", "late"}
    assert MAY[Level.NONE] < MAY[Level.L0] < MAY[Level.L1]


# ------------------------------------------------------------------------------------ the settings


def with_settings(**settings: Any) -> Desk:
    return Desk(replace(SHIPPED, disclosure=replace(SHIPPED.disclosure, **settings)))


@pytest.mark.parametrize("name", ["a stranger by SMS", "a stranger by chat"])
def test_the_due_date_is_kept_back_where_the_office_says_so(name: str) -> None:
    desk, role = with_settings(due_date_for_anyone=False), ROLES[name]
    for state in STATES:
        for shape in SHAPES.values():
            for intent in Intent:
                decided = desk.decide(role, shape, intent, stored_of(role, "ordinary", state))
                for language in LANGUAGES:
                    text = desk.message(decided, role.channel, language).text
                    for planted in (MINE, THEIRS):
                        found = told(text, planted)
                        assert found <= MAY[Level.L0] - DUES, (state, intent.value, language)
                    if state in LATE and shape.codes and intent in WITH_A_CODE:
                        assert LATE_WORDS[language] in fold(text), (intent.value, language)


def test_the_handler_is_told_to_the_owner_alone_where_the_office_says_so() -> None:
    desk = with_settings(handler_for_owner=True)
    for name, role in ROLES.items():
        for kind in KINDS:
            stored = stored_of(role, kind, "4")
            decided = desk.decide(role, SHAPES["with its code"], Intent.STATUS, stored)
            for language in LANGUAGES:
                text = desk.message(decided, role.channel, language).text
                owner = role.level(MINE, kind) is Level.L1
                case = (name, kind, language)
                assert told(text, MINE) <= MAY[role.level(MINE, kind)] | {
                    *(["handler"] if owner else [])
                }, case
                if owner and (role.channel, language) == (CHAT, "vi"):
                    assert "handler" in told(text, MINE), case


# ------------------------------------------------------------------------------------- the notices


def notices_of(kind: str, *, agent: bool) -> Iterator[tuple[notice.Notice, str]]:
    """Every notice of the shipped rules, in every state in which it may leave, and the state."""
    for rule in SHIPPED.rules.rules:
        for state in STATES:
            found = dossier_of(MINE, kind, state, agent=agent)
            if found.status not in rule.still:
                continue
            if isinstance(rule, TransitionRule):
                yield notice.of_transition(rule, found), state
            else:
                yield notice.of_due(rule, found, "2026-11-20T17:00:00+07:00"), state


def test_a_notice_tells_its_person_what_is_theirs_and_nobody_else() -> None:
    composer = Composer(SHIPPED, TEMPLATES)
    seen: set[str] = set()
    for kind in KINDS:
        for agent in (False, True):
            whose = "agent" if agent else "applicant"
            for made, state in notices_of(kind, agent=agent):
                case = (made.rule.notice, kind, whose, state)
                seen.add(made.rule.notice)
                [queued] = composer.notices([made], NOW).messages
                assert queued.address == Address("sms", MINE.phone(whose)), case
                texts = [queued.text] + [
                    composer.notice_text(made, locale=language, channel=channel, now=NOW).text
                    for channel, language in EVERYWHERE
                ]
                for text in texts:
                    assert told(text, MINE) <= MAY[Level.L1] - {"since"}, case
                    assert "code" in told(text, MINE), case
                    assert not told(text, THEIRS), case
    assert seen == {rule.notice for rule in SHIPPED.rules.rules}


# --------------------------------------------------------------------------- the whole conversation

TEXTS: Final[Mapping[Intent, tuple[str, str]]] = {
    Intent.STATUS: ("HS {code}", "what is the status of {code} please"),
    Intent.DUE_DATE: ("{code} hẹn trả ngày nào", "when will {code} be ready please"),
    Intent.LATE: ("sao hồ sơ {code} trễ hẹn vậy", "why is my file {code} late"),
    Intent.SUPPLEMENT: ("{code} cần bổ sung gì", "what is missing {code}"),
    Intent.FEE: ("phí lệ phí bao nhiêu {code}", "how much is the fee for {code}"),
    Intent.RESULT_DELIVERY: ("{code} gửi bưu điện được không", "can i get it by post {code}"),
    Intent.ADDRESS: ("{code} địa chỉ trung tâm ở đâu", "{code} what is the address please"),
    Intent.HOURS: ("{code} giờ làm việc mấy giờ", "{code} what are the office hours"),
    Intent.COMPLAINT: ("tôi muốn khiếu nại {code}", "i want to make a complaint {code}"),
    Intent.OPT_OUT: ("hủy nhận tin {code}", "stop sending me messages {code}"),
    Intent.SUBSCRIBE: ("theo dõi hs {code}", "DK {code}"),
    Intent.WITHDRAW: ("tôi muốn rút hồ sơ {code}", "withdraw my application {code}"),
    Intent.AGENT: ("gặp cán bộ {code}", "i want to talk to someone {code}"),
    Intent.RATING: ("DG 1 {code}", "DG 5 {code}"),
    Intent.CHANGE_CONTACT: ("đổi số điện thoại nhận tin {code}", "i want to change number {code}"),
    Intent.GREETING: ("alo {code}", "alo alo {code}"),
}
"""Texts with a code that are read so; beside one, no text is read as another intent."""

FOLLOW_UPS: Final[Mapping[Intent, str]] = {
    Intent.STATUS: "hồ sơ xong chưa",
    Intent.DUE_DATE: "when will it be ready please",
    Intent.LATE: "sao trễ hẹn vậy",
    Intent.SUPPLEMENT: "cần bổ sung gì",
    Intent.FEE: "lệ phí hồ sơ bao nhiêu",
}


@pytest.fixture(scope="module")
def installation() -> Installation:
    """The centre of this file has the procedure that is sensitive by its code, too."""
    return SHIPPED


def numbered(planted: Planted, number: int) -> Planted:
    """The same dossier under another code."""
    return replace(planted, number=number)


NOT_THERE: Final = numbered(MINE, 9_000)
"""A code of which there is no dossier."""

ANOTHER: Final = numbered(THEIRS, 7_777)
"""A dossier of somebody else, of whose code no other is a slip."""

AGAIN: Final = 11 * MINUTE
"""After so long somebody who wrote much is no machine any more."""


async def test_the_texts_are_read_as_what_they_stand_for(centre: Centre) -> None:
    for intent, texts in TEXTS.items():
        for text in (*texts, *([FOLLOW_UPS[intent]] if intent in ABOUT else [])):
            read = centre.answering.read(text.format(code=MINE.code), "", NOW)
            assert read.intent is intent, text


class Crowd:
    """People who write to a centre, many at once, and what they were answered."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self._written = 0
        self._accounts = 0

    def accounts(self, count: int, channel: str = CHAT) -> list[str]:
        """People who have never written before."""
        first = self._accounts
        self._accounts += count
        people = range(first, self._accounts)
        return [f"sms:{number_of(p)}" if channel == "sms" else f"{CHAT}:{p}" for p in people]

    async def write(
        self, texts: Sequence[tuple[str, str]], *, proved: str = "", pause: int = MINUTE
    ) -> list[str]:
        """After ``pause`` (ms) each of (sender, text) comes in; their keys."""
        self.centre.clock.now += pause
        messages: list[Inbound] = []
        for sender, text in texts:
            self._written += 1
            written = inbound(text, key=f"{self._written:05}", sender=sender)
            messages.append(replace(written, proved_phone=proved))
        await self.centre.receive().accept(messages)
        return [message.key for message in messages]

    async def answers(self) -> dict[str, str]:
        """Every answer, by the key of its text."""
        prefix = f"answer|{GATEWAY}|"
        rows = await self.centre.outbox()
        return {r.key.removeprefix(prefix): r.text for r in rows if r.key.startswith(prefix)}

    async def bound_by_contact(self, number: str, count: int = 1) -> list[str]:
        """Accounts whose holders shared their own contact."""
        accounts = self.accounts(count)
        await self.write([(account, "") for account in accounts], proved=number)
        return accounts

    async def bound_by_code(self, number: str) -> str:
        """An account whose holder typed the code that came to the number."""
        [account] = self.accounts(1)
        [key] = await self.write([(account, f"LK {number}")])
        sent = (await self.centre.row(f"link|answer|{GATEWAY}|{key}")).text
        [digits] = re.findall(r"\b\d{8}\b", sent)
        await self.write([(account, digits)])
        return account

    async def unbound(self, number: str, count: int) -> list[str]:
        """Accounts that were bound, and are no more."""
        accounts = await self.bound_by_contact(number, count)
        await self.write([(account, "HUY LK") for account in accounts])
        return accounts


async def senders(crowd: Crowd, who: str, count: int) -> list[str]:
    """For each of ``count`` texts its sender; a new one for each where guesses would count."""
    applicant, agent = MINE.phone("applicant"), MINE.phone("agent")
    match who:
        case "a stranger by SMS":
            return crowd.accounts(count, "sms")
        case "a stranger by chat":
            return crowd.accounts(count)
        case "the applicant by SMS":
            return [f"sms:{applicant}"] * count
        case "the agent by SMS":
            return [f"sms:{agent}"] * count
        case "a chat bound by contact":
            return await crowd.bound_by_contact(applicant) * count
        case "a chat bound by a code":
            return [await crowd.bound_by_code(applicant)] * count
        case "a chat bound to the agent's number":
            return await crowd.bound_by_contact(agent) * count
        case "a chat that was bound":
            return await crowd.unbound(applicant, count)
        case _:
            return await crowd.bound_by_contact(ANOTHER.phone("applicant"), count)


WHO: Final[Mapping[str, bool]] = {
    "a stranger by SMS": False,
    "a stranger by chat": False,
    "the applicant by SMS": True,
    "the agent by SMS": True,
    "a chat bound by contact": True,
    "a chat bound by a code": True,
    "a chat bound to the agent's number": True,
    "a chat that was bound": False,
    "a chat bound to another's number": False,
}
"""Who writes, and whether the dossiers with an agent are theirs."""

ROUNDS: Final = (
    ("ordinary", "5"),
    ("ordinary", "re-appointed"),
    ("sensitive by its code", "late"),
    ("sensitive by its title", "6"),
    ("sensitive by its field", "5"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One text about a dossier, and the key of its answer."""

    who: str
    planted: Planted
    kind: str
    state: str
    text: str
    key: str

    @property
    def role(self) -> Role:
        """Who asked, as far as it matters to what may be told."""
        channel = "sms" if self.who.endswith("SMS") else CHAT
        holds = frozenset({self.planted.number} if WHO[self.who] else ())
        return Role(asker=Asker(address=Address(channel, "1")), holds=holds)

    @property
    def case(self) -> str:
        """For failures; it names no person."""
        return f"{self.who}, {self.text!r}, {self.kind}, state {self.state}"


def faults_in(text: str, one: Asked, read: Inquiry) -> Iterator[str]:
    """What is too much in the answer to ``one``, or too little."""
    about = (one.planted,) if read.intent in WITH_A_CODE else ()
    everything = (one.planted, ANOTHER)
    for what in too_much(text, one.role, one.kind, about, (one.planted,), everything):
        yield f"{one.case}: tells {what}"
    case = (read.intent, one.kind, one.state, read.language)
    for what in too_little(text, one.role, about, case):
        yield f"{one.case}: does not tell {what}"


async def ask_everything(crowd: Crowd, planted: Planted, kind: str, state: str) -> list[Asked]:
    """Everybody writes the texts with the code; then those without, to whom it was said before."""
    texts = [text for pair in TEXTS.values() for text in pair]
    whole = [*texts, *FOLLOW_UPS.values()]
    everybody = {who: await senders(crowd, who, len(whole)) for who in WHO}
    direct, before, after = [], [], []
    for who, people in everybody.items():
        direct += [(who, text, each) for each, text in zip(people, texts, strict=False)]
        rest = people[len(texts) :]
        before += [(each, f"HS {planted.code}") for each in rest]
        after += [(who, t, each) for each, t in zip(rest, FOLLOW_UPS.values(), strict=True)]
    keys = await crowd.write([(e, t.format(code=planted.code)) for _, t, e in direct], pause=AGAIN)
    await crowd.write(before, pause=AGAIN)
    keys += await crowd.write([(e, t) for _, t, e in after], pause=AGAIN)
    return [
        Asked(who=who, planted=planted, kind=kind, state=state, text=text, key=key)
        for (who, text, _), key in zip((*direct, *after), keys, strict=True)
    ]


async def of_no_dossier(crowd: Crowd) -> dict[tuple[str, str], str]:
    """The keys of what strangers are answered about a code that does not exist, by channel, text.

    A text without the code follows one that has it.
    """
    found: dict[tuple[str, str], str] = {}
    for channel in ("sms", CHAT):
        for texts in (
            [text for pair in TEXTS.values() for text in pair],
            [*FOLLOW_UPS.values()],
        ):
            people = crowd.accounts(len(texts), channel)
            if texts[0] in FOLLOW_UPS.values():
                await crowd.write([(each, f"HS {NOT_THERE.code}") for each in people])
            told = [(p, t.format(code=NOT_THERE.code)) for p, t in zip(people, texts, strict=True)]
            keys = await crowd.write(told)
            found |= {(channel, t): key for t, key in zip(texts, keys, strict=True)}
    return found


async def test_the_whole_conversation_with_each_asker(centre: Centre) -> None:
    crowd = Crowd(centre)
    unknown = await of_no_dossier(crowd)
    await centre.push(*events_of(ANOTHER, "ordinary", "4"))
    written: list[Asked] = []
    for number, (kind, state) in enumerate(ROUNDS, start=11):
        planted = numbered(MINE, number)
        await centre.push(*events_of(planted, kind, state, agent=True))
        written += await ask_everything(crowd, planted, kind, state)
    answered = await crowd.answers()
    found: list[str] = []
    for one in written:
        code = one.planted.code
        found += faults_in(
            answered[one.key], one, centre.answering.read(one.text.format(code=code), "", NOW)
        )
        if one.role.level(one.planted, one.kind) is Level.NONE:
            like = answered[unknown[one.role.channel, one.text]].replace(NOT_THERE.code, code)
            if answered[one.key] != like:
                found.append(f"{one.case}: is not what is said of a code that does not exist")
    none_of(found)


# -------------------------------------------------------------------------------- past the limits

TRIED: Final = [numbered(MINE, 8_000 + n).code for n in range(10)]
"""Codes that do not exist; whoever has asked for so many in ten minutes is told nothing more."""

FOR_ALL: Final = numbered(MINE, 21)


async def guessers(crowd: Crowd, count: int, channel: str) -> list[str]:
    """Accounts that have just asked for as many codes of others as they may."""
    accounts = crowd.accounts(count, channel)
    for code in TRIED:
        await crowd.write([(account, f"HS {code}") for account in accounts], pause=1_000)
    return accounts


@pytest.mark.parametrize("channel", ["sms", CHAT])
async def test_past_the_limit_a_code_is_said_to_be_unknown(centre: Centre, channel: str) -> None:
    crowd = Crowd(centre)
    texts = [text for pair in TEXTS.values() for text in pair]
    await centre.push(*events_of(FOR_ALL, "ordinary", "5"))
    people = await guessers(crowd, len(texts), channel)
    fresh = crowd.accounts(len(texts), channel)
    hit = await crowd.write(
        [(p, t.format(code=FOR_ALL.code)) for p, t in zip(people, texts, strict=True)], pause=1_000
    )
    missed = await crowd.write(
        [(p, t.format(code=NOT_THERE.code)) for p, t in zip(fresh, texts, strict=True)], pause=0
    )
    said = await crowd.answers()
    for text, one, other in zip(texts, hit, missed, strict=True):
        assert said[one] == said[other].replace(NOT_THERE.code, FOR_ALL.code), text


@pytest.mark.parametrize("channel", ["sms", CHAT])
async def test_and_a_question_after_it_tells_no_more(centre: Centre, channel: str) -> None:
    crowd = Crowd(centre)
    await centre.push(*events_of(FOR_ALL, "ordinary", "5"))
    people = await guessers(crowd, len(FOLLOW_UPS), channel)
    await crowd.write([(each, f"HS {FOR_ALL.code}") for each in people], pause=1_000)
    keys = await crowd.write(list(zip(people, FOLLOW_UPS.values(), strict=True)), pause=1_000)
    said = await crowd.answers()
    for text, key in zip(FOLLOW_UPS.values(), keys, strict=True):
        assert told(said[key], FOR_ALL) <= {"code"}, text


# ----------------------------------------------------------------------------------- said later


async def later(centre: Centre) -> dict[tuple[str, str], str]:
    """What was said of codes that had been kept, by who had asked (masked) and the code."""
    rows = [row for row in await centre.outbox() if row.key.startswith("kept|")]
    return {(row.to, row.key.split("|")[1]): row.text for row in rows}


async def test_a_code_that_was_kept_is_answered_by_who_asked(centre: Centre) -> None:
    crowd = Crowd(centre)
    asked: list[tuple[Asked, Address]] = []
    for number, kind in enumerate(KINDS, start=31):
        planted = numbered(MINE, number)
        for who in WHO:
            [sender] = await senders(crowd, who, 1)
            [key] = await crowd.write([(sender, f"HS {planted.code}")])
            one = Asked(who=who, planted=planted, kind=kind, state="5", text="HS {code}", key=key)
            asked.append((one, Address.parse(sender)))
        centre.clock.now += MINUTE
        await centre.push(*events_of(planted, kind, "5", agent=True))
    [nobody] = crowd.accounts(1, "sms")
    await crowd.write([(nobody, f"HS {NOT_THERE.code}")])
    said = await later(centre)
    found: list[str] = []
    for one, address in asked:
        text = said.get((address.masked, one.planted.code))
        if one.role.level(one.planted, one.kind) is Level.NONE:
            found += [f"{one.case}: is answered later"] if text is not None else []
        elif text is None:
            found.append(f"{one.case}: is not answered later")
        else:
            found += faults_in(text, one, Inquiry(intent=Intent.STATUS))
    none_of(found)
    centre.clock.now += KEPT
    await centre.keep.sweep(centre.clock.now)
    over = {key: text for key, text in (await later(centre)).items() if key not in said}
    hidden = [o for o, _ in asked if o.role.level(o.planted, o.kind) is Level.NONE]
    assert len(over) == len(hidden) + 1
    by_sms = {text.replace(code, "") for (to, code), text in over.items() if to.startswith("sms")}
    by_chat = {text.replace(code, "") for (to, code), text in over.items() if to.startswith(CHAT)}
    assert len(by_sms) == len(by_chat) == 1


@pytest.mark.parametrize("intent", TEXTS)
async def test_past_the_limit_nothing_is_kept(centre: Centre, intent: Intent) -> None:
    crowd = Crowd(centre)
    [guesser] = await guessers(crowd, 1, "sms")
    await centre.push(*(event_of_tried(code) for code in TRIED))
    text = TEXTS[intent][0].format(code=FOR_ALL.code)
    await crowd.write([(guesser, text)], pause=1_000)
    await centre.push(*events_of(FOR_ALL, "ordinary", "5"))
    assert (Address.parse(guesser).masked, FOR_ALL.code) not in await later(centre)


def event_of_tried(code: str) -> DossierEvent:
    """A code that was guessed gets its dossier, so that no more of them wait."""
    return event("received", "2026-11-23 09:00", id_=code, code=code)
