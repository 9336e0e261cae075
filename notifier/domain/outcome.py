"""What became of one attempt to send: a closed union, never a bool and never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """How far a verdict reaches."""

    RECIPIENT = "recipient"
    CONTENT = "content"
    TEMPLATE = "template"
    ACCOUNT = "account"
    CONFIGURATION = "configuration"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider has it. ``refs``: its ids, one a part, in order; may be empty."""

    refs: tuple[str, ...] = ()
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """Not taken; come back after ``retry_after`` ms. Costs no attempt."""

    retry_after: int
    scope: Scope = Scope.GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Temporary:
    """Proven not taken: nothing was written, or the provider said no for now."""

    code: str
    detail: str = ""
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permanent:
    """Never. A scope of account or configuration concerns every message, and staff."""

    code: str
    detail: str = ""
    scope: Scope = Scope.RECIPIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut:
    """The recipient refuses messages from us."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Bytes left us and no verdict came: it may be out."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Some segments were taken: ``done`` refs by part number from 0; ``rest`` says why no more."""

    done: tuple[tuple[int, str], ...]
    rest: Temporary | Permanent | Unknown


Outcome = Accepted | Throttled | Temporary | Permanent | OptedOut | Unknown | Partial
