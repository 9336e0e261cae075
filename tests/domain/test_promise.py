from __future__ import annotations

from dataclasses import replace

import pytest
from dossier_samples import at, dossier, event, installation
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain import promise
from notifier.domain.dossier import Rescheduled, UnitRef
from notifier.domain.event import EventType
from notifier.domain.instant import DAY
from notifier.domain.promise import Kept, Standing, Verdict
from notifier.domain.tally import Asked, By, tallied

RECEIVED = "2026-11-16 09:00"
DUE = "2026-11-20 17:00"
"""A Friday; Tuesday the 24th is a day off."""
LATER = "2026-11-27 17:00"

CALENDAR = installation().calendars["vn"]


def taken(when: str = RECEIVED, due: str | None = DUE):
    said = {"due_at": at(due)} if due else {}
    return event("received", when, unit=UnitRef(code="X1", name="UBND xã Thử"), **said)


def moved(when: str, due: str):
    return event(
        "rescheduled",
        when,
        due_at=at(due),
        rescheduled=Rescheduled(due_at=at(due), reason="đo lại"),
    )


def told(*events) -> promise.Promise:
    return promise.of(dossier(*events), installation())


@pytest.mark.parametrize(
    ("finished", "due", "is_"),
    [
        ("2026-11-19 16:59", DUE, Kept.EARLY),  # the working day before
        ("2026-11-20 07:30", DUE, Kept.ON_TIME),  # the due day itself, however early
        (DUE, DUE, Kept.ON_TIME),  # the very moment
        ("2026-11-20 17:01", DUE, Kept.LATE),
        ("2026-11-21 10:00", "2026-11-23 17:00", Kept.ON_TIME),  # Saturday counts as Monday
        ("2026-11-20 16:00", "2026-11-23 17:00", Kept.EARLY),  # Friday is a working day before
        ("2026-11-23 10:00", "2026-11-25 17:00", Kept.EARLY),  # over the day off of the 24th
        ("2026-11-24 10:00", "2026-11-25 17:00", Kept.ON_TIME),  # on it: counts as the 25th
    ],
)
def test_early_on_time_and_late(finished, due, is_):
    assert promise.kept(at(finished), at(due), CALENDAR) is is_
    done = told(taken(due=due), event("finished", finished))
    assert (done.standing, done.kept, done.first_kept) == (Standing.DONE, is_, is_)


@pytest.mark.parametrize(
    ("until", "days"),
    [
        ("2026-11-20 18:00", 0),  # late by an hour
        ("2026-11-21 09:00", 0),  # on the Saturday after
        ("2026-11-23 09:00", 1),
        ("2026-11-25 09:00", 2),  # Tuesday is off
    ],
)
def test_days_late_are_working_days_and_the_due_day_is_not_one(until, days):
    assert promise.working_days(at(DUE), at(until), CALENDAR) == days
    assert told(taken(), event("finished", until)).late_days == days


APPOINTED_ANEW = [taken(), moved("2026-11-19 10:00", LATER), event("finished", "2026-11-25 10:00")]


@pytest.mark.parametrize(
    ("events", "first", "appointed", "times"),
    [
        ("as promised", DUE, DUE, 0),
        ("appointed anew before it passed", DUE, LATER, 1),
        ("appointed anew after it passed", DUE, LATER, 1),
        ("appointed anew twice", DUE, "2026-12-04 17:00", 2),
        ("moved before it passed", LATER, LATER, 0),
        ("moved in silence after it passed", DUE, LATER, 0),
        ("corrected after it passed", LATER, LATER, 0),
        ("a supplement before it passed", LATER, LATER, 0),
        ("a supplement after it passed", DUE, LATER, 0),
        ("paused when it passed", LATER, LATER, 0),
    ],
)
def test_the_first_due_date_and_the_appointed_one(events, first, appointed, times):
    new = {"due_at": at(LATER)}
    histories = {
        "as promised": [],
        "appointed anew before it passed": [moved("2026-11-19 10:00", LATER)],
        "appointed anew after it passed": [moved("2026-11-23 10:00", LATER)],
        "appointed anew twice": [
            moved("2026-11-19 10:00", LATER),
            moved("2026-11-26 10:00", "2026-12-04 17:00"),
        ],
        "moved before it passed": [event("processing", "2026-11-19 10:00", **new)],
        "moved in silence after it passed": [event("processing", "2026-11-23 10:00", **new)],
        "corrected after it passed": [event("corrected", "2026-11-23 10:00", **new)],
        "a supplement before it passed": [
            event("supplement-requested", "2026-11-19 10:00"),
            event("supplemented", "2026-11-23 10:00", **new),
        ],
        "a supplement after it passed": [
            event("supplement-requested", "2026-11-23 10:00"),
            event("supplemented", "2026-11-24 10:00", **new),
        ],
        "paused when it passed": [
            event("payment-requested", "2026-11-19 10:00"),
            event("paid", "2026-11-23 10:00", **new),
        ],
    }
    open_ = told(taken(), *histories[events])
    assert (open_.first_due_at, open_.due_at, open_.moved) == (at(first), at(appointed), times)
    assert open_.standing is Standing.OPEN


def test_a_new_appointment_that_is_kept_is_late_against_the_first_date():
    done = told(*APPOINTED_ANEW)
    assert (done.kept, done.first_kept, done.moved) == (Kept.EARLY, Kept.LATE, 1)
    assert done.late_days == 2


@pytest.mark.parametrize(
    ("events", "standing", "ended"),
    [
        ([event("submitted", RECEIVED)], Standing.NEW, None),
        ([taken()], Standing.OPEN, None),
        ([taken(due=None)], Standing.UNDATED, None),
        ([taken(due=None), event("finished", DUE)], Standing.UNDATED, DUE),
        ([taken(), event("supplement-requested", "2026-11-17 10:00")], Standing.PAUSED, None),
        ([taken(), event("payment-requested", "2026-11-17 10:00")], Standing.PAUSED, None),
        ([taken(), event("stopped", "2026-11-17 10:00")], Standing.STOPPED, None),
        ([taken(), event("refused", "2026-11-17 10:00")], Standing.REFUSED, "2026-11-17 10:00"),
        ([taken(), event("withdrawn", "2026-11-17 10:00")], Standing.WITHDRAWN, "2026-11-17 10:00"),
        (
            [
                taken(),
                event("supplement-requested", "2026-11-17 10:00"),
                event("supplemented", "2026-11-18 10:00"),
            ],
            Standing.STALE,
            None,
        ),
        (
            [taken(), event("finished", "2026-11-19 10:00"), event("returned", "2026-11-23 10:00")],
            Standing.DONE,
            "2026-11-19 10:00",
        ),
        (
            [taken(), event("finished", "2026-11-23 10:00", finished_at=at("2026-11-19 15:00"))],
            Standing.DONE,
            "2026-11-19 15:00",
        ),
        (
            [
                taken(),
                event("finished", "2026-11-19 10:00", finished_at=at("2026-11-19 09:00")),
                event("reopened", "2026-11-19 11:00"),
                event("finished", "2026-11-23 10:00"),
            ],
            Standing.DONE,
            "2026-11-23 10:00",
        ),
    ],
    ids=lambda row: "" if isinstance(row, list) else str(row),
)
def test_where_a_dossier_stands_and_when_it_ended(events, standing, ended):
    found = told(*events)
    assert (found.standing, found.ended_at) == (standing, at(ended) if ended else None)


def test_what_was_missed_before_a_supplement_stays_missed_without_a_new_date():
    found = told(
        taken(),
        event("supplement-requested", "2026-11-23 10:00"),
        event("supplemented", "2026-11-25 10:00"),
    )
    assert (found.standing, found.first_due_at) == (Standing.OPEN, at(DUE))


@pytest.mark.parametrize(
    ("start", "until", "verdict"),
    [
        ("2026-11-01", "2026-11-15 00:00", None),  # it had not come yet
        ("2026-11-01", "2026-11-18 00:00", Verdict(standing=Standing.OPEN)),
        (
            "2026-11-01",
            "2026-11-22 00:00",
            Verdict(standing=Standing.OPEN, first_kept=Kept.LATE),  # appointed anew: open in time
        ),
        (
            "2026-11-01",
            "2026-11-30 00:00",
            Verdict(standing=Standing.DONE, kept=Kept.EARLY, first_kept=Kept.LATE),
        ),
        ("2026-11-26", "2026-11-30 00:00", None),  # it ended before
    ],
)
def test_what_counts_of_it_as_of_a_moment(start, until, verdict):
    assert promise.as_of(told(*APPOINTED_ANEW), start=at(start), at=at(until)) == verdict


def test_a_verdict_is_read_back_from_its_number():
    for standing in Standing:
        for kept in Kept:
            verdict = Verdict(standing=standing, kept=kept, first_kept=Kept.LATE)
            assert Verdict.of(verdict.number) == verdict


def test_the_unit_that_has_it_answers_and_its_level_is_told_by_its_name():
    forwarded = event(
        "forwarded", "2026-11-18 10:00", unit=UnitRef(code="X2", name="Sở Thử nghiệm")
    )
    assert (told(taken()).place.level, told(taken()).place.unit) == ("commune", "X1")
    place = told(taken(), forwarded).place
    assert (place.level, place.unit, place.unit_name) == ("province", "X2", "Sở Thử nghiệm")


def test_a_place_is_named_by_what_it_is_and_not_by_how_it_is_called():
    place = told(taken()).place
    assert replace(place, unit_name="UBND xã Thử (mới)").id == place.id
    others = [replace(place, **{name: "khác"}) for name in ("level", "unit", "field", "procedure")]
    assert len({place.id, *(other.id for other in others)}) == 5


def test_the_figures_of_a_line():
    late = told(taken(), event("finished", "2026-11-23 10:00"))
    early = replace(told(taken(), event("finished", "2026-11-19 10:00")), code="early")
    open_ = replace(told(taken()), code="open")
    paused = replace(told(taken(), event("payment-requested", "2026-11-17 10:00")), code="paused")
    asked = Asked(start=at("2026-11-01"), at=at("2026-11-30"), by=(By.MONTH,))
    [(key, line)] = tallied([late, early, open_, paused], asked).items()
    assert key == ("202611",)
    assert (line.done, line.kept, line.late, line.open_late) == (2, 1, 1, 1)
    assert (line.owed, line.apologised, line.set_aside) == (2, 0, 1)
    assert line.oldest == at(DUE)


@st.composite
def histories(draw):
    """A dossier's events, cut in two: what was known, and what came since, late or in order."""
    kinds = st.sampled_from([kind.value for kind in EventType if kind is not EventType.FORWARDED])
    events = []
    for number in range(draw(st.integers(2, 7))):
        said = {}
        if draw(st.booleans()):
            said["due_at"] = at(DUE) + draw(st.integers(-2, 4)) * DAY
        if draw(st.integers(0, 3)) == 0:
            said["unit"] = UnitRef(code=draw(st.sampled_from(["X1", "X2"])), name="UBND xã Thử")
        when = at(RECEIVED) + draw(st.integers(0, 14)) * DAY
        events.append(event(draw(kinds), when, id_=str(number), **said))
    return events, draw(st.integers(1, len(events) - 1))


@given(histories())
@settings(max_examples=400)
def test_what_is_untouched_reads_the_same(history):
    events, cut = history
    before, after = dossier(*events[:cut]), dossier(*events)
    if promise.is_untouched(before, after, installation().statuses):
        assert promise.of(before, installation()) == promise.of(after, installation())


def test_most_events_touch_nothing_that_is_reported():
    known = dossier(taken())
    for kind in ("processing", "noted"):
        newer = dossier(taken(), event(kind, "2026-11-23 10:00", handler="Tổ 1"))
        assert promise.is_untouched(known, newer, installation().statuses)


def test_a_date_that_was_moved_there_and_back_is_not_taken_for_untouched():
    known = dossier(taken())
    newer = dossier(taken(), moved("2026-11-18 10:00", LATER), moved("2026-11-19 10:00", DUE))
    assert promise.of(newer, installation()).moved == 2
    assert not promise.is_untouched(known, newer, installation().statuses)


def test_steps_that_move_a_date_there_and_back_in_one_request_are_looked_at():
    known = dossier(taken())
    there = event("noted", "2026-11-18 10:00", due_at=at(LATER))
    back = event("noted", "2026-11-19 10:00", due_at=at(DUE))
    newer = dossier(taken(), there, back)
    assert newer.facts.due_at == known.facts.due_at
    assert not promise.is_untouched(known, newer, installation().statuses)
