"""The draft of an import: an entry with a SID changes that flow, one without creates a flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.accounts import twilio_accounts
from flows.changes import in_flight
from flows.mirror.models import Flow
from flows.plans import collisions, titles
from flows.plans.drafts import (
    build_change,
    flows_by_sid,
    request_values,
    save_draft,
    without_empty_values,
)
from flows.plans.import_text import truncate
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import (
    ALREADY_SET,
    NOT_SYNCED,
    SkipFlow,
    check_changeable,
    check_permission,
    record_skip,
)
from flows.redaction.masking import replace_unstorable
from flows.redaction.redacted import redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW


@dataclass(frozen=True, slots=True)
class ImportEntry:
    """One flow of an import: the fields to set, or the error that makes it impossible.

    An entry without a `sid` creates a flow in the account `account_sid`. For an entry with a `sid`,
    `account_sid` is the account that the flow must belong to. It is empty if the file names no
    account. `origin` is the place in the file, such as "Line 7" or "Entry 3".
    """

    sid: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    account_sid: str = field(kw_only=True)
    origin: str = ""


def plan_import(
    *,
    entries: Sequence[ImportEntry],
    created_by: str,
    editable_scope: twilio_accounts.Scope = None,
    visible_scope: twilio_accounts.Scope = None,
    title_of: Callable[[Sequence[PlannedChange]], str] = titles.title_of_import,
) -> Plan:
    """Draft the bulk change that an import asks for, or a copy, which brings its own title.

    The scopes hold the accounts where the user may change flows, and may see them. A flow outside
    the visible scope is treated like one that doesn't exist.
    """
    planned = build_changes(
        entries=entries, editable_scope=editable_scope, visible_scope=visible_scope
    )
    skip_colliding(planned, [entry.origin for entry in entries])
    return save_draft(title_of(planned), planned, created_by=created_by)


def build_changes(
    *,
    entries: Sequence[ImportEntry],
    editable_scope: twilio_accounts.Scope = None,
    visible_scope: twilio_accounts.Scope = None,
) -> list[PlannedChange]:
    """Return the change that each entry asks for. Nothing is stored, collisions aren't skipped."""
    flows = flows_by_sid((entry.sid for entry in entries), visible_scope)
    builder = _ImportBuilder(flows, editable_scope, visible_scope)
    return [builder.build(entry) for entry in entries]


def skip_colliding(planned: Sequence[PlannedChange], origins: Sequence[str]) -> None:
    """Skip changes that collide, and name the place in the file of each that is skipped.

    `origins` are the places of all of the changes. A change that is not in the file has none.
    """
    collisions.skip_collisions(planned, origins if any(origins) else ())
    for change, origin in zip(planned, origins, strict=True):
        _add_origin(change, origin)


def _add_origin(change: PlannedChange, origin: str) -> None:
    """Put the place in the file before the reason for which an entry is skipped."""
    if origin and change.skip_reason not in ("", ALREADY_SET):
        change.skip_reason = f"{origin}: {change.skip_reason}"


class _ImportBuilder:
    """Builds the planned changes of one import."""

    def __init__(
        self,
        flows: Mapping[str, Flow],
        editable_scope: twilio_accounts.Scope,
        visible_scope: twilio_accounts.Scope,
    ) -> None:
        self.flows = flows
        self.editable_scope = editable_scope
        self.visible_scope = visible_scope
        self.open_changes = in_flight.open_changes_by_flow(list(flows))
        self.first_entries: dict[str, ImportEntry] = {}

    def build(self, entry: ImportEntry) -> PlannedChange:
        change = _build_entry_change(entry, self.flows.get(entry.sid))
        with record_skip(change):
            if entry.error:
                raise SkipFlow(entry.error)
            if entry.sid:
                self._request_update(change, entry)
            else:
                self._request_creation(change, entry)
        return change

    def _request_update(self, change: PlannedChange, entry: ImportEntry) -> None:
        self._check_not_repeated(entry)
        flow = self._find_flow(entry)
        check_permission(flow.account_sid, self.editable_scope)
        check_changeable(flow, self.open_changes)
        request_values(change, flow, entry.values)

    def _request_creation(self, change: PlannedChange, entry: ImportEntry) -> None:
        change.account_sid = self._resolve_account_sid(entry)
        check_permission(change.account_sid, self.editable_scope, "create")
        values = replace_unstorable(without_empty_values(entry.values))
        change.requested = redact_fields(values)
        if change.requested != values:
            raise ValueError("a bulk change would store a secret")

    def _check_not_repeated(self, entry: ImportEntry) -> None:
        first = self.first_entries.setdefault(entry.sid, entry)
        if first is not entry:
            origin = first.origin.lower() or "an entry above"
            raise SkipFlow(f"Same SID as {origin}. Only the first one is used.")

    def _find_flow(self, entry: ImportEntry) -> Flow:
        flow = self.flows.get(entry.sid)
        if flow is None:
            raise SkipFlow(f"{NOT_SYNCED} An entry without a SID creates a new flow.")
        if entry.account_sid not in ("", flow.account_sid):
            account_sid = truncate(entry.account_sid)
            raise SkipFlow(f"The flow isn't in account {account_sid}. A flow can't be moved.")
        return flow

    def _resolve_account_sid(self, entry: ImportEntry) -> str:
        """Return the account in which to create a flow."""
        account_sid = entry.account_sid or _only_account_sid()
        visible_accounts = twilio_accounts.visible_accounts(self.visible_scope)
        if account_sid not in {account.sid for account in visible_accounts}:
            raise SkipFlow(f"You can't create flows in account {truncate(account_sid)}.")
        return account_sid


def _only_account_sid() -> str:
    only_account = twilio_accounts.only_account()
    if only_account is None:
        raise SkipFlow("The account is missing. Add an account_sid.")
    return only_account.sid


def _build_entry_change(entry: ImportEntry, flow: Flow | None) -> PlannedChange:
    if flow:
        return build_change(flow, "flow.update")
    is_creation = not entry.sid and not entry.error
    return PlannedChange(
        action="flow.create" if is_creation else "flow.update",
        target_sid=entry.sid,
        friendly_name=FLEX_FLOW.name_of(entry.values),
    )
