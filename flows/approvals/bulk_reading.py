"""A requested bulk change as the request's page shows it: its first rows, and what it would do."""

from __future__ import annotations

from typing import Any, Final

from flows.accounts.twilio_accounts import Scope
from flows.approvals.bulk_contents import are_rows_intact
from flows.approvals.contents import is_intact
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import OPEN
from flows.checks.finding_groups import changes_context
from flows.plans.findings import preview_plan
from flows.plans.items import plan_items
from flows.plans.models import Plan
from flows.plans.paths import preview_paths
from flows.plans.planned_values import changes_twilio
from flows.plans.views.plan_rows import build_rows
from flows.routing import answer_words
from flows.routing.links import plan_routing_url

MAX_ROWS: Final = 50  # the plan's page has all of them


def build_context(request: ChangeRequest, plan: Plan, scope: Scope) -> dict[str, Any]:
    """Return the template context of the rows, and of findings and routing while the request is open."""
    items = [item for item in plan_items(plan) if item.change.content_hash]
    context = {
        "plan": plan,
        "is_erased": not (is_intact(request) and are_rows_intact(request)),
        "rows": build_rows(items[:MAX_ROWS], scope),
        "row_count": len(items),
        "has_finding_changes": False,
    }
    if request.status not in OPEN or not changes_twilio(items):
        return context
    changes = preview_plan(items)
    return {
        **context,
        "has_finding_changes": True,
        **changes_context(
            changes.worse,
            changes.better,
            [request.account_sid],
            is_incomplete=changes.is_incomplete,
        ),
        **answer_words.changes_context(preview_paths(items)),
        "planned_url": plan_routing_url(plan.pk),
    }
