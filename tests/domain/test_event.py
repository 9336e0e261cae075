from __future__ import annotations

import pytest
from dossier_samples import event

from notifier.domain.event import DEFAULT_STATUS, EventType

T = 1_795_168_800_000


@pytest.mark.parametrize(
    ("type_", "status"),
    [
        ("submitted", 1), ("received", 2), ("refused", 3), ("processing", 4), ("forwarded", 4),
        ("supplemented", 4), ("paid", 4), ("resumed", 4), ("reopened", 4),
        ("supplement-requested", 5), ("payment-requested", 6), ("withdrawn", 7), ("stopped", 8),
        ("finished", 9), ("returned", 10), ("rescheduled", None), ("corrected", None),
        ("noted", None),
    ],
)  # fmt: skip
def test_the_state_that_a_type_means(type_: str, status: int | None) -> None:
    assert DEFAULT_STATUS[EventType(type_)] == status


def test_no_type_is_without_an_entry() -> None:
    assert set(DEFAULT_STATUS) == set(EventType)


@pytest.mark.parametrize(
    ("earlier", "later", "why"),
    [
        (event("finished", T), event("received", T + 1), "time comes before everything"),
        (event("received", T), event("processing", T), "of one instant, the one further along"),
        (event("finished", T), event("returned", T), "of one instant, the one further along"),
        (event("noted", T), event("submitted", T), "a note says no state"),
        (event("returned", T), event("corrected", T), "a correction wins over what it corrects"),
        (event("returned", T), event("rescheduled", T), "a re-appointment does, too"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_order_of_two_events(earlier: object, later: object, why: str) -> None:
    assert earlier.stamp < later.stamp, why  # type: ignore[attr-defined]


def test_equals_are_ordered_by_their_identity_and_never_left_equal() -> None:
    one, other = event("noted", T, id_="1"), event("noted", T, id_="2")
    assert one.stamp != other.stamp
    assert one.stamp == event("noted", T, id_="1").stamp


def test_an_event_shows_nothing_of_a_person() -> None:
    assert "0912000001" not in repr(event("received", T, applicant_phone="0912000001"))
