"""Fixtures of the tests of external changes."""

import pytest

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from tests import ACCOUNT


@pytest.fixture
def drift(sandbox, flow_sid):
    """Rename the flow outside this dashboard, in two steps, and return the last event."""
    for name in ("Pilot", "Pilot 2"):
        sandbox.edit_flow(flow_sid, friendly_name=name)
        sync_account(ACCOUNT)
    return AuditEvent.objects.filter(action="flow.drift").latest("seq")
