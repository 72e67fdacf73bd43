"""Saved views: named queries of the flow list, each of one user, who can share it with everyone.

A view is a query, so it never shows more flows than its reader may see. What changes a shared view
is recorded, because others rely on it.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl

from django.contrib.auth.models import User
from django.db.models import Q

from flows.accounts.twilio_accounts import Scope
from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction, Payload
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

    Raises `NotRecorded`.
    """
    with audit_log.transaction() as log:
        view = _lock_view(person=user, name=name)
        if view is None:
            SavedView.objects.create(person=user, name=name, query=query)
        elif view.query != query:
            query_before, view.query = view.query, query
            view.save(update_fields=["query"])
            if view.is_shared:
                _record(log, SavedViewAction.CHANGE, view, actor, query_before=query_before)


def delete_view(view: SavedView, actor: Actor) -> None:
    """Delete a view. A shared one is no longer there for anyone. Raises `NotRecorded`."""
    with audit_log.transaction() as log:
        current = _lock_view(pk=view.pk)
        if current is None:
            return
        if current.is_shared:
            _record(log, SavedViewAction.UNSHARE, current, actor)
        current.delete()


def set_shared(view: SavedView, actor: Actor, *, is_shared: bool) -> None:
    """Share a view with everyone, or stop that. Raises `TooManySharedViews` or `NotRecorded`."""
    # Without this, someone who found another user's view shared could share it after its owner
    # stopped that.
    if view.is_shared == is_shared:
        return
    with audit_log.transaction() as log:
        current = _lock_view(pk=view.pk)
        if current is None or current.is_shared == is_shared:
            return
        if is_shared and SavedView.objects.filter(is_shared=True).count() >= MAX_SHARED_VIEWS:
            raise TooManySharedViews
        current.is_shared = is_shared
        current.save(update_fields=["is_shared"])
        action = SavedViewAction.SHARE if is_shared else SavedViewAction.UNSHARE
        _record(log, action, current, actor)


def _lock_view(**lookup: Any) -> SavedView | None:
    """Return a view as it is while the log is locked, or None if it is gone.

    What the caller read before that may be outdated, and the log would contain an event that
    never happened, or lack one.
    """
    return SavedView.objects.select_for_update().filter(**lookup).first()


def _record(
    log: LogTransaction,
    action: SavedViewAction,
    view: SavedView,
    actor: Actor,
    *,
    query_before: str | None = None,
) -> None:
    """Append an event about a shared view, with its filters and its owner."""
    owner = {"owner": view.person.get_username()}
    before = None if query_before is None else redact_fields(owner | _describe(query_before))
    after = redact_fields(owner | _describe(view.query))
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
