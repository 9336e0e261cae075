"""An e-mail address is read, or known to be none."""

from __future__ import annotations

import pytest

from notifier.domain import email


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("an@example.vn", "an@example.vn"),
        ("  An.Le+ho-so@Mail.Example.VN ", "An.Le+ho-so@mail.example.vn"),
        ("an@example", None),  # nobody is told at a host
        ("an@@example.vn", None),
        ("an@example..vn", None),
        ("an..le@example.vn", None),
        ("an le@example.vn", None),
        ("a@b.vn, c@d.vn", None),
        ("an@example.vn\nBcc: b@example.vn", None),
        ("không có", None),
        ("ẩn@example.vn", None),
        ("", None),
        (f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.vn", None),
    ],
)
def test_read(text: str, read: str | None) -> None:
    assert email.read(text) == read
