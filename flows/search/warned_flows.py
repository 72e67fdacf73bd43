"""Flows with warnings, found by the database without loading their snapshots.

The mirror stores whether a flow's own settings have warnings. The others are about what it points
to, and follow from the names: Twilio no longer has it, it is a draft, or it is a workflow of another
workspace. The sentences are in flows/checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from flows.accounts import twilio_accounts
from flows.mirror.models import Flow
from flows.mirror.targets import TargetKind
from flows.names.models import ResourceName
from flows.search.models import FlowEntry, Target, TargetUse
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.workflow import WORKFLOW


@dataclass(frozen=True, slots=True)
class AcceptedFlows:
    """Flows whose warnings don't count, because someone has suppressed all of them.

    `rows` returns a query that has a row if there may be some. `find_sids` returns their SIDs.
    """

    rows: Callable[[], QuerySet[Any]]
    find_sids: Callable[[], Collection[str]]


# The suppressions are in an upper package (flows/checks), which registers them here.
_accepted: Final[list[AcceptedFlows]] = []


def register_accepted(accepted: AcceptedFlows) -> None:
    """Add a way to accept warnings."""
    _accepted.append(accepted)


def warned_filter() -> Q:
    """Return a condition for entries, by `sid`, of flows with warnings that count."""
    accepted = {sid for each in _accepted for sid in each.find_sids()}
    return _has_warnings() & ~Q(sid__in=accepted) if accepted else _has_warnings()


def _has_warnings() -> Q:
    names = ResourceName.objects.filter(account_sid=OuterRef("account_sid"), sid=OuterRef("value"))
    is_draft = Q(resource=STUDIO_FLOW.name, status="draft")
    faulty_targets = Target.objects.filter(
        Exists(names.filter(is_draft | Q(gone_at__isnull=False)))
    )
    by_settings = Flow.objects.filter(has_warnings=True).values("sid")
    by_targets = TargetUse.objects.filter(target__in=faulty_targets.values("pk"))
    sids = by_settings.union(
        by_targets.values("flow_sid"), _uses_of_another_workspace().values("flow_sid")
    )
    return Q(sid__in=sids)


def _uses_of_another_workspace() -> QuerySet[TargetUse]:
    """Return the uses of a workflow by flows that have another workspace than the workflow's."""
    name = ResourceName.objects.filter(
        account_sid=OuterRef("target__account_sid"),
        sid=OuterRef("target__value"),
        resource=WORKFLOW.name,
        gone_at=None,
    )
    uses = TargetUse.objects.filter(target__kind=TargetKind.WORKFLOW)
    uses = uses.annotate(parent_sid=Subquery(name.values("parent_sid")[:1])).exclude(parent_sid="")
    workspaces = TargetUse.objects.filter(
        flow_sid=OuterRef("flow_sid"), target__kind=TargetKind.WORKSPACE
    )
    return uses.filter(Exists(workspaces.exclude(target__value=OuterRef("parent_sid"))))


def count_warned(scope: twilio_accounts.Scope) -> Counter[str]:
    """Return the number of flows with warnings by account.

    It takes one query if nothing is suppressed, as on most sites.
    """
    entries = twilio_accounts.filter_scope(FlowEntry.objects.filter(gone_at=None), scope)
    may_be_accepted = Q()
    for each in _accepted:
        may_be_accepted |= Q(Exists(each.rows()))
    warned = entries.filter(_has_warnings()).values_list("account_sid")
    rows = list(warned.annotate(flows=Count("sid"), may_be_accepted=may_be_accepted))
    if any(is_inexact for *_, is_inexact in rows):
        warned = entries.filter(warned_filter()).values_list("account_sid")
        return Counter(dict(warned.annotate(flows=Count("sid"))))
    return Counter({account_sid: flows for account_sid, flows, _ in rows})
