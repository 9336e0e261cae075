"""A citizen and the running service over Telegram, as an emulator that others wrote plays it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from emulator.node_packages import ROOT, environment, installed
from standardwebhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

PACKAGE = ROOT / "tests" / "emulator" / "telegram"
TOKEN = "7700112233:AAF_token-for-the-emulator-01"
HOOK_SECRET = "hook-secret_for-the-emulator"
PATIENCE = 15.0

CODE = "H19.45-261118-0007"
APPLICANT = {"name": "Trần Thị Ngọc Lan", "phone": "0912 345 678", "email": "lan@example.vn"}
PROCEDURE = "Đăng ký biến động quyền sử dụng đất"
ASKER_NAME, ASKER_ACCOUNT = "Phạm Văn Khuyến", "khuyen_pham"
PERSONAL = (
    *("912345678", "912 345 678", "Ngọc Lan", "ngoc lan", "lan@example.vn"),
    *(ASKER_NAME, ASKER_ACCOUNT),
)
"""What no output of the service may hold; the chat's number and the secrets come on top."""


@dataclass
class Output:
    """A process, and what it has said so far."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)
    readers: list[asyncio.Task[None]] = field(default_factory=list)
    address: asyncio.Future[str] = field(default_factory=asyncio.Future)

    async def read(self, stream: asyncio.StreamReader) -> None:
        async for raw in stream:
            line = raw.decode().rstrip("\n")
            self.lines.append(line)
            if line.startswith("ready ") and not self.address.done():
                self.address.set_result(line.removeprefix("ready "))
        if not self.address.done():
            self.address.set_exception(AssertionError("it ended:\n" + "\n".join(self.lines)))

    async def stop(self, number: signal.Signals) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
            await asyncio.gather(*self.readers)
        return code


async def started(*command: str, cwd: Path, env: dict[str, str] | None = None) -> Output:
    """The process, once it has said ``ready <address>``."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output = Output(process)
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        output.readers.append(asyncio.create_task(output.read(stream)))
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(output.address)
    except BaseException:
        await output.stop(signal.SIGKILL)
        raise
    return output


@dataclass
class Citizen:
    """One chat with the bot, through the emulator's own client interface."""

    http: aiohttp.ClientSession
    emulator: str
    chat: int
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def write(self, text: str) -> None:
        person = {"id": self.chat, "first_name": ASKER_NAME, "username": ASKER_ACCOUNT}
        await self._post(
            "sendMessage",
            {
                "botToken": TOKEN,
                "date": int(datetime.now(UTC).timestamp()),
                "from": {**person, "is_bot": False, "language_code": "vi"},
                "chat": {**person, "type": "private"},
                "text": text,
            },
        )

    async def hear(self) -> str:
        """The next message of the bot."""
        async with asyncio.timeout(PATIENCE):
            while not (new := await self.unread()):  # noqa: ASYNC110 - the emulator has no stream
                await asyncio.sleep(0.02)
        assert len(new) == 1, "one question has one answer"
        return str(new[0]["text"])

    async def unread(self) -> Sequence[dict[str, Any]]:
        found = await self._post("getUpdates", {"token": TOKEN, "chatId": self.chat})
        new = [item["message"] for item in found["result"]]
        self.heard += new
        return new

    async def ask(self, text: str) -> str:
        await self.write(text)
        return await self.hear()

    @property
    def buttons(self) -> list[str]:
        """The labels under the last message."""
        rows = self.heard[-1]["reply_markup"]["keyboard"]
        return [label if isinstance(label, str) else label["text"] for row in rows for label in row]

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        async with self.http.post(f"{self.emulator}/{path}", json=body) as response:
            assert response.status == 200
            return await response.json()


@pytest.fixture(scope="module")
def package() -> Path:
    return installed(PACKAGE)


@pytest.fixture
async def emulator(package: Path) -> AsyncIterator[str]:
    output = await started("node", "wrapper.js", cwd=package, env=environment())
    yield output.address.result()
    await output.stop(signal.SIGKILL)


@pytest.fixture
async def citizen(emulator: str) -> AsyncIterator[Citizen]:
    async with aiohttp.ClientSession() as http:
        yield Citizen(http, emulator, chat=5_000_000_000 + secrets.randbelow(10**9))


@dataclass
class Desk:
    """The one-stop office: a store, a configuration, and the service that runs on them."""

    folder: Path
    emulator: str
    receive: str
    said: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The service's address; it ends by SIGTERM, and in good order."""
        (self.folder / "notifier.toml").write_text(
            f"""
            [office]
            level1 = ["H19"]

            [gateways.telegram]
            kind = "telegram"
            token = "env:TELEGRAM_TOKEN"
            webhook_secret = "env:TELEGRAM_WEBHOOK_SECRET"
            receive = "{self.receive}"
            base_url = "{self.emulator}"
            """
        )
        env = {
            **os.environ,
            "NOTIFIER_CONFIG": str(self.folder),
            "NOTIFIER_STORE": f"sqlite:///{self.folder}/notifier.db",
            "NOTIFIER_WEB__PORT": "0",
            "NOTIFIER_LOG__LEVEL": "debug",
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_WEBHOOK_SECRET": HOOK_SECRET,
        }
        service = await started(sys.executable, "-m", "notifier", "serve", cwd=ROOT, env=env)
        try:
            yield service.address.result()
        finally:
            code = await service.stop(signal.SIGTERM)
            self.said += service.lines
        assert code == 0

    async def push(self, http: aiohttp.ClientSession, service: str, event: dict[str, Any]) -> None:
        """The one-stop system tells us, in a signed request."""
        keys = json.loads((self.folder / "notifier.db.keys").read_text())
        body, now = json.dumps(event), datetime.now(UTC)
        headers = {
            "content-type": "application/cloudevents+json",
            "webhook-id": event["id"],
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(keys["events"]).sign(event["id"], now, body),
        }
        async with http.post(f"{service}/v1/events", data=body, headers=headers) as response:
            assert response.status == 202
            assert [row["result"] for row in (await response.json())["results"]] == ["stored"]


def processing() -> dict[str, Any]:
    """A dossier that is being worked on, and is due in ten days."""
    now = datetime.now(UTC)
    return {
        "specversion": "1.0",
        "id": "event-1",
        "source": "/motcua/h19-45",
        "type": "dossier.processing",
        "subject": CODE,
        "time": now.isoformat(),
        "data": {
            "applicant": APPLICANT,
            "procedure": {"name": PROCEDURE},
            "due_at": f"{now + timedelta(days=10):%Y-%m-%d}",
        },
    }


def due_date(event: dict[str, Any]) -> str:
    return f"{datetime.fromisoformat(event['data']['due_at']):%d/%m/%Y}"


def assert_nothing_personal(said: Sequence[str], *more: str) -> None:
    everything = "\n".join(said).lower()
    assert "ready http" in everything, "the output was kept"
    for secret in (*PERSONAL, TOKEN, TOKEN.partition(":")[2], HOOK_SECRET, *more):
        assert secret.lower() not in everything


@pytest.mark.parametrize("receive", ["poll", "webhook"])
async def test_citizen_asks_stops_and_starts(
    citizen: Citizen, emulator: str, tmp_path: Path, receive: str
) -> None:
    desk, event = Desk(tmp_path, emulator, receive), processing()
    async with desk.open() as service:
        await desk.push(citizen.http, service, event)
        if receive == "webhook":
            hook = {"url": f"{service}/hooks/telegram", "secret_token": HOOK_SECRET}
            async with citizen.http.post(f"{emulator}/bot{TOKEN}/setWebhook", json=hook) as reply:
                assert reply.status == 200

        state = await citizen.ask(f"HS {CODE}")
        assert CODE in state
        assert "đang xử lý" in state
        assert due_date(event) in state
        # An account that nobody has bound to the applicant learns what the code alone may tell.
        assert PROCEDURE not in state
        assert APPLICANT["name"] not in state
        assert citizen.buttons == ["Chia sẻ số điện thoại", CODE, "HD", "TC"]

        help_ = await citizen.ask("HD")
        assert "nhắn mã hồ sơ" in help_
        assert "TC" in help_
        assert "DK" in help_
        assert "dừng gửi tin" in await citizen.ask("TC")
        assert await citizen.ask(CODE.lower()) == state, "who asks is answered, stopped or not"
        assert "bật lại" in await citizen.ask("DK")
        assert await citizen.unread() == []
    assert len(citizen.heard) == 5
    assert_nothing_personal(desk.said, str(citizen.chat))


async def test_what_was_asked_while_the_service_was_down_is_answered_once(
    citizen: Citizen, emulator: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, emulator, "poll")
    await citizen.write("HD")
    async with desk.open():
        assert "nhắn mã hồ sơ" in await citizen.hear()
    await citizen.write("TC")
    async with desk.open():
        assert "dừng gửi tin" in await citizen.hear()
        # An update whose confirmation was cut off by the stop comes again, and is known.
        assert "bật lại" in await citizen.ask("DK")
        assert await citizen.unread() == []
    assert len(citizen.heard) == 3
    assert_nothing_personal(desk.said, str(citizen.chat))
