from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from notifier.domain.instant import MINUTE, SECOND
from notifier.errors import ConfigurationError, SignatureError
from notifier.sources import standard_webhooks

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
KEY = b"k" * 32
NOW = 1_795_168_800_000
SECONDS = NOW // 1000
TOLERANCE = 5 * MINUTE
BODY = b'{"id": "1"}'


def headers(
    body: bytes = BODY, *, id_: str = "m1", timestamp: int = SECONDS, key: bytes = KEY
) -> dict[str, str]:
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_webhooks.sign(key, id_, timestamp, body),
    }


def verify(sent: dict[str, str], body: bytes = BODY, now: int = NOW) -> None:
    standard_webhooks.verify(KEY, sent, body, now=now, tolerance=TOLERANCE)


# --------------------------------------------------------------------------------------- a peer

TEXTS = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())


@given(TEXTS, st.text(max_size=200))
@settings(max_examples=50, deadline=None)
def test_what_the_reference_signs_is_accepted(id_: str, text: str) -> None:
    at = datetime.fromtimestamp(SECONDS, UTC)
    sent = {
        "webhook-id": id_,
        "webhook-timestamp": str(SECONDS),
        "webhook-signature": Webhook(SECRET).sign(id_, at, text),
    }
    verify(sent, text.encode())


@given(TEXTS, st.text(max_size=200))
@settings(max_examples=50, deadline=None)
def test_what_we_sign_the_reference_accepts(id_: str, text: str) -> None:
    now = int(datetime.now(UTC).timestamp())  # the reference reads the system's clock
    sent = headers(text.encode(), id_=id_, timestamp=now)
    Webhook(SECRET).verify(text, sent, json_parse=False)


# ---------------------------------------------------------------------------------- not accepted


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_an_unsigned_request(name: str, how: str) -> None:
    sent = {**headers(), name: ""}
    if how == "missing":
        del sent[name]
    with pytest.raises(SignatureError, match="not signed"):
        verify(sent)


@pytest.mark.parametrize(
    ("why", "sent", "body"),
    [
        ("another body", headers(), BODY + b" "),
        ("another id", {**headers(), "webhook-id": "m2"}, BODY),
        ("another time", {**headers(), "webhook-timestamp": str(SECONDS + 1)}, BODY),
        ("another key", headers(key=b"x" * 32), BODY),
        ("an id and a time cut elsewhere",
         {**headers(), "webhook-id": "m1." + str(SECONDS)[:3]}, BODY),
        ("the first bytes of the signature",
         {**headers(), "webhook-signature": headers()["webhook-signature"][:-4]}, BODY),
        ("a version of its own",
         {**headers(), "webhook-signature": headers()["webhook-signature"].replace("v1", "v0")},
         BODY),
        ("without a version",
         {**headers(), "webhook-signature": headers()["webhook-signature"][3:]}, BODY),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)  # fmt: skip
def test_a_forged_request(why: str, sent: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureError, match="no signature"):
        verify(sent, body)


@pytest.mark.parametrize(
    ("age", "accepted"),
    [
        (0, True),
        (TOLERANCE, True),
        (TOLERANCE + SECOND, False),
        (-TOLERANCE, True),
        (-TOLERANCE - SECOND, False),
        (365 * 24 * 60 * MINUTE, False),
    ],
)
def test_how_old_and_how_far_ahead_a_request_may_be(age: int, accepted: bool) -> None:
    sent = headers(timestamp=SECONDS - age // 1000)
    if accepted:
        verify(sent)
    else:
        with pytest.raises(SignatureError, match="too old, or ahead"):
            verify(sent)


@pytest.mark.parametrize(
    "stamp", ["soon", "-5", "1e9", "1795168800.5", "٣٣٣", "9" * 13, "0x10", " 1795168800", "¹"]
)
def test_a_time_that_is_none(stamp: str) -> None:
    with pytest.raises(SignatureError, match="not a number of seconds"):
        verify({**headers(), "webhook-timestamp": stamp})


# ----------------------------------------------------------------------------- several signatures

GOOD = headers()["webhook-signature"]
OLD = headers(key=b"o" * 32)["webhook-signature"]


@pytest.mark.parametrize(
    "given_signatures",
    [
        f"{OLD} {GOOD}",
        f"{GOOD} {OLD}",
        f"v1a,{'A' * 86}== {GOOD}",
        f"garbage  {GOOD}",
        " ".join([OLD] * 7 + [GOOD]),
    ],
)
def test_one_that_fits_is_enough_so_that_a_secret_can_be_changed(given_signatures: str) -> None:
    verify({**headers(), "webhook-signature": given_signatures})


def test_a_flood_of_signatures_is_not_gone_through() -> None:
    with pytest.raises(SignatureError):
        verify({**headers(), "webhook-signature": " ".join([OLD] * 8 + [GOOD])})


# A header's bytes that are not UTF-8 come as lone surrogates.
ANY_HEADER = st.text(max_size=30) | st.binary(max_size=20).map(
    lambda raw: raw.decode("utf-8", "surrogateescape")
)


@given(ANY_HEADER, ANY_HEADER | st.just(str(SECONDS)), ANY_HEADER, st.binary(max_size=20))
@settings(max_examples=200, deadline=None)
def test_garbage_is_refused_and_nothing_else_happens(
    id_: str, stamp: str, signature: str, body: bytes
) -> None:
    sent = {"webhook-id": id_, "webhook-timestamp": stamp, "webhook-signature": signature}
    with pytest.raises(SignatureError):
        verify(sent, body)


@pytest.mark.parametrize("bad", ["\udcff", "é\udc80"])
def test_an_id_that_is_no_utf_8(bad: str) -> None:
    with pytest.raises(SignatureError):
        verify({**headers(), "webhook-id": bad})


# ------------------------------------------------------------------------------------- the secret


@pytest.mark.parametrize("text", [SECRET, SECRET.removeprefix("whsec_")])
def test_a_secret_is_read_with_or_without_its_prefix(text: str) -> None:
    assert standard_webhooks.read_secret(text) == KEY


@pytest.mark.parametrize(
    "text",
    ["", "whsec_", "whsec_!!!", "plain words", "whsec_" + base64.b64encode(b"short").decode(),
     "whsec_" + base64.b64encode(b"k" * 23).decode(), "whsec_é"],
)  # fmt: skip
def test_a_secret_that_is_none_or_too_short_names_its_setting(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        standard_webhooks.read_secret(text, file="notifier.toml", key="events.secret")
    assert str(caught.value).startswith("notifier.toml: events.secret: ")
    assert len(text) < 8 or text not in str(caught.value)
