"""The clock of the tests of the log's days, and events to show."""

from datetime import timedelta
from unittest import mock

import pytest
from django.db import DatabaseError

from flows.audit.models import AuditPayload
from tests.faults.acting import append_stage
from tests.flows.audit.views.logged_days import NOON


@pytest.fixture
def at():
    """Return a context manager that sets the time to some days before a fixed noon."""

    def set_time(days=0):
        moment = NOON - timedelta(days=days)
        return mock.patch("django.utils.timezone.now", return_value=moment)

    with set_time():
        yield set_time


@pytest.fixture
def record(actor):
    def make(**values):
        event_values = {
            "action": "flow.update",
            "stage": "outcome",
            "result": "succeeded",
            "actor": actor,
            **values,
        }
        return append_stage(**event_values)

    return make


@pytest.fixture
def break_recording(monkeypatch):
    """Return a function that makes recording fail."""

    def broken(*_args, **_kwargs):
        raise DatabaseError

    return lambda: monkeypatch.setattr(AuditPayload, "save", broken)
