"""The inbox of external changes: accept what was changed at Twilio, or revert it.

Reverting is an ordinary change. Similar changes of many flows are one entry, which is accepted or
reverted with one reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.audit.access import Request, get_actor, record_denial, require_permission
from flows.audit.models import AuditEvent, OpenDrift
from flows.audit.views.unrecorded import page_if_unrecorded
from flows.availability.offered_changes import AvailableActions
from flows.core.forms import MAX_REASON_LENGTH
from flows.core.invisible import trim_invisible
from flows.external_changes import inbox, reverting
from flows.external_changes.inbox import CHANGED, CREATED, DELETED, ExternalChange
from flows.mirror import drift, freshness
from flows.monitor_events import statements
from flows.names.named_sids import name_sids
from flows.plans.access import only_account_sid
from flows.twilio import labels
from flows.twilio.flex.flex_flow import FLEX_FLOW

MAX_GROUPS: Final = 100
MAX_NAMED_MEMBERS: Final = 10  # the rest of a group is folded away
ALREADY_RESOLVED: Final = "Already resolved by someone else."
VERBS: Final = {CHANGED: "changed", CREATED: "created", DELETED: "deleted"}
REVERT_OPERATIONS: Final = {CREATED: "delete", CHANGED: "update", DELETED: "create"}


@dataclass(frozen=True, slots=True)
class InboxItem(ExternalChange):
    """The external change of one flow on the page, with what the user can do about it.

    `rows` are the changed fields: label, value before, value after. `skip_reason` says why a bulk
    change would not revert it, or is empty. `is_offered` is False where Twilio or this site allows
    no such change at the moment.
    """

    rows: list[dict[str, Any]]
    skip_reason: str = ""
    can_accept: bool = False
    is_offered: bool = False

    @property
    def can_revert(self) -> bool:
        """True unless there is nothing to revert. Users can revert what a bulk change skips."""
        return self.is_offered and self.skip_reason not in reverting.FINAL_SKIP_REASONS

    @property
    def is_revertible_in_bulk(self) -> bool:
        return self.is_offered and not self.skip_reason

    @property
    def revert_url(self) -> str:
        """The page that reverts it (edit, delete or create), or empty if nothing can."""
        if not self.can_revert:
            return ""
        sid, event_id = self.last.target_sid, self.first.event_id
        if self.kind == CREATED:
            return f"{reverse('flows:delete', args=[sid])}?undo={event_id}"
        page_url = reverse("flows:edit", args=[sid])
        if self.kind == DELETED:
            page_url = reverse("flows:new")
        return f"{page_url}?restore={event_id}&state=before"

    @property
    def is_flow(self) -> bool:
        return FLEX_FLOW.is_sid(self.last.target_sid)


@dataclass(frozen=True, slots=True)
class Group:
    """Flows of an account with similar external changes. A group of one is shown as that flow."""

    members: list[InboxItem]
    has_account_mark: bool = False

    @property
    def first(self) -> InboxItem:
        return self.members[0]

    @property
    def account(self) -> twilio_accounts.Account | None:
        """The account to mark the group with, if the page has changes of several."""
        if not self.has_account_mark:
            return None
        return twilio_accounts.account_or_removed(self.first.last.account_sid or "")

    @property
    def is_single(self) -> bool:
        return len(self.members) == 1

    @property
    def title(self) -> str:
        return f"{len(self.members)} flows {VERBS[self.first.kind]}"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The changed fields. All members have the same new values.

        A row `varies` if their former values differ.
        """
        rows_by_member = [member.rows for member in self.members]
        group_rows = []
        for field_rows in zip(*rows_by_member, strict=True):
            first_row = field_rows[0]
            varies = any(row["before"] != first_row["before"] for row in field_rows)
            group_rows.append({**first_row, "varies": varies})
        return group_rows

    @property
    def named_members(self) -> list[InboxItem]:
        return self.members[:MAX_NAMED_MEMBERS]

    @property
    def folded_members(self) -> list[InboxItem]:
        return self.members[MAX_NAMED_MEMBERS:]

    @property
    def events(self) -> str:
        """The ids of the last event of each flow, separated by spaces, for the form."""
        return " ".join(str(member.last.event_id) for member in self.members)

    @property
    def revertible_count(self) -> int:
        return sum(member.is_revertible_in_bulk for member in self.members)

    @property
    def can_accept(self) -> bool:
        return all(member.can_accept for member in self.members)


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def drift_inbox(request: Request) -> HttpResponse:
    return _render_inbox(request)


@require_POST
@require_permission("flows.change_flow", action="flow.accept")
def drift_accept(request: Request, event_id: str) -> HttpResponse:
    """Accept a flow's external changes up to this event. Later ones stay in the inbox."""
    event = get_object_or_404(AuditEvent, event_id=event_id, action="flow.drift")
    if not OpenDrift.objects.filter(event=event).exists():
        messages.info(request, ALREADY_RESOLVED)
        return redirect("flows:drift")
    return _accept(request, [event.event_id])


@require_POST
@require_permission("flows.change_flow", action="flow.accept")
def drift_accept_many(request: Request) -> HttpResponse:
    """Accept the external changes of several flows with one reason, all or none."""
    return _accept(request, _parse_event_ids(request))


@require_POST
@require_permission("flows.change_flow", action="plan.start")
def drift_revert_many(request: Request) -> HttpResponse:
    """Draft the bulk change that reverts several external changes, and redirect to it.

    Nothing is sent.
    """
    changes = inbox.load_pending(_parse_event_ids(request))
    reason = trim_invisible(request.POST.get("reason", ""))
    rejection = _reject_form(request, changes, reason, "plan.start")
    if rejection is not None:
        return rejection
    plan = reverting.plan_revert(
        changes=changes, created_by=request.user.get_username(), reason=reason, scope=request.scope
    )
    return redirect("flows:plan", plan_id=plan.pk)


def _accept(request: Request, event_ids: Sequence[uuid.UUID]) -> HttpResponse:
    """Accept the external changes up to these events, and redirect to the inbox."""
    changes = inbox.load_pending(event_ids)
    reason = trim_invisible(request.POST.get("reason", ""))
    rejection = _reject_form(request, changes, reason, "flow.accept")
    if rejection is not None:
        return rejection
    error = "Couldn't write to the audit log, so nothing was accepted."
    with page_if_unrecorded(
        lambda: _render_inbox(request, changes=changes, reason=reason, error=error, status=503)
    ):
        inbox.accept_all(changes, reason=reason, actor=get_actor(request))
    if len(changes) == 1:
        messages.success(request, "Accepted. The flow stays as it is at Twilio.")
    else:
        messages.success(
            request, f"Accepted for {len(changes)} flows. They stay as they are at Twilio."
        )
    resolved_count = len(event_ids) - len(changes)
    if resolved_count:
        verb = "was" if resolved_count == 1 else "were"
        messages.info(request, f"{resolved_count} of them {verb} already resolved by someone else.")
    return redirect("flows:drift")


def _reject_form(
    request: Request, changes: Sequence[ExternalChange], reason: str, action: str
) -> HttpResponse | None:
    """Return the response if nothing is left to resolve or the reason is too long, else None.

    Raises `PermissionDenied`, which is logged as a denial of the action.
    """
    if not changes:
        messages.info(request, ALREADY_RESOLVED)
        return redirect("flows:drift")
    _require_permission(request, changes, action)
    if len(reason) > MAX_REASON_LENGTH:
        error = f"The reason has {len(reason)} characters. Use up to {MAX_REASON_LENGTH}."
        return _render_inbox(request, changes=changes, reason=reason, error=error, status=422)
    return None


def _require_permission(request: Request, changes: Iterable[ExternalChange], action: str) -> None:
    """Raise `PermissionDenied`, and log it, unless the user may change flows in all accounts."""
    account_sids = sorted({change.last.account_sid for change in changes})
    request.account_sid = only_account_sid(account_sids)
    if not all(has_permission(request.user, "flows.change_flow", sid) for sid in account_sids):
        record_denial(request, action, {})
        raise PermissionDenied


def _parse_event_ids(request: Request) -> list[uuid.UUID]:
    """Return the distinct event ids of the form. Anything else in it is ignored."""
    event_ids = []
    for text in request.POST.get("events", "").split():
        try:
            event_ids.append(uuid.UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(event_ids))


def _render_inbox(
    request: Request,
    *,
    changes: Sequence[ExternalChange] = (),
    reason: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the inbox. An `error` appears, with the reason, at the entry of these `changes`."""
    pending = [ExternalChange(events) for events in drift.load_inbox(request.scope)]
    similar_changes = inbox.group_similar(pending)
    groups = _build_groups(request, similar_changes[:MAX_GROUPS])
    accounts = twilio_accounts.visible_accounts(request.scope)
    failed_sids = {change.last.target_sid for change in changes} if error else set()
    context = {
        "groups": [
            {"group": group, "has_error": group.first.last.target_sid in failed_sids}
            for group in groups
        ],
        "hidden_count": sum(len(members) for members in similar_changes[MAX_GROUPS:]),
        "freshness": freshness.select_worst(freshness.load_freshness(accounts)),
        "monitor_failures": statements.describe_failures(accounts),
        "reason": reason,
        "error": error,
    }
    return render(request, "flows/drift.html", context, status=status)


def _build_groups(request: Request, groups: Sequence[Sequence[ExternalChange]]) -> list[Group]:
    """Return these groups with what the user can do about each member."""
    reverts = reverting.build_reverts(list(chain.from_iterable(groups)))
    skip_reasons = {revert.refers_to: revert.skip_reason for revert in reverts}
    actions = AvailableActions(request)
    account_sids = {members[0].last.account_sid or "" for members in groups}
    has_several_accounts = len({*twilio_accounts.marked_accounts(request.scope), *account_sids}) > 1
    built_groups = [
        Group(
            [
                _build_item(request, actions, change, skip_reasons[change.first.event_id])
                for change in members
            ],
            has_account_mark=has_several_accounts,
        )
        for members in groups
    ]
    items = list(chain.from_iterable(group.members for group in built_groups))
    statements.attach_statements(chain.from_iterable(item.events for item in items))
    rows = [(item.last.account_sid or "", row) for item in items for row in item.rows]
    name_sids(rows, ["before", "after"])
    return built_groups


def _build_item(
    request: Request, actions: AvailableActions, change: ExternalChange, skip_reason: str
) -> InboxItem:
    account_sid = change.last.account_sid
    return InboxItem(
        change.events,
        rows=_difference_rows(change),
        skip_reason=skip_reason,
        can_accept=has_permission(request.user, "flows.change_flow", account_sid),
        is_offered=actions.can(REVERT_OPERATIONS[change.kind], account_sid),
    )


def _difference_rows(change: ExternalChange) -> list[dict[str, Any]]:
    return [
        {
            "label": FLEX_FLOW.label_of(name),
            "before": labels.display_value(FLEX_FLOW, name, before),
            "after": labels.display_value(FLEX_FLOW, name, after),
        }
        for name, (before, after) in change.values.items()
    ]
