from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from notifier import logs
from notifier.domain.message import Address
from notifier.settings import LogSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "123456:AAE-token"
PREFIX_OF_IT = "123456:AAE"


def redacted(value: Any) -> Any:
    return logs.Redact([PREFIX_OF_IT, TOKEN, "abc"])(None, "info", {"value": value})["value"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0912000001", "[number]"),
        ("+84912000001", "[number]"),
        ("0084 912 000 001", "[number]"),
        ("to 84912000001, twice", "to [number], twice"),
        ("sms:+84912000001", "sms:[number]"),
        ("tel=0912.000.001&x=1", "tel=[number]&x=1"),
        ("001085012345", "[number]"),  # an identity card
        ("0912000001/0912000002", "[number]/[number]"),
        ("(0912000001)", "([number])"),
        ("'0912000001'", "'[number]'"),
        # what has to stay readable
        ("H10.19-250703-0001", "H10.19-250703-0001"),
        ("000.00.19.H10-180703-0001", "000.00.19.H10-180703-0001"),
        ("G09.20-20260609-0092637", "G09.20-20260609-0092637"),
        ("2026-11-20T17:00:00+07:00", "2026-11-20T17:00:00+07:00"),
        ("01995f0c-9f6e-7cc3-98c4-dc0c0c07398f", "01995f0c-9f6e-7cc3-98c4-dc0c0c07398f"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("took 1234567 rows", "took 1234567 rows"),
    ],
)
def test_numbers_go_and_codes_stay(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TOKEN, "[secret]"),
        (f"https://api.example/bot{TOKEN}/send", "https://api.example/bot[secret]/send"),
        (PREFIX_OF_IT, "[secret]"),
        ("abc", "abc"),  # too short to be a secret: every word would be one
    ],
)
def test_secrets_go_whole(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"to": "0912000001", "n": 1}, {"to": "[number]", "n": 1}),
        ({"a": [{"b": (TOKEN,)}]}, {"a": [{"b": ["[secret]"]}]}),
        ({"0912000001": 1}, {"[number]": 1}),
        (["x", "0912000001"], ["x", "[number]"]),
        (Exception("0912000001"), "Exception('[number]')"),
        (b"0912000001", "b'[number]'"),
        (7, 7),
        (None, None),
        (True, True),
        (1.5, 1.5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_value_holds_is_looked_at_too(value: Any, shown: Any) -> None:
    assert redacted(value) == shown


def test_when_and_how_bad_stay() -> None:
    kept = {"timestamp": "2026-11-20T10:00:00.123456789Z", "level": "info"}
    assert logs.Redact([])(None, "info", dict(kept)) == kept


# ------------------------------------------------------------------------------------- the whole


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What the process has written to standard error; the logs are put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in logs.QUIET}
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def test_our_own_records(written: Callable[[], str]) -> None:
    logs.configure(LogSettings(), [TOKEN])
    to = Address("sms", "+84912000001")
    structlog.get_logger().info("message.sent", to=to.value, url=f"/bot{TOKEN}", address=to)
    text = written()
    record = json.loads(text)
    assert record["event"] == "message.sent"
    assert record["level"] == "info"
    assert (record["to"], record["url"]) == ("[number]", "/bot[secret]")
    assert "912000001" not in text


@pytest.mark.parametrize("form", ["json", "console"])
def test_records_and_tracebacks_of_libraries(form: str, written: Callable[[], str]) -> None:
    logs.configure(LogSettings(form=form), [TOKEN])
    try:
        raise ValueError(f"no route to 0912000001 by {TOKEN}")
    except ValueError:
        logging.getLogger("some.package").exception("failed for %s", "+84 912 000 001")
        structlog.get_logger().exception("gateway.raised")
    text = written()
    assert text.count("[number]") >= 3
    assert "ValueError" in text
    assert not any(secret in text for secret in (TOKEN, "0912000001", "912 000 001"))


def test_libraries_whose_records_carry_tokens_are_quiet(written: Callable[[], str]) -> None:
    logs.configure(LogSettings(level="debug"))
    for name in ("httpx", "httpcore", "aiohttp.access"):
        logging.getLogger(name).info("GET /")
    structlog.get_logger().debug("seen")
    assert [json.loads(line)["event"] for line in written().splitlines()] == ["seen"]


@pytest.mark.parametrize(
    ("level", "seen"),
    [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)],
)
def test_the_level(level: str, seen: int, written: Callable[[], str]) -> None:
    logs.configure(LogSettings(level=level))
    for each in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), each)("one")
    assert len(written().splitlines()) == seen
