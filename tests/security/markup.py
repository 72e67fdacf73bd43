"""Parsing of a page's HTML, to find content that must not be in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

ADDRESS_ATTRIBUTES = {
    "href", "src", "action", "formaction", "hx-get", "hx-post", "hx-put", "hx-delete", "hx-patch",
    "xlink:href", "poster", "data", "srcset", "background", "ping", "cite", "manifest", "srcdoc",
}  # fmt: skip
INVISIBLE_CHARACTERS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.choices: list[str] = []  # options of selects, which contain text only
        self.inline: list[str] = []  # content of scripts and styles
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        self._inside = tag if tag in ("script", "style", "option") else ""

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self._inside = ""

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        {"": self.text, "option": self.choices}.get(self._inside, self.inline).append(data)

    def addresses(self) -> Iterator[tuple[str, str, str]]:
        for tag, attributes in self.elements:
            for name, value in attributes.items():
                if name in ADDRESS_ATTRIBUTES:
                    yield tag, name, value


def find_inline_code(html: str) -> list[str]:
    """Return every inline script, style, event handler and script address of a page."""
    page = Page(html)
    findings = [f"inline: {text.strip()[:60]}" for text in page.inline if text.strip()]
    for tag, attributes in page.elements:
        if tag == "style" or (tag == "script" and not attributes.get("src")):
            findings.append(f"<{tag}>")
        for name, value in attributes.items():
            is_handler = name.startswith(("on", "hx-on", "data-hx-on")) or name in (
                "style",
                "srcdoc",
            )
            is_evaluated = name.startswith("hx-") and value.strip().lower().startswith(
                ("js:", "javascript:")
            )
            if is_handler or is_evaluated:
                findings.append(f"<{tag} {name}={value[:40]!r}>")
    for tag, name, value in page.addresses():
        if re.match(r"[\s\0-\x20]*(javascript|vbscript|data)\s*:", value, re.IGNORECASE):
            findings.append(f"<{tag} {name}={value[:40]!r}>")
    return findings


def read_body(response: object) -> bytes:
    """Return the whole body of a response, streamed or not."""
    if getattr(response, "streaming", False):
        return b"".join(response.streaming_content)  # type: ignore[attr-defined]
    return bytes(response.content)  # type: ignore[attr-defined]
