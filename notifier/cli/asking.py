"""``notifier ask``"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from notifier.cli import running
from notifier.domain.message import Address

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.bootstrap.core import Core
    from notifier.domain.inquiry import Inquiry

NOBODY = Address("none", "anonymous")
"""Who asks where nobody is named: someone who holds no dossier."""


def ask(
    folder: Path | None, text: str, sender: str, *, as_json: bool, explain: bool, now: str
) -> None:
    """One text, or NDJSON from standard input."""
    if text == "-":
        failed = running.run(_lines(folder, now))
        if failed:
            running.say(f"{failed} lines could not be read")
            sys.exit(1)
        return
    address = running.address(sender) if sender else NOBODY
    answered = running.run(_once(folder, text, address, now))
    read = answered.pop("read")
    if explain:
        running.say(f"read as: {read['words']}\ndecided by: {read['by']}")
    if as_json:
        running.out(answered)
        return
    sys.stdout.write(answered["reply"] + "\n")
    running.say(
        f"({answered['intent']}, {answered['disclosure']}, {answered['encoding']}, "
        f"{answered['segments']} segment(s))"
    )


async def _once(folder: Path | None, text: str, address: Address, now: str) -> dict[str, Any]:
    async with running.core(folder, now) as core:
        return await _answered(core, text, address)


async def _lines(folder: Path | None, now: str) -> int:
    failed = 0
    async with running.core(folder, now) as core:
        for line in sys.stdin:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                text, sender = row["text"], row.get("from") or ""
                address = Address.parse(sender) if sender else NOBODY
            except (ValueError, KeyError, TypeError, AttributeError):
                failed += 1
                running.out({"error": 'a line has to be {"text": ..., "from": "channel:value"}'})
                continue
            answered = await _answered(core, str(text), running.address(str(address)))
            del answered["read"]
            running.out(answered)
    return failed


def _silence(inquiry: Inquiry) -> dict[str, Any]:
    return {
        "intent": inquiry.intent.value,
        "codes": list(inquiry.codes),
        "disclosure": "L0",
        "reply": "",
        "language": inquiry.language,
        "encoding": "GSM-7",
        "segments": 0,
        "read": {"words": inquiry.words, "by": inquiry.by},
    }


async def _answered(core: Core, text: str, address: Address) -> dict[str, Any]:
    now = core.clock.civil()
    inquiry = core.answering.read(text, "", now)
    async with core.store.read() as session:
        [decided] = await core.answering.decide(session, [(inquiry, address)], now)
    answer = decided.answer
    channel = "sms" if address == NOBODY else address.channel
    if not answer.parts:
        return _silence(inquiry)
    reply = core.composer.answer_text(answer, channel=channel, language=inquiry.language, now=now)
    return {
        "intent": inquiry.intent.value,
        "codes": list(inquiry.codes),
        "disclosure": answer.level.value,
        "reply": reply.text,
        "language": inquiry.language,
        "encoding": reply.plan.encoding.value,
        "segments": reply.plan.segments,
        "read": {"words": inquiry.words.replace("_", " "), "by": inquiry.by.replace("_", " ")},
    }
