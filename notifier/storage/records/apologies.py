"""Signed apologies, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notifier.domain.apology import Apology, ApologyAct, ApologyState
from notifier.ports import Return
from notifier.storage.packing import pack, unpack
from notifier.storage.records.base import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

APOLOGY = (
    "id, dossier, due_at, new_due_at, state, late, author, approver, document, created_at, "
    "signed_at, body_sealed"
)
APOLOGY_ACT = "apology, at, act, by, note"
APOLOGY_RETURN = "apology, at"
RETURNING = ", ".join(f"apology.{name}" for name in APOLOGY.split(", "))
"""The columns of an apology, where the table of returns stands beside it."""


class ApologyRecords(Records):
    """The tables ``apology``, ``apology_act`` and ``apology_return``."""

    def _apology_row(self, a: Apology) -> tuple[Any, ...]:
        """In the order of ``APOLOGY``."""
        body = [a.reason, a.reason_key, a.signer, a.title, a.template, dict(a.letter)]
        return (
            a.id, a.dossier, a.due_at, a.new_due_at, a.state.value, int(a.late), a.author,
            a.approver, a.number, a.created_at, a.signed_at,
            self._sealer.seal(pack(body), b"apology"),
        )  # fmt: skip

    def _apology(self, row: Sequence[Any]) -> Apology:
        """From a row in the order of ``APOLOGY``."""
        (id_, dossier, due_at, new_due_at, state, late, author, approver, number, created_at,
         signed_at, sealed) = row  # fmt: skip
        reason, reason_key, signer, title, template, letter = unpack(
            self._sealer.open(sealed, b"apology")
        )
        return Apology(
            id=id_,
            dossier=dossier,
            due_at=due_at,
            new_due_at=new_due_at,
            reason=reason,
            reason_key=reason_key,
            state=ApologyState(state),
            late=bool(late),
            author=author,
            created_at=created_at,
            approver=approver,
            signer=signer,
            title=title,
            number=number,
            signed_at=signed_at,
            template=template,
            letter=letter,
        )

    def _returns(self, rows: Iterable[Sequence[Any]]) -> list[Return]:
        """From rows of the attempts and an apology."""
        return [
            Return(attempts=attempts, apology=self._apology(apology)) for attempts, *apology in rows
        ]


def read_acts(rows: Iterable[Sequence[Any]]) -> list[ApologyAct]:
    """From rows in the order of ``APOLOGY_ACT``."""
    return [
        ApologyAct(apology=apology, at=at, act=act, by=by, note=note)
        for apology, at, act, by, note in rows
    ]
