"""People write in pieces: what can't be understood waits two seconds for the rest."""

from __future__ import annotations

import pytest
from builders import GATEWAY, PHONE, WAIT, Centre, code, inbound, number_of, received, until

from notifier.domain.conversation import LONGEST_GATHERING
from notifier.flows.gather import Gather

OTHER = f"sms:{number_of(7)}"


async def write(centre: Centre, *texts: str, sender: str = f"sms:{PHONE}") -> None:
    """One text a message, half a second apart."""
    for text in texts:
        key = f"{sender}|{centre.clock.now}"
        await centre.receive().accept([inbound(text, key=key, sender=sender)])
        centre.clock.now += 500


async def answers(centre: Centre) -> list[str]:
    """What was answered, oldest first."""
    return [row.text for row in await centre.outbox() if row.notice == "answer"]


async def test_a_code_in_two_pieces_is_one_question(centre: Centre) -> None:
    await centre.push(received())
    first, second = code().split("-", 1)
    await write(centre, "dạ thưa", first)
    assert await answers(centre) == []
    await write(centre, f"-{second}")
    [answered] = await answers(centre)
    assert code() in answered
    assert await centre.wait_for_rest() == 0


@pytest.mark.parametrize("text", [code(), "HD", "TC", "hồ sơ của tôi tới đâu rồi", "alo"])
async def test_a_text_with_a_code_or_a_keyword_is_answered_at_once(
    centre: Centre, text: str
) -> None:
    await write(centre, text)
    assert len(await answers(centre)) == 1
    assert centre.told_to_wait == 0


async def test_pieces_before_a_clear_text_get_no_answer_of_their_own(centre: Centre) -> None:
    await centre.push(received())
    await write(centre, "asdf", f"HS {code()}")
    assert len(await answers(centre)) == 1
    assert await centre.wait_for_rest() == 0
    assert await centre.work() == []


async def test_a_refusal_is_a_refusal_whatever_stood_before_it(centre: Centre) -> None:
    await write(centre, "asdf", "TC")
    assert centre.rows("SELECT scope FROM refusal") == [("",)]


async def test_what_stays_unclear_is_answered_once_and_goes_to_people(centre: Centre) -> None:
    await write(centre, "asdf", "qwer", "zxcv")
    assert await answers(centre) == []
    assert await centre.wait_for_rest() == 1
    assert len(await answers(centre)) == 1
    assert [item.kind for item in await centre.work()] == ["not_understood"]
    assert [intent for (intent,) in centre.rows("SELECT intent FROM inbound ORDER BY key")] == [
        "WAITING",
        "WAITING",
        "UNKNOWN",
    ]


async def test_it_waits_two_seconds_after_the_last_piece(centre: Centre) -> None:
    await write(centre, "asdf")
    centre.clock.now += WAIT - 501
    assert await centre.gather.sweep(centre.clock.now) == 0
    centre.clock.now += 1
    assert await centre.gather.sweep(centre.clock.now) == 1


async def test_but_not_for_ever(centre: Centre) -> None:
    pieces = LONGEST_GATHERING // 500
    await write(centre, *["asdf"] * pieces)
    assert await centre.gather.sweep(centre.clock.now) == 1


async def test_people_do_not_wait_for_one_another(centre: Centre) -> None:
    await centre.push(received())
    first, second = code().split("-", 1)
    await write(centre, first)
    await write(centre, f"-{second}", sender=OTHER)
    assert not any(code() in text for text in await answers(centre))


async def test_a_piece_that_comes_twice_is_one(centre: Centre) -> None:
    piece = inbound("H19.45-2611", key="p")
    await centre.receive().accept([piece])
    await centre.receive().accept([piece])
    await centre.receive().accept([inbound("18-0001", key="q")])
    [answered] = await answers(centre)
    assert code() in answered


async def test_what_waited_in_a_process_that_ended_is_answered_by_the_next(centre: Centre) -> None:
    await write(centre, "asdf")
    await centre.restart()
    assert await centre.wait_for_rest() == 1
    [row] = await centre.outbox()
    assert row.key.startswith(f"answer|{GATEWAY}|")


async def test_nobody_waits_longer_for_a_clock_that_is_set_back(centre: Centre) -> None:
    await write(centre, "asdf")
    civil = centre.clock.now - 24 * 3_600_000
    centre.clock.now += WAIT
    assert await centre.gather.sweep(civil) == 1


async def test_somebody_looks_while_something_waits(centre: Centre) -> None:
    await write(centre, "asdf")
    watching = Gather(centre.store, centre.clock, centre.answering, queued=lambda: None, wait=50)
    centre.clock.now += WAIT
    watching.soon()
    await until(lambda: _answered(centre))
    await watching.stop()


async def _answered(centre: Centre) -> bool:
    return len(await answers(centre)) == 1
