"""Where a store lies, fit to be shown: without its password."""

from __future__ import annotations

import re

_BEFORE_HOST = re.compile(r"^(\w+://[^:/?#@]*):(.*)@")
"""Up to the last ``@``: a password that should have been percent-encoded is hidden all the same."""

_ASKED = re.compile(r"([?&](?:password|sslpassword|passfile)=)([^&]*)")


def masked(address: str) -> str:
    """``address`` without its password."""
    return _ASKED.sub(r"\1…", _BEFORE_HOST.sub(r"\1:…@", address))


def secrets_of(address: str) -> set[str]:
    """What of ``address`` must never be shown, as it is written there."""
    found = [*_BEFORE_HOST.findall(address), *_ASKED.findall(address)]
    return {secret for _, secret in found if secret}
