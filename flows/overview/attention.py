"""What needs attention: sentences with their figures and links, the most urgent first.

Restrictions such as read-only are not among them, because every page shows them at its top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Case, Count, QuerySet, Value, When
from django.urls import reverse

from flows.accounts.twilio_accounts import Scope
from flows.audit import log_paging
from flows.audit.actions import AuditAction
from flows.audit.log_query import UNRESOLVED, LogQuery
from flows.audit.models import OpenDrift
from flows.changes import reconcile
from flows.core import time_text
from flows.mirror import freshness
from flows.mirror.freshness import Freshness
from flows.overview.log_status import LogStatus
from flows.overview.unfinished_plans import UnfinishedPlan
from flows.plans.status import PlanStatus
from flows.search.query import Query

_UNDECIDED, _UNKNOWN, _EXTERNAL = "undecided", "unknown", "external"


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """One sentence. `shape` is the class of its mark, as in the status of a change."""

    shape: str
    sentence: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """Numbers of changes with an unknown outcome, and of flows with external changes."""

    undecided: int  # changes that need a user's decision
    unknown: int  # other changes with an unknown outcome
    external: int


def count_open(scope: Scope) -> OpenCounts:
    """Return what is open in the accounts of the scope, with one query."""
    changes = reconcile.unresolved_changes(scope).prefetch_related(None).order_by()
    kind = Case(When(ambiguity="", then=Value(_UNKNOWN)), default=Value(_UNDECIDED))
    change_counts = changes.values(kind=kind).annotate(number=Count("pk"))
    drift = log_paging.filter_accounts(OpenDrift.objects.all(), scope, "event").order_by()
    drift_count = drift.values(kind=Value(_EXTERNAL)).annotate(
        number=Count("target_sid", distinct=True)
    )
    counts = Counter(dict(_as_pairs(change_counts).union(_as_pairs(drift_count), all=True)))
    return OpenCounts(counts[_UNDECIDED], counts[_UNKNOWN], counts[_EXTERNAL])


def find_items(
    *,
    open_counts: OpenCounts,
    warned_counts: Mapping[str, int],
    mirrors: Sequence[Freshness],
    plans: Sequence[UnfinishedPlan],
    has_more_plans: bool,
    log: LogStatus | None,
    can_decide: bool,
) -> list[AttentionItem]:
    """Return what needs attention.

    `warned_counts` are the numbers of flows with warnings by account. `log` is None for users who
    may not see its state. `can_decide` is True for those who may decide about all of them.
    """
    return [
        *_log_items(log),
        *_change_items(open_counts, can_decide=can_decide),
        *_sync_items(mirrors, freshness.FAILED),
        *_plan_items(plans, has_more=has_more_plans),
        *_drift_items(open_counts.external),
        *_sync_items(mirrors, freshness.PARTIAL),
        *_sync_items(mirrors, freshness.NEVER),
        *_warning_items(warned_counts, mirrors),
    ]


def _log_items(log: LogStatus | None) -> Iterator[AttentionItem]:
    if log is None or log.verification is None or not log.is_broken:
        return
    verified_at = time_text.ago(log.verification.event.at)
    url = reverse("audit:list") + LogQuery(action=AuditAction.VERIFY).url()
    yield AttentionItem(
        "bad", "The audit log was altered", url, f"Found by the last verification, {verified_at}."
    )


def _change_items(counts: OpenCounts, *, can_decide: bool) -> Iterator[AttentionItem]:
    url = reverse("audit:list") + LogQuery(result=UNRESOLVED).url()
    if counts.undecided:
        verb = "needs" if counts.undecided == 1 else "need"
        changes = _format_count(counts.undecided, "change")
        detail = (
            "Reading from Twilio can't tell the outcome. Until someone decides, the flow is locked."
        )
        decision = "your decision" if can_decide else "a decision"
        yield AttentionItem("doubt", f"{changes} {verb} {decision}", url, detail)
    if counts.unknown:
        verb = "has" if counts.unknown == 1 else "have"
        changes = _format_count(counts.unknown, "change")
        detail = "Each sync tries to find out by reading from Twilio."
        yield AttentionItem("doubt", f"{changes} {verb} an unknown outcome", url, detail)


def _drift_items(flows: int) -> Iterator[AttentionItem]:
    if flows:
        verb = "was" if flows == 1 else "were"
        sentence = f"{_format_count(flows, 'flow')} {verb} changed outside this dashboard"
        yield AttentionItem("doubt", sentence, reverse("flows:drift"), "Not reviewed yet.")


def _warning_items(
    warned_counts: Mapping[str, int], mirrors: Sequence[Freshness]
) -> Iterator[AttentionItem]:
    """Yield a sentence for each of these accounts that has flows with warnings, most of them first.

    It names the account if flows of several have warnings, also of one that the site no longer has.
    """
    accounts = {mirror.account.sid: mirror.account for mirror in mirrors if mirror.account}
    is_one_of_several = len({*accounts, *warned_counts}) > 1
    for sid, flows in sorted(warned_counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if sid not in accounts:
            continue
        verb = "has" if flows == 1 else "have"
        sentence = f"{_format_count(flows, 'flow')} {verb} warnings"
        query = Query(warnings="true")
        if is_one_of_several:
            sentence = f"{accounts[sid]}: {sentence}"
            query = replace(query, account=sid)
        url = reverse("flows:list") + query.url()
        yield AttentionItem(
            "doubt", sentence, url, "Twilio accepts them, but something looks wrong."
        )


def _sync_items(mirrors: Sequence[Freshness], state: str) -> Iterator[AttentionItem]:
    """Yield a sentence for each account whose last sync has this state."""
    for mirror in mirrors:
        if mirror.state == state:
            shape, sentence, detail = _describe_sync(mirror)
            yield AttentionItem(shape, sentence, reverse("accounts:list"), detail)


def _describe_sync(mirror: Freshness) -> tuple[str, str, str]:
    """Return the shape, the sentence and the detail about a sync that is not complete."""
    name = mirror.account.name if mirror.account else ""
    age = f"Last successful sync {time_text.ago(mirror.sync.synced_at)}."
    match mirror.state:
        case freshness.FAILED:
            if not mirror.sync.synced_at:
                age = "No flows have been synced yet."
            return "bad", f"Syncing {name or 'with Twilio'} failed", age
        case freshness.PARTIAL:
            detail = freshness.describe_missing(mirror.sync)
            return "doubt", f"{name or 'The flows'}: partly synced", detail
    return (
        "none",
        f"{name or 'The flows'}: never synced",
        "No flows have been read from Twilio yet.",
    )


def _plan_items(plans: Sequence[UnfinishedPlan], *, has_more: bool) -> Iterator[AttentionItem]:
    described = [(*_describe_plan(each), each) for each in plans]
    for _, shape, state, each in sorted(described, key=lambda row: row[0]):
        url = reverse("flows:plan", args=[each.plan.pk])
        flows_left = f"{_format_count(each.flows_left, 'flow')} left."
        yield AttentionItem(shape, f"{state}: {each.plan.title}", url, flows_left)
    if has_more:
        yield AttentionItem("none", "More bulk changes are unfinished", reverse("flows:plans"))


def _describe_plan(unfinished: UnfinishedPlan) -> tuple[int, str, str]:
    """Return the urgency (0 is the highest), the shape and the state of a bulk change."""
    if unfinished.is_waiting:
        return 0, "bad", "Bulk change waits for a worker"
    match unfinished.plan.status:
        case PlanStatus.STOPPED:
            return 1, "stop", "Bulk change stopped"
        case PlanStatus.DRAFT:
            return 3, "none", "Your draft of a bulk change"
    return 2, "busy", "Bulk change in progress"


def _as_pairs(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    return rows.values_list("kind", "number")


def _format_count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
