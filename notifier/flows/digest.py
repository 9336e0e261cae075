"""The digest: the promises of the day, week or month that is over, to those who answer for them."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from notifier.domain import figures, instant, period
from notifier.domain.message import Lane, Message, message_id
from notifier.domain.segments import plan_plain
from notifier.domain.tally import Asked, By

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from notifier.domain.installation import Installation
    from notifier.domain.instant import Instant
    from notifier.domain.message import Address
    from notifier.domain.period import Period, Span
    from notifier.flows.report import Line, Report, Reporting
    from notifier.ports import Renderer, Store

NOTICE: Final = "digest"
CHANNEL: Final = "email"
WORST: Final = 5
"""Units that it names."""

BEST_BEFORE: Final = 3 * instant.DAY
"""After this (ms) a digest is not sent any more."""


class Digest:
    """Composes it, and queues it once for each address and period."""

    def __init__(
        self,
        store: Store,
        installation: Installation,
        renderer: Renderer,
        reporting: Reporting,
        queued: Callable[[], None],
        *,
        span: Span | None = None,
        to: Sequence[Address] = (),
    ) -> None:
        """``span`` None: none is sent."""
        self._store = store
        self._installation = installation
        self._renderer = renderer
        self._reporting = reporting
        self._queued = queued
        self._span = span
        self._to = tuple(to)
        self._sent = ""

    async def text(self, told: Period, *, locale: str = "") -> str:
        """The words of one period; raises ``TemplateError``."""
        locale = locale or self._installation.locale
        asked = Asked(start=told.start, at=told.end, by=(By.UNIT,))
        report = await self._reporting(asked, locale=locale)
        return self._renderer.render(locale, CHANNEL, NOTICE, _context(report, told, locale))

    async def sweep(self, now: Instant) -> int:
        """Queue the digest of the period that is over, where it was not; how many messages.

        The key in the outbox lets each be sent once, whatever process comes first; that a process
        remembers what it did spares it to count again.
        """
        if self._span is None or not self._to:
            return 0
        told = period.last_over(self._span, now)
        if told.name == self._sent:
            return 0
        text = await self.text(told)
        messages = [self._message(told, to, text, now) for to in self._to]
        async with self._store.write() as session:
            added = await session.add_messages(messages)
        self._sent = told.name
        if added:
            self._queued()
        return len(added)

    def _message(self, told: Period, to: Address, text: str, now: Instant) -> Message:
        # The address is hashed, since keys are shown; a list that is put into another order, or
        # grows, sends nobody a second one.
        whom = blake2b(str(to).encode(), digest_size=8).hexdigest()
        key = f"{NOTICE}|{told.name}|{whom}"
        not_before = self._installation.notice_hours.next_open(now)
        return Message(
            id=message_id(key, now),
            key=key,
            lane=Lane.NOTICE,
            address=to,
            text=text,
            plan=plan_plain(text),
            locale=self._installation.locale,
            created_at=now,
            not_before=not_before,
            best_before=not_before + BEST_BEFORE,
            notice=NOTICE,
            episode=told.name,
        )


def _context(report: Report, told: Period, locale: str) -> dict[str, Any]:
    total = report.total
    worst = sorted(report.lines, key=_lateness, reverse=True)[:WORST]
    return {
        "office_name": report.office,
        "period": told.words(locale),
        "done": figures.count(total.done) if total.done else "",
        "early": figures.count(total.early),
        "on_time": figures.count(total.on_time),
        "late": figures.count(total.late),
        "kept_share": figures.share(total.kept, total.done),
        "first_share": figures.share(total.first_kept, total.done),
        "open": figures.count(total.open),
        "open_late": figures.count(total.open_late),
        "owed": figures.count(total.owed) if total.owed else "",
        "apologised": figures.count(total.apologised),
        "moved": figures.count(total.moved) if total.moved else "",
        "worst": [
            {
                "name": line.labels[0],
                "late": figures.count(line.tally.late),
                "open_late": figures.count(line.tally.open_late),
                "kept_share": figures.share(line.tally.kept, line.tally.done),
            }
            for line in worst
            if sum(_lateness(line)[:1])
        ],
    }


def _lateness(line: Line) -> tuple[int, int]:
    return line.tally.late + line.tally.open_late, line.tally.late
