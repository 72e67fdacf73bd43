"""Copies of a flow's data in other tables are erased from the rows and from the files."""

import json

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from flows.audit import audit_log, verification
from flows.audit.audit_log import Payload
from flows.audit.models import AuditEvent, OpenChange
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.changes import reconcile, unknown_outcomes
from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from flows.plans import execution
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import DATA_ERASED
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import NEW_FLOW, OMAR, create_flow, rename_flow
from tests.flows.management.test_erase_personal_data import (
    NAME,
    NUMBER,
    erase,
    erase_while_at_twilio,
    find_canary,
)

pytestmark = pytest.mark.django_db(transaction=True)

LEGACY_REASON = f"“{NAME} {NUMBER}” is on for the same channel and identity, and only one can be."
TRACEBACK = f"Traceback …\nDETAIL:  Failing row contains ({{sid}}, {NAME}, {NUMBER})."


@pytest.fixture
def remnants(sandbox, client_of):
    """The SID of a flow whose data other tables have: a plan, an open change, a failed task."""
    sync_account(ACCOUNT)
    sandbox.inject(Fault(FaultKind.DROP, method="POST"))
    create_flow(values={"friendly_name": "Quite another", "contact_identity": "+4923055999"})
    sid = sandbox.add_flow(
        **{**{key: value for key, value in NEW_FLOW.items() if value is not None},
           "friendly_name": f"{NAME} {NUMBER}", "contact_identity": NUMBER, "enabled": True}
    )  # fmt: skip
    disabled_sid = sandbox.add_flow(
        friendly_name="Second", channel_type="sms", contact_identity="+1", enabled=False
    )
    assert reconcile.reconcile() == []
    assert sid in OpenChange.objects.get().last_reading
    client_of("operator").post("/flows/plans/new/", {"sid": disabled_sid, "kind": "enable"})
    # As earlier versions wrote it.
    PlannedChange.objects.update(target_sid=disabled_sid, skip_reason=LEGACY_REASON)
    Plan.objects.update(
        title=f"Change the webhook's host to {NUMBER}.example", stop_reason=f"{NUMBER} failed"
    )
    SyncState.objects.update(error=f"Twilio answered about {NUMBER}")
    task = execution.run_plan.enqueue("0c1e9d5e-6b1f-4c07-8f3a-1d2b3c4d5e6f")
    DBTaskResult.objects.filter(pk=task.id).update(
        traceback=TRACEBACK.format(sid=sid), finished_at=timezone.now()
    )
    session = SessionStore()
    session["typed"] = json.dumps({"contact_identity": NUMBER})
    session["_auth_user_id"] = "1"
    session.save()
    sandbox.remove_flow(sid)
    return sid


def test_remnants_are_found_before_they_are_erased(remnants):
    assert NUMBER[1:].encode() in find_canary()


@pytest.mark.parametrize("by", ["flow", "identity"])
def test_erased_data_is_in_no_table_and_no_file(remnants, by):
    record_name(remnants)

    erase(f"--{by}", remnants if by == "flow" else NUMBER)

    assert find_canary() == []
    assert verification.verify().bad_seq is None
    assert PlannedChange.objects.get().skip_reason == DATA_ERASED
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert {"_auth_user_id": "1"} in sessions  # the user stays signed in
    assert not any("typed" in data for data in sessions)
    assert remnants in OpenChange.objects.get().candidates  # a SID is not personal data


def record_name(sid):
    """Log an event with the flow's name and identity."""
    audit_log.append(
        action="flow.accept", stage="access", result="succeeded", actor=OMAR, target_sid=sid, account_sid=ACCOUNT,
        payload=Payload(friendly_name=f"{NAME} {NUMBER}", contact_identity=NUMBER),
    )  # fmt: skip


def test_plan_names_a_conflicting_flow_by_its_sid(sandbox, client_of):
    enabled_sid = sandbox.add_flow(
        friendly_name=NAME, channel_type="sms", contact_identity="+1", enabled=True
    )
    disabled_sid = sandbox.add_flow(
        friendly_name="Second", channel_type="sms", contact_identity="+1", enabled=False
    )
    sync_account(ACCOUNT)

    client_of("operator").post("/flows/plans/new/", {"sid": disabled_sid, "kind": "enable"})

    assert enabled_sid in PlannedChange.objects.get().skip_reason
    assert NAME not in PlannedChange.objects.get().skip_reason


def test_text_of_this_site_with_an_ordinary_word_stays(sandbox, client_of, flow_sid):
    """A flow's name can be a word of a reason."""
    sid = sandbox.add_flow(friendly_name="that", contact_identity="+4930111111")
    sync_account(ACCOUNT)
    SyncState.objects.update(error="Twilio did not answer that")
    client_of("operator").post("/flows/plans/new/", {"sid": flow_sid, "kind": "enable"})
    assert PlannedChange.objects.get().skip_reason == "Already set."

    erase_while_at_twilio("--flow", sid)

    assert PlannedChange.objects.get().skip_reason == "Already set."
    assert SyncState.objects.get().error == "Twilio did not answer that"


@pytest.mark.parametrize("by", ["flow", "identity"])
def test_reason_for_a_read_only_account_is_erased(sandbox, flow_sid, by):
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Because of +33 199 000 123", actor=OMAR)

    erase_while_at_twilio(f"--{by}", flow_sid if by == "flow" else "+33199000123")

    assert Closure.objects.get().reason == ""
    assert restrictions.account_availability(ACCOUNT).is_read_only


class TestOpenChange:
    @pytest.fixture
    def unknown_event(self, sandbox, flow_sid):
        sandbox.inject(Fault(FaultKind.DROP, method="POST"))
        event = rename_flow(flow_sid, values={"friendly_name": NAME}).event
        sandbox.remove_flow(flow_sid)
        return event

    def test_command_names_the_option(self, unknown_event, flow_sid):
        with pytest.raises(
            CommandError,
            match=rf"unknown outcome \(event {unknown_event.seq}\).*--despite-open-change",
        ):
            erase("--flow", flow_sid)

    def test_option_needs_a_reason(self, unknown_event, flow_sid):
        with pytest.raises(CommandError, match="needs a --reason"):
            erase("--flow", flow_sid, "--despite-open-change")

        assert not AuditEvent.objects.filter(action="audit.erase").exists()

    def test_change_is_erased_with_an_event_and_can_be_decided(
        self, unknown_event, flow_sid, client_of
    ):
        err = erase_while_at_twilio(
            "--flow", flow_sid, "--despite-open-change", "--reason", "Asked for by the person"
        )

        assert f"Needs your decision, without the erased data: events {unknown_event.seq}" in err
        erasure_event = AuditEvent.objects.select_related("payload").get(action="audit.erase")
        assert erasure_event.reason == "Asked for by the person"
        assert erasure_event.payload.requested["open_changes"] == [unknown_event.seq]
        assert find_canary() == []
        client = client_of("operator")
        client.post(f"/audit/{unknown_event.event_id}/reconcile/")
        page = client.get(f"/audit/{unknown_event.event_id}/")
        assert unknown_outcomes.REQUEST_ERASED in page.content.decode()
        seen_reading = page.context["form"]["seen"].value()
        answer = client.post(
            f"/audit/{unknown_event.event_id}/decide/",
            {"verdict": "not_applied", "reason": "Seen", "seen": seen_reading},
        )
        assert answer.status_code == 302
        assert not OpenChange.objects.exists()
        assert find_canary() == []
        assert verification.verify().bad_seq is None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
def test_every_emptied_table_is_compacted():
    from flows.erasure.compaction import PERSONAL_DATA_TABLES

    emptied_tables = {"flows_openchange", "flows_closure", "flows_syncstate", "flows_plannedchange"}
    emptied_tables |= {"flows_resourcename", "flows_target", "flows_targetuse"}
    assert emptied_tables | {DBTaskResult._meta.db_table} <= set(PERSONAL_DATA_TABLES)
