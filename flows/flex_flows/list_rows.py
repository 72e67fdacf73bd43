"""What a list of flows shows of each row beside the flow itself.

Each kind is loaded with one query for all rows of a page. The rows as HTML are in row_html.py.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Final, NamedTuple

from django.db.models import Model

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.models import OpenChange, OpenDrift
from flows.availability.offered_changes import AvailableActions
from flows.changes import in_flight
from flows.checks.account_warnings import load_account_warnings
from flows.checks.models import Suppression
from flows.checks.suppressions import suppressed_digests
from flows.flex_flows.states import mark_under_way
from flows.local_details.fields import Details
from flows.local_details.reading import details_by_sid
from flows.mirror import missing_flows
from flows.search.listed_flows import ListedFlow

# Tables whose rows the marks of a flow come from. A caller may know that some are empty.
MARK_TABLES: Final[tuple[type[Model], ...]] = (OpenChange, OpenDrift, Suppression)
NO_DETAILS: Final[Mapping[str, Details]] = {}
NO_DIGESTS: Final[frozenset[str]] = frozenset()


class OpenChangeMark(NamedTuple):
    """The open change that a flow waits for: its latest event."""

    event_id: str
    is_under_way: bool


class ListRow(NamedTuple):
    """All that a row of the list shows.

    It never changes, and two with the same contents are equal, so their HTML is the same, too.
    """

    flow: ListedFlow
    account: Account
    can_change: bool  # the user is permitted to, and Twilio takes changes
    is_missing: bool
    has_drifted: bool
    open_change: OpenChangeMark | None
    details: Details
    suppressed: frozenset[str] = NO_DIGESTS  # digests of the findings that are suppressed
    account_warnings: tuple[str, ...] = ()  # those of rules over the whole account

    @property
    def is_changeable(self) -> bool:
        return self.can_change and not self.flow.gone_at


def build_rows(
    flows: Sequence[ListedFlow],
    actions: AvailableActions,
    *,
    is_complete: bool = False,
    occupied: Container[type[Model]] = MARK_TABLES,
    details: Mapping[str, Details] = NO_DETAILS,
    has_account_warnings: bool = True,
) -> list[ListRow]:
    """Return the rows of these flows, with their accounts, marks and details.

    `is_complete` means that the last sync found no flow missing. `occupied` are those of
    `MARK_TABLES` that have rows. `details` are those that the page shows, by SID. Without
    `has_account_warnings` the last checks found none.
    """
    sids = [flow.sid for flow in flows]
    missing_sids = set() if is_complete else missing_flows.find_unchecked(sids)
    drifted_sids = _find_drifted(sids) if OpenDrift in occupied else set()
    open_changes = _find_open_changes(sids) if OpenChange in occupied else {}
    suppressed = suppressed_digests(sids) if Suppression in occupied else {}
    changeable = accounts_with(actions, "update")
    account_sids = {flow.account_sid for flow in flows}
    account_warnings = (
        load_account_warnings(sids, account_sids, suppressed) if has_account_warnings else {}
    )
    accounts = {sid: twilio_accounts.account_or_removed(sid) for sid in account_sids}
    return [
        ListRow(
            flow,
            accounts[flow.account_sid],
            can_change=flow.account_sid in changeable,
            is_missing=flow.sid in missing_sids,
            has_drifted=flow.sid in drifted_sids,
            open_change=open_changes.get(flow.sid),
            details=details.get(flow.sid, Details()),
            suppressed=suppressed.get(flow.sid, NO_DIGESTS),
            account_warnings=account_warnings.get(flow.sid, ()),
        )
        for flow in flows
    ]


def load_details(flows: Sequence[ListedFlow]) -> dict[str, Details]:
    """Return the owners and tags of these flows by SID, or {} if none of them has any."""
    details = details_by_sid(flow.sid for flow in flows)
    return details if any(item.owner or item.tags for item in details.values()) else {}


def accounts_with(actions: AvailableActions, operation: str) -> set[str]:
    """Return the accounts where the user may make a kind of change, and where it is available."""
    accounts = twilio_accounts.all_accounts()
    return {account.sid for account in accounts if actions.can(operation, account.sid)}


def _find_drifted(sids: Sequence[str]) -> set[str]:
    """Return those of these flows that have external changes."""
    drift_items = OpenDrift.objects.filter(target_sid__in=sids)
    return set(drift_items.values_list("target_sid", flat=True))


def _find_open_changes(sids: Sequence[str]) -> dict[str, OpenChangeMark]:
    """Return the open change of each of these flows that has one."""
    marks = {}
    for sid, event in in_flight.open_changes_by_flow(sids).items():
        mark_under_way(event)
        marks[sid] = OpenChangeMark(str(event.event_id), event.is_under_way)  # type: ignore[attr-defined]
    return marks
