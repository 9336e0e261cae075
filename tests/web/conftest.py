"""A running service with simulated phones, in this process, on a store that is thrown away."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import aiohttp
import office
import pytest
import structlog

from notifier.bootstrap.core import configure
from notifier.bootstrap.service import Service
from notifier.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


SOURCES = {
    "lgsp": {
        "kind": "http",
        "map": "exchange",
        "auth": "session",
        "user": "tinh",
        "secret": "a password of theirs",
        "reply": {"field": "error_code", "message": "message"},
    },
    "rest": {
        "kind": "http",
        "map": "exchange",
        "auth": "bearer",
        "secret": "a token of theirs",
        "query": {"MaDinhDanhDV": "000.00.01.H22"},
        "reply": {"field": "response_code"},
    },
    "igate": {
        "kind": "http",
        "map": "exchange",
        "auth": "basic",
        "user": "igate",
        "secret": "mật khẩu",
    },
}


class Running:
    """The service as its callers see it, and its store's file as nobody else sees it."""

    def __init__(self, service: Service, http: aiohttp.ClientSession) -> None:
        self.service = service
        self._http = http

    @property
    def secret(self) -> str:
        return self.service.keys.events

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What another process would read now: committed rows only."""
        with closing(sqlite3.connect(self.service.settings.store_path)) as connection:
            return connection.execute(sql, values).fetchall()

    async def push(
        self, body: bytes, *, kind: str = office.ONE, call: str = "msg-1"
    ) -> tuple[int, dict[str, Any]]:
        """The status and the document that answer a signed request."""
        return await self.call(
            "POST", "/v1/events", body, office.signed(self.secret, body, kind=kind, call=call)
        )

    async def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Any request; an answer that is no JSON comes as ``{"text": ...}``."""
        response, text = await self.raw(method, path, body, headers)
        if "json" not in response.content_type:
            return response.status, {"text": text}
        document = json.loads(text)
        if response.status >= 400:
            assert response.content_type == "application/problem+json"
            assert document["status"] == response.status
            assert document["title"]
        return response.status, document

    async def raw(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[aiohttp.ClientResponse, str]:
        url = self.service.url + path
        async with self._http.request(method, url, data=body, headers=headers) as response:
            return response, await response.text()

    def hook(
        self, text: str, *, text_id: str = "t-1", secret: str = office.SIMULATOR_SECRET
    ) -> Any:
        """What a person with ``office.PHONE`` wrote, as the simulated carrier brings it."""
        body = json.dumps({"id": text_id, "from": office.PHONE, "text": text}).encode()
        return self.call("POST", "/hooks/simulator/inbound", body, {"x-simulator-secret": secret})


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """The service sets up the process's logs; the next test finds them as they were."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setenv("NOTIFIER_STORE", f"sqlite:///{tmp_path}/notifier.db")
    monkeypatch.setenv("NOTIFIER_WEB__PORT", "0")
    folder = office.write_config(
        tmp_path / "config",
        web={"max_body": 100_000},
        sources=SOURCES,
        gateways={
            "simulator": {
                "kind": "simulator",
                "secret": office.SIMULATOR_SECRET,
                "receipt_after": 0.01,
            }
        },
    )
    service = Service(configure(folder), SystemClock())
    await service.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Running(service, http)
    finally:
        await service.stop()
