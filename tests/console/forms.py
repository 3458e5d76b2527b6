"""The forms of a page, read as a browser reads them: what would be sent if nothing was touched."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

Attributes = dict[str, str]
_TYPED = {
    "text", "url", "email", "number", "search", "date", "time", "datetime-local", "password",
}  # fmt: skip


@dataclass
class Form:
    """`fields`: what is sent, in order; `typed`: the names of what people write or choose, once for
    each control, but boxes and radio buttons, which share a name."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)


def forms_of(page: str) -> list[Form]:
    reader = _Reader()
    reader.feed(page)
    return reader.forms


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select: tuple[str, list[tuple[str, bool]]] | None = None
        self._text: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: Attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        if tag == "option" and self._select is not None:
            self._select[1].append((given.get("value", ""), "selected" in given))
        name = given.get("name", "")
        if self._form is None or not name or "disabled" in given:
            return
        if tag == "select":
            self._select = (name, [])
        elif tag == "textarea":
            self._text = (name, [])
        elif tag == "input":
            self._input(self._form, name, given)

    def _input(self, form: Form, name: str, given: Attributes) -> None:
        kind = given.get("type", "text")
        if kind in ("checkbox", "radio"):
            if "checked" in given:
                form.fields.append((name, given.get("value", "on")))
        elif kind == "hidden" or kind in _TYPED:
            form.fields.append((name, given.get("value", "")))
            if kind != "hidden":
                form.typed.append(name)

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        form = self._form
        if tag == "form":
            self._form = None
        if form is None:
            return
        if tag == "textarea" and self._text is not None:
            name, parts = self._text
            form.fields.append((name, "".join(parts).removeprefix("\n")))
            form.typed.append(name)
            self._text = None
        if tag == "select" and self._select is not None:
            name, options = self._select
            chosen = [value for value, is_selected in options if is_selected]
            if options:
                form.fields.append((name, (chosen or [options[0][0]])[0]))
            form.typed.append(name)
            self._select = None
