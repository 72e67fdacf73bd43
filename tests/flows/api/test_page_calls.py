"""What a page changes has a call of the API, or a reason for none, in tests/data/page_calls.json.

The documentation has the same table.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from flows.api.problems import API_PREFIX
from flows.api.site_api import openapi_document
from tests import docs
from tests.security.places import ACCESS, API_CALLS, URL_NAMES

_FILE = Path(__file__).parents[2] / "data" / "page_calls.json"
ROWS: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))["rows"]
DOCUMENTATION = ".docs/api.md"


def changing_urls() -> list[str]:
    """Return the name of each URL for pages that accepts POST."""
    pages = [name for name in URL_NAMES if name not in API_CALLS]
    return [name for name in pages if "POST" in ACCESS[name]]


def existing_calls() -> set[str]:
    return {
        f"{method.upper()} {path.removeprefix(API_PREFIX)}"
        for path, operations in openapi_document()["paths"].items()
        for method in operations
    }


def document_row(row: dict[str, Any]) -> list[str]:
    calls = ", ".join(f"`{call}`" for call in row.get("calls", ()))
    return [row["page"], calls or row["reason"]]


def test_each_page_that_changes_something_is_listed_once():
    listed = Counter(name for row in ROWS for name in row["urls"])

    assert listed == Counter(changing_urls())


def test_each_listed_call_exists():
    listed = {call for row in ROWS for call in row.get("calls", ())}

    assert listed - existing_calls() == set()


def test_each_row_has_calls_or_a_reason():
    assert [row["page"] for row in ROWS if bool(row.get("calls")) == bool(row.get("reason"))] == []


def test_documentation_has_the_same_table():
    section = docs.section_of(docs.pages()[DOCUMENTATION], "## Pages and their calls")

    assert docs.table_rows(section) == [document_row(row) for row in ROWS]


def test_each_call_is_documented():
    section = docs.section_of(docs.pages()[DOCUMENTATION], "## Calls")
    documented = {row[0].strip("`") for row in docs.table_rows(section)}

    assert documented == existing_calls()
