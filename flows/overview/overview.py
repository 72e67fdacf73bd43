"""The figures of the overview for one user, each within the accounts that the user may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.accounts.permissions import can_decide, scope_of
from flows.accounts.twilio_accounts import Scope
from flows.audit import day_counts
from flows.audit.access import Request
from flows.audit.views.histogram import Histogram
from flows.availability import restrictions
from flows.changes import reconcile
from flows.checks import finding_counts
from flows.checks.finding_counts import CheckState
from flows.migration.unserved_numbers import find_needy
from flows.mirror import freshness
from flows.mirror.freshness import Freshness
from flows.mirror.sync import needs_sync
from flows.overview import attention, unfinished_plans
from flows.overview.attention import AttentionItem
from flows.overview.flow_counts import FlowCounts, load_flow_counts
from flows.overview.log_status import LogStatus, load_log_status
from flows.search.warned_flows import count_warned

MAX_DECISIONS: Final = 50  # changes whose resources are looked at


@dataclass(frozen=True, slots=True)
class Overview:
    """The contents of the page. `mirrors` are the accounts' last syncs, the worst first.

    `histogram` is None if nothing was recorded in 30 days or the user may not see the log. `log` is
    None for users who may not see its events on every account.
    """

    flows: FlowCounts
    mirrors: list[Freshness]
    items: list[AttentionItem]
    external_changes: int  # flows
    has_restrictions: bool  # every page shows them at its top
    histogram: Histogram | None
    log: LogStatus | None
    checks: list[CheckState]  # the accounts' last checks

    @property
    def unmade_checks(self) -> int:
        """The number of checks that could not be made for all flows of an account."""
        return len(
            {
                rule_id
                for each in self.checks
                for rule_id in (*each.unmet_rules, *each.outdated_flows)
            }
        )

    @property
    def worst_mirror(self) -> Freshness:
        return freshness.select_worst(self.mirrors)

    @property
    def has_several_accounts(self) -> bool:
        return len(self.mirrors) > 1

    @property
    def has_side_panels(self) -> bool:
        return self.has_several_accounts or self.log is not None

    @property
    def is_stale(self) -> bool:
        """Return True if the page should sync by itself."""
        return any(needs_sync(mirror.sync) for mirror in self.mirrors)

    @property
    def has_flows(self) -> bool:
        return self.flows.total.total > 0

    @property
    def checked_at(self) -> datetime | None:
        """The oldest of the accounts' last complete syncs, or None if one was never synced."""
        times = [mirror.sync.synced_at for mirror in self.mirrors]
        if not times or None in times:
            return None
        return min(filter(None, times))


def load_overview(request: Request) -> Overview:
    """Read the figures from the database, for a request whose scope is "flows.view_flow"."""
    user, scope = request.user, request.scope
    request.states = restrictions.availability_by_account()
    visible_accounts = twilio_accounts.visible_accounts(scope)
    mirrors = freshness.load_freshness(visible_accounts)
    open_counts = attention.count_open(scope)
    plans, has_more_plans = unfinished_plans.load_unfinished_plans(user, scope)
    migrations = find_needy(scope)
    log = load_log_status()
    log_scope = scope_of(user, "flows.view_auditevent")
    checks, findings = finding_counts.load_severities(scope)
    visible_log = log if log_scope is None else None
    items = attention.find_items(
        open_counts=open_counts,
        warned_counts=count_warned(scope),
        checks={check.account_sid: check for check in checks},
        finding_counts=findings,
        mirrors=mirrors,
        plans=plans,
        has_more_plans=has_more_plans,
        log=visible_log,
        can_decide=open_counts.undecided > 0 and _can_decide_all(user, scope),
        migrations=migrations,
        own_counts=attention.count_own(user, scope),
    )
    return Overview(
        flows=load_flow_counts(scope),
        mirrors=mirrors,
        items=items,
        external_changes=open_counts.external,
        has_restrictions=any(request.states[one.sid].restrictions for one in visible_accounts),
        histogram=_build_histogram(log_scope, log.last_seq),
        log=visible_log,
        checks=checks,
    )


def _can_decide_all(user: Any, scope: Scope) -> bool:
    """Return True if the user may decide about all changes that need it, as far as they are read."""
    changes = reconcile.unresolved_changes(scope).exclude(ambiguity="")[:MAX_DECISIONS]
    return all(
        can_decide(user, change.resource, change.attempt.account_sid or "") for change in changes
    )


def _build_histogram(scope: Scope, last_seq: int) -> Histogram | None:
    """Return the chart of the log's last 30 days, or None if there is nothing to draw."""
    if scope == frozenset():
        return None
    query, days = day_counts.count_recent_days(scope, last_seq)
    return Histogram(query, days) if days else None
