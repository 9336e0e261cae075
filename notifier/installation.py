"""The data files to one ``Installation``: states, rules, keywords, calendars, units."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from notifier import knowledge_files, shipped
from notifier.calendar_files import load_calendars
from notifier.domain import phrases
from notifier.domain.apology import (
    FAMILY,
    LONGEST_REASON,
    Apologies,
    LetterForm,
    Reason,
    Signer,
)
from notifier.domain.caps import Caps
from notifier.domain.code_form import CodeForm, may_be_personal, read_form
from notifier.domain.disclosure import Policy, words_of
from notifier.domain.inquiry import Intent, IntentRule, Keywords
from notifier.domain.installation import Installation, SmsPolicy
from notifier.domain.instant import HOUR
from notifier.domain.knowledge import Knowledge
from notifier.domain.ladder import SMS, Ladder
from notifier.domain.message import Lane
from notifier.domain.opening import read_hours
from notifier.domain.quiet import Hours
from notifier.domain.rules import (
    ApologyRule,
    DueRule,
    RescheduleRule,
    Rule,
    Rules,
    StateRule,
    TransitionRule,
)
from notifier.domain.status import DeadlineClock, Ending, ProcedureClock, Status, Statuses
from notifier.domain.text import fold
from notifier.domain.unit import Office, Province, Units
from notifier.domain.warning import Warnings
from notifier.errors import Fault
from notifier.settings import ClockTime, Duration, Table, faults_of, read_duration
from notifier.unit_files import LEVELS, UNITS, LevelsFile, UnitsFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from notifier.domain.calendar import WorkingCalendar
    from notifier.settings import Files, Settings

LANES = {"deadline": Lane.DEADLINE, "notice": Lane.NOTICE}


class StatusTable(Table):
    """One ``[[status]]``."""

    number: int = Field(ge=1, le=99)
    clock: DeadlineClock
    ending: Ending | None = None
    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> StatusTable:
        if self.clock is DeadlineClock.ENDED and self.ending is None:
            raise ValueError('a state that ends a dossier needs `ending`, such as "result"')
        return self


class StatusesFile(Table):
    """``statuses.toml``"""

    status: tuple[StatusTable, ...] = Field(min_length=1)


class ClockTable(Table):
    """One ``[[clock]]``: procedures in which states do something else to the limit."""

    procedures: frozenset[Annotated[str, Field(pattern=r"^\d\.\d{6}(\.[0-9A-Z]{2,3})*$")]] = (
        frozenset()
    )
    fields: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    states: dict[int, DeadlineClock] = Field(min_length=1)
    first: date | None = None
    last: date | None = None
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> ClockTable:
        if not (self.procedures or self.fields):
            raise ValueError("it needs `procedures` (their codes), or `fields` (their names)")
        if self.first and self.last and self.first > self.last:
            raise ValueError("it ends before it begins; `first` and `last` are its days")
        return self

    def clock(self) -> ProcedureClock:
        """The table as a value."""
        return ProcedureClock(
            procedures=self.procedures,
            fields=frozenset(map(fold, self.fields)),
            clocks=self.states,
            first=self.first,
            last=self.last,
        )


class ClocksFile(Table):
    """``clocks.toml``"""

    clock: tuple[ClockTable, ...] = ()


def _one_or_more(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else (value,)


def _best_before(value: object) -> object:
    return value if value == "due" else read_duration(value)


ONLY_ON = {"wait": "status", "once": "state", "not_by": "state", "unless": "state", "owed": "state"}
"""Keys of a rule that mean something to one kind only."""


class RuleTable(Table):
    """One ``[[rule]]``."""

    notice: str = Field(pattern=r"^[a-z_]+$")
    family: str = Field(pattern=r"^[a-z_]+$")
    on: Literal["status", "due", "rescheduled", "apology", "state"]
    entering: frozenset[int] = frozenset()
    coming_from: frozenset[int] | None = Field(None, alias="from")
    before: int | None = Field(None, ge=1, le=30)
    at: ClockTime | None = None
    after: Annotated[tuple[Duration, ...], BeforeValidator(_one_or_more)] = ()
    wait: Duration = 0
    once: bool = False
    not_by: frozenset[Literal["desk", "online", "post"]] = frozenset()
    unless: Literal["rated"] | None = None
    owed: bool = True
    still: frozenset[int] = Field(min_length=1)
    lane: Literal["deadline", "notice"] = "notice"
    best_before: Annotated[int | Literal["due"], BeforeValidator(_best_before)]
    resend: bool = True

    @model_validator(mode="after")
    def _whole(self) -> RuleTable:
        if self.on == "status" and not self.entering:
            raise ValueError("a rule on a status needs `entering`")
        if self.on == "due" and (self.before is None) == (not self.after):
            raise ValueError("a rule on the due date needs either `before` or `after`")
        if self.on != "state" and len(self.after) > 1:
            raise ValueError("only a rule on a state that lasts may name several spans `after`")
        if self.on == "state" and not self.after:
            raise ValueError("a rule on a state that lasts needs `after`")
        if list(self.after) != sorted(set(self.after)):
            raise ValueError('the spans `after` grow, such as ["5d", "15d"]')
        for name in sorted(self.model_fields_set & ONLY_ON.keys()):
            if self.on != ONLY_ON[name]:
                raise ValueError(f'only a rule on = "{ONLY_ON[name]}" can have `{name}`')
        if self.best_before == "due" and self.before is None:
            raise ValueError('only a rule with `before` can have best_before = "due"')
        return self

    def rule(self) -> Rule:
        """The rule as a value."""
        best_before = None if self.best_before == "due" else self.best_before
        if self.on == "due":
            return DueRule(
                notice=self.notice,
                family=self.family,
                working_days_before=self.before,
                clock=self.at or time(8, 30),
                after=self.after[0] if self.after else None,
                still=self.still,
                lane=LANES[self.lane],
                best_before=best_before,
                resend=self.resend,
            )
        if self.on == "state":
            return StateRule(
                notice=self.notice,
                family=self.family,
                still=self.still,
                after=self.after,
                clock=self.at,
                once=self.once,
                not_by=frozenset(self.not_by),
                unless_rated=self.unless == "rated",
                owed=self.owed,
                lane=LANES[self.lane],
                best_before=best_before or 0,
                resend=self.resend,
            )
        if self.on == "rescheduled":
            return RescheduleRule(
                notice=self.notice,
                family=self.family,
                still=self.still,
                lane=LANES[self.lane],
                best_before=best_before or 0,
                resend=self.resend,
            )
        if self.on == "apology":
            return ApologyRule(
                notice=self.notice,
                family=self.family,
                still=self.still,
                lane=LANES[self.lane],
                best_before=best_before or 0,
                resend=self.resend,
            )
        return TransitionRule(
            notice=self.notice,
            family=self.family,
            entering=self.entering,
            coming_from=self.coming_from,
            still=self.still,
            lane=LANES[self.lane],
            best_before=best_before or 0,
            resend=self.resend,
            wait=self.wait,
        )


class ReasonTable(Table):
    """One ``[[reason]]``."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    vi: str = Field(min_length=1, max_length=LONGEST_REASON)
    en: str = Field(min_length=1, max_length=LONGEST_REASON)


class SignerTable(Table):
    """One ``[[signer]]``."""

    user: str = Field(min_length=1)
    name: str = Field(min_length=1)
    title: str = Field(min_length=1)


class LetterFormTable(Table):
    """One ``[[form]]`` of ``apology.toml``."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    template: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    number: str = Field(min_length=1)
    source: str = Field(min_length=1)
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> LetterFormTable:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        return self


class LetterHeadTable(Table):
    """``[letter]``"""

    superior: str = ""
    place: str = ""


class ApologyFile(Table):
    """``apology.toml``"""

    letter: LetterHeadTable = LetterHeadTable()
    signer: tuple[SignerTable, ...] = ()
    reason: tuple[ReasonTable, ...] = ()
    form: tuple[LetterFormTable, ...] = ()

    def book(self) -> Apologies:
        """The file as a value."""
        return Apologies(
            reasons=tuple(
                Reason(key=row.name, words={"vi": row.vi, "en": row.en}) for row in self.reason
            ),
            forms=tuple(
                LetterForm(key=row.name, **row.model_dump(exclude={"name"})) for row in self.form
            ),
            signers=tuple(Signer(**row.model_dump()) for row in self.signer),
            superior=self.letter.superior,
            place=self.letter.place,
        )


class RulesFile(Table):
    """``rules.toml``"""

    rule: tuple[RuleTable, ...]


class IntentTable(Table):
    """One ``[[intent]]``."""

    name: Intent
    alone: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    codes: bool | None = None


class KeywordsFile(Table):
    """``keywords.toml``"""

    compounds: tuple[str, ...] = ()
    english: frozenset[str] = frozenset()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    spellings: dict[str, str] = Field(default_factory=dict)
    intent: tuple[IntentTable, ...]

    @model_validator(mode="after")
    def _readable(self) -> KeywordsFile:
        for table in self.intent:
            phrases.check((*table.phrases, *table.unless))
        phrases.check((*self.quoted, *self.noise, *self.yes, *self.no))
        return self


def _day(value: object) -> object:
    return value or None


class ProvinceRow(Table):
    """One line of ``units/provinces.csv``."""

    code: str = Field(pattern=r"^[A-Y]\d{2}$")
    name: str
    valid_to: Annotated[date | None, BeforeValidator(_day)] = None
    successor: str = ""


class FormTable(Table):
    """One ``[[form]]``: an older or home-made form of dossier codes."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    what: str = Field(min_length=1)
    pattern: str
    example: str

    @field_validator("pattern")
    @classmethod
    def _readable(cls, pattern: str) -> str:
        read_form(pattern)
        return pattern

    @model_validator(mode="after")
    def _fits(self) -> FormTable:
        if not read_form(self.pattern).pattern.fullmatch(self.example):
            raise ValueError("the example does not fit the pattern; write one that does")
        if may_be_personal(self.example):
            raise ValueError(
                "the example has the shape of an identity, tax or telephone number or of a date, "
                "which are never read as codes; put what tells the codes from those into the "
                "pattern"
            )
        return self


class CodesFile(Table):
    """``codes.toml``"""

    form: tuple[FormTable, ...] = ()


Schema = TypeVar("Schema", bound=Table)


def load(files: Files, settings: Settings | None) -> Installation | None:
    """The installation's data; None with faults in ``files`` where it can't be.

    Without ``settings``, which could not be read, the files are still looked at for their faults.
    """
    statuses = _read(files, "statuses.toml", StatusesFile)
    clocks = _read(files, "clocks.toml", ClocksFile)
    rules = _read(files, "rules.toml", RulesFile)
    keywords = _read(files, "keywords.toml", KeywordsFile)
    apology = _read(files, "apology.toml", ApologyFile)
    units = _read(files, UNITS, UnitsFile)
    levels = _read(files, LEVELS, LevelsFile)
    calendars = load_calendars(files)
    provinces = _provinces(files)
    procedures = knowledge_files.load_procedures(files)
    topics = knowledge_files.load_topics(files, _compounds(keywords) if keywords else {})
    legacy_codes = _legacy_codes(files, settings)
    _check_calendars(files, settings, units, calendars)
    if statuses and clocks:
        files.faults += _unknown_states(str(files.path("clocks.toml")), clocks, statuses)
    if not (settings and statuses and clocks and rules and keywords):
        return None
    if not (units and levels and apology) or files.faults:
        return None
    table = Statuses(
        {
            row.number: Status(
                number=row.number,
                clock=row.clock,
                words={"vi": row.vi, "en": row.en},
                ending=row.ending,
            )
            for row in statuses.status
        },
        tuple(row.clock() for row in clocks.clock),
    )
    office = settings.office
    return Installation(
        units=Units.of(
            Office(
                name=office.name,
                short=office.short,
                hotline=office.hotline,
                portal=office.portal,
                short_code=office.short_code,
                address=office.address,
                hours=read_hours(office.hours) if office.hours else None,
                level1=office.level1,
            ),
            [row.unit() for row in units.unit],
            provinces,
            spellings=_spellings(keywords),
            beginnings=levels.beginnings,
        ),
        statuses=table,
        rules=_rules(rules, settings),
        apology=apology.book(),
        calendars=calendars,
        calendar=office.calendar,
        keywords=_keywords(keywords),
        disclosure=_policy(settings),
        notice_hours=Hours(opens=settings.hours.notices[0], closes=settings.hours.notices[1]),
        broadcast_hours=Hours(
            opens=settings.hours.broadcasts[0], closes=settings.hours.broadcasts[1]
        ),
        caps=Caps(bulk=settings.caps.bulk_a_day, notices=settings.caps.notices_a_day),
        sms=SmsPolicy(
            keep_accents=settings.sms.accents == "keep",
            target=settings.sms.target_segments,
            most=settings.sms.most_segments,
        ),
        locale=office.locale,
        warnings=_warnings(settings),
        knowledge=Knowledge.of(procedures, topics, spellings=_spellings(keywords)),
        ladder=Ladder(
            notices=settings.ladder.notices,
            deadlines=settings.ladder.deadlines,
            channels=frozenset(channel for channel, names in settings.routes.items() if names)
            or frozenset({SMS}),
            wait=settings.ladder.wait,
        ),
        legacy_codes=legacy_codes,
    )


def _rules(file: RulesFile, settings: Settings) -> Rules:
    rules = Rules(tuple(row.rule() for row in file.rule))
    return rules if settings.apology.automatic else rules.without_automatic(FAMILY)


def _read(files: Files, name: str, schema: type[Schema]) -> Schema | None:
    return _validated(files, files.path(name), schema)


def _validated(files: Files, path: Path, schema: type[Schema]) -> Schema | None:
    before = len(files.faults)
    tables = files.toml(path)
    if len(files.faults) > before:
        return None
    try:
        return schema.model_validate(tables)
    except ValidationError as error:
        files.faults += list(faults_of(error, str(path)))
        return None


def _unknown_states(file: str, clocks: ClocksFile, statuses: StatusesFile) -> Iterator[Fault]:
    known = {row.number for row in statuses.status}
    for i, table in enumerate(clocks.clock):
        for number in sorted(table.states.keys() - known):
            problem = f"statuses.toml has no status {number}."
            yield Fault(file=file, key=f"clock.{i}.states.{number}", problem=problem)


def _check_calendars(
    files: Files,
    settings: Settings | None,
    units: UnitsFile | None,
    calendars: dict[str, WorkingCalendar],
) -> None:
    named: list[tuple[str, str, str]] = []
    if settings:
        named.append(("notifier.toml", "office.calendar", settings.office.calendar))
    for i, unit in enumerate(units.unit if units else ()):
        if unit.calendar:
            named.append((UNITS, f"unit.{i}.calendar", unit.calendar))
    for file, key, name in named:
        if name not in calendars:
            problem = f"there is no usable file calendar/{name}.toml."
            files.faults.append(Fault(file=str(files.path(file)), key=key, problem=problem))


def _provinces(files: Files) -> list[Province]:
    path = files.path("units/provinces.csv")
    provinces: list[Province] = []
    try:
        rows: list[dict[str, Any]] = list(
            csv.DictReader(path.read_text("utf-8").splitlines(), restkey="columns too many")
        )
    except OSError as error:
        files.faults.append(
            Fault(file=str(path), key="", problem=f"it can't be read ({error.strerror}).")
        )
        return []
    except UnicodeDecodeError:
        files.faults.append(Fault(file=str(path), key="", problem="it is not UTF-8."))
        return []
    for number, row in enumerate(rows, start=2):
        try:
            provinces.append(Province(**ProvinceRow.model_validate(row).model_dump()))
        except ValidationError as error:
            files.faults += (
                replace(fault, key=f"line {number}, {fault.key}")
                for fault in faults_of(error, str(path))
            )
    return provinces


def _legacy_codes(files: Files, settings: Settings | None) -> tuple[CodeForm, ...]:
    """The forms that are switched on, in the order of the setting."""
    found: dict[str, CodeForm] = {}
    whole = True
    for path in dict.fromkeys((shipped.folder("config") / "codes.toml", files.path("codes.toml"))):
        file = _validated(files, path, CodesFile)
        forms = file.form if file else ()
        files.faults += _doubles(str(path), [form.name for form in forms])
        found |= {form.name: read_form(form.pattern) for form in forms}
        whole = whole and file is not None
    named = settings.codes.legacy if settings else ()
    if not whole:  # what is missing may stand among the forms that can't be read
        return ()
    for i, name in enumerate(named):
        if name not in found:
            problem = f'codes.toml has no form "{name}"; it has {", ".join(sorted(found))}.'
            file_name = str(files.path("notifier.toml"))
            files.faults.append(Fault(file=file_name, key=f"codes.legacy.{i}", problem=problem))
    return tuple(found[name] for name in dict.fromkeys(named) if name in found)


def _doubles(file: str, names: list[str]) -> Iterator[Fault]:
    for i, name in enumerate(names):
        if name in names[:i]:
            problem = f'the form "{name}" stands there twice; rename one of them.'
            yield Fault(file=file, key=f"form.{i}.name", problem=problem)


def _compounds(file: KeywordsFile) -> dict[str, str]:
    return {compound: compound.replace(" ", "_") for compound in file.compounds}


def _spellings(file: KeywordsFile) -> dict[str, str]:
    return {fold(typed): meant for typed, meant in file.spellings.items()}


def _keywords(file: KeywordsFile) -> Keywords:
    compounds = _compounds(file)
    named = [
        phrase
        for table in file.intent
        for phrase in (*table.alone, *table.phrases, *table.unless, *file.spellings.values())
    ]
    return Keywords(
        rules=tuple(
            IntentRule(
                intent=table.name,
                alone=frozenset(phrases.joined(fold(text), compounds) for text in table.alone),
                phrases=phrases.compiled(table.phrases, compounds),
                unless=phrases.compiled(table.unless, compounds),
                codes=table.codes,
            )
            for table in file.intent
        ),
        spellings=_spellings(file),
        known=frozenset(
            word for phrase in named for word in phrases.words_of(phrase) if len(word) > 1
        ),
        compounds=compounds,
        yes=phrases.compiled(file.yes, compounds),
        no=phrases.compiled(file.no, compounds),
        quoted=phrases.compiled(file.quoted, compounds),
        noise=phrases.compiled(file.noise, compounds),
        english=file.english,
    )


def _warnings(settings: Settings) -> Warnings:
    table = settings.warn
    return Warnings(
        days=tuple(sorted({count for count, unit in table.leads if unit == "d"})),
        hours=tuple(sorted({count * HOUR for count, unit in table.leads if unit == "h"})),
        escalate=tuple(sorted(set(table.escalate))),
        daily=table.daily,
        staff=table.staff,
        leaders=table.leaders,
    )


def _policy(settings: Settings) -> Policy:
    table = settings.disclosure
    return Policy(
        due_date_for_anyone=table.due_date_for_anyone,
        handler_for_owner=table.handler_for_owner,
        sensitive_codes=table.sensitive_codes,
        sensitive_words=tuple(words_of(word) for word in table.sensitive_words),
        most_guesses_lately=table.guesses_lately,
        most_guesses_a_day=table.guesses_a_day,
        most_guesses_of_a_run=table.guesses_of_a_run,
    )
