"""Every error the service raises, as one tree.

::

    NotifierError
    ├── ConfigurationError      settings, rules, templates or keys; carries every fault found
    ├── InputError              something handed to us that can't be read
    │   ├── EventError          an event; names the field
    │   ├── WebhookError        a provider's call; answered with 4xx
    │   │   └── SignatureError  forged, stale or unsigned
    │   └── AudienceError       a list of recipients
    ├── TemplateError           a text that can't be rendered, or is too long
    ├── StoreError              the store refused or is not ours
    │   ├── StoreBusyError      another process dispatches on this store
    │   ├── SealedError         what is stored does not open: other keys, or damage
    │   └── StoreConflictError  another transaction was in the way; the same again may work
    └── NotAllowedError         an act that the rules forbid (a second approval by the author, ...)

A message is a sentence: what is wrong, where, and what to do. None of them carries a phone number
or a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class NotifierError(Exception):
    """The root; catching it catches what the service itself raises, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in a configuration: the file, the key in it, and a sentence."""

    file: str
    key: str
    problem: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: {self.problem}"


class ConfigurationError(NotifierError):
    """The configuration can't be used; ``faults`` holds all that is wrong, not just the first."""

    def __init__(self, faults: Sequence[Fault] | Fault) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InputError(NotifierError):
    """Something handed to us can't be read; the sender has to change it."""


class EventError(InputError):
    """An event can't be read. ``field`` is a JSON pointer into it, such as ``/data/due_at``."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}" if field else problem)


class WebhookError(InputError):
    """A provider's call can't be read."""


class SignatureError(WebhookError):
    """A signature is missing, wrong, or too old."""


class AudienceError(InputError):
    """A list of recipients can't be used; names the row and the column."""


class TemplateError(NotifierError):
    """A template is missing, names something undefined, or gives a text that is too long."""


class StoreError(NotifierError):
    """The store can't be opened, is of another version, or does not answer."""


class StoreBusyError(StoreError):
    """Another process already dispatches and ticks on this store."""


class SealedError(StoreError):
    """A stored value does not open: it was written with other keys, or is damaged."""


class StoreConflictError(StoreError):
    """Another transaction was in the way, and this one was undone: the same again may work."""


class NotAllowedError(NotifierError):
    """The rules forbid this act to this person, or in this state."""
