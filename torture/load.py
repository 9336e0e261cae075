"""What a vendor's one-stop system and citizens do: push and ask, each again until it is taken.

Every dossier has a person of its own, and so has every question: a text that one of them gets
twice is a double, whatever its key.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from notifier.domain.instant import MINUTE, SECOND, iso
from notifier.sources import standard_webhooks
from torture.provider import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from notifier.domain.instant import Instant
    from torture.points import Shared

SOURCE: Final = "urn:torture:one-stop"
AGO: Final = 50 * MINUTE
"""How old a change is when it is pushed (ms): the civil time may jump back by less than that."""

LIVES: Final = (
    ("received",),
    ("received", "finished"),
    ("received", "finished", "returned"),
    ("received", "supplement-requested", "supplemented", "finished"),
    ("received", "payment-requested"),
)
NOTICES: Final = {
    "received": "received",
    "supplement-requested": "supplement_requested",
    "supplemented": "supplemented",
    "payment-requested": "payment_requested",
    "finished": "result_ready",
    "returned": "returned",
}
"""What a person is told after which event."""

RETRY: Final = 0.05
"""Seconds before something is pushed or asked again."""


@dataclass(slots=True)
class Case:
    """A dossier: what it went through, as far as the service has confirmed it."""

    code: str
    life: tuple[str, ...]
    due_at: Instant | None
    began_at: Instant
    confirmed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def notices(self) -> list[str]:
        """What its person has to be told, or it has to be said why not."""
        names = [event["type"].removeprefix("dossier.") for event in self.confirmed]
        return [NOTICES[name] for name in names if name in NOTICES]


@dataclass(frozen=True, slots=True)
class Question:
    """One SMS of a person who asks nothing else."""

    id: str
    phone: str
    text: str


class Load:
    """The load of one round on the services at ``ports``, which take turns."""

    def __init__(self, shared: Shared, ports: Sequence[int], secret: bytes, seed: str) -> None:
        self.cases: list[Case] = []
        self.asked: list[Question] = []
        self._begun_questions = 0
        self._shared = shared
        self._urls = itertools.cycle(f"http://127.0.0.1:{port}" for port in ports)
        self._secret = secret
        self._chance = Random(seed)
        self._numbers = itertools.count(1)
        self._calls = itertools.count(1)
        self._closing = False
        self._http: aiohttp.ClientSession | None = None
        self._today = datetime.now(UTC).date()

    @property
    def events(self) -> int:
        """Events that were answered with 202."""
        return sum(len(case.confirmed) for case in self.cases)

    @property
    def open(self) -> str:
        """What was begun and not confirmed yet; empty where nothing is."""
        cases = sum(len(case.confirmed) < len(case.life) for case in self.cases)
        questions = self._begun_questions - len(self.asked)
        return f"{cases} dossiers and {questions} questions" if cases or questions else ""

    async def run(self, *, vendors: int = 3, citizens: int = 3) -> None:
        """Until ``close``, and then until all that was begun is confirmed."""
        timeout = aiohttp.ClientTimeout(total=3)
        async with (
            aiohttp.ClientSession(timeout=timeout) as self._http,
            asyncio.TaskGroup() as all_,
        ):
            for _ in range(vendors):
                all_.create_task(self._vendor())
            for _ in range(citizens):
                all_.create_task(self._citizen())

    def close(self) -> None:
        """Begin nothing new."""
        self._closing = True

    async def repeat(self) -> list[str]:
        """Push and ask all of it again: the events that the service does not know any more."""
        forgotten: list[str] = []
        events = [event for case in self.cases for event in case.confirmed]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as self._http:
            for chunk in _chunks(events, 200):
                forgotten += [
                    f"event {row['id']} was taken as {row['result']}"
                    for row in await self._push(chunk)
                    if row["result"] != "duplicate"
                ]
            await asyncio.gather(*(self._ask(question) for question in self.asked))
        return forgotten

    # the one-stop system

    async def _vendor(self) -> None:
        while not self._closing:
            life = self._chance.choice(LIVES)
            cases = [self._case(life) for _ in range(self._chance.choice((1, 1, 2, 4)))]
            self.cases += cases
            for stage in range(len(life)):
                events = [_event(case, stage) for case in cases]
                await self._push(events)
                for case, event in zip(cases, events, strict=True):
                    case.confirmed.append(event)
                await asyncio.sleep(self._chance.uniform(0, 0.15))
            await asyncio.sleep(self._chance.uniform(0, 0.2))

    def _case(self, life: tuple[str, ...]) -> Case:
        number = next(self._numbers)
        now = time.time_ns() // 1_000_000 + self._shared.ahead
        ends = now + self._chance.randrange(2, 12) * MINUTE
        return Case(
            code=dossier_code(self._today, number),
            life=life,
            due_at=ends if life == ("received",) else None,
            began_at=now - AGO,
        )

    async def _push(self, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        body = json.dumps(list(events), ensure_ascii=False).encode()
        while True:
            call = f"call-{next(self._calls)}"
            stamp = int(time.time())
            headers = {
                "content-type": "application/cloudevents-batch+json",
                "webhook-id": call,
                "webhook-timestamp": str(stamp),
                "webhook-signature": standard_webhooks.sign(self._secret, call, stamp, body),
            }
            answer = await self._call("/v1/events", body, headers, 202)
            if answer is not None:
                rows: list[dict[str, Any]] = json.loads(answer)["results"]
                return rows
            await asyncio.sleep(RETRY)

    # people

    async def _citizen(self) -> None:
        while not self._closing:
            number = next(self._numbers)
            known = [case for case in self.cases[-60:] if case.confirmed]
            about = self._chance.choice(known).code if known else ""
            text = self._chance.choice((f"HS {about}", f"HS {about}", "HD"))
            question = Question(f"mo-{number}", f"+8498{number:07}", text)
            self._begun_questions += 1
            await self._ask(question)
            self.asked.append(question)
            if self._chance.random() < 0.2:
                await self._ask(question)
            await asyncio.sleep(self._chance.uniform(0.02, 0.4))

    async def _ask(self, question: Question) -> None:
        body = {"id": question.id, "from": question.phone, "text": question.text}
        headers = {"content-type": "application/json", "X-Token": TOKEN}
        while True:
            if await self._call("/hooks/sms/inbound", json.dumps(body).encode(), headers, 200):
                return
            await asyncio.sleep(RETRY)

    async def _call(
        self, path: str, body: bytes, headers: dict[str, str], wanted: int
    ) -> bytes | None:
        """The answer with the status that is wanted; None for any other, and for none."""
        assert self._http is not None
        url = next(self._urls) + path
        try:
            async with self._http.post(url, data=body, headers=headers) as response:
                answer = await response.read()
                return answer or b"taken" if response.status == wanted else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


def dossier_code(day: date, number: int) -> str:
    """The code of the dossier of this number."""
    return f"H19.45-{day:%y%m%d}-{number:05}"


def _event(case: Case, stage: int) -> dict[str, Any]:
    number = int(case.code.rpartition("-")[2])
    what = case.life[stage]
    data: dict[str, Any] = {"applicant": {"name": "Nguyễn Văn A", "phone": f"+8491{number:07}"}}
    if case.due_at is not None:
        data["due_at"] = iso(case.due_at)
    return {
        "specversion": "1.0",
        "id": f"{case.code}:{stage}",
        "source": SOURCE,
        "type": f"dossier.{what}",
        "subject": case.code,
        "time": iso(case.began_at + stage * SECOND),
        "data": data,
    }


def _chunks(events: Sequence[dict[str, Any]], size: int) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(events), size):
        yield events[start : start + size]
