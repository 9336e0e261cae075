"""``notifier templates check`` and ``reading-copy``, ``notifier config check``"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from notifier.bootstrap.core import configure
from notifier.cli import running
from notifier.flows.compose import Composer
from notifier.flows.reading_copy import reading_copy
from notifier.flows.specimen import check

if TYPE_CHECKING:
    from pathlib import Path


def configuration(folder: Path | None) -> None:
    """Silence and exit code 0 where all is well; else every fault, and 2."""
    configured = configure(folder)
    running.say(
        f"The configuration is sound: {len(configured.settings.gateways)} gateway(s), "
        f"{len(configured.installation.rules.rules)} rules, "
        f"{len(configured.installation.calendars)} calendar(s)."
    )
    if not configured.settings.gateways:
        running.say("No gateway is configured: messages would wait in the outbox.")


def templates(folder: Path | None, *, as_json: bool) -> None:
    """Every text with the longest values; exit code 1 where one is at fault."""
    configured = configure(folder)
    composer = Composer(configured.installation, configured.templates)
    checked = check(composer, configured.installation)
    if as_json:
        for row in checked:
            running.out(
                {
                    "template": row.template,
                    "segments": row.segments,
                    "units": row.units,
                    "fault": row.fault,
                    "text": row.text,
                }
            )
    else:
        running.show(
            ("template", "SMS", "length", "fault"),
            [
                (row.template, str(row.segments or ""), str(row.units or ""), row.fault)
                for row in checked
            ],
        )
    faults = sum(bool(row.fault) for row in checked)
    running.say(f"{len(checked)} texts checked, {faults} at fault")
    if faults:
        sys.exit(1)


def copy_to_read(folder: Path | None) -> None:
    """Every text with ordinary values, in Markdown on standard output."""
    configured = configure(folder, gateways=False)
    composer = Composer(configured.installation, configured.templates)
    sys.stdout.write(reading_copy(composer, configured.installation))
