"""Personal data at rest: encrypted, and found by a keyed hash.

The keys lie beside the store, readable by their owner only, and are made when there are none.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notifier.errors import ConfigurationError, Fault, SealedError

if TYPE_CHECKING:
    from pathlib import Path

NONCE_BYTES = 12
"""AES-GCM as in NIST SP 800-38D: a random 96-bit nonce for each sealing."""


class Keys:
    """The installation's keys: ``sealing`` encrypts, ``digest`` hashes, ``events`` signs events."""

    def __init__(self, *, sealing: bytes, digest: bytes, events: str) -> None:
        self.sealing = sealing
        self.digest = digest
        self.events = events

    @classmethod
    def fresh(cls) -> Keys:
        """New random keys."""
        return cls(
            sealing=secrets.token_bytes(32),
            digest=secrets.token_bytes(32),
            events="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        )

    @classmethod
    def load_or_make(cls, path: Path) -> Keys:
        """The keys in ``path``; where there is no such file, new ones are written to it (0600)."""
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return cls._make(path)
        except OSError as error:
            raise _unusable(path, f"it can't be read ({error.strerror})") from None
        try:
            held: dict[str, Any] = json.loads(text)
            return cls(
                sealing=_key(held["sealing"]),
                digest=_key(held["digest"]),
                events=_text(held["events"]),
            )
        except (ValueError, KeyError, TypeError):
            raise _unusable(path, "it is not a key file of this service") from None

    def of(self, purpose: str) -> bytes:
        """A key for one ``purpose`` alone, made of these."""
        return blake2b(purpose.encode(), key=self.digest, person=b"purpose").digest()

    @classmethod
    def _make(cls, path: Path) -> Keys:
        keys = cls.fresh()
        held = {
            "sealing": base64.b64encode(keys.sealing).decode(),
            "digest": base64.b64encode(keys.digest).decode(),
            "events": keys.events,
        }
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(held, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)  # fails where another process was first: then its keys count
        except FileExistsError:
            return cls.load_or_make(path)
        except OSError as error:
            raise _unusable(path, f"it can't be written ({error.strerror})") from None
        finally:
            draft.unlink(missing_ok=True)
        return keys

    def __repr__(self) -> str:
        return "Keys(…)"


class Sealer:
    """Encrypts what is personal, bound to its place, and hashes what is looked up."""

    def __init__(self, keys: Keys) -> None:
        self._cipher = AESGCM(keys.sealing)
        self._digest_key = keys.digest

    def seal(self, text: bytes, place: bytes) -> bytes:
        """``text`` encrypted; it opens only with the same ``place``, such as ``b"dossier"``."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed; ``SealedError`` with another key, another place or a changed byte."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except (InvalidTag, ValueError):  # changed, or too short to be one
            raise SealedError(
                f"a sealed value of {place.decode()} does not open: the store was written with "
                "other keys, or is damaged. Put the key file back that lay beside it."
            ) from None

    def digest(self, text: str) -> bytes:
        """A keyed hash, the same for the same text: finds a number without keeping it readable."""
        return blake2b(text.encode(), key=self._digest_key, digest_size=16).digest()


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != 32:
        raise ValueError("a key has 32 bytes")
    return key


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a secret is a text")
    return value


def _unusable(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        Fault(file=str(path), key="", problem=f"the key file can't be used: {why}.")
    )
