"""The demonstration's page: story, view, HTTP faces and stream, over a small stand-in world."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, web
from aiohttp.test_utils import TestClient, TestServer

from gateways.simulator import Faults, Provider
from notifier.domain import code, instant, phone
from notifier.domain.event import DEFAULT_STATUS, EventType
from notifier.domain.message import Address, Lane, Message
from notifier.domain.segments import Encoding, SegmentPlan
from notifier.errors import ConfigurationError
from notifier.web.simulator import DossierLine, OutboxLine, Pushed, SimulatorPage, read_story
from notifier.web.simulator.view import moves

ROOT = Path(__file__).parents[2]
STORY = ROOT / "config" / "demo" / "story.toml"
TEMPLATES = ROOT / "templates" / "simulator"

HOA, CODE = 0, "H19.45-261118-0007"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
SCRIPTED = {**SAME_ORIGIN, "Accept": "application/json"}
WORDS = {
    1: "mới nộp",
    2: "đã tiếp nhận",
    4: "đang xử lý",
    5: "chờ bổ sung giấy tờ",
    6: "chờ thực hiện nghĩa vụ tài chính",
    9: "đã có kết quả",
    10: "đã trả kết quả",
}


class MovableClock:
    def __init__(self, now):
        self.now = now

    def civil(self):
        return self.now

    def elapsed(self):
        return self.now


class StandIn:
    """A world that stores what is pushed, answers every text, and can be told to fail."""

    def __init__(self):
        self.story = read_story(STORY)
        self.clock = MovableClock(self.story.starts_at)
        self.provider = Provider(self.clock, secret="x" * 16, faults=Faults(receipt_after=0))
        self.pushed = []
        self.delivered = []
        self.lines = []
        self.stored = {}
        self.failure = None
        self.refusal = ""

    async def move(self, forward):
        assert forward > 0
        self.clock.now += forward

    async def push(self, event):
        if self.failure:
            raise self.failure
        if self.refusal:
            return Pushed(stored=False, detail=self.refusal)
        self.pushed.append(event)
        data = event["data"]
        before = self.stored.get(event["subject"])
        due = data.get("due_at") or data.get("rescheduled", {}).get("due_at")
        status = DEFAULT_STATUS[EventType(event["type"].partition(".")[2])]
        status = status or (before and before.status)
        self.stored[event["subject"]] = DossierLine(
            code=event["subject"],
            status=status,
            status_word=WORDS[status],
            due=instant.read_iso(due) if due else (before.due if before else None),
            unit="Phường Bình Phước",
            late=False,
        )
        return Pushed(stored=True)

    async def deliver(self, call):
        if self.failure:
            raise self.failure
        self.delivered.append(call)

    async def outbox(self, limit):
        return self.lines[:limit]

    async def dossiers(self):
        now = self.clock.now
        return [
            replace(line, late=bool(line.due and line.due < now and line.status in {2, 4}))
            for line in self.stored.values()
        ]

    async def open(self):
        for event in self.story.opening(self.clock.civil()):
            await self.push(event)
        self.pushed.clear()

    def say(self, index, text, *, number=1):
        """A message reaches a phone."""
        return self.provider.submit(
            Message(
                id=f"m{number}",
                key=f"k{number}",
                lane=Lane.ANSWER,
                address=Address("sms", self.story.phones[index].number),
                text=text,
                plan=SegmentPlan(encoding=Encoding.GSM7, units=len(text), parts=(text,)),
                locale="vi",
                created_at=0,
                not_before=0,
                best_before=0,
                notice="answer",
            )
        )


def line(number, state, **changes):
    made = OutboxLine(
        id=f"m{number}", notice="received", lane="notice", state=state, to_masked="sms:…101",
        dossier=CODE, attempts=1, segments=1, reason="", at=instant.of(read_story(STORY).start),
    )  # fmt: skip
    return replace(made, **changes)


@asynccontextmanager
async def browsing(world):
    app = web.Application()
    page = SimulatorPage(world, TEMPLATES)
    app.add_routes(page.routes())

    async def close(_app):
        page.close()

    app.on_shutdown.append(close)
    async with TestClient(TestServer(app)) as client:
        yield client
    await world.provider.close()


@pytest.fixture
async def world():
    world = StandIn()
    await world.open()
    return world


@pytest.fixture
async def client(world):
    async with browsing(world) as client:
        yield client


async def state(client):
    return await (await client.get("/simulator/state")).json()


def text_of(html):
    """What a reader of the page sees, white space collapsed."""
    seen = []
    parser = HTMLParser()
    parser.handle_data = seen.append
    parser.feed(html)
    return re.sub(r"\s+", " ", " ".join(seen))


# -------------------------------------------------------------------------------------- the story


def test_the_shipped_story_hangs_together():
    story = read_story(STORY)
    assert instant.iso(story.starts_at) == "2026-11-23T08:00:00+07:00"
    assert all(phone.read(person.number) for person in story.phones)
    for dossier in story.dossiers:
        parsed = code.parse(dossier.code, today=instant.local_date(story.starts_at))
        assert parsed is not None
        assert (parsed.text, parsed.unit) == (dossier.code, story.unit.code)
        assert dossier.events[-1].type == "dossier.returned"
        moments = [
            data["due_at"]
            for event in dossier.events
            for data in (event.data, event.data.get("rescheduled", {}))
            if "due_at" in data
        ]
        assert moments
        assert all(instant.read_iso(moment) > story.starts_at for moment in moments)


def test_an_event_is_a_cloudevent_at_the_time_of_the_demonstration():
    story = read_story(STORY)
    dossier = story.dossier(CODE)
    first, later = (story.event(dossier, n, story.starts_at + 7) for n in (0, 2))
    assert first["specversion"] == "1.0"
    assert (first["type"], first["subject"]) == ("dossier.received", CODE)
    assert first["time"] == "2026-11-23T08:00:00.007+07:00"
    assert first["data"]["applicant"]["phone"] == story.phones[HOA].number
    assert first["data"]["unit"] == {"code": "H19.45", "name": "Phường Bình Phước"}
    assert later["data"] == {"return_by": "desk"}
    assert first["id"] != later["id"]
    json.dumps([first, later])


def test_the_opening_is_what_the_story_marks():
    story = read_story(STORY)
    assert [event["type"] for event in story.opening(0)] == ["dossier.received"] * 4


@pytest.mark.parametrize(
    ("find", "put", "key", "problem"),
    [
        ('start = "2026-11-23T08:00:00+07:00"', 'start = "morning"', "start", "datetime"),
        ('kind = "keypad"', 'kind = "rotary"', "phones.0.kind", "keypad"),
        ('number = "+84912000101"', 'number = "0912000101"', "phones.0.number", "pattern"),
        ("opening = true", "opning = true", "dossiers.0.events.0.opning", "not permitted"),
        ('"dossier.rescheduled"', '"dossier.delayed"', "dossiers.0.events.1", "no event"),
        ('phone = "hoa"', 'phone = "lan"', "", "names none of the phones"),
        ('code = "H19.45-261120-0012"', f'code = "{CODE}"', "", "same id, number or code"),
        (
            'type = "dossier.rescheduled"',
            'type = "dossier.noted"\nopening = true',
            None,
            None,
        ),
        ('label = "Trả kết quả"', 'opening = true\nlabel = "Trả"', "", "must come first"),
        ("[unit]", "[unit", "", "Expected ']'"),
    ],
)
def test_faults_of_a_story_are_named(tmp_path, find, put, key, problem):
    text = STORY.read_text(encoding="utf-8")
    assert find in text
    path = tmp_path / "story.toml"
    path.write_text(text.replace(find, put, 1), encoding="utf-8")
    if key is None:
        read_story(path)
        return
    with pytest.raises(ConfigurationError) as raised:
        read_story(path)
    (fault,) = raised.value.faults
    assert (fault.file, fault.key) == (str(path), key)
    assert problem in fault.problem
    assert "912000101" not in str(raised.value)


def test_a_story_that_is_not_there_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_story(tmp_path / "none.toml")


def test_nobody_is_named_in_a_repr():
    story = read_story(STORY)
    assert "Nguyễn" not in repr(story)
    assert "912000101" not in repr(story)


# -------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize(
    ("now", "due", "expected"),
    [
        # now, due dates -> where +1 giờ, sáng hôm sau, đến hạn trả and qua hạn lead
        ("23T08:00", ["25T17:00"], ["23T09:00", "24T08:00", "25T17:00", "25T17:05"]),
        ("23T07:30", ["25T17:00"], ["23T08:30", "23T08:00", "25T17:00", "25T17:05"]),
        ("25T17:00", ["25T17:00"], ["25T18:00", "26T08:00", None, "25T17:05"]),
        ("25T17:05", ["25T17:00", "26T17:00"], ["25T18:05", "26T08:00", "26T17:00", "26T17:05"]),
        ("26T17:05", ["25T17:00"], ["26T18:05", "27T08:00", None, None]),
        ("26T17:05", [], ["26T18:05", "27T08:00", None, None]),
    ],
)
def test_where_the_clock_can_go(now, due, expected):
    def at(text):
        return instant.read_iso(f"2026-11-{text}")

    offered = moves(at(now), [at(text) for text in due])
    assert [move["at"] for move in offered] == [at(text) if text else None for text in expected]


async def test_moving_the_clock_makes_the_dossier_late(world, client):
    late = []
    for to in ("due", "late"):
        answer = await client.post("/simulator/clock", data={"to": to}, headers=SCRIPTED)
        assert answer.status == 200
        seen = await state(client)
        late.append((seen["clock"]["time"], seen["dossiers"][0]["late"]))
    assert late == [("17:00", False), ("17:05", True)]


@pytest.mark.parametrize("to", ["yesterday", "", None])
async def test_the_clock_goes_only_where_it_offers_to(world, client, to):
    before = world.clock.now
    answer = await client.post("/simulator/clock", json={"to": to}, headers=SCRIPTED)
    assert answer.status == 409
    assert world.clock.now == before


async def test_a_stopped_limit_offers_no_due_date(world, client):
    for dossier in world.story.dossiers:
        world.stored[dossier.code] = replace(
            world.stored.get(dossier.code) or next(iter(world.stored.values())),
            code=dossier.code,
            status=5,
        )
    offered = {move["to"]: move["at"] for move in (await state(client))["clock"]["moves"]}
    assert offered["due"] is offered["late"] is None


# --------------------------------------------------------------------------------------- the page


async def test_the_front_door_leads_to_the_page(client):
    answer = await client.get("/")
    assert answer.url.path == "/simulator"
    assert answer.status == 200


async def test_the_page_shows_everything_without_a_script(world, client):
    await world.say(HOA, "TTPVHCC P.Binh Phuoc: Da tiep nhan ho so.")
    world.lines = [line(1, "failed", reason="nhà mạng từ chối số này")]
    seen = text_of(await (await client.get("/simulator")).text())
    for expected in (
        "08:00", "thứ Hai 23/11/2026", "Bà Hoa", "Ông Bình", "Chị Hà", CODE,
        "Trợ cấp xã hội hằng tháng", "đã tiếp nhận", "17:00 thứ Tư, 25/11",
        "Xin lỗi và hẹn lại ngày trả", "TTPVHCC P.Binh Phuoc: Da tiep nhan ho so.",
        "1 SMS · GSM-7", "Không gửi được", "nhà mạng từ chối số này", "sms:…101",
        "Không báo đã đến máy",
    ):  # fmt: skip
        assert expected in seen


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("unreachable: the carrier can't be reached", "không kết nối được với nhà mạng"),
        ("the recipient refuses", "người nhận đã từ chối nhận tin"),
        ("given up after 12: busy", "thôi gửi sau 12 lần; nhà mạng bận"),
        ("something new: nobody wrote a word for it", "something new: nobody wrote a word for it"),
    ],
)
async def test_the_outbox_says_why_in_the_words_of_the_page(world, client, reason, shown):
    world.lines = [line(1, "queued", reason=reason)]
    state = await (await client.get("/simulator/state")).json()
    assert [one["reason"] for one in state["outbox"]["lines"]] == [shown]


async def test_nothing_the_page_hands_out_has_a_number(world, client):
    await world.say(HOA, "Da tiep nhan ho so.")
    await client.post("/simulator/phones/1/text", data={"text": "HD"}, headers=SCRIPTED)
    pages = [await (await client.get(path)).text() for path in ("/simulator", "/simulator/state")]
    for person in world.story.phones:
        assert not [page for page in pages if person.number.removeprefix("+84") in page]


async def test_what_people_write_is_no_markup(world, client):
    await client.post(
        "/simulator/phones/0/text", data={"text": "<script>alert(1)</script>"}, headers=SCRIPTED
    )
    page = await (await client.get("/simulator")).text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    "path",
    [
        "/simulator", "/simulator/state", "/simulator/page.css", "/simulator/page.js",
        "/simulator/mark.svg",
    ],
)  # fmt: skip
async def test_every_answer_keeps_strangers_out(client, path):
    answer = await client.get(path)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(client):
    page = await (await client.get("/simulator")).text()
    assert not re.findall(r"""(?:src|href|action)=["'](?!/simulator|#)""", page)
    assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=)", page)
    css = await (await client.get("/simulator/page.css")).text()
    assert not re.findall(r"url\(|@import", css)


# ------------------------------------------------------------------------------------------ texts


async def test_a_text_goes_to_the_hook_and_stands_on_the_phone(world, client):
    answer = await client.post(
        f"/simulator/phones/{HOA}/text", data={"text": f"  HS {CODE} "}, headers=SCRIPTED
    )
    assert answer.status == 200
    (call,) = world.delivered
    assert json.loads(call.body)["text"] == f"HS {CODE}"
    assert json.loads(call.body)["from"] == world.story.phones[HOA].number
    (text,) = (await state(client))["phones"][HOA]["texts"]
    assert (text["direction"], text["text"], text["state"]) == ("out", f"HS {CODE}", "delivered")


async def test_a_form_without_a_script_comes_back_to_the_page(world, client):
    answer = await client.post(
        "/simulator/phones/0/text", data={"text": "HD"}, headers=SAME_ORIGIN, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/simulator")


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/simulator/phones/0/text", {"text": "  "}, 400),
        ("/simulator/phones/0/text", {}, 400),
        ("/simulator/phones/0/text", {"text": "x" * 481}, 400),
        ("/simulator/phones/3/text", {"text": "HD"}, 404),
        ("/simulator/phones/-1/text", {"text": "HD"}, 404),
        ("/simulator/phones/+84912000101/text", {"text": "HD"}, 404),
        ("/simulator/dossiers/H19.45-261118-9999/next", {}, 404),
        (f"/simulator/dossiers/{CODE}/next", {"number": "0"}, 409),
        ("/simulator/provider", {"mode": "explode"}, 400),
        ("/simulator/provider", {"mode": ["ok"]}, 400),
        ("/simulator/provider", {"mode": "ok", "delay": "soon"}, 400),
        ("/simulator/provider", {"mode": "ok", "delay": "nan"}, 400),
        ("/simulator/provider", {"mode": "ok", "delay": -1}, 400),
        ("/simulator/provider", {"mode": "ok", "delay": [3]}, 400),
    ],
)
async def test_what_cannot_be_done_is_declined_and_changes_nothing(
    world, client, path, fields, status
):
    before = await state(client)
    answer = await client.post(path, json=fields, headers=SCRIPTED)
    assert answer.status == status
    assert await state(client) == before
    assert not world.delivered
    assert not world.pushed


@pytest.mark.parametrize("body", ["{", "[]", "7"])
async def test_a_body_that_is_no_json_object_is_declined(client, body):
    headers = {**SCRIPTED, "Content-Type": "application/json"}
    answer = await client.post("/simulator/provider", data=body, headers=headers)
    assert answer.status == 400
    assert answer.content_type == "application/problem+json"
    assert (await answer.json())["title"]


async def test_without_a_script_the_page_itself_says_why(client):
    answer = await client.post("/simulator/phones/0/text", data={"text": ""}, headers=SAME_ORIGIN)
    assert answer.status == 400
    assert "Tin nhắn còn trống" in text_of(await answer.text())


async def test_a_text_that_does_not_arrive_is_marked(world, client):
    world.failure = ClientConnectionError()
    answer = await client.post("/simulator/phones/0/text", data={"text": "HD"}, headers=SCRIPTED)
    assert answer.status == 502
    assert (await state(client))["phones"][0]["texts"][0]["state"] == "failed"


async def test_a_phone_that_is_off_neither_writes_nor_receives(world, client):
    await client.post("/simulator/phones/0/power", data={"on": "0"}, headers=SCRIPTED)
    answer = await client.post("/simulator/phones/0/text", data={"text": "HD"}, headers=SCRIPTED)
    assert answer.status == 409
    await world.say(HOA, "Da tiep nhan ho so.")
    await world.say(1, "Da tiep nhan ho so.", number=2)
    phones = (await state(client))["phones"]
    assert [(phone["on"], len(phone["texts"])) for phone in phones[:2]] == [(False, 0), (True, 1)]
    await client.post("/simulator/phones/0/power", data={"on": "1"}, headers=SCRIPTED)
    assert (await state(client))["phones"][0]["on"]


# ----------------------------------------------------------------------------------------- events


async def test_a_dossier_goes_through_its_story_click_by_click(world, client):
    path = "/simulator/dossiers/H19.45-261120-0012/next"
    seen = []
    for _ in range(4):
        assert (await client.post(path, headers=SCRIPTED)).status == 200
        card = (await state(client))["dossiers"][1]
        seen.append((card["status"], card["paused"], card["reached"], card["next"]))
    assert seen == [
        ("chờ bổ sung giấy tờ", True, 1, "Đã nhận giấy tờ bổ sung"),
        ("đang xử lý", False, 1, "Đã có kết quả"),
        ("đã có kết quả", False, 2, "Trả kết quả"),
        ("đã trả kết quả", False, 3, ""),
    ]
    assert [event["type"].partition(".")[2] for event in world.pushed] == [
        "supplement-requested", "supplemented", "finished", "returned",
    ]  # fmt: skip
    assert (await client.post(path, headers=SCRIPTED)).status == 409


async def test_a_double_click_pushes_one_event(world, client):
    answers = await asyncio.gather(
        *(
            client.post(f"/simulator/dossiers/{CODE}/next", data={"number": "1"}, headers=SCRIPTED)
            for _ in range(2)
        )
    )
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert len(world.pushed) == 1


@pytest.mark.parametrize(
    ("failure", "refusal"), [(ClientConnectionError(), ""), (None, "the time lies ahead")]
)
async def test_an_event_that_is_not_stored_can_be_pushed_again(world, client, failure, refusal):
    world.failure, world.refusal = failure, refusal
    path = f"/simulator/dossiers/{CODE}/next"
    answer = await client.post(path, headers=SCRIPTED)
    assert answer.status == 502
    assert refusal in (await answer.json())["title"]
    world.failure, world.refusal = None, ""
    assert (await client.post(path, headers=SCRIPTED)).status == 200


# ------------------------------------------------------------------------------------ the carrier


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"mode": "refuse"}, ("refuse", 0.0, False)),
        ({"mode": "ok", "delay": "3"}, ("ok", 3.0, False)),
        ({"mode": "hang_up", "lose_receipts": "1"}, ("hang_up", 0.0, True)),
        ({}, ("ok", 0.0, False)),
    ],
)
async def test_the_carrier_is_switched(world, client, fields, faults):
    world.provider.set_faults(mode="busy", delay=1.0)
    answer = await client.post("/simulator/provider", data=fields, headers=SCRIPTED)
    assert answer.status == 200
    now = world.provider.faults
    assert (now.mode, now.delay, now.lose_receipts) == faults


async def test_every_mode_on_the_page_is_one_of_the_carrier(world, client):
    for mode in (await state(client))["carrier"]["modes"]:
        answer = await client.post(
            "/simulator/provider", data={"mode": mode["value"]}, headers=SCRIPTED
        )
        assert answer.status == 200
        assert world.provider.faults.mode == mode["value"]


# ------------------------------------------------------------------------------------- the outbox


async def test_messages_stand_where_they_are(world, client):
    states = ["queued", "sending", "accepted", "delivered", "delivered", "failed", "unknown",
              "expired", "cancelled", "superseded"]  # fmt: skip
    world.lines = [line(number, state) for number, state in enumerate(states)]
    outbox = (await state(client))["outbox"]
    assert {spot["place"]: spot["count"] for spot in outbox["flow"] + outbox["aside"]} == {
        "queued": 1, "sending": 1, "accepted": 1, "delivered": 2, "failed": 1, "unknown": 1,
        "cancelled": 3,
    }  # fmt: skip
    seen = text_of(await (await client.get("/simulator")).text())
    assert "Đã có tin mới hơn" in seen
    assert "Quá hạn gửi" in seen


async def test_an_unknown_notice_keeps_its_own_name(world, client):
    world.lines = [line(1, "queued", notice="tet_greeting", dossier=None)]
    assert "tet_greeting" in text_of(await (await client.get("/simulator")).text())


# --------------------------------------------------------------------------------- same origin only


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://{host}"}, 403),
        ({"Origin": "http://{host}"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://{host}.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/simulator/phones/0/text", {"text": "HD"}),
        ("/simulator/phones/0/power", {"on": "0"}),
        ("/simulator/clock", {"to": "hour"}),
        (f"/simulator/dossiers/{CODE}/next", {}),
        ("/simulator/provider", {"mode": "down"}),
    ],
)
async def test_only_the_page_itself_may_act(world, client, path, fields, headers, status):
    host = f"{client.host}:{client.port}"
    before = await state(client)
    headers = {name: value.format(host=host) for name, value in headers.items()}
    answer = await client.post(path, data=fields, headers={**headers, "Accept": "application/json"})
    assert answer.status == status
    assert (await state(client) == before) is (status == 403)


# ------------------------------------------------------------------------------------- the stream


class Watcher:
    """Reads the stream as a browser does: the regions as they stand, and which came last."""

    def __init__(self, response):
        self.response = response
        self.regions = {}

    async def next(self):
        """The regions of the next event."""
        while True:
            read = (await self.response.content.readline()).decode()
            if read == "":
                return None
            if read.startswith("data: "):
                fresh = json.loads(read.removeprefix("data: "))
                self.regions.update(fresh)
                return set(fresh)

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition(self.regions):
                assert await self.next() is not None


async def test_the_stream_tells_all_and_then_what_changes(world, client):
    async with client.get("/simulator/stream") as response:
        assert response.content_type == "text/event-stream"
        watcher = Watcher(response)
        assert await watcher.next() == {
            "clock", "dossiers", "outbox", "carrier", "phone-0", "phone-1", "phone-2",
        }  # fmt: skip
        await world.say(1, "Ho so da co ket qua.")
        assert await watcher.next() == {"phone-1"}
        assert "Ho so da co ket qua." in watcher.regions["phone-1"]
        await watcher.until(lambda regions: "bubble in delivered" in regions["phone-1"])
        world.lines = [line(1, "queued")]
        await watcher.until(lambda regions: 'id="dot-m1"' in regions["outbox"])
        world.clock.now += instant.HOUR
        await watcher.until(lambda regions: "09:00" in regions["clock"])


async def test_a_region_on_the_stream_is_what_the_page_has(world, client):
    await world.say(HOA, "Da tiep nhan ho so.")
    async with client.get("/simulator/stream") as response:
        watcher = Watcher(response)
        await watcher.until(lambda regions: "bubble in delivered" in regions.get("phone-0", ""))
    page = text_of(await (await client.get("/simulator")).text())
    for html in watcher.regions.values():
        assert text_of(html).strip() in page


async def test_streams_end_when_the_service_shuts_down(world):
    async with browsing(world) as client:
        response = await client.get("/simulator/stream")
        watcher = Watcher(response)
        await watcher.next()
        async with asyncio.timeout(10):
            await client.server.close()
            while await watcher.next() is not None:
                pass


async def test_a_browser_that_goes_away_leaves_no_stream_behind(world, client):
    before = asyncio.all_tasks()
    response = await client.get("/simulator/stream")
    await Watcher(response).next()
    response.close()
    async with asyncio.timeout(10):
        while asyncio.all_tasks() - before:
            world.provider.phones.touch()
            world.clock.now += instant.MINUTE
            await asyncio.sleep(0.01)
