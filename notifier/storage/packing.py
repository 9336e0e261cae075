"""Values to bytes and back, small: what is not known takes no room."""

from __future__ import annotations

from typing import Any

import msgspec

from notifier.domain.dossier import Dossier, Facts, Step, UnitRef
from notifier.domain.event import Stamp


class PackedStep(msgspec.Struct, array_like=True, frozen=True):
    """A step, its stamp as a place in the list of stamps."""

    stamp: int
    type: str
    status: int | None
    unit: UnitRef | None
    handler: str | None
    due_at: int | None


class PackedDossier(msgspec.Struct, array_like=True, frozen=True):
    """A dossier with each stamp written once."""

    code_raw: str
    first_seen_at: int
    facts: dict[str, Any]
    stamps: list[Stamp]
    by: dict[str, int]
    steps: list[PackedStep]


_decoder = msgspec.json.Decoder(PackedDossier)
_encoder = msgspec.json.Encoder()


def pack_dossier(dossier: Dossier) -> bytes:
    """The dossier as JSON bytes, without its code."""
    places: dict[Stamp, int] = {}
    by = {name: places.setdefault(stamp, len(places)) for name, stamp in dossier.stamps.items()}
    steps = [
        PackedStep(
            places.setdefault(step.stamp, len(places)),
            step.type,
            step.status,
            step.unit,
            step.handler,
            step.due_at,
        )
        for step in dossier.steps
    ]
    return _encoder.encode(
        PackedDossier(
            dossier.code_raw, dossier.first_seen_at, known(dossier.facts), list(places), by, steps
        )
    )


def unpack_dossier(code: str, packed: bytes) -> Dossier:
    """The dossier that ``pack_dossier`` wrote."""
    held = _decoder.decode(packed)
    return Dossier(
        code=code,
        code_raw=held.code_raw,
        first_seen_at=held.first_seen_at,
        facts=msgspec.convert(held.facts, Facts),
        stamps={name: held.stamps[place] for name, place in held.by.items()},
        steps=tuple(
            Step(
                stamp=held.stamps[step.stamp],
                type=step.type,
                status=step.status,
                unit=step.unit,
                handler=step.handler,
                due_at=step.due_at,
            )
            for step in held.steps
        ),
    )


def known(facts: Facts) -> dict[str, Any]:
    """The fields of ``facts`` that are known."""
    return {
        name: value
        for name in Facts.__dataclass_fields__
        if (value := getattr(facts, name)) is not None
    }


def pack(value: Any) -> bytes:
    """Any value of ours as JSON bytes."""
    return _encoder.encode(value)


def unpack(packed: bytes) -> Any:
    """Plain JSON back."""
    return msgspec.json.decode(packed)
