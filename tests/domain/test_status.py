from __future__ import annotations

import pytest
from dossier_samples import installation

from notifier.domain.status import DeadlineClock, Status, Statuses

SHIPPED = installation().statuses


@pytest.mark.parametrize(
    ("number", "clock"),
    [
        (None, "not_started"), (1, "not_started"), (2, "runs"), (3, "ended"), (4, "runs"),
        (5, "restarts"), (6, "pauses"), (7, "ended"), (8, "pauses"), (9, "ended"), (10, "ended"),
        (77, "not_started"),
    ],
)  # fmt: skip
def test_what_each_state_does_to_the_limit(number: int | None, clock: str) -> None:
    assert SHIPPED.clock(number) is DeadlineClock(clock)


def test_the_shipped_table_has_the_ten_national_states_in_both_languages() -> None:
    assert set(SHIPPED.by_number) == set(range(1, 11))
    for locale in ("vi", "en"):
        words = [SHIPPED.word(number, locale) for number in range(1, 11)]
        assert all(words)
        assert len(set(words)) == 10
    assert 10 in SHIPPED
    assert 11 not in SHIPPED


def test_a_locale_without_words_reads_the_vietnamese_ones() -> None:
    statuses = Statuses(
        {4: Status(number=4, clock=DeadlineClock.RUNS, words={"vi": "đang xử lý", "en": ""})}
    )
    assert statuses.word(4, "en") == statuses.word(4, "km") == "đang xử lý"
    assert statuses.word(None, "vi") == statuses.word(77, "vi") == ""
