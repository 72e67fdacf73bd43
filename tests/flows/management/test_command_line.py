"""The helpers that commands share."""

from argparse import ArgumentTypeError

import pytest
from django.core.management.base import CommandError

from flows.audit.audit_log import NotRecorded
from flows.management import command_line
from tests import ACCOUNT


def test_command_ends_with_one_line_if_the_log_can_not_be_written():
    with pytest.raises(CommandError) as raised, command_line.required_log("nothing was exported"):
        raise NotRecorded("full")

    assert str(raised.value) == "Couldn't write to the audit log, so nothing was exported."
    assert raised.value.returncode == 1


def test_site_with_one_account_names_none():
    assert command_line.account_prefix(ACCOUNT) == ""


def test_site_with_several_accounts_names_each(staging):
    removed_account = "AC" + "1" * 32

    assert command_line.account_prefix(ACCOUNT) == "production: "
    assert command_line.account_prefix(staging.account_sid) == "staging: "
    assert command_line.account_prefix(removed_account) == f"{removed_account}: "


@pytest.mark.parametrize("text", ["-1", "some", "1.5", "", "²"])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="is not a whole number"):
        command_line.parse_count(text)
