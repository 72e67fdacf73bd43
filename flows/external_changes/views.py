"""The inbox of external changes: accept what was found at Twilio, or revert it by an ordinary change. What happened alike
to many flows is one entry, and is accepted or reverted with one reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent, OpenDrift
from flows.availability.offered_changes import AvailableActions
from flows.core.invisible import trim_invisible
from flows.external_changes import inbox, reverting
from flows.external_changes.inbox import CHANGED, CREATED, DELETED, ExternalChange
from flows.mirror import drift, freshness
from flows.twilio import labels
from flows.twilio.flex import flex_flow

MAX_GROUPS: Final = 100  # groups
MAX_NAMED_MEMBERS: Final = 10  # flows of a group that are named at once
REASON_MAX: Final = 200
ALREADY_RESOLVED: Final = "Already resolved by someone else."
REVERT_OPERATIONS: Final = {CREATED: "delete", CHANGED: "update", DELETED: "create"}


@dataclass(frozen=True, slots=True)
class InboxItem(ExternalChange):
    """What was found of one flow, as the page shows it. `skipped`: why a bulk change would not revert it, if so."""

    skipped: str = ""
    can_accept: bool = False
    is_offered: bool = False  # reverting is a change, which may be impossible there just now

    @property
    def can_revert(self) -> bool:
        """Return False where there is nothing to change, or nothing can be changed. What a bulk change skips, a person
        may revert by hand."""
        return self.is_offered and self.skipped not in (
            reverting.NOTHING_TO_REVERT,
            reverting.NO_EARLIER_STATE,
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "label": labels.field_label(name),
                "before": labels.display_value(name, before),
                "after": labels.display_value(name, after),
            }
            for name, (before, after) in self.values.items()
        ]

    @property
    def revert_url(self) -> str:
        """The ordinary page that would revert it: edit, delete, or create again; empty if there is nothing to revert."""
        sid = self.last.target_sid
        if not self.can_revert:
            return ""
        if self.kind == CREATED:
            return f"{reverse('flows:delete', args=[sid])}?undo={self.first.event_id}"
        page = reverse("flows:new") if self.kind == DELETED else reverse("flows:edit", args=[sid])
        return f"{page}?restore={self.first.event_id}&state=before"

    @property
    def is_flow(self) -> bool:
        return flex_flow.is_sid("FO", self.last.target_sid)


@dataclass(frozen=True, slots=True)
class Group:
    """Flows to which the same happened at the same time. A group of one is shown as that flow."""

    members: list[InboxItem]

    @property
    def first(self) -> InboxItem:
        return self.members[0]

    @property
    def is_single(self) -> bool:
        return len(self.members) == 1

    @property
    def title(self) -> str:
        verb = {CHANGED: "changed", CREATED: "created", DELETED: "deleted"}[self.first.kind]
        return f"{len(self.members)} flows {verb}"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The fields and their new values, which all have in common; a former value only where that is, too."""
        rows = [member.rows for member in self.members]
        return [
            {**row, "varies": any(other[place]["before"] != row["before"] for other in rows)}
            for place, row in enumerate(rows[0])
        ]

    @property
    def named(self) -> list[InboxItem]:
        return self.members[:MAX_NAMED_MEMBERS]

    @property
    def others(self) -> list[InboxItem]:
        return self.members[MAX_NAMED_MEMBERS:]

    @property
    def events(self) -> str:
        """The last event of each flow, for the form."""
        return " ".join(str(member.last.event_id) for member in self.members)

    @property
    def revertible_count(self) -> int:
        return sum(member.is_offered and not member.skipped for member in self.members)

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
    """Accepts what was found of a flow up to this event. What was found later stays in the inbox."""
    event = get_object_or_404(AuditEvent, event_id=event_id, action="flow.drift")
    if not OpenDrift.objects.filter(event=event).exists():
        messages.info(request, ALREADY_RESOLVED)
        return redirect("flows:drift")
    return _accept(request, [event.event_id])


@require_POST
@require_permission("flows.change_flow", action="flow.accept")
def drift_accept_many(request: Request) -> HttpResponse:
    """Accepts what was found of several flows, all with the same reason, or none of it."""
    return _accept(request, _parse_event_ids(request))


@require_POST
@require_permission("flows.change_flow", action="plan.start")
def drift_revert_many(request: Request) -> HttpResponse:
    """Drafts the bulk change that reverts what was found of several flows, and leads to it. Nothing is sent."""
    changes = inbox.load_pending(_parse_event_ids(request))
    if not changes:
        messages.info(request, ALREADY_RESOLVED)
        return redirect("flows:drift")
    _require_permission(request, changes, "plan.start")
    reason = trim_invisible(request.POST.get("reason", ""))
    if len(reason) > REASON_MAX:
        return _render_inbox(
            request, changes=changes, reason=reason, error=_length_error(reason), status=422
        )
    plan = reverting.plan_revert(
        changes=changes, made_by=request.user.get_username(), reason=reason, within=request.scope
    )
    return redirect("flows:plan", plan_id=plan.pk)


def _accept(request: Request, event_ids: Sequence[uuid.UUID]) -> HttpResponse:
    changes = inbox.load_pending(event_ids)
    if not changes:
        messages.info(request, ALREADY_RESOLVED)
        return redirect("flows:drift")
    _require_permission(request, changes, "flow.accept")
    reason = trim_invisible(request.POST.get("reason", ""))
    if len(reason) > REASON_MAX:
        return _render_inbox(
            request, changes=changes, reason=reason, error=_length_error(reason), status=422
        )
    try:
        inbox.accept_all(changes, reason=reason, actor=get_actor(request))
    except NotRecorded:
        sentence = "Couldn't write to the audit log, so nothing was accepted."
        return _render_inbox(request, changes=changes, reason=reason, error=sentence, status=503)
    if len(changes) == 1:
        messages.success(request, "Accepted. The flow stays as it is at Twilio.")
    else:
        messages.success(
            request, f"Accepted for {len(changes)} flows. They stay as they are at Twilio."
        )
    if gone := len(event_ids) - len(changes):
        messages.info(
            request,
            f"{gone} of them {'was' if gone == 1 else 'were'} already resolved by someone else.",
        )
    return redirect("flows:drift")


def _require_permission(request: Request, changes: Iterable[ExternalChange], action: str) -> None:
    """Refuse, on record, what is of an account where the person may not change flows."""
    about = {change.last.account_sid for change in changes}
    request.account_sid = next(iter(about)) if len(about) == 1 else ""
    if not all(has_permission(request.user, "flows.change_flow", sid) for sid in about):
        record_denial(request, action, {})
        raise PermissionDenied


def _parse_event_ids(request: Request) -> list[uuid.UUID]:
    found = []
    for text in request.POST.get("events", "").split():
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def _length_error(reason: str) -> str:
    return f"The reason has {len(reason)} characters. Use up to {REASON_MAX}."


def _render_inbox(
    request: Request,
    *,
    changes: Sequence[ExternalChange] = (),
    reason: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """The inbox. After an `error`, the entry of these `changes` has the reason that was typed for it."""
    found = [ExternalChange(events) for events in drift.load_inbox(request.scope)]
    groups = inbox.group_similar(found)
    shown = _build_groups(request, groups[:MAX_GROUPS])
    typed = {change.last.target_sid for change in changes}
    context = {
        "groups": [
            {"group": group, "has_error": group.first.last.target_sid in typed and bool(error)}
            for group in shown
        ],
        "found": [member for group in shown for member in group.members],
        "more": sum(len(members) for members in groups[MAX_GROUPS:]),
        "freshness": freshness.select_worst(
            freshness.load_freshness(twilio_accounts.visible_accounts(request.scope))
        ),
        "reason": reason,
        "error": error,
    }
    return render(request, "flows/drift.html", context, status=status)


def _build_groups(request: Request, groups: Sequence[Sequence[ExternalChange]]) -> list[Group]:
    """These groups with what the user can do about them: accepting sends nothing, reverting is a change."""
    planned = iter(reverting.build_reverts([change for members in groups for change in members]))
    offers = AvailableActions(request)
    return [
        Group([_build_item(request, offers, member, next(planned).skipped) for member in members])
        for members in groups
    ]


def _build_item(
    request: Request, offers: AvailableActions, change: ExternalChange, skipped: str
) -> InboxItem:
    account_sid = change.last.account_sid
    return InboxItem(
        change.events,
        skipped=skipped,
        can_accept=has_permission(request.user, "flows.change_flow", account_sid),
        is_offered=offers.can(REVERT_OPERATIONS[change.kind], account_sid),
    )
