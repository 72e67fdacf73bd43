"""Refusals by Twilio and read-only accounts: recorded, enforced and lifted."""

import uuid
from dataclasses import replace

import pytest

from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.changes import flow_changes
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import FlexError, NotSent, OutcomeUnknown, RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import locked_log, received_writes

pytestmark = pytest.mark.django_db(transaction=True)
AC = "AC" + "5a" * 16
VALUES = {"friendly_name": "Nova", "chat_service_sid": "IS" + "1" * 32, "channel_type": "web"}


def refusal(status, code=None):
    return RequestRefused(status=status, code=code)


@pytest.mark.parametrize(
    ("kind", "error", "is_gone"),
    [
        ("list", refusal(403), True),
        ("list", refusal(404, 20404), True),
        ("list", refusal(404), True),
        ("create", refusal(404, 20404), True),
        ("update", refusal(403, 20005), True),
        ("fetch", refusal(404, 20404), False),
        ("update", refusal(404, 20404), False),
        ("delete", refusal(404), False),
        ("update", refusal(400, 20001), False),
        ("list", refusal(401, 20003), False),
        ("list", refusal(429, 20429), False),
        ("fetch", refusal(400, 20410), True),
        ("update", OutcomeUnknown("gone", status=410), False),  # a gateway's own 410
        ("list", OutcomeUnknown("gone", status=410), True),
        ("list", OutcomeUnknown("trouble", status=500), False),
        ("list", NotSent("no connection"), False),
    ],
    ids=str,
)
def test_refusal_of_an_endpoint_is_distinguished_from_one_of_a_flow(kind, error, is_gone):
    assert restrictions.is_endpoint_gone(kind, error) is is_gone


def update(sid, actor, **values):
    return flow_changes.update_flow(
        sid=sid,
        account_sid=ACCOUNT,
        base=None,
        values=values,
        reason="Why",
        actor=actor,
        change_id=uuid.uuid4(),
    )


def test_refused_kind_of_call_is_not_sent_again(sandbox, flow_sid, actor):
    sandbox.inject(
        Fault(
            FaultKind.REFUSE, method="POST", path="/FlexFlows/*", times=None, status=403, code=20403
        )
    )

    assert update(flow_sid, actor, enabled=False).error.status == 403
    write_count = len(received_writes(sandbox))
    with pytest.raises(
        restrictions.OperationUnavailable,
        match=r"Twilio refuses to change flows .status 403, code 20403",
    ):
        update(flow_sid, actor, enabled=False)

    assert len(received_writes(sandbox)) == write_count
    event = AuditEvent.objects.latest("seq")
    assert (event.stage, event.result, event.target_sid, event.reason) == (
        "access",
        "denied",
        flow_sid,
        "Why",
    )


def test_other_kinds_of_call_stay_available(sandbox, flow_sid, actor):
    restrictions.record_response(AC, "update", refusal(403))

    change = flow_changes.create_flow(
        account_sid=AC, values=VALUES, reason="", actor=actor, change_id=uuid.uuid4()
    )

    assert change.error is None


def test_successful_call_lifts_its_refusal(sandbox, flow_sid):
    for kind in ("list", "fetch"):
        restrictions.record_response(AC, kind, refusal(403))

    sync_account(ACCOUNT)
    assert list(Closure.objects.values_list("kind", flat=True)) == ["fetch"]
    mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert not Closure.objects.exists()


@pytest.mark.parametrize(("status", "code"), [(403, 20403), (404, 20404), (410, 20410)])
def test_refused_list_keeps_the_mirror_and_a_404_of_a_flow_deletes_nothing(
    sandbox, flow_sid, status, code
):
    before = Flow.objects.get()
    fault = Fault(FaultKind.REFUSE, path="/FlexFlows", times=None, status=status, code=code)
    sandbox.inject(fault)
    sandbox.inject(replace(fault, path="/FlexFlows/*", status=404, code=20404))

    with pytest.raises(FlexError):
        sync_account(ACCOUNT)
    with pytest.raises(FlexError):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    after = Flow.objects.get()
    assert (after.gone_at, after.resource) == (None, before.resource)
    assert not AuditEvent.objects.filter(action="flow.drift").exists()
    assert restrictions.account_availability(AC).restriction_of("list").closure.status == status


def test_404_of_a_flow_deletes_it_while_flows_are_listed(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    with pytest.raises(RequestRefused):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert Flow.objects.get().gone_at is not None


def test_repeated_refusal_keeps_the_time_of_the_first(sandbox):
    restrictions.record_response(AC, "update", refusal(403))
    first = Closure.objects.get()

    restrictions.record_response(AC, "update", refusal(403, 20403))

    assert Closure.objects.get() == first
    assert Closure.objects.get().since == first.since


def test_read_only_account_can_not_be_changed(sandbox, flow_sid, actor):
    assert restrictions.set_read_only(account_sid=AC, reason="Move to Conversations", actor=actor)

    for change in (
        lambda: update(flow_sid, actor, enabled=False),
        lambda: flow_changes.create_flow(
            account_sid=AC, values=VALUES, reason="", actor=actor, change_id=uuid.uuid4()
        ),
        lambda: flow_changes.delete_flow(
            sid=flow_sid,
            account_sid=ACCOUNT,
            base={},
            reason="",
            actor=actor,
            change_id=uuid.uuid4(),
        ),
    ):
        with pytest.raises(
            restrictions.OperationUnavailable, match="read-only by omar: Move to Conversations"
        ):
            change()

    assert received_writes(sandbox) == []
    assert sync_account(ACCOUNT).flows == 1


def test_read_only_mode_is_logged_when_set_and_lifted(sandbox, flow_sid, actor):
    restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)
    set_event = AuditEvent.objects.latest("seq")
    assert not restrictions.set_read_only(account_sid=AC, reason="Again", actor=actor)
    assert restrictions.lift_read_only(account_sid=AC, reason="Over", actor=actor)
    lift_event = AuditEvent.objects.latest("seq")
    assert not restrictions.lift_read_only(account_sid=AC, reason="", actor=actor)

    recorded = [
        (event.action, event.result, event.reason, event.account_sid)
        for event in (set_event, lift_event)
    ]
    assert recorded == [
        ("account.close", "succeeded", "A freeze", AC),
        ("account.reopen", "succeeded", "Over", AC),
    ]
    assert update(flow_sid, actor, enabled=False).error is None


def test_account_is_not_made_read_only_if_that_can_not_be_logged(sandbox, actor):
    with locked_log(), pytest.raises(restrictions.audit_log.NotRecorded):
        restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)

    assert not Closure.objects.exists()


def test_read_only_site_makes_every_account_read_only(sandbox, staging, actor):
    restrictions.set_read_only(account_sid="", reason="A freeze", actor=actor)

    states = restrictions.availability_by_account().values()
    assert [state.is_read_only for state in states] == [True, True]


def test_read_only_account_leaves_another_writable(sandbox, staging, actor):
    restrictions.set_read_only(account_sid=staging.account_sid, reason="A freeze", actor=actor)

    states = restrictions.availability_by_account()
    assert {sid: state.is_read_only for sid, state in states.items()} == {
        sandbox.account_sid: False,
        staging.account_sid: True,
    }


def test_read_only_mode_of_the_environment_can_not_be_lifted(sandbox, flow_sid, actor, settings):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], is_read_only=True),)

    assert not restrictions.lift_read_only(account_sid=AC, reason="", actor=actor)
    with pytest.raises(restrictions.OperationUnavailable, match="READ_ONLY"):
        update(flow_sid, actor, enabled=False)


def test_retry_deletes_refusals_but_keeps_read_only_mode(sandbox, flow_sid, actor):
    restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)
    restrictions.record_response(AC, "update", refusal(403))

    assert restrictions.retry_endpoints(account_sid=AC, actor=actor)

    assert [row.kind for row in Closure.objects.all()] == ["change"]


def test_change_recorded_before_read_only_mode_is_recognised(sandbox, flow_sid, actor):
    change_id = uuid.uuid4()
    arguments = {
        "sid": flow_sid,
        "account_sid": AC,
        "base": None,
        "values": {"enabled": False},
        "reason": "",
        "actor": actor,
    }
    flow_changes.update_flow(**arguments, change_id=change_id)
    restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)

    with pytest.raises(restrictions.audit_log.AlreadyRecorded):
        flow_changes.update_flow(**arguments, change_id=change_id)


def test_change_does_not_start_after_its_account_became_read_only(
    sandbox, flow_sid, actor, monkeypatch
):
    fetch = mirror.fetch

    def fetch_then_set_read_only(*args, **kwargs):
        flow = fetch(*args, **kwargs)
        restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)
        return flow

    monkeypatch.setattr(mirror, "fetch", fetch_then_set_read_only)
    with pytest.raises(restrictions.OperationUnavailable):
        update(flow_sid, actor, enabled=False)

    assert received_writes(sandbox) == []
    assert [event.result for event in AuditEvent.objects.filter(action="flow.update")] == ["denied"]
