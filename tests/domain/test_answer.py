from __future__ import annotations

from dataclasses import replace

import pytest
from dossier_samples import CODE, OWNER, STRANGER, at, dossier, event, installation

from notifier.domain import answer
from notifier.domain.answer import Answer, Say
from notifier.domain.consent import EVERYTHING
from notifier.domain.disclosure import Asker, Level
from notifier.domain.dossier import Dossier, Fee, Rescheduled, SupplementRequest, UnitRef, apply
from notifier.domain.inquiry import Inquiry, Intent
from notifier.domain.message import Address
from notifier.domain.unit import Office, Province, Units
from notifier.flows.compose import Composer, Text
from notifier.rendering import Templates

NOW = at("2026-11-16 10:00")
DUE = at("2026-11-20 17:00")
PAST_DUE = at("2026-11-13 17:00")
NEW_DUE = at("2026-11-27 17:00")

UNITS = Units.of(
    Office(name="Trung tâm Phục vụ hành chính công", short="TTPVHCC", hotline="1022",
           portal="dichvucong.gov.vn", level1=frozenset({"H10"})),
    [],
    [Province(code="H10", name="Bình Phước", successor="Đồng Nai"),
     Province(code="H26", name="Hà Nội")],
)  # fmt: skip
INSTALLATION = replace(installation(), units=UNITS)
TEMPLATES = Templates()
ELSEWHERE = "H26.5-260930-0012"

PRIVATE = {
    "procedure": "Đăng ký khai sinh",
    "paper": "Giấy chứng sinh",
    "fee": "15.000đ",
    "reason": "thiếu chữ ký",
    "handler": "Tổ Hộ tịch",
    "name": "Nguyễn Văn Mẫu",
}
"""What only the owner may read, each as it stands in a text."""


def full(type_: str = "received", code: str = CODE, **carried: object) -> Dossier:
    """A dossier of OWNER about which everything is known."""
    said: dict[str, object] = {
        "due_at": DUE,
        "applicant_phone": OWNER,
        "applicant_name": PRIVATE["name"],
        "procedure_name": PRIVATE["procedure"],
        "unit": UnitRef(code="H10.19", name="UBND phường Bình Phước"),
        "supplement": (SupplementRequest(what=PRIVATE["paper"]),),
        "fees": (Fee(name="Lệ phí", amount=15_000),),
        "reason": PRIVATE["reason"],
        "handler": PRIVATE["handler"],
        **carried,
    }
    return dossier(event(type_, "2026-11-10 09:00", code=code, **said))


def ask(
    *codes: str,
    stored: tuple[Dossier, ...] = (),
    who: str = STRANGER,
    intent: Intent = Intent.STATUS,
    guesses: int = 0,
) -> Answer:
    return answer.decide(
        Inquiry(intent=intent, codes=codes),
        {found.code: found for found in stored},
        Asker(address=Address("sms", who), guesses_lately=guesses),
        policy=INSTALLATION.disclosure,
        units=UNITS,
        statuses=INSTALLATION.statuses,
    )


def worded(decided: Answer, channel: str = "chat", language: str = "vi", **policy: bool) -> str:
    installed = replace(INSTALLATION, disclosure=replace(INSTALLATION.disclosure, **policy))
    return said(decided, Composer(installed, TEMPLATES), channel, language).text


def said(decided: Answer, composer: Composer, channel: str, language: str) -> Text:
    return composer.answer_text(decided, channel=channel, language=language, now=NOW)


# --------------------------------------------------------------------------------- the same words

SENSITIVE = {"procedure_name": "Đăng ký nuôi con nuôi trong nước"}


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("channel", ["sms", "chat"])
@pytest.mark.parametrize("code", [CODE, ELSEWHERE], ids=["ours", "another-province's"])
def test_unknown_sensitive_and_past_the_limit_are_the_same_words(
    code: str, channel: str, language: str
) -> None:
    unknown = ask(code)
    sensitive = ask(code, stored=(full(code=code, **SENSITIVE),))
    past_the_limit = ask(code, stored=(full(code=code),), guesses=10)
    texts = {
        said(decided, Composer(INSTALLATION, TEMPLATES), channel, language)
        for decided in (unknown, sensitive, past_the_limit)
    }
    assert len(texts) == 1
    assert unknown.guessed == sensitive.guessed == past_the_limit.guessed == (code,)
    assert unknown.level is sensitive.level is past_the_limit.level is Level.L0


@pytest.mark.parametrize("channel", ["sms", "telegram"])
def test_the_whole_message_tells_them_apart_no_more_than_its_words(channel: str) -> None:
    composer = Composer(INSTALLATION, TEMPLATES)
    messages = {
        composer.answer(decided, Address(channel, OWNER), key="answer|1", language="vi", now=NOW)
        for decided in (
            ask(CODE),
            ask(CODE, stored=(full(**SENSITIVE),)),
            ask(CODE, stored=(full(),), guesses=99),
        )
    }
    assert len(messages) == 1


# ----------------------------------------------------------------------------------- what is told


@pytest.mark.parametrize("status", [2, 4, 5, 6, 8, 9])
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("channel", ["sms", "chat"])
def test_the_code_alone_tells_nothing_private(status: int, language: str, channel: str) -> None:
    found = full("noted", status=status)
    text = worded(ask(CODE, stored=(found,)), channel, language, handler_for_owner=True)
    assert CODE in text
    assert not any(value in text for value in PRIVATE.values())
    assert not any(value in text for value in ("Giay chung sinh", "thieu chu ky", "15.000d"))


@pytest.mark.parametrize(
    ("type_", "shown"),
    [
        ("received", {"procedure", "reason"}),
        ("supplement-requested", {"procedure", "reason", "paper"}),
        ("payment-requested", {"procedure", "reason", "fee"}),
    ],
)
def test_the_owner_is_told_what_the_state_calls_for(type_: str, shown: set[str]) -> None:
    decided = ask(CODE, stored=(full(type_),), who=OWNER)
    text = worded(decided)
    assert decided.level is Level.L1
    assert {name for name, value in PRIVATE.items() if value in text} == shown


def test_who_handles_it_is_told_to_the_owner_where_the_installation_says_so() -> None:
    mine = ask(CODE, stored=(full(),), who=OWNER)
    others = ask(CODE, stored=(full(),))
    assert PRIVATE["handler"] in worded(mine, handler_for_owner=True)
    assert PRIVATE["handler"] not in worded(mine, handler_for_owner=False)
    assert PRIVATE["handler"] not in worded(others, handler_for_owner=True)


def rescheduled(found: Dossier) -> Dossier:
    moved = event(
        "rescheduled", "2026-11-13 09:00", due_at=NEW_DUE, rescheduled=Rescheduled(due_at=NEW_DUE)
    )
    return apply(found, moved, now=NOW)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("channel", ["sms", "chat"])
@pytest.mark.parametrize(
    ("found", "dates"),
    [
        (full(due_at=DUE), ["20/11/2026"]),
        (full(due_at=PAST_DUE), ["13/11/2026"]),
        (rescheduled(full(due_at=PAST_DUE)), ["27/11/2026"]),
        (full(due_at=PAST_DUE, rescheduled=Rescheduled(due_at=NEW_DUE)), ["27/11/2026"]),
    ],
    ids=["to-come", "late", "moved", "moved-by-half"],
)
def test_the_due_date_is_told_to_others_by_setting_and_to_the_owner_always(
    found: Dossier, dates: list[str], channel: str, language: str
) -> None:
    others, mine = ask(CODE, stored=(found,)), ask(CODE, stored=(found,), who=OWNER)
    told = worded(others, channel, language, due_date_for_anyone=True)
    assert all(day in told for day in dates)
    assert all(day in worded(mine, channel, language, due_date_for_anyone=False) for day in dates)
    kept = worded(others, channel, language, due_date_for_anyone=False)
    assert "/11/2026" not in kept


@pytest.mark.parametrize("due_date_for_anyone", [True, False])
@pytest.mark.parametrize(("due", "late"), [(DUE, False), (PAST_DUE, True)])
def test_whether_it_is_late_is_told_to_everybody(
    due: int, late: bool, due_date_for_anyone: bool
) -> None:
    decided = ask(CODE, stored=(full(due_at=due),))
    text = worded(decided, "chat", "en", due_date_for_anyone=due_date_for_anyone)
    assert (", late" in text) is late


def test_another_provinces_code_says_where() -> None:
    decided = ask(ELSEWHERE)
    assert [(part.say, part.place) for part in decided.parts] == [(Say.ELSEWHERE, "Hà Nội")]
    assert "Hà Nội" in worded(decided)
    assert decided.guessed == (ELSEWHERE,)


def test_another_provinces_code_that_we_handle_is_answered() -> None:
    decided = ask(ELSEWHERE, stored=(full(code=ELSEWHERE),))
    assert [part.say for part in decided.parts] == [Say.STATUS]


def test_each_code_is_judged_by_itself() -> None:
    mine = full(code="H10.19-250703-0002")
    decided = ask(CODE, mine.code, ELSEWHERE, stored=(mine,), who=OWNER)
    assert [(part.say, part.code) for part in decided.parts] == [
        (Say.UNKNOWN_CODE, CODE),
        (Say.STATUS, mine.code),
        (Say.ELSEWHERE, ELSEWHERE),
    ]
    assert decided.level is Level.L1
    assert decided.guessed == (CODE, ELSEWHERE)
    assert len(worded(decided).splitlines()) >= 3


# ------------------------------------------------------------------------------------- the intents


@pytest.mark.parametrize(
    ("intent", "codes", "say", "refuse", "resume"),
    [
        (Intent.OPT_OUT, (), Say.STOPPED, (EVERYTHING,), False),
        (Intent.OPT_OUT, (CODE,), Say.STOPPED_ONE, (CODE,), False),
        (Intent.SUBSCRIBE, (), Say.STARTED, (), True),
        (Intent.SUBSCRIBE, (CODE,), Say.ONLY_OWN, (), False),
        (Intent.WITHDRAW, (CODE,), Say.LEGAL_ACT, (), False),
        (Intent.CHANGE_CONTACT, (), Say.LEGAL_ACT, (), False),
        (Intent.HELP, (), Say.HELP, (), False),
        (Intent.GREETING, (), Say.HELP, (), False),
        (Intent.THANKS, (), Say.THANKS, (), False),
        (Intent.ADDRESS, (), Say.ADDRESS, (), False),
        (Intent.FEE, (), Say.FEE, (), False),
        (Intent.FEE, (CODE,), Say.UNKNOWN_CODE, (), False),
        (Intent.COMPLAINT, (CODE,), Say.COMPLAINT, (), False),
        (Intent.HELP, (CODE,), Say.UNKNOWN_CODE, (), False),  # a code is what they want to know
        (Intent.STATUS, (), Say.ASK_CODE, (), False),
        (Intent.DUE_DATE, (), Say.ASK_CODE, (), False),
        (Intent.UNKNOWN, (), Say.NOT_UNDERSTOOD, (), False),
        (Intent.UNKNOWN, (CODE,), Say.UNKNOWN_CODE, (), False),
    ],
)
def test_what_is_said_and_done(
    intent: Intent, codes: tuple[str, ...], say: Say, refuse: tuple[str, ...], resume: bool
) -> None:
    decided = ask(*codes, intent=intent)
    assert [part.say for part in decided.parts] == [say]
    assert (decided.refuse, decided.resume) == (refuse, resume)


@pytest.mark.parametrize(
    "intent", [Intent.OPT_OUT, Intent.WITHDRAW, Intent.SUBSCRIBE, Intent.COMPLAINT, Intent.RATING]
)
def test_an_act_on_a_dossier_tells_nobody_whether_there_is_one(intent: Intent) -> None:
    assert ask(CODE, intent=intent) == ask(CODE, intent=intent, stored=(full(),))


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("channel", ["sms", "chat"])
@pytest.mark.parametrize("intent", Intent)
def test_every_intent_has_an_answer_in_every_channel_and_language(
    intent: Intent, channel: str, language: str
) -> None:
    for codes in ((), (CODE,)):
        text = worded(ask(*codes, intent=intent), channel, language)
        assert text
        assert channel != "sms" or text.isascii()
