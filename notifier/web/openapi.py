"""``GET /v1/openapi.json``: the faces that other systems call, as an OpenAPI 3.1 document."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE: Final = "#/components/schemas/{name}"


class Result(msgspec.Struct, omit_defaults=True):
    """What became of an event; a reason where it was quarantined."""

    result: Literal["stored", "duplicate", "quarantined"]
    id: str = ""
    source: str = ""
    subject: str = ""
    reason: str = ""


class Results(msgspec.Struct):
    """One result for each event, in order."""

    results: list[Result]


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457; ``field`` is a JSON pointer into the event."""

    type: str
    title: str
    status: int
    detail: str
    field: str = ""
    results: list[Result] = []


class Rest(msgspec.Struct):
    """Why a gateway rests, since when, and when it is tried next."""

    reason: str
    since: str
    until: str


class State(msgspec.Struct):
    """How a gateway is."""

    state: Literal["ok", "degraded", "down"]
    reason: str
    breaker: Rest | msgspec.UnsetType = msgspec.UNSET


class Live(msgspec.Struct):
    """The process answers."""

    status: Literal["ok"]


class Ready(msgspec.Struct):
    """The store answers; how the gateways are."""

    status: Literal["ok", "degraded"]
    gateways: dict[str, State]


class OpenApiFace:
    """Hands out the document."""

    def __init__(self, event_schemas: Mapping[str, Any]) -> None:
        """``event_schemas``: JSON Schemas by name; one is called ``Event``."""
        self._body = msgspec.json.encode(document(event_schemas))

    def routes(self) -> list[web.RouteDef]:
        """The path of the document."""
        return [web.get("/v1/openapi.json", self.get)]

    async def get(self, request: web.Request) -> web.Response:
        """200 with the document."""
        del request
        return web.Response(body=self._body, content_type="application/json")


def document(event_schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The whole of it: what other systems call, not what people or the staff's console do."""
    _, ours = msgspec.json.schema_components([Results, Problem, Live, Ready], ref_template=_PLACE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "motcua-notifier",
            "version": version("motcua-notifier"),
            "description": "docs/event-api.md says what the words mean.",
        },
        "paths": {
            "/v1/events": {"post": _events()},
            "/v1/openapi.json": {"get": _get("This document", {"type": "object"})},
            "/v1/sources/{name}": {"post": _own_form("A push in the source's own form")},
            "/v1/sources/{name}/session": {"post": _own_form("The login of a source")},
            "/hooks/{gateway}": _hook("gateway"),
            "/hooks/{gateway}/{tail}": _hook("gateway", "tail"),
            "/health/live": {"get": _get("Whether the process answers", _schema("Live"))},
            "/health/ready": {"get": _get("Whether it can work", _schema("Ready"))},
            "/metrics": {"get": _get("Prometheus", {"type": "string"}, kind="text/plain")},
        },
        "components": {"schemas": {**event_schemas, **ours}},
    }


def _events() -> dict[str, Any]:
    event = _schema("Event")
    return {
        "summary": "What happened to dossiers, signed by Standard Webhooks",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/cloudevents+json": {"schema": event},
                "application/cloudevents-batch+json": {
                    "schema": {"type": "array", "minItems": 1, "items": event}
                },
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        "responses": {
            "202": _response("At least one event could be read", _schema("Results")),
            **_refusals("400", "401", "413", "417"),
        },
    }


def _own_form(summary: str) -> dict[str, Any]:
    """The words are the source's, those of a refusal too."""
    return {
        "summary": summary,
        "parameters": [_in_path("name")],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {
            status: {"description": "In the words that the source expects"}
            for status in ("200", "202", "400", "401", "404", "413", "417")
        },
    }


def _hook(*parameters: str) -> dict[str, Any]:
    """The words are the provider's, so nothing is said of them."""
    call = {
        "summary": "What a provider calls",
        "parameters": [_in_path(name) for name in parameters],
        "responses": {
            "200": {"description": "Taken, in the words that the provider expects"},
            **_refusals("400", "401", "404", "413", "417"),
        },
    }
    body = {
        "application/json": {"schema": {}},
        "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        "text/plain": {"schema": {"type": "string"}},
    }
    return {"get": call, "post": {**call, "requestBody": {"content": body}}}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _get(summary: str, schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _response(summary, schema, kind)}}


def _refusals(*statuses: str) -> dict[str, Any]:
    said = _response("Refused", _schema("Problem"), "application/problem+json")
    return dict.fromkeys(statuses, said)


def _response(
    description: str, schema: dict[str, Any], kind: str = "application/json"
) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": _PLACE.format(name=name)}
