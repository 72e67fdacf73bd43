"""One change of a bulk change: conflicts, and flows that are skipped when their turn comes."""

import pytest

from flows.plans import start_and_stop
from tests.faults.acting import (
    append_attempt,
    received_writes,
)
from tests.flows.plans.running import (
    make_plan,
    run_to_end,
    run_worker,
    values_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_flow_changed_since_the_draft_is_a_conflict(sandbox, operator_actor):
    plan = make_plan(sandbox, kind="retry_count", value=2, integration_retry_count=3)
    changed_sid = plan.changes.first().target_sid
    sandbox.edit_flow(changed_sid, integration_retry_count=0)

    assert sorted(run_to_end(plan, operator_actor)) == ["conflict", "made", "made"]

    assert values_of(sandbox, "integration_retry_count")[changed_sid] == 0


def test_flow_changed_since_the_draft_is_not_deleted(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1, kind="delete")
    sandbox.edit_flow(plan.changes.get().target_sid, contact_identity="+15550199")

    assert run_to_end(plan, operator_actor) == ["conflict"]

    assert len(sandbox.flows) == 1


def test_flow_that_already_has_the_value_is_skipped(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    sandbox.edit_flow(plan.changes.get().target_sid, enabled=False)

    assert run_to_end(plan, operator_actor) == ["skipped"]

    assert plan.changes.get().skip_reason == "Already set when its turn came."


def test_flow_with_another_change_in_progress_is_skipped(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    append_attempt(plan.changes.get().target_sid)

    run_worker()

    assert plan.changes.get().skip_reason.startswith("Another change to this flow")
    assert received_writes(sandbox) == []
