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

from flows import accounts, words
from flows.flexapi import schema
from flows.invisible import trimmed
from flows.models import AuditEvent, OpenDrift
from flows.services import drift, external_changes, freshness, reverting
from flows.services.audit import NotRecorded
from flows.services.external_changes import CHANGED, DELETED, MADE, ExternalChange
from flows.views.offers import Offers
from flows.views.requests import Request, actor_of, may, permitted, record_refusal

MOST_SHOWN: Final = 100  # groups
NAMED: Final = 10  # flows of a group that are named at once
REASON_MAX: Final = 200
RESOLVED: Final = "Already resolved by someone else."
REVERTED_BY: Final = {MADE: "delete", CHANGED: "update", DELETED: "create"}


@dataclass(frozen=True, slots=True)
class Found(ExternalChange):
    """What was found of one flow, as the page shows it. `skipped`: why a bulk change would not revert it, if so."""

    skipped: str = ""
    may_accept: bool = False
    is_offered: bool = False  # reverting is a change, which may be impossible there just now

    @property
    def can_revert(self) -> bool:
        """Return False where there is nothing to change, or nothing can be changed. What a bulk change skips, a person
        may revert by hand."""
        return self.is_offered and self.skipped not in (reverting.UNCHANGED, reverting.NO_STATE)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "label": words.label(name),
                "before": words.shown(name, before),
                "after": words.shown(name, after),
            }
            for name, (before, after) in self.values.items()
        ]

    @property
    def undo_url(self) -> str:
        """The ordinary page that would revert it: edit, delete, or create again; empty if there is nothing to revert."""
        sid = self.last.target_sid
        if not self.can_revert:
            return ""
        if self.kind == MADE:
            return f"{reverse('flows:delete', args=[sid])}?undo={self.first.event_id}"
        page = reverse("flows:new") if self.kind == DELETED else reverse("flows:edit", args=[sid])
        return f"{page}?restore={self.first.event_id}&state=before"

    @property
    def is_a_flow(self) -> bool:
        return schema.is_sid("FO", self.last.target_sid)


@dataclass(frozen=True, slots=True)
class Group:
    """Flows to which the same happened at the same time. A group of one is shown as that flow."""

    members: list[Found]

    @property
    def first(self) -> Found:
        return self.members[0]

    @property
    def is_single(self) -> bool:
        return len(self.members) == 1

    @property
    def title(self) -> str:
        verb = {CHANGED: "changed", MADE: "created", DELETED: "deleted"}[self.first.kind]
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
    def named(self) -> list[Found]:
        return self.members[:NAMED]

    @property
    def others(self) -> list[Found]:
        return self.members[NAMED:]

    @property
    def events(self) -> str:
        """The last event of each flow, for the form."""
        return " ".join(str(member.last.event_id) for member in self.members)

    @property
    def to_revert(self) -> int:
        return sum(member.is_offered and not member.skipped for member in self.members)

    @property
    def may_accept(self) -> bool:
        return all(member.may_accept for member in self.members)


@require_GET
@permitted("flows.view_flow", action="flow.view")
def drift_inbox(request: Request) -> HttpResponse:
    return _page(request)


@require_POST
@permitted("flows.change_flow", action="flow.accept")
def drift_accept(request: Request, event_id: str) -> HttpResponse:
    """Accepts what was found of a flow up to this event. What was found later stays in the inbox."""
    event = get_object_or_404(AuditEvent, event_id=event_id, action="flow.drift")
    if not OpenDrift.objects.filter(event=event).exists():
        messages.info(request, RESOLVED)
        return redirect("flows:drift")
    return _accepted(request, [event.event_id])


@require_POST
@permitted("flows.change_flow", action="flow.accept")
def drift_accept_many(request: Request) -> HttpResponse:
    """Accepts what was found of several flows, all with the same reason, or none of it."""
    return _accepted(request, _event_ids(request))


@require_POST
@permitted("flows.change_flow", action="plan.start")
def drift_revert_many(request: Request) -> HttpResponse:
    """Drafts the bulk change that reverts what was found of several flows, and leads to it. Nothing is sent."""
    changes = external_changes.waiting(_event_ids(request))
    if not changes:
        messages.info(request, RESOLVED)
        return redirect("flows:drift")
    _refuse_outside(request, changes, "plan.start")
    reason = trimmed(request.POST.get("reason", ""))
    if len(reason) > REASON_MAX:
        return _page(request, changes=changes, reason=reason, error=_too_long(reason), status=422)
    plan = reverting.plan_revert(
        changes=changes, made_by=request.user.get_username(), reason=reason, within=request.scope
    )
    return redirect("flows:plan", plan_id=plan.pk)


def _accepted(request: Request, event_ids: Sequence[uuid.UUID]) -> HttpResponse:
    changes = external_changes.waiting(event_ids)
    if not changes:
        messages.info(request, RESOLVED)
        return redirect("flows:drift")
    _refuse_outside(request, changes, "flow.accept")
    reason = trimmed(request.POST.get("reason", ""))
    if len(reason) > REASON_MAX:
        return _page(request, changes=changes, reason=reason, error=_too_long(reason), status=422)
    try:
        external_changes.accept_all(changes, reason=reason, actor=actor_of(request))
    except NotRecorded:
        sentence = "Couldn't write to the audit log, so nothing was accepted."
        return _page(request, changes=changes, reason=reason, error=sentence, status=503)
    if len(changes) == 1:
        messages.success(request, "Accepted. The flow stays as it is at Twilio.")
    else:
        messages.success(request, f"Accepted for {len(changes)} flows. They stay as they are at Twilio.")
    if gone := len(event_ids) - len(changes):
        messages.info(
            request, f"{gone} of them {'was' if gone == 1 else 'were'} already resolved by someone else."
        )
    return redirect("flows:drift")


def _refuse_outside(request: Request, changes: Iterable[ExternalChange], action: str) -> None:
    """Refuse, on record, what is of an account where the person may not change flows."""
    about = {change.last.account_sid for change in changes}
    request.account_sid = next(iter(about)) if len(about) == 1 else ""
    if not all(may(request.user, "flows.change_flow", sid) for sid in about):
        record_refusal(request, action, {})
        raise PermissionDenied


def _event_ids(request: Request) -> list[uuid.UUID]:
    found = []
    for text in request.POST.get("events", "").split():
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def _too_long(reason: str) -> str:
    return f"The reason has {len(reason)} characters. Use up to {REASON_MAX}."


def _page(
    request: Request,
    *,
    changes: Sequence[ExternalChange] = (),
    reason: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """The inbox. After an `error`, the entry of these `changes` has the reason that was typed for it."""
    found = [ExternalChange(events) for events in drift.inbox(request.scope)]
    groups = external_changes.group(found)
    shown = _shown(request, groups[:MOST_SHOWN])
    typed = {change.last.target_sid for change in changes}
    context = {
        "groups": [
            {"group": group, "has_error": group.first.last.target_sid in typed and bool(error)}
            for group in shown
        ],
        "found": [member for group in shown for member in group.members],
        "more": sum(len(members) for members in groups[MOST_SHOWN:]),
        "freshness": freshness.overall(freshness.of_accounts(accounts.of_scope(request.scope))),
        "reason": reason,
        "error": error,
    }
    return render(request, "flows/drift.html", context, status=status)


def _shown(request: Request, groups: Sequence[Sequence[ExternalChange]]) -> list[Group]:
    """These groups with what the user can do about them: accepting sends nothing, reverting is a change."""
    planned = iter(reverting.reverts([change for members in groups for change in members]))
    offers = Offers(request)
    return [
        Group([_offered(request, offers, member, next(planned).skipped) for member in members])
        for members in groups
    ]


def _offered(request: Request, offers: Offers, change: ExternalChange, skipped: str) -> Found:
    account_sid = change.last.account_sid
    return Found(
        change.events,
        skipped=skipped,
        may_accept=may(request.user, "flows.change_flow", account_sid),
        is_offered=offers.can(REVERTED_BY[change.kind], account_sid),
    )
