"""Several notices of one kind to one person become one message, and stay true while it waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    AGENT_PHONE,
    NOW,
    PHONE,
    Centre,
    code,
    event,
    message,
    moment,
    number_of,
    received,
)
from doubles.gateway import ScriptedGateway, never
from engines import on_every_store

from notifier.domain import instant, retry
from notifier.domain.caps import Caps
from notifier.domain.consent import Refusal
from notifier.domain.dossier import UnitRef
from notifier.domain.message import Address, State
from notifier.domain.outcome import Partial, Permanent, Temporary, Throttled, Unknown
from notifier.flows.together import Together
from notifier.rendering import Templates

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.domain.message import Message
    from notifier.flows.dispatch import Dispatcher
    from notifier.ports import OutboxRow

MINUTE, HOUR, DAY = instant.MINUTE, instant.HOUR, instant.DAY


def dispatcher(centre: Centre, gateway: ScriptedGateway) -> Dispatcher:
    together = Together(centre.installation, centre.composer)
    return centre.dispatcher(gateway, together=together)


async def send(centre: Centre, *steps: Any, **options: Any) -> ScriptedGateway:
    """All that may leave now leaves; the gateway that took it."""
    gateway = ScriptedGateway(*steps, **{"window": 50, **options})
    await centre.turn(dispatcher(centre, gateway))
    return gateway


async def finished(centre: Centre, *numbers: int, **carried: Any) -> None:
    """Their "received" was told yesterday; today they are done."""
    await centre.push(*(received(number, **carried) for number in numbers))
    await centre.turn(centre.dispatcher(ScriptedGateway(window=50)))
    centre.clock.now += MINUTE
    await centre.push(*(event("finished", number=n, at=centre.clock.now) for n in numbers))


async def results(centre: Centre) -> dict[str, OutboxRow]:
    """The result notices, by dossier or, where they were parted, by key."""
    rows = [row for row in await centre.outbox() if row.notice == "result_ready"]
    return {row.key if "apart" in row.key else row.dossier or "": row for row in rows}


def codes_in(sent: Message) -> set[str]:
    return {code(number) for number in range(1, 10) if code(number) in sent.text}


@on_every_store
async def test_two_results_are_one_message(centre: Centre) -> None:
    await finished(centre, 1, 2)
    [sent] = (await send(centre)).sent
    assert codes_in(sent) == {code(1), code(2)}
    assert sent.plan.segments == 1
    rows = await results(centre)
    carrier, other = (rows[row] for row in sorted(rows, key=lambda one: rows[one].id))
    assert carrier.state is State.ACCEPTED
    assert (carrier.text, carrier.segments) == (sent.text, sent.plan.segments)
    assert (other.state, other.attempts) == (State.SUPERSEDED, 0)
    assert other.reason == f"said together with {carrier.id}"
    assert sent.key == carrier.key
    assert (await send(centre)).sent == []


@on_every_store
async def test_never_more_than_three_dossiers_in_one(centre: Centre) -> None:
    await centre.push(*(received(number) for number in range(1, 8)))
    sent = (await send(centre)).sent
    assert sorted(len(codes_in(one)) for one in sent) == [1, 3, 3]
    assert set.union(*map(codes_in, sent)) == {code(number) for number in range(1, 8)}
    assert Counter((await centre.states()).values()) == {"accepted": 3, "superseded": 4}


async def test_only_what_belongs_together(centre: Centre) -> None:
    """Not another person's, another kind of notice, or what is fetched at another place."""
    await finished(centre, 1, phone=number_of(1))
    await centre.push(
        received(2, phone=number_of(1)),
        received(3, phone=number_of(2)),
        received(4, phone=number_of(1), unit=UnitRef(code="H19.46", name="UBND phường khác")),
    )
    assert len((await send(centre)).sent) == 4


def keep_accents(centre: Centre, **policy: int) -> None:
    """From now on an SMS has 67 characters."""
    sms = replace(centre.installation.sms, keep_accents=True, **policy)
    centre.installation = replace(centre.installation, sms=sms)
    centre._make_flows()


@pytest.mark.parametrize(("most", "sizes"), [(1, [1, 1, 1]), (2, [1, 2]), (3, [3])])
async def test_by_length(centre: Centre, most: int, sizes: list[int]) -> None:
    """As many as an SMS may have room for."""
    keep_accents(centre, most=most)
    await centre.push(*(received(number) for number in (1, 2, 3)))
    sent = (await send(centre)).sent
    assert sorted(len(codes_in(one)) for one in sent) == sizes
    assert all(one.plan.segments <= most for one in sent)


async def test_not_in_more_sms_than_apart(centre: Centre, tmp_path: Path) -> None:
    path = tmp_path / "templates/vi/sms/received_many.j2"
    path.parent.mkdir(parents=True)
    path.write_text("{{ unit }} " * 45, encoding="utf-8")
    centre._renderer = Templates(tmp_path / "templates")
    centre._make_flows()
    await centre.push(received(1), received(2))
    assert [one.plan.segments for one in (await send(centre)).sent] == [1, 1]


async def test_without_a_template_each_is_said_by_itself(centre: Centre) -> None:
    await centre.push(received(1), received(2))
    await send(centre)
    centre.clock.now += MINUTE
    at = centre.clock.now
    await centre.push(*(event("returned", number=n, at=at) for n in (1, 2)))
    assert len((await send(centre)).sent) == 2


async def test_a_template_at_fault_stops_nothing(centre: Centre, tmp_path: Path) -> None:
    path = tmp_path / "templates/vi/sms/received_many.j2"
    path.parent.mkdir(parents=True)
    path.write_text("{{ missing }}", encoding="utf-8")
    centre._renderer = Templates(tmp_path / "templates")
    centre._make_flows()
    await centre.push(received(1), received(2))
    assert len((await send(centre)).sent) == 2


@on_every_store
async def test_each_is_looked_at_before_they_are_joined(centre: Centre) -> None:
    await finished(centre, 1, 2, 3, 4)
    await centre.push(event("returned", number=2, at=centre.clock.now + 1))
    async with centre.store.write() as session:
        stop = Refusal(address=Address("sms", PHONE), scope=code(3), at=NOW, proof="desk")
        await session.refuse([stop])
    sent = [one for one in (await send(centre)).sent if one.notice == "result_ready"]
    assert [codes_in(one) for one in sent] == [{code(1), code(4)}]


async def test_a_dossier_is_named_once(centre: Centre) -> None:
    """Its applicant and the agent have one number: two notices of it, and never one text twice."""
    await centre.push(received(1), received(2))
    agents = message("agent's", notice="received", dossier=code(1), episode="1")
    await centre.queue(agents)
    sent = (await send(centre)).sent
    assert sorted(len(one.dossiers) for one in sent) == [1, 2]
    assert all(one.text.count(code(1)) <= 1 for one in sent)


# ------------------------------------------------------------------------- while the carrier waits


@on_every_store
@pytest.mark.parametrize(
    "first", [Temporary(code="busy"), Throttled(retry_after=1_000)], ids=["tried", "throttled"]
)
async def test_it_is_tried_again_as_it_is(centre: Centre, first: Any) -> None:
    await finished(centre, 1, 2)
    [before] = (await send(centre, first)).sent
    await centre.push(received(5, at=centre.clock.now))
    centre.clock.now += HOUR
    [after, *_] = [one for one in (await send(centre)).sent if one.notice == "result_ready"]
    assert (after.key, after.text, after.also) == (before.key, before.text, before.also)


@on_every_store
@pytest.mark.parametrize("moved_on", [0, 1, 2], ids=["its own", "the second", "the third"])
async def test_where_one_has_moved_on_the_others_part(centre: Centre, moved_on: int) -> None:
    """Nothing untrue leaves, and no text changes under a key that the provider knows."""
    await finished(centre, 1, 2, 3)
    [before] = (await send(centre, Temporary(code="busy"))).sent
    codes = [one for one, _ in before.dossiers]
    assert set(codes) == {code(1), code(2), code(3)}
    centre.clock.now += HOUR
    gone = int(codes[moved_on][-4:])
    await centre.push(event("returned", number=gone, at=centre.clock.now))
    sent = [one for one in (await send(centre)).sent if one.notice == "result_ready"]
    assert Counter(one for each in sent for one in codes_in(each)) == {
        one: 1 for one in codes if one != codes[moved_on]
    }
    assert before.key not in {one.key for one in sent}
    row = await centre.row(before.key)
    assert (row.state, row.attempts) == (State.SUPERSEDED, 1)
    centre.clock.now += HOUR
    assert (await send(centre)).sent == []


async def test_where_all_have_moved_on_nothing_leaves(centre: Centre) -> None:
    await finished(centre, 1, 2)
    await send(centre, Temporary(code="busy"))
    centre.clock.now += HOUR
    await centre.push(*(event("returned", number=n, at=centre.clock.now) for n in (1, 2)))
    assert {one.notice for one in (await send(centre)).sent} == {"returned"}
    assert await centre.work() == []


async def test_half_a_text_is_completed(centre: Centre) -> None:
    keep_accents(centre)
    await centre.push(received(1), received(2))
    [before] = (await send(centre, Partial(done=((0, "r1"),), rest=Temporary(code="busy")))).sent
    assert before.plan.segments > 1
    await centre.push(event("finished", number=2, at=NOW + 1))
    centre.clock.now += HOUR
    sent = [one for one in (await send(centre)).sent if one.notice == "received"]
    assert [(one.key, one.accepted_parts) for one in sent] == [(before.key, (0,))]


async def test_quiet_hours_move_it_as_it_is(centre: Centre) -> None:
    centre.clock.now = moment("2026-11-23 21:59")
    await centre.push(received(1), received(2))
    await send(centre, Temporary(code="busy"))
    centre.clock.now = moment("2026-11-23 22:30")
    assert (await send(centre)).sent == []
    centre.clock.now = moment("2026-11-24 07:00")
    [sent] = (await send(centre)).sent
    assert codes_in(sent) == {code(1), code(2)}


async def test_what_was_tried_alone_is_joined_with_nothing(centre: Centre) -> None:
    """The provider may know its key, and take a longer text for the same one sent again."""
    await centre.push(received(1))
    await send(centre, Unknown(code="lost"))
    centre.clock.now += retry.UNKNOWN_WAIT
    await centre.settle.sweep(centre.clock.now)
    await centre.push(received(2, at=centre.clock.now), received(3, at=centre.clock.now))
    sent = (await send(centre)).sent
    assert {frozenset(codes_in(one)) for one in sent} == {
        frozenset({code(1)}),
        frozenset({code(2), code(3)}),
    }


async def test_a_newer_notice_leaves_a_carrier_to_the_last_look(centre: Centre) -> None:
    """Else what it says of the other dossier would be lost with it."""
    await centre.push(received(1), received(2))
    [before] = (await send(centre, Temporary(code="busy"))).sent
    own = int((before.dossier or "")[-4:])
    centre.clock.now += HOUR
    await centre.push(event("finished", number=own, at=centre.clock.now))
    assert (await centre.row(before.key)).state is State.QUEUED
    sent = (await send(centre)).sent
    assert {(one.notice, one.dossier) for one in sent} == {
        ("received", code(3 - own)),
        ("result_ready", code(own)),
    }


@on_every_store
async def test_a_crash_loses_neither(centre: Centre) -> None:
    await centre.push(received(1), received(2))
    gateway = ScriptedGateway(never)
    crashed = dispatcher(centre, gateway)
    await crashed._cycle()
    await centre.restart()
    async with centre.store.write() as session:
        assert await session.abandon_sending(NOW) == 1
    centre.clock.now += retry.UNKNOWN_WAIT
    assert await centre.settle.sweep(centre.clock.now) == 1
    [sent] = (await send(centre)).sent
    assert codes_in(sent) == {code(1), code(2)}
    for task in crashed._in_flight:
        task.cancel()


# -------------------------------------------------------------------------------- what people see


@on_every_store
@pytest.mark.parametrize(
    "outcome",
    [Permanent(code="E7"), Throttled(retry_after=30 * DAY)],
    ids=["refused", "no time left"],
)
async def test_when_it_fails_for_good_people_see_all_it_spoke_of(
    centre: Centre, outcome: Any
) -> None:
    await centre.push(*(received(number) for number in (1, 2)), received(3, phone=AGENT_PHONE))
    gateway = await send(centre, usual=outcome)
    [carrier] = [sent for sent in gateway.sent if sent.also]
    work = await centre.work()
    if isinstance(outcome, Permanent):
        assert {(item.kind, item.dossier) for item in work} == {
            ("call", code(n)) for n in (1, 2, 3)
        }
        return
    [item] = work
    assert (item.kind, item.key) == ("failed", f"failed|{carrier.id}")
    assert code(1) in item.detail
    assert code(2) in item.detail
    assert code(3) not in item.detail


async def test_when_its_time_passes_too(centre: Centre) -> None:
    await finished(centre, 1, 2)
    await send(centre, Temporary(code="busy"))
    centre.clock.now += 30 * DAY
    assert (await send(centre)).sent == []
    assert [item.kind for item in await centre.work()] == ["failed"]


# -------------------------------------------------------------------------------------- and the cap


@on_every_store
async def test_one_message_counts_once(centre: Centre) -> None:
    centre.installation = replace(centre.installation, caps=Caps(notices=1))
    await centre.push(received(1), received(2))
    [sent] = (await send(centre)).sent
    assert codes_in(sent) == {code(1), code(2)}


async def test_what_a_cap_holds_back_is_not_joined_yet(centre: Centre) -> None:
    """They wait as they are, so that each is looked at again by itself."""
    centre.installation = replace(centre.installation, caps=Caps(notices=1))
    await finished(centre, 1, 2, 3)
    assert (await send(centre)).sent == []
    rows = await results(centre)
    assert {row.state for row in rows.values()} == {State.QUEUED}
    assert all(row.text.count("H19.45-") == 1 for row in rows.values())
    assert all("over the cap" in row.reason for row in rows.values())
    centre.clock.now += DAY
    [sent] = (await send(centre)).sent
    assert codes_in(sent) == {code(1), code(2), code(3)}
