"""Changes whose flow could not be read: the event has its name, the request and the last state."""

import uuid

import pytest
from django.core.management import call_command

from flows.audit import verification
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.changes import flow_changes
from flows.mirror import mirror
from flows.plans import drafts, start_and_stop
from flows.plans.drafts import BulkAction
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    OMAR,
    SECRET,
    SECRET_URL,
    create_flow,
    delete_flow,
    rename_flow,
    switch_flow,
)

pytestmark = pytest.mark.django_db

REQUESTED = {
    "update": (rename_flow, {"friendly_name": "Plaintes Lyon"}),
    "switch": (switch_flow, {"enabled": False}),
    "delete": (delete_flow, None),
}


@pytest.fixture(params=["deleted", "refused", "away"])
def unreadable(request, sandbox, flow_sid):
    if request.param == "deleted":
        sandbox.remove_flow(flow_sid)
    elif request.param == "refused":
        sandbox.inject(Fault(FaultKind.REFUSE, method="GET", times=None, status=403, code=20003))
    else:
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None))
    return flow_sid


def failed():
    return AuditEvent.objects.select_related("payload").get(stage="outcome")


@pytest.mark.parametrize("verb", REQUESTED)
def test_failed_change_keeps_what_it_was_about(unreadable, verb):
    act, requested = REQUESTED[verb]

    with pytest.raises(flow_changes.FlowUnreadable):
        act(unreadable)

    event = failed()
    assert event.result == "failed"
    assert (event.payload.friendly_name, event.payload.contact_identity) == (
        "Réclamations Lyon",
        "+33199000123",
    )
    assert event.payload.requested == requested
    assert event.changed_fields == sorted(requested or {})
    assert event.payload.before["enabled"] is True
    assert event.payload.after is None
    assert verification.verify().bad_seq is None


@pytest.mark.parametrize("kind", ["disable", "delete"])
@pytest.mark.django_db(transaction=True)
def test_failed_change_of_a_plan_keeps_it_too(sandbox, flow_sid, person, kind):
    user = person("operator", "omar")
    plan = drafts.plan_bulk_action(action=BulkAction(kind), sids=[flow_sid], created_by="omar")
    actor = OMAR.__class__(id=str(user.pk), label="omar")
    start_and_stop.start(plan=plan, reason="", actor=actor)
    sandbox.remove_flow(flow_sid)

    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    event = failed()
    assert event.payload.friendly_name == "Réclamations Lyon"
    assert event.payload.requested == ({"enabled": False} if kind == "disable" else None)
    assert event.payload.before["contact_identity"] == "+33199000123"


def test_flow_that_the_copy_has_not_is_known_by_the_form(sandbox, flow_sid):
    mirror.Flow.objects.all().delete()
    sandbox.remove_flow(flow_sid)
    base = {"sid": flow_sid, "friendly_name": "As I saw it", "enabled": True}

    with pytest.raises(flow_changes.FlowUnreadable):
        flow_changes.update_flow(
            sid=flow_sid, account_sid=ACCOUNT, base=base, values={"friendly_name": "Mine", "enabled": True},
            reason="", actor=OMAR, change_id=uuid.uuid4(),
        )  # fmt: skip

    assert failed().payload.friendly_name == "As I saw it"
    assert failed().payload.requested == {"friendly_name": "Mine"}


def test_no_secret_is_kept_of_it(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    with pytest.raises(flow_changes.FlowUnreadable):
        rename_flow(
            flow_sid,
            base={"integration_url": SECRET_URL},
            values={"integration_url": SECRET_URL + "x"},
        )

    body = failed().payload
    assert SECRET not in str([body.before, body.requested])


@pytest.mark.parametrize("verb", ["create", *REQUESTED])
def test_change_that_an_account_does_not_take_keeps_it_too(flow_sid, verb):
    restrictions.set_read_only(account_sid=ACCOUNT, reason="A freeze", actor=OMAR)
    act, requested = (create_flow, None) if verb == "create" else REQUESTED[verb]

    with pytest.raises(restrictions.OperationUnavailable):
        act(flow_sid)

    event = AuditEvent.objects.filter(result="denied").select_related("payload").get()
    assert event.payload.friendly_name == (
        "Störungsmeldung Köln" if verb == "create" else "Réclamations Lyon"
    )
    assert verb == "create" or event.payload.requested == requested
    assert event.payload.message.startswith("This account was made read-only")


def test_conflict_says_which_fields(sandbox, flow_sid):
    base = mirror.Flow.objects.get(sid=flow_sid).resource
    sandbox.edit_flow(flow_sid, friendly_name="Theirs", integration_retry_count=1)

    with pytest.raises(flow_changes.Conflict):
        flow_changes.update_flow(
            sid=flow_sid, account_sid=ACCOUNT, base=base, values={"friendly_name": "Mine", "integration_retry_count": 2},
            reason="", actor=OMAR, change_id=uuid.uuid4(),
        )  # fmt: skip

    message = AuditEvent.objects.get(result="conflict").payload.message
    assert (
        message
        == "Someone else changed Friendly name, Retry count in the meantime. Nothing was sent."
    )


def test_page_of_it_says_that_this_is_what_was_last_known(sandbox, flow_sid, client_of):
    sandbox.remove_flow(flow_sid)
    with pytest.raises(flow_changes.FlowUnreadable):
        rename_flow(flow_sid)

    page = client_of("viewer").get(f"/audit/{failed().event_id}/").content.decode()

    assert "Last known" in page
    assert ">Before<" not in page
    assert "Plaintes Lyon" in page
