"""The overview: the first page after sign-in.

Its figures are the product's (flows/overview). The site adds its worker and its checklist. The page
reads only the database; htmx then syncs the flows if they were synced a while ago.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from flexadmin.ops import worker_heartbeat
from flexadmin.overview.checklist import Checklist, build_checklist
from flexadmin.users.access import MANAGE_USERS
from flows.accounts.permissions import has_permission_everywhere
from flows.audit.access import Request, require_permission
from flows.core import time_text
from flows.overview.attention import AttentionItem
from flows.overview.overview import Overview, load_overview


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def show_overview(request: Request) -> HttpResponse:
    overview = load_overview(request)
    context: dict[str, Any] = {
        "overview": overview,
        "items": overview.items,
        # For templates that other pages share.
        "histogram": overview.histogram,
        "freshness": overview.worst_mirror,
        "mirror_is_stale": overview.is_stale,
        "drift_count": overview.external_changes,
    }
    if has_permission_everywhere(request.user, MANAGE_USERS):
        heartbeat = worker_heartbeat.last_heartbeat()
        context["items"] = [*overview.items, *_worker_items(heartbeat)]
        context["checklist"] = _build_checklist(overview, heartbeat)
    return render(request, "overview/overview.html", context)


def _worker_items(heartbeat: datetime | None) -> list[AttentionItem]:
    """Return a sentence if the worker stopped. A site's first one is in the checklist."""
    if heartbeat is None or not worker_heartbeat.is_overdue(heartbeat):
        return []
    detail = f"The last one was seen {time_text.ago(heartbeat)}. Bulk changes wait for one."
    return [AttentionItem("bad", "No worker is running", reverse("flows:plans"), detail)]


def _build_checklist(overview: Overview, heartbeat: datetime | None) -> Checklist:
    log = overview.log
    return build_checklist(
        overview.mirrors,
        has_checkpoint=log is not None and log.checkpoint is not None,
        worker_heartbeat=heartbeat,
    )
