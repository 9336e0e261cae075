"""The search that follows each of these tests finds what it looks for."""

from __future__ import annotations

import office
import pytest
from processes import leaks


@pytest.mark.parametrize(
    "text",
    [
        '{"to": "+84912000345"}',
        "sent to 84912000345.",
        "from 0912000345",
        "from 0912 000 345",
        "from 091.200.0345",
        "from (+84) 912-000-345",
        f"+84 987 654 321 and {office.NAME}",
        f"for {office.NAME.upper()}:",
        "for Nguyen Thi Hoa",
        "signed with whsec_abc",
    ],
)
def test_a_leak_is_found(text):
    assert leaks(text, ["whsec_abc"])


def test_what_is_masked_is_no_leak():
    assert leaks("sms:…345 at 2026-11-22T10:50:34.489698Z, 091xxxx345", ["whsec_abc"]) == []
