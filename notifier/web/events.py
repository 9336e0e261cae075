"""``POST /v1/events``: answered after the commit, with one result an item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from notifier.flows.ingest import Fate
from notifier.ports import Quarantined
from notifier.web.problem import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.domain.event import DossierEvent
    from notifier.flows.group_commit import GroupCommit
    from notifier.flows.ingest import Ingested
    from notifier.ports import HttpSource


class EventsFace:
    """The door of vendors' one-stop systems."""

    def __init__(
        self, source: HttpSource, ingest: GroupCommit[DossierEvent | Quarantined, Ingested]
    ) -> None:
        self._source = source
        self._ingest = ingest

    def routes(self) -> list[web.RouteDef]:
        """The path of the event interface."""
        return [web.post("/v1/events", self.post)]

    async def post(self, request: web.Request) -> web.Response:
        """202 with results; 400 where nothing can be read; 401 for a bad signature."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        items = self._source.read(body, request.content_type, headers)
        results = await self._ingest.all(items)
        return answered(items, results)


def answered(
    items: Sequence[DossierEvent | Quarantined], results: Sequence[Ingested]
) -> web.Response:
    """202 with a result an item; 400 where none of them can be read."""
    rows = [_row(item, result) for item, result in zip(items, results, strict=True)]
    if all(isinstance(item, Quarantined) and not item.understood for item in items):
        field, _, detail = results[0].reason.partition(": ")
        named = field if field.startswith("/") else ""
        said = detail if named else results[0].reason
        return problem(400, "No event can be read", said, field=named, results=rows)
    return web.Response(
        status=202,
        body=msgspec.json.encode({"results": rows}),
        content_type="application/json",
    )


def _row(item: DossierEvent | Quarantined, result: Ingested) -> dict[str, Any]:
    row: dict[str, Any] = {"result": result.fate.value}
    if not isinstance(item, Quarantined):
        row |= {"id": item.id, "source": item.source, "subject": item.code}
    if result.fate is Fate.QUARANTINED:
        row["reason"] = result.reason
    return row
