"""The ids of changes that the site has planned: of bulk changes, change requests and migrations.

Pages and the API show these ids before the changes are sent, and a client chooses the id of its own
change. So an event with a planned id is refused unless it comes from what planned it. Upper packages
register where their ids are (flows/apps.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final

from django.db.models import QuerySet

from flows.audit.audit_types import Actor, ReservedId

# Returns the id of what planned the change, which is the `request_id` of its events.
OwnerQuery = Callable[[uuid.UUID], QuerySet[Any, uuid.UUID]]
_owner_queries: Final[list[OwnerQuery]] = []


def register(*queries: OwnerQuery) -> None:
    """Look for planned ids with these queries."""
    _owner_queries.extend(queries)


def check(change_id: uuid.UUID, actor: Actor) -> None:
    """Raise `ReservedId` if something planned this change, and the actor doesn't act for it."""
    if not _owner_queries:
        return
    first, *others = (query(change_id) for query in _owner_queries)
    owners = first.union(*others, all=True) if others else first
    if any(str(owner) != actor.request_id for owner in owners):
        raise ReservedId("the id belongs to a planned change")
