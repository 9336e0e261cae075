"""The apology by the book: drafted by one person, signed by a leader, said once, given back.

Whatever is signed lands in one transaction: the document, the new due date, the message to the
applicant and what the one-stop system is to be told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from notifier.domain import apology as rules
from notifier.domain import deadline, instant, letter, notice
from notifier.domain.apology import DROPPED, FAMILY, FORM, Apology, ApologyAct, ApologyState
from notifier.domain.dossier import Document, Rescheduled
from notifier.domain.event import DossierEvent, EventType
from notifier.domain.message import State, message_id
from notifier.domain.rules import RescheduleRule
from notifier.domain.status import DeadlineClock
from notifier.errors import InputError, NotAllowedError
from notifier.flows.ladder import accounts_for
from notifier.ports import Moved, WorkItem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from notifier.domain.calendar import WorkingCalendar
    from notifier.domain.dossier import Dossier
    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.letter import Purpose, Tickets
    from notifier.domain.rules import ApologyRule
    from notifier.domain.unit import Unit
    from notifier.flows.compose import Composer
    from notifier.flows.ingest import Ingest
    from notifier.ports import Clock, OutboxRow, Session, Store

SOURCE: Final = "urn:motcua-notifier:apology"
"""The source of the events that are our own."""

SERVICE: Final = "service"
"""Who acts where no person does."""

SECOND: Final = "second_reappointment"
"""The kind of work that a second re-appointment is."""

REPLACED: Final = "a signed apology takes its place"
NEVER_CAME: Final = frozenset({State.FAILED, State.EXPIRED, State.CANCELLED, State.SUPERSEDED})
"""Where a message is whose apology nobody has had."""

AT_REST: Final = frozenset({DeadlineClock.NOT_STARTED, DeadlineClock.ENDED})
PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """A late dossier that nobody has apologised for; ``draft``: the id of one that waits."""

    dossier: Dossier
    why: str
    draft: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """How letters are reached: the service's address from outside, and how long a link lasts (ms).

    Without an address there is neither link nor QR code.
    """

    url: str = ""
    link: int = 60 * instant.DAY


class Apologise:
    """What people do with apologies."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        installation: Installation,
        ingest: Ingest,
        composer: Composer,
        queued: Callable[[], None],
        *,
        tickets: Tickets,
        publication: Publication,
        gives_back: bool,
    ) -> None:
        """``gives_back``: whether there is a one-stop system to be told."""
        self._store = store
        self._clock = clock
        self._installation = installation
        self._ingest = ingest
        self._composer = composer
        self._queued = queued
        self._tickets = tickets
        self._publication = publication
        self._gives_back = gives_back

    async def draft(
        self, code: str, *, new_due_at: Instant, reason_key: str = "", reason: str = "", author: str
    ) -> Apology:
        """Write one for the delay of ``code``; raises ``NotAllowedError`` with every fault.

        A second re-appointment is refused, and becomes work for a person.
        """
        now = self._clock.civil()
        author = author.strip()
        if not author:
            raise NotAllowedError("an apology needs an author; give a name")
        words = self._installation.apology.reason(reason_key, reason)
        async with self._store.write() as session:
            await session.hold([code])
            dossier = await _known(session, code)
            second = rules.is_second(dossier)
            if second:
                await session.add_work([second_work(dossier, now)])
            else:
                self._check(dossier, new_due_at, words, now)
                due_at = dossier.facts.due_at or 0
                earlier = len(await session.apologies(dossiers=[code]))
                made = Apology(
                    id=message_id(f"apology|{code}|{due_at}|{earlier}", now),
                    dossier=code,
                    due_at=due_at,
                    new_due_at=new_due_at,
                    reason=words,
                    reason_key=reason_key,
                    state=ApologyState.DRAFTED,
                    late=rules.is_late(due_at, self._calendar(dossier), now=now),
                    author=author,
                    created_at=now,
                )
                if not await session.add_apology(made):
                    raise NotAllowedError(
                        f"there is an apology for dossier {code} and this due date already; see: "
                        f"notifier apology list --dossier {code}"
                    )
        if second:
            raise NotAllowedError(_second_words(code))
        return made

    async def approve(
        self,
        apology_id: str,
        *,
        by: str,
        number: str,
        signer: str = "",
        title: str = "",
    ) -> Apology:
        """Sign it: the new date holds, and the applicant and the one-stop system are told.

        ``number`` is the document's; name and title come from the list of signers where there are
        none. Raises ``NotAllowedError`` where the rules forbid it.
        """
        now = self._clock.civil()
        second = False
        async with self._store.write() as session:
            found = await _existing(session, apology_id)
            await session.hold([found.dossier])
            found = await _existing(session, apology_id)
            dossier = await _known(session, found.dossier)
            state = rules.check(found, "approve", by, self._installation.apology)
            second = rules.is_second(dossier)
            if second:
                await session.add_work([second_work(dossier, now)])
            else:
                self._check(dossier, found.new_due_at, found.reason, now)
                if dossier.facts.due_at != found.due_at:
                    raise NotAllowedError(
                        f"the due date of dossier {found.dossier} has changed since apology "
                        f"{found.id} was written; withdraw it, and write a new one"
                    )
                signed = self._signed(
                    found, dossier, state, by=by, number=number, signer=signer, title=title, now=now
                )
                if not await session.move_apology(signed, found.state, by, "approve", number, now):
                    raise NotAllowedError(f"apology {found.id} was changed meanwhile; look again")
                signed = await self._say(session, signed, now)
                if self._gives_back:
                    await session.plan_return(signed.id, now)
        if second:
            raise NotAllowedError(_second_words(found.dossier))
        self._queued()
        return signed

    async def reject(self, apology_id: str, *, by: str, note: str = "") -> Apology:
        """Send it back: another one may be written for the same delay."""
        return await self._drop(apology_id, "reject", by, note)

    async def withdraw(self, apology_id: str, *, by: str, note: str = "") -> Apology:
        """Its author takes it back."""
        return await self._drop(apology_id, "withdraw", by, note)

    async def handed_over(self, apology_id: str, *, by: str, note: str = "") -> Apology:
        """The letter reached the applicant by hand or by post, since no message could."""
        return await self._drop(apology_id, "send", by, note)

    async def shown(self, apology_id: str) -> tuple[Apology, list[ApologyAct]]:
        """One apology, and what was done to it."""
        async with self._store.read() as session:
            found = await _existing(session, apology_id)
            return found, await session.apology_acts([found.id])

    async def listed(
        self, *, state: ApologyState | None = None, dossier: str = "", limit: int = 100
    ) -> list[Apology]:
        """Newest first."""
        async with self._store.read() as session:
            return await session.apologies(
                state=state, dossiers=[dossier] if dossier else None, limit=limit
            )

    async def debts(self, limit: int) -> list[Debt]:
        """Late dossiers that nobody has apologised for, the oldest delay first."""
        owed: list[Debt] = []
        async for dossiers in self._late():
            owed += await self._owed(dossiers)
            if len(owed) >= limit:
                break
        return owed[:limit]

    def check_url(self, apology: Apology) -> str:
        """The page that says whether a letter is genuine; empty where there is no address."""
        url = self._publication.url
        return f"{url}/v1/letters/{self._tickets.check(apology.id)}" if url else ""

    def letter_url(self, apology: Apology, now: Instant) -> str:
        """The letter itself, for a while; empty where there is no address."""
        url, until = self._publication.url, now + self._publication.link
        return f"{url}/v1/letters/{self._tickets.fetch(apology.id, until)}" if url else ""

    async def opened(self, token: str) -> tuple[Apology, Purpose] | None:
        """The signed apology that a token opens, and what for; None where it opens none."""
        ticket = self._tickets.read(token, self._clock.civil())
        if ticket is None:
            return None
        async with self._store.read() as session:
            found = await session.apology(ticket.apology)
        return (found, ticket.purpose) if found and found.state in rules.SIGNED else None

    # ---------------------------------------------------------------------------------- inside

    def _check(self, dossier: Dossier, new_due_at: Instant, reason: str, now: Instant) -> None:
        why_not = rules.nothing_to_excuse(dossier, self._installation.statuses)
        if why_not:
            raise NotAllowedError(why_not)
        faults = [
            *rules.reason_faults(reason),
            *rules.date_faults(
                due_at=dossier.facts.due_at or 0,
                new_due_at=new_due_at,
                calendar=self._calendar(dossier),
                now=now,
            ),
        ]
        if faults:
            raise NotAllowedError("; ".join(faults))

    def _signed(
        self,
        found: Apology,
        dossier: Dossier,
        state: ApologyState,
        *,
        by: str,
        number: str,
        signer: str,
        title: str,
        now: Instant,
    ) -> Apology:
        book = self._installation.apology
        known = book.signer(by)
        signer = signer.strip() or (known.name if known else "")
        title = title.strip() or (known.title if known else "")
        if not (number.strip() and signer and title):
            raise NotAllowedError(
                "a signed apology has a number, and its signer's name and title; give them, or "
                "list the signer in apology.toml"
            )
        form = book.form(FORM, instant.local_date(now))
        if form is None:
            raise NotAllowedError(
                f"apology.toml has no form {FORM} that holds on {instant.local_date(now)}"
            )
        signed = replace(
            found,
            state=state,
            late=rules.is_late(found.due_at, self._calendar(dossier), now=now),
            approver=by.strip(),
            signer=signer,
            title=title,
            number=number.strip(),
            signed_at=now,
            template=form.template,
        )
        values = letter.values(
            signed, dossier, self._unit(dossier), book, check_url=self.check_url(signed)
        )
        return replace(signed, letter=values)

    async def _say(self, session: Session, signed: Apology, now: Instant) -> Apology:
        """Apply the new date, and tell the applicant: with the apology, or of the date alone.

        Where the automatic apology waits, the signed one takes its place; where it has left, or
        may have, the new date is told without apologising again.
        """
        rule = self._installation.rules.on_apology()
        key = notice.notice_key(signed.dossier, FAMILY, signed.episode, notice.Role.APPLICANT)
        family = key.removesuffix(notice.Role.APPLICANT.value)
        rows = (await session.notices_of([signed.dossier]))[signed.dossier]
        apologised = [row for row in rows if row.key.startswith(family)]
        open_ = [row for row in apologised if row.state not in NEVER_CAME]
        left = [row for row in open_ if not await _taken_back(session, row, now)]
        apologise_now = rule is not None and not left
        reappointments = frozenset(
            rule.family
            for rule in self._installation.rules.rules
            if isinstance(rule, RescheduleRule)
        )
        event = self._event(signed, now)
        await session.add_events([event], now)
        await self._ingest.take(
            session, [event], now, unsaid=reappointments if apologise_now else frozenset()
        )
        said = [family, *(f"{signed.dossier}|{name}|{deadline.episode(signed.new_due_at)}|"
                          for name in reappointments)]  # fmt: skip
        if rule is not None and apologise_now:
            await self._apologise(session, signed, rule, now, again=bool(apologised))
        rows = (await session.notices_of([signed.dossier]))[signed.dossier]
        told = any(row.created_at == now and row.key.startswith(tuple(said)) for row in rows)
        if not told:
            return signed
        to = rules.check(signed, "send", SERVICE, self._installation.apology)
        sent = replace(signed, state=to)
        await session.move_apology(sent, signed.state, SERVICE, "send", "", now)
        return sent

    async def _apologise(
        self, session: Session, signed: Apology, rule: ApologyRule, now: Instant, *, again: bool
    ) -> None:
        """Queue the signed apology; ``again``: the automatic one has had the key of this delay."""
        dossier = await _known(session, signed.dossier)
        owed = [notice.of_apology(rule, dossier, signed.episode)]
        accounts = await accounts_for(session, owed, self._installation.ladder)
        composed = self._composer.notices(owed, now, accounts)
        messages = composed.messages
        if again:
            keys = [f"{message.key}|signed" for message in messages]
            messages = tuple(
                replace(message, key=key, id=message_id(key, now))
                for message, key in zip(messages, keys, strict=True)
            )
        await session.add_messages(messages)
        await session.add_work(composed.work)

    def _event(self, signed: Apology, now: Instant) -> DossierEvent:
        made = Rescheduled(
            due_at=signed.new_due_at,
            reason=signed.reason,
            document=Document(
                number=signed.number,
                date=instant.local_date(now).isoformat(),
                signer=signed.signer,
                title=signed.title,
            ),
            replaces=signed.due_at,
            letter=self.letter_url(signed, now),
        )
        return DossierEvent(
            id=signed.id,
            source=SOURCE,
            type=EventType.RESCHEDULED,
            code=signed.dossier,
            code_raw=signed.dossier,
            time=now,
            carried={"due_at": signed.new_due_at, "rescheduled": made},
        )

    async def _drop(self, apology_id: str, act: str, by: str, note: str) -> Apology:
        now = self._clock.civil()
        async with self._store.write() as session:
            found = await _existing(session, apology_id)
            moved = replace(found, state=rules.check(found, act, by, self._installation.apology))
            if not await session.move_apology(moved, found.state, by.strip(), act, note, now):
                raise NotAllowedError(f"apology {apology_id} was changed meanwhile; look again")
        return moved

    async def _late(self) -> AsyncIterator[list[Dossier]]:
        now = self._clock.civil()
        statuses = self._installation.statuses
        # Whether the limit runs may depend on the procedure: asked of the state alone, it may.
        running = [n for n, state in statuses.by_number.items() if state.clock not in AT_REST]
        after = (0, "")
        while True:
            async with self._store.read() as session:
                page = await session.late_dossiers(running, now, after, PAGE)
            yield [dossier for dossier in page if deadline.is_late(dossier, statuses, now=now)]
            if len(page) < PAGE:
                return
            after = (page[-1].facts.due_at or 0, page[-1].code)

    async def _owed(self, dossiers: list[Dossier]) -> list[Debt]:
        codes = [dossier.code for dossier in dossiers]
        async with self._store.read() as session:
            rows = await session.notices_of(codes)
            written = await session.apologies(dossiers=codes, limit=10 * PAGE)
        drafts = {(one.dossier, one.due_at): one.id for one in written if one.state not in DROPPED}
        owed = []
        for dossier in dossiers:
            due_at = dossier.facts.due_at or 0
            family = f"{dossier.code}|{FAMILY}|{deadline.episode(due_at)}|"
            said = [row for row in rows[dossier.code] if row.key.startswith(family)]
            if any(row.state not in NEVER_CAME for row in said):
                continue
            why = f"the message is {said[-1].state.value}: {said[-1].reason}" if said else ""
            owed.append(
                Debt(
                    dossier=dossier,
                    why=why or "nobody has apologised",
                    draft=drafts.get((dossier.code, due_at), ""),
                )
            )
        return owed

    def _unit(self, dossier: Dossier) -> Unit:
        return self._installation.units.find(dossier.facts.unit)

    def _calendar(self, dossier: Dossier) -> WorkingCalendar:
        return self._installation.calendar_of(self._unit(dossier))


def second_work(dossier: Dossier, now: Instant) -> WorkItem:
    """A second re-appointment: a person has to see how the delay is dealt with."""
    due = deadline.episode(dossier.facts.due_at or 0)
    return WorkItem(
        key=f"{SECOND}|{dossier.code}|{due}",
        kind=SECOND,
        dossier=dossier.code,
        detail=f"due {due}: it was re-appointed once, which is all that is allowed; report to the "
        "head of the unit",
        opened_at=now,
    )


def _second_words(code: str) -> str:
    return (
        f"dossier {code} was re-appointed once, which is all that is allowed; it is on the work "
        "list now"
    )


async def _taken_back(session: Session, row: OutboxRow, now: Instant) -> bool:
    """Whether an apology that waits in the outbox will not leave; not one that may have left."""
    if row.state is not State.QUEUED:
        return False
    return await session.move([Moved(id=row.id, state=State.SUPERSEDED, reason=REPLACED)], now) == 1


async def _existing(session: Session, apology_id: str) -> Apology:
    found = await session.apology(apology_id)
    if found is None:
        raise InputError(f"there is no apology {apology_id}; see: notifier apology list")
    return found


async def _known(session: Session, code: str) -> Dossier:
    found = (await session.dossiers([code])).get(code)
    if found is None:
        raise InputError(f"there is no dossier {code}; see: notifier dossiers")
    return found
