"""The form "View" of the list of flows, which saves its columns and its density."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from flows.accounts import twilio_accounts
from flows.audit.access import Request, require_permission
from flows.flex_flows import list_columns, list_links


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def save_list_preferences(request: Request) -> HttpResponse:
    """Save the user's own preferences, and return to the list that they came from.

    Nobody else sees them, so no event records them.
    """
    list_columns.save_preferences(
        request.user,
        shown_columns=request.POST.getlist("column"),
        density=request.POST.get("density", ""),
        shows_account=len(twilio_accounts.visible_accounts(request.scope)) > 1,
    )
    return redirect(list_links.list_url(request))
