"""A gateway's own table of settings, typed and checked; every fault is reported, not the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from notifier.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SENTENCES: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a setting; look at config/gateways/*.example.toml",
}


class Table(BaseModel):
    """A table of settings: immutable, and a key that it does not know is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class GatewayTable(Table):
    """What every ``[gateways.<name>]`` has."""

    kind: str = ""
    """The entry point that made this gateway; nothing here depends on it."""


T = TypeVar("T", bound=GatewayTable)


def read_table(
    model: type[T], name: str, settings: Mapping[str, Any], further: Iterable[Fault] = ()
) -> T:
    """The table of the gateway ``name``, checked.

    Raises ``ConfigurationError`` with all faults, each at its key, and those of ``further``.
    None of them shows a value, since a value may be a secret.
    """
    faults = list(further)
    try:
        table = model.model_validate(dict(settings))
    except ValidationError as error:
        faults += [
            fault_at(
                name,
                *map(str, item["loc"]),
                problem=_SENTENCES.get(item["type"], item["msg"].removeprefix("Value error, ")),
            )
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ConfigurationError(faults) from None
    if faults:
        raise ConfigurationError(faults)
    return table


def fault_at(name: str, *path: str, problem: str) -> Fault:
    """A fault at a key of the table of the gateway ``name``."""
    key = ".".join(("gateways", name, *path))
    return Fault(file="notifier.toml", key=key, problem=problem)
