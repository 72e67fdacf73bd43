"""Every fault of the sandbox during every change: recorded results against applied requests.

Each request is observed at the sandbox, over a connection of its own.
"""

import copy
import uuid

import pytest

from flows.accounts import clients
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.changes import flow_changes, in_flight, operations
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    VERBS,
    BackgroundCall,
    applied_writes,
    assert_chain_intact,
    create_flow,
    delete_flow,
    own_events,
    own_stages,
    received_writes,
    release_until,
    rename_flow,
    switch_flow,
)

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = {create_flow: "POST", rename_flow: "POST", switch_flow: "POST", delete_flow: "DELETE"}
ENDLESS = {
    FaultKind.HANG, FaultKind.APPLY_THEN_HANG, FaultKind.LATE_APPLY, FaultKind.DRIP, FaultKind.DRIP_HEADERS,
    FaultKind.HUGE,
}  # fmt: skip
every_verb = pytest.mark.parametrize("act", VERBS.values(), ids=VERBS)

# Each fault, as long as it lasts: whether the request is carried out, and what is recorded.
LASTING = {
    "refuse 400": (Fault(FaultKind.REFUSE), False, "failed"),
    "refuse 401": (Fault(FaultKind.REFUSE, status=401, code=20003), False, "failed"),
    "refuse 403": (Fault(FaultKind.REFUSE, status=403, code=20005), False, "failed"),
    "refuse 404": (Fault(FaultKind.REFUSE, status=404, code=20404), False, "failed"),
    "refuse 409": (Fault(FaultKind.REFUSE, status=409, code=20409), False, "failed"),
    "refuse 405": (Fault(FaultKind.REFUSE, status=405, code=20004), False, "failed"),
    "refuse 410": (Fault(FaultKind.REFUSE, status=410, code=20404), False, "failed"),
    "refuse 422": (Fault(FaultKind.REFUSE, status=422, code=20001), False, "failed"),
    "time out 408": (Fault(FaultKind.REFUSE, status=408, code=20001), False, "unknown"),
    "a gateway's 413": (Fault(FaultKind.HTML, status=413), False, "unknown"),
    "too many": (Fault(FaultKind.TOO_MANY, retry_after=0), False, "failed"),
    "server error": (Fault(FaultKind.SERVER_ERROR), False, "unknown"),
    "unavailable": (Fault(FaultKind.SERVER_ERROR, status=503, code=20503), False, "unknown"),
    "applied, server error": (Fault(FaultKind.APPLY_THEN_SERVER_ERROR), True, "unknown"),
    "drop": (Fault(FaultKind.DROP), False, "unknown"),
    "applied, drop": (Fault(FaultKind.APPLY_THEN_DROP), True, "unknown"),
    "hang": (Fault(FaultKind.HANG), False, "unknown"),
    "applied, hang": (Fault(FaultKind.APPLY_THEN_HANG), True, "unknown"),
    "late apply": (Fault(FaultKind.LATE_APPLY), False, "unknown"),
    "drip": (Fault(FaultKind.DRIP, seconds=0.05), True, "unknown"),
    "drip headers": (Fault(FaultKind.DRIP_HEADERS, seconds=0.05), True, "unknown"),
    "fast drip": (Fault(FaultKind.DRIP, seconds=0), True, "succeeded"),
    "truncate": (Fault(FaultKind.TRUNCATE), True, "unknown"),
    "HTML": (Fault(FaultKind.HTML), False, "unknown"),
    "HTML, 200": (Fault(FaultKind.HTML_OK), True, "unknown"),
    "garbage": (Fault(FaultKind.GARBAGE), True, "unknown"),
    "wrong SID": (Fault(FaultKind.WRONG_SID), True, "unknown"),
    "redirect": (Fault(FaultKind.REDIRECT), False, "unknown"),
    "see other": (Fault(FaultKind.REDIRECT, status=303), False, "unknown"),
    "huge": (Fault(FaultKind.HUGE), True, "unknown"),
    "empty": (Fault(FaultKind.EMPTY), True, "unknown"),
    "problem": (Fault(FaultKind.PROBLEM), False, "failed"),
}
# Where a change's nature makes another of it.
OTHERWISE = {
    ("create", "wrong SID"): "succeeded",  # its SID is news to everybody
    ("delete", "wrong SID"): "succeeded",  # a 204 has no body to be wrong
    ("delete", "drip"): "succeeded",
}


@pytest.fixture
def hurry(monkeypatch):
    """Remove pauses between tries and shorten deadlines."""

    def for_fault(fault):
        deadline = 0.4 if fault.kind in ENDLESS else 10

        def make(resource, account_sid):
            client = copy.copy(clients.resource_client(resource, account_sid, deadline=deadline))
            client._sleep = lambda seconds: None
            return client

        monkeypatch.setattr(operations, "resource_client", make)

    return for_fault


def inject(sandbox, fault, act, times=None):
    values = {name: getattr(fault, name) for name in ("status", "code", "retry_after", "seconds")}
    sandbox.inject(Fault(fault.kind, method=METHODS[act], times=times, **values))


def truthful(sandbox, event):
    """Check that no failure was applied and every success was."""
    happened = bool(applied_writes(sandbox))
    return not (event.result == "failed" and happened) and not (
        event.result == "succeeded" and not happened
    )


@pytest.mark.parametrize("name", LASTING)
@every_verb
def test_fault_is_recorded_as_what_it_is(sandbox, flow_sid, hurry, on_arrival, act, name):
    fault, is_applied, result = LASTING[name]
    verb = next(verb for verb, function in VERBS.items() if function is act)
    expected = OTHERWISE.get((verb, name), result)
    base = Flow.objects.get(sid=flow_sid).resource
    hurry(fault)
    inject(sandbox, fault, act)

    change = act(flow_sid)

    event = change.event
    assert (event.result, bool(applied_writes(sandbox))) == (expected, is_applied)
    assert (change.error is None) == (expected == "succeeded")
    assert truthful(sandbox, event)
    assert own_stages() == [("attempt", "pending"), ("outcome", expected)]
    assert on_arrival
    assert all(stages == ["attempt"] for stages in on_arrival)
    assert len(applied_writes(sandbox)) <= 1
    assert event.payload.message or expected == "succeeded"
    assert event.payload.after is None or expected == "succeeded"
    assert_chain_intact(2)
    flow = Flow.objects.get(sid=flow_sid)
    if expected != "succeeded":
        assert {**flow.resource, "url": ""} == {**base, "url": ""}
    says_gone = name == "refuse 404" and act is not create_flow
    assert (flow.gone_at is not None) == (
        says_gone or (act is delete_flow and expected == "succeeded")
    )


# Faults of one try, after which a deletion is tried again.
@pytest.mark.parametrize(
    "name", [name for name, (_, _, result) in LASTING.items() if result == "unknown"]
)
def test_delete_is_tried_again_after_one_fault(sandbox, flow_sid, hurry, on_arrival, name):
    fault, _, _ = LASTING[name]
    hurry(fault)
    inject(sandbox, fault, delete_flow, times=1)

    change = delete_flow(flow_sid)

    assert truthful(sandbox, change.event)
    assert len(applied_writes(sandbox)) <= 1
    assert all(stages == ["attempt"] for stages in on_arrival)
    if len(received_writes(sandbox)) > 1:
        assert (change.event.result, len(applied_writes(sandbox))) == ("succeeded", 1)


@every_verb
def test_any_change_is_tried_again_after_a_429(sandbox, flow_sid, hurry, on_arrival, act):
    fault = Fault(FaultKind.TOO_MANY, retry_after=0)
    hurry(fault)
    inject(sandbox, fault, act, times=1)

    change = act(flow_sid)

    assert change.event.result == "succeeded"
    assert [request.status == 429 for request in received_writes(sandbox)] == [True, False]
    assert len(applied_writes(sandbox)) == 1
    assert on_arrival == [["attempt"]] * 2


@pytest.mark.parametrize("act", [create_flow, rename_flow, switch_flow])
@pytest.mark.parametrize("name", sorted(LASTING.keys() - {"too many"}))
def test_create_and_update_are_never_repeated_blindly(sandbox, flow_sid, hurry, act, name):
    fault, _, _ = LASTING[name]
    hurry(fault)
    inject(sandbox, fault, act, times=1)

    act(flow_sid)

    assert len(received_writes(sandbox)) == 1


@pytest.mark.quick
def test_delete_of_a_flow_that_somebody_else_deleted_between_the_tries(
    sandbox, flow_sid, hurry, monkeypatch
):
    """A 429 means that the first try was not processed, so the 404 of the second is no success."""
    fault = Fault(FaultKind.TOO_MANY, retry_after=0)
    hurry(fault)
    inject(sandbox, fault, delete_flow, times=1)
    enter = sandbox._log.open

    def somebody_else(*, method, **request):
        if method == "DELETE" and received_writes(sandbox):
            sandbox.remove_flow(flow_sid)
        return enter(method=method, **request)

    monkeypatch.setattr(sandbox._log, "open", somebody_else)

    change = delete_flow(flow_sid)

    assert (change.event.result, change.event.remote_status) == ("failed", 404)
    assert Flow.objects.get().gone_at is not None


@pytest.mark.quick
@every_verb
def test_connection_that_is_never_made(sandbox, flow_sid, monkeypatch, act):
    def make(resource, account_sid):
        client = copy.copy(clients.resource_client(resource, account_sid, deadline=0.4))
        client.base_url = "http://127.0.0.1:9/v1"
        client._sleep = lambda seconds: None
        return client

    monkeypatch.setattr(operations, "resource_client", make)

    change = act(flow_sid)

    assert (change.event.result, change.event.remote_status) == ("failed", None)
    assert received_writes(sandbox) == []
    assert change.event.payload.message == "couldn't connect to Twilio"


@pytest.mark.quick
@every_verb
def test_late_apply_happens_after_the_outcome_was_recorded_as_unknown(
    sandbox, flow_sid, hurry, act
):
    fault = Fault(FaultKind.LATE_APPLY)
    hurry(fault)
    inject(sandbox, fault, act)

    change = act(flow_sid)

    assert (change.event.result, applied_writes(sandbox)) == ("unknown", [])
    release_until(sandbox, lambda: applied_writes(sandbox))
    assert AuditEvent.objects.get(stage="outcome").result == "unknown"


@every_verb
def test_attempt_is_committed_while_the_call_hangs(sandbox, flow_sid, act):
    change_id = uuid.uuid4()
    sandbox.inject(Fault(FaultKind.HANG, method=METHODS[act], times=9))
    change = BackgroundCall(lambda: act(flow_sid, change_id=change_id))
    assert sandbox.wait_until_held()

    attempt = own_events().get()

    assert (attempt.change_id, attempt.stage, attempt.result) == (change_id, "attempt", "pending")
    assert attempt.payload.requested or act is delete_flow
    assert list(in_flight.pending_attempts()) == [attempt]
    sandbox.clear_faults()
    sandbox.release()
    assert change.outcome().event.result == ("succeeded" if act is delete_flow else "unknown")


@every_verb
def test_log_is_free_for_others_while_the_call_hangs(sandbox, flow_sid, act):
    """No lock and no transaction is held during the call."""
    sandbox.inject(Fault(FaultKind.HANG, method=METHODS[act], times=9))
    other = sandbox.add_flow(friendly_name="Other")
    sync_account(ACCOUNT)  # one that the log knows can't be what the creation makes
    change = BackgroundCall(lambda: act(flow_sid))
    assert sandbox.wait_until_held()
    sandbox.clear_faults()

    made = flow_changes.set_enabled(
        sid=other,
        account_sid=ACCOUNT,
        enabled=False,
        reason="",
        actor=change_actor(),
        change_id=uuid.uuid4(),
    )

    assert made.event.result == "succeeded"
    assert change.is_alive()
    sandbox.release()
    change.outcome()
    assert_chain_intact(4)


def change_actor():
    return audit_log.Actor(id="8", label="ada")
