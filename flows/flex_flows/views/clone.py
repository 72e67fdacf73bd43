"""Where a new flow is made, and what it begins with: the account is asked for where there are several, and a flow that
is like one of another account leaves that one's SIDs behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission, scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, readable_event
from flows.availability import restrictions
from flows.core.opened_forms import carried_value
from flows.mirror import lookup, mirror, ownership
from flows.redaction.masking import has_mask, redact, replace_unstorable
from flows.twilio import labels
from flows.twilio.errors import FlexError
from flows.twilio.flex import flex_flow
from flows.twilio.flex.flex_flow import Snapshot


@dataclass(frozen=True, slots=True)
class CloneDraft:
    """What a form for a new flow begins with if it is to be like another: all of that one, but switched off. `left`:
    the fields that have to be filled in anew (secrets that the person may not see; of one in another account what
    belongs to that one: SIDs, the contact identity, the webhook), with what is shown of them."""

    initial: dict[str, Any]
    source: Account | None = None  # None within one account
    left: list[tuple[str, str]] = field(default_factory=list)


def target_account(request: Request) -> Account | None:
    """The account that the form names, the address, or the event whose state comes back; else the only one where the
    person may make flows. None if it has to be asked for."""
    offered = twilio_accounts.visible_accounts(request.scope)
    event = readable_event(carried_value(request, "restore"), request)
    if event and event.account_sid:  # a state comes back where it was
        if all(account.sid != event.account_sid for account in offered):
            raise PermissionDenied
        return twilio_accounts.get_account(event.account_sid)
    named = request.POST.get("account") or request.GET.get("account")
    if not named:
        return offered[0] if len(offered) == 1 else None
    return next((account for account in offered if account.sid == named), None)


def render_account_choice(request: Request) -> HttpResponse:
    """Asks for the account. Nothing that was typed is lost: the form was not shown yet, or comes back with it."""
    like = request.GET.get("clone", "")
    there = ownership.find_account_sid(like) if flex_flow.is_sid("FO", like) else ""
    kept = {name: str(value) for name, value in request.GET.items() if name != "account"}
    choices = [
        {
            "account": account,
            "url": f"{reverse('flows:new')}?{urlencode({**kept, 'account': account.sid})}",
            "is_there": account.sid == there,
            "unavailable_reason": restrictions.find_restriction(account.sid, "create"),
        }
        for account in twilio_accounts.visible_accounts(request.scope)
    ]
    typed = [
        (name, value)
        for name, value in request.POST.items()
        if name not in ("account", "csrfmiddlewaretoken")
    ]
    context = {"choices": choices, "typed": typed, "like": there}
    return render(
        request, "flows/account.html", context, status=422 if request.method == "POST" else 200
    )


def build_clone(request: Request, account: Account) -> CloneDraft:
    """From the address: `clone`, the SID of a flow that the person may see."""
    sid = request.GET.get("clone", "")
    if not flex_flow.is_sid("FO", sid):
        return CloneDraft({})
    source = _find_source(request, sid)
    if source is None:
        return CloneDraft({})
    there, like = source
    if there == account.sid and has_permission(request.user, "flows.change_flow", there):
        name = f"{like.get('friendly_name') or ''} (copy)".strip()
        return CloneDraft({**_writable_values(like), "friendly_name": name, "enabled": False})
    # What this person may only see there is masked, as it is on the flow's page; so is every secret, elsewhere.
    seen = redact(replace_unstorable(dict(like)))
    away = there != account.sid
    left = [
        entry
        for entry in flex_flow.WRITABLE_FIELDS
        if seen.get(entry.name) and _is_not_copied(entry, seen, away=away)
    ]
    initial = {**_writable_values(seen), "enabled": False} | {entry.name: None for entry in left}
    other = next((one for one in twilio_accounts.all_accounts() if away and one.sid == there), None)
    return CloneDraft(
        initial, other, [(labels.field_label(one.name), str(seen[one.name])) for one in left]
    )


def _find_source(request: Request, sid: str) -> tuple[str, Snapshot] | None:
    """The account of the flow to be like, and the flow; None, and a message, if it can't be had."""
    there = ownership.find_account_sid(sid)
    if not there:
        found = lookup.find_flow(sid, scope=scope_of(request.user, "flows.view_flow"))
        if found.account and found.snapshot is not None:
            return found.account.sid, found.snapshot
        unasked = "".join(f" Couldn't check {one}: {reason}" for one, reason in found.unasked)
        messages.error(
            request, f"Couldn't find the flow to clone, {sid}, in your accounts.{unasked}"
        )
        return None
    if not has_permission(request.user, "flows.view_flow", there):
        messages.error(request, "The flow to copy is in an account that you can't view.")
        return None
    try:
        return there, mirror.fetch(sid, account_sid=there)
    except FlexError as error:
        messages.error(request, f"Couldn't read the flow to clone from Twilio: {error}.")
        return None


def _is_not_copied(entry: flex_flow.Field, seen: Mapping[str, Any], *, away: bool) -> bool:
    """Whether a field stays behind: what belongs to one account alone, where the copy goes to another, and secrets."""
    belongs = entry.kind == "sid" or entry.name in ("contact_identity", "integration_url")
    return has_mask(seen[entry.name]) or (away and belongs)


def _writable_values(flow: Mapping[str, Any]) -> dict[str, Any]:
    return {entry.name: flow.get(entry.name) for entry in flex_flow.WRITABLE_FIELDS}
