"""Saved views: a person keeps a question to the list of flows under a name of their own."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flows.audit.access import Request, require_permission
from flows.core.invisible import trim_invisible
from flows.search import flow_search
from flows.search.models import SavedView

MAX_VIEWS = 20  # views a person


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def view_save(request: Request) -> HttpResponse:
    """Keeps the question under a name; a view of that name is replaced."""
    asked = flow_search.Query.from_query_string(request.POST.get("query", "")[:2000], request.scope)
    query = asked.url().removeprefix("?")
    name = trim_invisible(" ".join(request.POST.get("name", "").split())[:60].replace("\x00", ""))
    mine = SavedView.objects.filter(person=request.user)
    if asked.errors:
        sentences = " ".join(mistake.sentence for mistake in asked.errors)
        messages.error(request, f"Couldn't save the view. {sentences}")
    elif not name:
        messages.error(request, "Enter a name for the view.")
    elif len(query) > 600:
        messages.error(request, "This search is too long to save.")
    elif mine.count() >= MAX_VIEWS and not mine.filter(name=name).exists():
        messages.error(request, f"You can save up to {MAX_VIEWS} views. Delete one first.")
    else:
        SavedView.objects.update_or_create(
            person=request.user, name=name, defaults={"query": query}
        )
        messages.success(request, f"Saved view “{name}”.")
    return redirect(reverse("flows:list") + (f"?{query}" if query else ""))


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def view_delete(request: Request, view_id: int) -> HttpResponse:
    """Forgets a view of this person."""
    get_object_or_404(SavedView, pk=view_id, person=request.user).delete()
    return redirect("flows:list")
