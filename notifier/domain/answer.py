"""What is answered to an inquiry: the decision, before any wording."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from notifier.domain import disclosure
from notifier.domain.code import parse
from notifier.domain.consent import EVERYTHING
from notifier.domain.conversation import RETURNED, Talk, score
from notifier.domain.disclosure import Level
from notifier.domain.dossier import UnitRef
from notifier.domain.inquiry import Intent
from notifier.domain.knowledge import Knowledge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.disclosure import Asker, Policy
    from notifier.domain.dossier import Dossier
    from notifier.domain.inquiry import Inquiry
    from notifier.domain.knowledge import Procedure, Topic
    from notifier.domain.status import Statuses
    from notifier.domain.unit import Unit, Units


class Say(StrEnum):
    """One part of an answer; each has a template of its name."""

    STATUS = "answer_status"
    UNKNOWN_CODE = "answer_unknown_code"
    NEARLY = "answer_nearly"
    WHICH_CODE = "answer_which_code"
    STILL_UNKNOWN = "answer_still_unknown"
    ELSEWHERE = "answer_elsewhere"
    STOPPED = "answer_stopped"
    STOPPED_ONE = "answer_stopped_one"
    STARTED = "answer_started"
    STARTED_ONE = "answer_started_one"
    ONLY_OWN = "answer_only_own"
    HELP = "answer_help"
    ASK_CODE = "answer_ask_code"
    LEGAL_ACT = "answer_legal_act"
    ADDRESS = "answer_address"
    HOURS = "answer_hours"
    PROCEDURE = "answer_procedure"
    KNOWN_PROCEDURE = "answer_known_procedure"
    FEE = "answer_fee"
    KNOWN_FEE = "answer_known_fee"
    TOPIC = "answer_topic"
    RESULT_DELIVERY = "answer_result_delivery"
    CODE_HELP = "answer_code_help"
    COMPLAINT = "answer_complaint"
    AGENT = "answer_agent"
    RATING = "answer_rating"
    THANKS = "answer_thanks"
    NOT_UNDERSTOOD = "answer_not_understood"
    LINK_HOW = "answer_link_how"
    LINK_CODE = "answer_link_code"
    LINK_SENT = "answer_link_sent"
    LINK_TOO_MANY = "answer_link_too_many"
    LINK_WRONG = "answer_link_wrong"
    LINKED = "answer_linked"
    UNLINKED = "answer_unlinked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing to say; ``dossier`` is there only as far as ``level`` lets it be told."""

    say: Say
    code: str = ""
    dossier: Dossier | None = field(default=None, repr=False)
    level: Level = Level.NONE
    place: str = ""
    fees_asked: bool = False
    """Whether it is the fees that are asked for; they are told in any state then."""
    options: tuple[str, ...] = ()
    """Codes that are asked back: one of them may be meant."""
    procedure: Procedure | None = None
    topic: Topic | None = None
    unit: Unit | None = None
    """Whose address and hours are told; None: the office's."""

    @property
    def is_known(self) -> bool:
        """Whether it states what the office knows, beyond where to look."""
        return any(known is not None for known in (self.procedure, self.topic, self.unit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The parts in order, and what is to be done beside answering. No parts: silence."""

    parts: tuple[Part, ...]
    refuse: tuple[str, ...] = ()
    """Scopes to refuse from now on (see ``consent``)."""
    resume: bool = False
    guessed: tuple[str, ...] = ()
    """Codes asked for that are not the asker's own; they count against guessing."""
    for_people: str = ""
    """The kind of work that staff get from it; empty where there is none."""
    over_limit: bool = False
    """Whether the asker has guessed too much: nothing is kept for them."""
    rating: tuple[str, int] | None = None
    """The dossier that is rated, and the score, 1 to 5."""

    @property
    def offered(self) -> tuple[str, ...]:
        """The codes that are asked back, in the order of their numbers; of one part only."""
        return next((part.options for part in self.parts if part.options), ())

    @property
    def level(self) -> Level:
        """The most that any part discloses; an answer without a dossier is level 0."""
        return Level.L1 if any(part.level is Level.L1 for part in self.parts) else Level.L0


NOTHING_BEFORE = Talk()

NOTHING_KNOWN = Knowledge()

LEGAL_ACTS = frozenset({Intent.WITHDRAW, Intent.CHANGE_CONTACT})
"""Never performed by a text message; the answer explains where."""

ABOUT_A_DOSSIER = frozenset(
    {Intent.STATUS, Intent.DUE_DATE, Intent.LATE, Intent.SUPPLEMENT, Intent.FEE}
)
"""Questions that are about a dossier even where they name none."""

ABOUT_A_PLACE = frozenset({Intent.ADDRESS, Intent.HOURS})
"""Questions that are about the unit of a dossier, where they name no other."""

MAY_BE_ABOUT_OWN = ABOUT_A_DOSSIER | ABOUT_A_PLACE
"""Questions without a code whose answer depends on which dossiers are the asker's."""

GENERAL: Mapping[Intent, Say] = {
    Intent.ADDRESS: Say.ADDRESS,
    Intent.HOURS: Say.HOURS,
    Intent.PROCEDURE: Say.PROCEDURE,
    Intent.FEE: Say.FEE,
    Intent.RESULT_DELIVERY: Say.RESULT_DELIVERY,
    Intent.CODE_HELP: Say.CODE_HELP,
    Intent.COMPLAINT: Say.COMPLAINT,
    Intent.AGENT: Say.AGENT,
    Intent.THANKS: Say.THANKS,
    Intent.HELP: Say.HELP,
    Intent.GREETING: Say.HELP,
}
"""What the office can say without a dossier."""

OF_A_PROCEDURE: Mapping[Intent, Say] = {
    Intent.PROCEDURE: Say.KNOWN_PROCEDURE,
    Intent.FEE: Say.KNOWN_FEE,
}
"""What is said of a procedure that is named."""

NOT_BESIDE_A_DOSSIER = ABOUT_A_DOSSIER | {Intent.HELP, Intent.GREETING, Intent.THANKS}
"""Who asks this with a code is told of the dossier, and no more."""

FOR_PEOPLE: Mapping[Intent, str] = {Intent.COMPLAINT: "complaint", Intent.AGENT: "wants_a_person"}
"""What staff are told of, besides the answer."""


def named(inquiry: Inquiry, knowledge: Knowledge) -> Inquiry:
    """``inquiry``; who writes the title of a procedure and no more wants to know of it."""
    if not _is_unread(inquiry) or knowledge.procedure(inquiry.words) is None:
        return inquiry
    return replace(inquiry, intent=Intent.PROCEDURE, by="the title of a procedure")


def is_fragment(inquiry: Inquiry, knowledge: Knowledge) -> bool:
    """Whether nothing can be made of it yet: the rest may be on its way."""
    return _is_unread(inquiry) and _general(inquiry, knowledge) is None


def _is_unread(inquiry: Inquiry) -> bool:
    wanted = inquiry.intent is not Intent.UNKNOWN or inquiry.codes or inquiry.either
    return not wanted and not inquiry.is_noise


def decide(
    inquiry: Inquiry,
    dossiers: Mapping[str, Dossier],
    asker: Asker,
    talk: Talk = NOTHING_BEFORE,
    *,
    policy: Policy,
    units: Units,
    statuses: Statuses,
    knowledge: Knowledge = NOTHING_KNOWN,
) -> Answer:
    """The answer to ``inquiry``; ``dossiers``: those that exist of its and of the talk's codes."""
    if talk.is_a_loop:
        return Answer(parts=(), for_people="loop")
    unit = None
    if inquiry.intent in ABOUT_A_PLACE:
        unit = _unit(inquiry, dossiers, asker, talk, policy, units, statuses)
    general = _general(inquiry, knowledge, unit)
    match inquiry.intent:
        case intent if inquiry.either and intent not in GENERAL.keys() - ABOUT_A_DOSSIER:
            return Answer(parts=(Part(say=Say.WHICH_CODE, options=inquiry.either),))
        case Intent.OPT_OUT:
            return _stop(inquiry)
        case Intent.SUBSCRIBE:
            return _start(inquiry, dossiers, asker, policy)
        case Intent.RATING:
            return _rated(inquiry, talk)
        case Intent.UNKNOWN if not inquiry.codes and general is None:
            return _not_understood(inquiry, talk)
        case intent if intent in LEGAL_ACTS:
            return Answer(parts=(Part(say=Say.LEGAL_ACT),))
        case _:
            return _told(inquiry, dossiers, asker, talk, general, policy, units, statuses)


def _told(
    inquiry: Inquiry,
    dossiers: Mapping[str, Dossier],
    asker: Asker,
    talk: Talk,
    general: Part | None,
    policy: Policy,
    units: Units,
    statuses: Statuses,
) -> Answer:
    """What is known of the dossiers that are meant, and what the office can say in general."""
    codes = inquiry.codes
    known = general is not None and general.is_known
    if not codes and not known and inquiry.intent in ABOUT_A_DOSSIER:
        codes = talk.meant(inquiry.words, statuses)
    found = [
        _or_asked_back(look_up(code, dossiers.get(code), asker, policy, units), talk)
        for code in codes
    ]
    if inquiry.intent is Intent.FEE:
        found = [replace(part, fees_asked=True) for part in found]
    guessed = tuple(part.code for part in found if part.level is not Level.L1)
    if not inquiry.codes:
        guessed = ()
    beside = known or not (found and inquiry.intent in NOT_BESIDE_A_DOSSIER)
    if general is not None and beside:
        for_people = FOR_PEOPLE.get(inquiry.intent, "")
        parts = (general,) if for_people else (*found, general)
    else:
        for_people, parts = "", tuple(found) or (Part(say=Say.ASK_CODE),)
    return Answer(
        parts=parts,
        guessed=guessed,
        for_people=for_people,
        over_limit=disclosure.is_over_limit(asker, policy),
    )


def _unit(
    inquiry: Inquiry,
    dossiers: Mapping[str, Dossier],
    asker: Asker,
    talk: Talk,
    policy: Policy,
    units: Units,
    statuses: Statuses,
) -> Unit | None:
    """The unit whose place or hours are asked for; None where that is the office.

    The one that is named, else that of the dossiers that are meant, where all have the same.
    """
    meant = units.named(inquiry.words)
    if meant is None:
        found = {
            _unit_of(code, dossiers.get(code), asker, policy, units)
            for code in inquiry.codes or talk.meant(inquiry.words, statuses)
        }
        meant = found.pop() if len(found) == 1 else None
    if meant is None or meant == units.own:
        return None
    is_known = meant.address if inquiry.intent is Intent.ADDRESS else meant.hours
    return meant if is_known else None


def _unit_of(
    code: str, dossier: Dossier | None, asker: Asker, policy: Policy, units: Units
) -> Unit | None:
    """Who has the dossier, as far as ``asker`` may know; else whose code it is."""
    if dossier is not None and disclosure.level(asker, dossier, policy) is not Level.NONE:
        return units.listed(dossier.facts.unit)
    national = parse(code)
    return units.listed(UnitRef(code=national.unit)) if national else None


def _general(inquiry: Inquiry, knowledge: Knowledge, unit: Unit | None = None) -> Part | None:
    """What the office can say without a dossier: what it knows, else where that is found."""
    if inquiry.is_noise:
        return None
    say = OF_A_PROCEDURE.get(inquiry.intent)
    if say is not None and not inquiry.codes:
        procedure = knowledge.procedure(inquiry.words)
        if procedure is not None:
            return Part(say=say, procedure=procedure)
    topic = knowledge.topic(inquiry.intent, inquiry.words)
    if topic is not None:
        return Part(say=Say.TOPIC, topic=topic)
    general = GENERAL.get(inquiry.intent)
    return Part(say=general, unit=unit) if general is not None else None


def _stop(inquiry: Inquiry) -> Answer:
    parts = tuple(Part(say=Say.STOPPED_ONE, code=code) for code in inquiry.codes)
    return Answer(parts=parts or (Part(say=Say.STOPPED),), refuse=inquiry.codes or (EVERYTHING,))


def _start(
    inquiry: Inquiry, dossiers: Mapping[str, Dossier], asker: Asker, policy: Policy
) -> Answer:
    """Messages go to the phone that stands in the dossier: who asks for another's is told so."""
    if not inquiry.codes:
        return Answer(parts=(Part(say=Say.STARTED),), resume=True)
    parts = []
    for code in inquiry.codes:
        dossier = dossiers.get(code)
        own = dossier is not None and disclosure.level(asker, dossier, policy) is Level.L1
        parts.append(Part(say=Say.STARTED_ONE if own else Say.ONLY_OWN, code=code))
    resume = any(part.say is Say.STARTED_ONE for part in parts)
    guessed = tuple(part.code for part in parts if part.say is Say.ONLY_OWN)
    return Answer(parts=tuple(parts), resume=resume, guessed=guessed)


def _rated(inquiry: Inquiry, talk: Talk) -> Answer:
    """Of the asker's own dossiers whose result was handed over, the one named or the latest."""
    returned = [dossier for dossier in talk.own if dossier.status == RETURNED]
    rated = next((d for d in returned if not inquiry.codes or d.code in inquiry.codes), None)
    points = score(inquiry.words)
    rating = (rated.code, points) if rated is not None and points is not None else None
    return Answer(parts=(Part(say=Say.RATING),), rating=rating)


def _not_understood(inquiry: Inquiry, talk: Talk) -> Answer:
    if inquiry.is_noise:
        return Answer(parts=())
    parts = (Part(say=Say.NOT_UNDERSTOOD),) if talk.said.not_understood == 0 else ()
    return Answer(parts=parts, for_people="not_understood")


def _or_asked_back(part: Part, talk: Talk) -> Part:
    """``part``, or where its code is unknown and nearly one of the asker's own, the question."""
    options = talk.nearly(part.code) if part.say is Say.UNKNOWN_CODE else ()
    return replace(part, say=Say.NEARLY, options=options) if options else part


def look_up(code: str, dossier: Dossier | None, asker: Asker, policy: Policy, units: Units) -> Part:
    """What ``asker`` may be told about one code; as of an unknown one where that is nothing."""
    if dossier is not None:
        level = disclosure.level(asker, dossier, policy)
        if level is not Level.NONE:
            return Part(say=Say.STATUS, code=code, dossier=dossier, level=level)
    national = parse(code)
    place = units.elsewhere(national.level1) if national else None
    if place is not None:
        return Part(say=Say.ELSEWHERE, code=code, place=place)
    return Part(say=Say.UNKNOWN_CODE, code=code)
