"""The Zalo Bot Platform: a bot that citizens write to; its token never changes."""

from gateways.zalo_bot.gateway import ZaloBotGateway

__all__ = ["ZaloBotGateway"]
