"""What went before a question counts: one's own dossiers, what was asked last, how often."""

from __future__ import annotations

import pytest
from builders import GATEWAY, PHONE, Centre, code, event, inbound, number_of, received

from notifier.domain import instant
from notifier.domain.conversation import MOST_ASKED

MINUTE = instant.MINUTE
OTHER = number_of(7)


async def say(centre: Centre, key: str, text: str, *, by: str = PHONE) -> str | None:
    """The answer to a text, which may have had to wait for more; None for silence."""
    await centre.receive().accept([inbound(text, key=key, sender=f"sms:{by}")])
    await centre.wait_for_rest()
    texts = {row.key: row.text for row in await centre.outbox()}
    return texts.get(f"answer|{GATEWAY}|{key}")


async def kinds(centre: Centre) -> list[str]:
    """The kinds of work that wait for people."""
    return [item.kind for item in await centre.work()]


async def test_who_names_no_code_is_told_of_their_own_dossier(centre: Centre) -> None:
    await centre.push(received())
    answered = await say(centre, "1", "hồ sơ của tôi tới đâu rồi")
    assert answered is not None
    assert code() in answered


async def test_several_dossiers_of_ones_own_stand_in_one_answer(centre: Centre) -> None:
    await centre.push(*(received(number) for number in range(1, 6)))
    answered = await say(centre, "1", "khi nào xong vậy")
    assert answered is not None
    assert sum(code(number) in answered for number in range(1, 6)) == 3


async def test_what_is_closed_gives_way_to_what_is_open(centre: Centre) -> None:
    await centre.push(received(1), received(2))
    centre.clock.now += MINUTE
    await centre.push(event("returned", number=2, at=centre.clock.now))
    answered = await say(centre, "1", "hồ sơ xong chưa")
    assert answered is not None
    assert code(1) in answered
    assert code(2) not in answered


async def test_who_has_none_is_asked_for_the_code(centre: Centre) -> None:
    await centre.push(received())
    answered = await say(centre, "1", "hồ sơ của tôi tới đâu rồi", by=OTHER)
    assert answered is not None
    assert code() not in answered
    assert "soan HS va ma ho so" in answered


async def test_a_question_without_a_code_follows_the_last_one(centre: Centre) -> None:
    await centre.push(received(1), received(2))
    await say(centre, "1", f"HS {code(2)}", by=OTHER)
    centre.clock.now += MINUTE
    answered = await say(centre, "2", "bao giờ xong", by=OTHER)
    assert answered is not None
    assert code(2) in answered


async def test_but_not_the_one_of_yesterday(centre: Centre) -> None:
    await centre.push(received(1))
    await say(centre, "1", f"HS {code(1)}", by=OTHER)
    centre.clock.now += instant.DAY
    answered = await say(centre, "2", "bao giờ xong", by=OTHER)
    assert answered is not None
    assert code(1) not in answered


async def test_a_follow_up_discloses_no_more_than_the_code_did(centre: Centre) -> None:
    await centre.push(received(1, procedure_name="Đăng ký nuôi con nuôi"))
    first = await say(centre, "1", f"HS {code(1)}", by=OTHER)
    centre.clock.now += MINUTE
    second = await say(centre, "2", "bao giờ xong", by=OTHER)
    assert first == second


async def test_who_is_not_understood_is_told_so_once_and_people_see_each_text(
    centre: Centre,
) -> None:
    assert await say(centre, "1", "asdfghjkl") is not None
    assert await say(centre, "2", "qwerty zxcvb") is None
    centre.clock.now += 11 * MINUTE
    assert await say(centre, "3", "asdfghjkl") is not None
    assert await kinds(centre) == ["not_understood"] * 3


async def test_a_machine_gets_no_answer_and_troubles_nobody(centre: Centre) -> None:
    assert await say(centre, "1", "Thue bao quy khach vua goi hien khong lien lac duoc") is None
    assert await kinds(centre) == []


async def test_a_loop_with_a_robot_stops_itself(centre: Centre) -> None:
    answered = [await say(centre, str(n), "HD") for n in range(MOST_ASKED + 5)]
    assert [text is not None for text in answered] == [True] * MOST_ASKED + [False] * 5
    assert set(await kinds(centre)) == {"loop"}
    centre.clock.now += 11 * MINUTE
    assert await say(centre, "later", "HD") is not None


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("tôi muốn khiếu nại cán bộ", "complaint", "Da ghi nhan"),
        ("cho gặp cán bộ", "wants_a_person", "Da chuyen yeu cau"),
    ],
)
async def test_a_complaint_and_a_wish_for_a_person_reach_people(
    centre: Centre, text: str, kind: str, words: str
) -> None:
    answered = await say(centre, "1", text)
    assert answered is not None
    assert words in answered
    assert await kinds(centre) == [kind]


async def test_a_rating_is_kept_once_for_the_dossier_that_was_returned(centre: Centre) -> None:
    await centre.push(received(1))
    centre.clock.now += MINUTE
    await centre.push(event("returned", number=1, at=centre.clock.now))
    await say(centre, "1", "rất hài lòng")
    await say(centre, "2", "1 sao")
    assert centre.rows("SELECT dossier, score FROM rating") == [(code(1), 5)]


async def test_nobody_rates_a_dossier_of_another(centre: Centre) -> None:
    await centre.push(received(1), event("returned", number=1, at=centre.clock.now + 1))
    await say(centre, "1", f"DG 1 {code(1)}", by=OTHER)
    assert centre.rows("SELECT * FROM rating") == []


async def test_who_asks_for_messages_about_anothers_dossier_learns_nothing(centre: Centre) -> None:
    await centre.push(received(1))
    known = await say(centre, "1", f"DK {code(1)}", by=OTHER)
    unknown = await say(centre, "2", f"DK {code(2)}", by=OTHER)
    assert known is not None
    assert unknown is not None
    assert known.replace(code(1), "") == unknown.replace(code(2), "")
    mine = await say(centre, "3", f"DK {code(1)}")
    assert mine is not None
    assert "duoc gui den so nay" in mine


async def test_the_day_off_is_told_with_the_hours(centre: Centre) -> None:
    centre.clock.now = instant.read_iso("2026-11-24T08:00:00+07:00")
    answered = await say(centre, "1", "hôm nay có làm việc không")
    assert answered is not None
    assert "Ngay Van hoa Viet Nam" in answered
    assert "25/11/2026" in answered


# --------------------------------------------------------------------- a code that was asked back


async def test_a_slip_in_ones_own_code_is_asked_back_and_a_yes_answers_it(centre: Centre) -> None:
    await centre.push(received(12))
    asked = await say(centre, "1", "HS H19.45-261118-0021")
    assert asked is not None
    assert "Khong tim thay ho so H19.45-261118-0021" in asked
    assert code(12) in asked
    answered = await say(centre, "2", "đúng rồi")
    assert answered is not None
    assert f"{code(12)}" in answered
    assert "tiep nhan" in answered


@pytest.mark.parametrize("reply", ["1", "dung", "ok", "vâng ạ", "số 1"])
async def test_people_say_yes_in_many_ways(centre: Centre, reply: str) -> None:
    await centre.push(received(12))
    await say(centre, "1", "HS H19.45-261118-0021")
    answered = await say(centre, "2", reply)
    assert answered is not None
    assert "tiep nhan" in answered
    assert centre.rows("SELECT count(*) FROM refusal") == [(0,)]


async def test_who_says_no_is_told_where_the_code_stands(centre: Centre) -> None:
    await centre.push(received(12))
    await say(centre, "1", "HS H19.45-261118-0021")
    answered = await say(centre, "2", "không phải")
    assert answered is not None
    assert "giay hen" in answered
    assert code(12) not in answered


async def test_a_yes_belongs_to_the_last_question_only(centre: Centre) -> None:
    await centre.push(received(12))
    await say(centre, "1", "HS H19.45-261118-0021")
    await say(centre, "2", "giờ làm việc")
    answered = await say(centre, "3", "TC")
    assert answered is not None
    assert "dung" in answered.lower()
    assert centre.rows("SELECT count(*) FROM refusal WHERE ended_at IS NULL") == [(1,)]


async def test_nobody_is_asked_back_with_the_code_of_another(centre: Centre) -> None:
    await centre.push(received(12))
    near = await say(centre, "1", "HS H19.45-261118-0021", by=OTHER)
    far = await say(centre, "2", "HS H19.45-261118-7777", by=number_of(8))
    assert near is not None
    assert far is not None
    assert near.replace("0021", "") == far.replace("7777", "")


async def test_a_slip_that_hits_a_sensitive_dossier_reads_as_one_that_hits_none(
    centre: Centre,
) -> None:
    await centre.push(received(12), received(13, phone=OTHER, procedure_name="Nhận con nuôi"))
    hit = await say(centre, "1", f"HS {code(13)}")
    missed = await say(centre, "2", f"HS {code(14)}")
    assert hit is not None
    assert missed is not None
    assert hit.replace(code(13), "") == missed.replace(code(14), "")


async def test_a_code_that_was_asked_back_waits_for_its_dossier_all_the_same(
    centre: Centre,
) -> None:
    await centre.push(received(12))
    await say(centre, "1", f"HS {code(13)}")
    assert centre.rows("SELECT code FROM kept") == [(code(13),)]


async def test_a_code_that_reads_in_two_ways_is_asked_back(centre: Centre) -> None:
    asked = await say(centre, "1", "HS H19.20260918-0412 bao gio xong", by=OTHER)
    assert asked is not None
    assert "1) H19-20260918-0412; 2) H19.20-260918-0412" in asked
    picked = await say(centre, "2", "2", by=OTHER)
    assert picked is not None
    assert "H19.20-260918-0412" in picked
    assert centre.rows("SELECT intent FROM inbound ORDER BY key") == [("DUE_DATE",)] * 2


async def test_a_refusal_about_such_a_code_is_not_taken_for_one_of_everything(
    centre: Centre,
) -> None:
    await say(centre, "1", "HUY H19.20260918-0412", by=OTHER)
    assert centre.rows("SELECT * FROM refusal") == []
    await say(centre, "2", "2", by=OTHER)
    assert centre.rows("SELECT scope FROM refusal") == [("H19.20-260918-0412",)]


async def test_who_knows_but_the_last_figures_is_told_of_that_one_of_their_own(
    centre: Centre,
) -> None:
    await centre.push(received(12), received(13), received(14))
    answered = await say(centre, "1", "hồ sơ số 0013 tới đâu rồi")
    assert answered is not None
    assert code(13) in answered
    assert code(12) not in answered
    assert code(14) not in answered
