"""Reads of owners, tags and notes, and the filters by owner and tag."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from flows.core.database import split_batches
from flows.local_details.fields import NO_VALUE, Details, clean_tag, fold, sort_tags
from flows.local_details.models import FlowTag, LocalDetails


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
