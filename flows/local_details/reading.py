"""Reads of owners, tags and notes, and the filters by owner and tag."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Count, F, Min, Q, QuerySet, Value

from flows.accounts import twilio_accounts
from flows.core.database import split_batches
from flows.local_details.fields import NO_VALUE, Details, clean_tag, fold, sort_tags
from flows.local_details.models import FlowTag, LocalDetails

MAX_CHOICES: Final = 200  # owners, and tags, that a filter offers
MAX_SUGGESTIONS: Final = 8  # owners that a form names

DetailsChoices = dict[str, list[str]]  # the values that flows have, by "owner" and "tag"


def load_details(sid: str) -> Details:
    """Return the details of one flow, all empty if it has none."""
    return details_by_sid([sid]).get(sid, Details())


def details_by_sid(sids: Iterable[str]) -> dict[str, Details]:
    """Return the details of those of these flows that have some, by SID. One query for 500."""
    rows: dict[str, tuple[str, str, list[str]]] = {}
    for batch in split_batches(list(sids)):
        values = LocalDetails.objects.filter(sid__in=batch)
        for sid, owner, note, tag in values.values_list("sid", "owner", "note", "tags__name"):
            _, _, tags = rows.setdefault(sid, (owner, note, []))
            tags += [tag] if tag else []
    return {sid: Details(owner, sort_tags(tags), note) for sid, (owner, note, tags) in rows.items()}


def load_choices(scope: twilio_accounts.Scope) -> DetailsChoices:
    """Return the most frequent owners and tags of the flows in these accounts, with one query.

    Each list is in alphabetical order. Spellings of an owner that differ only in case count as one.
    """
    owners = twilio_accounts.filter_scope(LocalDetails.objects.exclude(owner=""), scope)
    tags = twilio_accounts.filter_scope(FlowTag.objects.all(), scope)
    owner_counts = _count(owners, "owner", "owner_folded", "owner")
    counts = owner_counts.union(_count(tags, "tag", "name", "name"), all=True)
    values: dict[str, list[tuple[int, str]]] = {"owner": [], "tag": []}
    for kind, _key, value, flows in counts:
        values[kind].append((-flows, value))
    return {kind: _most_frequent(counted) for kind, counted in values.items()}


def suggest_owners(scope: twilio_accounts.Scope) -> list[str]:
    """Return the owners that most flows in these accounts have."""
    owners = twilio_accounts.filter_scope(LocalDetails.objects.exclude(owner=""), scope)
    counts = _count(owners, "owner", "owner_folded", "owner").order_by("-flows", "value")
    return [value for _, _, value, _ in counts[:MAX_SUGGESTIONS]]


def owner_filter(value: str) -> Q:
    """Return a condition for rows, by `sid`, of flows with this owner in any spelling."""
    if value == NO_VALUE:
        return ~Q(sid__in=LocalDetails.objects.exclude(owner_folded="").values("sid"))
    return Q(sid__in=LocalDetails.objects.filter(owner_folded=fold(value)).values("sid"))


def tag_filter(value: str) -> Q:
    """Return a condition for rows, by `sid`, of flows with this tag. Raises `InvalidDetail`."""
    if value == NO_VALUE:
        return ~Q(sid__in=FlowTag.objects.values("details"))
    return Q(sid__in=FlowTag.objects.filter(name=clean_tag(value)).values("details"))


def _count(rows: QuerySet[Any], kind: str, key: str, column: str) -> QuerySet[Any, Any]:
    """Return a query for (kind, key, value, number of flows) of each key."""
    groups = rows.order_by().values_list(Value(kind), F(key))
    counts: QuerySet[Any, Any] = groups.annotate(value=Min(column), flows=Count("pk"))
    return counts


def _most_frequent(counted: list[tuple[int, str]]) -> list[str]:
    most_frequent = sorted(counted)[:MAX_CHOICES]
    return sorted((value for _, value in most_frequent), key=fold)
