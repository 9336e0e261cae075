"""Files and environment to one typed, checked ``Settings``; every fault is reported, not the first.

A configuration folder needs only what differs from the shipped one: ``notifier.toml`` is merged
key by key, the forms of ``codes.toml`` are added to the shipped ones, each other file replaces the
shipped file of its name. The environment wins over both.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from notifier import shipped
from notifier.domain import phone
from notifier.domain.instant import DAY, HOUR, MINUTE, SECOND
from notifier.domain.message import Address
from notifier.domain.opening import read_hours
from notifier.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def read_duration(value: object) -> int:
    """Ms of ``30s``, ``15m``, ``8h`` or ``3d``."""
    found = re.fullmatch(r"(\d{1,6})\s*([smhd])", value) if isinstance(value, str) else None
    if not found:
        raise ValueError('write a duration as a number and s, m, h or d, such as "15m"')
    return int(found[1]) * UNITS[found[2]]


def read_clock(value: object) -> time:
    """A time of day, ``08:30``."""
    if not (isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value)):
        raise ValueError('write a time of day as "08:30"')
    return time.fromisoformat(value)


def read_staff_address(value: object) -> Address:
    """Where a member of staff is reached, ``email:a@b.vn``; a number in any spelling.

    The error does not quote it.
    """
    if isinstance(value, Address):
        return value
    try:
        read = Address.parse(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(str(error)) from None
    if read.channel != "sms":
        return read
    number = phone.read(read.value)
    if number is None:
        raise ValueError("no SMS can reach one of the numbers; write it as sms:0912000000")
    return Address("sms", number.e164)


def read_lead(value: object) -> tuple[int, str]:
    """Working time: ``2d`` days or ``4h`` hours, as its count and its unit."""
    found = re.fullmatch(r"(\d{1,2})([dh])", value) if isinstance(value, str) else None
    if not found or int(found[1]) == 0:
        raise ValueError('write working time as "2d" (days) or "4h" (hours)')
    return int(found[1]), found[2]


def _read_hours(value: object) -> int:
    count, unit = read_lead(value)
    if unit != "h":
        raise ValueError('write working hours as "8h"')
    return count * HOUR


Lead = Annotated[tuple[int, str], BeforeValidator(read_lead)]
WorkingHours = Annotated[int, BeforeValidator(_read_hours)]
StaffAddress = Annotated[InstanceOf[Address], BeforeValidator(read_staff_address)]
Duration = Annotated[int, BeforeValidator(read_duration)]
ClockTime = Annotated[time, BeforeValidator(read_clock)]


def _in_order(hours: tuple[time, time]) -> tuple[time, time]:
    if hours[0] >= hours[1]:
        raise ValueError("a day opens before it closes; hours don't run over midnight")
    return hours


def _readable(hours: str) -> str:
    if hours:
        read_hours(hours)
    return hours


def _address(text: str) -> str:
    Address.parse(text)
    return text


AddressWords = Annotated[str, AfterValidator(_address)]
OpeningWords = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_readable)]


def _once_each(channels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(channels)) < len(channels):
        raise ValueError("a channel stands there twice; each has one place")
    return channels


Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Channels = Annotated[tuple[Channel, ...], Field(min_length=1), AfterValidator(_once_each)]
OpenHours = Annotated[tuple[ClockTime, ClockTime], AfterValidator(_in_order)]


SQLITE = "sqlite:///"
MEMORY = "memory:"


def store_address(store: str) -> str:
    """``store`` where it is an address of one, else ``ValueError``.

    A server and its standby are two hosts, with a comma between them. The value may hold a
    password, so no error quotes it.
    """
    if store == MEMORY or (store.startswith(SQLITE) and store != SQLITE):
        return store
    try:
        parts = urlsplit(store)
        hosts = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
        named = all(host.hostname for host in hosts) or "host=" in parts.query
        usable = named and all(host.port != 0 for host in hosts)
    except ValueError:
        usable = False
    if not usable or parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(
            'write a store as "sqlite:///folder/notifier.db", "postgresql://user@host/database" or '
            '"memory:"; '
            "in a user's name or a password write /, ?, #, @ and : percent-encoded"
        )
    return store


def store_file(address: str) -> Path | None:
    """The file of an embedded store; None where the store is a server's, or in memory."""
    path = address.removeprefix(SQLITE)
    return None if path == address else Path(path)


StoreAddress = Annotated[str, AfterValidator(store_address)]


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if value and not (parts.scheme in {"http", "https"} and parts.hostname):
        raise ValueError('write an address as "https://motcua.example.vn"')
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]

SHORTEST_TOKEN = 16
"""Characters of a token that is asked for in the open."""


class Table(BaseModel):
    """A table of a configuration file: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OfficeSettings(Table):
    """``[office]``"""

    name: str = "Trung tâm Phục vụ hành chính công"
    short: str = Field("TTPVHCC", min_length=1, max_length=30)
    hotline: str = "1022"
    portal: str = "dichvucong.gov.vn"
    short_code: str = ""
    address: str = ""
    hours: OpeningWords = "07:30-11:30, 13:30-17:00 thứ Hai đến thứ Sáu"
    level1: frozenset[Annotated[str, Field(pattern=r"^[A-Y]\d{2}$")]] = frozenset()
    locale: Literal["vi", "en"] = "vi"
    calendar: str = "vn"


class WebSettings(Table):
    """``[web]``"""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    max_body: int = Field(8 * 1024 * 1024, ge=1024)
    public_url: WebAddress = ""


class EventsSettings(Table):
    """``[events]``"""

    secret: str = ""
    tolerance: Duration = 5 * MINUTE


class SmsSettings(Table):
    """``[sms]``"""

    accents: Literal["strip", "keep"] = "strip"
    target_segments: int = Field(1, ge=1, le=10)
    most_segments: int = Field(3, ge=1, le=10)


class HoursSettings(Table):
    """``[hours]``"""

    notices: OpenHours = (time(7), time(22))
    broadcasts: OpenHours = (time(7), time(21, 30))


class CapsSettings(Table):
    """``[caps]``"""

    bulk_a_day: int = Field(3, ge=1, le=1000)
    notices_a_day: int = Field(10, ge=1, le=1000)


class LadderSettings(Table):
    """``[ladder]``"""

    notices: Channels = ("telegram", "zalo", "zns", "sms", "email")
    deadlines: Channels = ("sms", "telegram", "zalo", "zns", "email")
    wait: Duration = 30 * MINUTE


class TogetherSettings(Table):
    """``[together]``"""

    notices: bool = True


class WarnSettings(Table):
    """``[warn]``"""

    leads: tuple[Lead, ...] = ((2, "d"), (1, "d"), (4, "h"))
    daily: ClockTime = time(7, 45)
    escalate: tuple[WorkingHours, ...] = (8 * HOUR, 16 * HOUR)
    staff: tuple[StaffAddress, ...] = Field((), repr=False)
    leaders: tuple[StaffAddress, ...] = Field((), repr=False)


class CodesSettings(Table):
    """``[codes]``"""

    legacy: tuple[str, ...] = ()


class DisclosureSettings(Table):
    """``[disclosure]``"""

    due_date_for_anyone: bool = True
    handler_for_owner: bool = False
    sensitive_codes: frozenset[str] = frozenset()
    sensitive_words: tuple[str, ...] = (
        "hiv",
        "nhận con nuôi",
        "nuôi con nuôi",
        "thay đổi họ",
        "thay đổi tên",
        "cải chính hộ tịch",
        "nhận cha, mẹ, con",
        "lý lịch tư pháp",
        "xác định lại giới tính",
        "cai nghiện",
    )
    guesses_lately: int = Field(10, ge=1)
    guesses_a_day: int = Field(30, ge=1)
    guesses_of_a_run: int = Field(30, ge=1)


class AnswersSettings(Table):
    """``[answers]``"""

    wait_for_rest: Duration = 2 * SECOND
    keep_unknown: Duration = 3 * DAY


class TicksSettings(Table):
    """``[ticks]``"""

    remind: Duration = 15 * SECOND
    gather: Duration = 15 * SECOND
    unknown: Duration = 30 * SECOND
    kept: Duration = 5 * MINUTE
    ladder: Duration = 30 * SECOND
    warn: Duration = MINUTE
    broadcast: Duration = 2 * SECOND
    give_back: Duration = 15 * SECOND
    digest: Duration = 15 * MINUTE


class BroadcastSettings(Table):
    """``[broadcast]``"""

    slice: int = Field(500, ge=1, le=100_000)


MapName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$")]


class ReplySettings(Table):
    """``[sources.NAME.reply]``: an empty ``field`` answers as the event interface does."""

    field: str = ""
    ok: str = "00"
    failed: str = "-1"
    message: str = ""


class FileSource(Table):
    """``[sources.NAME]`` of kind ``file``: for ``notifier import`` alone."""

    kind: Literal["file"]
    map: MapName = ""


class PushSource(Table):
    """``[sources.NAME]`` of kind ``http``: ``POST /v1/sources/NAME``."""

    kind: Literal["http"]
    map: MapName = ""
    auth: Literal["standard_webhooks", "bearer", "basic", "session"] = "standard_webhooks"
    user: str = ""
    secret: str = Field("", repr=False)
    tolerance: Duration = 5 * MINUTE
    session: Duration = 8 * HOUR
    query: dict[str, str] = {}
    reply: ReplySettings = ReplySettings()

    @model_validator(mode="after")
    def _provable(self) -> PushSource:
        if self.auth != "standard_webhooks" and not self.secret:
            raise ValueError(f'auth = "{self.auth}" needs a secret ("env:NAME" or "file:PATH")')
        if self.auth in {"basic", "session"} and not self.user:
            raise ValueError(f'auth = "{self.auth}" needs a user')
        return self


class FolderSource(Table):
    """``[sources.NAME]`` of kind ``folder``."""

    kind: Literal["folder"]
    map: MapName = ""
    path: str = Field(min_length=1)
    pattern: str = "*"
    settle: Duration = 5 * SECOND
    every: Duration = 2 * SECOND


class StreamSource(Table):
    """``[sources.NAME]`` of kind ``jetstream``."""

    kind: Literal["jetstream"]
    map: MapName = ""
    servers: tuple[str, ...] = Field(("nats://127.0.0.1:4222",), min_length=1)
    stream: str = Field(min_length=1, pattern=r"^[^\s.*>]+$")
    durable: str = Field("motcua-notifier", pattern=r"^[^\s.*>]+$")
    subject: str = ""
    batch: int = Field(200, ge=1, le=5_000)
    ack_wait: Duration = MINUTE
    credentials: str = ""
    user: str = ""
    password: str = Field("", repr=False)
    token: str = Field("", repr=False)


SourceSettings = Annotated[
    FileSource | PushSource | FolderSource | StreamSource, Field(discriminator="kind")
]


class ApologySettings(Table):
    """``[apology]``"""

    automatic: bool = True
    letter_link: Duration = 60 * DAY
    return_url: WebAddress = ""
    return_secret: str = Field("", repr=False)
    api_token: str = Field("", repr=False)

    @model_validator(mode="after")
    def _whole(self) -> ApologySettings:
        if self.return_url and not self.return_secret:
            raise ValueError("a return_url needs a return_secret, such as env:NAME")
        named = self.api_token.startswith(("env:", "file:"))  # where secrets are not looked at
        if self.api_token and not named and len(self.api_token) < SHORTEST_TOKEN:
            raise ValueError(f"an api_token has at least {SHORTEST_TOKEN} characters")
        return self


class ReportSettings(Table):
    """``[report]``"""

    digest: Literal["none", "day", "week", "month"] = "week"
    digest_to: tuple[AddressWords, ...] = ()


class LogSettings(Table):
    """``[log]``"""

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["json", "console"] = "json"


class Settings(BaseSettings):
    """``notifier.toml`` and the environment."""

    model_config = SettingsConfigDict(
        env_prefix="NOTIFIER_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
    )

    store: StoreAddress = Field("sqlite:///var/notifier.db", repr=False)
    keys: str = ""
    office: OfficeSettings = OfficeSettings()
    web: WebSettings = WebSettings()
    events: EventsSettings = EventsSettings()
    sms: SmsSettings = SmsSettings()
    hours: HoursSettings = HoursSettings()
    caps: CapsSettings = CapsSettings()
    ladder: LadderSettings = LadderSettings()
    together: TogetherSettings = TogetherSettings()
    warn: WarnSettings = WarnSettings()
    codes: CodesSettings = CodesSettings()
    disclosure: DisclosureSettings = DisclosureSettings()
    answers: AnswersSettings = AnswersSettings()
    ticks: TicksSettings = TicksSettings()
    broadcast: BroadcastSettings = BroadcastSettings()
    apology: ApologySettings = ApologySettings()
    report: ReportSettings = ReportSettings()
    log: LogSettings = LogSettings()
    sources: dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")], SourceSettings
    ] = {}
    routes: dict[str, tuple[str, ...]] = {}
    gateways: dict[str, dict[str, Any]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the files, which come as arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def store_path(self) -> Path | None:
        """The file of the embedded store; None where the store is a server's."""
        return store_file(self.store)

    @property
    def keys_path(self) -> Path:
        """The file of the keys: beside the store's, where that is a file."""
        if self.keys:
            return Path(self.keys)
        path = self.store_path
        return path.with_name(f"{path.name}.keys") if path else Path("var/notifier.keys")


class Files:
    """A configuration folder over the shipped one; collects every fault on the way."""

    def __init__(self, own: Path | None) -> None:
        self.own = own
        self.faults: list[Fault] = []
        if own is not None and not own.is_dir():
            self.faults.append(Fault(file=str(own), key="", problem="there is no such folder."))

    def path(self, name: str) -> Path:
        """The file of this name: the folder's own, else the shipped one."""
        if self.own is not None and (self.own / name).is_file():
            return self.own / name
        return shipped.folder("config") / name

    def toml(self, path: Path) -> dict[str, Any]:
        """A TOML file; a fault and an empty table where it can't be read."""
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            self.faults.append(
                Fault(file=str(path), key="", problem=f"it can't be read ({error.strerror}).")
            )
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.faults.append(Fault(file=str(path), key="", problem=f"it is not TOML: {error}."))
        return {}


def named_folder(option: Path | None) -> Path | None:
    """The configuration folder: the command line's, else NOTIFIER_CONFIG, else none."""
    if option is not None:
        return option
    named = os.environ.get("NOTIFIER_CONFIG", "")
    return Path(named) if named else None


def load(files: Files, *, secrets: bool = True) -> Settings | None:
    """``notifier.toml`` and the environment; None with faults in ``files`` where it can't be.

    Without ``secrets`` what stands for them is left as it is written.
    """
    path = files.path("notifier.toml")
    tables = files.toml(shipped.folder("config") / "notifier.toml")
    if path.parent != shipped.folder("config"):
        tables = merged(tables, files.toml(path))
    if secrets:
        for name in ("gateways", "sources", "apology"):
            tables[name] = resolved(tables.get(name, {}), files, str(path), name)
    try:
        settings = Settings(**tables)
    except SettingsError as error:
        files.faults.append(_unparsed(error))
        return None
    except ValidationError as error:
        files.faults += list(faults_of(error, str(path)))
        return None
    if not secrets:
        return settings
    secret = resolved({"secret": settings.events.secret}, files, str(path), "events")["secret"]
    events = settings.events.model_copy(update={"secret": secret})
    return settings.model_copy(update={"events": events})


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid on ``base``, table by table."""
    result = dict(base)
    for key, value in over.items():
        held = result.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            result[key] = merged(held, value)
        else:
            result[key] = value
    return result


def resolved(table: Any, files: Files, file: str, key: str) -> Any:
    """``table`` with each ``env:NAME`` and ``file:PATH`` replaced by what it names."""
    if isinstance(table, dict):
        return {
            name: resolved(value, files, file, f"{key}.{name}") for name, value in table.items()
        }
    if isinstance(table, list):
        return [resolved(value, files, file, f"{key}[{i}]") for i, value in enumerate(table)]
    if not isinstance(table, str):
        return table
    kind, named, name = table.partition(":")
    if not named:
        return table
    if kind == "env":
        if name not in os.environ:
            problem = f"the environment variable {name} is not set."
            files.faults.append(Fault(file=file, key=key, problem=problem))
        return os.environ.get(name, "")
    if kind == "file":
        try:
            return Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            problem = f"the file {name} can't be read."
            files.faults.append(Fault(file=file, key=key, problem=problem))
            return ""
    return table


def faults_of(error: ValidationError, file: str) -> Iterator[Fault]:
    """One fault for each thing pydantic found, named as the file or the environment writes it."""
    for found in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in found["loc"])
        variable = "NOTIFIER_" + "__".join(str(part) for part in found["loc"]).upper()
        from_environment = variable in os.environ
        problem = found["msg"].removeprefix("Value error, ")
        if found["type"] == "extra_forbidden":
            problem = "there is no such setting; see the comments in the shipped file"
        yield Fault(
            file="environment" if from_environment else file,
            key=variable if from_environment else key,
            problem=f"{problem}.",
        )


def _unparsed(error: SettingsError) -> Fault:
    """pydantic says which table of the environment is no JSON, not which variable of it."""
    found = re.search(r'field "(\w+)"', str(error))
    prefix = f"NOTIFIER_{found[1] if found else ''}".upper()
    variables = sorted(name for name in os.environ if name.upper().startswith(prefix))
    return Fault(
        file="environment",
        key=" or ".join(variables),
        problem='a list or a table is written as JSON, such as ["H19", "H10"].',
    )


def checked(files: Files) -> None:
    """Raises ``ConfigurationError`` with all faults, where there are any."""
    if files.faults:
        raise ConfigurationError(files.faults)
