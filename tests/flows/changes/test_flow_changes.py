"""The write protocol, step by step: read, log, send, update the mirror.

The faults of Twilio are in tests/faults.
"""

import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone

from flows.accounts import clients
from flows.audit.audit_log import AlreadyRecorded, NotRecorded
from flows.audit.models import AuditEvent
from flows.changes import in_flight
from flows.changes.flow_changes import Conflict, FlowUnreadable, NothingToChange, OutcomeNotRecorded
from flows.changes.in_flight import ConcurrentChange
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.client import ResourceClient
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.responses import ApiResponse
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    NEW_FLOW,
    SECRET,
    SECRET_URL,
    VERBS,
    BackgroundCall,
    append_attempt,
    applied_writes,
    assert_chain_intact,
    create_flow,
    delete_flow,
    dump_tables,
    failing_inserts,
    locked_log,
    own_events,
    own_stages,
    read_only_database,
    received_writes,
    rename_flow,
    switch_flow,
    wait_for,
)

pytestmark = pytest.mark.django_db

OF_A_FLOW = {name: verb for name, verb in VERBS.items() if name != "create"}
every_verb = pytest.mark.parametrize("act", VERBS.values(), ids=VERBS)
every_verb_of_a_flow = pytest.mark.parametrize("act", OF_A_FLOW.values(), ids=OF_A_FLOW)


def at_twilio(sandbox, sid):
    return FLEX_FLOW.decode(sandbox.flows[sid])


def both_events():
    attempt, outcome = own_events().select_related("payload")
    return attempt, outcome


def writes(sandbox):
    return [(request.method, request.parameters) for request in received_writes(sandbox)]


def test_create(sandbox):
    change = create_flow()

    attempt, outcome = both_events()
    sid = change.after["sid"]
    requested = {name: value for name, value in NEW_FLOW.items() if value is not None}
    assert writes(sandbox) == [("POST", {
        "FriendlyName": "Störungsmeldung Köln", "ChatServiceSid": "IS" + "2" * 32, "ChannelType": "sms",
        "ContactIdentity": "+4923055501", "IntegrationType": "studio", "Enabled": "false",
        "Integration.FlowSid": "FW" + "1" * 32, "Integration.RetryCount": "0",
    })]  # fmt: skip
    assert (attempt.action, attempt.target_sid, attempt.payload.requested) == (
        "flow.create",
        "",
        requested,
    )
    assert (outcome.result, outcome.target_sid, outcome.remote_status) == ("succeeded", sid, 201)
    assert (outcome.payload.before, outcome.payload.requested) == (None, requested)
    assert outcome.payload.after == {**at_twilio(sandbox, sid), "url": change.after["url"]}
    assert outcome.payload.friendly_name == "Störungsmeldung Köln"
    assert Flow.objects.get().resource == outcome.payload.after
    assert (change.event, change.error, change.unexpected_fields, change.merged_fields) == (
        outcome,
        None,
        [],
        [],
    )
    assert_chain_intact(2)


def test_update(sandbox, flow_sid):
    before = Flow.objects.get().resource

    change = rename_flow(
        flow_sid, values={**before, "friendly_name": "Plaintes Lyon", "integration_retry_count": 0}
    )

    attempt, outcome = both_events()
    requested = {"friendly_name": "Plaintes Lyon", "integration_retry_count": 0}
    assert writes(sandbox) == [
        ("POST", {"FriendlyName": "Plaintes Lyon", "Integration.RetryCount": "0"})
    ]
    assert (attempt.stage, attempt.result, attempt.target_sid) == ("attempt", "pending", flow_sid)
    assert (attempt.payload.before, attempt.payload.requested, attempt.payload.after) == (
        before,
        requested,
        None,
    )
    assert attempt.payload.friendly_name == "Réclamations Lyon"
    assert (attempt.remote_status, attempt.remote_request_id, attempt.duration_ms) == (
        None,
        "",
        None,
    )
    assert (outcome.stage, outcome.result, outcome.target_sid) == ("outcome", "succeeded", flow_sid)
    assert (outcome.payload.before, outcome.payload.requested) == (before, requested)
    assert outcome.payload.after["friendly_name"] == "Plaintes Lyon"
    assert (outcome.payload.friendly_name, outcome.payload.contact_identity) == (
        "Plaintes Lyon",
        "+33199000123",
    )
    assert (outcome.remote_status, outcome.remote_code, outcome.payload.message) == (200, None, "")
    assert outcome.remote_request_id.startswith("RQ")
    assert 0 <= outcome.duration_ms < 5000
    for event in (attempt, outcome):
        assert (event.action, event.reason, event.actor_label) == ("flow.update", "because", "omar")
        assert event.changed_fields == ["friendly_name", "integration_retry_count"]
        assert (event.change_id, event.source_ip) == (attempt.change_id, "192.0.2.7")
    assert Flow.objects.get().friendly_name == "Plaintes Lyon"
    assert (change.event, change.error, change.unexpected_fields, change.merged_fields) == (
        outcome,
        None,
        [],
        [],
    )


@pytest.mark.parametrize(
    ("was", "enabled"), [(True, False), (False, True), (None, True), (None, False)]
)
def test_set_enabled(sandbox, flow_sid, was, enabled):
    sandbox.edit_flow(flow_sid, enabled=was)

    change = switch_flow(flow_sid, enabled=enabled)

    assert writes(sandbox) == [("POST", {"Enabled": "true" if enabled else "false"})]
    assert change.event.changed_fields == ["enabled"]
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]
    assert Flow.objects.get().enabled is enabled


def test_delete(sandbox, flow_sid):
    before = Flow.objects.get().resource

    change = delete_flow(flow_sid)

    attempt, outcome = both_events()
    assert writes(sandbox) == [("DELETE", {})]
    assert (attempt.action, attempt.target_sid, attempt.payload.before) == (
        "flow.delete",
        flow_sid,
        before,
    )
    assert (outcome.result, outcome.remote_status, outcome.changed_fields) == ("succeeded", 204, [])
    assert (outcome.payload.before, outcome.payload.after) == (before, None)
    assert outcome.payload.friendly_name == "Réclamations Lyon"
    assert outcome.remote_request_id.startswith("RQ")
    assert Flow.objects.get().gone_at is not None
    assert Flow.objects.get().resource == before
    assert (change.event, change.after) == (outcome, {})


@pytest.mark.parametrize("enabled", [True, False])
def test_set_enabled_as_it_is_already(sandbox, flow_sid, enabled):
    sandbox.edit_flow(flow_sid, enabled=enabled)

    with pytest.raises(NothingToChange):
        switch_flow(flow_sid, enabled=enabled)

    assert (received_writes(sandbox), own_stages()) == ([], [])


@pytest.mark.parametrize("values", [
    {}, {"friendly_name": "Réclamations Lyon"}, {"contact_identity": "+33199000123", "long_lived": False},
    {"integration_retry_count": "3"}, {"integration_url": ""},
])  # fmt: skip
def test_update_of_nothing(sandbox, flow_sid, values):
    with pytest.raises(NothingToChange):
        rename_flow(flow_sid, values=values)

    assert (received_writes(sandbox), own_stages()) == ([], [])


def test_update_that_somebody_made_already(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Plaintes Lyon")

    with pytest.raises(NothingToChange):
        rename_flow(flow_sid)

    assert (received_writes(sandbox), own_stages()) == ([], [])


def test_unsetting_sends_an_empty_value(sandbox, flow_sid):
    rename_flow(flow_sid, values={"contact_identity": ""})

    assert writes(sandbox) == [("POST", {"ContactIdentity": ""})]
    assert Flow.objects.get().contact_identity == ""


def test_fields_that_nobody_knows_are_kept(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, flavour={"new": [1]}, integration_flavour="odd")

    rename_flow(flow_sid)

    outcome = AuditEvent.objects.get(stage="outcome").payload
    for stored in (
        outcome.before,
        outcome.after,
        Flow.objects.get().resource,
        at_twilio(sandbox, flow_sid),
    ):
        assert (stored["flavour"], stored["integration_flavour"]) == ({"new": [1]}, "odd")


def test_difference_between_asked_and_answered_is_told(sandbox, flow_sid, monkeypatch):
    update = ResourceClient.update
    monkeypatch.setattr(
        ResourceClient,
        "update",
        lambda self, sid, values, **_: update(self, sid, {"friendly_name": "PLAINTES"}),
    )

    change = rename_flow(flow_sid, values={"friendly_name": "Plaintes", "enabled": True})

    assert change.unexpected_fields == ["friendly_name"]
    assert change.event.result == "succeeded"
    assert change.event.payload.after["friendly_name"] == "PLAINTES"


def test_secrets_are_sent_and_not_kept(sandbox, flow_sid):
    sid = sandbox.add_flow(
        integration_type="external", integration_url=SECRET_URL, contact_identity="+1"
    )
    sync_account(ACCOUNT)
    newer = SECRET_URL.replace("hooks", "newer")

    rename_flow(
        sid,
        base=mirror.fetch(sid, account_sid=ACCOUNT),
        values={"integration_url": newer},
        reason=f"moved to {newer}",
    )
    create_flow(
        values={
            "integration_type": "external",
            "integration_url": SECRET_URL,
            "integration_flow_sid": None,
        }
    )

    assert [request.parameters["Integration.Url"] for request in applied_writes(sandbox)] == [
        newer,
        SECRET_URL,
    ]
    assert SECRET not in dump_tables()
    assert "newer.example.com" in dump_tables()


def test_disjoint_edit_survives(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, integration_retry_count=1, janitor_enabled=True)

    change = rename_flow(flow_sid)

    flow = at_twilio(sandbox, flow_sid)
    assert (flow["friendly_name"], flow["integration_retry_count"]) == ("Plaintes Lyon", 1)
    assert writes(sandbox) == [("POST", {"FriendlyName": "Plaintes Lyon"})]
    assert change.merged_fields == ["integration_retry_count", "janitor_enabled"]
    assert change.event.payload.before["integration_retry_count"] == 1


@pytest.mark.parametrize("same_second", [False, True])
def test_conflict_is_found_before_anything_is_sent(sandbox, flow_sid, same_second):
    base = Flow.objects.get().resource
    dates = {"date_updated": base["date_updated"]} if same_second else {}
    sandbox.edit_flow(flow_sid, friendly_name="Theirs", **dates)

    with pytest.raises(Conflict) as raised:
        rename_flow(flow_sid, base=base)

    (conflict,) = raised.value.merged.conflicts
    assert (conflict.base, conflict.theirs, conflict.mine) == (
        "Réclamations Lyon",
        "Theirs",
        "Plaintes Lyon",
    )
    assert raised.value.theirs["friendly_name"] == "Theirs"
    assert received_writes(sandbox) == []
    event = own_events().get()
    assert (event.stage, event.result, event.changed_fields) == (
        "outcome",
        "conflict",
        ["friendly_name"],
    )
    assert event.payload.before["friendly_name"] == "Theirs"
    assert event.payload.requested == {"friendly_name": "Plaintes Lyon"}
    assert not in_flight.pending_attempts().exists()
    assert Flow.objects.get().friendly_name == "Theirs"


def test_delete_of_a_renamed_flow_is_a_conflict(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    with pytest.raises(Conflict) as raised:
        delete_flow(flow_sid)

    assert raised.value.merged.their_fields == ["friendly_name"]
    assert raised.value.theirs["friendly_name"] == "Theirs"
    assert received_writes(sandbox) == []
    assert own_stages() == [("outcome", "conflict")]


def test_delete_of_a_flow_edited_otherwise(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, enabled=False)

    assert delete_flow(flow_sid).event.result == "succeeded"


@pytest.mark.parametrize(
    "name", [SECRET_URL, "nul\x00name", None, ""], ids=["secret", "nul", "null", "empty"]
)
def test_delete_of_a_flow_whose_name_is_not_kept_as_it_is(sandbox, flow_sid, name):
    """The base is the mirror's copy: masked, and storable."""
    sandbox.edit_flow(flow_sid, friendly_name=name)
    sync_account(ACCOUNT)

    change = delete_flow(
        flow_sid, base={"friendly_name": Flow.objects.get().value("friendly_name")}
    )

    assert change.event.result == "succeeded"
    assert SECRET not in dump_tables()


@every_verb_of_a_flow
def test_flow_that_is_gone_is_not_read(sandbox, flow_sid, act):
    sandbox.remove_flow(flow_sid)

    with pytest.raises(FlowUnreadable) as raised:
        act(flow_sid)

    event = own_events().get()
    assert raised.value.error.status == 404
    assert (event.stage, event.result, event.remote_status, event.remote_code) == (
        "outcome", "failed", 404, 20404,
    )  # fmt: skip
    assert event.payload.message
    assert received_writes(sandbox) == []
    assert Flow.objects.get().gone_at is not None


@every_verb_of_a_flow
def test_flow_that_cannot_be_read(sandbox, flow_sid, act):
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", status=401, code=20003))

    with pytest.raises(FlowUnreadable):
        act(flow_sid)

    assert own_stages() == [("outcome", "failed")]
    assert received_writes(sandbox) == []
    assert Flow.objects.get().gone_at is None


@every_verb_of_a_flow
def test_flow_that_is_gone_when_the_call_arrives(sandbox, flow_sid, act):
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=404, code=20404))
    sandbox.inject(Fault(FaultKind.REFUSE, method="DELETE", status=404, code=20404))

    change = act(flow_sid)

    assert (change.event.result, change.event.remote_status) == ("failed", 404)
    assert change.error.status == 404
    assert Flow.objects.get().gone_at is not None


@every_verb_of_a_flow
def test_404_of_a_proxy_does_not_mark_a_flow_gone(sandbox, flow_sid, act):
    sandbox.inject(Fault(FaultKind.HTML, method="POST", status=404))
    sandbox.inject(Fault(FaultKind.HTML, method="DELETE", status=404))

    assert act(flow_sid).event.result == "failed"

    assert Flow.objects.get().gone_at is None


@every_verb
def test_replay_is_not_sent_again(sandbox, flow_sid, act):
    change_id = uuid.uuid4()
    change = act(flow_sid, change_id=change_id)

    with pytest.raises(AlreadyRecorded) as raised:
        act(flow_sid, change_id=change_id)

    assert raised.value.event == change.event
    assert len(received_writes(sandbox)) == 1
    assert_chain_intact(2)


@every_verb
def test_replay_of_a_change_that_failed_is_not_sent_again(sandbox, flow_sid, act):
    change_id = uuid.uuid4()
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=400))
    sandbox.inject(Fault(FaultKind.REFUSE, method="DELETE", status=400))
    act(flow_sid, change_id=change_id)

    with pytest.raises(AlreadyRecorded) as raised:
        act(flow_sid, change_id=change_id)

    assert raised.value.event.result == "failed"
    assert len(received_writes(sandbox)) == 1


@every_verb_of_a_flow
def test_replay_of_a_change_that_was_not_read_is_not_sent(sandbox, flow_sid, act):
    change_id = uuid.uuid4()
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", status=401, code=20003, times=1))
    with pytest.raises(FlowUnreadable):
        act(flow_sid, change_id=change_id)

    with pytest.raises(AlreadyRecorded) as raised:
        act(flow_sid, change_id=change_id)

    assert raised.value.event.result == "failed"
    assert received_writes(sandbox) == []


def test_replay_of_a_conflict_is_not_sent(sandbox, flow_sid):
    change_id, base = uuid.uuid4(), Flow.objects.get().resource
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    with pytest.raises(Conflict):
        rename_flow(flow_sid, base=base, change_id=change_id)

    with pytest.raises(AlreadyRecorded):
        rename_flow(flow_sid, base=mirror.fetch(flow_sid, account_sid=ACCOUNT), change_id=change_id)

    assert received_writes(sandbox) == []


@every_verb_of_a_flow
def test_change_beside_an_open_one_is_refused(sandbox, flow_sid, act):
    open_one = append_attempt(flow_sid)

    with pytest.raises(ConcurrentChange) as raised:
        act(flow_sid)

    assert raised.value.event == open_one
    assert received_writes(sandbox) == []
    assert own_stages() == [("attempt", "pending")]


@pytest.mark.parametrize("settled", ["succeeded", "failed", "applied", "not_applied"])
@every_verb_of_a_flow
def test_open_change_holds_back_the_next_until_it_is_settled_however_old(
    sandbox, flow_sid, act, settled
):
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() - timedelta(days=30)):
        dead = append_attempt(flow_sid)

    with pytest.raises(ConcurrentChange) as raised:
        act(flow_sid)

    assert (raised.value.event, received_writes(sandbox)) == (dead, [])
    stage = "outcome" if settled in ("succeeded", "failed") else "reconciled"
    append_attempt(flow_sid, stage=stage, result=settled, change_id=dead.change_id)
    assert act(flow_sid).event.result == "succeeded"
    assert len(received_writes(sandbox)) == 1


@pytest.mark.parametrize("is_settled", [False, True])
@every_verb_of_a_flow
def test_change_of_unknown_outcome_holds_back_the_next_until_it_is_settled(
    sandbox, flow_sid, act, is_settled
):
    change_id = append_attempt(flow_sid).change_id
    unknown = append_attempt(flow_sid, stage="outcome", result="unknown", change_id=change_id)
    if is_settled:
        append_attempt(flow_sid, stage="reconciled", result="not_applied", change_id=change_id)
        assert act(flow_sid).event.result == "succeeded"
    else:
        with pytest.raises(ConcurrentChange) as raised:
            act(flow_sid)
        assert raised.value.event == unknown
    assert len(received_writes(sandbox)) == is_settled


def test_change_is_taken_for_dead_only_after_its_calls_can_last():
    assert clients.ATTEMPT_TIMEOUT.total_seconds() > 2 * clients.WRITE_DEADLINE


def test_create_is_not_held_back_by_another(sandbox, flow_sid):
    append_attempt(flow_sid)
    append_attempt("", action="flow.create")

    assert create_flow().event.result == "succeeded"


def not_recorded(sandbox, act, sid):
    with pytest.raises(NotRecorded):
        act(sid)
    assert received_writes(sandbox) == []


@pytest.mark.django_db(transaction=True)
@every_verb
def test_nothing_is_sent_while_the_log_is_locked(sandbox, flow_sid, act):
    with locked_log():
        not_recorded(sandbox, act, flow_sid)

    assert own_stages() == [("access", "denied")]


@pytest.mark.django_db(transaction=True)
@every_verb
@pytest.mark.parametrize("table", ["flows_auditevent", "flows_auditpayload"])
def test_nothing_is_sent_while_the_log_refuses(sandbox, flow_sid, act, table):
    with failing_inserts(table):
        not_recorded(sandbox, act, flow_sid)

    assert own_stages() == []


@pytest.mark.django_db(transaction=True)
@every_verb
def test_nothing_is_sent_while_the_database_is_read_only(sandbox, flow_sid, act):
    with read_only_database():
        not_recorded(sandbox, act, flow_sid)

    assert own_stages() == []


@pytest.mark.django_db(transaction=True)
@every_verb
def test_nothing_is_sent_after_a_conflict_or_a_failed_read_that_cannot_be_recorded(
    sandbox, flow_sid, act
):
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", status=401))

    with failing_inserts("flows_auditevent"):
        not_recorded(sandbox, act, flow_sid)


@pytest.mark.django_db(transaction=True)
@every_verb
@pytest.mark.parametrize(
    "fault", [None, Fault(FaultKind.REFUSE, method="*"), Fault(FaultKind.APPLY_THEN_DROP)]
)
def test_outcome_that_cannot_be_recorded(sandbox, flow_sid, act, fault, caplog):
    change_id = uuid.uuid4()
    if fault:
        method = "DELETE" if act is delete_flow else "POST"
        sandbox.inject(Fault(fault.kind, method=method, times=9 if act is delete_flow else 1))

    with (
        failing_inserts("flows_auditevent", when="NEW.stage = 'outcome'"),
        pytest.raises(OutcomeNotRecorded) as raised,
    ):
        act(flow_sid, change_id=change_id)

    attempt = own_events().get()
    assert (attempt.stage, raised.value.attempt) == ("attempt", attempt)
    assert (raised.value.error is None) is (fault is None)
    assert list(in_flight.pending_attempts()) == [attempt]
    assert f"outcome of change {change_id} is not recorded" in caplog.text
    with pytest.raises(AlreadyRecorded):
        act(flow_sid, change_id=change_id)
    assert len(applied_writes(sandbox)) <= 1


@pytest.mark.django_db(transaction=True)
def test_connection_that_breaks_during_the_call_does_not_cost_the_outcome(sandbox, flow_sid):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    sandbox.inject(Fault(FaultKind.DRIP, method="POST", seconds=60))
    change = BackgroundCall(lambda: rename_flow(flow_sid))
    wait_for(lambda: applied_writes(sandbox))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    sandbox.release()
    assert change.outcome().event.result == "succeeded"
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]


@pytest.mark.parametrize(
    "error", [ValueError("boom"), MemoryError(), KeyboardInterrupt(), SystemExit(1)]
)
@every_verb
def test_error_of_our_own_during_the_call_is_recorded_as_unknown(
    sandbox, flow_sid, act, error, monkeypatch
):
    for verb in ("create", "update", "delete"):
        monkeypatch.setattr(ResourceClient, verb, mock.Mock(side_effect=error))

    with pytest.raises(type(error)):
        act(flow_sid)

    assert own_stages() == [("attempt", "pending"), ("outcome", "unknown")]
    assert (
        AuditEvent.objects.get(stage="outcome").payload.message
        == "internal error during the request"
    )
    assert not in_flight.pending_attempts().exists()


@pytest.mark.django_db(transaction=True)
def test_error_of_our_own_is_told_even_if_it_cannot_be_recorded(sandbox, flow_sid, monkeypatch):
    monkeypatch.setattr(ResourceClient, "update", mock.Mock(side_effect=ValueError("boom")))

    with (
        failing_inserts("flows_auditevent", when="NEW.stage = 'outcome'"),
        pytest.raises(ValueError, match="boom"),
    ):
        rename_flow(flow_sid)

    assert own_stages() == [("attempt", "pending")]


def test_answer_that_cannot_be_put_into_words_leaves_the_attempt_open(
    sandbox, flow_sid, monkeypatch
):
    """A value that is not JSON: sent, but its outcome can't be logged."""
    answer = ApiResponse({"sid": flow_sid, "odd": object()}, 200, "RQ1")
    monkeypatch.setattr(ResourceClient, "update", mock.Mock(return_value=answer))

    with pytest.raises(OutcomeNotRecorded):
        rename_flow(flow_sid)

    assert own_stages() == [("attempt", "pending")]


@pytest.mark.django_db(transaction=True)
@every_verb
def test_mirror_that_cannot_be_written_does_not_hide_the_outcome(sandbox, flow_sid, act):
    base = Flow.objects.get().resource

    with failing_inserts("flows_flow"):
        change = act(flow_sid)

    assert change.event.result == "succeeded"
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]
    if act is rename_flow:
        assert Flow.objects.get().resource == base
