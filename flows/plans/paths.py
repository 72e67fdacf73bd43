"""Messages that other handlers would get once a bulk change is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flows.accounts import twilio_accounts
from flows.plans.items import PlanItem
from flows.plans.planned_values import collect_values
from flows.routing.load_planned import load_planned
from flows.routing.path_changes import PathChange, sort_changes


def preview_paths(items: Iterable[PlanItem]) -> list[PathChange]:
    """Return how the changes that aren't started yet would change who gets messages, the worst first.

    The accounts are compared one by one.
    """
    changes: list[PathChange] = []
    planned = collect_values(items)
    for account_sid, values in planned.items():
        account = twilio_accounts.account_or_removed(account_sid)
        account_changes = load_planned(account, values).find_changes()
        place = str(account) if len(planned) > 1 else ""
        changes += [replace(each, place=place) for each in account_changes]
    return sort_changes(changes)
