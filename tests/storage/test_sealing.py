from __future__ import annotations

import base64
import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.errors import ConfigurationError, StoreError
from notifier.sources.standard_webhooks import read_secret
from notifier.storage.sealing import NONCE_BYTES, Keys, Sealer

if TYPE_CHECKING:
    from pathlib import Path

KEYS = Keys(sealing=b"s" * 32, digest=b"d" * 32, events="whsec_x")
SEALER = Sealer(KEYS)


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=20))
def test_what_is_sealed_opens_at_its_place(text: bytes, place: bytes) -> None:
    assert SEALER.open(SEALER.seal(text, place), place) == text


def test_a_sealed_value_shows_nothing_and_never_looks_the_same() -> None:
    sealed = {SEALER.seal(b"+84912000001", b"phone") for _ in range(20)}
    assert len(sealed) == 20
    assert not any(b"912000001" in one for one in sealed)


@given(st.data())
def test_a_changed_byte_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(SEALER.seal(b"Nguyen Van Mau", b"dossier"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StoreError, match="dossier does not open"):
        SEALER.open(bytes(sealed), b"dossier")


@pytest.mark.parametrize("kept", [0, 1, NONCE_BYTES, NONCE_BYTES + 8])
def test_a_value_that_was_cut_does_not_open(kept: int) -> None:
    with pytest.raises(StoreError):
        SEALER.open(SEALER.seal(b"Nguyen Van Mau", b"dossier")[:kept], b"dossier")


def test_another_place_or_another_key_does_not_open() -> None:
    sealed = SEALER.seal(b"a", b"dossier")
    with pytest.raises(StoreError):
        SEALER.open(sealed, b"message")
    with pytest.raises(StoreError, match="other keys"):
        Sealer(Keys(sealing=b"x" * 32, digest=KEYS.digest, events="")).open(sealed, b"dossier")


def test_a_digest_finds_the_same_text_and_only_with_the_same_key() -> None:
    assert SEALER.digest("+84912000001") == Sealer(KEYS).digest("+84912000001")
    assert SEALER.digest("+84912000001") != SEALER.digest("+84912000002")
    other = Sealer(Keys(sealing=KEYS.sealing, digest=b"x" * 32, events=""))
    assert other.digest("+84912000001") != SEALER.digest("+84912000001")
    assert len(SEALER.digest("")) == 16


# ------------------------------------------------------------------------------------- the keys


def test_keys_are_made_once_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "notifier.db.keys"
    made = Keys.load_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    again = Keys.load_or_make(path)
    assert (again.sealing, again.digest, again.events) == (made.sealing, made.digest, made.events)


def test_fresh_keys_are_long_enough_and_differ() -> None:
    one, other = Keys.fresh(), Keys.fresh()
    assert len({one.sealing, one.digest, other.sealing, other.digest}) == 4
    assert len(one.sealing) == len(one.digest) == len(read_secret(one.events)) == 32


def test_the_process_that_was_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys"
    first = Keys.load_or_make(tmp_path / "elsewhere")
    link = os.link

    def another_was_first(draft: Path, to: Path) -> None:
        (tmp_path / "elsewhere").rename(to)
        link(draft, to)

    monkeypatch.setattr("os.link", another_was_first)
    assert Keys.load_or_make(path).sealing == first.sealing
    assert [found.name for found in tmp_path.iterdir()] == ["keys"]


GOOD = base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "7",
        "{}",
        json.dumps({"sealing": GOOD, "digest": GOOD}),
        json.dumps({"sealing": GOOD, "digest": "!!", "events": "x"}),
        json.dumps({"sealing": base64.b64encode(b"short").decode(), "digest": GOOD, "events": ""}),
        json.dumps({"sealing": 7, "digest": GOOD, "events": "x"}),
        json.dumps({"sealing": GOOD, "digest": GOOD, "events": 7}),
    ],
    ids=range(10),
)
def test_a_file_that_is_no_key_file_is_left_alone_and_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="is not a key file") as caught:
        Keys.load_or_make(path)
    assert str(path) in str(caught.value)
    assert GOOD not in str(caught.value)
    assert path.read_text() == text


def test_bytes_that_are_no_text_are_no_key_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not a key file"):
        Keys.load_or_make(tmp_path / "keys")


def test_a_place_that_cant_be_read_or_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="can't be read"):
        Keys.load_or_make(tmp_path)
    with pytest.raises(ConfigurationError, match="can't be"):
        Keys.load_or_make(tmp_path / "file" / "keys")


def test_keys_are_not_written_out() -> None:
    shown = f"{KEYS!r} {KEYS}"
    assert "ssss" not in shown
    assert "whsec" not in shown
