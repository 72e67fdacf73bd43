"""Saved views: named queries of the flow list, each of one user, who can share it with everyone.

A view is a query, so it never shows more flows than its reader may see. What changes a shared view
is recorded, because others rely on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl

from django.contrib.auth.models import User
from django.db.models import Q

from flows.accounts.twilio_accounts import Scope
from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import Result, Stage
from flows.redaction.redacted import redact_fields
from flows.search import filters
from flows.search.actions import SavedViewAction
from flows.search.models import SavedView

MAX_VIEWS: Final = 20  # views of one user
MAX_SHARED_VIEWS: Final = 20  # of all users together


class TooManySharedViews(Exception):
    """`MAX_SHARED_VIEWS` views are shared already."""


def visible_views(user: User, scope: Scope) -> list[SavedView]:
    """Return the user's own views, and the shared ones that are not about an account they can't see.

    `scope` are the accounts that the user may see.
    """
    views = SavedView.objects.filter(Q(person=user) | Q(is_shared=True))
    views = views.select_related("person").order_by("name", "pk")
    return [view for view in views if view.person_id == user.pk or _is_in_scope(view, scope)]


def find_view(user: User, scope: Scope, view_id: int | None) -> SavedView | None:
    """Return a view that the user can see, or None."""
    if view_id is None:
        return None
    view = SavedView.objects.filter(Q(person=user) | Q(is_shared=True), pk=view_id).first()
    if view is None or view.person_id == user.pk:
        return view
    return view if _is_in_scope(view, scope) else None


def save_view(*, user: User, name: str, query: str, actor: Actor) -> None:
    """Save a query under a name, in place of the user's view of that name.

    Raises `NotRecorded` if the view is shared and the event can't be written.
    """
    values: dict[str, Any] = {"person": user, "name": name}
    view = SavedView.objects.filter(**values).first()

    def save() -> None:
        SavedView.objects.update_or_create(**values, defaults={"query": query})

    if view is None or not view.is_shared or view.query == query:
        save()
        return
    before = view.query
    view.query = query
    _change_shared(SavedViewAction.CHANGE, view, save, actor=actor, query_before=before)


def delete_view(view: SavedView, actor: Actor) -> None:
    """Delete a view. A shared one is no longer there for anyone."""
    if view.is_shared:
        _change_shared(SavedViewAction.UNSHARE, view, view.delete, actor=actor)
    else:
        view.delete()


def set_shared(view: SavedView, actor: Actor, *, is_shared: bool) -> None:
    """Share a view with everyone, or stop that. Raises `TooManySharedViews` or `NotRecorded`."""
    if view.is_shared == is_shared:
        return

    def change() -> None:
        if is_shared and SavedView.objects.filter(is_shared=True).count() >= MAX_SHARED_VIEWS:
            raise TooManySharedViews
        SavedView.objects.filter(pk=view.pk).update(is_shared=is_shared)

    action = SavedViewAction.SHARE if is_shared else SavedViewAction.UNSHARE
    _change_shared(action, view, change, actor=actor)


def _change_shared(
    action: SavedViewAction,
    view: SavedView,
    change: Callable[[], Any],
    *,
    actor: Actor,
    query_before: str | None = None,
) -> None:
    """Make a change in the transaction of its event, which has the filters and the view's owner."""
    owner = {"owner": view.person.get_username()}
    before = None if query_before is None else redact_fields(owner | _describe(query_before))
    after = redact_fields(owner | _describe(view.query))
    with audit_log.transaction() as log:
        change()
        log.append(
            action=action,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            account_sid="",  # a view belongs to the site, not to an account
            payload=Payload(friendly_name=view.name, before=before, after=after),
        )


def _describe(query: str) -> dict[str, str]:
    return {filters.LABELS.get(name, name): value for name, value in parse_qsl(query)}


def _is_in_scope(view: SavedView, scope: Scope) -> bool:
    """Return True unless a view filters by an account that the user can't see."""
    account_sids = parse_qs(view.query).get("account", [])
    return scope is None or scope.issuperset(account_sids)
