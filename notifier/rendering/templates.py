"""The templates of citizens' messages: sandboxed, strict, one file a notice, locale and channel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateNotFound
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier import shipped
from notifier.domain import instant
from notifier.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2 import Template

CHAT: Final = "chat"
"""The folder of every channel that has none of its own."""

OWN_WORDS: Final = frozenset({"sms", "email", "zns"})
"""Channels that do not borrow a chat's: an e-mail has a subject, a ZNS a form that was approved."""


class Templates:
    """The shipped templates under those of the configuration folder."""

    def __init__(self, own: Path | None = None) -> None:
        """``own``: a folder like ``templates/``; what it lacks comes from the shipped one."""
        self.folders = [*([own] if own else []), shipped.folder("templates")]
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in self.folders]),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(date=_date, moment=_moment, money=_money)
        self._found: dict[tuple[str, str, str], Template] = {}
        self._texts: dict[str, Template] = {}
        self._there: dict[tuple[str, str, str], bool] = {}

    def render(self, locale: str, channel: str, name: str, context: Mapping[str, Any]) -> str:
        """See ``ports.Renderer``."""
        template = self._found.get((locale, channel, name))
        if template is None:
            template = _flattened(self._find(locale, channel, name))
            self._found[locale, channel, name] = template
        text = self._rendered(template, context, f"{locale}/{channel}/{name}")
        # An SMS is one paragraph: the line breaks of its template are for those who read that.
        return " ".join(text.split()) if channel == "sms" else text

    def has(self, locale: str, channel: str, name: str) -> bool:
        """See ``ports.Renderer``."""
        known = (locale, channel, name)
        if known not in self._there:
            folders = (channel,) if channel in OWN_WORDS else (channel, CHAT)
            self._there[known] = any(
                (root / locale / folder / f"{name}.j2").is_file()
                for root in self.folders
                for folder in folders
            )
        return self._there[known]

    def render_text(self, template: str, context: Mapping[str, Any]) -> str:
        """See ``ports.Renderer``."""
        compiled = self._texts.get(template)
        if compiled is None:
            try:
                compiled = _flattened(self._environment.from_string(template))
            except JinjaError as error:
                raise TemplateError(f"the text is not a template: {error}") from None
            self._texts = {template: compiled}
        return self._rendered(compiled, context, "the text")

    def _find(self, locale: str, channel: str, name: str) -> Template:
        for folder in (channel, CHAT):
            try:
                return self._environment.get_template(f"{locale}/{folder}/{name}.j2")
            except TemplateNotFound:
                if channel in OWN_WORDS:
                    break
            except JinjaError as error:
                raise TemplateError(f"{locale}/{folder}/{name}.j2: {error}") from None
        raise TemplateError(
            f"there is no template {locale}/{channel}/{name}.j2; write one, or drop its rule"
        )

    @staticmethod
    def _rendered(template: Template, context: Mapping[str, Any], name: str) -> str:
        try:
            text = template.render(context)
        except JinjaError as error:
            raise TemplateError(f"{name}: {error}") from None
        except (TypeError, ValueError, ArithmeticError) as error:
            raise TemplateError(f"{name}: {type(error).__name__} while it was filled in") from None
        return re.sub(r"[ \t]+", " ", re.sub(r" *\n *", "\n", text)).strip()


def _flattened(template: Template) -> Template:
    # Jinja copies the globals into the context at each rendering; from its own map of maps that
    # takes more than a third of the time.
    template.globals = dict(template.globals)
    return template


def _date(moment: int) -> str:
    return f"{instant.local(moment):%d/%m/%Y}"


def _moment(moment: int) -> str:
    return f"{instant.local(moment):%H:%M %d/%m/%Y}"


def _money(amount: int) -> str:
    return f"{amount:,}".replace(",", ".") + "đ"
