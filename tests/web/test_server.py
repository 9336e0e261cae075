"""What stands in the log of requests that are none."""

from __future__ import annotations

import asyncio
import logging

import pytest

from notifier.settings import WebSettings
from notifier.web.health import Metrics
from notifier.web.server import Server


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /hooks/esms?from=0912000345 HTTP/one\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx-token: 0912000345\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: 0912000345\r\ncontent-length: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
    ],
    ids=["version", "header", "length", "packing"],
)
async def test_a_request_that_is_none_costs_the_log_one_line_without_its_words(
    caplog, request_
) -> None:
    caplog.set_level(logging.INFO)
    server = Server(WebSettings(port=0), (), Metrics())
    await server.start()
    try:
        host, _, port = server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request_)
        status = (await reader.readline()).split()[1]
        writer.close()
    finally:
        await server.stop()
    assert status in {b"400", b"404"}
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert "0912000345" not in caplog.text
    assert "Traceback" not in caplog.text
