"""The table of commands. Each command's module is imported when it runs, so that help is quick."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from notifier.domain.period import Span
from notifier.domain.tally import By as ToldBy
from notifier.domain.tier import Tier

app = typer.Typer(
    name="notifier",
    help="Tells citizens where their dossier is: before they ask, and when they ask.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
broadcast = typer.Typer(no_args_is_help=True, help="A notice to a list, approved by two people.")
apology = typer.Typer(no_args_is_help=True, help="Apologies with a new date, signed by a leader.")
outbox = typer.Typer(no_args_is_help=True, help="What was sent, is waiting, or went wrong.")
quarantine = typer.Typer(no_args_is_help=True, help="What came in and could not be taken.")
templates = typer.Typer(no_args_is_help=True, help="The texts that citizens read.")
store = typer.Typer(no_args_is_help=True, help="The store: move it to another engine.")
config = typer.Typer(no_args_is_help=True, help="The configuration.")
knowledge = typer.Typer(no_args_is_help=True, help="What the office knows: procedures, units.")
due = typer.Typer(no_args_is_help=True, help="What falls due, and what is late.")
work = typer.Typer(no_args_is_help=True, help="What waits for people.")
app.add_typer(broadcast, name="broadcast")
app.add_typer(apology, name="apology")
app.add_typer(outbox, name="outbox")
app.add_typer(quarantine, name="quarantine")
app.add_typer(work, name="work")
app.add_typer(due, name="due")
app.add_typer(templates, name="templates")
app.add_typer(knowledge, name="knowledge")
app.add_typer(store, name="store")
app.add_typer(config, name="config")


class Kind(StrEnum):
    """What a file of knowledge lists."""

    PROCEDURES = "procedures"
    UNITS = "units"


class Settled(StrEnum):
    """What staff found out of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"
    AGAIN = "again"


class Folder:
    """The configuration folder named on the command line."""

    named: Path | None = None


Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Now = Annotated[str, typer.Option("--now", help="Pretend that it is this moment, ISO 8601.")]
By = Annotated[str, typer.Option("--by", help="Your name; NOTIFIER_USER or the login if left out.")]


@app.callback()
def _root(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="A configuration folder; else NOTIFIER_CONFIG, else shipped."
        ),
    ] = None,
) -> None:
    Folder.named = config


@app.command()
def serve() -> None:
    """Run the service; prints "ready URL" once it accepts requests."""
    from notifier.cli import serving

    serving.serve(Folder.named)


@app.command()
def demo(
    port: Annotated[
        int | None, typer.Option(help="The page's port; 8080, or a free one, if left out.")
    ] = None,
) -> None:
    """Run the service with simulated phones, on a store that is thrown away."""
    from notifier.cli import serving

    serving.demo(port)


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help='What a citizen texts; "-" reads NDJSON.')],
    sender: Annotated[
        str, typer.Option("--from", help="Who asks, channel:value, such as sms:+84912000000.")
    ] = "",
    as_json: Json = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what was read, and what in it decided.")
    ] = False,
    now: Now = "",
) -> None:
    """What would be answered; sends nothing and changes nothing."""
    from notifier.cli import asking

    asking.ask(Folder.named, text, sender, as_json=as_json, explain=explain, now=now)


@app.command()
def dossiers(as_json: Json = False, now: Now = "") -> None:
    """Every dossier, by code."""
    from notifier.cli import listing

    listing.dossiers(Folder.named, as_json=as_json, now=now)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="NDJSON, JSON, CSV in UTF-8, or Excel.")],
    source: Annotated[str, typer.Option("--source", help="Whose form it has: [sources.NAME].")],
    now: Now = "",
) -> None:
    """Take dossiers from a file; what can't be read is named, kept, and stops nothing else."""
    from notifier.cli import importing

    importing.take(Folder.named, file, source, now)


@app.command()
def timeline(
    code: Annotated[str, typer.Argument(help="A dossier code, as people write it.")],
    as_json: Json = False,
) -> None:
    """What happened to one dossier, who has it, since when, and who had it before."""
    from notifier.cli import listing

    listing.timeline(Folder.named, code, as_json=as_json)


@app.command()
def deadline(
    limit: Annotated[
        str, typer.Option(help="5d working days, 8h working hours, 15cd calendar days.")
    ],
    received: Annotated[
        str, typer.Option(help="When it was received, ISO 8601; now if left out.")
    ] = "",
    unit: Annotated[
        str, typer.Option(help="By the calendar of this unit; the office's if left out.")
    ] = "",
    as_json: Json = False,
    now: Now = "",
) -> None:
    """When a dossier is due by its limit, which days count, and which are left out and why."""
    from notifier.cli import counting

    counting.deadline(Folder.named, received, limit, unit, as_json=as_json, now=now)


@app.command()
def report(
    first: Annotated[str, typer.Option("--from", help="The first day, 2026-11-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="The last day; until now if left out.")] = "",
    by: Annotated[
        list[ToldBy] | None, typer.Option(help="What the lines are told by; may be repeated.")
    ] = None,
    level: Annotated[Tier | None, typer.Option(help="Only units of this level.")] = None,
    unit: Annotated[str, typer.Option(help="Only the unit of this code.")] = "",
    field: Annotated[str, typer.Option(help="Only this field.")] = "",
    procedure: Annotated[str, typer.Option(help="Only the procedure of this code.")] = "",
    csv: Annotated[Path | None, typer.Option(help="Write it into this file.")] = None,
    excel: Annotated[Path | None, typer.Option(help="Write it into this workbook.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file.")] = None,
    digest: Annotated[
        Span | None, typer.Option(help="Print the digest of the period that is over, no more.")
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild", help="Work out every dossier anew first: the calendar or units changed."
        ),
    ] = False,
    as_json: Json = False,
    now: Now = "",
) -> None:
    """How often the promise was kept: early, on time, late, apologised, re-appointed."""
    from notifier.cli import reporting

    if digest is not None:
        reporting.digest(Folder.named, digest, now=now)
        return
    reporting.report(
        Folder.named,
        first=first,
        last=last,
        now=now,
        by=by or [],
        only={
            "level": level.value if level else "",
            "unit": unit,
            "field": field,
            "procedure": procedure,
        },
        csv=csv,
        excel=excel,
        svg=svg,
        as_json=as_json,
        rebuild=rebuild,
    )


@app.command()
def send(
    address: Annotated[str, typer.Argument(help="channel:value, such as sms:+84912000000.")],
    text: Annotated[str, typer.Argument(help="What to send.")],
) -> None:
    """Queue one message; the running service sends it."""
    from notifier.cli import outgoing

    outgoing.send(Folder.named, address, text)


@outbox.command("list")
def outbox_list(
    state: Annotated[str, typer.Option(help="Only messages in this state.")] = "",
    dossier: Annotated[str, typer.Option(help="Only messages about this dossier.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    as_json: Json = False,
) -> None:
    """The newest messages."""
    from notifier.cli import outgoing

    outgoing.listed(Folder.named, state, dossier, limit, as_json=as_json)


@outbox.command("show")
def outbox_show(message: str, as_json: Json = False) -> None:
    """One message, and every attempt."""
    from notifier.cli import outgoing

    outgoing.show(Folder.named, message, as_json=as_json)


@outbox.command("cancel")
def outbox_cancel(message: str, by: By = "") -> None:
    """Take back a message that has not left."""
    from notifier.cli import outgoing

    outgoing.cancel(Folder.named, message, by)


@outbox.command("unknown")
def outbox_unknown(
    notice: Annotated[str, typer.Option(help="Only this notice.")] = "",
    gateway: Annotated[str, typer.Option(help="Only what this gateway sent.")] = "",
    as_json: Json = False,
) -> None:
    """Messages of which nobody knows whether they arrived."""
    from notifier.cli import operating

    operating.unknown(Folder.named, notice, gateway, as_json=as_json)


@outbox.command("resolve")
def outbox_resolve(
    settled: Annotated[Settled, typer.Option("--as", help="What you found out.")],
    messages: Annotated[list[str] | None, typer.Argument(help="Their ids.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that unknown lists.")] = False,
    notice: Annotated[str, typer.Option(help="With --all: only this notice.")] = "",
    gateway: Annotated[str, typer.Option(help="With --all: only of this gateway.")] = "",
    by: By = "",
) -> None:
    """Settle messages of unknown fate, one by one or all of a notice or gateway."""
    from notifier.cli import operating

    operating.resolve(
        Folder.named, messages or [], settled, every=every, notice=notice, gateway=gateway, by=by
    )


@outbox.command("retry")
def outbox_retry(messages: list[str], by: By = "") -> None:
    """Send failed or expired messages again, as new ones."""
    from notifier.cli import operating

    operating.retry(Folder.named, messages, by)


@quarantine.command("list")
def quarantine_list(
    door: Annotated[str, typer.Option(help="Only what came in here: events, hooks/NAME.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    as_json: Json = False,
) -> None:
    """What could not be taken, and why."""
    from notifier.cli import operating

    operating.quarantined(Folder.named, door, limit, as_json=as_json)


@quarantine.command("show")
def quarantine_show(item: int) -> None:
    """The bytes of one item, as they came; they may hold personal data."""
    from notifier.cli import operating

    operating.show_quarantined(Folder.named, item)


@quarantine.command("release")
def quarantine_release(items: list[int], by: By = "") -> None:
    """Read items again, after the cause was mended."""
    from notifier.cli import operating

    operating.release(Folder.named, items, by)


@quarantine.command("drop")
def quarantine_drop(items: list[int], by: By = "") -> None:
    """Take items off for good; that there was one, why, and who dropped it, stays on record."""
    from notifier.cli import operating

    operating.drop(Folder.named, items, by)


@work.command("list")
def work_list(
    kind: Annotated[str, typer.Option(help="Only this kind.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    as_json: Json = False,
) -> None:
    """What waits for people: late before we knew, to call, unknown, refused by a gateway."""
    from notifier.cli import listing

    listing.work(Folder.named, kind, limit, as_json=as_json)


@work.command("settle")
def work_settle(keys: list[str], by: By = "") -> None:
    """Take items off the list."""
    from notifier.cli import listing

    listing.settle(Folder.named, keys, by)


@due.command("list")
def due_list(
    unit: Annotated[str, typer.Option(help="Only of this unit, by its code or name.")] = "",
    within: Annotated[str, typer.Option(help="Working time: 2d, 4h.")] = "2d",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 1_000,
    as_json: Json = False,
    now: Now = "",
) -> None:
    """What falls due soon while its time limit runs, earliest first."""
    from notifier.cli import due

    due.soon(Folder.named, unit, within, limit, as_json=as_json, now=now)


@due.command("late")
def due_late(
    unit: Annotated[str, typer.Option(help="Only of this unit, by its code or name.")] = "",
    debts: Annotated[bool, typer.Option("--debts", help="Only without an apology.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 1_000,
    as_json: Json = False,
    now: Now = "",
) -> None:
    """What is late, longest first, and where its apology stands."""
    from notifier.cli import due

    due.late(Folder.named, unit, limit, debts=debts, as_json=as_json, now=now)


@broadcast.command("new")
def broadcast_new(
    file: Annotated[Path, typer.Argument(help="A CSV with a heading and a column of numbers.")],
    text: Annotated[
        str, typer.Option(help="The text; {{ column }} is filled in from the list.")
    ] = "",
    text_file: Annotated[Path | None, typer.Option(help="A file with the text.")] = None,
    title: Annotated[str, typer.Option(help="What staff call it.")] = "",
    column: Annotated[str, typer.Option(help="The column of the numbers.")] = "",
    accents: Annotated[bool, typer.Option(help="Keep accents: 70 characters an SMS.")] = False,
    by: By = "",
) -> None:
    """Read a list into a draft: counts segments, takes out doubles and refusals."""
    from notifier.cli import broadcasts

    broadcasts.new(
        Folder.named, file, text, text_file, title=title, column=column, accents=accents, by=by
    )


@broadcast.command("preview")
def broadcast_preview(broadcast_id: str) -> None:
    """The first texts, as they would leave."""
    from notifier.cli import broadcasts

    broadcasts.preview(Folder.named, broadcast_id)


@broadcast.command("approve")
def broadcast_approve(broadcast_id: str, by: By = "") -> None:
    """Let it go; somebody else than its author has to."""
    from notifier.cli import broadcasts

    broadcasts.act(Folder.named, broadcast_id, "approve", by)


@broadcast.command("start")
def broadcast_start(
    broadcast_id: str,
    watch: Annotated[bool, typer.Option("--watch", help="Show a bar until it is done.")] = False,
    by: By = "",
) -> None:
    """Start it, or go on after a pause; the running service sends it."""
    from notifier.cli import broadcasts

    broadcasts.act(Folder.named, broadcast_id, "start", by)
    if watch:
        broadcasts.watch(Folder.named, broadcast_id)


@broadcast.command("status")
def broadcast_status(
    broadcast_id: Annotated[str, typer.Argument(help="Left out: all broadcasts.")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Show a bar until it is done.")] = False,
    as_json: Json = False,
) -> None:
    """Where it stands."""
    from notifier.cli import broadcasts

    if watch and broadcast_id:
        broadcasts.watch(Folder.named, broadcast_id)
    else:
        broadcasts.status(Folder.named, broadcast_id, as_json=as_json)


@broadcast.command("pause")
def broadcast_pause(broadcast_id: str, by: By = "") -> None:
    """Stop it for now; what has not left waits."""
    from notifier.cli import broadcasts

    broadcasts.act(Folder.named, broadcast_id, "pause", by)


@broadcast.command("abort")
def broadcast_abort(broadcast_id: str, by: By = "") -> None:
    """End it; what has not left is cancelled."""
    from notifier.cli import broadcasts

    broadcasts.act(Folder.named, broadcast_id, "abort", by)


@apology.command("list")
def apology_list(
    state: Annotated[str, typer.Option(help="Only those in this state.")] = "",
    dossier: Annotated[str, typer.Option(help="Only those of this dossier.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    as_json: Json = False,
) -> None:
    """Drafts, and what was signed; newest first."""
    from notifier.cli import apologies

    apologies.listed(Folder.named, state, dossier, limit, as_json=as_json)


@apology.command("show")
def apology_show(apology_id: str, as_json: Json = False) -> None:
    """One, who did what to it, and where its letter can be checked and read."""
    from notifier.cli import apologies

    apologies.show(Folder.named, apology_id, as_json=as_json)


@apology.command("draft")
def apology_draft(
    dossier: Annotated[str, typer.Argument(help="A dossier code, as people write it.")],
    new_due: Annotated[
        str, typer.Option("--new-due", help="The new date: 2026-12-04, or with a time of day.")
    ],
    reason_key: Annotated[
        str, typer.Option("--reason", help="The name of a reason in apology.toml.")
    ] = "",
    words: Annotated[str, typer.Option("--words", help="The reason, or more of it.")] = "",
    by: By = "",
    now: Now = "",
) -> None:
    """Write an apology with a new date; somebody else has to sign it."""
    from notifier.cli import apologies

    apologies.draft(Folder.named, dossier, new_due, reason_key, words, by, now)


@apology.command("approve")
def apology_approve(
    apology_id: str,
    number: Annotated[str, typer.Option(help="The document's number, such as 12/PXL-TTPVHCC.")],
    signer: Annotated[str, typer.Option(help="Who signs; else by apology.toml.")] = "",
    title: Annotated[str, typer.Option(help="The signer's title; else by apology.toml.")] = "",
    by: By = "",
    now: Now = "",
) -> None:
    """Sign it: the new date holds, and the applicant and the one-stop system are told."""
    from notifier.cli import apologies

    apologies.approve(
        Folder.named, apology_id, number=number, signer=signer, title=title, by=by, now=now
    )


Note = Annotated[str, typer.Option(help="Why.")]


@apology.command("reject")
def apology_reject(apology_id: str, note: Note = "", by: By = "") -> None:
    """Send a draft back; another one may be written."""
    from notifier.cli import apologies

    apologies.act(Folder.named, apology_id, "reject", note, by)


@apology.command("withdraw")
def apology_withdraw(apology_id: str, note: Note = "", by: By = "") -> None:
    """Take back a draft of one's own."""
    from notifier.cli import apologies

    apologies.act(Folder.named, apology_id, "withdraw", note, by)


@apology.command("handover")
def apology_handover(apology_id: str, note: Note = "", by: By = "") -> None:
    """The letter was given to the applicant on paper, since no message could be sent."""
    from notifier.cli import apologies

    apologies.act(Folder.named, apology_id, "handover", note, by)


@apology.command("letter")
def apology_letter(
    apology_id: str,
    file: Annotated[Path, typer.Argument(help="Where to write it: .pdf, or .png to look at.")],
) -> None:
    """Write the signed letter to a file."""
    from notifier.cli import apologies

    apologies.letter(Folder.named, apology_id, file)


@apology.command("debts")
def apology_debts(
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    as_json: Json = False,
    now: Now = "",
) -> None:
    """Late dossiers that nobody has apologised for, the oldest delay first."""
    from notifier.cli import apologies

    apologies.debts(Folder.named, limit, as_json=as_json, now=now)


@templates.command("check")
def templates_check(as_json: Json = False) -> None:
    """Every text with the longest unit, code and reason: undefined names, and length."""
    from notifier.cli import checks

    checks.templates(Folder.named, as_json=as_json)


@templates.command("reading-copy")
def templates_reading_copy() -> None:
    """Every text with ordinary values, in Markdown, for an official to read through."""
    from notifier.cli import checks

    checks.copy_to_read(Folder.named)


@knowledge.command("import")
def knowledge_import(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8, or Excel (.xlsx, .xls, .ods).")],
    kind: Annotated[Kind, typer.Option(help="What the file lists.")] = Kind.PROCEDURES,
) -> None:
    """Take a table into the configuration folder, or say what is wrong in which row."""
    from notifier.cli import knowledge

    knowledge.take(Folder.named, file, kind)


@knowledge.command("check")
def knowledge_check() -> None:
    """How much is known, and which procedures can't be told apart by their titles."""
    from notifier.cli import knowledge

    knowledge.check(Folder.named)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
) -> None:
    """Write the whole store, as it stands at one moment, beside a running service."""
    from notifier.cli import storing

    storing.backup(Folder.named, file)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What backup wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Keep the store that is there as ….before.")
    ] = False,
) -> None:
    """Put a backup in the store's place; no service may run on it."""
    from notifier.cli import storing

    storing.restore(Folder.named, file, replace=replace)


@store.command("copy")
def store_copy(
    target: Annotated[
        str, typer.Argument(help="An empty store: postgresql://user@host/database, sqlite:///FILE.")
    ],
) -> None:
    """Copy the store into an empty one of any engine, and compare every row."""
    from notifier.cli import storing

    storing.copy(Folder.named, target)


@config.command("check")
def config_check() -> None:
    """Every fault of the configuration, with its file and key."""
    from notifier.cli import checks

    checks.configuration(Folder.named)
