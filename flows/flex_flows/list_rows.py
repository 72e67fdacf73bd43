"""What a list of flows shows of each row beside the flow itself.

Each kind is loaded with one query for all rows of a page. The tag that writes the rows is in
flows/templatetags/flow_list_rows.py.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Final

from django.db.models import Model

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.models import OpenChange, OpenDrift
from flows.availability.offered_changes import AvailableActions
from flows.changes import in_flight
from flows.checks import flow_warnings
from flows.checks.target_warnings import load_target_names
from flows.flex_flows.handlers import set_handler_name
from flows.flex_flows.states import mark_under_way
from flows.local_details.fields import Details
from flows.local_details.reading import details_by_sid
from flows.mirror import missing_flows
from flows.mirror.models import Flow

# Tables whose rows the marks of a flow come from. A caller may know that some are empty.
MARK_TABLES: Final[tuple[type[Model], ...]] = (OpenChange, OpenDrift)


def annotate_rows(
    rows: Sequence[Flow],
    actions: AvailableActions,
    *,
    is_complete: bool = False,
    occupied: Container[type[Model]] = MARK_TABLES,
) -> None:
    """Set the account, the handler's name, the warnings and the marks of each flow.

    `is_complete` means that the last sync found no flow missing. `occupied` are those of
    `MARK_TABLES` that have rows.
    """
    _add_marks(rows, occupied, is_complete=is_complete)
    changeable = accounts_with(actions, "update")
    accounts = {account.sid: account for account in twilio_accounts.all_accounts()}
    names = load_target_names((row.account_sid, row.resource) for row in rows)
    for row in rows:
        unconfigured_account = Account(row.account_sid, auth=("", ""))
        row.account = accounts.get(row.account_sid, unconfigured_account)  # type: ignore[attr-defined]
        row.may_change = row.account_sid in changeable  # type: ignore[attr-defined]
        account_names = names[row.account_sid]
        set_handler_name(row, account_names)
        row.warnings = flow_warnings.find_warnings(row.resource, account_names)  # type: ignore[attr-defined]


def add_details(rows: Sequence[Flow]) -> bool:
    """Set the owner and tags of each flow, and return True if one of them has any."""
    details = details_by_sid(row.sid for row in rows)
    for row in rows:
        row.details = details.get(row.sid, Details())  # type: ignore[attr-defined]
    return any(item.owner or item.tags for item in details.values())


def accounts_with(actions: AvailableActions, operation: str) -> set[str]:
    """Return the accounts where the user may make a kind of change, and where it is available."""
    accounts = twilio_accounts.all_accounts()
    return {account.sid for account in accounts if actions.can(operation, account.sid)}


def _add_marks(
    rows: Sequence[Flow], occupied: Container[type[Model]], *, is_complete: bool
) -> None:
    """Set whether each flow is missing or has external changes, and its open change."""
    sids = [row.sid for row in rows]
    missing_sids = set() if is_complete else missing_flows.find_unchecked(sids)
    open_changes = in_flight.open_changes_by_flow(sids) if OpenChange in occupied else {}
    drift_items = OpenDrift.objects.filter(target_sid__in=sids if OpenDrift in occupied else [])
    drifted_sids = set(drift_items.values_list("target_sid", flat=True))
    for row in rows:
        row.is_missing = row.sid in missing_sids  # type: ignore[attr-defined]
        row.has_drifted = row.sid in drifted_sids  # type: ignore[attr-defined]
        row.open_change = mark_under_way(open_changes.get(row.sid))  # type: ignore[attr-defined]
