"""Text and files that the import page refuses."""

import json

import pytest

from flows.plans import import_text
from tests.flows.plans.views.import_pages import (
    error_of,
    send,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("text", "message"), [
    ("", "Paste flows as JSON or CSV, or choose a file."),
    ("  \n ", "Paste flows as JSON or CSV, or choose a file."),
    ("\ufeff", "Paste flows as JSON or CSV, or choose a file."),
    ("{", "Line 1, column 2: invalid JSON."),
    ('[\n {"sid": 1},\n {]', "Line 3, column 3: invalid JSON."),
    ('{"a": 1}', "This JSON contains no list of flows."),
    ("[]", "The list of flows is empty."),
    ('{"flows": [], "flows": []}', "“flows” appears twice. Use one list of flows."),
    ("[" * 5000, "This JSON is nested too deeply."),
    ('[{"friendly_name": ' + "[" * 100_000 + "]" * 100_000 + "}]", "This JSON is nested too deeply."),
    ("[" + "9" * 5000 + "]", "A number in this JSON is too long."),
    ("[NaN]", "NaN is not valid JSON"),
    ("[-Infinity]", "-Infinity is not valid JSON"),
    ("hello", "Line 1: this is neither JSON nor a table."),
    ("friendly_name", "The table has a header but no rows."),
    ('sid,friendly_name\nFO1,"x', "Line 2: a quotation mark is missing its partner."),
    ('sid,friendly_name\na,b\nc,"d" e\n', "Line 3: there is text after a closing quotation mark."),
    ('sid,friendly_name\na,"b\nc"\nd,"e"x', "Line 4: there is text after a closing quotation mark."),
    ("friendly_name,b\n" + "x" * 140_000 + ",\n", "Line 2: a cell is too long."),
    ("sep=|\nsid|friendly_name", "Line 1: “|” is not a supported separator."),
    ("friendly_name" + "," * 100 + "\nx", "Line 1: 101 columns. The maximum is 100."),
    ("friendly_name\none\ntwo\x00\n", "Line 3: this line contains a character that can't be stored (U+0000)."),
], ids=lambda text: text[:24])  # fmt: skip
def test_unreadable_text_is_refused_and_stays_in_the_form(operator, text, message):
    answer = send(operator, text)

    assert error_of(answer).startswith(message)
    assert answer.context["text"].removeprefix("\ufeff") == text.removeprefix("\ufeff")


@pytest.mark.parametrize(("data", "message"), [
    (b"", "The file “flows.csv” is empty."),
    ("friendly_name\none\ntélé".encode("cp1252"), "Line 3: byte 0xE9 is not UTF-8. In a spreadsheet, save as “CSV UTF-8”."),
    ("friendly_name\none".encode("utf-16-le"), "Line 1: this line contains a character that can't be stored (U+0000)."),
    ("friendly_name\none".encode("utf-16")[:-1], "The file looks like UTF-16, but is cut off or damaged."),
    (b"\xff\xfe\x00\xd8a\x00", "The file looks like UTF-16, but is cut off or damaged."),
    ("friendly_name\none".encode("utf-32"), "Line 1: this line contains a character that can't be stored (U+0000)."),
    (b"\x89PNG\r\n\x1a\n", "Line 1: byte 0x89 is not UTF-8."),
], ids=["empty", "cp1252", "utf-16-le", "cut off", "surrogate", "utf-32", "png"])  # fmt: skip
def test_unreadable_file_is_refused(operator, data, message):
    assert error_of(send(operator, file=data)).startswith(message)


def test_file_with_pasted_text_is_refused_and_the_text_stays(operator):
    answer = send(operator, "[typed", file=b"[]")

    assert error_of(answer) == "Choose a file or paste text, not both."
    assert answer.context["text"] == "[typed"


def test_text_of_an_unreadable_file_is_shown_in_the_form(operator):
    answer = send(operator, file=b'[{"sid": }]')

    assert error_of(answer).startswith("Line 1, column 10: invalid JSON.")
    assert answer.context["text"] == '[{"sid": }]'


def test_too_many_flows_are_refused_with_their_number(operator, monkeypatch):
    monkeypatch.setattr("flows.plans.import_table.MAX_FLOWS", 2)
    monkeypatch.setattr(import_text, "MAX_FLOWS", 2)

    assert (
        error_of(send(operator, json.dumps([{}] * 3)))
        == "The list has 3 flows. At most 2 can be imported at once."
    )
    assert error_of(send(operator, "friendly_name\na\nb\n\nc\n")) == (
        "Line 5: the table has 3 rows. At most 2 can be imported at once."
    )
