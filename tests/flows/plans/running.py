"""Plans for tests: drafts of flows in the sandbox, and their runs by a worker."""

from typing import Final

from django.core.management import call_command
from django_tasks_db.models import DBTaskResult

from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import drafts, items, start_and_stop
from flows.plans.drafts import BulkAction
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT

OTHER_LEASE: Final = "12345678-1234-4234-8234-123456789012"  # of a run in another process
NEW_FLOW: Final = {
    "friendly_name": "New",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "web",
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "3" * 32,
}


def make_plan(sandbox, count=3, kind="disable", value=None, **fields):
    for number in range(count):
        sandbox.add_flow(friendly_name=f"Flow {number:03}", **{"enabled": True, **fields})
    sync_account(ACCOUNT)
    return drafts.plan_bulk_action(
        action=BulkAction(kind, value),
        sids=Flow.objects.order_by("name_folded").values_list("sid", flat=True),
        created_by="omar",
    )


def run_worker():
    """Run the worker until no task is ready."""
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    assert not DBTaskResult.objects.filter(status="FAILED").exists(), DBTaskResult.objects.get(
        status="FAILED"
    ).traceback


def run_to_end(plan, operator_actor, reason="because"):
    assert start_and_stop.start(plan=plan, reason=reason, actor=operator_actor)
    run_worker()
    plan.refresh_from_db()
    return [item.status for item in items.plan_items(plan)]


def values_of(sandbox, name):
    return {sid: FLEX_FLOW.decode(flow).get(name) for sid, flow in sandbox.flows.items()}
