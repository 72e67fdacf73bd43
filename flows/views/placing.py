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

from flexadmin.roles import scope_of
from flows import accounts, words
from flows.accounts import Account
from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.flexapi.schema import Snapshot
from flows.masking import has_mask, masked, storable
from flows.services import closures, lookup, mirror, twilio
from flows.views.requests import Request, may
from flows.views.restore import carried, referred


@dataclass(frozen=True, slots=True)
class Clone:
    """What a form for a new flow begins with if it is to be like another: all of that one, but switched off. `left`:
    the fields that have to be filled in anew (secrets that the person may not see; of one in another account what
    belongs to that one: SIDs, the contact identity, the webhook), with what is shown of them."""

    initial: dict[str, Any]
    source: Account | None = None  # None within one account
    left: list[tuple[str, str]] = field(default_factory=list)


def account_for(request: Request) -> Account | None:
    """The account that the form names, the address, or the event whose state comes back; else the only one where the
    person may make flows. None if it has to be asked for."""
    offered = accounts.of_scope(request.scope)
    event = referred(carried(request, "restore"), request)
    if event and event.account_sid:  # a state comes back where it was
        if all(account.sid != event.account_sid for account in offered):
            raise PermissionDenied
        return accounts.get(event.account_sid)
    named = request.POST.get("account") or request.GET.get("account")
    if not named:
        return offered[0] if len(offered) == 1 else None
    return next((account for account in offered if account.sid == named), None)


def choice_page(request: Request) -> HttpResponse:
    """Asks for the account. Nothing that was typed is lost: the form was not shown yet, or comes back with it."""
    like = request.GET.get("clone", "")
    there = twilio.account_of(like) if schema.is_sid("FO", like) else ""
    kept = {name: str(value) for name, value in request.GET.items() if name != "account"}
    choices = [
        {
            "account": account,
            "url": f"{reverse('flows:new')}?{urlencode({**kept, 'account': account.sid})}",
            "is_there": account.sid == there,
            "why_not": closures.reason_against(account.sid, "create"),
        }
        for account in accounts.of_scope(request.scope)
    ]
    typed = [
        (name, value)
        for name, value in request.POST.items()
        if name not in ("account", "csrfmiddlewaretoken")
    ]
    context = {"choices": choices, "typed": typed, "like": there}
    return render(request, "flows/account.html", context, status=422 if request.method == "POST" else 200)


def cloned(request: Request, account: Account) -> Clone:
    """From the address: `clone`, the SID of a flow that the person may see."""
    sid = request.GET.get("clone", "")
    if not schema.is_sid("FO", sid):
        return Clone({})
    source = _source_of(request, sid)
    if source is None:
        return Clone({})
    there, like = source
    if there == account.sid and may(request.user, "flows.change_flow", there):
        name = f"{like.get('friendly_name') or ''} (copy)".strip()
        return Clone({**_written(like), "friendly_name": name, "enabled": False})
    # What this person may only see there is masked, as it is on the flow's page; so is every secret, elsewhere.
    seen = masked(storable(dict(like)))
    away = there != account.sid
    left = [entry for entry in schema.WRITABLE if seen.get(entry.name) and _stays(entry, seen, away=away)]
    initial = {**_written(seen), "enabled": False} | {entry.name: None for entry in left}
    other = next((one for one in accounts.every() if away and one.sid == there), None)
    return Clone(initial, other, [(words.label(one.name), str(seen[one.name])) for one in left])


def _source_of(request: Request, sid: str) -> tuple[str, Snapshot] | None:
    """The account of the flow to be like, and the flow; None, and a message, if it can't be had."""
    there = twilio.account_of(sid)
    if not there:
        found = lookup.find(sid, scope=scope_of(request.user, "flows.view_flow"))
        if found.account and found.snapshot is not None:
            return found.account.sid, found.snapshot
        unasked = "".join(f" Couldn't check {one}: {reason}" for one, reason in found.unasked)
        messages.error(request, f"Couldn't find the flow to clone, {sid}, in your accounts.{unasked}")
        return None
    if not may(request.user, "flows.view_flow", there):
        messages.error(request, "The flow to copy is in an account that you can't view.")
        return None
    try:
        return there, mirror.fetch(sid, account_sid=there)
    except FlexError as error:
        messages.error(request, f"Couldn't read the flow to clone from Twilio: {error}.")
        return None


def _stays(entry: schema.Field, seen: Mapping[str, Any], *, away: bool) -> bool:
    """Whether a field stays behind: what belongs to one account alone, where the copy goes to another, and secrets."""
    belongs = entry.kind == "sid" or entry.name in ("contact_identity", "integration_url")
    return has_mask(seen[entry.name]) or (away and belongs)


def _written(flow: Mapping[str, Any]) -> dict[str, Any]:
    return {entry.name: flow.get(entry.name) for entry in schema.WRITABLE}
