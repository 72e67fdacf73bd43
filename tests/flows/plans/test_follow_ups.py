"""Rollback and retry of bulk changes, through to Twilio."""

import pytest

from flows.audit.models import AuditEvent
from flows.changes import reconcile
from flows.plans import follow_ups, import_draft, items, skip_rules, start_and_stop
from flows.plans.import_draft import ImportEntry
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import (
    SECRET_URL,
    dump_tables,
)
from tests.flows.plans.running import (
    NEW_FLOW,
    make_plan,
    run_to_end,
    values_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_rollback_restores_the_exact_values(sandbox, operator_actor):
    plan = make_plan(sandbox, kind="webhook_host", value="new.example.com:8443", integration_type="external",
                  integration_url=SECRET_URL)  # fmt: skip
    before = values_of(sandbox, "integration_url")

    assert run_to_end(plan, operator_actor) == ["made"] * 3
    assert all(
        "new.example.com:8443" in url and "canary" in url
        for url in values_of(sandbox, "integration_url").values()
    )
    rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")
    assert run_to_end(rollback, operator_actor) == ["made"] * 3

    assert values_of(sandbox, "integration_url") == before
    assert "canary" not in dump_tables()
    assert rollback.rollback_of == plan
    rolled_back = AuditEvent.objects.filter(request_id=rollback.pk, stage="outcome").values_list(
        "refers_to", flat=True
    )
    applied = AuditEvent.objects.filter(request_id=plan.pk, stage="outcome").values_list(
        "event_id", flat=True
    )
    assert set(rolled_back) == set(applied)


def test_rollback_of_a_deletion_creates_the_flow_again(sandbox, operator_actor):
    plan = make_plan(sandbox, count=2, kind="delete")
    before = [FLEX_FLOW.decode(flow)["friendly_name"] for flow in sandbox.flows.values()]

    run_to_end(plan, operator_actor)
    assert sandbox.flows == {}
    run_to_end(follow_ups.plan_rollback(plan=plan, created_by="omar"), operator_actor)

    assert sorted(
        FLEX_FLOW.decode(flow)["friendly_name"] for flow in sandbox.flows.values()
    ) == sorted(before)


def test_rollback_of_a_creation_deletes_the_flow(sandbox, operator_actor):
    sid = sandbox.add_flow()
    values = FLEX_FLOW.decode(sandbox.flows[sid])
    entry = ImportEntry(
        values={
            name: values[name] for name in ("friendly_name", "chat_service_sid", "channel_type")
        },
        account_sid="",
    )
    plan = import_draft.plan_import(entries=[entry], created_by="omar")

    assert run_to_end(plan, operator_actor) == ["made"]
    assert len(sandbox.flows) == 2
    assert run_to_end(follow_ups.plan_rollback(plan=plan, created_by="omar"), operator_actor) == [
        "made"
    ]

    assert len(sandbox.flows) == 1


def test_rollback_skips_an_unknown_outcome(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    sandbox.inject(Fault(kind=FaultKind.APPLY_THEN_DROP, method="POST"))
    assert run_to_end(plan, operator_actor) == ["unknown"]

    rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")

    assert rollback.changes.get().skip_reason.startswith("Unknown outcome")
    reconcile.reconcile()
    assert [item.status for item in items.plan_items(plan)] == ["made"]
    assert follow_ups.plan_rollback(plan=plan, created_by="omar").changes.get().requested == {
        "enabled": True
    }


def test_rollback_skips_a_field_that_had_no_value(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1, kind="retry_count", value=2, integration_retry_count=None)
    assert run_to_end(plan, operator_actor) == ["made"]

    change = follow_ups.plan_rollback(plan=plan, created_by="omar").changes.get()

    assert (
        change.skip_reason
        == "Had no retry count before, but Twilio may not allow clearing it. Change it manually."
    )


def test_retry_has_the_failed_changes(sandbox, operator_actor):
    plan = make_plan(sandbox, count=3)
    refused_sid = plan.changes.first().target_sid
    sandbox.inject(
        Fault(
            kind=FaultKind.REFUSE,
            method="POST",
            path=f"/FlexFlows/{refused_sid}",
            status=400,
            code=20001,
        )
    )
    assert sorted(run_to_end(plan, operator_actor)) == ["failed", "made", "made"]

    retry = follow_ups.plan_retry(plan=plan, created_by="omar")

    assert [change.target_sid for change in retry.changes.all()] == [refused_sid]
    assert run_to_end(retry, operator_actor) == ["made"]


def test_retry_omits_changes_that_were_not_started(sandbox, operator_actor):
    entries = [
        ImportEntry(values={**NEW_FLOW, "friendly_name": f"New {number}"}, account_sid="")
        for number in range(2)
    ]
    plan = import_draft.plan_import(entries=entries, created_by="omar")
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    start_and_stop.stop(plan=plan, actor=operator_actor)

    assert not follow_ups.plan_retry(plan=plan, created_by="omar").changes.exists()


def test_failed_creation_with_two_retries_is_made_once(sandbox, operator_actor):
    plan = import_draft.plan_import(
        entries=[ImportEntry(values=NEW_FLOW, account_sid="")], created_by="omar"
    )
    sandbox.inject(Fault(kind=FaultKind.REFUSE, method="POST", status=400, code=20001))
    assert run_to_end(plan, operator_actor) == ["failed"]
    first_retry, second_retry = (
        follow_ups.plan_retry(plan=plan, created_by="omar") for _ in range(2)
    )

    assert [run_to_end(first_retry, operator_actor), run_to_end(second_retry, operator_actor)] == [
        ["made"],
        ["skipped"],
    ]

    assert len(sandbox.flows) == 1


def test_change_is_rolled_back_only_once(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1, kind="delete", enabled=False)
    run_to_end(plan, operator_actor)
    first, second = (follow_ups.plan_rollback(plan=plan, created_by="omar") for _ in range(2))

    assert [run_to_end(first, operator_actor), run_to_end(second, operator_actor)] == [
        ["made"],
        ["skipped"],
    ]

    assert len(sandbox.flows) == 1
    assert (
        follow_ups.plan_rollback(plan=plan, created_by="omar").changes.get().skip_reason
        == skip_rules.ALREADY_ROLLED_BACK
    )
