"""What P1 is compared with: a bare aiohttp handler that checks, decodes, and stores nothing."""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec
from aiohttp import web

from notifier.cli import running
from notifier.sources import standard_webhooks

TOLERANCE = 5 * 60_000


async def serve(secret: bytes) -> None:
    """Until it is ended."""

    async def post(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        now = time.time_ns() // 1_000_000
        standard_webhooks.verify(secret, headers, body, now=now, tolerance=TOLERANCE)
        event = msgspec.json.decode(body)
        row = {name: event[name] for name in ("id", "source", "subject")}
        answer = msgspec.json.encode({"results": [{"result": "stored", **row}]})
        return web.Response(status=202, body=answer, content_type="application/json")

    app = web.Application()
    app.add_routes([web.post("/v1/events", post)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    print(f"ready http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    running.run(serve(standard_webhooks.read_secret(sys.argv[1])))
