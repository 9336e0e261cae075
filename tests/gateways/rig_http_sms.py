"""The gateway ``http_sms`` over a double of eSMS; other dialects are in ``test_http_sms.py``."""

from __future__ import annotations

from doubles.sms_providers import Esms, SmsRig


class Rig(SmsRig):
    """The conformance suite's rig."""

    def __init__(self) -> None:
        super().__init__(Esms)
