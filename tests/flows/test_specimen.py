"""Every text with the longest of everything: the shipped ones fit, and faults are named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from notifier.domain.answer import Say
from notifier.flows.compose import Composer
from notifier.flows.specimen import (
    CHANNELS,
    LOCALES,
    LONGEST_CODE,
    NOTICE_CHANNELS,
    STAFF_TEXTS,
    check,
    longest_dossier,
)
from notifier.rendering import Templates

if TYPE_CHECKING:
    from pathlib import Path

    from notifier.domain.installation import Installation
    from notifier.flows.specimen import Checked


@pytest.fixture(scope="module")
def shipped(installation: Installation, templates: Templates) -> list[Checked]:
    return check(Composer(installation, templates), installation)


def test_every_notice_and_every_answer_is_checked(
    shipped: list[Checked], installation: Installation
) -> None:
    notices = [rule.notice for rule in installation.rules.rules]
    notices += ["received_many", "result_ready_many", "uncollected_many", *STAFF_TEXTS]
    expected = {
        f"{locale}/{channel}/{name}"
        for names, channels in ((notices, NOTICE_CHANNELS), (list(Say), CHANNELS))
        for name in names
        for locale in LOCALES
        for channel in channels
    }
    assert {row.template for row in shipped} == expected
    assert len(shipped) == len(expected)


def test_what_is_shipped_has_no_fault(shipped: list[Checked]) -> None:
    assert [row for row in shipped if row.fault] == []


def test_what_is_shipped_is_short(shipped: list[Checked], installation: Installation) -> None:
    sms = [row for row in shipped if "/sms/" in row.template]
    assert all(1 <= row.segments <= installation.sms.most for row in sms)
    assert all(row.text.isascii() for row in sms)


def test_what_is_shipped_reads_well(shipped: list[Checked]) -> None:
    """No holes where something was missing, and no exclamation marks."""
    for row in shipped:
        for flaw in ("None", "{{", "}}", "  ", " .", " ,", "..", "!", "()", ": .", ", ,"):
            assert flaw not in row.text, f"{row.template} has {flaw!r}"
        assert row.text == row.text.strip()


def test_a_code_is_never_cut_in_two(shipped: list[Checked], installation: Installation) -> None:
    from notifier.domain.segments import plan_sms

    for row in shipped:
        if "/sms/" in row.template and LONGEST_CODE in row.text:
            assert any(LONGEST_CODE in part for part in plan_sms(row.text).parts), row.template


def test_a_missing_template_is_named(installation: Installation) -> None:
    rule = replace(installation.rules.rules[0], notice="made_up")
    changed = replace(installation, rules=replace(installation.rules, rules=(rule,)))
    rows = check(Composer(changed, Templates()), changed)
    faulty = {row.template: row.fault for row in rows if row.fault}
    assert set(faulty) == {
        f"{locale}/{channel}/made_up" for locale in LOCALES for channel in CHANNELS
    }
    assert all("made_up.j2" in fault for fault in faulty.values())


def test_an_own_template_that_is_too_long_or_wrong_is_named(
    installation: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "vi" / "sms"
    folder.mkdir(parents=True)
    (folder / "received.j2").write_text("{{ code }} " + "x" * 500)
    (folder / "late.j2").write_text("{{ khong_co }}")
    rows = check(Composer(installation, Templates(tmp_path)), installation)
    faulty = {row.template: row.fault for row in rows if row.fault}
    assert set(faulty) == {"vi/sms/received", "vi/sms/late"}
    assert "SMS" in faulty["vi/sms/received"]
    assert "khong_co" in faulty["vi/sms/late"]


def test_the_specimen_has_the_longest_unit(installation: Installation) -> None:
    unit = installation.units.find(longest_dossier(installation, 4).facts.unit)
    assert len(unit.short) == max(
        (len(unit.short) for unit in installation.units.all), default=len(unit.short)
    )
