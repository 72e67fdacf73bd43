"""How the tests of faults watch the order of things: from the sandbox's side."""

import pytest
from django.db import connections

from tests.faults.acting import own_stages


@pytest.fixture
def on_arrival(sandbox, monkeypatch):
    """For each write, the stages of what was done here that were committed when it reached the sandbox, read
    over a connection of the sandbox's own."""
    seen = []
    log = sandbox._log
    enter = log.open

    def look(*, method, **request):
        try:
            if method != "GET":
                seen.append([stage for stage, _ in own_stages()])
        finally:
            connections.close_all()
        return enter(method=method, **request)

    monkeypatch.setattr(log, "open", look)
    return seen
