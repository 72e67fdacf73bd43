"""The state of Flex in each account, as a part of the overview that is loaded after it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.audit.access import Request, require_permission
from flows.resources.flex_status import load_statuses


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flex_status(request: Request) -> HttpResponse:
    """Show whether Flex is set up and which plugins run, also as a page without scripts."""
    accounts = list(twilio_accounts.visible_accounts(request.scope))
    template_name = "resources/_flex_status.html" if request.htmx else "resources/flex_status.html"
    return render(request, template_name, {"statuses": load_statuses(request.user, accounts)})
