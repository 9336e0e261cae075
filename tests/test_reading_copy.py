"""``docs/reading-copy.md`` is what the templates say today, and every text is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from notifier.bootstrap.core import configure
from notifier.domain.answer import Say
from notifier.flows.compose import Composer
from notifier.flows.reading_copy import TITLES, reading_copy
from notifier.flows.specimen import CHANNELS, LOCALES, NOTICE_CHANNELS, STAFF_TEXTS

COPY = Path(__file__).parents[1] / "docs" / "reading-copy.md"
REFRESH = "write it anew: notifier templates reading-copy > docs/reading-copy.md"


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> str:
    configured = configure(tmp_path_factory.mktemp("shipped"))
    return reading_copy(Composer(configured.installation, configured.templates),
                        configured.installation)  # fmt: skip


def test_the_page_is_current(current: str) -> None:
    assert COPY.read_text(encoding="utf-8") == current, REFRESH


def sections(text: str) -> dict[str, str]:
    """What stands under each heading, by the name of the template."""
    parts = re.split(r"^## .*`(\w+)`\)?\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_text_is_there_in_each_locale_and_channel(current: str) -> None:
    found = sections(current)
    notices = {rule.notice for rule in configure().installation.rules.rules}
    many = {f"{name}_many" for name in ("received", "result_ready", "uncollected")}
    assert found.keys() == notices | many | {say.value for say in Say} | set(STAFF_TEXTS)
    for name, section in found.items():
        shown = set(re.findall(r"^\*\*(\w+), (\w+)\*\* \(", section, re.MULTILINE))
        channels = NOTICE_CHANNELS if name in notices | many | set(STAFF_TEXTS) else CHANNELS
        assert shown == {(locale, channel) for locale in LOCALES for channel in channels}, name


def test_every_text_has_a_title(current: str) -> None:
    assert set(sections(current)) == {str(name) for name in TITLES}


def test_the_texts_read_well(current: str) -> None:
    texts = [line for line in current.splitlines() if line.startswith("> ")]
    for text in texts:
        for flaw in ("None", "{{", "  ", " .", " ,", "..", "!", "()", ": .", ", ,"):
            assert flaw not in text, text
        assert not re.search(r"[a-zà-ỹ0-9]\.[A-ZÀ-Ỹ]", text.replace("UBND.", "")), text


def test_ordinary_texts_take_at_most_two_sms(current: str) -> None:
    counted = [int(number) for number in re.findall(r"sms\*\* \((\d+) SMS, ", current)]
    assert counted
    assert max(counted) <= 2
