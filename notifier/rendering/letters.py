"""Letters as PDF, by typst: one compiler for all, in a thread beside the loop."""

from __future__ import annotations

import asyncio
import io
import threading
from typing import TYPE_CHECKING, Any, Final, Literal

from notifier import shipped
from notifier.errors import ConfigurationError, Fault, TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Form = Literal["pdf", "png"]

SHARP: Final = 110.0
"""Pixels per inch of a letter that is shown on a screen."""


class TypstLetters:
    """The shipped templates under those of the configuration folder; see ``ports.Letters``."""

    def __init__(self, own: Path | None = None) -> None:
        """``own``: a folder like ``templates/``; a letter of it brings all files it includes."""
        self._folders = [
            folder / "letters" for folder in ([own] if own else []) + [shipped.folder("templates")]
        ]
        # A compiler keeps fonts and sources between letters, and is used by one thread at a time.
        self._turn = threading.Lock()
        self._compilers: dict[Path, Any] = {}

    async def pdf(self, template: str, values: Mapping[str, str]) -> bytes:
        """See ``ports.Letters``; raises ``ConfigurationError`` where typst is not installed."""
        return await self._made(template, values, "pdf")

    async def png(self, template: str, values: Mapping[str, str]) -> bytes:
        """The first page as a picture; as ``pdf`` else."""
        return await self._made(template, values, "png")

    async def _made(self, template: str, values: Mapping[str, str], form: Form) -> bytes:
        return await asyncio.to_thread(self._compile, template, values, form)

    def _compile(self, template: str, values: Mapping[str, str], form: Form) -> bytes:
        segno, typst = _libraries()
        file = next(
            (path for folder in self._folders if (path := folder / f"{template}.typ").is_file()),
            None,
        )
        if file is None:
            raise TemplateError(f"there is no template letters/{template}.typ; write one")
        inputs = {**values, "qr": _qr(segno, values.get("check_url", ""))}
        try:
            with self._turn:
                compiler = self._compilers.get(file.parent)
                if compiler is None:
                    compiler = typst.Compiler(root=file.parent, ignore_system_fonts=True)
                    self._compilers[file.parent] = compiler
                made = compiler.compile(input=file, format=form, ppi=SHARP, sys_inputs=inputs)
        except typst.TypstError as error:
            raise TemplateError(f"letters/{template}.typ: {error.message}") from None
        pages: bytes = made[0] if isinstance(made, list) else made
        return pages


def _libraries() -> tuple[Any, Any]:
    try:
        import segno
        import typst
    except ModuleNotFoundError:
        problem = (
            "letters need the extra `letters`, which is not installed: "
            'pip install "motcua-notifier[letters]".'
        )
        raise ConfigurationError(Fault(file="apology.toml", key="form", problem=problem)) from None
    return segno, typst


def _qr(segno: Any, text: str) -> str:
    """A QR code as SVG; empty where there is nothing to point at."""
    if not text:
        return ""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="svg", border=1, xmldecl=False)
    return drawn.getvalue().decode()
