"""Policies of accounts: what they ask of changes, and that nothing goes around them."""

import uuid
from datetime import UTC, datetime, time

import pytest

from flows.approvals.approvers import find_shortage
from flows.approvals.change_kinds import ChangeKind, kinds_of
from flows.approvals.models import ChangePolicy
from flows.approvals.terms import ApproverPermission, Hours, Terms
from flows.audit.audit_log import AlreadyRecorded
from flows.audit.models import AuditEvent
from flows.availability.restrictions import OperationUnavailable
from flows.changes import change_guard, flow_changes
from flows.plans.models import Plan, PlannedChange
from flows.plans.one_change import make_change
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.flows.approvals import acting
from tests.flows.approvals.acting import ADMINS_SID, ANY, set_policy, writes

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = Hours(days=(0,), opens_at=time(3), closes_at=time(3, 1), time_zone="Europe/Berlin")
STUDIO = {"integration_type": "studio", "contact_identity": "+1", "enabled": True}
EXTERNAL = {"integration_type": "external", "enabled": False}


def test_policy_is_an_event_with_its_reason(actor):
    event = set_policy(Terms(kinds=("delete",), requires_reason=True), actor)

    assert (event.action, event.reason, event.actor_label) == ("policy.set", "Four eyes", "omar")
    assert event.payload.requested == {
        "Policy": "Each change needs a reason. 1 approval by operators and administrators: deletions."
    }
    assert ChangePolicy.objects.get().event_id == event.event_id
    assert set_policy(Terms(kinds=("delete",), requires_reason=True), actor) is None


def test_same_form_twice_sets_it_once(actor):
    from flows.approvals import policies

    common = {
        "account_sid": ACCOUNT,
        "reason": "x",
        "actor": actor,
        "change_id": uuid.uuid4(),
    }
    policies.set_policy(terms=ANY, **common)
    with pytest.raises(AlreadyRecorded):
        policies.set_policy(terms=Terms(), **common)


@pytest.mark.parametrize(
    ("operation", "before", "requested", "kinds"),
    [
        ("update", STUDIO, {"friendly_name": "x"}, set()),
        ("update", STUDIO, {"enabled": False}, {"switch"}),
        ("update", STUDIO, {"contact_identity": "+2"}, {"identity"}),
        ("update", EXTERNAL, {"integration_url": "https://x.example"}, {"webhook"}),
        ("update", EXTERNAL, {"integration_type": "studio"}, {"webhook"}),
        ("update", STUDIO, {"integration_type": "external"}, {"webhook"}),
        ("update", STUDIO, {"integration_type": "task"}, set()),
        ("delete", STUDIO, None, {"delete", "switch"}),
        ("delete", EXTERNAL, None, {"delete"}),
        ("archive", EXTERNAL, {"archived": True}, {"delete"}),
        ("create", None, STUDIO, {"switch", "identity"}),
        ("create", None, {"enabled": False}, set()),
    ],
)
def test_kinds_of_a_change(operation, before, requested, kinds):
    assert kinds_of(FLEX_FLOW, operation, before, requested) == {ChangeKind.ANY, *kinds}


def test_other_kinds_of_changes_are_sent_at_once(sandbox, flow_sid, person):
    set_policy(Terms(kinds=("delete",)))
    omar = acting.actor_of(person("operator"))

    change = flow_changes.set_enabled(
        sid=flow_sid,
        enabled=False,
        reason="",
        actor=omar,
        change_id=uuid.uuid4(),
        account_sid=ACCOUNT,
    )
    assert change.error is None
    assert writes(sandbox) == ["POST"]


def test_change_without_the_required_reason_is_refused_and_logged(sandbox, flow_sid, actor):
    set_policy(Terms(requires_reason=True))

    with pytest.raises(OperationUnavailable, match="requires a reason"):
        flow_changes.set_enabled(
            sid=flow_sid,
            enabled=False,
            reason=" ",
            actor=actor,
            change_id=uuid.uuid4(),
            account_sid=ACCOUNT,
        )
    assert writes(sandbox) == []
    assert AuditEvent.objects.filter(action="flow.update", result="denied").count() == 1


def test_hours_are_those_of_their_time_zone():
    hours = Hours(days=(0,), opens_at=time(8), closes_at=time(18), time_zone="Europe/Berlin")
    monday = datetime(2026, 7, 6, tzinfo=UTC)

    assert hours.contain(monday.replace(hour=6))
    assert not hours.contain(monday.replace(hour=5, minute=59))
    assert not hours.contain(monday.replace(hour=16))
    assert not hours.contain(monday.replace(day=7, hour=9))
    assert str(hours) == "Mon 08:00 to 18:00 (Europe/Berlin)"


def test_outside_its_hours_a_change_becomes_a_request_that_needs_no_approval(
    sandbox, flow_sid, person, monkeypatch
):
    monkeypatch.setattr(Hours, "contain", lambda _hours, _moment: False)
    set_policy(Terms(hours=NIGHT))
    omar = person("operator", "omar")

    request = acting.request_rename(omar, flow_sid)

    assert request.status == "approved"
    with pytest.raises(Exception, match="are sent Mon"):
        acting.apply(request, omar)
    assert writes(sandbox) == []
    monkeypatch.setattr(Hours, "contain", lambda _hours, _moment: True)
    assert acting.apply(request, omar).status == "done"


def test_planned_change_is_refused_when_it_is_sent(sandbox, flow_sid, person):
    """Although the plan was started before the policy was set."""
    plan = Plan.objects.create(title="Off", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    change = PlannedChange.objects.create(
        plan=plan,
        position=0,
        action="flow.update",
        account_sid=ACCOUNT,
        target_sid=flow_sid,
        before=sandbox.flows[flow_sid] | {"enabled": True},
        requested={"enabled": False},
    )
    set_policy(Terms(kinds=("switch",)))

    with pytest.raises(change_guard.RequestRequired):
        make_change(change, reason="Off", actor=acting.actor_of(person("operator")))

    assert writes(sandbox) == []
    denied = AuditEvent.objects.get(action="flow.update", result="denied")
    assert "requires 1 approval" in denied.payload.message


def test_nothing_is_sent_without_a_guard(sandbox, flow_sid, actor, monkeypatch):
    monkeypatch.setattr(change_guard, "_guard", [])

    with pytest.raises(change_guard.NoGuard):
        flow_changes.set_enabled(
            sid=flow_sid,
            enabled=False,
            reason="",
            actor=actor,
            change_id=uuid.uuid4(),
            account_sid=ACCOUNT,
        )
    assert writes(sandbox) == []


def test_policy_without_enough_users_says_so(person):
    terms = Terms(kinds=("any",), approver_permission=ApproverPermission.SET_POLICY)
    assert find_shortage(ACCOUNT, terms) == (
        "This policy can't be satisfied: 1 approval is needed, and no users can approve."
    )
    person("admin", "adam")
    person("operator")
    assert "for everyone" in find_shortage(ACCOUNT, terms)
    person("admin", "eva")
    assert find_shortage(ACCOUNT, terms) == ""
    assert find_shortage(ACCOUNT, Terms()) == ""


def test_inactive_users_approve_nothing(person):
    for name in ("one", "two"):
        user = person("admin", name)
        user.is_active = False
        user.save()
    assert "no users can approve" in find_shortage(ACCOUNT, ANY)


def test_account_without_a_policy_sends_at_once(sandbox, flow_sid, actor):
    set_policy(ANY, ADMINS_SID)
    set_policy(Terms(), ADMINS_SID)

    flow_changes.set_enabled(
        sid=flow_sid,
        enabled=False,
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
        account_sid=ACCOUNT,
    )
    assert writes(sandbox) == ["POST"]
