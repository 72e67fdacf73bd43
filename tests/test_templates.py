"""Templates are laid out like code: one element a line, two spaces a step, no line beyond 120 columns."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COLUMNS = 120
# Elements that stand on lines of their own; what is written within a line of text, such as a link, need not.
OPENED = re.compile(
    r"<(?:html|head|body|main|nav|header|section|div|form|fieldset|table|thead|tbody|tr|th|td|ul|ol|li|dl|dt|dd|p|h1|h2"
    r"|details|dialog|figure)(?=[\s>])"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_lines_are_short_and_tidy(path):
    lines = path.read_text().splitlines()

    assert [line for line in lines if len(line) > COLUMNS] == []
    assert [line for line in lines if line != line.rstrip() or "\t" in line] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_each_element_has_a_line_of_its_own(path):
    assert [line for line in path.read_text().splitlines() if len(OPENED.findall(line)) > 1] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_each_step_is_two_spaces(path):
    """A line is indented by at most two more than the one before it, but for the attributes of a tag that goes on."""
    text = re.sub(r"<(?:pre|textarea).*?</(?:pre|textarea)>", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"<[a-z][^<>]*(?:\{%.*?%\}[^<>]*)*>", lambda tag: tag[0].split("\n")[0], text)
    depths = [len(line) - len(line.lstrip()) for line in text.splitlines() if line.strip()]

    assert all(depth % 2 == 0 for depth in depths)
    assert all(after - before <= 2 for before, after in pairwise(depths))
