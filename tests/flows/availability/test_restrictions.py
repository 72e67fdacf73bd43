"""What Twilio has ended and what somebody made read-only: noticed, kept, refused, and opened again."""

import uuid
from dataclasses import replace

import pytest

from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.changes import flow_changes
from flows.mirror import mirror
from flows.mirror.models import Flow
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
    ("kind", "error", "ended"),
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
        (
            "update",
            OutcomeUnknown("gone", status=410),
            False,
        ),  # a gateway's own: no later success could lift it
        ("list", OutcomeUnknown("gone", status=410), True),
        ("list", OutcomeUnknown("trouble", status=500), False),
        ("list", NotSent("no connection"), False),
    ],
    ids=str,
)
def test_refusal_of_the_kind_is_told_from_one_of_the_flow(kind, error, ended):
    assert restrictions.is_endpoint_gone(kind, error) is ended


def update(sid, actor, **values):
    return flow_changes.update_flow(
        sid=sid, base=None, values=values, reason="Why", actor=actor, change_id=uuid.uuid4()
    )


def test_kind_that_twilio_refused_is_not_sent_again(sandbox, flow_sid, actor):
    sandbox.inject(
        Fault(
            FaultKind.REFUSE, method="POST", path="/FlexFlows/*", times=None, status=403, code=20403
        )
    )

    assert update(flow_sid, actor, enabled=False).error.status == 403
    sent = len(received_writes(sandbox))
    with pytest.raises(
        restrictions.OperationUnavailable,
        match=r"Twilio refuses to change flows .status 403, code 20403",
    ):
        update(flow_sid, actor, enabled=False)

    assert len(received_writes(sandbox)) == sent
    refused = AuditEvent.objects.latest("seq")
    assert (refused.stage, refused.result, refused.target_sid, refused.reason) == (
        "access",
        "denied",
        flow_sid,
        "Why",
    )


def test_other_kinds_go_on(sandbox, flow_sid, actor):
    restrictions.record_response(AC, "update", refusal(403))

    change = flow_changes.create_flow(
        account_sid=AC, values=VALUES, reason="", actor=actor, change_id=uuid.uuid4()
    )

    assert change.error is None


def test_kind_that_answers_again_is_open_again(sandbox, flow_sid):
    for kind in ("list", "fetch"):
        restrictions.record_response(AC, kind, refusal(403))

    mirror.sync(ACCOUNT)
    assert list(Closure.objects.values_list("kind", flat=True)) == ["fetch"]
    mirror.fetch(flow_sid)

    assert not Closure.objects.exists()


@pytest.mark.parametrize(("status", "code"), [(403, 20403), (404, 20404), (410, 20410)])
def test_listing_that_ended_leaves_the_copy_and_what_a_404_says_of_a_flow_is_not_believed(
    sandbox, flow_sid, status, code
):
    before = Flow.objects.get()
    fault = Fault(FaultKind.REFUSE, path="/FlexFlows", times=None, status=status, code=code)
    sandbox.inject(fault)
    sandbox.inject(replace(fault, path="/FlexFlows/*", status=404, code=20404))

    with pytest.raises(FlexError):
        mirror.sync(ACCOUNT)
    with pytest.raises(FlexError):
        mirror.fetch(flow_sid)

    now = Flow.objects.get()
    assert (now.gone_at, now.resource) == (None, before.resource)
    assert not AuditEvent.objects.filter(action="flow.drift").exists()
    assert restrictions.account_availability(AC).why("list").closure.status == status


def test_404_of_one_flow_is_believed_while_flows_are_listed(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    with pytest.raises(RequestRefused):
        mirror.fetch(flow_sid)

    assert Flow.objects.get().gone_at is not None


def test_first_refusal_keeps_its_time(sandbox):
    restrictions.record_response(AC, "update", refusal(403))
    first = Closure.objects.get()

    restrictions.record_response(AC, "update", refusal(403, 20403))

    assert Closure.objects.get() == first
    assert Closure.objects.get().since == first.since


def test_nothing_is_changed_in_an_account_that_is_read_only(sandbox, flow_sid, actor):
    assert restrictions.set_read_only(account_sid=AC, reason="Move to Conversations", actor=actor)

    for act in (
        lambda: update(flow_sid, actor, enabled=False),
        lambda: flow_changes.create_flow(
            account_sid=AC, values=VALUES, reason="", actor=actor, change_id=uuid.uuid4()
        ),
        lambda: flow_changes.delete_flow(
            sid=flow_sid, base={}, reason="", actor=actor, change_id=uuid.uuid4()
        ),
    ):
        with pytest.raises(
            restrictions.OperationUnavailable, match="read-only by omar: Move to Conversations"
        ):
            act()

    assert received_writes(sandbox) == []
    assert mirror.sync(ACCOUNT).flows == 1


def test_closing_and_opening_are_on_record(sandbox, flow_sid, actor):
    restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)
    closed = AuditEvent.objects.latest("seq")
    assert not restrictions.set_read_only(account_sid=AC, reason="Again", actor=actor)
    assert restrictions.lift_read_only(account_sid=AC, reason="Over", actor=actor)
    opened = AuditEvent.objects.latest("seq")
    assert not restrictions.lift_read_only(account_sid=AC, reason="", actor=actor)

    said = [
        (event.action, event.result, event.reason, event.account_sid) for event in (closed, opened)
    ]
    assert said == [
        ("account.close", "succeeded", "A freeze", AC),
        ("account.reopen", "succeeded", "Over", AC),
    ]
    assert update(flow_sid, actor, enabled=False).error is None


def test_account_is_not_closed_if_that_can_not_be_recorded(sandbox, actor):
    with locked_log(), pytest.raises(restrictions.audit_log.NotRecorded):
        restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)

    assert not Closure.objects.exists()


def test_site_that_is_read_only_closes_every_account(sandbox, staging, actor):
    restrictions.set_read_only(account_sid="", reason="A freeze", actor=actor)

    assert [state.is_read_only for state in restrictions.availability_by_account().values()] == [
        True,
        True,
    ]


def test_account_alone_leaves_the_other_open(sandbox, staging, actor):
    restrictions.set_read_only(account_sid=staging.account_sid, reason="A freeze", actor=actor)

    assert {
        sid: state.is_read_only for sid, state in restrictions.availability_by_account().items()
    } == {
        sandbox.account_sid: False,
        staging.account_sid: True,
    }


def test_environment_closes_what_no_page_opens(sandbox, flow_sid, actor, settings):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], is_read_only=True),)

    assert not restrictions.lift_read_only(account_sid=AC, reason="", actor=actor)
    with pytest.raises(restrictions.OperationUnavailable, match="READ_ONLY"):
        update(flow_sid, actor, enabled=False)


def test_asking_again_forgets_what_twilio_refused_and_nothing_else(sandbox, flow_sid, actor):
    restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)
    restrictions.record_response(AC, "update", refusal(403))

    assert restrictions.retry_endpoints(account_sid=AC, actor=actor)

    assert [row.kind for row in Closure.objects.all()] == ["change"]


def test_change_that_was_begun_before_tells_its_story(sandbox, flow_sid, actor):
    change_id = uuid.uuid4()
    again = {
        "sid": flow_sid,
        "base": None,
        "values": {"enabled": False},
        "reason": "",
        "actor": actor,
    }
    flow_changes.update_flow(**again, change_id=change_id)
    restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)

    with pytest.raises(restrictions.audit_log.AlreadyRecorded):
        flow_changes.update_flow(**again, change_id=change_id)


def test_no_change_is_begun_after_the_event_that_closed_its_account(
    sandbox, flow_sid, actor, monkeypatch
):
    fetch = mirror.fetch

    def closed_meanwhile(*args, **kwargs):
        seen = fetch(*args, **kwargs)
        restrictions.set_read_only(account_sid=AC, reason="A freeze", actor=actor)
        return seen

    monkeypatch.setattr(mirror, "fetch", closed_meanwhile)
    with pytest.raises(restrictions.OperationUnavailable):
        update(flow_sid, actor, enabled=False)

    assert received_writes(sandbox) == []
    assert [event.result for event in AuditEvent.objects.filter(action="flow.update")] == ["denied"]
