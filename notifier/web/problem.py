"""Errors over HTTP: problem documents of RFC 9457."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from aiohttp import web

from notifier.errors import EventError, InputError, NotAllowedError, SignatureError

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

log = structlog.get_logger()


def problem(status: int, title: str, detail: str = "", **more: Any) -> web.Response:
    """A problem document."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return web.Response(
        status=status,
        body=msgspec.json.encode(document),
        content_type="application/problem+json",
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns errors into problem documents; what was not foreseen is a 500 that tells nothing."""
    try:
        return await handler(request)
    except SignatureError as error:
        return problem(401, "The request is not signed as agreed", str(error))
    except EventError as error:
        return problem(400, "No event can be read", error.problem, field=error.field)
    except NotAllowedError as error:
        return problem(409, "The rules forbid this", str(error))
    except InputError as error:
        return problem(400, "The request can't be read", str(error))
    except web.HTTPRequestEntityTooLarge:
        return problem(413, "The request is too large", "send fewer events at a time")
    except web.RequestPayloadError:
        return problem(400, "The request can't be read", "its body is not what its headers say")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _as_problem(error)
    except Exception as error:
        if isinstance(error, ConnectionError) and not request.content.is_eof():
            # The caller hung up before the request was whole: nobody reads this answer.
            return problem(400, "The request can't be read", "it breaks off")
        log.exception("web.failed", method=request.method, route=_route(request))
        return problem(500, "Something went wrong here", "nothing was taken; send it again")


def _as_problem(error: web.HTTPException) -> web.Response:
    """aiohttp's own refusal as a document; a 405 names the methods that there are (RFC 9110)."""
    response = problem(error.status, error.reason)
    if allowed := error.headers.get("Allow"):
        response.headers["Allow"] = allowed
    return response


def _route(request: web.Request) -> str:
    """The pattern of the path, never the path: it may hold a number."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""
