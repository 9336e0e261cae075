"""The command line beside a running service, on the same store."""

from __future__ import annotations

import json

import office
from contracts.gateway import Behaviour
from processes import eventually

TEXT = "TTPVHCC: Moi Ong/Ba den nha van hoa {{ khu_pho }} nhan CCCD tu ngay 01/12."


def write_list(folder, count):
    """A list as staff keep it: names, numbers in their spellings, a double, a row without one."""
    rows = [f"{office.NAME},09{number:08},Khu phố {number % 5}" for number in range(1, count + 1)]
    rows += [f"{office.NAME},0900 000 001,Khu phố 1", f"{office.NAME},,Khu phố 2"]
    path = folder / "danh sách.csv"
    path.write_text("\n".join(["Họ tên,Số điện thoại,khu_pho", *rows]), encoding="utf-8-sig")
    return path


async def test_questions_and_dossiers(station, provider):
    async with station.serving() as service:
        await service.push(office.event(due_at="2030-12-02T17:00:00+07:00"))
        await provider.has(1)

        ran = await station.run("ask", f"hs {office.CODE}", "--from", "sms:0912 000 345")
        assert office.CODE in ran.out
        ran = await station.run("ask", f"hs {office.CODE}", "--from", office_address(), "--json")
        assert ran.row == {
            "intent": "STATUS",
            "codes": [office.CODE],
            "disclosure": "L1",
            "reply": ran.row["reply"],
            "language": "vi",
            "encoding": "GSM-7",
            "segments": 1,
        }
        lines = [
            {"text": f"hs {office.CODE}", "from": office_address()},
            {"text": f"hs {office.CODE}", "from": f"sms:{office.OTHER_PHONE}"},
            {"text": "TC", "from": office_address()},
        ]
        ran = await station.run(
            "ask", "-", typed="\n".join(json.dumps(line) for line in lines) + "\n"
        )
        assert [(row["intent"], row["disclosure"]) for row in ran.rows] == [
            ("STATUS", "L1"),
            ("STATUS", "L0"),
            ("OPT_OUT", ran.rows[2]["disclosure"]),
        ]
        [dossier] = (await station.run("dossiers", "--json", names_people=True)).rows
        assert dossier == {
            "code": office.CODE,
            "status": 2,
            "due": "2030-12-02T17:00:00+07:00",
            "phone": office.PHONE,
            "late": False,
            "unit": dossier["unit"],
            "procedure": None,
            "notices": ["received"],
        }
        # Asking on the command line sent nothing and kept nothing.
        assert len(await station.outbox()) == len(provider.received) == 1


def office_address():
    return f"sms:{office.PHONE}"


async def test_one_message_by_hand(station, provider):
    async with station.serving():
        sent = (await station.run("send", office_address(), "Mời Ông/Bà đến quầy số 3.")).row
        [taken] = await provider.has(1)
        assert (taken.to, taken.text) == ("84912000345", "Moi Ong/Ba den quay so 3.")
        shown = (await station.run("outbox", "show", sent["id"], "--json")).row
        assert (shown["id"], shown["to"]) == (sent["id"], "sms:…345")
        refused = await station.run("outbox", "cancel", sent["id"], code=1)
        assert "can't be cancelled" in refused.err


async def test_a_second_service_on_the_same_store_refuses(station):
    async with station.serving():
        second = await station.run("serve", code=1)
    assert second.out == ""
    assert "another process already sends from" in second.err
    assert "Stop it first" in second.err


async def test_a_broadcast_needs_two_people_and_reaches_all(station, provider):
    async with station.serving() as service:
        await service.text("TC", phone="+84900000002")
        await provider.has(1)

        new = ("broadcast", "new", str(write_list(station.folder, 120)), "--text", TEXT)
        drafted = await station.run(*new, "--by", "An")
        draft = drafted.row
        assert (draft["state"], draft["recipients"], draft["sms"]) == ("draft", 119, 119)
        assert (draft["refused"], draft["faults"]) == (1, 2)
        assert "row 122: the same number stands in row 2" in drafted.err
        assert "row 123: there is no number in it" in drafted.err

        early = await station.run("broadcast", "start", draft["id"], "--by", "An", code=1)
        assert "it has to be approved" in early.err
        own = await station.run("broadcast", "approve", draft["id"], "--by", " an ", code=1)
        assert "another person has to approve it" in own.err
        await station.run("broadcast", "approve", draft["id"], "--by", "Bình")
        await station.run("broadcast", "start", draft["id"], "--by", "An")

        taken = (await provider.has(1 + 119))[1:]
        assert len({message.to for message in taken}) == 119
        assert "84900000002" not in {message.to for message in taken}
        assert {message.text for message in taken} == {
            f"TTPVHCC: Moi Ong/Ba den nha van hoa Khu pho {number} nhan CCCD tu ngay 01/12."
            for number in range(5)
        }

        async def done():
            standing = (await station.run("broadcast", "status", draft["id"], "--json")).row
            return standing["state"] == "done" and standing

        standing = await eventually(done, "the broadcast is done")
        assert (standing["author"], standing["approver"]) == ("An", "Bình")
        assert standing["messages"] == {"accepted": 119}


async def test_a_broadcast_can_be_paused_and_ended(station, provider):
    await provider.become(Behaviour.DOWN)
    async with station.serving():
        new = ("broadcast", "new", str(write_list(station.folder, 60)), "--text", TEXT)
        draft = (await station.run(*new, "--by", "An")).row
        await station.run("broadcast", "approve", draft["id"], "--by", "Bình")
        await station.run("broadcast", "start", draft["id"], "--by", "An")

        async def released():
            return (await station.run("broadcast", "status", "--json")).row["released"]

        assert await eventually(released, "the first slice") == 50
        paused = await station.run("broadcast", "pause", draft["id"], "--by", "Chi")
        assert f"broadcast {draft['id']} is paused" in paused.err
        await provider.become(Behaviour.ACCEPT)
        # An answer overtakes what is paused, and shows that the way out is open again.
        await station.run("send", office_address(), "Xin chao")
        assert [message.text for message in await provider.has(1)] == ["Xin chao"]

        await station.run("broadcast", "abort", draft["id"], "--by", "Chi")
        standing = (await station.run("broadcast", "status", draft["id"], "--json")).row
        assert (standing["state"], standing["messages"]) == ("aborted", {"cancelled": 50})
        ended = await station.run("broadcast", "start", draft["id"], "--by", "An", code=1)
        assert "is aborted" in ended.err
    assert len(provider.received) == 1


async def test_what_waits_for_people(station, provider):
    async with station.serving() as service:
        nobody = {"name": office.NAME, "phone": "02713 888 222"}
        await service.push(office.event(applicant=nobody))
        rows = (await station.run("work", "list", "--json")).rows
        assert [(row["kind"], row["dossier"]) for row in rows] == [("call", office.CODE)]
        settled = await station.run("work", "settle", rows[0]["key"], "--by", "An")
        assert "1 of 1" in settled.err
        assert (await station.run("work", "list", "--json")).rows == []
    assert provider.received == []
