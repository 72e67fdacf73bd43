"""The Django app of the product, which connects its packages at startup."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from flows.twilio import named_resources  # noqa: F401 - its import registers the resources
from flows.twilio.flex import flex_flow  # noqa: F401 - its import registers the resource


class FlowsConfig(AppConfig):
    name = "flows"

    def ready(self) -> None:
        """Register objects of upper packages with lower ones, which can't import them.

        The imports are here because models can't be imported earlier.
        """
        from flows.audit import access, action_registry, bulk_changes, consistency, protection
        from flows.audit.actions import AuditAction, DriftAction
        from flows.availability.actions import AvailabilityAction
        from flows.availability.consistency import ReadOnlyCheck
        from flows.changes.actions import ChangeAction
        from flows.checks import flow_warnings
        from flows.flex_flows.actions import FlowPageAction
        from flows.local_details.actions import LocalDetailsAction
        from flows.local_details.consistency import flow_details
        from flows.mirror import snapshot_checks
        from flows.mirror.actions import MirrorAction
        from flows.mirror.consistency import mirror_columns
        from flows.mirror.flow_target import FlowTarget
        from flows.plans import consistency as plan_checks
        from flows.plans.actions import PlanAction
        from flows.plans.log_links import PlanLinks
        from flows.search import index_tables
        from flows.search.actions import SavedViewAction

        access.register_target("sid", FlowTarget())
        action_registry.register(MirrorAction, ChangeAction, DriftAction, FlowPageAction)
        action_registry.register(LocalDetailsAction, SavedViewAction)
        action_registry.register(PlanAction, AvailabilityAction, AuditAction)
        bulk_changes.register(PlanLinks())
        consistency.register_derived_table(ReadOnlyCheck)
        consistency.register(mirror_columns)
        consistency.register(flow_details)
        consistency.register(index_tables.index_tables)
        consistency.register(plan_checks.bulk_changes)
        consistency.register(plan_checks.statuses)
        consistency.register(plan_checks.unique_keys)
        snapshot_checks.register(flow_warnings.find_warnings)
        protection.register_triggers(index_tables.list_triggers)
        post_migrate.connect(index_tables.repair, sender=self)
        post_migrate.connect(snapshot_checks.check_again, sender=self)
        post_migrate.connect(protection.restore_triggers, sender=self)
