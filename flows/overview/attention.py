"""What needs attention: sentences with their figures and links, the most urgent first.

Restrictions such as read-only are not among them, because every page shows them at its top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Case, Count, QuerySet, Value, When
from django.urls import reverse

from flows.accounts.twilio_accounts import Scope
from flows.approvals.actions import RequestAction
from flows.approvals.reading import (
    UNAPPROVED_SHOWN,
    recent_unapproved_rollbacks,
    recently_without_approval,
    waiting_for,
)
from flows.audit import log_paging
from flows.audit.actions import AuditAction
from flows.audit.log_query import UNRESOLVED, LogQuery
from flows.audit.models import OpenDrift
from flows.changes import reconcile
from flows.checks.finding_counts import CheckState, SeverityCounts
from flows.core import time_text
from flows.migration.actions import MigrationAction
from flows.migration.unserved import Handler
from flows.migration.unserved_numbers import NeedyMigration
from flows.mirror import freshness
from flows.mirror.freshness import Freshness
from flows.notifications.services import failing_subscriptions
from flows.overview.log_status import LogStatus
from flows.overview.unfinished_plans import UnfinishedPlan
from flows.plans.status import PlanStatus
from flows.schedules.reading import needing_attention
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


@dataclass(frozen=True, slots=True)
class OwnCounts:
    """Numbers of what concerns one user."""

    waiting_requests: int = 0  # change requests that wait for the user
    failing_notifications: int = 0  # notifications that don't arrive
    stopped_schedules: int = 0  # scheduled changes that are suspended or overdue
    bypasses: int = 0  # change requests that were lately applied without approval
    unapproved_rollbacks: int = 0  # migrations with a rollback that lately started without approval


NO_OWN: Final = OwnCounts()


def count_own(user: User, scope: Scope) -> OwnCounts:
    """Return what concerns the user in the accounts of the scope, with one query."""
    queries: dict[str, QuerySet[Any, Any]] = {
        "requests": waiting_for(user, scope),
        "notifications": failing_subscriptions(user),
        "schedules": needing_attention(scope),
        "bypasses": recently_without_approval(scope),
        "rollbacks": recent_unapproved_rollbacks(scope),
    }
    first, *others = (
        _as_pairs(
            rows.order_by().values(kind=Value(kind)).annotate(number=Count("pk", distinct=True))
        )
        for kind, rows in queries.items()
    )
    counts = Counter(dict(first.union(*others, all=True)))
    return OwnCounts(
        waiting_requests=counts["requests"],
        failing_notifications=counts["notifications"],
        stopped_schedules=counts["schedules"],
        bypasses=counts["bypasses"],
        unapproved_rollbacks=counts["rollbacks"],
    )


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
    checks: Mapping[str, CheckState],
    finding_counts: Mapping[str, SeverityCounts],
    mirrors: Sequence[Freshness],
    plans: Sequence[UnfinishedPlan],
    has_more_plans: bool,
    log: LogStatus | None,
    can_decide: bool,
    migrations: Sequence[NeedyMigration] = (),
    own_counts: OwnCounts = NO_OWN,
) -> list[AttentionItem]:
    """Return what needs attention.

    `warned_counts` are the numbers of flows with warnings by account. They count for accounts that
    were never checked. `checks` are the last checks of the others by account, and `finding_counts`
    the numbers of what they found. `log` is None for users who may not see its state. `can_decide`
    is True for those who may decide about all of them.
    """
    errors, other_findings = _finding_items(finding_counts, checks, mirrors)
    unchecked = {sid: flows for sid, flows in warned_counts.items() if sid not in checks}
    return [
        *_log_items(log),
        *_migration_items(migrations),
        *_change_items(open_counts, can_decide=can_decide),
        *_schedule_items(own_counts.stopped_schedules),
        *_bypass_items(own_counts.bypasses),
        *_rollback_items(own_counts.unapproved_rollbacks),
        *_request_items(own_counts.waiting_requests),
        *_sync_items(mirrors, freshness.FAILED),
        *errors,
        *_plan_items(plans, has_more=has_more_plans),
        *_drift_items(open_counts.external),
        *_sync_items(mirrors, freshness.PARTIAL),
        *_sync_items(mirrors, freshness.NEVER),
        *_notification_items(own_counts.failing_notifications),
        *other_findings,
        *_warning_items(unchecked, mirrors),
    ]


def _log_items(log: LogStatus | None) -> Iterator[AttentionItem]:
    if log is None or log.verification is None or not log.is_broken:
        return
    verified_at = time_text.ago(log.verification.event.at)
    url = reverse("audit:list") + LogQuery(action=AuditAction.VERIFY).url()
    yield AttentionItem(
        "bad", "The audit log was altered", url, f"Found by the last verification, {verified_at}."
    )


def _migration_items(migrations: Sequence[NeedyMigration]) -> Iterator[AttentionItem]:
    """Yield a sentence for each migration that doesn't go on, those of unserved customers first."""
    for each in sorted(migrations, key=lambda one: not one.is_unserved):
        identity = each.migration.contact_identity or str(each.migration)
        state = "Migration needs you" if each.is_stuck else "Migration takes long"
        if each.is_unserved:
            may = "may be" if each.handler == Handler.UNKNOWN else "are"
            state = f"Customers {may} unserved"
        url = reverse("migration:steps", args=[each.migration.flow_sid])
        yield AttentionItem(
            "bad" if each.is_unserved else "doubt",
            f"{state}: {identity}",
            url,
            each.migration.problem,
        )


def _change_items(counts: OpenCounts, *, can_decide: bool) -> Iterator[AttentionItem]:
    url = reverse("audit:list") + LogQuery(result=UNRESOLVED).url()
    if counts.undecided:
        verb = "needs" if counts.undecided == 1 else "need"
        changes = _format_count(counts.undecided, "change")
        detail = (
            "Twilio's data doesn't show whether it was made. Until someone decides, its flow or other "
            "object can't be changed."
        )
        decision = "your decision" if can_decide else "a decision"
        yield AttentionItem("doubt", f"{changes} {verb} {decision}", url, detail)
    if counts.unknown:
        verb = "has" if counts.unknown == 1 else "have"
        changes = _format_count(counts.unknown, "change")
        detail = "Each sync tries to find out by reading from Twilio."
        yield AttentionItem("doubt", f"{changes} {verb} an unknown outcome", url, detail)


def _request_items(number: int) -> Iterator[AttentionItem]:
    if number:
        verb = "waits" if number == 1 else "wait"
        sentence = f"{_format_count(number, 'change request')} {verb} for you"
        yield AttentionItem("doubt", sentence, reverse("requests:list"))


def _bypass_items(number: int) -> Iterator[AttentionItem]:
    if number:
        verb = "was" if number == 1 else "were"
        sentence = f"{_format_count(number, 'change request')} {verb} applied without approval"
        url = reverse("audit:list") + LogQuery(action=RequestAction.BREAK_GLASS).url()
        detail = f"Someone chose to break glass in the last {UNAPPROVED_SHOWN.days} days."
        yield AttentionItem("bad", sentence, url, detail)


def _rollback_items(number: int) -> Iterator[AttentionItem]:
    if number:
        sentence = f"{_format_count(number, 'migration rollback')} started without approval"
        url = reverse("audit:list") + LogQuery(action=MigrationAction.ROLL_BACK).url()
        detail = (
            f"In the last {UNAPPROVED_SHOWN.days} days. The policy requires approval for some changes, "
            "but a rollback doesn't wait for one."
        )
        yield AttentionItem("doubt", sentence, url, detail)


def _notification_items(number: int) -> Iterator[AttentionItem]:
    if number:
        verb = "doesn't" if number == 1 else "don't"
        sentence = f"{_format_count(number, 'notification')} {verb} arrive"
        yield AttentionItem("doubt", sentence, reverse("notifications:list"))


def _schedule_items(number: int) -> Iterator[AttentionItem]:
    if number:
        verb = "was" if number == 1 else "were"
        sentence = f"{_format_count(number, 'scheduled change')} {verb} not made"
        yield AttentionItem("bad", sentence, reverse("schedules:list"), "Suspended or overdue.")


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


def _finding_items(
    counts: Mapping[str, SeverityCounts],
    checks: Mapping[str, CheckState],
    mirrors: Sequence[Freshness],
) -> tuple[list[AttentionItem], list[AttentionItem]]:
    """Return a sentence for each account with errors, and for each other one with warnings."""
    accounts = {mirror.account.sid: mirror.account for mirror in mirrors if mirror.account}
    errors: list[AttentionItem] = []
    warnings: list[AttentionItem] = []
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1].errors, -pair[1].warnings, pair[0]))
    for sid, severity_counts in ordered:
        has_findings = severity_counts.errors or severity_counts.warnings
        # An account's first check can end between the two queries.
        if sid not in accounts or sid not in checks or not has_findings:
            continue
        is_one_of_several = len({*accounts, *counts}) > 1
        numbers = _format_findings(severity_counts)
        sentence = f"{accounts[sid]}: {numbers}" if is_one_of_several else numbers
        url = reverse("checks:list") + (f"?account={sid}" if is_one_of_several else "")
        item = AttentionItem(
            "bad" if severity_counts.errors else "doubt",
            sentence,
            url,
            _describe_check(checks[sid]),
        )
        (errors if severity_counts.errors else warnings).append(item)
    return errors, warnings


def _format_findings(severity_counts: SeverityCounts) -> str:
    numbers = ((severity_counts.errors, "error"), (severity_counts.warnings, "warning"))
    parts = [_format_count(number, noun) for number, noun in numbers if number]
    return f"The checks found {' and '.join(parts)}"


def _describe_check(check: CheckState) -> str:
    """Return how old the findings of a check are, and how many checks it couldn't make."""
    age = f"Checked {time_text.ago(check.checked_at)}."
    unmet = len(check.unmet_rules)
    if not unmet:
        return age
    return f"{age} {_format_count(unmet, 'check')} could not be made."


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
