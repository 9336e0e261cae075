"""``config/sources/<name>.toml``: how a source's records say what we call by our own names."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads it
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from notifier.domain.text import fold
from notifier.errors import Fault
from notifier.settings import Table, faults_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.domain.status import Statuses
    from notifier.settings import Files

ISO: Final = "iso"
DOTNET: Final = "dotnet"

FieldName = Literal[
    "code", "time", "status", "procedure_code", "procedure_name", "procedure_field", "unit_code",
    "unit_name", "handler", "applicant_name", "applicant_phone", "applicant_email",
    "applicant_kind", "agent_name", "agent_phone", "agent_email", "consent_sms", "consent_email",
    "consent_zalo", "received_at", "due_at", "finished_at", "returned_at", "reason", "return_by",
    "limit",
]  # fmt: skip
"""What a record may say, by our names."""

Kind = Literal["person", "business", "household", "agency"]
ReturnBy = Literal["desk", "online", "post"]


def _names(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _format(form: str) -> str:
    if form in {ISO, DOTNET}:
        return form
    try:
        moment = datetime(2026, 11, 22, 17, 30, 15)  # noqa: DTZ001 - only its digits are used
        read = datetime.strptime(moment.strftime(form), form)  # noqa: DTZ007 - as above
    except ValueError:
        read = None
    if read is None or read.date() != moment.date():
        raise ValueError(
            'it is not "iso", "dotnet", or signs of strptime for a year, month and day'
        )
    return form


def _folded(value: object) -> object:
    return {state(key): ours for key, ours in value.items()} if isinstance(value, dict) else value


def state(written: str) -> str:
    """A state or kind as it is looked up: ``04`` is ``4``, and ``Đang xử lý`` is ``dang xu ly``."""
    text = fold(written).strip()
    return (text.lstrip("0") or "0") if text.isascii() and text.isdigit() else text


Name = Annotated[str, Field(min_length=1, max_length=100)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_names), Field(min_length=1)]
DateFormat = Annotated[str, AfterValidator(_format)]


class PushTable(Table):
    """``[push]``: what lies around the records."""

    records: Name = "data"
    occurred_at: Name = "occurred_at"
    received_at: Name = "received_at"


class SupplementTable(Table):
    """``[supplement]``: papers that are asked for."""

    list: Name
    what: Name
    by: str = ""
    requested_at: str = ""


class FeesTable(Table):
    """``[fees]``"""

    list: Name
    name: Name
    amount: Name
    paid: str = ""


class RecordMap(Table):
    """The whole file. The keys of ``statuses``, ``kinds`` and ``return_by`` are as ``state`` has
    them; the value of a state is the number of one of ours.
    """

    date_formats: tuple[DateFormat, ...] = Field(min_length=1)
    no_date: tuple[Name, ...] = ()
    own_dates: tuple[Name, ...] = ()
    reason_with: frozenset[int] = frozenset()
    push: PushTable = PushTable()
    fields: Mapping[FieldName, Names]
    supplement: SupplementTable | None = None
    fees: FeesTable | None = None
    statuses: Annotated[Mapping[str, int], BeforeValidator(_folded)] = {}
    kinds: Annotated[Mapping[str, Kind], BeforeValidator(_folded)] = {}
    return_by: Annotated[Mapping[str, ReturnBy], BeforeValidator(_folded)] = {}

    @model_validator(mode="after")
    def _usable(self) -> RecordMap:
        if "code" not in self.fields:
            raise ValueError("[fields] has to say which field is the code")
        if "status" in self.fields and not self.statuses:
            raise ValueError("[statuses] has to say what each state is, where there is a status")
        return self


def load(files: Files, name: str, statuses: Statuses | None) -> RecordMap | None:
    """``sources/<name>.toml``; None with faults in ``files`` where it can't be used."""
    path = files.path(f"sources/{name}.toml")
    if not path.is_file():
        problem = f"there is no file sources/{name}.toml; write one, or name another with map."
        files.faults.append(
            Fault(file=str(files.path("notifier.toml")), key=f"sources.{name}", problem=problem)
        )
        return None
    count = len(files.faults)
    table = files.toml(path)
    if len(files.faults) > count:
        return None
    try:
        read = RecordMap.model_validate(table)
    except ValidationError as error:
        files.faults += faults_of(error, str(path))
        return None
    if statuses is not None:
        files.faults += _unknown_states(read, statuses, str(path))
    return read


def _unknown_states(read: RecordMap, statuses: Statuses, path: str) -> Iterator[Fault]:
    for theirs, ours in read.statuses.items():
        if ours not in statuses:
            problem = f"{ours} is not in statuses.toml; name one of its states."
            yield Fault(file=path, key=f"statuses.{theirs}", problem=problem)
