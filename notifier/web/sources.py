"""``POST /v1/sources/{name}``: a source's own form, answered after the commit as it expects."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from aiohttp import web

from notifier.errors import InputError, SignatureError
from notifier.flows.ingest import Fate
from notifier.ports import Quarantined, WebhookRequest
from notifier.web.events import answered
from notifier.web.problem import problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from notifier.domain.event import DossierEvent
    from notifier.flows.group_commit import GroupCommit
    from notifier.flows.ingest import Ingested
    from notifier.ports import Clock, HttpDoor
    from notifier.settings import ReplySettings

log = structlog.get_logger()

WORDS = {
    Fate.STORED: "stored",
    Fate.DUPLICATE: "known already",
    Fate.QUARANTINED: "kept for a person to look at",
}


class SourcesFace:
    """The doors of one-stop systems that push in a form of their own.

    A sender that does not find its own "ok" pushes for ever: what is kept for a person is taken as
    far as it is concerned, and only what holds no record at all is refused.
    """

    def __init__(
        self,
        doors: Mapping[str, tuple[HttpDoor, ReplySettings]],
        ingest: GroupCommit[DossierEvent | Quarantined, Ingested],
        clock: Clock,
    ) -> None:
        self._doors = doors
        self._ingest = ingest
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The push, and the login of sources with sessions."""
        return [
            web.post("/v1/sources/{name}", self.push),
            web.post("/v1/sources/{name}/session", self.session),
        ]

    async def push(self, request: web.Request) -> web.Response:
        """One push of a source."""
        found = self._doors.get(request.match_info["name"])
        if found is None:
            return problem(404, "There is no such source")
        door, reply = found
        if not reply.field:
            return await self._push(door, reply, request)
        try:
            return await self._push(door, reply, request)
        except SignatureError as error:
            return _said(reply, str(error), status=401)
        except InputError as error:
            return _said(reply, str(error), status=400)
        except web.HTTPRequestEntityTooLarge:
            return _said(reply, "the push is too large; send fewer records at a time", status=413)
        except web.HTTPException:
            raise
        except Exception:
            log.exception("web.failed", method="POST", route="/v1/sources/{name}")
            return _said(reply, "something went wrong here; send it again", status=500)

    async def session(self, request: web.Request) -> web.Response:
        """``{username, password}`` to ``{session, error_code}``."""
        found = self._doors.get(request.match_info["name"])
        if found is None:
            return problem(404, "There is no such source")
        door, reply = found
        field = reply.field or "error_code"
        try:
            token = door.open_session(await request.read())
        except SignatureError as error:
            return _json({"session": "", field: reply.failed, "detail": str(error)}, status=401)
        return _json({"session": token, field: reply.ok})

    async def _push(
        self, door: HttpDoor, reply: ReplySettings, request: web.Request
    ) -> web.Response:
        body = await request.read()
        items = door.read(
            WebhookRequest(
                method=request.method,
                path="",
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
                remote=request.remote or "",
                received_at=self._clock.elapsed(),
            )
        )
        results = await self._ingest.all(items)
        if not reply.field:
            return answered(items, results)
        if len(items) == 1 and isinstance(items[0], Quarantined) and items[0].raw == body:
            return _said(reply, results[0].reason, status=400)
        return _said(reply, _counted(results), status=200)


def _counted(results: Sequence[Ingested]) -> str:
    counts = Counter(result.fate for result in results)
    return ", ".join(f"{counts[fate]} {words}" for fate, words in WORDS.items() if counts[fate])


def _said(reply: ReplySettings, words: str, *, status: int) -> web.Response:
    said = {reply.field: reply.ok if status == 200 else reply.failed}
    return _json(said | ({reply.message: words} if reply.message else {}), status=status)


def _json(document: dict[str, Any], *, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(document), content_type="application/json"
    )
