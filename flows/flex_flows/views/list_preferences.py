"""A user's own choices for the list of flows: columns, density and default view.

Nobody else sees them, so no event records them.
"""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flows.accounts import twilio_accounts
from flows.audit.access import Request, require_permission
from flows.flex_flows import list_columns, list_links
from flows.local_details.models import LocalDetails
from flows.search import saved_views


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def save_list_preferences(request: Request) -> HttpResponse:
    """Save columns and density, and return to the list that the user came from."""
    list_columns.save_preferences(
        request.user,
        shown_columns=request.POST.getlist("column"),
        density=request.POST.get("density", ""),
        shows_account=len(twilio_accounts.visible_accounts(request.scope)) > 1,
        has_owners=LocalDetails.objects.exists(),
    )
    return redirect(list_links.list_url(request))


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def change_default_view(request: Request, view_id: int) -> HttpResponse:
    """Make a view the user's default, or no view. The POST field `default` is "true" or "false"."""
    view = saved_views.find_view(request.user, request.scope, view_id)
    if view is None:
        raise Http404
    is_default = request.POST.get("default") == "true"
    list_columns.set_default_view(request.user, view if is_default else None)
    return redirect(f"{reverse('flows:list')}?{view.query}")
