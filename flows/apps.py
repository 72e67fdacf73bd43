"""The Django app of the product, which connects its packages at startup."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from flows.twilio.flex import flex_flow  # noqa: F401 - its import registers the resource

# isort: split
# Their import registers the resources. The flow is first: a field's label is that of the first
# resource that has it.
from flows.twilio import flex_resources, named_resources, pageless_resources  # noqa: F401


class FlowsConfig(AppConfig):
    name = "flows"

    def ready(self) -> None:
        """Register objects of upper packages with lower ones, which can't import them.

        The imports are here because models can't be imported earlier.
        """
        from flows.accounts.update_signals import account_updated, sync_ended
        from flows.approvals import consistency as approval_checks
        from flows.approvals import request_schedules, validity
        from flows.approvals.actions import PolicyAction, RequestAction
        from flows.approvals.contents import requested_owner
        from flows.approvals.guard import PolicyGuard
        from flows.approvals.request_target import AccountTarget, ChangeRequestTarget
        from flows.audit import (
            access,
            action_registry,
            bulk_changes,
            consistency,
            protection,
            reserved_ids,
        )
        from flows.audit.actions import AuditAction, DriftAction
        from flows.availability.actions import AvailabilityAction
        from flows.availability.consistency import ReadOnlyCheck
        from flows.changes import change_guard, flow_holds
        from flows.changes.actions import ChangeAction
        from flows.checks import evaluation, flow_rules, flow_surroundings, suppressions
        from flows.checks.actions import FindingAction
        from flows.checks.finding_counts import stored_findings
        from flows.desired_state.actions import DesiredStateAction
        from flows.flex_flows.actions import FlowPageAction
        from flows.local_details.actions import LocalDetailsAction
        from flows.local_details.consistency import flow_details
        from flows.migration import execution
        from flows.migration.actions import MigrationAction
        from flows.migration.begun_steps import step_owner
        from flows.migration.flow_holds import MigrationHolder
        from flows.mirror import snapshot_checks
        from flows.mirror.actions import MirrorAction
        from flows.mirror.consistency import mirror_columns
        from flows.mirror.flow_target import FlowTarget
        from flows.monitor_events.actions import MonitorAction
        from flows.notifications.actions import NotificationAction
        from flows.plans import consistency as plan_checks
        from flows.plans.access import planned_owner
        from flows.plans.actions import PlanAction
        from flows.plans.end_signal import plan_ended
        from flows.plans.log_links import PlanLinks
        from flows.resources.actions import RESOURCE_ACTIONS
        from flows.schedules.actions import ScheduleAction
        from flows.schedules.request_link import ScheduleLink
        from flows.search import finding_filter, index_tables, warned_flows
        from flows.search.actions import SavedViewAction
        from flows.sid_map.actions import SidMapAction
        from flows.webhook_tests.actions import WebhookTestAction

        access.register_target("sid", FlowTarget())
        access.register_target("request_id", ChangeRequestTarget())
        access.register_target("account_sid", AccountTarget())
        change_guard.register(PolicyGuard())
        request_schedules.register(ScheduleLink())
        flow_holds.register(MigrationHolder())
        action_registry.register(MirrorAction, ChangeAction, DriftAction, FlowPageAction)
        action_registry.register(MonitorAction)
        action_registry.register(LocalDetailsAction, WebhookTestAction, SavedViewAction)
        action_registry.register(PlanAction, AvailabilityAction, FindingAction, AuditAction)
        action_registry.register(SidMapAction, MigrationAction, DesiredStateAction)
        action_registry.register(PolicyAction, RequestAction, ScheduleAction, NotificationAction)
        action_registry.register(*RESOURCE_ACTIONS)
        reserved_ids.register(planned_owner, requested_owner, step_owner)
        bulk_changes.register(PlanLinks())
        consistency.register_derived_table(ReadOnlyCheck)
        consistency.register(mirror_columns)
        consistency.register(flow_details)
        consistency.register(index_tables.index_tables)
        consistency.register(plan_checks.bulk_changes)
        consistency.register(plan_checks.statuses)
        consistency.register(plan_checks.unique_keys)
        consistency.register(approval_checks.policies)
        consistency.register(approval_checks.change_requests)
        consistency.register(approval_checks.unique_keys)
        snapshot_checks.register(flow_rules.find_warnings)
        warned_flows.register_accepted(
            warned_flows.AcceptedFlows(
                suppressions.active_rows, flow_surroundings.find_accepted_flows
            )
        )
        finding_filter.register(stored_findings)
        account_updated.connect(evaluation.on_account_updated)
        sync_ended.connect(evaluation.on_sync_ended)
        sync_ended.connect(execution.on_sync_ended)
        plan_ended.connect(validity.on_plan_ended)
        account_updated.connect(validity.on_account_updated)
        sync_ended.connect(validity.on_account_updated)
        protection.register_triggers(index_tables.list_triggers)
        post_migrate.connect(index_tables.repair, sender=self)
        post_migrate.connect(snapshot_checks.check_again, sender=self)
        post_migrate.connect(protection.restore_triggers, sender=self)
