"""The start of a new flow: the choice of its account, and the values of a flow to clone.

A clone in another account leaves out SIDs, numbers, webhooks and secrets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission, scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, readable_event
from flows.availability import restrictions
from flows.core.opened_forms import carried_value
from flows.flex_flows import list_links
from flows.flex_flows.forms import writable_values
from flows.mirror import lookup, mirror, ownership
from flows.redaction.masking import has_mask
from flows.redaction.redacted import redact_fields
from flows.twilio.errors import FlexError
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot

_OWN_INPUTS: Final = ("account", "csrfmiddlewaretoken")  # the choice's page has its own
_ADDRESS_NAMES: Final = ("contact_identity", "integration_url")


@dataclass(frozen=True, slots=True)
class CloneDraft:
    """The initial values of a form that clones a flow, turned off.

    `omitted_fields` are the fields to fill in, with a value to show. They are secrets that the user
    may not see, and across accounts also SIDs, the contact identity and the webhook. `source` is
    the flow's account, or None within one account.
    """

    initial: dict[str, Any]
    source: Account | None = None
    omitted_fields: list[tuple[str, str]] = field(default_factory=list)


def target_account(request: Request) -> Account | None:
    """Return the account for the new flow, or None if the user has to choose it.

    It is the account of the event to restore from, or the one in the form or the address, or the
    only one where the user may create flows.
    """
    visible_accounts = twilio_accounts.visible_accounts(request.scope)
    accounts = {account.sid: account for account in visible_accounts}
    restored_sid = _restored_account_sid(request)
    if restored_sid:
        if restored_sid not in accounts:
            raise PermissionDenied
        return accounts[restored_sid]
    requested_sid = request.POST.get("account") or request.GET.get("account")
    if requested_sid:
        return accounts.get(requested_sid)
    if len(visible_accounts) == 1:
        return visible_accounts[0]
    return None


def _restored_account_sid(request: Request) -> str:
    """Return the account of the version to restore, or "". A flow stays in its account."""
    event = readable_event(carried_value(request, "restore"), request)
    return event.account_sid if event else ""


def render_account_choice(request: Request) -> HttpResponse:
    """Render the choice of an account. The page carries along the input of the form, if any."""
    clone_sid = _clone_sid(request)
    source_sid = ownership.find_account_sid(clone_sid) if clone_sid else ""
    accounts = twilio_accounts.visible_accounts(request.scope)
    form_input = request.POST.dict()
    for name in _OWN_INPUTS:
        form_input.pop(name, None)
    context = {
        "choices": [_build_account_choice(request, account, source_sid) for account in accounts],
        "form_input": list(form_input.items()),
        "source_sid": source_sid,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "flows/account.html", context, status=status)


def _build_account_choice(request: Request, account: Account, source_sid: str) -> dict[str, Any]:
    """Return an account with the address that continues in it."""
    query = request.GET.dict()
    query.pop("account", None)
    query["account"] = account.sid
    return {
        "account": account,
        "url": list_links.with_list(request, reverse("flows:new"), **query),
        "is_source": account.sid == source_sid,
        "unavailable_reason": restrictions.find_restriction(account.sid, "create"),
    }


def build_clone(request: Request, account: Account) -> CloneDraft:
    """Return the draft of a clone in this account of the flow in the address (`clone`, a SID).

    It is empty if there is no such flow, or if the user may not see it.
    """
    source = _find_source(request)
    if source is None:
        return CloneDraft({})
    source_sid, flow = source
    is_same_account = source_sid == account.sid
    if is_same_account and has_permission(request.user, "flows.change_flow", source_sid):
        name = f"{FLEX_FLOW.name_of(flow)} (copy)".strip()
        return CloneDraft({**writable_values(flow), "friendly_name": name, "enabled": False})
    return _partial_clone(flow, source_sid, is_same_account=is_same_account)


def _partial_clone(flow: Snapshot, source_sid: str, *, is_same_account: bool) -> CloneDraft:
    """Return a draft with secrets masked and some fields omitted.

    It is for users who may only view the flow, and for clones in another account.
    """
    redacted = redact_fields(flow)
    source = None if is_same_account else twilio_accounts.get_account(source_sid)
    draft = CloneDraft({**writable_values(redacted), "enabled": False}, source)
    for entry in FLEX_FLOW.writable_fields:
        value = redacted.get(entry.name)
        if value and _is_omitted(entry, value, is_same_account=is_same_account):
            draft.initial[entry.name] = None
            draft.omitted_fields.append((entry.label, str(value)))
    return draft


def _clone_sid(request: Request) -> str:
    """Return the SID of the flow to clone, from the address, or ""."""
    sid = request.GET.get("clone", "")
    return sid if FLEX_FLOW.is_sid(sid) else ""


def _find_source(request: Request) -> tuple[str, Snapshot] | None:
    """Return the SID of the account of the flow to clone, and that flow from Twilio.

    Return None if there is none, or, with a message for the user, if it can't be read.
    """
    sid = _clone_sid(request)
    if not sid:
        return None
    account_sid = ownership.find_account_sid(sid)
    if not account_sid:
        return _look_up_source(request, sid)
    if not has_permission(request.user, "flows.view_flow", account_sid):
        messages.error(request, "The flow to copy is in an account that you can't view.")
        return None
    try:
        return account_sid, mirror.fetch(sid, account_sid=account_sid)
    except FlexError as error:
        messages.error(request, f"Couldn't read the flow to clone from Twilio: {error}.")
        return None


def _look_up_source(request: Request, sid: str) -> tuple[str, Snapshot] | None:
    """Look for a flow that is not in the mirror in all accounts that the user may view."""
    result = lookup.find_flow(sid, scope=scope_of(request.user, "flows.view_flow"))
    if result.flow:
        return result.flow.account_sid, result.flow.snapshot
    message = f"Couldn't find the flow to clone, {sid}, in your accounts."
    for account, reason in result.unsearched_accounts:
        message += f" Couldn't check {account}: {reason}"
    messages.error(request, message)
    return None


def _is_omitted(entry: Field, value: Any, *, is_same_account: bool) -> bool:
    """Return True for a secret, and across accounts for a value that belongs to one account."""
    belongs_to_account = entry.kind == "sid" or entry.name in _ADDRESS_NAMES
    is_foreign = belongs_to_account and not is_same_account
    return is_foreign or has_mask(value)
