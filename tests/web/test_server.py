"""What stands in the log of requests that are none."""

from __future__ import annotations

import asyncio
import logging

import pytest
import structlog
from aiohttp import web

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


async def test_a_caller_that_hangs_up_within_a_request_is_no_failure_of_ours() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def read(request: web.Request) -> web.Response:
        began.set()
        try:
            await request.read()
        finally:
            ended.set()
        return web.Response()

    server = Server(WebSettings(port=0), [web.post("/", read)], Metrics())
    await server.start()
    try:
        with structlog.testing.capture_logs() as logged:
            host, _, port = server.url.removeprefix("http://").partition(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{}")
            await began.wait()
            writer.close()
            await ended.wait()
            await asyncio.sleep(0)
    finally:
        await server.stop()
    assert logged == []
