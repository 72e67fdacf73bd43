"""Saved views: a person keeps a question to the list of flows under a name of their own."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flows import search
from flows.invisible import trimmed
from flows.models import SavedView
from flows.views.requests import Request, permitted

MOST = 20  # views a person


@require_POST
@permitted("flows.view_flow", action="flow.view")
def view_save(request: Request) -> HttpResponse:
    """Keeps the question under a name; a view of that name is replaced."""
    asked = search.Query.of_text(request.POST.get("query", "")[:2000], request.scope)
    query = asked.url().removeprefix("?")
    name = trimmed(" ".join(request.POST.get("name", "").split())[:60].replace("\x00", ""))
    mine = SavedView.objects.filter(person=request.user)
    if asked.mistakes:
        sentences = " ".join(mistake.sentence for mistake in asked.mistakes)
        messages.error(request, f"Couldn't save the view. {sentences}")
    elif not name:
        messages.error(request, "Enter a name for the view.")
    elif len(query) > 600:
        messages.error(request, "This search is too long to save.")
    elif mine.count() >= MOST and not mine.filter(name=name).exists():
        messages.error(request, f"You can save up to {MOST} views. Delete one first.")
    else:
        SavedView.objects.update_or_create(person=request.user, name=name, defaults={"query": query})
        messages.success(request, f"Saved view “{name}”.")
    return redirect(reverse("flows:list") + (f"?{query}" if query else ""))


@require_POST
@permitted("flows.view_flow", action="flow.view")
def view_remove(request: Request, view_id: int) -> HttpResponse:
    """Forgets a view of this person."""
    get_object_or_404(SavedView, pk=view_id, person=request.user).delete()
    return redirect("flows:list")
