"""Links from the audit log's pages to bulk changes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from flows.audit.models import AuditEvent
from flows.plans.models import Plan, PlannedChange


class PlanLinks:
    """Implementation of the interface in flows/audit/bulk_changes.py."""

    def get(self, plan_id: str) -> Plan | None:
        return Plan.objects.filter(pk=plan_id).first()

    def of_event(self, event: AuditEvent) -> Plan | None:
        if event.request_id:
            plan = Plan.objects.filter(pk=event.request_id).first()
            if plan is not None:
                return plan
        if event.change_id is None:
            return None
        return Plan.objects.filter(changes__change_id=event.change_id).first()

    def change_ids(self, plan_id: str) -> QuerySet[Any]:
        return PlannedChange.objects.filter(plan__id=plan_id).values("change_id")
