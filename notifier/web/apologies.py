"""``/v1/apologies``, for the staff's console; ``/v1/letters/{token}``, for whoever holds one."""

from __future__ import annotations

import hmac
from html import escape
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from aiohttp import web

from notifier.domain import instant
from notifier.domain.apology import ApologyState
from notifier.domain.deadline import CLOSING_TIME
from notifier.domain.letter import Purpose
from notifier.errors import ConfigurationError, InputError, NotAllowedError
from notifier.web.problem import problem

if TYPE_CHECKING:
    from notifier.domain.apology import Apology, ApologyAct
    from notifier.flows.apologise import Apologise, Debt
    from notifier.ports import Letters

MOST: Final = 1_000

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Words = Annotated[str, msgspec.Meta(max_length=500)]


class Draft(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /v1/apologies``. ``new_due``: a day, at closing time, or a moment in ISO 8601."""

    dossier: Name
    new_due: Name
    by: Name
    reason_key: Words = ""
    reason: Words = ""


class Approval(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /v1/apologies/{id}/approve``"""

    by: Name
    number: Name
    signer: Words = ""
    title: Words = ""


class Act(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /v1/apologies/{id}/reject``, ``withdraw`` and ``handover``."""

    by: Name
    note: Words = ""


class ApologiesFace:
    """What people do with apologies, behind a bearer token; without one there is no such path."""

    def __init__(self, apologise: Apologise, letters: Letters, *, token: str) -> None:
        self._apologise = apologise
        self._letters = letters
        self._token = token.encode()

    def routes(self) -> list[web.RouteDef]:
        """The console's paths, where there is a token, and the public one."""
        public = [web.get("/v1/letters/{token}", self.letter_of)]
        if not self._token:
            return public
        one = "/v1/apologies/{id}"
        return [
            *public,
            web.get("/v1/apologies", self.listed),
            web.post("/v1/apologies", self.draft),
            web.get("/v1/apologies/debts", self.debts),
            web.get(one, self.shown),
            web.get(f"{one}/letter", self.letter),
            web.post(f"{one}/approve", self.approve),
            web.post(f"{one}/{{act:reject|withdraw|handover}}", self.act),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        """Those in ``?state=``, of ``?dossier=``; newest first."""
        if (refused := self._refused(request)) is not None:
            return refused
        named = request.query.get("state", "")
        try:
            state = ApologyState(named) if named else None
        except ValueError:
            known = ", ".join(state.value for state in ApologyState)
            raise InputError(f"there is no state {named}; there are {known}") from None
        found = await self._apologise.listed(
            state=state, dossier=request.query.get("dossier", ""), limit=_limit(request)
        )
        return _json({"apologies": [row(apology) for apology in found]})

    async def debts(self, request: web.Request) -> web.Response:
        """Late dossiers without an apology, the oldest delay first."""
        if (refused := self._refused(request)) is not None:
            return refused
        owed = await self._apologise.debts(_limit(request))
        return _json({"debts": [debt_row(debt) for debt in owed]})

    async def shown(self, request: web.Request) -> web.Response:
        """One, with its acts."""
        if (refused := self._refused(request)) is not None:
            return refused
        found, acts = await self._apologise.shown(request.match_info["id"])
        return _json(row(found, acts))

    async def draft(self, request: web.Request) -> web.Response:
        """201 with the draft; 409 where the rules forbid it."""
        if (refused := self._refused(request)) is not None:
            return refused
        asked = await _read(request, Draft)
        made = await self._apologise.draft(
            asked.dossier,
            new_due_at=read_new_due(asked.new_due),
            reason_key=asked.reason_key,
            reason=asked.reason,
            author=asked.by,
        )
        return _json(row(made), status=201)

    async def approve(self, request: web.Request) -> web.Response:
        """The signed one; 409 where the rules forbid it."""
        if (refused := self._refused(request)) is not None:
            return refused
        asked = await _read(request, Approval)
        signed = await self._apologise.approve(
            request.match_info["id"],
            by=asked.by,
            number=asked.number,
            signer=asked.signer,
            title=asked.title,
        )
        return _json(row(signed))

    async def act(self, request: web.Request) -> web.Response:
        """Rejected, withdrawn, or handed over on paper."""
        if (refused := self._refused(request)) is not None:
            return refused
        asked = await _read(request, Act)
        acts = {
            "reject": self._apologise.reject,
            "withdraw": self._apologise.withdraw,
            "handover": self._apologise.handed_over,
        }
        done = acts[request.match_info["act"]]
        return _json(row(await done(request.match_info["id"], by=asked.by, note=asked.note)))

    async def letter(self, request: web.Request) -> web.Response:
        """The letter as PDF."""
        if (refused := self._refused(request)) is not None:
            return refused
        found, _ = await self._apologise.shown(request.match_info["id"])
        if not found.letter:
            raise NotAllowedError(f"apology {found.id} is {found.state.value}, and not signed")
        return await self._pdf(found)

    async def letter_of(self, request: web.Request) -> web.Response:
        """Whether a letter is genuine, or the letter itself: the token says which.

        A token that is not ours, or is over, and one of nothing that was signed, are told alike.
        """
        opened = await self._apologise.opened(request.match_info["token"])
        if opened is None:
            return _page(NOT_GENUINE, status=404)
        found, purpose = opened
        return await self._pdf(found) if purpose is Purpose.FETCH else _page(_genuine(found))

    async def _pdf(self, apology: Apology) -> web.Response:
        try:
            made = await self._letters.pdf(apology.template, apology.letter)
        except ConfigurationError as error:
            return problem(503, "No letter can be made here", str(error))
        name = f"xin-loi-{apology.dossier}.pdf"
        headers = {"Content-Disposition": f'inline; filename="{name}"', **PRIVATE}
        return web.Response(body=made, content_type="application/pdf", headers=headers)

    def _refused(self, request: web.Request) -> web.Response | None:
        """The answer to whoever does not have the token."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        known = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)
        if kind.lower() == "bearer" and known:
            return None
        answer = problem(401, "A token is needed", "send it as Authorization: Bearer")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer


def read_new_due(text: str) -> int:
    """A day, at closing time, or a moment, in ms; raises ``InputError``."""
    try:
        return instant.read_iso(text, day_ends=CLOSING_TIME)
    except ValueError as error:
        raise InputError(f"{text} is neither a day nor a moment in ISO 8601: {error}") from None


def row(apology: Apology, acts: list[ApologyAct] | None = None) -> dict[str, Any]:
    """An apology as the console and the command line show it; without the applicant's name."""
    shown = {
        "id": apology.id,
        "dossier": apology.dossier,
        "state": apology.state.value,
        "due": instant.iso(apology.due_at),
        "new_due": instant.iso(apology.new_due_at),
        "reason_key": apology.reason_key,
        "reason": apology.reason,
        "late": apology.late,
        "author": apology.author,
        "approver": apology.approver,
        "number": apology.number,
        "signer": apology.signer,
        "title": apology.title,
        "signed": instant.iso(apology.signed_at) if apology.signed_at is not None else None,
    }
    if acts is None:
        return shown
    happened = [
        {"at": instant.iso(act.at), "act": act.act, "by": act.by, "note": act.note} for act in acts
    ]
    return {**shown, "acts": happened}


def debt_row(debt: Debt) -> dict[str, Any]:
    """A debt as the console and the command line show it."""
    facts = debt.dossier.facts
    return {
        "dossier": debt.dossier.code,
        "due": instant.iso(facts.due_at) if facts.due_at is not None else None,
        "unit": (facts.unit.name or facts.unit.code) if facts.unit else None,
        "why": debt.why,
        "draft": debt.draft or None,
    }


async def _read(request: web.Request, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the request is not what it should be: {error}") from None


def _limit(request: web.Request) -> int:
    given = request.query.get("limit", "100")
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= MOST):
        raise InputError(f"limit is a number from 1 to {MOST}")
    return int(given)


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json"
    )


# ------------------------------------------------------------------------------- the public page

PRIVATE: Final = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
STRICT: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

NOT_GENUINE: Final = (
    "<h1>Không xác nhận được văn bản</h1>"
    "<p>Không có văn bản nào ứng với mã này, hoặc đường dẫn đã hết hạn. Ông/Bà vui lòng hỏi trực "
    "tiếp cơ quan ghi trên văn bản.</p>"
)

FRAME: Final = (
    '<!doctype html><html lang="vi"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>Kiểm tra văn bản</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;"
    "max-width:36rem;margin:3rem auto;padding:0 1rem}}dt{{color:#555}}dd{{margin:0 0 .8rem;"
    "font-weight:600}}</style></head><body>{body}</body></html>"
)


def _genuine(apology: Apology) -> str:
    """Number, date, agency and code; who it was written to is nobody else's."""
    signed = instant.local_date(apology.signed_at or apology.created_at)
    told = {
        "Số": apology.number,
        "Ngày ký": f"{signed:%d/%m/%Y}",
        "Cơ quan ban hành": apology.letter.get("agency", ""),
        "Mã hồ sơ": apology.dossier,
    }
    lines = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in told.items()
    )
    return f"<h1>Văn bản do cơ quan ban hành</h1><dl>{lines}</dl>"


def _page(body: str, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        text=FRAME.format(body=body),
        content_type="text/html",
        headers={"Content-Security-Policy": STRICT, **PRIVATE},
    )
