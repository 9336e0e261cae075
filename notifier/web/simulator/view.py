"""What there is to see, as plain data in the page's words. No number of a phone is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import time
from typing import TYPE_CHECKING, Any, Final

from notifier.domain import instant
from notifier.domain.retry import MOST_ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from notifier.domain.instant import Instant
    from notifier.web.simulator.story import Story, StoryDossier
    from notifier.web.simulator.world import Carrier, DossierLine, OutboxLine, ShownText

LINES_SHOWN: Final = 30
MORNING: Final = time(8, 0)
PAST_DUE: Final = 5 * instant.MINUTE
"""How far past a due date the clock goes to see the delay."""

MODES: Final = {
    "ok": "Bình thường",
    "refuse": "Từ chối",
    "busy": "Bận",
    "down": "Mất kết nối",
    "hang_up": "Đứt giữa chừng",
}
"""What the carrier can be told to do, in the page's words."""
FLOW: Final = ("queued", "sending", "accepted", "delivered")
ASIDE: Final = ("failed", "unknown", "cancelled")
FOLDED: Final = {"expired": "cancelled", "superseded": "cancelled"}
"""States that share a place on the page: all of them were not sent, on purpose."""
REASONS: Final = {
    "unreachable": "không kết nối được với nhà mạng",
    "busy": "nhà mạng bận",
    "throttled": "nhà mạng bận, đề nghị gửi lại sau",
    "refused": "nhà mạng từ chối số này",
    "hung-up": "mất kết nối trước khi nhà mạng trả lời",
    "no-answer": "nhà mạng không trả lời",
    "nonsense": "câu trả lời của nhà mạng không đọc được",
    "the provider reports it undelivered": "nhà mạng báo tin không đến máy",
    "the recipient refuses": "người nhận đã từ chối nhận tin",
    "the dossier has moved on": "hồ sơ đã sang bước khác",
    "its best-before has passed": "đã quá thời gian tin còn giá trị",
    "quiet hours": "ngoài giờ gửi tin, chờ đến sáng",
    "a newer notice of the same kind waits": "đã có tin mới hơn cùng nội dung",
    "over the cap": "đã gửi đủ số tin trong 24 giờ đến số này",
    "sent again": "gửi lại vì chưa rõ tin đã đến hay chưa",
    "no time left to try again": "không còn thời gian gửi lại",
    f"given up after {MOST_ATTEMPTS}": f"thôi gửi sau {MOST_ATTEMPTS} lần",
}
"""The outbox's reasons, and the simulated carrier's codes, in the page's words."""
WEEKDAYS: Final = ("Hai", "Ba", "Tư", "Năm", "Sáu", "Bảy")


def view(
    story: Story,
    *,
    now: Instant,
    told: Mapping[str, int],
    stored: Sequence[DossierLine],
    messages: Sequence[OutboxLine],
    carrier: Carrier,
) -> dict[str, Any]:
    """The whole page. ``told``: by code, how many events of the story have been pushed."""
    by_code = {line.code: line for line in stored}
    return {
        "unit": story.unit.model_dump(),
        "clock": {**_face(now), "moves": moves(now, due_dates(story, stored))},
        "phones": [_phone(story, index, carrier) for index in range(len(story.phones))],
        "dossiers": [
            _dossier(story, dossier, told[dossier.code], by_code.get(dossier.code))
            for dossier in story.dossiers
        ],
        "outbox": _outbox(messages),
        "carrier": _carrier(carrier),
    }


def due_dates(story: Story, stored: Iterable[DossierLine]) -> list[Instant]:
    """The due dates that still matter, soonest first."""
    stopped = story.states.paused | story.states.ended
    return sorted(line.due for line in stored if line.due and line.status not in stopped)


def moves(now: Instant, due: Sequence[Instant]) -> list[dict[str, Any]]:
    """The steps that the clock offers; ``at`` is None for one that leads nowhere now."""
    morning = instant.at(instant.local_date(now), MORNING)
    steps = [
        ("hour", "+1 giờ", now + instant.HOUR),
        ("morning", "Sáng hôm sau", morning if morning > now else morning + instant.DAY),
        ("due", "Đến hạn trả", next((moment for moment in due if moment > now), None)),
        (
            "late",
            "Qua hạn",
            next((moment + PAST_DUE for moment in due if moment + PAST_DUE > now), None),
        ),
    ]
    return [
        {"to": to, "word": word, "at": at, "hint": _moment(at) if at else ""}
        for to, word, at in steps
    ]


def _face(now: Instant) -> dict[str, str]:
    local = instant.local(now)
    return {
        "time": f"{local:%H:%M}",
        "weekday": _weekday(now),
        "date": f"{local:%d/%m/%Y}",
        "iso": instant.iso(now),
    }


def _phone(story: Story, index: int, carrier: Carrier) -> dict[str, Any]:
    phone = story.phones[index]
    return {
        "index": index,
        "name": f"{phone.called} {phone.name}",
        "short": phone.short,
        "kind": phone.kind,
        "tail": phone.number[-3:],
        "on": phone.number not in carrier.faults.switched_off,
        "codes": [dossier.code for dossier in story.dossiers if dossier.phone == phone.id],
        "texts": [_text(text) for text in carrier.phones.texts(phone.number)],
    }


def _text(text: ShownText) -> dict[str, Any]:
    return {
        "id": text.id,
        "direction": str(text.direction),
        "text": text.text,
        "time": f"{instant.local(text.at):%H:%M}",
        "day": _day(text.at),
        "state": str(text.state),
        "parts": text.parts,
        "encoding": "" if str(text.encoding) == "text" else str(text.encoding),
    }


def _dossier(
    story: Story, dossier: StoryDossier, told: int, line: DossierLine | None
) -> dict[str, Any]:
    status = line.status if line else None
    places = [n for n, step in enumerate(story.steps) if status in step.statuses]
    return {
        "code": dossier.code,
        "title": dossier.title,
        "holder": story.phone(dossier).short,
        "steps": [step.word for step in story.steps],
        "reached": places[0] if places else -1,
        "status": line.status_word if line else "Chưa nộp",
        "paused": status in story.states.paused,
        "ended": status in story.states.ended,
        "late": bool(line and line.late),
        "due": _moment(line.due) if line and line.due else "",
        "number": told,
        "next": dossier.events[told].label if told < len(dossier.events) else "",
    }


def _outbox(messages: Sequence[OutboxLine]) -> dict[str, Any]:
    shown = [
        {
            **asdict(message),
            "place": FOLDED.get(message.state, message.state),
            "time": f"{instant.local(message.at):%H:%M}",
            "reason": _reason(message.reason),
        }
        for message in messages
    ]
    counts = Counter(message["place"] for message in shown)
    return {
        "flow": [{"place": place, "count": counts[place]} for place in FLOW],
        "aside": [{"place": place, "count": counts[place]} for place in ASIDE],
        "messages": shown,
        "lines": shown[:LINES_SHOWN],
    }


def _reason(reason: str) -> str:
    """What is known of ``reason`` in the page's words; all of it as it is where nothing is."""
    known = [REASONS[part] for part in reason.split(": ") if part in REASONS]
    return "; ".join(known) or reason


def _carrier(carrier: Carrier) -> dict[str, Any]:
    faults = carrier.faults
    return {
        "modes": [
            {"value": value, "word": word, "on": value == str(faults.mode)}
            for value, word in MODES.items()
        ],
        "mode": str(faults.mode),
        "delay": faults.delay,
        "lose_receipts": faults.lose_receipts,
    }


def _weekday(moment: Instant) -> str:
    day = instant.local(moment).weekday()
    return f"thứ {WEEKDAYS[day]}" if day < len(WEEKDAYS) else "Chủ nhật"


def _day(moment: Instant) -> str:
    return f"{_weekday(moment)}, {instant.local(moment):%d/%m}"


def _moment(moment: Instant) -> str:
    return f"{instant.local(moment):%H:%M} {_day(moment)}"
