"""A bulk change creates no flow that something else created since it was drafted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from flows.desired_state.flow_file import read_flow_file
from flows.desired_state.planning import prepare
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import drafts
from flows.plans.models import Plan, PlannedChange
from flows.plans.repeated_creations import CREATED_MEANWHILE, find_skip_reason
from flows.redaction.redacted import redact_fields
from tests import ACCOUNT
from tests.flows.plans.running import NEW_FLOW, run_to_end

pytestmark = pytest.mark.django_db(transaction=True)
SMS_FLOW = {**NEW_FLOW, "channel_type": "sms", "contact_identity": "+1 415 555 0188"}
LATER = timedelta(hours=1)


def draft(*flows) -> Plan:
    changes = [
        PlannedChange(
            action="flow.create",
            account_sid=ACCOUNT,
            friendly_name=flow["friendly_name"] or "",
            requested=flow,
        )
        for flow in flows
    ]
    return drafts.save_draft("New flows", changes, created_by="omar")


def skip_reasons(plan):
    return [change.skip_reason for change in plan.changes.order_by("position")]


def add_outside(sandbox, *, created_after=LATER, **fields):
    """Create a flow at Twilio, and sync it. Its date is relative to now."""
    sid = sandbox.add_flow(**fields)
    date = (timezone.now() + created_after).strftime("%Y-%m-%dT%H:%M:%SZ")
    sandbox.flows[sid]["date_created"] = date
    sync_account(ACCOUNT)
    return sid


@pytest.mark.parametrize("flow", [NEW_FLOW, SMS_FLOW])
def test_second_draft_of_the_same_flow_creates_it_once(sandbox, operator_actor, flow):
    sync_account(ACCOUNT)
    spelled = {**flow, "contact_identity": "+14155550188"} if "contact_identity" in flow else flow
    first, second = draft(flow), draft(spelled)

    statuses = [run_to_end(plan, operator_actor) for plan in (first, second)]

    assert statuses == [["made"], ["skipped"]]
    assert skip_reasons(second) == [CREATED_MEANWHILE]
    assert len(sandbox.flows) == 1


def test_drafts_of_one_desired_state_create_its_flows_once(sandbox, operator_actor):
    sync_account(ACCOUNT)
    text = """
        flows:
          - friendly_name: Declared
            channel_type: web
            chat_service_sid: ISaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            integration_type: studio
            integration_flow_sid: FWbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    """
    plans = [
        drafts.save_draft("State", prepare(read_flow_file(text)).changes, created_by="omar")
        for _ in range(2)
    ]

    assert [run_to_end(plan, operator_actor) for plan in plans] == [["made"], ["skipped"]]


def test_two_equal_flows_of_one_draft_are_both_created(sandbox, operator_actor):
    sync_account(ACCOUNT)

    assert run_to_end(draft(NEW_FLOW, NEW_FLOW), operator_actor) == ["made", "made"]

    assert len(sandbox.flows) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"friendly_name": "new"},
        {"channel_type": "whatsapp"},
        {"contact_identity": "+14155550199"},
        {"contact_identity": None},
    ],
)
def test_other_flow_doesnt_count(sandbox, operator_actor, other):
    sync_account(ACCOUNT)
    first, second = draft({**SMS_FLOW, "enabled": False, **other}), draft(SMS_FLOW)

    run_to_end(first, operator_actor)

    assert run_to_end(second, operator_actor) == ["made"]


def test_flow_from_before_the_draft_doesnt_count(sandbox, operator_actor):
    sync_account(ACCOUNT)
    assert run_to_end(draft(NEW_FLOW), operator_actor) == ["made"]

    assert run_to_end(draft(NEW_FLOW), operator_actor) == ["made"]


@pytest.mark.parametrize(("created_after", "status"), [(LATER, "skipped"), (-LATER, "made")])
def test_flow_created_outside_counts_by_its_date(sandbox, operator_actor, created_after, status):
    sync_account(ACCOUNT)
    plan = draft(NEW_FLOW)
    add_outside(sandbox, created_after=created_after, **NEW_FLOW)

    assert run_to_end(plan, operator_actor) == [status]


def test_flow_known_before_the_draft_doesnt_count_though_twilios_clock_is_ahead(
    sandbox, operator_actor
):
    sync_account(ACCOUNT)
    add_outside(sandbox, **NEW_FLOW)

    assert run_to_end(draft(NEW_FLOW), operator_actor) == ["made"]


def test_deleted_flow_doesnt_count(sandbox, operator_actor):
    sync_account(ACCOUNT)
    plan = draft(NEW_FLOW)
    sid = add_outside(sandbox, **NEW_FLOW)
    Flow.objects.filter(pk=sid).update(gone_at=timezone.now())

    assert run_to_end(plan, operator_actor) == ["made"]


@pytest.mark.parametrize("name", ["friendly_name", "contact_identity"])
def test_masked_values_are_not_compared(sandbox, name):
    secret = {**SMS_FLOW, name: "https://example.com/?token=abcdef123456"}
    plan = draft(redact_fields(secret))
    Flow.objects.create(
        sid="FO" + "1" * 32,
        account_sid=ACCOUNT,
        friendly_name=redact_fields(secret)["friendly_name"],
        channel_type="sms",
        resource=redact_fields(secret),
        date_created=timezone.now() + LATER,
        mirrored_at=timezone.now(),
    )

    assert find_skip_reason(plan.changes.get()) == ""
