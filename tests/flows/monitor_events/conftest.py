"""Fixtures of the tests of lookups in Twilio's Monitor: the site is set to ask."""

import pytest

from flows.audit.models import AuditEvent
from flows.mirror.name_sync import sync_with_names
from tests import ACCOUNT
from tests.flows.monitor_events.asking import forget_events


@pytest.fixture(autouse=True)
def _asking(settings):
    settings.TWILIO_MONITOR_EVENTS = True


@pytest.fixture
def renamed_sid(sandbox):
    """A flow that was synced, and then renamed outside this dashboard. Not synced since."""
    sid = sandbox.add_flow(friendly_name="Pilot")
    sync_with_names(ACCOUNT)
    forget_events(sandbox)  # the flow's creation
    sandbox.edit_flow(sid, friendly_name="Renamed in the Console")
    return sid


@pytest.fixture
def drift(renamed_sid):
    """The external change of the flow, which a sync found and asked about."""
    sync_with_names(ACCOUNT)
    return AuditEvent.objects.get(action="flow.drift")
