"""What a command_status means for the message (SMPP 3.4 5.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from notifier.domain.instant import SECOND
from notifier.domain.outcome import OptedOut, Permanent, Scope, Temporary, Throttled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateways.smpp.settings import Verdict

BUSY_FOR: Final = 1 * SECOND
"""Ms to wait after "throttled": the protocol names no time."""

STATUSES: Final[Mapping[int, tuple[str, Verdict]]] = {
    0x01: ("RINVMSGLEN", "content"),
    0x02: ("RINVCMDLEN", "content"),
    0x04: ("RINVBNDSTS", "temporary"),
    0x05: ("RALYBND", "temporary"),
    0x06: ("RINVPRTFLG", "account"),
    0x07: ("RINVREGDLVFLG", "account"),
    0x08: ("RSYSERR", "temporary"),
    0x0A: ("RINVSRCADR", "account"),
    0x0B: ("RINVDSTADR", "recipient"),
    0x0D: ("RBINDFAIL", "account"),
    0x0E: ("RINVPASWD", "account"),
    0x0F: ("RINVSYSID", "account"),
    0x14: ("RMSGQFUL", "throttled"),
    0x15: ("RINVSERTYP", "account"),
    0x43: ("RINVESMCLASS", "account"),
    0x45: ("RSUBMITFAIL", "recipient"),
    0x48: ("RINVSRCTON", "account"),
    0x49: ("RINVSRCNPI", "account"),
    0x50: ("RINVDSTTON", "account"),
    0x51: ("RINVDSTNPI", "account"),
    0x53: ("RINVSYSTYP", "account"),
    0x58: ("RTHROTTLED", "throttled"),
    0x61: ("RINVSCHED", "content"),
    0x62: ("RINVEXPIRY", "content"),
    0x64: ("RX_T_APPN", "temporary"),
    0x65: ("RX_P_APPN", "recipient"),
    0x66: ("RX_R_APPN", "recipient"),
}
"""Where the answer concerns how we are set up, it stops the gateway and tells staff: "account"."""


def outcome_of(
    status: int, own: Mapping[str, Verdict]
) -> Throttled | Temporary | Permanent | OptedOut:
    """The outcome of a status that is not 0; ``own``: the installation's table, which wins.

    A status that nobody knows is for good, its number kept: to try again what a centre refuses for
    a reason of its own would cost money or the account.
    """
    name, verdict = STATUSES.get(status, (f"{status:#06x}", "recipient"))
    verdict = {int(key, 16): value for key, value in own.items()}.get(status, verdict)
    match verdict:
        case "throttled":
            return Throttled(retry_after=BUSY_FOR)
        case "temporary":
            return Temporary(code=name)
        case "opted_out":
            return OptedOut(code=name)
        case "recipient" | "content" | "template" | "account":
            return Permanent(code=name, scope=Scope(verdict))
