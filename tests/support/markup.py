"""A page as its elements, so that tests ask for what a browser would find."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

BLOCKS = frozenset({"h1", "h2", "h3", "p", "li", "dt", "dd", "td", "th", "div", "section", "button", "summary"})
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "use", "wbr", "area", "base", "col"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    parents: tuple[Element, ...] = field(default=(), repr=False)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    @property
    def words(self) -> str:
        """Its text in one line."""
        return " ".join(self.text.split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, parents=tuple(self._open))
        self.found.append(element)
        if tag in BLOCKS:  # begins a new line for a reader
            self.handle_data("\n")
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, {name: value or "" for name, value in attrs}, parents=tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def elements(response: Any, tag: str | None = None, **attributes: str) -> list[Element]:
    """All elements of the answer; `class_` looks for one class among several."""
    reader = _Reader()
    reader.feed(response.content.decode())
    reader.close()
    return [e for e in reader.found if (tag is None or e.tag == tag) and _matches(e, attributes)]


def element(response: Any, tag: str | None = None, **attributes: str) -> Element:
    (only,) = elements(response, tag, **attributes)
    return only


def has_id(response: Any, identifier: str) -> bool:
    return bool(elements(response, id=identifier))


def words(response: Any, identifier: str = "") -> str:
    """The text of the page, or of the element with this id, in one line."""
    found = elements(response, **({"id": identifier} if identifier else {}))
    return found[0].words if found else ""


def inside(response: Any, identifier: str, tag: str) -> list[Element]:
    """Elements below the one with this id."""
    return [e for e in elements(response, tag) if any(p.attributes.get("id") == identifier for p in e.parents)]


def facts(response: Any, identifier: str) -> dict[str, str]:
    """The dt and dd pairs below the element with this id."""
    names = [e.words for e in inside(response, identifier, "dt")]
    return dict(zip(names, (e.words for e in inside(response, identifier, "dd")), strict=True))


def messages(response: Any) -> list[str]:
    """What the page tells at its top."""
    return [
        e.words for e in elements(response, "li") if any(p.attributes.get("class") == "messagelist" for p in e.parents)
    ]


def _matches(candidate: Element, wanted: dict[str, str]) -> bool:
    for name, value in wanted.items():
        if name == "class_":
            if value not in candidate.attributes.get("class", "").split():
                return False
        elif candidate.attributes.get(name.rstrip("_").replace("_", "-")) != value:
            return False
    return True
