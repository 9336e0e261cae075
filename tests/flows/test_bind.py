"""A chat account is tied to a number only by who holds both, and can be untied."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import GATEWAY, NAME, PHONE, Centre, code, inbound, number_of, received
from engines import on_every_store

from notifier.domain import instant

MINUTE = instant.MINUTE
CHAT = "telegram:5001"
PROCEDURE = "Đăng ký biến động"


async def say(
    centre: Centre, key: str, text: str, *, by: str = CHAT, proved: str = ""
) -> str | None:
    message = replace(inbound(text, key=key, sender=by), proved_phone=proved)
    await centre.receive().accept([message])
    return {row.key: row.text for row in await centre.outbox()}.get(f"answer|{GATEWAY}|{key}")


async def sms_code(centre: Centre, key: str) -> str:
    """The code in the SMS that followed the chat's text of ``key``."""
    [text] = [
        row.text for row in await centre.outbox() if row.key == f"link|answer|{GATEWAY}|{key}"
    ]
    return next(word.strip(",.") for word in text.split() if word.strip(",.").isdigit())


async def is_known(centre: Centre, key: str, *, by: str = CHAT) -> bool:
    """Whether the account is told what only the applicant is."""
    answered = await say(centre, key, f"HS {code()}", by=by)
    assert answered is not None
    return PROCEDURE in answered


@pytest.fixture
async def centre(centre: Centre) -> Centre:
    await centre.push(received(procedure_name=PROCEDURE, applicant_name=NAME))
    return centre


async def test_a_stranger_in_a_chat_is_told_little(centre: Centre) -> None:
    assert not await is_known(centre, "1")


@on_every_store
async def test_by_a_code_that_came_by_sms(centre: Centre) -> None:
    answered = await say(centre, "1", f"LK {PHONE}")
    assert answered is not None
    assert PHONE not in answered
    await say(centre, "2", await sms_code(centre, "1"))
    assert await is_known(centre, "3")
    assert code() in (await say(centre, "4", "hồ sơ của tôi tới đâu rồi") or "")


async def test_by_a_code_that_the_number_asked_for(centre: Centre) -> None:
    answered = await say(centre, "1", "LK", by=f"sms:{PHONE}")
    assert answered is not None
    digits = next(word.strip(",.") for word in answered.split() if word.strip(",.").isdigit())
    await say(centre, "2", f"{digits[:4]} {digits[4:]}")
    assert await is_known(centre, "3")


async def test_by_a_contact_that_the_channel_vouches_for(centre: Centre) -> None:
    await say(centre, "1", "", proved=PHONE)
    assert await is_known(centre, "2")


@on_every_store
async def test_a_code_works_once_for_one_account_and_not_for_long(centre: Centre) -> None:
    await say(centre, "1", f"LK {PHONE}")
    digits = await sms_code(centre, "1")
    other = "telegram:6002"
    await say(centre, "2", digits, by=other)
    assert not await is_known(centre, "3", by=other)
    centre.clock.now += 11 * MINUTE
    await say(centre, "4", digits)
    assert not await is_known(centre, "5")


async def test_a_code_of_a_number_is_used_up_by_the_first(centre: Centre) -> None:
    answered = await say(centre, "1", "LK", by=f"sms:{PHONE}")
    assert answered is not None
    digits = next(word.strip(",.") for word in answered.split() if word.strip(",.").isdigit())
    await say(centre, "2", digits)
    other = "telegram:6002"
    await say(centre, "3", digits, by=other)
    assert await is_known(centre, "4")
    assert not await is_known(centre, "5", by=other)


@on_every_store
async def test_nobody_is_flooded_with_codes(centre: Centre) -> None:
    for number in range(8):
        await say(centre, f"a{number}", f"LK {PHONE}", by=f"telegram:{7000 + number}")
    sent = [row for row in await centre.outbox() if row.key.startswith("link|")]
    assert len(sent) == 5


async def test_an_account_does_not_flood_others(centre: Centre) -> None:
    for number in range(8):
        await say(centre, f"a{number}", f"LK {number_of(20 + number)}")
    sent = [row for row in await centre.outbox() if row.key.startswith("link|")]
    assert len(sent) == 5


async def test_who_tries_codes_is_stopped(centre: Centre) -> None:
    await say(centre, "1", f"LK {PHONE}")
    digits = await sms_code(centre, "1")
    for number in range(12):
        await say(centre, f"try{number}", f"{number:08d}")
    await say(centre, "right", digits)
    assert not await is_known(centre, "2")


async def test_it_can_be_untied_and_the_record_stays(centre: Centre) -> None:
    await say(centre, "1", "", proved=PHONE)
    await say(centre, "2", "HUY LK")
    assert not await is_known(centre, "3")
    [(ended, proof)] = centre.rows("SELECT ended_at IS NOT NULL, proof FROM binding")
    assert ended == 1
    assert proof.startswith("contact ")


async def test_a_doubled_text_ties_once(centre: Centre) -> None:
    message = replace(inbound("", key="1", sender=CHAT), proved_phone=PHONE)
    await centre.receive().accept([message, message])
    await centre.receive().accept([message])
    assert centre.rows("SELECT count(*) FROM binding") == [(1,)]
    assert len([row for row in await centre.outbox() if row.notice == "answer"]) == 1


async def test_neither_number_nor_code_is_readable_in_the_store(centre: Centre) -> None:
    await say(centre, "1", f"LK {PHONE}")
    digits = await sms_code(centre, "1")
    await say(centre, "2", digits)
    for table in ("binding", "link"):
        kept = repr(centre.rows(f"SELECT * FROM {table}"))
        assert PHONE not in kept
        assert digits not in kept
