"""Flows with warnings, found by the database without loading their snapshots.

The mirror stores whether a flow's own settings have warnings. The others are about what it points
to, and follow from the names: Twilio no longer has it, or it is a draft. The sentences are in
flows/checks.
"""

from __future__ import annotations

from collections import Counter

from django.db.models import Count, Exists, OuterRef, Q

from flows.accounts import twilio_accounts
from flows.mirror.models import Flow
from flows.names.models import ResourceName
from flows.search.models import FlowEntry, Target, TargetUse
from flows.twilio.studio.studio_flow import STUDIO_FLOW


def warned_filter() -> Q:
    """Return a condition for entries, by `sid`, of flows with warnings."""
    names = ResourceName.objects.filter(account_sid=OuterRef("account_sid"), sid=OuterRef("value"))
    is_draft = Q(resource=STUDIO_FLOW.name, status="draft")
    faulty_targets = Target.objects.filter(
        Exists(names.filter(is_draft | Q(gone_at__isnull=False)))
    )
    by_settings = Flow.objects.filter(has_warnings=True).values("sid")
    by_targets = TargetUse.objects.filter(target__in=faulty_targets.values("pk"))
    return Q(sid__in=by_settings.union(by_targets.values("flow_sid")))


def count_warned(scope: twilio_accounts.Scope) -> Counter[str]:
    """Return the number of flows with warnings by account, with one query."""
    entries = FlowEntry.objects.filter(warned_filter(), gone_at=None)
    entries = twilio_accounts.filter_scope(entries, scope)
    return Counter(dict(entries.values_list("account_sid").annotate(flows=Count("sid"))))
