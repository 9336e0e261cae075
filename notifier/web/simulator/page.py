"""The page's HTTP faces: itself, its stream of changes, and what its buttons do."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import jinja2
from aiohttp import ClientError, web

from notifier.web.simulator.view import MODES, due_dates, moves, view

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from notifier.web.simulator.story import StoryPhone
    from notifier.web.simulator.world import SimulatedWorld

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATH: Final = "/simulator"
MESSAGES_SHOWN: Final = 60
"""Messages that the page counts and draws."""
LONGEST_TEXT: Final = 480
"""Characters of a text that a phone lets a person write."""
LONGEST_DELAY: Final = 30.0
LOOK_EVERY: Final = 0.4
"""Seconds after which the stream looks at the outbox, when no phone has changed before."""
BREATH: Final = 0.08
"""Seconds between two looks at the least, however fast things change."""
HEARTBEAT_EVERY: Final = 15.0

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
ASSETS: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "mark.svg": "image/svg+xml",
}


class Declined(Exception):  # noqa: N818 - a sentence for a person, not a fault of the program
    """What was asked for can't be done; ``status`` is the HTTP status of the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


class SimulatorPage:
    """The page's state: how far each dossier's story has gone, and who watches.

    The events that open the story (``Story.opening``) are taken as pushed.
    """

    def __init__(self, world: SimulatedWorld, templates: Path) -> None:
        """``templates`` is the folder ``templates/simulator``."""
        self._world = world
        self._folder = templates
        self._pages = _environment(templates)
        self._told = {dossier.code: dossier.opening for dossier in world.story.dossiers}
        self._telling = asyncio.Lock()
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """Everything under ``/simulator``, and the way there from ``/``."""
        return [
            web.get("/", self._home),
            web.get(PATH, self._page),
            web.get(f"{PATH}/state", self._state),
            web.get(f"{PATH}/stream", self._stream),
            web.get(PATH + "/{asset:page\\.css|page\\.js|mark\\.svg}", self._asset),
            web.post(PATH + "/phones/{index:[0-9]{1,3}}/text", self._act(self._text)),
            web.post(PATH + "/phones/{index:[0-9]{1,3}}/power", self._act(self._power)),
            web.post(PATH + "/clock", self._act(self._move)),
            web.post(PATH + "/dossiers/{code}/next", self._act(self._next)),
            web.post(PATH + "/provider", self._act(self._provider)),
        ]

    def close(self) -> None:
        """Ends the streams, within half a second: call it before the server waits for them."""
        self._closing.set()

    # reading

    async def _home(self, _request: web.Request) -> web.StreamResponse:
        raise web.HTTPSeeOther(PATH)

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        return await self._whole_page()

    async def _whole_page(self, *, status: int = 200, flash: str = "") -> web.Response:
        view = await self._view()
        text = self._pages.get_template("page.html").render(**view, flash=flash)
        return web.Response(
            text=text, status=status, content_type="text/html", headers=SECURITY_HEADERS
        )

    async def _state(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._view(), headers=SECURITY_HEADERS)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["asset"]
        text = (self._folder / name).read_text(encoding="utf-8")
        headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache"}
        return web.Response(text=text, content_type=ASSETS[name], headers=headers)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        headers = {
            **SECURITY_HEADERS,
            "Content-Type": "text/event-stream",
            "X-Accel-Buffering": "no",
        }
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        try:
            await response.write(b"retry: 1000\n\n")
            await self._tell_changes(response)
        except ConnectionError:  # the browser has gone
            pass
        return response

    async def _tell_changes(self, response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        shown: dict[str, str] = {}
        spoke_at = loop.time()
        while not self._closing.is_set():
            version = self._world.provider.phones.version
            regions = await self._regions()
            fresh = {name: html for name, html in regions.items() if shown.get(name) != html}
            if fresh:
                shown = regions
                told = json.dumps(fresh, ensure_ascii=False)
                await response.write(f"data: {told}\n\n".encode())
                spoke_at = loop.time()
            elif loop.time() - spoke_at > HEARTBEAT_EVERY:
                await response.write(b": here\n\n")
                spoke_at = loop.time()
            await self._pause(version)

    async def _pause(self, version: int) -> None:
        await asyncio.sleep(BREATH)
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._world.provider.phones.changed(version)
        except TimeoutError:
            return

    async def _regions(self) -> dict[str, str]:
        view = await self._view()
        regions = {
            name: self._pages.get_template(f"parts/{name}.html").render(**view)
            for name in ("clock", "dossiers", "outbox", "carrier")
        }
        phone = self._pages.get_template("parts/phone.html")
        for shown in view["phones"]:
            regions[f"phone-{shown['index']}"] = phone.render(**view, phone=shown)
        return regions

    # acting

    def _act(self, act: Callable[[web.Request, Mapping[str, Any]], Awaitable[None]]) -> Handler:
        """``act`` as a handler: same origin only; answers a script with JSON, a form by a page."""

        async def handle(request: web.Request) -> web.StreamResponse:
            scripted = "application/json" in request.headers.get("Accept", "")
            try:
                _same_origin(request)
                await act(request, await _fields(request))
            except Declined as declined:
                if not scripted:
                    return await self._whole_page(status=declined.status, flash=str(declined))
                problem = {"status": declined.status, "title": str(declined)}
                return web.json_response(
                    problem,
                    status=declined.status,
                    content_type="application/problem+json",
                    headers=SECURITY_HEADERS,
                )
            if scripted:
                return web.json_response({"ok": True}, headers=SECURITY_HEADERS)
            raise web.HTTPSeeOther(PATH)

        return handle

    async def _text(self, request: web.Request, fields: Mapping[str, Any]) -> None:
        phone = self._phone(request)
        text = str(fields.get("text", "")).strip()
        if not text:
            raise Declined(400, "Tin nhắn còn trống. Hãy nhập nội dung rồi gửi lại.")
        if len(text) > LONGEST_TEXT:
            raise Declined(400, f"Tin nhắn dài quá {LONGEST_TEXT} ký tự. Hãy rút ngắn.")
        carrier = self._world.provider
        if phone.number in carrier.faults.switched_off:
            raise Declined(409, "Điện thoại đang tắt. Hãy bật máy trước khi gửi.")
        call = carrier.write(phone.number, text)
        try:
            await self._world.deliver(call)
        except (ClientError, TimeoutError, OSError):
            carrier.written(phone.number, call.id, arrived=False)
            raise Declined(502, "Dịch vụ không nhận tin nhắn này. Hãy xem nhật ký.") from None
        carrier.written(phone.number, call.id, arrived=True)

    async def _power(self, request: web.Request, fields: Mapping[str, Any]) -> None:
        phone = self._phone(request)
        off = self._world.provider.faults.switched_off
        on = _flag(fields.get("on"))
        self._world.provider.set_faults(
            switched_off=off - {phone.number} if on else off | {phone.number}
        )

    async def _move(self, _request: web.Request, fields: Mapping[str, Any]) -> None:
        now = self._world.clock.civil()
        offered = moves(now, due_dates(self._world.story, await self._world.dossiers()))
        target = next((move["at"] for move in offered if move["to"] == fields.get("to")), None)
        if target is None:
            raise Declined(409, "Đồng hồ không có bước này vào lúc này.")
        await self._world.move(target - now)

    async def _next(self, request: web.Request, fields: Mapping[str, Any]) -> None:
        story = self._world.story
        dossier = story.dossier(request.match_info["code"])
        if dossier is None:
            raise Declined(404, "Không có hồ sơ này trong câu chuyện.")
        async with self._telling:
            number = self._told[dossier.code]
            if str(fields.get("number", number)) != str(number):
                raise Declined(409, "Sự kiện này đã được gửi rồi.")
            if number >= len(dossier.events):
                raise Declined(409, "Hồ sơ đã đi hết câu chuyện.")
            await self._push(story.event(dossier, number, self._world.clock.civil()))
            self._told[dossier.code] = number + 1

    async def _push(self, event: Mapping[str, Any]) -> None:
        try:
            pushed = await self._world.push(event)
        except (ClientError, TimeoutError, OSError):
            raise Declined(502, "Dịch vụ không nhận sự kiện này. Hãy xem nhật ký.") from None
        if not pushed.stored:
            raise Declined(502, f"Dịch vụ không lưu sự kiện này: {pushed.detail}")

    async def _provider(self, _request: web.Request, fields: Mapping[str, Any]) -> None:
        mode = str(fields.get("mode", "ok"))
        if mode not in MODES:
            raise Declined(400, "Nhà mạng không có chế độ này.")
        try:
            delay = float(fields.get("delay") or 0)
        except (TypeError, ValueError):
            raise Declined(400, "Thời gian chậm phải là số giây.") from None
        if not 0 <= delay <= LONGEST_DELAY:
            raise Declined(400, f"Thời gian chậm phải từ 0 đến {LONGEST_DELAY:.0f} giây.")
        self._world.provider.set_faults(
            mode=mode, delay=delay, lose_receipts=_flag(fields.get("lose_receipts"))
        )

    def _phone(self, request: web.Request) -> StoryPhone:
        phones = self._world.story.phones
        index = int(request.match_info["index"])
        if index >= len(phones):
            raise Declined(404, "Không có điện thoại này trong câu chuyện.")
        return phones[index]

    async def _view(self) -> dict[str, Any]:
        world = self._world
        return view(
            world.story,
            now=world.clock.civil(),
            told=self._told,
            stored=await world.dossiers(),
            messages=await world.outbox(MESSAGES_SHOWN),
            carrier=world.provider,
        )


def _environment(templates: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _same_origin(request: web.Request) -> None:
    """Refuses what another site's page could have sent; some of the two headers must be there."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        allowed = site == "same-origin"
    else:
        allowed = origin is not None and urlsplit(origin).netloc == request.host
    if not allowed:
        raise Declined(403, "Yêu cầu phải đến từ chính trang này.")


async def _fields(request: web.Request) -> Mapping[str, Any]:
    if request.content_type != "application/json":
        return dict(await request.post())
    try:
        fields = await request.json()
    except ValueError:
        raise Declined(400, "Nội dung không phải là JSON.") from None
    if not isinstance(fields, dict):
        raise Declined(400, "Nội dung phải là một đối tượng JSON.")
    return fields


def _flag(value: object) -> bool:
    return value in (True, "1", "on", "true")
