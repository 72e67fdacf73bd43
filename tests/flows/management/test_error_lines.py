"""Errors of commands stay on one line of standard error, whatever text they quote."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from flows.audit import checkpoints
from flows.changes import reconcile
from flows.mirror import flow_reads

MULTILINE_TEXT = "no space\nDETAIL: 2026-11-25 INFO all is well\x1b[2J\u2028"


def raise_error(error):
    """Return a function that raises the error, whatever it is called with."""

    def function(*_args, **_kwargs):
        raise error

    return function


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("command", "function", "error"),
    [
        (["sync_flows"], (flow_reads, "list_flows"), DatabaseError(MULTILINE_TEXT)),
        (["sync_flows"], (reconcile, "reconcile"), DatabaseError(MULTILINE_TEXT)),
        (["reconcile_changes"], (reconcile, "reconcile"), DatabaseError(MULTILINE_TEXT)),
        (
            ["export_audit", "--format", "csv"],
            (checkpoints, "signed_checkpoint"),
            OSError(MULTILINE_TEXT),
        ),
    ],
    ids=["sync", "sync, then reconcile", "reconcile", "export"],
)
def test_error_is_on_one_line(sandbox, monkeypatch, tmp_path, command, function, error):
    monkeypatch.setattr(*function, raise_error(error))
    if command[0] == "export_audit":
        command = [*command, "--output", str(tmp_path / "log"), "--head", str(tmp_path / "head")]

    with pytest.raises(CommandError) as raised:
        call_command(*command)

    assert "no space\\nDETAIL: 2026-11-25" in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.django_db
def test_name_of_an_unreadable_checkpoint_is_on_one_line(tmp_path):
    with pytest.raises(CommandError) as raised:
        call_command("verify_audit", "--head", str(tmp_path / "no\nsuch\x1bfile"))

    assert str(raised.value).isprintable()
