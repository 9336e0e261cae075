"""Codes are sequential: who guesses them learns no more than a stranger with a slip may know."""

from __future__ import annotations

from builders import GATEWAY, NAME, Centre, code, event, inbound, number_of, received

from notifier.domain import instant
from notifier.domain.dossier import Fee, SupplementRequest

SENDERS, ROUNDS = 100, 100
A_DAY = 30
"""The shipped limit of one sender."""
A_RUN_AND_HOUR = 30
"""The shipped limit of all senders together, for the codes of one unit and day."""

REAL = range(1, SENDERS * ROUNDS + 1, 2)
"""Every other code exists, and of these every tenth is nobody else's business."""

SECRETS = ("nuoi con nuoi", "xac nhan tinh trang", "le phi rieng", "ban do rieng", "thieu chu ky")


async def test_ten_thousand_guesses_of_a_hundred_senders(centre: Centre) -> None:
    sensitive = set(REAL[::10])
    dossiers = [
        received(
            number,
            phone=number_of(500),
            applicant_name=NAME,
            procedure_name="Đăng ký nuôi con nuôi"
            if number in sensitive
            else "Xác nhận tình trạng",
            fees=(Fee(name="Lệ phí riêng", amount=1),),
            supplement=(SupplementRequest(what="Bản đồ riêng"),),
            reason="Thiếu chữ ký",
        )
        for number in REAL
    ]
    for start in range(0, len(dossiers), 500):
        await centre.push(*dossiers[start : start + 500])
    await centre.push(event("supplement-requested", number=REAL[1], at=centre.clock.now + 1))

    slip = f"HS {code(REAL[2])}"
    await centre.receive().accept([inbound(slip, key="slip", sender=f"sms:{number_of(599)}")])
    with_slip = (await centre.row(f"answer|{GATEWAY}|slip")).text.replace(code(REAL[2]), "")

    told: dict[int, list[bool]] = {sender: [] for sender in range(SENDERS)}
    replies: dict[int, str] = {}
    sink = centre.receive()
    for round_ in range(ROUNDS):
        batch = []
        for sender in range(SENDERS):
            number = 1 + round_ * SENDERS + sender
            asked = inbound(
                f"HS {code(number)}", key=f"g{number}", sender=f"sms:{number_of(600 + sender)}"
            )
            batch.append(asked)
        await sink.accept(batch)
        centre.clock.now += 2 * instant.MINUTE
    async with centre.store.read() as session:
        rows = await session.outbox(limit=50_000)
    for row in rows:
        if row.notice == "answer" and "|g" in row.key:
            replies[int(row.key.rpartition("|g")[2])] = row.text

    for number, text in sorted(replies.items()):
        folded = text.lower()
        assert not any(secret in folded for secret in SECRETS)
        assert NAME.lower() not in folded
        known = "khong tim thay" not in folded
        if known:
            assert number in REAL
            assert number not in sensitive
            assert number == REAL[1] or text.replace(code(number), "") == with_slip
        told[(number - 1) % SENDERS].append(known)
    unknown = {
        text.replace(code(number), "")
        for number, text in replies.items()
        if "khong tim thay" in text.lower()
    }
    assert len(unknown) == 1, "unknown, sensitive and over the limit are the same words"
    assert not any(any(answers[A_DAY:]) for answers in told.values()), "past the limit, nothing"
    hours = ROUNDS * 2 // 60 + 1
    assert 0 < sum(map(sum, told.values())) <= A_RUN_AND_HOUR * hours
    assert len(replies) == SENDERS * ROUNDS


async def test_a_run_that_is_tried_out_answers_its_applicants_only(centre: Centre) -> None:
    await centre.push(*(received(number, phone=number_of(number)) for number in range(1, 60)))
    tried = [
        inbound(f"HS {code(n)}", key=f"g{n}", sender=f"sms:{number_of(600 + n)}")
        for n in range(2, 2 + A_RUN_AND_HOUR)
    ]
    await centre.receive().accept(tried)

    async def told(key: str, who: str) -> bool:
        await centre.receive().accept([inbound(f"HS {code(1)}", key=key, sender=f"sms:{who}")])
        return "khong tim thay" not in (await centre.row(f"answer|{GATEWAY}|{key}")).text.lower()

    assert not await told("stranger", number_of(900))
    assert await told("applicant", number_of(1))
    assert not await told("another", number_of(901))
    centre.clock.now += 61 * instant.MINUTE
    assert await told("later", number_of(900))


async def test_asking_for_one_code_again_and_again_is_one_guess_of_its_run(centre: Centre) -> None:
    await centre.push(received(1))
    senders = [number_of(600 + n) for n in range(2 * A_RUN_AND_HOUR)]
    await centre.receive().accept(
        [inbound(f"HS {code(1)}", key=who, sender=f"sms:{who}") for who in senders]
    )
    answered = (await centre.row(f"answer|{GATEWAY}|{senders[-1]}")).text
    assert "khong tim thay" not in answered.lower()
