"""Fixtures of the fault tests, which watch the order of events from the sandbox's side."""

import pytest
from django.db import connections

from tests.faults.acting import own_stages


@pytest.fixture
def on_arrival(sandbox, monkeypatch):
    """Committed stages of our own events at the arrival of each write at the sandbox.

    They are read over a connection of the sandbox's thread.
    """
    stages_at_arrival = []
    log = sandbox._log
    enter = log.open

    def look(*, method, **request):
        try:
            if method != "GET":
                stages_at_arrival.append([stage for stage, _ in own_stages()])
        finally:
            connections.close_all()
        return enter(method=method, **request)

    monkeypatch.setattr(log, "open", look)
    return stages_at_arrival
