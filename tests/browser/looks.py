"""Automatic checks of every page: axe's findings and the width, in both schemes and widths.

Two combinations cover each of them once. ALL_LOOKS=1 in the environment runs all four.
"""

import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

PAIRS = [("light", 1350), ("dark", 320)]
OTHER_PAIRS = [("dark", 1350), ("light", 320)]
LOOKS = pytest.mark.parametrize(
    ("scheme", "width"), PAIRS + OTHER_PAIRS if os.environ.get("ALL_LOOKS") else PAIRS
)
EVENT_URL = re.compile(
    "/audit/[0-9a-f-]{36}/$"
)  # an event's page: a click is over before its page has come
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_problems(page):
    """Return axe's findings by WCAG 2.2 AA, and a page wider than its window."""
    problems = [
        f"{hit['id']}: {hit['nodes'][0]['html'][:120]}"
        for hit in Axe().run(page, options={"runOnly": AXE_RULES}).response["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        problems.append("wider than the window")
    return problems
