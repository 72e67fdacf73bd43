"""Findings that a bulk change is expected to create or clear, compared with those after its run."""

import random
from collections import Counter
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.checks.checking import check_accounts
from flows.checks.handling_rules import LEFT_HOST
from flows.checks.models import Suppression
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.names.models import ObjectReading
from flows.plans import collisions, drafts, skip_rules
from flows.plans.findings import preview_plan
from flows.plans.items import ItemStatus, plan_items
from flows.plans.models import PlannedChange
from flows.redaction.redacted import redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.flows.checks.test_checking import (
    NUMBERS,
    READ,
    STUDIO_FLOWS,
    WORKFLOWS,
    WORKSPACES,
    add_objects,
    random_flow,
    read_completely,
)
from tests.flows.plans.running import run_to_end
from tests.property_tests import choose_seeds

pytestmark = pytest.mark.django_db(transaction=True)
sid_numbers = count(1)
EDITS = {
    "friendly_name": ["Support", "SUPPORT", "Claims", "Nacht"],
    "contact_identity": [each for each in NUMBERS if each],
    "enabled": [True, False],
    "channel_type": ["sms", "whatsapp", "web", "custom"],
    "long_lived": [True, False],
    "janitor_enabled": [True, False],
}
INTEGRATIONS = [
    *({"integration_type": "studio", "integration_flow_sid": sid} for sid in STUDIO_FLOWS),
    {"integration_type": "external", "integration_url": "http://h.example/#top"},
    {"integration_type": "external", "integration_url": "https://h.example/"},
    {"integration_type": "external", "integration_url": "https://new.example/in"},
    {"integration_type": "external", "integration_url": "https://other.example/in"},
    *(
        {
            "integration_type": "task",
            "integration_workspace_sid": WORKSPACES[0],
            "integration_workflow_sid": sid,
            **channel,
        }
        for sid in WORKFLOWS
        for channel in ({"integration_channel": "fax"}, {})
    ),
]


def add_random_flows(sandbox, chance, number):
    """Add flows to the sandbox, and sync them."""
    for _ in range(number):
        fields = random_flow(chance)
        variant = fields["integration_type"]  # Twilio's Console drops what it doesn't take
        for field in FLEX_FLOW.nested_fields:
            if not field.is_applicable(variant):
                fields.pop(field.name, None)
        fields["friendly_name"] = fields["friendly_name"] or ""
        fields["channel_type"] = fields["channel_type"] or "web"
        sandbox.add_flow(sid=f"FO{next(sid_numbers):032}", **fields)
    sync_account(ACCOUNT)


def random_values(chance):
    names = chance.sample(sorted(EDITS), k=chance.randint(1, 3))
    values = {name: chance.choice(EDITS[name]) for name in names}
    return values | chance.choice([{}, *INTEGRATIONS])


def random_plan(chance):
    """Draft a plan of updates, deletions and creations, as an import or a bulk action does."""
    planned = []
    for flow in Flow.objects.filter(gone_at=None).order_by("sid"):
        kind = chance.choice(["update", "update", "delete", "nothing"])
        change = drafts.build_change(flow, "flow.update")
        if kind == "delete":
            drafts.prepare_deletion(change, flow.resource)
        elif kind == "update":
            with skip_rules.record_skip(change):
                drafts.request_values(change, flow, random_values(chance))
        if kind != "nothing":
            planned.append(change)
    for _ in range(chance.randint(0, 2)):
        values = {name: chance.choice(EDITS[name]) for name in EDITS}
        values |= {"chat_service_sid": "IS" + "2" * 32} | chance.choice(INTEGRATIONS)
        planned.append(
            PlannedChange(
                action="flow.create", account_sid=ACCOUNT, requested=redact_fields(values)
            )
        )
    chance.shuffle(planned)
    collisions.skip_collisions(planned)
    return drafts.save_draft("A plan", planned, created_by="omar")


def random_moves(chance):
    """Draft a plan that moves many webhooks to one host, deletes some and edits others."""
    planned = []
    moved = external_at(chance)
    for flow in Flow.objects.filter(gone_at=None).order_by("sid"):
        change = drafts.build_change(flow, "flow.update")
        kind = chance.choice([*["move"] * 5, "rename", "studio", "delete", "nothing"])
        if kind == "delete":
            drafts.prepare_deletion(change, flow.resource)
        elif kind != "nothing":
            values = {
                "move": moved,
                "rename": {"friendly_name": f"Flow {chance.random()}"},
                "studio": INTEGRATIONS[0],
            }[kind]
            with skip_rules.record_skip(change):
                drafts.request_values(change, flow, values)
        if kind != "nothing":
            planned.append(change)
    return drafts.save_draft("Moves", planned, created_by="omar")


def external_at(chance):
    host = chance.choice(["old.example", "new.example", "third.example"])
    path = chance.choice(["in", "out"])
    return {"integration_type": "external", "integration_url": f"https://{host}/{path}"}


def find_all_visible():
    """Return what the checks of the account find, without what is suppressed."""
    return check_accounts(twilio_accounts.all_accounts()).findings


def suppress_some(chance):
    Suppression.objects.all().delete()
    for each in find_all_visible():
        if chance.random() < 0.2:
            Suppression.objects.get_or_create(
                sid=each.sid,
                rule_id=each.rule.rule_id,
                defaults={
                    "account_sid": ACCOUNT,
                    "digests": [each.finding.digest],
                    "until": timezone.now().date(),
                    "event_id": "12345678-1234-4234-8234-123456789012",
                },
            )


def check_prediction(sandbox, operator_actor, seed):
    """Compare the findings after a random plan's run with those that its preview predicts."""
    chance = random.Random(seed)
    add_random_flows(sandbox, chance, chance.randint(2, 9))
    suppress_some(chance)
    compare_with_preview(operator_actor, random_plan(chance))


def compare_with_preview(operator_actor, plan):
    before = find_all_visible()
    predicted = preview_plan(plan_items(plan))

    statuses = run_to_end(plan, operator_actor) if plan.included_changes.exists() else []

    failed = [item for item in plan_items(plan, with_payloads=True) if item.status == "failed"]
    assert not failed, [
        (item.change.action, item.change.requested, item.event.payload.message) for item in failed
    ]
    assert {*statuses} <= {ItemStatus.APPLIED, ItemStatus.SKIPPED}
    sids = {
        f"planned-{item.change.position}": item.event.target_sid
        for item in plan_items(plan)
        if item.change.action == "flow.create" and item.event
    }
    after = find_all_visible()

    now, later = zip(*predicted.changed, strict=True) if predicted.changed else ((), ())
    expected = counted(before)
    expected.subtract(counted([*predicted.cleared, *now]))
    expected.update(counted([*predicted.created, *later], sids))
    assert counted(after) == +expected
    assert min(expected.values(), default=0) >= 0
    return after


def counted(findings, sids=None):
    """Return findings to compare. `sids` are those of new flows, by what stood for them."""
    return Counter(
        ((sids or {}).get(each.sid, each.sid), each.rule.rule_id, each.severity, each.message)
        for each in findings
    )


@pytest.fixture
def names(sandbox):
    add_objects()
    read_completely(*READ)
    # As of the names: since after every change of a flow.
    ObjectReading.objects.update(read_at=timezone.now() + timedelta(days=1))


@pytest.mark.parametrize("seed", range(5))
def test_findings_after_a_plan_are_those_of_its_preview(sandbox, operator_actor, names, seed):
    check_prediction(sandbox, operator_actor, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", choose_seeds(5, first=5))
def test_findings_after_many_plans_are_those_of_their_previews(
    sandbox, operator_actor, names, seed
):
    check_prediction(sandbox, operator_actor, seed)


def check_moves(sandbox, operator_actor, seed):
    """Compare the findings after plans that move webhooks with those that their previews predict."""
    chance = random.Random(seed)
    fields = {"channel_type": "web", "enabled": True, **external_at(chance)}
    for number in range(12):
        sid = f"FO{next(sid_numbers):032}"
        sandbox.add_flow(sid=sid, friendly_name=f"Flow {number}", **fields)
    sync_account(ACCOUNT)

    found = [
        each.rule
        for _ in range(4)
        for each in compare_with_preview(operator_actor, random_moves(chance))
    ]

    assert LEFT_HOST in found


@pytest.mark.parametrize("seed", range(2))
def test_hosts_that_flows_leave_are_predicted(sandbox, operator_actor, names, seed):
    check_moves(sandbox, operator_actor, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", choose_seeds(2, first=2))
def test_hosts_that_flows_leave_in_many_plans_are_predicted(sandbox, operator_actor, names, seed):
    check_moves(sandbox, operator_actor, seed)
