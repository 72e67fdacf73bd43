"""The commands of the README, taken out of it. This needs no library: CI reads it before it has any."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

README: Final = Path(__file__).resolve().parents[1] / "README.md"
_BLOCK: Final = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`]+)`")
_STARTS: Final = re.compile(r"(?:export )?(?:[A-Z_]+=\S+ )*(?:uv run|uv sync|\.venv/bin/)")
_ROW: Final = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def text() -> str:
    return README.read_text(encoding="utf-8")


def first_commands() -> list[str]:
    """Return what a newcomer types, in this order: the commands of "Try it"."""
    section = text().partition("\n## Try it\n")[2].partition("\n## ")[0]
    block = _BLOCK.search(section)
    assert block, "the README's first section has no commands"
    return _lines(block[1])


def commands() -> set[str]:
    """Return every other command of the project that the README names, whole: in a block, or within a
    sentence."""
    said = text()
    found = {line for block in _BLOCK.findall(said) for line in _lines(block) if _STARTS.match(line)}
    return (found | {span for span in _spans(said) if _STARTS.match(span)}) - set(first_commands())


def manage_commands() -> set[str]:
    """Return the commands of `manage.py` that are named by themselves: the rows of their table, and with
    options in sentences."""
    said = text()
    table = said.partition("| command | does |\n")[2].partition("\n\n")[0]
    rows = {row.replace("\\|", "|") for row in _ROW.findall(table)}
    names = {row.split()[0] for row in rows} | {"check", "collectstatic", "migrate"}
    return rows | {span for span in _spans(said) if " " in span and span.split()[0] in names}


def _spans(said: str) -> list[str]:
    """What stands between backticks in sentences, on one line each."""
    sentences = re.sub(r"^```.*?^```$|^\|[^\n]*$", "", said, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in _SPAN.findall(sentences)]


def _lines(block: str) -> list[str]:
    """The commands of a block, without what is said of them behind a `#`."""
    lines = (re.sub(r"\s+#.*$", "", line).strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
