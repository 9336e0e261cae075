"""What the core asks of the world. Flows see these Protocols and no implementation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from notifier.domain.admission import Candidate
    from notifier.domain.apology import Apology, ApologyAct, ApologyState
    from notifier.domain.audience import Recipient
    from notifier.domain.broadcast import Broadcast, BroadcastState
    from notifier.domain.capabilities import Capabilities
    from notifier.domain.consent import Refusal
    from notifier.domain.conversation import Said
    from notifier.domain.deadline import Moment
    from notifier.domain.dossier import Dossier
    from notifier.domain.event import DossierEvent
    from notifier.domain.instant import Instant
    from notifier.domain.message import (
        Address,
        Inbound,
        Incoming,
        Lane,
        Message,
        Receipt,
        State,
    )
    from notifier.domain.outcome import Outcome
    from notifier.domain.promise import Apologised, Place, Promise
    from notifier.domain.retry import Verdict
    from notifier.domain.tally import Asked, Cell, Key


class Clock(Protocol):
    """Two readings of time, both in ms since 1970 UTC."""

    def civil(self) -> Instant:
        """The time of the rules: due dates, quiet hours. A demonstration may move it."""

    def elapsed(self) -> Instant:
        """For leases, rates and time-outs: starts at the system's time, and nothing moves it."""


class HttpSource(Protocol):
    """A source whose events come as HTTP requests."""

    def read(
        self, body: bytes, content_type: str, headers: Mapping[str, str]
    ) -> list[DossierEvent | Quarantined]:
        """The items of a request, at least one; what can't be read is to be quarantined.

        ``headers`` have lower-case names. Raises ``SignatureError``.
        """


class Renderer(Protocol):
    """Templates to text."""

    def render(self, locale: str, channel: str, name: str, context: Mapping[str, Any]) -> str:
        """The text of ``templates/<locale>/<channel>/<name>.j2``; raises ``TemplateError``."""

    def has(self, locale: str, channel: str, name: str) -> bool:
        """Whether there is such a template."""

    def render_text(self, template: str, context: Mapping[str, Any]) -> str:
        """The text of a template that is not a file, such as a broadcast's; the same error."""


class Letters(Protocol):
    """Templates to letters."""

    async def pdf(self, template: str, values: Mapping[str, str]) -> bytes:
        """The PDF of ``templates/letters/<template>.typ``; raises ``TemplateError``.

        ``values`` are texts and never markup.
        """


class SourceWebhook(Protocol):
    """The one-stop system's own door, for what was decided here."""

    async def tell(self, apology: Apology, now: Instant) -> str:
        """Say it once, with the apology's id; empty once it was taken, else why not.

        Never raises for something the other side can do. ``now`` is elapsed time (ms).
        """


# ------------------------------------------------------------------------------------- gateways


class HealthState(StrEnum):
    """How a gateway is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """``since`` is elapsed time; ``reason`` a sentence, empty when all is well."""

    state: HealthState
    since: Instant = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A provider's call as it came. ``path`` is what follows ``/hooks/<gateway>``.

    ``headers`` have lower-case names; ``query`` keeps the last value of a repeated name.
    ``received_at`` is elapsed time, for signatures that grow old.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    remote: str = ""
    received_at: Instant = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReply:
    """What a call meant, and the response that the provider expects once all is committed."""

    incoming: tuple[Incoming, ...] = ()
    status: int = 200
    content_type: str = "text/plain"
    body: bytes = b""


class HttpDoor(Protocol):
    """A source that pushes a form of its own over HTTP."""

    def read(self, request: WebhookRequest) -> list[DossierEvent | Quarantined]:
        """The items of a push, at least one; what can't be read is to be quarantined.

        Raises ``SignatureError``, or ``EventError`` where the request is not as agreed.
        """

    def open_session(self, body: bytes) -> str:
        """A token for a login; raises ``SignatureError``."""


class RunningSource(Protocol):
    """A source that fetches what it brings by itself."""

    async def start(self) -> None:
        """Begin; returns at once, and what it needs may come later."""

    async def stop(self) -> None:
        """Take nothing more."""

    def health(self) -> Health:
        """How it is, since when, and why."""


class Sink(Protocol):
    """Where a gateway hands over what people and providers send."""

    async def accept(self, incoming: Sequence[Incoming]) -> None:
        """Returns once all of it is committed; only then may the provider be told so."""


class Gateway(Protocol):
    """One provider's protocol and nothing else.

    It never retries, sleeps for rate, chooses a route, renders a template or reads the clock for
    policy: the core does. It may re-establish its own connection.
    """

    name: str
    capabilities: Capabilities

    @property
    def secrets(self) -> frozenset[str]:
        """What must never reach a log."""

    async def start(self, sink: Sink) -> None:
        """Returns once usable; raises ``ConfigurationError`` that names the setting."""

    async def send(self, message: Message) -> Outcome:
        """One attempt. May be cancelled; never raises for something a provider can do."""

    async def query(self, ref: str) -> Outcome | None:
        """What became of it, where the provider can tell; else None."""

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        """Pure: from a call to what it means, its signature checked in constant time.

        Raises ``WebhookError``, or ``SignatureError`` for a forged or stale call.
        """

    async def stop(self, drain: float) -> None:
        """Finish within ``drain`` seconds, or report as ``Unknown`` what is in flight."""

    def health(self) -> Health:
        """How it is, since when, and why."""


class GatewayFactory(Protocol):
    """What an entry point of the group ``notifier.gateways`` names: a class called like this."""

    def __call__(self, name: str, settings: Mapping[str, Any], clock: Clock) -> Gateway:
        """``settings`` is the gateway's own table, secrets resolved.

        Raises ``ConfigurationError`` with every fault of the table.
        """


# ---------------------------------------------------------------------------------------- store


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """Something for people. At most one item a ``key``; ``detail`` is a sentence without a name."""

    key: str
    kind: str
    dossier: str | None = None
    detail: str = ""
    opened_at: Instant = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Staff are told of ``subject`` (a dossier, a calendar) under a name, for the date ``at``."""

    subject: str
    name: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """Input that can't be taken as it is and may not be lost. ``raw`` is kept sealed."""

    door: str
    """Where it came in: ``events``, ``sources/<name>``, ``hooks/<gateway>``."""
    reason: str
    raw: bytes = field(repr=False)
    at: Instant = 0
    key: str = ""
    understood: bool = False
    """It was read, and is a person's to decide; not the sender's mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRow:
    """Something that could not be taken, as staff see it; ``size`` in bytes, sealed."""

    id: int
    door: str
    reason: str
    at: Instant
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """An attempt that ended, and where its message goes."""

    message: Message
    gateway: str
    outcome: Outcome
    verdict: Verdict
    falls: bool = False
    """Whether its channel is over for it; the same transaction decides where it goes then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A queued message that does not leave as planned: its new state, or a later time."""

    id: str
    state: State
    reason: str
    not_before: Instant | None = None
    best_before: Instant | None = None
    pinned: str | None = None
    """The one gateway that may send it from now on; None leaves it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A message of unknown fate: how often it became so, by whom it was sent last, and since when.

    ``first_at`` is when its first attempt began; all in ms.
    """

    message: Message
    times: int
    gateway: str
    since: Instant
    first_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """A message whose channel is over for it, why, and how often its fate was unknown there."""

    message: Message
    channel: str
    reason: str
    unknowns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedNotice:
    """A notice that waits, without its text."""

    id: str
    dossier: str
    notice: str
    episode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An inbound message as it is kept. ``guesses`` counts against its sender."""

    gateway: str
    inbound: Inbound = field(repr=False)
    intent: str = ""
    codes: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    guesses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Texts of one sender that wait for the rest; ``inbound`` holds them all, and the last key.

    ``first_at`` and ``until`` are elapsed times (ms): nobody waits longer for a clock that moved.
    """

    gateway: str
    inbound: Inbound = field(repr=False)
    first_at: Instant
    until: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A code that was asked for before its dossier was known. ``key`` stands for the account."""

    code: str
    account: Address = field(repr=False)
    language: str
    until: Instant
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A message as staff see it; the address is masked."""

    id: str
    key: str
    lane: Lane
    state: State
    to: str
    text: str = field(repr=False)
    notice: str
    dossier: str | None
    broadcast: str | None
    segments: int
    attempts: int
    gateway: str
    reason: str
    created_at: Instant
    not_before: Instant
    best_before: Instant
    updated_at: Instant
    rungs: tuple[str, ...] = ()
    """The channels that it may go over, in order; it is on that of ``to``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One line of a message's history; the address is masked."""

    number: int
    gateway: str
    started_at: Instant
    ended_at: Instant | None
    outcome: str
    code: str
    detail: str
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A signed apology that the source is to be told of; ``attempts`` were made so far."""

    apology: Apology
    attempts: int


class Session(Protocol):
    """One transaction. Every method takes and gives sequences; nothing is one statement an item.

    Every "once" is a constraint: adding what is there already changes nothing and says so.
    """

    async def hold(self, names: Sequence[str]) -> None:
        """Until this transaction ends no other one holds any of these names.

        Whoever reads something in order to write it anew, or counts in order to add, holds its
        name first: an address; a dossier's code, known or not, or its run. All of a kind together,
        addresses before codes, so that no two wait crosswise.
        """

    # dossiers
    async def add_events(self, events: Sequence[DossierEvent], now: Instant) -> list[bool]:
        """Journal events; False for one whose source and id are known."""

    async def dossiers(self, codes: Sequence[str]) -> dict[str, Dossier]:
        """Those that exist, by code."""

    async def dossiers_of(self, addresses: Sequence[Address]) -> dict[Address, list[Dossier]]:
        """Those whose applicant or agent has this number, latest change first, up to 20 each."""

    async def put_dossiers(self, dossiers: Sequence[Dossier], now: Instant) -> None:
        """Write whole dossiers."""

    async def list_dossiers(self, after: str, limit: int) -> list[Dossier]:
        """In order of code, those behind ``after``."""

    async def notices_of(self, codes: Sequence[str]) -> dict[str, list[OutboxRow]]:
        """Every message about these dossiers, oldest first."""

    async def due(
        self,
        statuses: Collection[int],
        until: Instant,
        limit: int,
        *,
        behind: tuple[Instant, str] = (0, ""),
        untold: str = "",
    ) -> list[Dossier]:
        """Those in one of ``statuses`` that are due up to ``until`` (ms), earliest first.

        Only those whose due date and code lie behind ``behind``; and with ``untold`` only those
        of whose due date nobody was told under that name.
        """

    async def add_told(self, told: Sequence[Told], now: Instant) -> list[bool]:
        """Record that staff are told; False for what was on record."""

    async def plan_moments(self, plans: Mapping[str, Sequence[Moment]]) -> None:
        """Replace the due moments of each dossier named."""

    async def due_moments(self, now: Instant, limit: int) -> list[Moment]:
        """Moments at or before ``now``, oldest first."""

    async def drop_moments(self, moments: Sequence[Moment]) -> None:
        """Moments that have been decided."""

    # promises
    async def put_promises(self, promises: Sequence[Promise], places: Sequence[Place]) -> None:
        """Write what reports know of dossiers, with each dossier that changes in it.

        ``places``: those of them that may not be there yet; one that is stays as it is.
        """

    async def tally(self, asked: Asked) -> list[Cell]:
        """Dossiers counted by line and verdict; one statement over all of them."""

    async def late_promises(self, asked: Asked, after: str, limit: int) -> list[tuple[str, Key]]:
        """Codes that are late against their first due date, each with its line.

        In order of code, those behind ``after``.
        """

    async def apologised(
        self, codes: Sequence[str], notices: Sequence[str], until: Instant
    ) -> dict[str, frozenset[Apologised]]:
        """Which of these dossiers' applicants were told that we are sorry by ``until`` (ms).

        By a message of one of ``notices`` that left and did not fail, or by a signed apology that
        was sent; those that were not are left out.
        """

    async def names_of_places(self) -> list[tuple[str, str, str, str]]:
        """Unit, its name, procedure, its name, as sources gave them first."""

    # outbox
    async def add_messages(self, messages: Sequence[Message]) -> set[str]:
        """Queue messages; the keys that were new."""

    async def waiting(
        self,
        channel: str,
        gateway: str,
        now: Instant,
        limit: int,
        *,
        pinned: bool = False,
        gap: int = 0,
        elapsed: Instant = 0,
    ) -> list[Candidate]:
        """Queued, due on ``channel`` and not pinned to another gateway than this one.

        Up to ``limit`` of each lane, oldest due first; only what is ``pinned`` to this gateway,
        where that is asked for. What goes to whom this gateway has
        ``spoken`` less than ``gap`` ms before ``elapsed`` is left out: it waits where it stands.
        """

    async def refill(self, gateway: str, rate: float, now: Instant) -> float:
        """What the bucket of ``gateway`` holds at ``now`` (elapsed ms), in segments.

        It gains ``rate`` segments a second and holds one second's worth at most; a new one is full.
        ``begin_attempts`` takes out of it. Until this transaction ends nobody else does. A clock
        that went back gives nothing and takes nothing. A store with a clock of its own goes by
        that one.
        """

    async def spoken(
        self, gateway: str, addresses: Sequence[Address], gap: int, now: Instant
    ) -> None:
        """``gateway`` writes to them at ``now`` (elapsed ms); what is ``gap`` ms old is forgotten.

        A store with a clock of its own goes by that one.
        """

    async def states_of(self, keys: Sequence[str]) -> dict[str, State]:
        """Where the messages of these keys stand; those that were never made are left out."""

    async def queued_notices(self, codes: Sequence[str]) -> list[QueuedNotice]:
        """What is queued about these dossiers, and not asked for, oldest first.

        What speaks of other dossiers as well is left out.
        """

    async def left_since(
        self, addresses: Sequence[Address], since: Instant
    ) -> dict[Address, list[tuple[Lane, Instant]]]:
        """Notices and bulk messages that left for each address since then (ms), or may have.

        The time is when their state changed last. Until this transaction ends nobody else is given
        these addresses; one that another transaction was given is left out.
        """

    async def messages(self, ids: Sequence[str]) -> list[Message]:
        """In the order of ``ids``; one that is gone is left out."""

    async def reword(self, messages: Sequence[Message], now: Instant) -> None:
        """Give queued messages another text, the other dossiers that it speaks of, other rungs."""

    async def begin_attempts(
        self, messages: Sequence[Message], gateway: str, owner: str, now: Instant
    ) -> list[Message]:
        """Journal that these are being sent; those that were queued, each one attempt older.

        Their segments are taken out of the gateway's bucket, where it has one.
        """

    async def end_attempts(self, attempted: Sequence[Attempted], now: Instant) -> bool:
        """Record what became of attempts; a receipt that came early is applied now.

        Whether any of these messages has fallen: see ``fallen``.
        """

    async def move(self, moved: Sequence[Moved], now: Instant) -> int:
        """Move messages that are queued or unknown, or have fallen; how many were still so."""

    async def add_receipts(self, gateway: str, receipts: Sequence[Receipt], now: Instant) -> bool:
        """Keep delivery reports, and apply those whose message is known; final stays final.

        What is reported of a channel that a message has left does not concern the one that it is
        on; but where it is delivered after all while the message waits, that does not leave.
        Whether any message has fallen: see ``fallen``.
        """

    # the ladder
    async def fall(self, reasons: Mapping[str, str], now: Instant) -> None:
        """The channel of these unknown messages, by id, is over for them, and why."""

    async def fallen(self, limit: int) -> list[Fallen]:
        """Messages whose channel is over: their state stands still until ``step`` or ``move``.

        Whoever makes them fall decides where they go before its transaction ends.
        """

    async def step(self, messages: Sequence[Message], now: Instant, reason: str = "") -> set[str]:
        """Queue messages that have fallen, or are queued, on the channel that they are on here.

        Each with its new address and text, and one rung further than it is kept; the ids of those
        that were still so. A question to people whether it arrived is settled by that. ``reason``:
        of those that were queued; what has fallen says why itself.
        """

    async def stranded(self, channels: Sequence[str], due: Instant, limit: int) -> list[Message]:
        """Queued messages that have been due since then (ms) on these channels, oldest first.

        Only such as have a further channel, and may not be with a provider already.
        """

    async def unknown(self, before: Instant, limit: int) -> list[Unsettled]:
        """Messages of unknown fate since ``before`` or longer, oldest first.

        Those that people have been asked about are left out.
        """

    async def abandon_sending(self, now: Instant) -> int:
        """What a dead process left *sending* becomes unknown; how many.

        Dead is whoever does not dispatch on this store now, by ``Store.dispatch_alone``.
        """

    async def outbox(
        self, *, state: State | None = None, dossier: str | None = None, limit: int = 50
    ) -> list[OutboxRow]:
        """Newest first."""

    async def outbox_row(self, message_id: str) -> OutboxRow | None:
        """One message, by id."""

    async def attempts(self, message_id: str) -> list[AttemptRow]:
        """The history of one message."""

    async def outbox_counts(self) -> dict[tuple[str, str], int]:
        """Messages that are not final, by lane and state."""

    # people
    async def refusals(self, addresses: Sequence[Address]) -> dict[Address, frozenset[str]]:
        """The scopes that each address refuses now; those with none are left out."""

    async def refuse(self, refusals: Sequence[Refusal]) -> None:
        """Keep refusals, with their proof; repeating one keeps the first."""

    async def resume(self, addresses: Sequence[Address], proof: str, now: Instant) -> None:
        """End all refusals of these addresses; the record of them stays."""

    async def add_inbound(self, heard: Sequence[Heard], now: Instant) -> list[bool]:
        """Keep inbound messages; False for one whose gateway and key are known."""

    async def guesses(
        self, addresses: Sequence[Address], lately: Instant, today: Instant
    ) -> dict[Address, tuple[int, int]]:
        """Codes that each sender guessed since ``lately`` and since ``today`` (ms)."""

    async def reread(self, heard: Sequence[Heard]) -> None:
        """What waited for the rest is read after all: its intent, codes, offers and guesses."""

    async def said(
        self, addresses: Sequence[Address], lately: Instant, followed: Instant
    ) -> dict[Address, Said]:
        """What each sender wrote: texts and the last offer since ``lately`` (ms), codes since
        ``followed`` (ms); those who wrote nothing are left out."""

    async def add_guesses(self, codes: Sequence[tuple[str, str]], now: Instant) -> None:
        """Codes that were guessed, each with its run; doing it again moves the time on."""

    async def tried(self, runs: Sequence[str], since: Instant) -> dict[str, int]:
        """How many codes of each run were guessed since then (ms), by anybody."""

    async def drop_guesses(self, before: Instant) -> None:
        """Guesses of before then (ms) are forgotten."""

    # texts that wait for the rest
    async def put_fragments(self, fragments: Sequence[Fragment]) -> None:
        """Keep them, one a gateway and sender; a new one takes the old one's place."""

    async def fragments_of(
        self, gateway: str, addresses: Sequence[Address]
    ) -> dict[Address, Fragment]:
        """What waits of these senders."""

    async def fragments_over(self, now: Instant, limit: int) -> list[Fragment]:
        """Those that have waited long enough at ``now`` (elapsed ms), oldest first."""

    async def drop_fragments(self, fragments: Sequence[Fragment]) -> None:
        """Wait no longer."""

    async def add_ratings(self, ratings: Sequence[tuple[str, int]], now: Instant) -> None:
        """Keep a score for each dossier; the first stays."""

    async def rated(self, codes: Sequence[str]) -> set[str]:
        """Those of these dossiers that have a score."""

    # codes asked for too early
    async def keep_codes(self, kept: Sequence[Kept], most: int) -> None:
        """Keep codes, at most ``most`` for one account; one that is kept already stays."""

    async def kept_for(self, codes: Sequence[str]) -> list[Kept]:
        """Who waits for these codes."""

    async def kept_over(self, now: Instant, limit: int) -> list[Kept]:
        """Those whose time is over."""

    async def drop_kept(self, kept: Sequence[Kept]) -> None:
        """Wait no longer."""

    # accounts tied to numbers
    async def add_link(
        self, code: str, number: Address, account: Address | None, now: Instant, until: Instant
    ) -> None:
        """A code that ties ``number`` to ``account``, or to whoever types it first."""

    async def links_since(self, number: Address, account: Address | None, since: Instant) -> int:
        """Codes made since then for the number, or for the account, whichever are more."""

    async def use_link(self, code: str, account: Address, now: Instant) -> Address | None:
        """The number of a code that still holds and was not used; it is used now."""

    async def bind(self, account: Address, number: Address, proof: str, now: Instant) -> None:
        """Tie an account to a number; doing it again keeps the first record."""

    async def unbind(self, accounts: Sequence[Address], proof: str, now: Instant) -> None:
        """Untie accounts from all their numbers; the record stays."""

    async def numbers_of(self, accounts: Sequence[Address]) -> dict[Address, frozenset[str]]:
        """The numbers (E.164) that each account has proved."""

    async def accounts_of(self, numbers: Sequence[Address]) -> dict[Address, tuple[Address, ...]]:
        """The accounts that are tied to each number, the latest first."""

    async def add_work(self, items: Sequence[WorkItem]) -> None:
        """Put items on the list for people; one that is there already stays as it is."""

    async def work(self, *, kind: str | None = None, limit: int = 100) -> list[WorkItem]:
        """What waits for people, oldest first."""

    async def settle_work(self, keys: Sequence[str], by: str, now: Instant) -> int:
        """Take items off the list; how many were on it."""

    async def acted_on(self, codes: Sequence[str]) -> dict[str, Instant]:
        """When somebody last settled an item of each dossier (ms); those with none are left out."""

    async def quarantine(self, items: Sequence[Quarantined]) -> None:
        """Keep what could not be taken."""

    async def quarantined(
        self, *, door: str | None = None, ids: Sequence[int] | None = None, limit: int = 100
    ) -> list[QuarantineRow]:
        """What is kept and not settled, oldest first; of ``ids`` only where there are any."""

    async def quarantined_raw(self, item_id: int) -> bytes | None:
        """The bytes of one item that is not settled."""

    async def settle_quarantined(self, ids: Sequence[int], fate: str, by: str, now: Instant) -> int:
        """Take items off: the record stays, its bytes do not; how many were on."""

    # broadcasts
    async def add_broadcast(self, broadcast: Broadcast) -> None:
        """A new broadcast."""

    async def add_recipients(self, broadcast_id: str, recipients: Sequence[Recipient]) -> int:
        """Add to its list; how many numbers were not on it yet."""

    async def broadcast(self, broadcast_id: str) -> Broadcast | None:
        """One broadcast."""

    async def broadcasts(self, state: BroadcastState | None = None) -> list[Broadcast]:
        """Newest first."""

    async def move_broadcast(
        self, broadcast: Broadcast, to: BroadcastState, by: str, act: str, now: Instant
    ) -> bool:
        """Move it if it still is where ``broadcast`` says, and record who did it."""

    async def recipients(self, broadcast_id: str, after: int, limit: int) -> list[Recipient]:
        """Its list by row, those behind row ``after``."""

    async def release_recipients(self, broadcast_id: str, up_to_row: int, count: int) -> None:
        """``count`` more are in the outbox, up to this row."""

    async def released_up_to(self, broadcast_id: str) -> int:
        """The last row that is in the outbox; 0 before the first."""

    async def broadcast_counts(self, broadcast_id: str) -> dict[State, int]:
        """Its messages by state."""

    async def open_of_broadcast(self, broadcast_id: str, limit: int) -> int:
        """How many of its messages have not left yet, counted up to ``limit``."""

    async def cancel_broadcast(self, broadcast_id: str, reason: str, now: Instant) -> int:
        """Cancel its queued messages; how many."""

    # apologies
    async def add_apology(self, apology: Apology) -> bool:
        """A new draft, by its author; False where one for this delay is there and not dropped."""

    async def apology(self, apology_id: str) -> Apology | None:
        """One apology."""

    async def apologies(
        self,
        *,
        state: ApologyState | None = None,
        dossiers: Sequence[str] | None = None,
        limit: int = 100,
    ) -> list[Apology]:
        """Newest first."""

    async def move_apology(
        self, apology: Apology, was: ApologyState, by: str, act: str, note: str, now: Instant
    ) -> bool:
        """Write it if it still is ``was``, and record who did it.

        False where it is not, or where it would be the second that is signed for its dossier.
        """

    async def apology_acts(self, ids: Sequence[str]) -> list[ApologyAct]:
        """Who did what to these apologies, in order."""

    async def late_dossiers(
        self, statuses: Sequence[int], before: Instant, after: tuple[int, str], limit: int
    ) -> list[Dossier]:
        """Those in one of these states and due before then (ms), by due date and code.

        Only those behind the due date and the code ``after``.
        """

    async def plan_return(self, apology_id: str, at: Instant) -> None:
        """The source is to be told of it, from ``at`` on; planning it again changes nothing."""

    async def due_returns(self, now: Instant, limit: int) -> list[Return]:
        """Those at or before ``now``, oldest first."""

    async def put_off_return(self, apology_id: str, at: Instant, error: str) -> None:
        """It did not get through, with a sentence why: once more at ``at``."""

    async def end_return(self, apology_id: str, now: Instant) -> None:
        """The source has taken it."""

    # sweeps
    async def take_lease(self, name: str, owner: str, now: Instant, until: Instant) -> bool:
        """Hold a named lease from ``now`` to ``until`` (elapsed ms), unless another owner does.

        A store with a clock of its own goes by that clock, for as long as lies between the two.
        """


class Store(Protocol):
    """Where everything is kept."""

    async def open(self) -> None:
        """Open and migrate; raises ``StoreError``."""

    async def close(self) -> None:
        """Close; nothing is lost that was committed."""

    def write(self) -> AbstractAsyncContextManager[Session]:
        """A transaction that commits, durably, at the end of the block, or not at all.

        Raises ``StoreConflictError`` where another transaction was in the way.
        """

    def read(self) -> AbstractAsyncContextManager[Session]:
        """A consistent view that writes nothing."""

    async def dispatch_alone(self, owner: str) -> None:
        """Begin to dispatch and tick as ``owner``, a name that no other process ever has.

        Raises ``StoreBusyError`` where one process at a time may, and another one does.
        """
