"""The books of the torture: each kind of fault is found, and a good round has none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from notifier.domain.message import Lane, State
from notifier.ports import AttemptRow, OutboxRow, WorkItem
from torture.books import Books, Figures, Round
from torture.load import Case, Question
from torture.planted import COPIED, FAULTS, ROOT, plant
from torture.provider import Dialect, Took

if TYPE_CHECKING:
    from pathlib import Path

    from torture.planted import Planted

CODE = "H19.45-261118-00001"
NOTICE = f"{CODE}|received|1|applicant"


def row(key: str = NOTICE, **changes: Any) -> OutboxRow:
    """A message that was accepted."""
    made = OutboxRow(
        id=f"id of {key}",
        key=key,
        lane=Lane.NOTICE,
        state=State.ACCEPTED,
        to="sms:…000",
        text="",
        notice="received",
        dossier=CODE,
        broadcast=None,
        segments=1,
        attempts=1,
        gateway="sms",
        reason="",
        created_at=0,
        not_before=0,
        best_before=0,
        updated_at=0,
    )
    return replace(made, **changes)


def tries(*outcomes: str) -> list[AttemptRow]:
    return [
        AttemptRow(
            number=number,
            gateway="sms",
            started_at=0,
            ended_at=0,
            outcome=outcome,
            code="",
            detail="",
        )
        for number, outcome in enumerate(outcomes, start=1)
    ]


def took(key: str = NOTICE, to: str = "1", text: str = "a") -> Took:
    return Took(key=key, to=to, text=text)


def judged(*outcomes: str, **changes: Any) -> Figures:
    """A round of one dossier with one notice, but for ``changes``; its attempts ended so."""
    case = Case(CODE, ("received",), None, 0, [{"type": "dossier.received"}])
    played = Round(
        dialect=Dialect(suppresses=False, by_key=False, by_part=False),
        cases=[case],
        questions=[],
        recipients=[],
        rows=[row()],
        attempts={},
        work=[],
        moves=[],
        took=[took()],
        faults=[],
        quarantined=0,
        strange=0,
    )
    played = replace(played, **changes)
    attempts = {one.id: tries(*(outcomes or ("accepted",))) for one in played.rows}
    return Books(replace(played, attempts=attempts)).figures()


def answer(**changes: Any) -> OutboxRow:
    return row("answer|sms|mo-1", notice="answer", dossier=None, **changes)


def test_a_good_round_has_no_fault() -> None:
    figures = judged()
    assert (figures.faults, figures.notes) == (0, ())
    assert (figures.events, figures.messages) == (1, 1)


LOST: dict[str, dict[str, Any]] = {
    "nobody is told": {"rows": [], "took": []},
    "never had it": {"took": []},
    "still queued": {"rows": [row(state=State.QUEUED)]},
    "nobody says why": {"rows": [row(state=State.EXPIRED)], "took": []},
    "is not answered": {"questions": [Question("mo-1", "2", "HS")]},
    "is not in the outbox": {"recipients": ["broadcast|b|2"]},
    "are kept": {"strange": 1},
    "taken as stored": {"faults": ["event 1 was taken as stored"]},
    "damaged": {"damage": "the store is damaged: a page"},
    "passed in silence": {
        "cases": [Case(CODE, ("received",), 1, 0, [{"type": "dossier.received"}])]
    },
}


@pytest.mark.parametrize("note", LOST)
def test_what_is_lost(note: str) -> None:
    figures = judged(**LOST[note])
    assert figures.lost == 1
    assert note in figures.notes[0]


@pytest.mark.parametrize(
    ("copies", "outcomes", "marked", "unmarked"),
    [
        (1, ("temporary", "accepted"), 0, 0),
        (1, ("temporary",), 0, 1),
        (2, ("unknown", "accepted"), 1, 0),
        (2, ("unknown", "unknown"), 1, 0),
        (2, ("temporary", "accepted"), 0, 1),
        (2, ("accepted",), 0, 1),
        (2, ("accepted", "accepted"), 0, 1),
        (3, ("unknown", "unknown", "accepted"), 0, 1),
    ],
)
def test_what_is_doubled(
    copies: int, outcomes: tuple[str, ...], marked: int, unmarked: int
) -> None:
    figures = judged(*outcomes, took=[took()] * copies)
    assert (figures.doubled_marked, figures.doubled_unmarked) == (marked, unmarked)


@pytest.mark.parametrize("notice", ["late", "broadcast"])
def test_an_apology_and_a_bulk_notice_do_not_leave_again(notice: str) -> None:
    rows = [row(), row("other", notice=notice)]
    twice = [took(), took("other", to="2"), took("other", to="2")]
    assert judged("unknown", "accepted", rows=rows, took=twice).doubled_unmarked == 1


def test_one_text_under_two_keys_is_a_double() -> None:
    rows = [row(), row("other")]
    assert judged(rows=rows, took=[took(), took("other")]).doubled_unmarked == 1
    assert judged(rows=rows, took=[took(), took("other", to="2")]).doubled_unmarked == 0


def test_what_the_outbox_does_not_know_is_unmarked() -> None:
    assert judged(took=[took(), took("other", to="2")]).doubled_unmarked == 1


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN], ids=lambda state: state.value)
def test_what_is_left_in_doubt(state: State) -> None:
    assert judged("unknown", rows=[row(state=state)]).unknown_left == 1


def test_what_people_were_asked_about_is_not_left() -> None:
    asked = [WorkItem(key=f"unknown|id of {NOTICE}", kind="unknown")]
    assert judged("unknown", rows=[row(state=State.UNKNOWN)], work=asked).unknown_left == 0


@pytest.mark.parametrize(
    ("old", "new", "back"),
    [
        ("queued", "sending", 0),
        ("sending", "queued", 0),
        ("unknown", "queued", 0),
        ("accepted", "queued", 1),
        ("delivered", "failed", 1),
        ("failed", "queued", 1),
        ("cancelled", "sending", 1),
    ],
)
def test_what_goes_back(old: str, new: str, back: int) -> None:
    assert judged(moves=[("id", old, new)]).went_back == back


def test_rounds_add_up() -> None:
    summed = judged() + judged(took=[])
    assert (summed.events, summed.lost, len(summed.notes)) == (2, 1, 1)
    assert summed.tally == {"state accepted": 2}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_still_be_planted(fault: Planted, tmp_path: Path) -> None:
    """The code has not moved on from under it."""
    assert fault.file.split("/")[0] in COPIED
    target = tmp_path / fault.file
    target.parent.mkdir(parents=True)
    target.write_text((ROOT / fault.file).read_text(encoding="utf-8"), encoding="utf-8")
    plant(fault, tmp_path)
    compile(target.read_text(encoding="utf-8"), fault.file, "exec")
