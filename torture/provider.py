"""The provider's double, a process of its own: it alone says what reached a phone, and how often.

It keeps every message that it took, by the idempotency key and by the text, behaves as the weather
says, and reports deliveries promptly, late, early, twice, in contradiction, or not at all.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import asdict, dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp import web

from torture.weather import REPLIES, REPORTS, TAKEN, Reply, Report, Weather, draw

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from torture.points import Shared

TOKEN: Final = "the-provider-and-we-know-this"
STRANGE: Final = "beyond words"
REPORT_TRIES: Final = 25
REPORT_PAUSE: Final = 0.15
"""Seconds between tries to report: a provider gives up in the end, and the report is lost."""

WORDS: Final = {
    Reply.ACCEPT: "00",
    Reply.NOT_NOW: "busy",
    Reply.NOT_SURE: "unsure",
    Reply.NO_PERSON: "person",
    Reply.NO_TEXT: "text",
    Reply.NO_TEMPLATE: "template",
    Reply.NO_ACCOUNT: "account",
    Reply.NO_CONFIGURATION: "configuration",
    Reply.OPTED_OUT: "stop",
}

STATUSES: Final = {
    Reply.TAKE_AND_BREAK: 500,
    Reply.BREAK: 500,
    Reply.BUSY: 429,
    Reply.DOWN: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between providers. ``by_key``: reports name our key and not a reference."""

    suppresses: bool
    by_key: bool
    by_part: bool


DIALECTS: Final = (
    Dialect(suppresses=False, by_key=False, by_part=False),
    Dialect(suppresses=False, by_key=False, by_part=True),
    Dialect(suppresses=False, by_key=True, by_part=False),
    Dialect(suppresses=True, by_key=False, by_part=False),
)
"""A round each, in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One message that the provider took: a phone rang."""

    key: str
    to: str
    text: str


def gateway_table(dialect: Dialect, port: int) -> dict[str, Any]:
    """The settings of gateway ``http_sms`` for this double, behind the line at ``port``."""
    return {
        "kind": "http_sms",
        "rate": 400.0,
        "window": 12,
        "max_segments": 6,
        "suppresses_duplicates": 86_400 if dialect.suppresses else 0,
        "request": {
            "url": f"http://127.0.0.1:{port}/send",
            "connect_timeout": 0.4,
            "timeout": 0.8,
            "body": {"kind": "json", "content": {"to": "{to}", "text": "{text}", "key": "{key}"}},
        },
        "answer": {
            "code": "code",
            "ref": "ref",
            "retry_after": 1.0,
            "codes": {
                "00": "accepted",
                "seen": "duplicate",
                "busy": "temporary",
                "unsure": "unknown",
                "person": "permanent:recipient",
                "text": "permanent:content",
                "template": "permanent:template",
                "account": "permanent:account",
                "configuration": "permanent:configuration",
                "stop": "opted_out",
            },
        },
        "receipts": {
            "fields": "json",
            "auth": [{"kind": "secret", "place": "header", "name": "X-Token", "secret": TOKEN}],
            "ref": "ref",
            "ref_is": "key" if dialect.by_key else "ref",
            "status": "status",
            "statuses": {"pending": "pending", "delivered": "delivered", "failed": "failed"},
        },
        "inbound": {
            "auth": [{"kind": "secret", "place": "header", "name": "X-Token", "secret": TOKEN}],
            "fields": "json",
            "id": "id",
            "sender": "from",
            "text": "text",
        },
    }


class Provider:
    """One provider over one round."""

    def __init__(self, shared: Shared, dialect: Dialect, hooks: Sequence[str], seed: str) -> None:
        """``hooks``: the addresses of the services' hooks for this gateway, which take turns."""
        self._shared = shared
        self._dialect = dialect
        self._hooks = itertools.cycle(hooks)
        self._chance = Random(seed)
        self._took: list[Took] = []
        self._seen: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._drawn: dict[str, int] = {}
        self._strange: set[str] = set()
        self._reporting: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    async def serve(self, listening: socket.socket) -> None:
        """For ever."""
        app = web.Application()
        app.add_routes([web.post("/send", self._send), web.get("/books", self._books)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2))
        await asyncio.Event().wait()

    async def _books(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "took": [asdict(took) for took in self._took],
                "drawn": self._drawn,
                "strange": len(self._strange),
            }
        )

    async def _send(self, request: web.Request) -> web.StreamResponse:
        asked = Took(**await request.json())
        reply = draw(self._chance, REPLIES[Weather(self._shared.weather)])
        self._drawn[reply] = self._drawn.get(reply, 0) + 1
        ref = ""
        code = WORDS.get(reply, "00")
        if reply in TAKEN:
            known = self._seen.get(asked.key) if self._dialect.suppresses else None
            ref = known or f"r{next(self._numbers)}"
            code = "seen" if known else "00"
            if known is None:
                await self._take(asked, ref)
        return await self._answer(request, reply, code, ref)

    async def _take(self, asked: Took, ref: str) -> None:
        self._took.append(asked)
        self._seen[asked.key] = ref
        report = draw(self._chance, REPORTS)
        name = asked.key if self._dialect.by_key else ref
        if report is Report.EARLY:
            await self._tell(name, "delivered", tries=1)
            return
        task = asyncio.create_task(self._report(report, name))
        self._reporting.add(task)
        task.add_done_callback(self._reporting.discard)

    async def _answer(
        self, request: web.Request, reply: Reply, code: str, ref: str
    ) -> web.StreamResponse:
        match reply:
            case Reply.TAKE_AND_HANG_UP | Reply.HANG_UP:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            case Reply.TAKE_IN_SILENCE:
                await asyncio.sleep(5)
                return web.Response(status=500)
            case Reply.TAKE_AND_BABBLE:
                return web.Response(body=b'<html>{"code": \xff\xfe', content_type="text/html")
            case _ if reply in STATUSES:
                headers = {"Retry-After": "1"} if reply is Reply.BUSY else {}
                return web.Response(status=STATUSES[reply], headers=headers)
            case _:
                return web.json_response({"code": code, "ref": ref})

    async def _report(self, report: Report, name: str) -> None:
        pause = self._chance.uniform(0.5, 3.0) if report is Report.LATE else 0.02
        await asyncio.sleep(pause * self._chance.uniform(0.2, 1.0))
        said = {
            Report.LOST: (),
            Report.DOUBLED: ("delivered", "delivered"),
            Report.PENDING_FIRST: ("pending", "delivered"),
            Report.FAILED: ("failed",),
            Report.CONTRADICTED: ("failed", "delivered"),
            Report.STRANGE: (STRANGE,),
        }.get(report, ("delivered",))
        shuffled = self._chance.sample(said, len(said))
        for status in shuffled:
            await self._tell(name, status, tries=REPORT_TRIES)

    async def _tell(self, name: str, status: str, *, tries: int) -> None:
        assert self._http is not None
        body = {"ref": name, "status": status}
        for _ in range(tries):
            try:
                async with self._http.post(
                    f"{next(self._hooks)}/receipt", json=body, headers={"X-Token": TOKEN}
                ) as response:
                    if response.status == 200:
                        if status == STRANGE:
                            self._strange.add(name)
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(REPORT_PAUSE)
