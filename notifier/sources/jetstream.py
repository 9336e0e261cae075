"""A stream of NATS JetStream: pulled in batches, acknowledged after the commit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import nats
import structlog
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from notifier.errors import NotifierError
from notifier.flows.ingest import Fate
from notifier.ports import Health, HealthState, Quarantined
from notifier.sources.reading import Arrival

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js.client import JetStreamContext

    from notifier.domain.event import DossierEvent
    from notifier.flows.ingest import Ingested
    from notifier.ports import Clock
    from notifier.settings import StreamSource
    from notifier.sources.reading import Reader

WAIT: Final = 2.0
"""Seconds that a pull waits for its first message."""

AGAIN: Final = (0.2, 5.0)
"""Seconds before a link that failed is tried again: at first, and at the most."""

APART: Final = 1 << 10
"""Places that one message of a millisecond has before those of the next begin."""

log = structlog.get_logger()


class Stream:
    """Consumes one stream under a durable name, so that any number of processes share it.

    What is delivered again after a crash has the identity that it had, and changes nothing. A
    message that holds nothing readable is kept in quarantine and ended, so that it comes no more.
    """

    def __init__(
        self,
        name: str,
        settings: StreamSource,
        reader: Reader,
        ingest: Callable[[Sequence[DossierEvent | Quarantined]], Awaitable[Sequence[Ingested]]],
        clock: Clock,
    ) -> None:
        """``ingest`` returns once the items are committed."""
        self._name = name
        self._settings = settings
        self._reader = reader
        self._ingest = ingest
        self._clock = clock
        self._health = Health(state=HealthState.DOWN, since=clock.elapsed(), reason="connecting")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to consume; a server that is down is waited for."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Consume nothing more; what was not acknowledged comes again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def health(self) -> Health:
        """Down while there is no link or no stream."""
        return self._health

    async def _run(self) -> None:
        pause = AGAIN[0]
        while True:
            began = self._clock.elapsed()
            try:
                await self._consume()
            except NotFoundError:
                self._is(HealthState.DOWN, f"the server has no stream {self._settings.stream}")
            except (NatsError, OSError, TimeoutError) as error:
                self._is(HealthState.DOWN, f"no link: {type(error).__name__}")
            except NotifierError as error:
                self._is(HealthState.DEGRADED, f"nothing can be stored: {type(error).__name__}")
            except Exception as error:
                self._is(HealthState.DEGRADED, f"{type(error).__name__}: see the log")
                log.exception("source.failed", source=self._name)
            log.warning("source.interrupted", source=self._name, reason=self._health.reason)
            lasted = self._clock.elapsed() - began > AGAIN[1] * 1_000
            pause = AGAIN[0] if lasted else min(pause * 2, AGAIN[1])
            await asyncio.sleep(pause)

    async def _consume(self) -> None:
        """Until the link fails: a new link, rather than the library's own reconnecting."""
        lost = asyncio.Event()
        client = await self._connect(lost)
        try:
            pull = await self._subscription(client.jetstream())
            self._is(HealthState.OK)
            log.info("source.consuming", source=self._name, stream=self._settings.stream)
            while not lost.is_set():
                try:
                    messages = await pull.fetch(self._settings.batch, timeout=WAIT)
                except TimeoutError:
                    # An idle stream and a consumer that is gone look the same until one asks.
                    await pull.consumer_info()
                    continue
                await self._take(messages)
                await client.flush(timeout=int(WAIT) or 1)
        finally:
            await asyncio.shield(asyncio.ensure_future(client.close()))
        raise ConnectionError

    async def _connect(self, lost: asyncio.Event) -> Client:
        settings = self._settings

        async def gone(*_: Any) -> None:
            lost.set()

        async def failed(error: Exception) -> None:
            log.debug("source.link", source=self._name, error=type(error).__name__)

        proofs: dict[str, Any] = {}
        if settings.credentials:
            proofs["user_credentials"] = settings.credentials
        if settings.user:
            proofs |= {"user": settings.user, "password": settings.password}
        if settings.token:
            proofs["token"] = settings.token
        return await nats.connect(
            servers=list(settings.servers),
            name=f"motcua-notifier {self._name}",
            allow_reconnect=False,
            connect_timeout=5,
            ping_interval=20,
            error_cb=failed,
            disconnected_cb=gone,
            closed_cb=gone,
            **proofs,
        )

    async def _subscription(self, stream: JetStreamContext) -> JetStreamContext.PullSubscription:
        settings = self._settings
        wanted = ConsumerConfig(
            durable_name=settings.durable,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=settings.ack_wait / 1000,
            max_ack_pending=max(1_000, 4 * settings.batch),
            filter_subject=settings.subject or None,
        )
        await stream.stream_info(settings.stream)
        try:
            await stream.consumer_info(settings.stream, settings.durable)
        except NotFoundError:
            await stream.add_consumer(settings.stream, config=wanted)
        return await stream.pull_subscribe_bind(consumer=settings.durable, stream=settings.stream)

    async def _take(self, messages: Sequence[Msg]) -> None:
        read = [self._reader.read(message.data, _arrival(message)) for message in messages]
        results = iter(await self._ingest([item for items in read for item in items]))
        for message, items in zip(messages, read, strict=True):
            fates = [next(results) for _ in items]
            for result in fates:
                if result.fate is Fate.QUARANTINED:
                    sequence = message.metadata.sequence.stream
                    log.warning(
                        "source.kept", source=self._name, message=sequence, reason=result.reason
                    )
            if all(isinstance(item, Quarantined) and not item.understood for item in items):
                await message.term()
            else:
                await message.ack()

    def _is(self, state: HealthState, reason: str = "") -> None:
        if (state, reason) != (self._health.state, self._health.reason):
            self._health = Health(state=state, since=self._clock.elapsed(), reason=reason)


def _arrival(message: Msg) -> Arrival:
    """When the stream took it: the same however often it is delivered."""
    about = message.metadata
    place = about.sequence.stream % APART * APART
    return Arrival(at=round(about.timestamp.timestamp() * 1_000), place=place)
