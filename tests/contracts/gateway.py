"""The contract every gateway keeps, as one suite; a rig brings a gateway and its provider's double.

A rig lives in ``tests/gateways/rig_<entry point>.py`` as a class ``Rig`` without constructor
arguments. The suite finds it by its file name, and fails for a registered gateway without one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import sys
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import pytest

from notifier.domain.capabilities import InboundBy
from notifier.domain.message import Address, Inbound, Lane, Message
from notifier.domain.outcome import (
    Accepted,
    Permanent,
    Scope,
    Temporary,
    Throttled,
    Unknown,
)
from notifier.domain.segments import Encoding, SegmentPlan
from notifier.errors import SignatureError
from notifier.ports import HealthState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from notifier.domain.message import Incoming
    from notifier.ports import Gateway, WebhookRequest


class Behaviour(StrEnum):
    """What a provider's double does with the next requests, until told otherwise."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    """Refuses this message for good (a bad number, a forbidden text)."""
    REFUSE_LOGIN = "refuse login"
    BUSY = "busy"
    """Not now, come back later."""
    DOWN = "down"
    """Nothing listens on the port; connections that were open are closed."""
    HANG_UP = "hang up"
    """Reads the whole request, and closes without a word."""
    SILENT = "silent"
    """Reads the whole request, and never answers."""
    NONSENSE = "nonsense"
    """Says that all is well, and then something nobody can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message as the provider's double read it off the wire, decoded.

    ``key`` is our idempotency key as it arrived; empty where the protocol has no place for one.
    """

    to: str = field(repr=False)
    text: str = field(repr=False)
    key: str = ""


class RecordingSink:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.incoming: list[Incoming] = []

    async def accept(self, incoming: Sequence[Incoming]) -> None:
        self.incoming.extend(incoming)


class Rig(Protocol):
    """A gateway, started, with its sink and a double of its provider on loopback (or in memory).

    Entering starts the double (which accepts) and the gateway with ``sink``; leaving stops both,
    and is harmless where the suite has stopped the gateway already. Its time-out for an answer is
    set short (well under a second). A gateway may be started and stopped again, and ``start`` on a
    started one and ``stop`` on a stopped one do nothing.
    """

    gateway: Gateway
    sink: RecordingSink
    address: Address
    """A recipient that the double takes messages for."""
    promises_refs: bool
    """Whether an accepted message always has a reference."""
    exempt: Mapping[str, str]
    """Names of tests of the suite that do not apply, each with the reason."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def provider(self, behaviour: Behaviour) -> None:
        """Returns once the double behaves so. It echoes what it got wherever it refuses."""

    @property
    def received(self) -> Sequence[Taken]:
        """What the double read, whatever it did then, oldest first."""

    def call(self, text: str, *, number: int = 1) -> WebhookRequest:
        """A genuine call that brings ``text`` from ``address``, the provider's ``number``-th."""

    def forged_calls(self) -> Sequence[WebhookRequest]:
        """Calls that the gateway must refuse: unsigned, wrongly signed, changed after signing."""


# --------------------------------------------------------------------------- what the suite needs

TEXTS = (
    "Ho so 000.00.15.H40-261120-0001 da co ket qua.",
    "Hồ sơ của Ông/Bà đã có kết quả, mời đến Bộ phận Một cửa (từ 7 giờ 30).",
    "Kính gửi “Ông/Bà” – phí 50.000 ₫…",
    "\"Phí\" & 'lệ phí' <b>100%</b> + a=b;c \\ %20 #1 ~^ [x] {to} {{text}} ${key} |€",
    "Dòng một\nDòng hai\n\nDòng bốn",
    "Xong rồi 🎉👩🏽‍💼 đ Đ ẫ ữ",
)


def message(address: Address, text: str = "Hồ sơ đã có kết quả.", *, number: int = 1) -> Message:
    """A notice to ``address``; ``number`` gives it an identity of its own."""
    return Message(
        id=f"0193-{number:04}",
        key=f"n-{number:04}",
        lane=Lane.NOTICE,
        address=address,
        text=text,
        plan=SegmentPlan(encoding=Encoding.UCS2, units=len(text), parts=(text,)),
        locale="vi",
        created_at=0,
        not_before=0,
        best_before=10_000_000_000_000,
        notice="finished",
    )


async def until(condition: Callable[[], bool]) -> None:
    """Returns once ``condition`` holds; fails when it does not come to hold."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a condition on another object's state
            await asyncio.sleep(0.005)


class Guard:
    """Sees every connection and name look-up of the process, and stops those that leave it.

    An audit hook can't be taken out again, so there is one, and it sleeps between tests.
    """

    def __init__(self) -> None:
        self.awake = False
        self.left: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.awake:
            return
        if event == "socket.connect" and isinstance(args[1], tuple):
            self._check(str(args[1][0]))
        elif event == "socket.getaddrinfo" and args[0] is not None:
            self._check(args[0].decode() if isinstance(args[0], bytes) else str(args[0]))

    def _check(self, host: str) -> None:
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host).is_loopback:
                return
        if host != "localhost":
            self.left.append(host)
            raise OSError("a test may not leave loopback")

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        self.awake, self.left = True, []
        try:
            yield
        finally:
            self.awake = False
        assert self.left == [], "something left loopback"


guard = Guard()


def _open_sockets() -> int:
    count = 0
    for entry in Path("/proc/self/fd").glob("*"):
        with contextlib.suppress(OSError):
            count += str(entry.readlink()).startswith("socket:")
    return count


@contextlib.asynccontextmanager
async def watched(make: Callable[[], Rig]) -> AsyncIterator[Rig]:
    """The rig, with the proof that nothing left loopback and nothing stays open after it."""
    tasks, sockets = asyncio.all_tasks(), _open_sockets()
    with guard.watching():
        async with make() as rig:
            yield rig
            await rig.gateway.stop(1)
        await until(lambda: _open_sockets() <= sockets)
        await until(lambda: asyncio.all_tasks() - {asyncio.current_task()} <= tasks)


# -------------------------------------------------------------------------------------- the suite


class GatewayContract:
    """Inherit as ``Test...`` beside a fixture ``rig`` that gives a ``watched`` rig."""

    @pytest.fixture(autouse=True)
    def _applies(self, rig: Rig, request: pytest.FixtureRequest) -> None:
        reason = rig.exempt.get(request.node.originalname)
        if reason:
            pytest.skip(reason)

    async def test_accepts(self, rig: Rig) -> None:
        outcome = await rig.gateway.send(message(rig.address))
        assert isinstance(outcome, Accepted)
        assert not outcome.duplicate
        assert all(outcome.refs)
        assert len(outcome.refs) == len(set(outcome.refs))
        assert bool(outcome.refs) >= rig.promises_refs
        assert len(rig.received) == 1

    async def test_refusal_is_permanent(self, rig: Rig) -> None:
        await rig.provider(Behaviour.REFUSE)
        outcome = await rig.gateway.send(message(rig.address))
        assert isinstance(outcome, Permanent)
        assert outcome.code
        assert outcome.scope in {Scope.RECIPIENT, Scope.CONTENT, Scope.TEMPLATE}

    async def test_refused_login_concerns_staff(self, rig: Rig) -> None:
        await rig.provider(Behaviour.REFUSE_LOGIN)
        outcome = await rig.gateway.send(message(rig.address))
        assert isinstance(outcome, Permanent)
        assert outcome.scope in {Scope.ACCOUNT, Scope.CONFIGURATION}

    async def test_busy_means_later(self, rig: Rig) -> None:
        await rig.provider(Behaviour.BUSY)
        outcome = await rig.gateway.send(message(rig.address))
        assert isinstance(outcome, Throttled | Temporary)

    async def test_down_is_proven_not_taken(self, rig: Rig) -> None:
        await rig.provider(Behaviour.DOWN)
        outcome = await rig.gateway.send(message(rig.address))
        assert isinstance(outcome, Temporary)
        assert not rig.received

    async def test_recovers_without_a_restart(self, rig: Rig) -> None:
        await rig.provider(Behaviour.DOWN)
        assert not isinstance(await rig.gateway.send(message(rig.address)), Accepted)
        await rig.provider(Behaviour.ACCEPT)
        assert isinstance(await rig.gateway.send(message(rig.address, number=2)), Accepted)
        assert rig.gateway.health().state is HealthState.OK

    @pytest.mark.parametrize(
        "behaviour", [Behaviour.HANG_UP, Behaviour.SILENT, Behaviour.NONSENSE], ids=str
    )
    async def test_no_verdict_after_writing(self, rig: Rig, behaviour: Behaviour) -> None:
        await rig.provider(behaviour)
        async with asyncio.timeout(10):
            outcome = await rig.gateway.send(message(rig.address))
        suppresses = rig.gateway.capabilities.suppresses_duplicates
        assert isinstance(outcome, Temporary if suppresses else Unknown)
        assert len(rig.received) == 1, "a gateway never sends again by itself"

    async def test_hang_up_on_a_used_connection(self, rig: Rig) -> None:
        """HTTP clients like to repeat a request when a kept-alive connection breaks."""
        assert isinstance(await rig.gateway.send(message(rig.address)), Accepted)
        await rig.provider(Behaviour.HANG_UP)
        outcome = await rig.gateway.send(message(rig.address, number=2))
        assert not isinstance(outcome, Accepted)
        assert len(rig.received) == 2

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    async def test_text_is_handed_over_unchanged(self, rig: Rig, text: str) -> None:
        assert isinstance(await rig.gateway.send(message(rig.address, text)), Accepted)
        assert [taken.text for taken in rig.received] == [text]

    async def test_key_is_the_same_on_every_attempt(self, rig: Rig) -> None:
        await rig.provider(Behaviour.BUSY)
        await rig.gateway.send(message(rig.address))
        await rig.provider(Behaviour.ACCEPT)
        await rig.gateway.send(replace(message(rig.address), attempts=1))
        await rig.gateway.send(message(rig.address, number=2))
        first, again, other = (taken.key for taken in rig.received)
        assert first
        assert first == again != other

    async def test_fifty_at_once_all_settle(self, rig: Rig) -> None:
        messages = [message(rig.address, f"Tin số {n}", number=n) for n in range(50)]
        async with asyncio.timeout(30):
            outcomes = await asyncio.gather(*map(rig.gateway.send, messages))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        assert sorted(taken.text for taken in rig.received) == sorted(m.text for m in messages)

    async def test_cancelled_send_leaves_the_gateway_usable(self, rig: Rig) -> None:
        tasks = asyncio.all_tasks()
        await rig.provider(Behaviour.SILENT)
        sending = asyncio.create_task(rig.gateway.send(message(rig.address)))
        await until(lambda: len(rig.received) == 1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await rig.provider(Behaviour.ACCEPT)
        assert isinstance(await rig.gateway.send(message(rig.address, number=2)), Accepted)
        await rig.gateway.stop(1)
        await until(lambda: asyncio.all_tasks() <= tasks | {asyncio.current_task()})

    async def test_start_and_stop_twice(self, rig: Rig) -> None:
        await rig.gateway.start(rig.sink)
        assert isinstance(await rig.gateway.send(message(rig.address)), Accepted)
        await rig.gateway.stop(1)
        await rig.gateway.stop(1)
        await rig.gateway.start(rig.sink)
        assert isinstance(await rig.gateway.send(message(rig.address, number=2)), Accepted)

    async def test_stopped_gateway_takes_nothing(self, rig: Rig) -> None:
        await rig.gateway.stop(1)
        assert isinstance(await rig.gateway.send(message(rig.address)), Temporary)
        assert not rig.received

    async def test_stop_lets_what_is_in_flight_end(self, rig: Rig) -> None:
        sending = [
            asyncio.create_task(rig.gateway.send(message(rig.address, number=n))) for n in range(50)
        ]
        await until(lambda: len(rig.received) > 0)
        await rig.gateway.stop(5)
        assert all(isinstance(outcome, Accepted) for outcome in await asyncio.gather(*sending))

    async def test_stop_reports_what_does_not_end(self, rig: Rig) -> None:
        await rig.provider(Behaviour.SILENT)
        sending = asyncio.create_task(rig.gateway.send(message(rig.address)))
        await until(lambda: len(rig.received) == 1)
        async with asyncio.timeout(10):
            await rig.gateway.stop(0)
            outcome = await sending
        suppresses = rig.gateway.capabilities.suppresses_duplicates
        assert isinstance(outcome, Temporary if suppresses else Unknown)

    @pytest.mark.parametrize("behaviour", list(Behaviour), ids=str)
    async def test_nothing_personal_or_secret_is_shown(
        self, rig: Rig, behaviour: Behaviour, caplog: pytest.LogCaptureFixture
    ) -> None:
        text = "Riêng cho một người, mã tra cứu 7719."
        with caplog.at_level(logging.DEBUG):
            await rig.gateway.stop(1)
            await rig.gateway.start(rig.sink)
            await rig.provider(behaviour)
            outcome = await rig.gateway.send(message(rig.address, text))
            if rig.gateway.capabilities.inbound is InboundBy.WEBHOOK:
                rig.sink.incoming += rig.gateway.read_webhook(rig.call(text)).incoming
            await rig.gateway.stop(1)
        said = (outcome, rig.gateway, rig.gateway.health(), *rig.sink.incoming)
        shown = "\n".join([caplog.text, *map(repr, said)])
        hidden = {*rig.gateway.secrets, rig.address.value.removeprefix("+84"), text}
        assert not [secret for secret in hidden if secret in shown]

    async def test_secrets_are_named(self, rig: Rig) -> None:
        assert rig.gateway.secrets
        assert all(rig.gateway.secrets)

    async def test_genuine_call_is_read(self, rig: Rig) -> None:
        reply = rig.gateway.read_webhook(rig.call("TT 000.00.15.H40-261120-0001"))
        (inbound,) = reply.incoming
        assert isinstance(inbound, Inbound)
        assert inbound.sender == rig.address
        assert inbound.text == "TT 000.00.15.H40-261120-0001"
        assert reply.status < 300

    async def test_forged_call_is_refused(self, rig: Rig) -> None:
        calls = rig.forged_calls()
        assert calls
        for call in calls:
            with pytest.raises(SignatureError):
                rig.gateway.read_webhook(call)

    async def test_doubled_call_has_the_same_key(self, rig: Rig) -> None:
        first, again, other = (
            rig.gateway.read_webhook(rig.call("hồ sơ của tôi", number=number)).incoming[0]
            for number in (1, 1, 2)
        )
        assert isinstance(first, Inbound)
        assert isinstance(again, Inbound)
        assert isinstance(other, Inbound)
        assert first.key == again.key != other.key

    async def test_calls_are_read_without_a_started_gateway(self, rig: Rig) -> None:
        await rig.gateway.stop(1)
        assert rig.gateway.read_webhook(rig.call("giúp")).incoming
        assert not rig.sink.incoming, "reading a call hands over nothing by itself"
