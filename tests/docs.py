"""The documentation: README.md and the pages of .docs, and the commands that they name.

Only Python's own library is used here: `.ci/newcomer` imports this before anything is installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
README: Final = ROOT / "README.md"
FOLDER: Final = ROOT / ".docs"
DJANGO_COMMANDS: Final = {"check", "collectstatic", "migrate"}
_BLOCK: Final = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`]+)`")
_STARTS: Final = re.compile(r"(?:[A-Z_]+=\S+ )*(?:uv run|uv sync|\.venv/bin/)")
_COMMAND_HEADING: Final = re.compile(r"^### `(\w+)`$", re.MULTILINE)


def pages() -> dict[str, str]:
    """Return the text of each page by its path from the repository's top, README.md first."""
    paths = [README, *sorted(FOLDER.glob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def text(of: Mapping[str, str] | None = None) -> str:
    """Return the text of these pages, or of all pages."""
    return "\n".join((pages() if of is None else of).values())


def first_commands() -> list[str]:
    """Return the commands of the README's section "Try it", in order."""
    section = section_of(pages()["README.md"], "## Try it")
    block = _BLOCK.search(section)
    assert block, "the README's first section has no commands"
    return _lines(block[1])


def commands(of: Mapping[str, str] | None = None) -> set[str]:
    """Return every other whole command that a page names, in a block or within a sentence."""
    documentation = text(of)
    in_blocks = {line for block in _BLOCK.findall(documentation) for line in _lines(block)}
    named = in_blocks | set(_spans(documentation))
    return {command for command in named if _STARTS.match(command)} - set(first_commands())


def manage_commands(of: Mapping[str, str] | None = None) -> set[str]:
    """Return commands of `manage.py` in sentences, such as `verify_audit --head FILE`."""
    documentation = text(of)
    names = set(_COMMAND_HEADING.findall(documentation)) | DJANGO_COMMANDS
    return {span for span in _spans(documentation) if " " in span and span.split()[0] in names}


def section_of(page: str, heading: str) -> str:
    """Return the text below a heading, up to the next heading of the same level or a higher one."""
    level = heading.split(" ")[0]
    _, _, below = f"\n{page}".partition(f"\n{heading}\n")
    return re.split(rf"^#{{1,{len(level)}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def sections_of(page: str, level: str) -> Mapping[str, str]:
    """Return the sections of a page whose headings have this level (`##`), by their titles."""
    titles = re.findall(rf"^{level} (.+)$", page, re.MULTILINE)
    return {title: section_of(page, f"{level} {title}") for title in titles}


def table_rows(section: str) -> list[list[str]]:
    """Return the cells of each row of the tables in a section, without the header rows."""
    rows: list[list[str]] = []
    for line in section.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if re.fullmatch(r"[|:-]+", line):
            rows.pop()  # a rule: the row above is the header
        elif cells:
            rows.append(cells)
    return rows


def _spans(documentation: str) -> list[str]:
    """Return code between backticks outside of blocks, each on one line."""
    sentences = re.sub(r"^ *```.*?^ *```$", "", documentation, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in _SPAN.findall(sentences)]


def _lines(block: str) -> list[str]:
    """Return the commands of a block, without the comments behind a `#`."""
    lines = (re.sub(r"\s+#.*$", "", line).strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
