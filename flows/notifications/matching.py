"""Whether a subscription is about an event."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final

from flows.accounts import permissions, twilio_accounts
from flows.audit import action_registry, log_entries
from flows.audit.models import AuditEvent, Result, Stage
from flows.notifications.actions import NotificationAction
from flows.notifications.models import Subscription
from flows.search import flow_search
from flows.search.query import Query

READ_LOG: Final = "flows.view_auditevent"
# Without a choice of actions, these and routine observations are not sent.
UNASKED_ACTIONS: Final = (
    "auth.login",
    "auth.logout",
    "audit.view",
    "flow.view",
    NotificationAction.TEST,
    NotificationAction.REPLAY,
)


def find_matching(subscription: Subscription, events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """Return the events that the subscription is about, and that its owner may read."""
    matching = [event for event in events if _is_chosen(subscription, event)]
    if subscription.owner_id is not None and matching:
        owner = permissions.active_user(str(subscription.owner_id))
        matching = [event for event in matching if can_read(owner, event)]
    if subscription.query and matching:
        sids = _find_flows(subscription.query, {event.target_sid for event in matching})
        matching = [event for event in matching if event.target_sid in sids]
    return matching


def _is_chosen(subscription: Subscription, event: AuditEvent) -> bool:
    """Return True if the event has one of the chosen actions, results and accounts.

    An attempt is never sent: its outcome follows.
    """
    if event.seq <= subscription.start_seq or event.stage == Stage.ATTEMPT:
        return False
    if subscription.results and event.result not in subscription.results:
        return False
    if subscription.account_sids and event.account_sid not in subscription.account_sids:
        return False
    if subscription.actions:
        return event.action in subscription.actions
    return not _is_unasked(event)


def _is_unasked(event: AuditEvent) -> bool:
    action = action_registry.find(event.action)
    if action is not None and action.is_routine:
        return True
    return event.action in UNASKED_ACTIONS and event.result == Result.SUCCEEDED


def can_read(user: Any | None, event: AuditEvent) -> bool:
    """Return True if the user may read the event. None stands for a deactivated user."""
    if user is None:
        return False
    owning_sid = log_entries.owning_account_sid(event.action, event.account_sid)
    return permissions.has_permission(user, READ_LOG, owning_sid or twilio_accounts.ALL_ACCOUNTS)


def _find_flows(query_string: str, sids: Collection[str]) -> set[str]:
    """Return those of these flows that a query of the list finds, or would find undeleted."""
    query = Query.from_query_string(query_string)
    matching_sids = flow_search.select_found(query, sids)
    if not query.enabled:
        matching_sids |= flow_search.select_found(replace(query, enabled="gone"), sids)
    return matching_sids
