"""The service as an office runs it: processes, their command line, and a provider on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import aiohttp
import office
from contracts.gateway import Taken
from doubles.sms_providers import HOOK_SECRET, Esms

from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from aiohttp import web

PATIENCE = 80.0
"""Seconds for anything to happen; longer than the minute before midnight that ``ALWAYS`` lacks."""


async def eventually(look: Callable[[], Awaitable[Any]], what: str) -> Any:
    """The first true thing that ``look`` gives."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):  # noqa: ASYNC110 - what is waited for is outside
            await asyncio.sleep(0.05)
    assert found, what
    return found


class SmsProvider(Esms):
    """The double, for texts with and without accents; it answers while ``answering`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answering = asyncio.Event()
        self.answering.set()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        response = await super()._handle(request)
        await self.answering.wait()
        return response

    def take(self, request: web.Request, body: bytes) -> Taken:
        asked = json.loads(body)
        return Taken(to=asked["Phone"], text=asked["Content"], key=asked["RequestId"])

    async def has(self, count: int) -> Sequence[Taken]:
        """All it received, once there are ``count``; no more than that."""

        async def enough() -> bool:
            return len(self.received) >= count

        await eventually(enough, f"{count} messages at the provider")
        assert len(self.received) == count
        return self.received


@dataclass(slots=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> dict[str, Any]:
        [row] = self.rows
        return row


@dataclass(slots=True)
class Serving:
    """A running ``notifier serve``."""

    process: asyncio.subprocess.Process
    url: str = ""
    http: aiohttp.ClientSession | None = None
    secret: str = field(default="", repr=False)

    async def push(self, *events: dict[str, Any]) -> dict[str, Any]:
        """Each event's fate; all have to be taken."""
        body = office.encoded(*events)
        kind = office.ONE if len(events) == 1 else office.BATCH
        headers = office.signed(self.secret, body, kind=kind)
        assert self.http is not None
        async with self.http.post(f"{self.url}/v1/events", data=body, headers=headers) as answer:
            assert answer.status == 202, await answer.text()
            return await answer.json()

    async def text(self, words: str, *, mo_id: str = "mo-1", phone: str = office.PHONE) -> int:
        """A person texts ``words``; the status that the provider's call is answered with."""
        body = {"mo_id": mo_id, "from": "0" + phone.removeprefix("+84"), "message": words}
        url = f"{self.url}/hooks/esms/inbound"
        assert self.http is not None
        async with self.http.post(url, json=body, headers={"X-Token": HOOK_SECRET}) as answer:
            return answer.status

    async def report(self, ref: str, status: str = "5") -> int:
        """The provider reports what became of ``ref``."""
        query = {"token": HOOK_SECRET, "SMSID": ref, "SendStatus": status}
        assert self.http is not None
        async with self.http.get(f"{self.url}/hooks/esms/receipt", params=query) as answer:
            return answer.status

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def kill(self) -> None:
        """SIGKILL, as a power cut does it."""
        self.process.kill()
        await self.process.wait()


class Office:
    """A configuration, a store, and the commands of those who run it."""

    def __init__(self, folder: Path, provider: SmsProvider) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.store = folder / "notifier.db"
        self.server = ""
        """The address of a database, where the store is not the file."""
        self.provider = provider
        self.written: list[str] = []
        """What processes wrote for people and logs; not the data that was asked for by name."""

    def configure(self, *, gateway: dict[str, Any] | None = None, **tables: Any) -> None:
        """Write the configuration; ``gateway`` differs from the double's usual settings."""
        table = self.provider.table()
        # A message has to stay in flight for as long as a test wants it to.
        table["request"]["timeout"] = PATIENCE
        office.write_config(
            self.config,
            gateways={"esms": table | (gateway or {})},
            broadcast={"slice": 50},
            ticks={"remind": "1s", "unknown": "1s", "broadcast": "1s"},
            log={"level": "debug"},
            **tables,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("NOTIFIER_")},
            "NOTIFIER_CONFIG": str(self.config),
            "NOTIFIER_STORE": self.server or f"sqlite:///{self.store}",
            "NOTIFIER_KEYS": str(self.folder / "notifier.db.keys"),
            "NOTIFIER_WEB__PORT": "0",
            "COLUMNS": "400",
        }

    @property
    def secret(self) -> str:
        return json.loads((self.folder / "notifier.db.keys").read_text())["events"]

    @property
    def secrets(self) -> list[str]:
        keys = json.loads((self.folder / "notifier.db.keys").read_text())
        return [*keys.values(), keys["events"].removeprefix("whsec_"), HOOK_SECRET,
                "esms-api-key-1", "esms-secret-key-2"]  # fmt: skip

    def at_rest(self) -> str:
        """The bytes of the store's files, as far as they are text."""
        files = [f for f in (self.store, *self.folder.glob("notifier.db-*")) if f.exists()]
        return "\n".join(file.read_bytes().decode(errors="replace") for file in files)

    @asynccontextmanager
    async def serving(self, *, unheard: bool = False) -> AsyncIterator[Serving]:
        """``notifier serve``, ready; stopped at the end if it still runs.

        ``unheard``: whoever read its standard error has gone.
        """
        log = self.folder / f"serve-{len(list(self.folder.glob('serve-*')))}.log"
        log.touch()
        with closed_pipe() if unheard else log.open("wb") as stderr:
            process = await self._start("serve", stderr=stderr)
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            said = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+)\n", line.decode())
            assert said, f"{line!r}\n{log.read_text()}"
            async with aiohttp.ClientSession() as http:
                yield Serving(process, said[1], http, self.secret)
        finally:
            if process.returncode is None:
                process.terminate()
            try:
                rest, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
            finally:
                if process.returncode is None:
                    process.kill()
            self.written += [rest.decode(), log.read_text()]
            assert rest == b""

    async def run(
        self, *arguments: str, typed: str = "", code: int = 0, names_people: bool = False
    ) -> Ran:
        """A command; ``names_people`` where its output is numbers and names by purpose."""
        process = await self._start(*arguments)
        try:
            out, err = await asyncio.wait_for(process.communicate(typed.encode()), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
        ran = Ran(process.returncode or 0, out.decode(), err.decode())
        self.written += [ran.err] if names_people else [ran.out, ran.err]
        assert ran.code == code, ran
        assert "Traceback" not in ran.err
        return ran

    async def outbox(self, *options: str) -> list[dict[str, Any]]:
        """``notifier outbox list``, newest first."""
        return (await self.run("outbox", "list", "--json", *options)).rows

    async def _start(self, *arguments: str, stderr: Any = None) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "notifier",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if stderr is None else stderr,
            env=self.environment,
            cwd=self.folder,
        )


def closed_pipe() -> IO[bytes]:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "wb", buffering=0)


def leaks(text: str, secrets: Sequence[str]) -> list[str]:
    """What must not stand in a log, and stands in ``text``, in whatever spelling."""
    digits = re.sub(r"(?<=\d)[ .()-]+(?=\d)", "", text)
    found = [f"a number ending in {number[-3:]}"
             for number in (office.PHONE, office.OTHER_PHONE)
             if number.removeprefix("+84") in digits]  # fmt: skip
    if fold(office.NAME) in fold(text):
        found.append("the name")
    return found + [f"a secret of {len(secret)} characters" for secret in secrets if secret in text]
