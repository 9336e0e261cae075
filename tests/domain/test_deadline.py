from __future__ import annotations

from dataclasses import dataclass
from datetime import time

import pytest
from dossier_samples import at, dossier, event, installation

from notifier.domain import deadline, instant
from notifier.domain.deadline import Missed, Moment, Plan
from notifier.domain.dossier import Dossier, apply
from notifier.domain.rules import DueRule

INSTALLATION = installation()
STATUSES = INSTALLATION.statuses
CALENDAR = INSTALLATION.calendars["vn"]

RECEIVED = "2026-11-16 09:00"
DUE = at("2026-11-20 17:00")
LATER = at("2026-11-27 17:00")
NOW = "2026-11-16 09:05"
REMINDER = at("2026-11-19 08:30")
APOLOGY = DUE + instant.MINUTE


def replan(before: Dossier | None, after: Dossier, now: str = NOW) -> Plan | None:
    return deadline.replan(
        before, after, rules=INSTALLATION.rules, statuses=STATUSES, calendar=CALENDAR, now=at(now)
    )


def times(plan: Plan | None) -> dict[str, int]:
    assert plan is not None
    return {moment.notice: moment.at for moment in plan.moments}


received = dossier(event("received", RECEIVED, due_at=DUE))


def and_then(*events: tuple[str, str, dict[str, object]]) -> Dossier:
    found = received
    for type_, when, carried in events:
        found = apply(found, event(type_, when, **carried), now=at(when))
    return found


# ------------------------------------------------------------------------------------- planning


def test_a_due_date_calls_for_a_reminder_and_an_apology() -> None:
    plan = replan(None, received)
    assert plan == Plan(
        moments=(
            Moment(
                code=received.code, notice="due_soon", at=REMINDER, episode=deadline.episode(DUE)
            ),
            Moment(code=received.code, notice="late", at=APOLOGY, episode=deadline.episode(DUE)),
        )
    )


@pytest.mark.parametrize(
    ("type_", "carried"),
    [
        ("received", {"due_at": DUE}),
        ("processing", {}),
        ("forwarded", {"due_at": DUE}),
        ("noted", {"handler": "Tổ 1"}),
    ],
)
def test_what_changes_no_due_date_changes_no_plan(type_: str, carried: dict[str, object]) -> None:
    assert replan(received, and_then((type_, "2026-11-17 09:00", carried))) is None


@pytest.mark.parametrize(
    "type_",
    ["supplement-requested", "payment-requested", "stopped", "refused", "withdrawn", "finished",
     "returned", "submitted"],
)  # fmt: skip
def test_where_the_limit_does_not_run_nothing_is_planned(type_: str) -> None:
    assert replan(received, and_then((type_, "2026-11-17 09:00", {}))) == Plan()


def test_a_due_date_that_is_cleared_calls_for_nothing() -> None:
    assert replan(received, and_then(("corrected", "2026-11-17 09:00", {"due_at": None}))) == Plan()


def test_a_due_date_that_moved_is_planned_anew() -> None:
    moved = and_then(("rescheduled", "2026-11-17 09:00", {"due_at": LATER}))
    assert times(replan(received, moved)) == {
        "due_soon": at("2026-11-26 08:30"),
        "late": LATER + instant.MINUTE,
    }


def test_paused_and_resumed_the_same_due_date_is_planned_again() -> None:
    paused = and_then(("payment-requested", "2026-11-17 09:00", {}))
    resumed = apply(paused, event("paid", "2026-11-18 09:00"), now=at("2026-11-18 09:00"))
    assert times(replan(paused, resumed, "2026-11-18 09:00")) == {
        "due_soon": REMINDER,
        "late": APOLOGY,
    }


def test_a_reminder_whose_time_is_over_is_left_out_and_the_apology_stays() -> None:
    assert times(replan(None, received, "2026-11-19 08:31")) == {"late": APOLOGY}


@pytest.mark.parametrize(
    ("first_seen", "now", "missed"),
    [
        ("2026-11-20 16:59", "2026-11-20 17:05", None),  # known before it passed
        ("2026-11-20 17:01", "2026-11-20 17:01", Missed.BEFORE_WE_KNEW),
        ("2026-12-20 09:00", "2026-12-20 09:00", Missed.BEFORE_WE_KNEW),
        # known for long, but the due date that is sent lies further back than a day
        ("2026-11-16 09:05", "2026-11-22 09:00", Missed.BEFORE_WE_KNEW),
        ("2026-11-16 09:05", "2026-11-21 16:00", None),
    ],
)
def test_a_due_date_that_had_passed_before_we_knew_goes_to_people(
    first_seen: str, now: str, missed: Missed | None
) -> None:
    found = dossier(event("received", RECEIVED, due_at=DUE), first_seen=first_seen)
    plan = replan(None, found, now)
    assert plan is not None
    assert plan.missed is missed
    assert bool(plan.moments) is (missed is None)


def test_the_same_push_again_opens_nothing_twice() -> None:
    late = dossier(event("received", RECEIVED, due_at=DUE), first_seen="2026-12-20 09:00")
    again = apply(
        late, event("processing", "2026-12-20 10:00", due_at=DUE), now=at("2026-12-20 10:00")
    )
    assert replan(late, again, "2026-12-20 10:00") is None


def test_late_before_we_knew_stays_so_when_the_dossier_goes_on_after_a_pause() -> None:
    seen = "2026-12-20 09:00"
    paused = dossier(event("payment-requested", "2026-12-18 09:00", due_at=DUE), first_seen=seen)
    resumed = apply(paused, event("paid", "2026-12-21 09:00"), now=at("2026-12-21 09:00"))
    assert replan(paused, resumed, "2026-12-21 09:00") == Plan(missed=Missed.BEFORE_WE_KNEW)


# --------------------------------------------------------------------------------- late or stale


@dataclass(frozen=True)
class Lateness:
    """What happened, and whether it is late just after the due date, and stale."""

    name: str
    story: tuple[tuple[str, str, dict[str, object]], ...]
    late: bool
    stale: bool = False


LATENESS = [
    Lateness("it runs", (), late=True),
    Lateness("in work", (("processing", "2026-11-17 09:00", {}),), late=True),
    Lateness("paused for papers", (("supplement-requested", "2026-11-17 09:00", {}),),
             late=False, stale=True),
    Lateness("paused for a payment", (("payment-requested", "2026-11-17 09:00", {}),), late=False),
    Lateness("stopped", (("stopped", "2026-11-17 09:00", {}),), late=False),
    Lateness("finished", (("finished", "2026-11-17 09:00", {}),), late=False),
    Lateness("reopened", (("finished", "2026-11-17 09:00", {}),
                          ("reopened", "2026-11-18 09:00", {})), late=True),
    Lateness("papers came and no new date", (("supplement-requested", "2026-11-17 09:00", {}),
                                             ("supplemented", "2026-11-18 09:00", {})),
             late=False, stale=True),
    Lateness("papers came and the old date again", (
        ("supplement-requested", "2026-11-17 09:00", {}),
        ("supplemented", "2026-11-18 09:00", {"due_at": DUE})), late=False, stale=True),
    Lateness("papers came and an earlier date than now", (
        ("supplement-requested", "2026-11-17 09:00", {}),
        ("supplemented", "2026-11-18 09:00", {"due_at": DUE - 1})), late=True),
    Lateness("papers came and a later date", (
        ("supplement-requested", "2026-11-17 09:00", {}),
        ("supplemented", "2026-11-18 09:00", {"due_at": LATER})), late=False),
    Lateness("the new date came while it was paused", (
        ("supplement-requested", "2026-11-17 09:00", {}),
        ("noted", "2026-11-18 09:00", {"due_at": LATER}),
        ("supplemented", "2026-11-18 10:00", {})), late=False),
    Lateness("papers twice, and only the first time a new date", (
        ("supplement-requested", "2026-11-17 09:00", {}),
        ("supplemented", "2026-11-18 09:00", {"due_at": DUE - 1}),
        ("supplement-requested", "2026-11-19 09:00", {}),
        ("supplemented", "2026-11-20 09:00", {})), late=False, stale=True),
    Lateness("papers asked twice in one pause", (
        ("supplement-requested", "2026-11-17 09:00", {}),
        ("supplement-requested", "2026-11-18 09:00", {}),
        ("supplemented", "2026-11-19 09:00", {})), late=False, stale=True),
    Lateness("asked twice, and the new date came in between", (
        ("supplement-requested", "2026-11-17 09:00", {}),
        ("noted", "2026-11-18 09:00", {"due_at": DUE - 1}),
        ("supplement-requested", "2026-11-18 10:00", {}),
        ("supplemented", "2026-11-19 09:00", {})), late=True),
    Lateness("the due date was cleared", (("corrected", "2026-11-17 09:00", {"due_at": None}),),
             late=False),
]  # fmt: skip


@pytest.mark.parametrize("row", LATENESS, ids=lambda row: row.name)
def test_late_and_stale(row: Lateness) -> None:
    found = and_then(*row.story)
    assert deadline.is_stale(found, STATUSES) is row.stale
    assert deadline.is_late(found, STATUSES, now=DUE + 1) is row.late


@pytest.mark.parametrize(("now", "late"), [(DUE - 1, False), (DUE, False), (DUE + 1, True)])
def test_it_is_late_when_the_due_date_has_passed_and_not_before(now: int, late: bool) -> None:
    assert deadline.is_late(received, STATUSES, now=now) is late


def test_a_dossier_without_a_due_date_is_never_late() -> None:
    assert not deadline.is_late(dossier(event("received", RECEIVED)), STATUSES, now=2 * DUE)


# ---------------------------------------------------------------------------------- when it is due


@pytest.mark.parametrize(
    ("due", "days", "moment"),
    [
        ("2026-11-20 17:00", 1, "2026-11-19 08:30"),
        ("2026-11-25 17:00", 1, "2026-11-23 08:30"),  # 24/11 is off
        ("2026-11-23 10:23", 1, "2026-11-20 08:30"),  # Monday: the Friday before
        ("2026-02-23 17:00", 1, "2026-02-13 08:30"),  # Tết
        ("2026-02-23 17:00", 2, "2026-02-12 08:30"),
        ("2026-08-24 17:00", 1, "2026-08-22 08:30"),  # a worked Saturday
        ("2026-04-26 17:00", 1, "2026-04-24 08:30"),  # due on a Sunday
        ("2026-09-03 07:00", 1, "2026-08-28 08:30"),
    ],
)
def test_a_reminder_comes_on_a_working_day_before(due: str, days: int, moment: str) -> None:
    rule = DueRule(
        notice="due_soon", family="reminder", working_days_before=days, still=frozenset({2, 4})
    )
    assert deadline.moment_of(rule, at(due), CALENDAR) == at(moment)


def test_a_rule_has_its_own_hour_and_its_own_span_after() -> None:
    still = frozenset({2, 4})
    early = DueRule(notice="n", family="f", working_days_before=1, clock=time(7, 5), still=still)
    after = DueRule(notice="n", family="f", after=90 * instant.MINUTE, still=still)
    assert deadline.moment_of(early, DUE, CALENDAR) == at("2026-11-19 07:05")
    assert deadline.moment_of(after, DUE, CALENDAR) == at("2026-11-20 18:30")


def test_one_moment_has_one_name_whoever_wrote_it() -> None:
    assert deadline.episode(at("2026-11-20T10:00:00Z")) == deadline.episode(DUE)
    assert deadline.episode(DUE) != deadline.episode(DUE + instant.SECOND)
