"""Errors of commands are one line on standard error, whatever the database or the disk says."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from flows.audit import verification
from flows.changes import reconcile
from flows.mirror import mirror

SAID = "no space\nDETAIL: 2026-11-25 INFO all is well\x1b[2J\u2028"


def fails(error):
    def broken(*_args, **_kwargs):
        raise error

    return broken


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("command", "broken", "error"),
    [
        (["sync_flows"], (mirror, "sync"), DatabaseError(SAID)),
        (["sync_flows"], (reconcile, "reconcile"), DatabaseError(SAID)),
        (["reconcile_changes"], (reconcile, "reconcile"), DatabaseError(SAID)),
        (["export_audit", "--format", "csv"], (verification, "signed_head"), OSError(SAID)),
    ],
    ids=["sync", "sync, then reconcile", "reconcile", "export"],
)
def test_error_stays_on_its_line(sandbox, monkeypatch, tmp_path, command, broken, error):
    monkeypatch.setattr(*broken, fails(error))
    if command[0] == "export_audit":
        command = [*command, "--output", str(tmp_path / "log"), "--head", str(tmp_path / "head")]

    with pytest.raises(CommandError) as raised:
        call_command(*command)

    assert "no space\\nDETAIL: 2026-11-25" in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.django_db
def test_file_that_is_no_head_is_named_on_one_line(tmp_path):
    with pytest.raises(CommandError) as raised:
        call_command("verify_audit", "--head", str(tmp_path / "no\nsuch\x1bfile"))

    assert str(raised.value).isprintable()
