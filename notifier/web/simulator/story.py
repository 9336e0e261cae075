"""The demonstration's story: people and their phones, dossiers and what happens to them next."""

from __future__ import annotations

import tomllib
from datetime import datetime  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from notifier.domain import instant
from notifier.domain.event import EventType
from notifier.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from notifier.domain.instant import Instant

Words = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Unit(_Table):
    """The one-stop centre that all dossiers of the story lie at."""

    code: Words
    name: Words
    place: Words


class Step(_Table):
    """One step that a dossier's card draws, and the national status numbers it covers."""

    word: Words
    statuses: tuple[int, ...]


class States(_Table):
    """What a card says of a status: its time limit stands still, or has ended."""

    paused: frozenset[int]
    ended: frozenset[int]


class StoryPhone(_Table):
    """A person and their phone. ``number`` in E.164; ``kind`` is how the phone is drawn.

    ``called`` is how the name is addressed: Ông, Bà, ...
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+$")]
    called: Words
    name: Annotated[str, Field(min_length=1, repr=False)]
    short: Annotated[str, Field(min_length=1, repr=False)]
    number: Annotated[str, Field(pattern=r"^\+84[35789][0-9]{8}$", repr=False)]
    kind: Literal["keypad", "touch"]


class StoryEvent(_Table):
    """Something that happens to a dossier; ``label`` is what the button says."""

    label: Words
    type: Words
    opening: bool = False
    data: dict[str, Any] = Field(default_factory=dict, repr=False)

    @model_validator(mode="after")
    def _is_known(self) -> StoryEvent:
        prefix, _, what = self.type.partition(".")
        if prefix != "dossier" or what not in set(EventType):
            raise ValueError("type names no event; write dossier.received, dossier.finished, ...")
        return self


class StoryDossier(_Table):
    """A dossier, whose it is (``phone``, an id), and its events in order."""

    code: Words
    phone: Words
    title: Words
    procedure: dict[str, str]
    events: Annotated[tuple[StoryEvent, ...], Field(min_length=1)]

    @property
    def opening(self) -> int:
        """How many of its events are pushed when the demonstration starts."""
        return next(
            (n for n, event in enumerate(self.events) if not event.opening), len(self.events)
        )


class Story(_Table):
    """All that the demonstration plays. ``start`` is its civil time at the beginning."""

    start: datetime
    source: Words
    unit: Unit
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    states: States
    phones: Annotated[tuple[StoryPhone, ...], Field(min_length=1)]
    dossiers: tuple[StoryDossier, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> Story:
        _refuse_repeated("phones", [phone.id for phone in self.phones])
        _refuse_repeated("phones", [phone.number for phone in self.phones])
        _refuse_repeated("dossiers", [dossier.code for dossier in self.dossiers])
        ids = {phone.id for phone in self.phones}
        for dossier in self.dossiers:
            if dossier.phone not in ids:
                raise ValueError(f"dossier {dossier.code}: phone names none of the phones")
            if any(event.opening for event in dossier.events[dossier.opening :]):
                raise ValueError(f"dossier {dossier.code}: opening events must come first")
        return self

    @property
    def starts_at(self) -> Instant:
        """``start`` in ms."""
        return instant.of(self.start)

    def dossier(self, code: str) -> StoryDossier | None:
        """The dossier with this code."""
        return next((dossier for dossier in self.dossiers if dossier.code == code), None)

    def phone(self, dossier: StoryDossier) -> StoryPhone:
        """The phone of the person whose dossier it is."""
        return next(phone for phone in self.phones if phone.id == dossier.phone)

    def event(self, dossier: StoryDossier, number: int, now: Instant) -> dict[str, Any]:
        """The dossier's event ``number`` (from 0) as a CloudEvent that happens ``now`` (ms).

        The first one also carries the applicant, the procedure and the unit.
        """
        told = dossier.events[number]
        return {
            "specversion": "1.0",
            "id": f"{dossier.code}/{number}",
            "source": self.source,
            "type": told.type,
            "subject": dossier.code,
            # To the ms: two clicks within a second must keep their order.
            "time": instant.local(now).isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "data": {**(self._introduction(dossier) if number == 0 else {}), **told.data},
        }

    def opening(self, now: Instant) -> Sequence[dict[str, Any]]:
        """The CloudEvents that are pushed when the demonstration starts."""
        return [
            self.event(dossier, number, now)
            for dossier in self.dossiers
            for number in range(dossier.opening)
        ]

    def _introduction(self, dossier: StoryDossier) -> dict[str, Any]:
        person = self.phone(dossier)
        return {
            "procedure": dossier.procedure,
            "unit": {"code": self.unit.code, "name": self.unit.name},
            "applicant": {"name": person.name, "phone": person.number},
            "consent": {"sms": True},
        }


def read_story(path: Path) -> Story:
    """The story in a TOML file; raises ``ConfigurationError`` with every fault found."""
    try:
        return Story.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        problem = f"can't be read ({error.strerror}); name a file that is there"
        raise ConfigurationError(Fault(file=str(path), key="", problem=problem)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(Fault(file=str(path), key="", problem=str(error))) from None
    except ValidationError as error:
        raise ConfigurationError(
            [
                Fault(file=str(path), key=".".join(map(str, fault["loc"])), problem=fault["msg"])
                for fault in error.errors(include_url=False, include_input=False)
            ]
        ) from None


def _refuse_repeated(where: str, values: Sequence[str]) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{where}: two entries have the same id, number or code; change one")
