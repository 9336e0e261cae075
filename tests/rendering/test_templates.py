from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dossier_samples import at

from notifier import shipped
from notifier.errors import TemplateError
from notifier.rendering import Templates

if TYPE_CHECKING:
    from pathlib import Path

DUE = at("2026-11-20 17:00")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An empty folder of the installation's own templates."""
    return tmp_path / "templates"


def write(own: Path, name: str, text: str) -> Templates:
    path = own / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Templates(own)


def test_a_template_of_ones_own_comes_before_the_shipped_one(own: Path) -> None:
    templates = write(own, "vi/sms/returned.j2", "Riêng {{ code }}")
    assert templates.render("vi", "sms", "returned", {"code": "A"}) == "Riêng A"
    rest = {"code": "A", "unit_name": "UBND", "return_by": ""}
    assert "UBND" in templates.render("vi", "chat", "returned", rest)


def test_a_channel_without_a_folder_reads_the_chat_one(own: Path) -> None:
    context = {"code": "A", "unit_name": "UBND", "return_by": ""}
    templates = write(own, "vi/zalo/returned.j2", "Zalo {{ code }}")
    chat = templates.render("vi", "chat", "returned", context)
    assert templates.render("vi", "telegram", "returned", context) == chat
    assert templates.render("vi", "zalo", "returned", context) == "Zalo A"


def test_an_sms_is_never_made_of_a_chat_text(own: Path) -> None:
    templates = write(own, "vi/chat/only_chat.j2", "lời dài")
    assert templates.render("vi", "telegram", "only_chat", {}) == "lời dài"
    with pytest.raises(TemplateError, match=r"no template vi/sms/only_chat\.j2; write one"):
        templates.render("vi", "sms", "only_chat", {})


def test_an_sms_is_one_paragraph_and_a_chat_keeps_its_lines(own: Path) -> None:
    text = "một  \n\n hai \n{% if no %}\nba\n{% endif %}\n  bốn\n"
    write(own, "vi/sms/made_up.j2", text)
    templates = write(own, "vi/chat/made_up.j2", text)
    assert templates.render("vi", "sms", "made_up", {"no": False}) == "một hai bốn"
    assert templates.render("vi", "chat", "made_up", {"no": False}) == "một\n\nhai\nbốn"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ due|date }}", "20/11/2026"),
        ("{{ due|moment }}", "17:00 20/11/2026"),
        ("{{ 1250000|money }}", "1.250.000đ"),
        ("{{ 0|money }}", "0đ"),
        ("{{ papers|join('; ') }}", "a; <b>"),  # no page: nothing is escaped
    ],
)
def test_how_values_are_written(template: str, text: str) -> None:
    context = {"due": DUE, "papers": ["a", "<b>"]}
    assert Templates().render_text(template, context) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ missing }}",
        "{{ code.missing }}",
        "{% if missing %}a{% endif %}",
        "{{ code",
        "{% if %}",
        "{{ code|unheard_of }}",
        "{{ code|date }}",  # a text is no moment
        "{{ 1 / 0 }}",
        "{{ (10 ** 25)|date }}",
        "{% include 'vi/sms/none.j2' %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ papers.append(1) }}",
        "{{ self.__init__.__globals__ }}",
    ],
)
def test_a_template_that_cant_be_filled_in_is_an_error_of_ours(template: str) -> None:
    context = {"code": "0912000001", "papers": ["a"]}
    with pytest.raises(TemplateError) as caught:
        Templates().render_text(template, context)
    assert "0912000001" not in str(caught.value)


def test_a_file_at_fault_is_named(own: Path) -> None:
    templates = write(own, "vi/sms/returned.j2", "{{ code")
    with pytest.raises(TemplateError, match=r"vi/sms/returned\.j2"):
        templates.render("vi", "sms", "returned", {})
    templates = write(own, "vi/sms/returned.j2", "{{ missing }}")
    with pytest.raises(TemplateError, match=r"vi/sms/returned.*missing"):
        templates.render("vi", "sms", "returned", {})


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..", "a/../../x", ""])
def test_a_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(TemplateError):
        Templates().render("vi", "sms", name, {})


def test_every_notice_is_there_in_every_language_and_channel() -> None:
    folder = shipped.folder("templates")
    names = {
        (locale, channel): {
            path.name
            for path in (folder / locale / channel).glob("*.j2")
            if not path.name.startswith("button_")  # an SMS has none
        }
        for locale in ("vi", "en")
        for channel in ("sms", "chat")
    }
    assert len(names["vi", "sms"]) >= 17
    assert len(set(map(frozenset, names.values()))) == 1
