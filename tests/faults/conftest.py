"""How the tests of faults watch the order of things: from the sandbox's side."""

import pytest
from django.db import connections

from flows.models import AuditEvent


@pytest.fixture
def on_arrival(sandbox, monkeypatch):
    """For each write, the stages that were committed when it reached the sandbox, read over a connection of
    the sandbox's own."""
    seen = []
    log = sandbox._log
    enter = log.open

    def look(*, method, **request):
        try:
            if method != "GET":
                seen.append(sorted(AuditEvent.objects.values_list("stage", flat=True)))
        finally:
            connections.close_all()
        return enter(method=method, **request)

    monkeypatch.setattr(log, "open", look)
    return seen
