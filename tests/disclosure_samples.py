"""Dossiers in which every field is unmistakable, who may ask for them, and what a text tells.

There are two: ``MINE``, which is asked for, and ``THEIRS``, which is another person's. Each word is
made up so that it stands in no other text, and no date is that of two things.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from dossier_samples import at, dossier, event, installation

from notifier.domain import instant, phone
from notifier.domain.disclosure import Asker, Level, run_of
from notifier.domain.dossier import (
    Document,
    Facts,
    Fee,
    Rescheduled,
    SupplementRequest,
    UnitRef,
)
from notifier.domain.message import Address
from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from notifier.domain.dossier import Dossier
    from notifier.domain.event import DossierEvent
    from notifier.domain.installation import Installation

SENSITIVE_CODE: Final = "1.777009"

KINDS: Final[Mapping[str, dict[str, str]]] = {
    "ordinary": {},
    "sensitive by its code": {"procedure_code": SENSITIVE_CODE},
    "sensitive by its title": {"procedure_name": "Đăng ký NUÔI CON NUÔI {word} trong nước"},
    "sensitive by its field": {"procedure_field": "Cai nghiện {word}"},
}
"""What makes a procedure nobody else's business; ``word`` is that of the field."""

DUE_OF: Final = {
    "late": "passed_due",
    "re-appointed": "old_due",
    "late, re-appointed": "passed_due",
}
"""The due date that a dossier was received with, where it is not ``due``."""

SENSITIVE: Final = frozenset(KINDS) - {"ordinary"}

STATES: Final = (*map(str, range(1, 11)), "late", "re-appointed", "late, re-appointed")
"""The national states; one whose due date has passed; one that has a new due date; and one whose
source has told of the new appointment and left the due date as it was."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planted:
    """The values of one dossier; ``number`` is that of its code."""

    number: int
    words: Mapping[str, str]
    """By field, the word that gives it away, with its accents."""
    phones: Mapping[str, str]
    dates: Mapping[str, str]
    amounts: Mapping[str, int]

    @property
    def code(self) -> str:
        """Its code."""
        return f"H19.45-261118-{self.number:04}"

    @cache  # noqa: B019 - there are two of them, for ever
    def phone(self, whose: str) -> str:
        """The number of the ``applicant`` or the ``agent`` (E.164)."""
        found = phone.read(self.phones[f"{whose}_phone"])
        assert found
        return found.e164


MINE: Final = Planted(
    number=1,
    words={
        "applicant_name": "Mâyhồng",
        "applicant_email": "hopthu.mot@example.invalid",
        "applicant_kind": "Hộgạo",
        "agent_name": "Sươngmai",
        "agent_email": "hopthu.hai@example.invalid",
        "agent_kind": "Côngtydù",
        "procedure_code": "1.777001",
        "procedure_name": "Thảdiều",
        "procedure_field": "Bầutrời",
        "unit": "Bếncảng",
        "from_unit": "Lúachín",
        "handler": "Cầuvồng",
        "supplement": "Vườncau",
        "supplement_by": "Giếngkhơi",
        "fee": "Bếplửa",
        "paid_fee": "Đãxong",
        "reason": "Nắngmới",
        "rescheduled_reason": "Mưarào",
        "document": "77/PXL-Giólùa",
        "signer": "Bútmực",
        "title": "Giámđịnh",
        "return_by": "Bưucục",
        "limit": "37d",
    },
    phones={"applicant_phone": "0912 345 671", "agent_phone": "0987.654.321"},
    dates={
        "first": "2026-11-02 08:10",
        "since": "2026-11-05 09:20",
        "received_at": "2026-11-01 07:45",
        "due": "2026-12-04 17:00",
        "passed_due": "2026-11-19 16:30",
        "old_due": "2026-11-18 16:00",
        "new_due": "2026-12-10 15:30",
        "finished_at": "2026-11-21 10:00",
        "returned_at": "2026-11-22 10:00",
        "document_date": "2026-11-13 00:00",
        "supplement_at": "2026-11-12 00:00",
    },
    amounts={"fee_amount": 43_217, "paid_amount": 98_765},
)

THEIRS: Final = Planted(
    number=2,
    words={
        "applicant_name": "Núixanh",
        "applicant_email": "hopthu.ba@example.invalid",
        "applicant_kind": "Nhàthờ",
        "agent_name": "Trăngkhuya",
        "agent_email": "hopthu.tu@example.invalid",
        "agent_kind": "Hợptácmít",
        "procedure_code": "1.777002",
        "procedure_name": "Đuathuyền",
        "procedure_field": "Mặtbiển",
        "unit": "Đồichè",
        "from_unit": "Ruộngmía",
        "handler": "Saobăng",
        "supplement": "Đườnglàng",
        "supplement_by": "Cổngđình",
        "fee": "Ấmtrà",
        "paid_fee": "Hếtnợ",
        "reason": "Sấmrền",
        "rescheduled_reason": "Bãolớn",
        "document": "88/PXL-Sóngvỗ",
        "signer": "Nghiênđá",
        "title": "Trưởngthôn",
        "return_by": "Trạmthư",
        "limit": "41d",
    },
    phones={"applicant_phone": "+84 912 345 672", "agent_phone": "84987654322"},
    dates={
        "first": "2026-11-03 08:10",
        "since": "2026-11-06 09:20",
        "received_at": "2026-10-30 07:45",
        "due": "2026-12-07 17:00",
        "passed_due": "2026-11-17 16:30",
        "old_due": "2026-11-16 16:00",
        "new_due": "2026-12-11 15:30",
        "finished_at": "2026-11-20 10:00",
        "returned_at": "2026-11-15 10:00",
        "document_date": "2026-11-14 00:00",
        "supplement_at": "2026-11-11 00:00",
    },
    amounts={"fee_amount": 51_329, "paid_amount": 87_654},
)


def shipped() -> Installation:
    """The shipped configuration, with a procedure that is sensitive by its code."""
    found = installation()
    policy = replace(found.disclosure, sensitive_codes=frozenset({SENSITIVE_CODE}))
    return replace(found, disclosure=policy)


def events_of(
    planted: Planted, kind: str, state: str, *, agent: bool = False, **carried: Any
) -> tuple[DossierEvent, ...]:
    """How the dossier came to ``state``; ``carried`` wins over what is planted."""
    words, dates = planted.words, {name: at(text) for name, text in planted.dates.items()}
    due = DUE_OF.get(state, "due")
    facts: dict[str, Any] = {
        "procedure_code": words["procedure_code"],
        "procedure_name": f"Cấp giấy phép {words['procedure_name']}",
        "procedure_field": f"Lĩnh vực {words['procedure_field']}",
        "from_unit": UnitRef(code="", name=f"Phòng {words['from_unit']}"),
        "handler": f"Lý Thị {words['handler']}",
        "applicant_name": f"Trịnh Thị {words['applicant_name']}",
        "applicant_phone": planted.phones["applicant_phone"],
        "applicant_email": words["applicant_email"],
        "applicant_kind": words["applicant_kind"],
        "consent_sms": True,
        "consent_email": True,
        "consent_zalo": True,
        "received_at": dates["received_at"],
        "due_at": dates[due],
        "finished_at": dates["finished_at"],
        "returned_at": dates["returned_at"],
        "supplement": (
            SupplementRequest(
                what=f"Bản vẽ {words['supplement']}",
                by=words["supplement_by"],
                requested_at=dates["supplement_at"],
            ),
        ),
        "fees": (
            Fee(name=f"Lệ phí {words['fee']}", amount=planted.amounts["fee_amount"]),
            Fee(name=f"Phí {words['paid_fee']}", amount=planted.amounts["paid_amount"], paid=True),
        ),
        "reason": f"thiếu {words['reason']}",
        "return_by": words["return_by"],
        "limit": words["limit"],
    }
    if agent:
        facts |= {
            "agent_name": f"Võ Văn {words['agent_name']}",
            "agent_phone": planted.phones["agent_phone"],
            "agent_email": words["agent_email"],
            "agent_kind": words["agent_kind"],
        }
    for name, text in KINDS[kind].items():
        facts[name] = text.format(word=words[name])
    facts |= carried
    code = planted.code
    status = int(state) if state.isdigit() else 4
    first = event(
        "received", dates["first"], id_=f"{code} 1", code=code, unit=facts["from_unit"], **facts
    )
    held = UnitRef(code="", name=f"UBND phường {words['unit']}")
    then = event("forwarded", dates["since"], id_=f"{code} 2", code=code, unit=held, status=status)
    if "re-appointed" not in state:
        return (first, then)
    due_moves = {"due_at": dates["new_due"]} if state == "re-appointed" else {}
    moved = event(
        "rescheduled",
        "2026-11-23 08:00",
        id_=f"{code} 3",
        code=code,
        **due_moves,
        rescheduled=Rescheduled(
            due_at=dates["new_due"],
            reason=f"vì {words['rescheduled_reason']}",
            document=Document(
                number=words["document"],
                date=planted.dates["document_date"][:10],
                signer=f"Bùi Văn {words['signer']}",
                title=words["title"],
            ),
        ),
    )
    return (first, then, moved)


@cache
def dossier_of(planted: Planted, kind: str, state: str, *, agent: bool = False) -> Dossier:
    """The dossier of a kind in a state; the same one for the same asking."""
    return dossier(*events_of(planted, kind, state, agent=agent))


@cache
def _needles(planted: Planted) -> tuple[tuple[str, str], ...]:
    """What gives each field away in a folded text; more than one for a date or an amount."""
    found = [("code", fold(planted.code))]
    found += [(name, fold(word)) for name, word in planted.words.items()]
    for name, when in planted.dates.items():
        local = instant.local(at(when))
        found += [(name, f"{local:%d/%m}"), (name, f"{local:%Y-%m-%d}")]
    for name, amount in planted.amounts.items():
        found += [(name, str(amount)), (name, f"{amount:,}".replace(",", "."))]
    return tuple(found)


@cache
def told(text: str, planted: Planted) -> frozenset[str]:
    """The planted fields that stand in a text, in whatever accents, case or spelling."""
    folded = fold(text)
    found = {name for name, needle in _needles(planted) if needle in folded}
    digits = re.sub(r"\D", "", text)
    whose = ((name, planted.phone(name.removesuffix("_phone"))) for name in planted.phones)
    found |= {name for name, number in whose if number[-9:] in digits}
    return frozenset(found)


def planted_fields() -> frozenset[str]:
    """The fields of ``Facts`` that some event of the samples carries."""
    events = (
        *events_of(MINE, "ordinary", "re-appointed", agent=True),
        *events_of(MINE, "ordinary", "4", agent=True),
    )
    return frozenset(name for one in events for name in one.carried)


def all_fields() -> frozenset[str]:
    """Every field that a dossier's facts have."""
    return frozenset(one.name for one in fields(Facts))


# ------------------------------------------------------------------------------------- who asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One who asks. ``holds``: the dossiers of which a number of theirs is the owner's."""

    asker: Asker
    holds: frozenset[int] = frozenset()
    agent: bool = False
    """Whether the dossiers have an agent."""
    past_limit: bool = False

    @property
    def channel(self) -> str:
        """``sms``, or the chat."""
        return self.asker.address.channel

    def level(self, planted: Planted, kind: str) -> Level:
        """What this one may know, by ``design`` alone: their own, or else what is harmless."""
        if planted.number in self.holds:
            return Level.L1
        return Level.NONE if kind in SENSITIVE or self.past_limit else Level.L0


CHAT: Final = "telegram"
STRANGER: Final = "+84909000111"


def _by_sms(number: str, **tried: Any) -> Asker:
    return Asker(address=Address("sms", number), **tried)


def _by_chat(*numbers: str, **tried: Any) -> Asker:
    return Asker(address=Address(CHAT, "5001"), proved_phones=frozenset(numbers), **tried)


_APPLICANT, _AGENT = MINE.phone("applicant"), MINE.phone("agent")
_ANOTHER = THEIRS.phone("applicant")
_LATELY = {"guesses_lately": 10, "guesses_today": 10}
_TODAY = {"guesses_today": 30}
_RUN = frozenset({run_of(MINE.code)})

ROLES: Final[Mapping[str, Role]] = {
    "a stranger by SMS": Role(asker=_by_sms(STRANGER)),
    "a stranger by chat": Role(asker=_by_chat()),
    "a stranger one short of the limits": Role(
        asker=_by_sms(STRANGER, guesses_lately=9, guesses_today=29)
    ),
    "a stranger past the limit of ten minutes": Role(
        asker=_by_sms(STRANGER, **_LATELY), past_limit=True
    ),
    "a stranger past the limit of a day, by chat": Role(asker=_by_chat(**_TODAY), past_limit=True),
    "a chat whose name is the applicant's number": Role(
        asker=Asker(address=Address(CHAT, _APPLICANT))
    ),
    "the applicant by SMS": Role(asker=_by_sms(_APPLICANT), holds=frozenset({1})),
    "the applicant by a chat that proved the number": Role(
        asker=_by_chat(_APPLICANT), holds=frozenset({1})
    ),
    "the applicant, past the limit": Role(
        asker=_by_sms(_APPLICANT, **_LATELY), holds=frozenset({1}), past_limit=True
    ),
    "the agent by SMS": Role(asker=_by_sms(_AGENT), holds=frozenset({1}), agent=True),
    "the agent by a chat that proved the number": Role(
        asker=_by_chat(_AGENT), holds=frozenset({1}), agent=True
    ),
    "the applicant who has an agent, by SMS": Role(
        asker=_by_sms(_APPLICANT), holds=frozenset({1}), agent=True
    ),
    "the agent's number where there is no agent": Role(asker=_by_sms(_AGENT)),
    "the owner of another dossier by SMS": Role(asker=_by_sms(_ANOTHER), holds=frozenset({2})),
    "the owner of another dossier by chat": Role(asker=_by_chat(_ANOTHER), holds=frozenset({2})),
    "the owner of another dossier, past the limit": Role(
        asker=_by_chat(_ANOTHER, **_TODAY), holds=frozenset({2}), past_limit=True
    ),
    "a stranger while the run is tried out": Role(
        asker=_by_sms(STRANGER, tried_runs=_RUN), past_limit=True
    ),
    "the applicant while the run is tried out": Role(
        asker=_by_chat(_APPLICANT, tried_runs=_RUN), holds=frozenset({1}), past_limit=True
    ),
    "the owner of both": Role(asker=_by_chat(_APPLICANT, _ANOTHER), holds=frozenset({1, 2})),
}
