"""The gateway to Telegram: sends, and polls where updates do not come by webhook."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from telegram import LinkPreviewOptions
from telegram.error import InvalidToken, TelegramError

from gateways.condition import Condition
from gateways.in_flight import InFlight
from gateways.settings import fault_at, read_table
from gateways.telegram.bot import keep_quiet, keyboard, make_bot
from gateways.telegram.settings import Settings, capabilities_of
from gateways.telegram.updates import message_key, read_update, update_number
from gateways.telegram.verdict import MISREAD, TooManyError, read_error
from notifier.domain.outcome import Accepted, Permanent, Scope, Temporary, Throttled, Unknown
from notifier.errors import ConfigurationError, SignatureError
from notifier.ports import HealthState, WebhookReply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telegram import Bot
    from telegram.request import HTTPXRequest

    from notifier.domain.message import Message
    from notifier.domain.outcome import Outcome
    from notifier.ports import Clock, Health, Sink, WebhookRequest

_TOKEN_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
_UPDATES: Final = ("message",)
_PAUSES: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds between tries to reach Telegram for updates."""

_log = logging.getLogger(__name__)


class TelegramGateway:
    """One bot. Its polling moves on only after the sink has committed what came."""

    def __init__(self, name: str, settings: Mapping[str, Any], clock: Clock) -> None:
        keep_quiet()
        self.name = name
        self._settings = read_table(Settings, name, settings)
        self.capabilities = capabilities_of(self._settings)
        self._clock = clock
        self._condition = Condition(clock)
        self._in_flight = InFlight()
        self._bot: Bot | None = None
        self._receiving: asyncio.Task[None] | None = None
        self._throttled_chat, self._throttled_until = "", 0

    def __repr__(self) -> str:
        return f"TelegramGateway({self.name!r})"

    @property
    def secrets(self) -> frozenset[str]:
        token = self._settings.token
        known = (token, token.partition(":")[2], self._settings.webhook_secret)
        return frozenset(filter(None, known))

    async def start(self, sink: Sink) -> None:
        """Asks Telegram who we are. A token that it refuses is a ``ConfigurationError``.

        That Telegram can't be reached is not: the network may block it today and not tomorrow.
        """
        if self._bot is not None:
            return
        bot, updates = make_bot(self._settings)
        try:
            await bot.initialize()
        except InvalidToken:
            await bot.shutdown()
            problem = "is refused by Telegram; take the token that BotFather shows"
            raise ConfigurationError(fault_at(self.name, "token", problem=problem)) from None
        except (TelegramError, *MISREAD):
            self._condition.note(HealthState.DOWN, "Telegram can't be reached")
        self._bot = bot
        if self._settings.receive != "none":
            self._receiving = asyncio.create_task(self._receive(bot, updates, sink))

    async def stop(self, drain: float) -> None:
        bot, self._bot = self._bot, None
        if bot is None:
            return
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait([self._receiving])
            self._receiving = None
        await self._in_flight.drain(drain)
        await bot.shutdown()

    async def send(self, message: Message) -> Outcome:
        if self._bot is None:
            return Temporary(code="stopped", detail="the gateway is not started")
        outcome = await self._attempt(self._bot, message)
        self._note(outcome)
        return outcome

    async def query(self, ref: str) -> Outcome | None:
        return None

    def read_webhook(self, request: WebhookRequest) -> WebhookReply:
        known = self._settings.webhook_secret
        shown = request.headers.get(_TOKEN_HEADER, "")
        if known is None or not hmac.compare_digest(
            shown.encode(errors="surrogatepass"), known.encode()
        ):
            raise SignatureError("the call does not carry the bot's secret token")
        try:
            raw = json.loads(request.body)
        except (ValueError, RecursionError):
            raw = None
        return WebhookReply(incoming=read_update(raw, request.body))

    def health(self) -> Health:
        return self._condition.health

    async def _attempt(self, bot: Bot, message: Message) -> Outcome:
        try:
            async with self._in_flight.attempt():
                sent = await bot.send_message(
                    chat_id=message.address.value,
                    text=message.text,
                    reply_markup=keyboard(message.buttons, message.contact_button),
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
                return Accepted(refs=(message_key(sent),))
        except TooManyError as error:
            return self._throttled(message.address.value, error.wait)
        except TelegramError as error:
            return read_error(error, {message.text, message.address.value, *self.secrets})
        except TimeoutError:
            return Unknown(code="stopped", detail="the gateway stopped before an answer came")
        except MISREAD as error:
            return Unknown(code="unreadable", detail=type(error).__name__)

    def _throttled(self, chat: str, wait: int) -> Throttled:
        """Telegram limits a chat (one message a second) and a bot (30), and does not say which.

        We stay below 30, so it is the chat, unless a second chat is refused in the same pause.
        """
        now = self._clock.elapsed()
        everybody = now < self._throttled_until and chat != self._throttled_chat
        self._throttled_chat, self._throttled_until = chat, now + wait
        return Throttled(retry_after=wait, scope=Scope.GATEWAY if everybody else Scope.RECIPIENT)

    def _note(self, outcome: Outcome) -> None:
        match outcome:
            case Temporary():
                self._condition.note(HealthState.DOWN, "Telegram can't be reached")
            case Unknown(code=code):
                self._condition.note(HealthState.DEGRADED, f"no verdict on a message: {code}")
            case Permanent(scope=Scope.ACCOUNT | Scope.CONFIGURATION):
                self._condition.note(HealthState.DOWN, "Telegram refuses the bot's token")
            case _:
                self._condition.note(HealthState.OK)

    # ------------------------------------------------------------------------------- updates

    async def _receive(self, bot: Bot, updates: HTTPXRequest, sink: Sink) -> None:
        """Registers how updates come, then polls where that is the way; for ever."""
        offset, failures, registered = 0, 0, False
        while True:
            try:
                if not registered:
                    await self._register(bot)
                    registered = True
                if self._settings.receive == "webhook":
                    return
                offset = await self._poll(bot, updates, sink, offset)
                failures = 0
            except Exception as error:  # noqa: BLE001 - no fault may end the reading
                reason = f"updates can't be fetched: {type(error).__name__}"
                self._condition.note(HealthState.DOWN, reason)
                _log.warning("gateway %s: %s", self.name, reason)
                await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1

    async def _register(self, bot: Bot) -> None:
        url = self._settings.webhook_url
        if self._settings.receive == "poll":
            await bot.delete_webhook(drop_pending_updates=False)
        elif url is not None:
            secret = self._settings.webhook_secret
            await bot.set_webhook(url, secret_token=secret, allowed_updates=_UPDATES)

    async def _poll(self, bot: Bot, updates: HTTPXRequest, sink: Sink, offset: int) -> int:
        """One long poll; the offset after it. Only asking with it acknowledges to Telegram.

        Not by ``Bot.get_updates``, which fails for the whole batch when one update can't be read.
        """
        wait = self._settings.poll_wait
        asked = {"offset": offset, "timeout": wait, "allowed_updates": json.dumps(_UPDATES)}
        batch = await updates.post(
            f"{bot.base_url}/getUpdates?{urlencode(asked)}",
            read_timeout=wait + self._settings.timeout,
        )
        if not isinstance(batch, list):
            raise TelegramError("the updates are no list")
        incoming = [item for raw in batch for item in read_update(raw, json.dumps(raw).encode())]
        if incoming:
            await sink.accept(incoming)
        numbers = filter(None, map(update_number, batch))
        after = max([offset, *(number + 1 for number in numbers)])
        if batch and after == offset:
            raise TelegramError("the updates have no numbers, so that they come again for ever")
        self._condition.note(HealthState.OK)
        return after
