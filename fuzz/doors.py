"""The readers in process: what each is given, and what it promises whatever it is given."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from fuzz import dialects, mutations, samples
from fuzz.dialects import Call
from gateways.http_sms import HttpSmsGateway
from gateways.simulator import SimulatorGateway
from gateways.telegram import TelegramGateway
from gateways.zalo_bot import ZaloBotGateway
from notifier.bootstrap.core import configure
from notifier.domain import answer, binding, code, conversation, inquiry, instant
from notifier.domain.conversation import Said, Talk
from notifier.domain.disclosure import Asker, Level
from notifier.domain.dossier import Dossier, Facts, apply
from notifier.domain.event import DossierEvent
from notifier.domain.message import Address, Inbound, Receipt, Unreadable
from notifier.errors import InputError, SignatureError, TemplateError
from notifier.flows.compose import Composer
from notifier.ports import Quarantined, WebhookRequest
from notifier.settings import Files
from notifier.sources import cloudevents, record_map, standard_webhooks
from notifier.sources.event_api import EventApi
from notifier.sources.exchange import RecordReader
from notifier.sources.reading import Arrival
from notifier.storage.packing import pack_dossier, unpack_dossier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from notifier.domain.instant import Instant
    from notifier.domain.message import Incoming
    from notifier.ports import Gateway

NOW: Final = 1_795_150_000_000
"""The moment (ms) at which everything in process happens."""

TOLERANCE: Final = 5 * instant.MINUTE
KEY: Final = b"a key that signs made-up events"
OTHER_KEY: Final = b"a key of somebody else entirely"

_NUMBER: Final = re.compile(r"(?:\+?84|0)912007\d{3}")


class BrokenPromiseError(Exception):
    """A reader gave something that it promises not to give."""


class Door(Protocol):
    """One reader. What ``make`` gives depends on ``chance`` alone."""

    name: str

    def make(self, chance: Random) -> Any:
        """An input."""

    def enter(self, made: Any) -> str:
        """What became of it, in a word; raises whatever it must not."""


class StillClock:
    """Both readings are ``NOW``."""

    def civil(self) -> Instant:
        return NOW

    def elapsed(self) -> Instant:
        return NOW


# ----------------------------------------------------------------------------------------- events


def signed(call: Call, key: bytes, at: Instant) -> Call:
    """``call`` with the headers of a Standard Webhooks signature made ``at`` (ms)."""
    headers = {
        **call.headers,
        "webhook-id": "msg-1",
        "webhook-timestamp": str(at // instant.SECOND),
        "webhook-signature": standard_webhooks.sign(key, "msg-1", at // instant.SECOND, call.body),
    }
    return replace(call, headers=headers)


def event_call(chance: Random, key: bytes, now: Instant) -> Call:
    """A request of a one-stop system: sound, changed before it was signed, or forged."""
    events = [samples.event(chance, now) for _ in range(chance.choice((1, 1, 1, 2, 5)))]
    if chance.random() < 0.6:
        place = chance.randrange(len(events))
        events[place] = mutations.several(chance, mutations.document, events[place])
    made = _written(chance, events)
    if chance.random() < 0.4:
        made = replace(made, body=mutations.several(chance, mutations.body, made.body))
    match chance.randrange(30):
        case 0:
            return replace(signed(made, OTHER_KEY, now), believed=False)
        case 1:
            stale = now + chance.choice((-1, 1)) * (TOLERANCE + instant.MINUTE)
            return replace(signed(made, key, stale), believed=False)
        case 2:
            return replace(signed(made, key, now), body=made.body + b" ", believed=False)
        case _:
            return dialects.with_other_headers(
                chance, replace(signed(made, key, now), believed=True)
            )


def _written(chance: Random, events: Sequence[Any]) -> Call:
    """One of the forms of CloudEvents over HTTP."""
    headers: dict[str, str] = {}
    match chance.choice(("one", "one", "batch", "lines", "binary", "array")):
        case "binary" if isinstance(events[0], dict):
            attributes = {f"ce-{name}": str(told) for name, told in events[0].items()}
            attributes.pop("ce-data", None)
            headers = {"content-type": "application/json", **attributes}
            body = dialects.written(chance, events[0].get("data"))
        case "batch":
            headers = {"content-type": samples.BATCH}
            body = dialects.written(chance, events)
        case "lines":
            headers = {"content-type": samples.LINES}
            body = b"\n".join(dialects.written(chance, one) for one in events)
        case "array":
            headers = {"content-type": "application/json; charset=utf-8"}
            body = dialects.written(chance, events)
        case _:
            headers = {"content-type": samples.STRUCTURED}
            body = dialects.written(chance, events[0])
    headers = {
        name.lower(): mutations.header(told)
        for name, told in headers.items()
        if re.fullmatch(r"[A-Za-z0-9-]+", name)
    }
    return Call(path="/v1/events", query={}, headers=headers, body=body)


class Events:
    """``POST /v1/events``: the signature and every form of CloudEvents."""

    name = "events"

    def __init__(self) -> None:
        self._api = EventApi(StillClock(), secret=KEY, tolerance=TOLERANCE)

    def make(self, chance: Random) -> Call:
        return event_call(chance, KEY, NOW)

    def enter(self, made: Call) -> str:
        try:
            kind = made.headers.get("content-type", "")
            items = self._api.read(made.body, kind, made.headers)
        except SignatureError:
            _promise(made.believed is not True, "a request that is signed well was refused")
            return "refused"
        _promise(made.believed is not False, "a forged request was believed")
        _promise(bool(items), "a request that is taken has at least one item")
        for item in items:
            again = cloudevents.read_kept(item.raw, NOW)
            _promise(bool(again), "what is kept can be read again")
        return _checked(items)


class Bodies:
    """A reader of whole bodies, such as ``lambda body: read(body, NOW)``, and sound ones for it."""

    def __init__(
        self,
        name: str,
        read: Callable[[bytes], Sequence[DossierEvent | Quarantined]],
        sample: Callable[[Random], Any],
    ) -> None:
        """``sample``: something sound that JSON can say."""
        self.name = name
        self._read = read
        self._sample = sample

    def make(self, chance: Random) -> bytes:
        told = self._sample(chance)
        if chance.random() < 0.6:
            told = mutations.several(chance, mutations.document, told)
        body = dialects.written(chance, told)
        return mutations.several(chance, mutations.body, body) if chance.random() < 0.4 else body

    def enter(self, made: bytes) -> str:
        return _checked(self._read(made))


def _checked(items: Sequence[DossierEvent | Quarantined]) -> str:
    for item in items:
        _check_event(item) if isinstance(item, DossierEvent) else _check_quarantined(item)
    return "taken" if any(isinstance(i, DossierEvent) for i in items) else "quarantined"


def _check_event(event: DossierEvent) -> None:
    _check_storable(event.id, event.source, event.code, event.code_raw)
    _promise(code.canonical(event.code) == event.code, "a canonical code stays as it is")
    dossier = apply(None, event, now=NOW)
    _promise(apply(dossier, event, now=NOW) == dossier, "an event applied again changes nothing")
    kept = unpack_dossier(dossier.code, pack_dossier(dossier))
    _promise(kept == dossier, "a dossier that is kept comes back as it was")


def _check_quarantined(item: Quarantined) -> None:
    _check_storable(item.key, item.reason)
    _check_silent(item.reason)


class Signatures:
    """The Standard Webhooks signature, with headers that nobody sends."""

    name = "signatures"

    def make(self, chance: Random) -> Call:
        body = chance.randbytes(chance.choice((0, 1, 60)))
        call_id = mutations.text(chance, "msg-1") if chance.random() < 0.5 else "msg-1"
        call_id = mutations.header(call_id).strip() or "m"
        stamp = NOW // instant.SECOND + chance.randrange(-400, 400)
        token = self._token(call_id, stamp, body)
        others = [mutations.text(chance, token) for _ in range(chance.choice((0, 0, 1, 3)))]
        given = [*(mutations.header(other).replace(" ", "") for other in others), token]
        headers = {
            "webhook-id": call_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": " ".join(given),
        }
        fresh = abs(NOW - stamp * instant.SECOND) <= TOLERANCE
        made = Call(query={}, headers=headers, body=body, believed=fresh)
        return made if chance.random() < 0.5 else self._changed(chance, made)

    def _changed(self, chance: Random, made: Call) -> Call:
        if chance.random() < 0.4:
            body = mutations.body(chance, made.body)
            return replace(made, body=body, believed=made.believed and body == made.body)
        headers = mutations.several(chance, mutations.headers, made.headers)
        return replace(made, headers=headers, believed=None if made.believed else False)

    @staticmethod
    def _token(call_id: str, stamp: int, body: bytes) -> str:
        """Written once more from the specification, not by the code under test."""
        text = f"{call_id}.{stamp}.".encode("utf-8", "surrogateescape") + body
        return "v1," + base64.b64encode(hmac.digest(KEY, text, "sha256")).decode()

    def enter(self, made: Call) -> str:
        try:
            standard_webhooks.verify(KEY, made.headers, made.body, now=NOW, tolerance=TOLERANCE)
        except SignatureError:
            _promise(made.believed is not True, "a request that is signed well was refused")
            return "refused"
        _promise(made.believed is not False, "a forged request was believed")
        return "taken"


# ------------------------------------------------------------------------------------------ hooks


class Hook:
    """One gateway's ``read_webhook``."""

    def __init__(self, name: str, gateway: Gateway, phrases: list[str]) -> None:
        self.name = f"hooks/{name}"
        self._gateway = gateway
        self._dialect = name
        self._phrases = phrases

    def make(self, chance: Random) -> Call:
        return hook_call(chance, self._dialect, self._phrases)

    def enter(self, made: Call) -> str:
        try:
            reply = self._gateway.read_webhook(request_of(made))
        except SignatureError:
            _promise(made.believed is not True, "a call that proves itself was refused")
            return "refused"
        except InputError:
            return "refused"
        _promise(made.believed is not False, "a forged call was believed")
        for item in reply.incoming:
            _check_incoming(item)
        kinds = {type(item).__name__.lower() for item in reply.incoming}
        return "+".join(sorted(kinds)) or "nothing"


def hook_call(chance: Random, name: str, phrases: list[str]) -> Call:
    """A call of the provider behind the gateway ``name``."""
    match name:
        case "simulator":
            return dialects.simulator_call(chance, phrases)
        case "telegram":
            return dialects.telegram_call(chance, phrases)
        case "zalo_bot":
            return dialects.zalo_call(chance, phrases)
        case _:
            return dialects.call(chance, dialects.DIALECTS[name], phrases)


def request_of(made: Call, received_at: Instant = NOW) -> WebhookRequest:
    """As the web face hands it to a gateway."""
    return WebhookRequest(
        method=made.method,
        path=made.path,
        query=made.query,
        headers=made.headers,
        body=made.body,
        remote="127.0.0.1",
        received_at=received_at,
    )


def gateways() -> dict[str, Gateway]:
    """Every gateway, made from its table and not started."""
    kinds = {
        "simulator": SimulatorGateway, "telegram": TelegramGateway, "http_sms": HttpSmsGateway,
        "zalo_bot": ZaloBotGateway,
    }  # fmt: skip
    return {
        name: kinds[table["kind"]](name, table, StillClock())
        for name, table in dialects.tables().items()
    }


def _check_incoming(item: Incoming) -> None:
    match item:
        case Inbound():
            _check_storable(item.key, item.text, item.to, item.sender.value, item.profile)
            _check_storable(item.proved_phone)
            _promise(bool(item.key and item.sender.value), "a text has a key and a sender")
            _promise(
                item.sent_at is None or abs(item.sent_at) < 2**63,
                "a time is in ms that fit a store",
            )
        case Receipt():
            _check_storable(item.ref, item.code)
            _promise(bool(item.ref), "a report names a message")
        case Unreadable():
            _check_storable(item.key, item.reason)
            _check_silent(item.reason)
            _promise(isinstance(item.raw, bytes), "what can't be read is kept as bytes")


# ---------------------------------------------------------------------------------------- inquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A text, who wrote it, and what they wrote before."""

    text: str
    is_owner: bool
    is_known: bool
    channel: str
    proved: str = ""
    profile: str = ""
    said: Said = field(default_factory=Said)


class Inquiries:
    """A citizen's text, from its reading to the words of its answer."""

    name = "inquiry"

    def __init__(self, phrases: list[str]) -> None:
        configuration = configure(gateways=False)
        self._installation = configuration.installation
        self._composer = Composer(configuration.installation, configuration.templates)
        self._phrases = phrases
        self._facts = Facts(
            status=4,
            procedure_name="Đăng ký biến động đất đai",
            applicant_name=samples.NAME,
            applicant_phone=samples.NUMBERS + "001",
            due_at=NOW + instant.DAY,
        )

    def make(self, chance: Random) -> Asked:
        text = chance.choice(self._phrases)
        if chance.random() < 0.1:
            text = f"{text}\n{chance.choice(self._phrases)}"
        if chance.random() < 0.95:
            text = mutations.several(chance, mutations.text, text)
        offered = (samples.code(chance),) * chance.choice((0, 0, 1, 3))
        return Asked(
            text=text,
            is_owner=chance.random() < 0.5,
            is_known=chance.random() < 0.7,
            channel=chance.choice(("sms", "telegram")),
            proved=mutations.text(chance, samples.phone(chance)) if chance.random() < 0.1 else "",
            profile=chance.choice(("", "vi", "en", "en-GB", "\ud800")),
            said=Said(offered=offered, codes=offered[:1], texts=chance.choice((0, 0, 1, 40))),
        )

    def enter(self, made: Asked) -> str:
        installation = self._installation
        number = "+84912007001" if made.is_owner else "+84912007002"
        address = Address(made.channel, number if made.channel == "sms" else "12345")
        binding.read(Inbound(key="k", sender=address, text=made.text, proved_phone=made.proved))
        question = inquiry.read(
            made.text,
            installation.keywords,
            today=instant.local_date(NOW),
            default_language="en" if made.profile.startswith("en") else "vi",
            legacy=installation.legacy_codes,
        )
        question = answer.named(question, installation.knowledge)
        answer.is_fragment(question, installation.knowledge)
        question = conversation.resolved(question, made.said, installation.keywords)
        for found in (*question.codes, *question.either):
            _check_storable(found)
            _promise(code.canonical(found) == found, "a code that was read is canonical")
        dossiers = self._dossiers(question.codes + made.said.codes) if made.is_known else {}
        asker = Asker(address=address, proved_phones=frozenset({number}))
        decided = answer.decide(
            question,
            dossiers,
            asker,
            Talk(own=tuple(dossiers.values()) if made.is_owner else (), said=made.said),
            policy=installation.disclosure,
            units=installation.units,
            statuses=installation.statuses,
            knowledge=installation.knowledge,
        )
        if not decided.parts:
            return "silence"
        try:
            reply = self._composer.answer_text(
                decided, channel=made.channel, language=question.language, now=NOW
            )
        except TemplateError:
            return "too long"
        _check_storable(reply.text)
        if decided.level is not Level.L1:
            _promise(samples.NAME not in reply.text, "a stranger is told no name")
        return "answered"

    def _dossiers(self, codes: Sequence[str]) -> Mapping[str, Dossier]:
        return {
            one: Dossier(code=one, code_raw=one, first_seen_at=NOW, facts=self._facts)
            for one in codes
        }


# ----------------------------------------------------------------------------------------- checks


def _one_of(every: Sequence[Any], chance: Random) -> Any:
    return chance.choice(every)


def _exchange() -> Callable[[bytes], Sequence[DossierEvent | Quarantined]]:
    """The national exchange record, by the map that comes with the service."""
    shipped = record_map.load(Files(None), "exchange", None)
    assert shipped is not None
    return partial(RecordReader("exchange", shipped).read, arrived=Arrival(at=NOW))


def doors() -> dict[str, Door]:
    """Every door in process, by its name."""
    phrases = samples.phrases()
    every: list[Door] = [
        Events(),
        Signatures(),
        Bodies("kept", partial(cloudevents.read_kept, now=NOW), partial(samples.event, now=NOW)),
        Bodies("exchange", _exchange(), partial(_one_of, samples.pushes())),
        *(Hook(name, gateway, phrases) for name, gateway in gateways().items()),
        Inquiries(phrases),
    ]
    return {door.name: door for door in every}


def _promise(holds: object, promise: str) -> None:
    if not holds:
        raise BrokenPromiseError(f"it does not hold that {promise}")


def _check_storable(*texts: str) -> None:
    """Text that a store and a log can hold."""
    for text in texts:
        _promise(isinstance(text, str), "what is kept as text is text")
        text.encode()


def _check_silent(text: str) -> None:
    """A reason stands in logs and answers, where no number and no name may."""
    bare = re.sub(r"[ .()-]", "", text)
    _promise(not _NUMBER.search(bare), "no reason holds a number")
    _promise(samples.NAME not in text, "no reason holds a name")
