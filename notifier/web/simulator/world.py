"""What the demonstration's page needs of the running service and of the simulated carrier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.ports import Clock
    from notifier.web.simulator.story import Story


class ShownText(Protocol):
    """A text on a phone. ``direction`` is in or out, seen from the phone; ``at`` in civil ms."""

    @property
    def id(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def at(self) -> Instant: ...
    @property
    def state(self) -> str: ...
    @property
    def parts(self) -> int: ...
    @property
    def encoding(self) -> str: ...


class ShownFaults(Protocol):
    """What is wrong with the carrier at the moment."""

    @property
    def mode(self) -> str: ...
    @property
    def delay(self) -> float: ...
    @property
    def lose_receipts(self) -> bool: ...
    @property
    def switched_off(self) -> frozenset[str]: ...


class HookCall(Protocol):
    """The carrier's call for a text that a person wrote; ``path`` follows ``/hooks/<gateway>``."""

    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class ShownPhones(Protocol):
    """The phones, by number."""

    @property
    def version(self) -> int: ...

    def texts(self, number: str) -> Sequence[ShownText]: ...

    async def changed(self, since: int) -> int: ...


class Carrier(Protocol):
    """The simulated carrier, as the page sees it."""

    @property
    def phones(self) -> ShownPhones: ...
    @property
    def faults(self) -> ShownFaults: ...

    def set_faults(self, **changes: Any) -> None: ...

    def write(self, number: str, text: str) -> HookCall: ...

    def written(self, number: str, text_id: str, *, arrived: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLine:
    """A message in the outbox. ``to_masked`` is all the page learns of the number; ``at`` in ms."""

    id: str
    notice: str
    lane: str
    state: str
    to_masked: str
    dossier: str | None
    attempts: int
    segments: int
    reason: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierLine:
    """A dossier as the service has it. ``status`` is the national number; ``due`` in ms."""

    code: str
    status: int | None
    status_word: str
    due: Instant | None
    unit: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What the event API made of an event; ``detail`` is a sentence where it was not stored."""

    stored: bool
    detail: str = ""


class SimulatedWorld(Protocol):
    """The running service, as its demonstration sees it."""

    @property
    def story(self) -> Story: ...
    @property
    def provider(self) -> Carrier: ...
    @property
    def clock(self) -> Clock: ...

    async def move(self, forward: int) -> None:
        """Moves the civil time ``forward`` by that many ms, and lets what is due happen."""

    async def push(self, event: Mapping[str, Any]) -> Pushed:
        """Signs the CloudEvent and posts it to our own event API.

        Raises ``aiohttp.ClientError`` where there is no answer to read.
        """

    async def deliver(self, call: HookCall) -> None:
        """Posts the call to our own hook; ``aiohttp.ClientError`` for any answer but 2xx."""

    async def outbox(self, limit: int) -> Sequence[OutboxLine]:
        """The newest messages, newest first."""

    async def dossiers(self) -> Sequence[DossierLine]:
        """The dossiers that are stored, in any order."""
