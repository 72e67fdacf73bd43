"""The conversations that a flow has now, as a part of its pages that is loaded after them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from flows.audit.access import Request, require_permission
from flows.mirror.models import Flow
from flows.resources import links, usage
from flows.twilio.errors import FlexError


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flow_usage(request: Request, sid: str) -> HttpResponse:
    """Show how many conversations the flow has, also as a page of its own without scripts."""
    flow = get_object_or_404(Flow, sid=sid)
    context: dict[str, Any] = {"flow": flow}
    try:
        counted = usage.count_conversations(request.account_sid, sid)
    except FlexError as error:
        context["error"] = error
    else:
        newest = [one.newest_at for one in counted if one.newest_at]
        context |= {
            "uses": [
                {"usage": one, "url": links.list_url(one.resource, request.account_sid, flow=sid)}
                for one in counted
                if one.count
            ],
            "newest_at": max(newest, default=None),
            "is_complete": bool(counted) and all(one.is_complete for one in counted),
            "counted_at": min((one.counted_at for one in counted), default=None),
        }
    template_name = "flows/_usage.html" if request.htmx else "flows/usage.html"
    return render(request, template_name, context)
