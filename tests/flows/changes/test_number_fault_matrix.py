"""Every fault at every change of a number: the log never says what isn't so."""

import functools

import pytest

from flows.accounts import clients
from flows.audit.models import AuditEvent, OpenChange
from flows.twilio.sandbox.faults import LIST_FAULTS, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.flows.changes.number_changes import (
    add_to_service,
    change_number,
    free_number,
    number_of_service,
    remove_from_service,
)
from tests.flows.resources.test_fault_matrix import DONE, NOT_DONE, make_fault, reconcile_twice

pytestmark = pytest.mark.django_db(transaction=True)
# The action of each change, which number it changes, and how.
CHANGES = {
    "number.update": (free_number, functools.partial(change_number, sms_url="")),
    "service_membership.create": (free_number, add_to_service),
    "service_membership.delete": (number_of_service, remove_from_service),
}


@pytest.fixture
def twilio(settings, monkeypatch):
    monkeypatch.setattr(
        clients,
        "ResourceClient",
        functools.partial(clients.ResourceClient, sleep=lambda _seconds: None),
    )
    settings.FLEX_RATE_LIMITS = False
    with Sandbox(flows=120) as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        yield server
        clients.close_clients()


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind not in LIST_FAULTS])
@pytest.mark.parametrize("action", CHANGES)
def test_log_says_what_twilio_did(twilio, actor, action, kind):
    choose, change = CHANGES[action]
    sid = choose(twilio)
    twilio.inject(make_fault(kind, action.partition(".")[2]))

    change(sid, actor)
    twilio.clear_faults()
    reconcile_twice()

    applied = [one for one in twilio.requests if one.method != "GET" and one.applied]
    event = AuditEvent.objects.filter(action=action).latest("seq")
    assert AuditEvent.objects.filter(stage="attempt").count() == 1
    assert len(applied) <= 1
    assert event.target_sid == sid
    if event.result in DONE:
        assert applied, "the log says that it was done"
    elif event.result in NOT_DONE:
        assert not applied, "the log says that it was not done"
    assert OpenChange.objects.exists() == (event.result not in DONE | NOT_DONE)
