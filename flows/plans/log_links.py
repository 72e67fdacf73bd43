"""Bulk changes as the audit log's pages refer to them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from flows.audit.models import AuditEvent
from flows.plans.models import Plan, PlannedChange


class PlanLinks:
    """Answers the log's questions about bulk changes (flows/audit/bulk_changes.py)."""

    def get(self, plan_id: str) -> Plan | None:
        return Plan.objects.filter(pk=plan_id).first()

    def of_event(self, event: AuditEvent) -> Plan | None:
        if event.request_id and (plan := Plan.objects.filter(pk=event.request_id).first()):
            return plan
        if event.change_id is None:
            return None
        return Plan.objects.filter(changes__change_id=event.change_id).first()

    def change_ids(self, plan_id: str) -> QuerySet[Any]:
        return PlannedChange.objects.filter(plan__id=plan_id).values("change_id")
