"""From what is to be said to a message: words, accents, length, and the times it may leave."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import DUE, LANDLINE, NAME, NOW, PHONE, Centre, code, event, moment, received

from notifier.domain import instant, notice
from notifier.domain.answer import Answer, Part, Say
from notifier.domain.disclosure import Level
from notifier.domain.dossier import (
    Dossier,
    Fee,
    Rescheduled,
    SupplementRequest,
    UnitRef,
    apply,
)
from notifier.domain.message import Address, Lane
from notifier.domain.rules import TransitionRule
from notifier.domain.segments import Encoding
from notifier.errors import TemplateError
from notifier.flows.compose import Composer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doubles.clock import StillClock

    from notifier.domain.event import DossierEvent
    from notifier.domain.installation import Installation
    from notifier.domain.notice import Notice
    from notifier.rendering import Templates

HOUR, DAY = instant.HOUR, instant.DAY


class Scripted:
    """A renderer of one line; what is spared is empty."""

    def __init__(self, line: str) -> None:
        self.line = line

    def render(self, locale: str, channel: str, name: str, context: Mapping[str, Any]) -> str:
        return self.line.format_map(context)

    def render_text(self, template: str, context: Mapping[str, Any]) -> str:
        return template.format_map(context)


@pytest.fixture
def composer(installation: Installation, templates: Templates) -> Composer:
    return Composer(installation, templates)


def scripted(installation: Installation, line: str, **sms: Any) -> Composer:
    """A composer whose every text is ``line``; ``sms`` changes the policy."""
    changed = replace(installation, sms=replace(installation.sms, **sms))
    return Composer(changed, Scripted(line))


def dossier(*events: DossierEvent, **carried: Any) -> Dossier:
    held = apply(None, received(**carried), now=NOW)
    for one in events:
        held = apply(held, one, now=NOW)
    return held


def noticed(installation: Installation, name: str, held: Dossier) -> Notice:
    rule = installation.rules.named(name)
    assert rule
    if isinstance(rule, TransitionRule):
        return notice.of_transition(rule, held)
    return notice.of_due(rule, held, "episode")


def answer_to(held: Dossier, level: Level = Level.L1) -> Answer:
    return Answer(parts=(Part(say=Say.STATUS, code=held.code, dossier=held, level=level),))


# ---------------------------------------------------------------------------------------- a notice


def test_a_notice_becomes_a_message(composer: Composer, installation: Installation) -> None:
    made = composer.notices([noticed(installation, "received", dossier())], NOW)
    [message] = made.messages
    assert made.work == ()
    assert message.key == f"{code()}|received|1|applicant"
    assert (message.address, message.lane) == (Address("sms", PHONE), Lane.NOTICE)
    assert (message.notice, message.dossier, message.episode) == ("received", code(), "1")
    assert (message.created_at, message.not_before) == (NOW, NOW)
    assert message.best_before == NOW + 2 * DAY
    assert "".join(message.plan.parts) == message.text
    assert message.text.isascii()
    assert code() in message.text


def test_the_same_notice_at_the_same_time_is_the_same_message(
    composer: Composer, installation: Installation
) -> None:
    one, again = (
        composer.notices([noticed(installation, "received", dossier())], NOW).messages
        for _ in range(2)
    )
    assert one == again


def test_nobody_is_named_in_a_text(composer: Composer, installation: Installation) -> None:
    held = dossier(agent_name="Tran Mau", applicant_email="a@example.invalid")
    for rule in installation.rules.rules:
        for channel in ("sms", "chat"):
            text = composer.notice_text(
                noticed(installation, rule.notice, held), locale="vi", channel=channel, now=NOW
            ).text
            assert code() in text
            assert not [one for one in (NAME, "Thu Nghiem", "Tran Mau", "@") if one in text]


@pytest.mark.parametrize("phone", ["", LANDLINE, "123"], ids=["none", "a landline", "too short"])
def test_without_a_number_it_is_work_for_people(
    composer: Composer, installation: Installation, phone: str
) -> None:
    made = composer.notices([noticed(installation, "received", dossier(phone=phone))], NOW)
    assert made.messages == ()
    [item] = made.work
    assert (item.kind, item.dossier, item.opened_at) == ("call", code(), NOW)
    assert item.key == f"call|{code()}|received|1|applicant"
    assert not phone or phone not in item.detail


def test_one_that_cannot_be_worded_stops_no_other(installation: Installation) -> None:
    long, short = dossier(reason="x" * 600), dossier(number=2, reason="x")
    composer = scripted(installation, "{supplement}{code} {status_word} {reason}", most=2)
    long = apply(
        long,
        event("supplement-requested", at=NOW + 1, supplement=(SupplementRequest(what="y" * 400),)),
        now=NOW,
    )
    made = composer.notices(
        [noticed(installation, "received", held) for held in (long, short)], NOW
    )
    assert [message.dossier for message in made.messages] == [code(2)]
    [item] = made.work
    assert item.kind == "not_composed"
    assert "2 are allowed" in item.detail


@pytest.mark.parametrize(
    ("now", "not_before"),
    [
        ("2026-11-23 09:00", "2026-11-23 09:00"),
        ("2026-11-23 22:00", "2026-11-24 07:00"),
        ("2026-11-23 03:00", "2026-11-23 07:00"),
    ],
)
def test_quiet_hours_take_nothing_of_its_time_to_live(
    composer: Composer, installation: Installation, now: str, not_before: str
) -> None:
    made = composer.notices([noticed(installation, "received", dossier())], moment(now))
    [message] = made.messages
    assert message.not_before == moment(not_before)
    assert message.best_before == moment(not_before) + 2 * DAY


def test_a_reminder_is_good_until_the_due_date(
    composer: Composer, installation: Installation
) -> None:
    [message] = composer.notices([noticed(installation, "due_soon", dossier())], NOW).messages
    assert message.best_before == DUE
    assert message.lane is Lane.DEADLINE
    assert "27/11/2026" in message.text


# ------------------------------------------------------------------------------ accents and length


def test_accents_are_stripped_or_paid_for(installation: Installation) -> None:
    held = dossier()
    plain, kept = (
        scripted(installation, "Hồ sơ {code} đã có kết quả.", keep_accents=keep).notice_text(
            noticed(installation, "received", held), locale="vi", channel="sms", now=NOW
        )
        for keep in (False, True)
    )
    assert (plain.text, plain.plan.encoding) == (
        f"Ho so {code()} da co ket qua.",
        Encoding.GSM7,
    )
    assert (kept.text, kept.plan.encoding) == (f"Hồ sơ {code()} đã có kết quả.", Encoding.UCS2)


def test_a_chat_keeps_its_accents_and_is_never_cut(installation: Installation) -> None:
    composer = scripted(installation, "Hồ sơ {code} " + "x" * 900)
    text = composer.notice_text(
        noticed(installation, "received", dossier()), locale="vi", channel="telegram", now=NOW
    )
    assert text.text.startswith("Hồ sơ")
    assert (text.plan.encoding, text.plan.segments) == (Encoding.TEXT, 1)


def test_taken_apart_letters_are_put_together(installation: Installation) -> None:
    """A source may send NFD, which would cost twice the units."""
    apart = unicodedata.normalize("NFD", "Hồ sơ")
    assert len(apart) > 5
    composer = scripted(installation, apart, keep_accents=True)
    text = composer.notice_text(
        noticed(installation, "received", dossier()), locale="vi", channel="sms", now=NOW
    )
    assert (text.text, text.plan.units) == ("Hồ sơ", 5)


@pytest.mark.parametrize(
    ("reason", "shown", "segments"),
    [
        (100, "hotline and reason", 1),
        (138, "reason", 1),
        (150, "hotline and reason", 2),
        (290, "hotline and reason", 3),
        (500, "neither", 1),
    ],
    ids=[
        "all of it fits in one",
        "without the hotline it fits in one",
        "it takes two anyway",
        "it takes all that is allowed",
        "it would take too many",
    ],
)
def test_what_a_text_leaves_out_to_fit(
    installation: Installation, reason: int, shown: str, segments: int
) -> None:
    """First the hotline, to reach the target; the reason too, before it is refused."""
    composer = scripted(installation, "{code}.{reason}.{hotline}", target=1, most=3)
    text = composer.notice_text(
        noticed(installation, "received", dossier(reason="x" * reason)),
        locale="vi",
        channel="sms",
        now=NOW,
    )
    hotline = installation.units.office.hotline
    assert text.plan.segments == segments
    assert text.text.endswith(f".{hotline}") == ("hotline" in shown)
    assert ("x" * reason in text.text) == ("reason" in shown)


def test_what_is_still_too_long_is_refused_and_not_cut(installation: Installation) -> None:
    composer = scripted(installation, "{code} " + "x" * 500, most=3)
    with pytest.raises(TemplateError, match=r"takes 4 SMS and 3 are allowed.*most_segments"):
        composer.notice_text(
            noticed(installation, "received", dossier()), locale="vi", channel="sms", now=NOW
        )


def test_an_empty_text_is_refused(installation: Installation) -> None:
    with pytest.raises(TemplateError, match="empty"):
        scripted(installation, "  ").answer_text(
            answer_to(dossier()), channel="sms", language="vi", now=NOW
        )


# --------------------------------------------------------------------------------------- an answer


def test_an_answer_leaves_now_and_lives_six_hours(composer: Composer) -> None:
    midnight = moment("2026-11-24 00:00")
    to = Address("sms", PHONE)
    made = composer.answer(answer_to(dossier()), to, key="k", language="vi", now=midnight)
    assert (made.lane, made.address, made.key) == (Lane.ANSWER, to, "k")
    assert (made.not_before, made.best_before) == (midnight, midnight + 6 * HOUR)
    assert made.dossier is None, "an answer is not superseded by what happens to the dossier"
    assert made.buttons == ()


def test_a_chat_answer_has_buttons(composer: Composer) -> None:
    to = Address("telegram", "12345")
    made = composer.answer(answer_to(dossier()), to, key="k", language="vi", now=NOW)
    assert made.buttons == (code(), "HD", "TC")


@pytest.mark.parametrize(
    ("part", "channel", "label"),
    [
        (Part(say=Say.LINK_HOW), "telegram", "Chia sẻ số điện thoại"),
        (Part(say=Say.ASK_CODE), "telegram", "Chia sẻ số điện thoại"),
        (Part(say=Say.ASK_CODE), "sms", ""),
        (Part(say=Say.HOURS), "telegram", ""),
        (Part(say=Say.UNKNOWN_CODE, code=code()), "telegram", ""),
    ],
)
def test_who_would_be_told_more_is_offered_to_share_their_number(
    composer: Composer, part: Part, channel: str, label: str
) -> None:
    to = Address(channel, "12345")
    made = composer.answer(Answer(parts=(part,)), to, key="k", language="vi", now=NOW)
    assert made.contact_button == label


def test_an_answer_about_several_names_each(composer: Composer) -> None:
    parts = tuple(
        Part(say=Say.STATUS, code=held.code, dossier=held, level=Level.L0)
        for held in (dossier(number=1), dossier(number=2))
    )
    text = composer.answer_text(Answer(parts=parts), channel="sms", language="vi", now=NOW)
    assert code(1) in text.text
    assert code(2) in text.text


PERSONAL = {
    "procedure_name": "Thu tuc rieng",
    "handler": "Can bo rieng",
    "reason": "Ly do rieng",
    "supplement": (SupplementRequest(what="Giay to rieng"),),
    "fees": (Fee(name="Le phi rieng", amount=1_234_567),),
}


@pytest.mark.parametrize("status", range(1, 11))
@pytest.mark.parametrize("channel", ["sms", "chat"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_stranger_is_told_nothing_of_the_content(
    composer: Composer, status: int, channel: str, language: str
) -> None:
    """TT 01/2018/TT-VPCP art 16(2)(d): the code and how far it is, and no more."""
    held = dossier(status=status, **PERSONAL)
    text = composer.answer_text(
        answer_to(held, Level.L0), channel=channel, language=language, now=NOW
    ).text
    assert "rieng" not in text
    assert "1.234.567" not in text
    assert code() in text


@pytest.mark.parametrize("allowed", [True, False])
def test_the_due_date_for_anyone_is_a_setting(
    installation: Installation, templates: Templates, allowed: bool
) -> None:
    policy = replace(installation.disclosure, due_date_for_anyone=allowed)
    composer = Composer(replace(installation, disclosure=policy), templates)
    moved = event(
        "rescheduled", at=NOW + 1, rescheduled=Rescheduled(due_at=DUE + DAY), due_at=DUE + DAY
    )
    for held in (dossier(), dossier(moved)):
        strange, own = (
            composer.answer_text(answer_to(held, level), channel="sms", language="vi", now=NOW).text
            for level in (Level.L0, Level.L1)
        )
        assert ("/11/2026" in strange) == allowed
        assert "/11/2026" in own


@pytest.mark.parametrize("allowed", [True, False])
def test_the_handler_for_the_owner_is_a_setting(installation: Installation, allowed: bool) -> None:
    policy = replace(installation.disclosure, handler_for_owner=allowed)
    composer = Composer(replace(installation, disclosure=policy), Scripted("{code} {handler}"))
    text = composer.answer_text(
        answer_to(dossier(handler="Bo phan A")), channel="sms", language="vi", now=NOW
    ).text
    assert ("Bo phan A" in text) == allowed


def test_an_old_due_date_after_a_supplement_is_not_told(installation: Installation) -> None:
    """NĐ 61/2018 art 19(4): it binds nobody until the source sends a new one."""
    composer = scripted(installation, "{due}")
    asked = event("supplement-requested", at=NOW + 1)
    given = event("supplemented", at=NOW + 2)
    fresh = event("corrected", at=NOW + 3, due_at=DUE + DAY)

    def due_in(*events: DossierEvent) -> str:
        held = dossier(*events)
        return composer.answer_text(answer_to(held), channel="chat", language="vi", now=NOW).text

    assert due_in() == str(DUE)
    assert due_in(asked, given) == "None"
    assert due_in(asked, given, fresh) == str(DUE + DAY)


def test_only_what_is_unpaid_is_asked_for(installation: Installation) -> None:
    composer = scripted(installation, "{fees_due} {fees}")
    fees = (Fee(name="A", amount=100, paid=True), Fee(name="B", amount=20), Fee(name="C", amount=3))
    text = composer.answer_text(
        answer_to(dossier(fees=fees)), channel="chat", language="vi", now=NOW
    )
    assert text.text == "23 ['B', 'C']"


def test_a_unit_the_registry_does_not_know_keeps_its_name(installation: Installation) -> None:
    composer = scripted(installation, "{unit}|{hotline}")
    held = dossier(unit=UnitRef(code="X99", name="Phòng Lạ"))
    text = composer.answer_text(answer_to(held), channel="chat", language="vi", now=NOW)
    assert text.text == f"Phòng Lạ|{installation.units.office.hotline}"


# --------------------------------------------------------------------------------------- broadcasts


def test_a_lists_columns_fill_its_text(composer: Composer) -> None:
    text = composer.bulk_text(
        "{{ office }}: {{ ten }}", {"ten": "Ông A"}, channel="sms", keep_accents=False
    )
    assert text.text == "TTPVHCC: Ong A"


def test_a_column_may_not_run_code(composer: Composer) -> None:
    """A list comes from outside: its cells are text, and templates are sandboxed."""
    text = composer.bulk_text(
        "{{ ten }}", {"ten": "{{ 7 * 7 }}"}, channel="chat", keep_accents=True
    )
    assert text.text == "{{ 7 * 7 }}"
    with pytest.raises(TemplateError):
        composer.bulk_text(
            "{{ ten.__class__.__mro__ }}", {"ten": "x"}, channel="sms", keep_accents=False
        )


async def test_what_is_composed_is_what_is_queued(centre: Centre, clock: StillClock) -> None:
    """The count that was shown is the count that is kept."""
    await centre.push(received())
    [row] = await centre.outbox()
    [expected] = centre.composer.notices(
        [noticed(centre.installation, "received", dossier())], clock.now
    ).messages
    assert (row.id, row.text, row.segments) == (
        expected.id,
        expected.text,
        expected.plan.segments,
    )
