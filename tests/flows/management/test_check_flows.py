"""The command that prints what looks wrong at the flows: its lines, its JSON and its exit status."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests import ACCOUNT
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import READ, read_completely, store

pytestmark = pytest.mark.django_db
SID = f"FO{0:032}"


def check(*arguments):
    """Return what the command printed, and its error or ""."""
    out = io.StringIO()
    try:
        call_command("check_flows", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_error_is_a_line_and_ends_with_status_1():
    read_completely(*READ)
    store(flow("external", "web", integration_url=None, enabled=True))

    output, error = check()

    assert output == (
        f"required-value-missing error {ACCOUNT} {SID} "
        "Webhook URL is missing. Messages can't be handled without it.\n"
    )
    assert error == "1 finding is an error."


def test_warnings_end_with_status_0():
    read_completely(*READ)
    store(
        flow("external", "web", integration_url="http://h.example/", enabled=True),
        flow("external", "web", friendly_name="Off", integration_url=None, enabled=False),
    )

    output, error = check()

    assert [line.split()[:2] for line in output.splitlines()] == [
        ["required-value-missing", "warning"],
        ["webhook-not-encrypted", "warning"],
    ]
    assert error == ""


def test_json_is_a_list_of_objects():
    read_completely(*READ)
    store(flow("external", "web", friendly_name="Réclamations", integration_url=None, enabled=True))

    output, error = check("--format", "json")

    assert json.loads(output) == [
        {
            "rule": "required-value-missing",
            "severity": "error",
            "account_sid": ACCOUNT,
            "sid": SID,
            "friendly_name": "Réclamations",
            "message": "Webhook URL is missing. Messages can't be handled without it.",
        }
    ]
    assert error


def test_nothing_wrong_prints_nothing(capsys):
    read_completely(*READ)
    store(flow("external", "web", enabled=True))

    assert check() == ("", "")
    assert check("--format", "json") == ("[]\n", "")
    assert capsys.readouterr().err == ""


def test_what_was_not_checked_is_on_standard_error(capsys):
    read_completely(*(each for each in READ if each != "phone_number"))
    store(flow("external", "web", enabled=True))

    assert check() == ("", "")
    assert capsys.readouterr().err.splitlines() == [
        "number-not-owned was not checked: the phone numbers were not read.",
        "number-not-with-flex-proxy was not checked: the phone numbers were not read.",
        "number-handled-twice was checked only in part: the phone numbers were not read.",
    ]


def test_finding_is_one_line_whatever_it_quotes():
    read_completely(*READ)
    store(flow("external", "web", enabled="a\nb\x1b[31m"))

    output, _ = check()

    assert len(output.splitlines()) == 1
    assert "\x1b" not in output
