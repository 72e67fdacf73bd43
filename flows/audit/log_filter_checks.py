"""Checks that the values of the log's filters occur in what the user may read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from django.db.models import QuerySet

from flows.accounts import twilio_accounts
from flows.audit import action_registry, bulk_changes, log_paging
from flows.audit.log_query import LogQuery
from flows.audit.models import AuditEntry

_VALUE_LABELS: Final = {
    "action": "action",
    "actor": "user in the log",
    "sid": "flow in the log",
    "account": "account",
    "plan": "bulk change",
}


def unknown_values(
    query: LogQuery, scope: twilio_accounts.Scope, labels: Iterable[str]
) -> dict[str, str]:
    """Return an error message, by parameter, for each value that nothing readable has.

    `labels` are those of all users in the readable part of the log.
    """
    entries = log_paging.filter_accounts(AuditEntry.objects.all(), scope)
    checks: dict[str, Callable[[], bool]] = {
        "action": lambda: _action_exists(query.action, scope),
        "actor": lambda: query.actor in labels,
        "sid": lambda: entries.filter(target_sid=query.sid).exists(),
        "account": lambda: _account_exists(query.account, scope),
        "plan": lambda: _plan_exists(query.plan, entries),
    }
    messages = {}
    for name, exists in checks.items():
        value = query.valid_value(name)
        if value and not exists():
            messages[name] = f"No such {_VALUE_LABELS[name]}: {value}"
    return messages


def _action_exists(action: str, scope: twilio_accounts.Scope) -> bool:
    """Return True for an action that is registered, or that the readable part of the log has."""
    if action_registry.find(action) is not None:
        return True
    return action in log_paging.recorded_actions(scope)


def _account_exists(sid: str, scope: twilio_accounts.Scope) -> bool:
    """Return True for a readable account that the site has or that the log mentions."""
    if scope is not None:
        return sid in scope
    try:
        twilio_accounts.get_account(sid)
    except twilio_accounts.AccountNotConfigured:
        return AuditEntry.objects.filter(account_sid=sid).exists()
    return True


def _plan_exists(plan: str, entries: QuerySet[AuditEntry]) -> bool:
    """Return True for a bulk change that is stored, or that one of these entries belongs to."""
    if bulk_changes.implementation().get(plan) is not None:
        return True
    return entries.filter(request_id=plan).exists()
