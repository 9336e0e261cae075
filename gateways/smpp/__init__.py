"""SMS over SMPP 3.4, straight to a carrier's message centre."""

from gateways.smpp.gateway import SmppGateway

__all__ = ["SmppGateway"]
