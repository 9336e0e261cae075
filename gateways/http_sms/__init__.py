"""Any SMS provider that takes one HTTP request a message, described by settings alone."""

from gateways.http_sms.gateway import HttpSmsGateway

__all__ = ["HttpSmsGateway"]
