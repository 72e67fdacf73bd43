"""Names for SIDs, as pages show them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from flows.names.models import ResourceName


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an object at Twilio.

    `resource` is the name of its `flows.twilio.resource.Resource`, `status` as Twilio has it.
    `name` is empty if the object was never there. `is_gone` is True if Twilio no longer has it.
    """

    sid: str
    resource: str
    name: str
    status: str
    parent_sid: str
    is_gone: bool
    revision: int | None = None  # the latest one of a Studio Flow


Names = dict[tuple[str, str], Name]  # by account SID and SID


def names_for(account_sid: str, sids: Collection[str]) -> dict[str, Name]:
    """Return the names of these SIDs in an account. SIDs without a name are omitted."""
    names = load_names((account_sid, sid) for sid in sids)
    return {sid: name for (_, sid), name in names.items()}


def load_names(targets: Iterable[tuple[str, str]]) -> Names:
    """Return the names of these (account SID, SID), with one query. Those without are omitted."""
    # What isn't a SID has no name, and some of it can't be in a query, such as a NUL.
    keys = {(account_sid, sid) for account_sid, sid in targets if _may_be_sid(sid)}
    if not keys:
        return {}
    rows = ResourceName.objects.filter(
        account_sid__in={account_sid for account_sid, _ in keys},
        sid__in={sid for _, sid in keys},
    ).values_list(
        "account_sid", "sid", "resource", "name", "status", "parent_sid", "gone_at", "revision"
    )
    return {
        (account_sid, sid): Name(
            sid, resource, name, status, parent_sid, gone_at is not None, revision
        )
        for account_sid, sid, resource, name, status, parent_sid, gone_at, revision in rows
        if (account_sid, sid) in keys
    }


def _may_be_sid(text: str) -> bool:
    return text.isascii() and text.isalnum()
