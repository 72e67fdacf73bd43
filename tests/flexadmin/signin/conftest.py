"""Fixtures of the tests of signing in."""

import pytest

from flows.audit import audit_log


@pytest.fixture
def make_log_unwritable(monkeypatch):
    def refuse(_log, **_event):
        raise audit_log.NotRecorded("the audit log cannot be written")

    return lambda: monkeypatch.setattr(audit_log.LogTransaction, "append", refuse)
