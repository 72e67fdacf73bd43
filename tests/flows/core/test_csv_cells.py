"""CSV cells contain no formula for any spreadsheet, and their values can be read back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.csv_cells import from_csv_cell, to_csv_cell

FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(1)", "＝1", "＋1", "－1", "＠a", " =1", "\t=1", "\n=1", "\r=1", "\u200b=1", '"=1', "'=1", "\ufeff +1",
    "+4915550100200", "\t", "\nx",
]  # fmt: skip
LATER_FORMULAS = [
    f"Sales{sign}{blank}=1+1{sign}x"
    for sign in (";", "\t", "|", ",", "\n", "\r\n")
    for blank in ("", " ", '"', "\u200b")
]
TEXTS = [
    "Sales",
    "a-b",
    "1-2",
    "x=1",
    "Réclamations – Lyon",
    "whatsapp:+4915550100200",
    "it's",
    "'quoted'",
    "a;b",
    "a, b",
    "",
]


def is_formula(text):
    """Return True if a spreadsheet that ignores blanks and invisible characters sees a formula."""
    return text.strip(' \t\r\n"\u200b\ufeff').startswith(
        ("=", "+", "-", "@", "＝", "＋", "－", "＠")
    )


@pytest.mark.parametrize("value", FORMULAS, ids=ascii)
def test_formula_gets_an_apostrophe(value):
    assert to_csv_cell(value).startswith("'")
    assert not is_formula(to_csv_cell(value))


@pytest.mark.parametrize("value", LATER_FORMULAS, ids=ascii)
@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_formula_after_another_separator_gets_an_apostrophe(value, delimiter):
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["FO1", to_csv_cell(value), "end"])

    rows = list(csv.reader(io.StringIO(buffer.getvalue()), delimiter=delimiter))

    assert [text for row in rows for text in row if is_formula(text)] == []


@pytest.mark.parametrize("value", TEXTS)
def test_other_text_is_unchanged(value):
    assert to_csv_cell(value) == value


@given(st.text(alphabet="'\"=+-@;|,\t\n\r a1＝\u200b", max_size=12))
def test_every_text_can_be_read_back(value):
    assert from_csv_cell(to_csv_cell(value)) == value
    assert not is_formula(to_csv_cell(value))


@pytest.mark.parametrize(
    "text", ["\n" * 200_000, "'" * 200_000, " ;" * 100_000, '"\t' * 100_000], ids=ascii
)
def test_long_run_of_ignored_characters_is_scanned_once(text):
    """Quadratic time would be minutes."""
    assert from_csv_cell(to_csv_cell(text)) == text
