"""Values as cells of a CSV file: no reading of a spreadsheet's finds a formula, and nothing is lost."""

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
BEHIND = [
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
    """As spreadsheets see a cell: blanks, quotation marks and invisible characters aside."""
    return text.strip(' \t\r\n"\u200b\ufeff').startswith(
        ("=", "+", "-", "@", "＝", "＋", "－", "＠")
    )


@pytest.mark.parametrize("value", FORMULAS, ids=ascii)
def test_formula_is_marked_at_its_beginning(value):
    assert to_csv_cell(value).startswith("'")
    assert not is_formula(to_csv_cell(value))


@pytest.mark.parametrize("value", BEHIND, ids=ascii)
@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_formula_behind_another_separator_is_marked_too(value, delimiter):
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["FO1", to_csv_cell(value), "end"])

    rows = list(csv.reader(io.StringIO(buffer.getvalue()), delimiter=delimiter))

    assert [text for row in rows for text in row if is_formula(text)] == []


@pytest.mark.parametrize("value", TEXTS)
def test_what_is_no_formula_stays_as_it_is(value):
    assert to_csv_cell(value) == value


@given(st.text(alphabet="'\"=+-@;|,\t\n\r a1＝\u200b", max_size=12))
def test_every_text_comes_back(value):
    assert from_csv_cell(to_csv_cell(value)) == value
    assert not is_formula(to_csv_cell(value))


@pytest.mark.parametrize(
    "text", ["\n" * 200_000, "'" * 200_000, " ;" * 100_000, '"\t' * 100_000], ids=ascii
)
def test_long_run_of_what_is_looked_past_is_gone_through_once(text):
    """Quadratic, it would take minutes."""
    assert from_csv_cell(to_csv_cell(text)) == text
