"""The OpenAPI document: what it describes is what there is."""

from __future__ import annotations

import re

import msgspec

FOR_PEOPLE = ("/v1/apologies", "/v1/letters")
"""What the staff's console and citizens open."""


async def test_every_path_that_others_call_is_in_the_document(running) -> None:
    status, document = await running.call("GET", "/v1/openapi.json")
    assert status == 200
    served = {
        f"{path} {'*' if route.method == '*' else route.method.lower()}"
        for route in running.service.server._app.router.routes()
        if (path := route.resource.canonical) and route.method != "HEAD"
        if not path.startswith(FOR_PEOPLE)
    }
    told = {
        f"{path} {'*' if path.startswith('/hooks/') else method}"
        for path, calls in document["paths"].items()
        for method in calls
    }
    assert served == told


async def test_every_reference_leads_somewhere(running) -> None:
    _, document = await running.call("GET", "/v1/openapi.json")
    named = set(re.findall(r"#/components/schemas/(\w+)", msgspec.json.encode(document).decode()))
    assert named == set(document["components"]["schemas"])
