"""Saved views: a user's named queries of the flow list."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flows.audit.access import Request, require_permission
from flows.core.invisible import trim_invisible
from flows.search import flow_search
from flows.search.models import SavedView

MAX_VIEWS = 20  # views of one user
MAX_QUERY_LENGTH = 600  # characters


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def view_save(request: Request) -> HttpResponse:
    """Save the query under a name, in place of the user's view of that name."""
    query = flow_search.Query.from_query_string(request.POST.get("query", "")[:2000], request.scope)
    query_string = query.url().removeprefix("?")
    name = " ".join(request.POST.get("name", "").split())[:60]
    name = trim_invisible(name.replace("\x00", ""))
    views = SavedView.objects.filter(person=request.user)
    error = _query_error(query, query_string) or _name_error(name, views)
    if error:
        messages.error(request, error)
    else:
        SavedView.objects.update_or_create(
            person=request.user, name=name, defaults={"query": query_string}
        )
        messages.success(request, f"Saved view “{name}”.")
    return redirect(reverse("flows:list") + query.url().rstrip("?"))


def _query_error(query: flow_search.Query, query_string: str) -> str:
    """Return the reason why a query can't be saved, or ""."""
    if query.errors:
        return f"Couldn't save the view. {query.error_text}"
    if len(query_string) > MAX_QUERY_LENGTH:
        return "This search is too long to save."
    return ""


def _name_error(name: str, views: QuerySet[SavedView]) -> str:
    """Return the reason why the user can't save a view of this name, or ""."""
    if not name:
        return "Enter a name for the view."
    if views.count() >= MAX_VIEWS and not views.filter(name=name).exists():
        return f"You can save up to {MAX_VIEWS} views. Delete one first."
    return ""


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def view_delete(request: Request, view_id: int) -> HttpResponse:
    """Delete a view of this user."""
    get_object_or_404(SavedView, pk=view_id, person=request.user).delete()
    return redirect("flows:list")
