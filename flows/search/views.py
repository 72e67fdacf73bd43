"""The forms of saved views: save, delete, share with everyone."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flows.accounts.permissions import has_permission_anywhere
from flows.audit.access import Request, get_actor, record_denial, require_permission
from flows.core.invisible import trim_invisible
from flows.search import flow_search, saved_views
from flows.search.actions import SavedViewAction
from flows.search.models import SavedView
from flows.search.saved_views import MAX_SHARED_VIEWS, MAX_VIEWS

MAX_QUERY_LENGTH = 600  # characters


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def view_save(request: Request) -> HttpResponse:
    """Save the query under a name, in place of the user's view of that name."""
    query = flow_search.Query.from_query_string(request.POST.get("query", "")[:2000], request.scope)
    query_string = query.url(view="").removeprefix("?")
    name = " ".join(request.POST.get("name", "").split())[:60]
    name = trim_invisible(name.replace("\x00", ""))
    views = SavedView.objects.filter(person=request.user)
    error = (
        _query_error(query, query_string)
        or _name_error(name, views)
        or _sharing_error(request, views.filter(name=name).first(), SavedViewAction.CHANGE)
    )
    if error:
        messages.error(request, error)
    else:
        saved_views.save_view(
            user=request.user, name=name, query=query_string, actor=get_actor(request)
        )
        messages.success(request, f"Saved view “{name}”.")
    return redirect(reverse("flows:list") + query.url(view="").rstrip("?"))


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


def _sharing_error(request: Request, view: SavedView | None, action: SavedViewAction) -> str:
    """Return the reason why the user can't change or delete their shared view, or "".

    A user who shared a view may have lost the permission to share since. The refusal is recorded.
    """
    if view is None or not view.is_shared:
        return ""
    if has_permission_anywhere(request.user, "flows.change_flow"):
        return ""
    record_denial(request, action, {})
    return (
        f"Your view “{view.name}” is shared with everyone. "
        "Your role doesn't allow you to change or delete it."
    )


@require_POST
@require_permission("flows.view_flow", action="flow.view")
def view_delete(request: Request, view_id: int) -> HttpResponse:
    """Delete a view of this user."""
    view = get_object_or_404(SavedView, pk=view_id, person=request.user)
    error = _sharing_error(request, view, SavedViewAction.UNSHARE)
    if error:
        messages.error(request, error)
        return redirect(f"{reverse('flows:list')}?{view.query}")
    saved_views.delete_view(view, get_actor(request))
    return redirect("flows:list")


@require_POST
@require_permission("flows.change_flow", action=SavedViewAction.SHARE)
def view_share(request: Request, view_id: int) -> HttpResponse:
    """Share a view with everyone, or stop that. The POST field `shared` is "true" or "false".

    Whoever may change flows may share, and may stop sharing any shared view: its owner may have
    left. The view itself stays with its owner.
    """
    view = saved_views.find_view(request.user, request.scope, view_id)
    is_shared = request.POST.get("shared") == "true"
    if view is None:
        raise Http404
    try:
        saved_views.set_shared(view, get_actor(request), is_shared=is_shared)
    except saved_views.TooManySharedViews:
        text = f"{MAX_SHARED_VIEWS} views are shared already. Stop sharing one first."
        messages.error(request, text)
    return redirect(f"{reverse('flows:list')}?{view.query}")
