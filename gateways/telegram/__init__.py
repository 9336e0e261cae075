"""The gateway to Telegram's Bot API, by webhook or by polling; for pilots, never the only channel.

What a citizen sends without words (a picture, a voice message, a place, a contact) comes through
as an inbound message with an empty text, so that they get an answer. Groups, channels, edited
messages and other bots are not answered: an answer in a group would tell everybody in it.
"""

from gateways.telegram.gateway import TelegramGateway

__all__ = ["TelegramGateway"]
