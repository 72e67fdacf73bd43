"""Objects at Twilio as they are now, and the copy that this site keeps of some.

The changes call these functions with any resource. For a flow they keep the mirror up to date, and
for what decides who gets a message, the names. Of other resources nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flows.accounts.clients import READ_DEADLINE, WRITE_DEADLINE, resource_client
from flows.accounts.update_signals import announce_update
from flows.audit.audit_log import Observation
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.availability.restrictions import Restriction
from flows.mirror import drift, first_contact, flow_reads, mirror
from flows.mirror.models import Flow
from flows.names import confirmed_changes
from flows.redaction.redacted import Redacted, redact_snapshot
from flows.twilio.client import NO_FILTERS
from flows.twilio.errors import FlexError
from flows.twilio.paging import PageCursor
from flows.twilio.resource import Resource, Snapshot
from flows.twilio.responses import ObjectPage

LIST_DEADLINE = 30.0  # seconds for each page
PAGE_SIZE = 50  # objects on a page that is read for a user


def fetch(
    resource: Resource,
    sid: str,
    *,
    account_sid: str,
    parent_sid: str = "",
    deadline: float = WRITE_DEADLINE,
    must_record: bool = False,
) -> Snapshot:
    """Return an object as Twilio has it now, unmasked. See `mirror.fetch` for flows.

    `parent_sid` is the object that this one belongs to, for a resource below a parent.
    """
    if resource.is_mirrored:
        return mirror.fetch(
            sid, account_sid=account_sid, deadline=deadline, must_record=must_record
        )
    client = resource_client(resource, account_sid, deadline=deadline)
    return client.fetch(sid, parent_sid=parent_sid)


def fetch_by_key(
    resource: Resource, key: str, *, account_sid: str, deadline: float = WRITE_DEADLINE
) -> Snapshot:
    """Return the object with this value of its `key_field` as Twilio has it now, unmasked."""
    return resource_client(resource, account_sid, deadline=deadline).fetch_by_key(key)


def list_masked(resource: Resource, account_sid: str, parent_sid: str = "") -> list[Redacted]:
    """Return all objects of the account, or of their parent, as Twilio has them now, masked."""
    if resource.is_mirrored:
        return flow_reads.fetch_all(account_sid)
    client = resource_client(resource, account_sid, deadline=LIST_DEADLINE)
    return [redact_snapshot(snapshot) for snapshot in client.list(parent_sid=parent_sid)]


def list_page(
    resource: Resource,
    account_sid: str,
    cursor: PageCursor,
    *,
    page_size: int = PAGE_SIZE,
    parent_sid: str = "",
    filters: Mapping[str, str] = NO_FILTERS,
) -> ObjectPage:
    """Return one page of the objects that the account, or their parent, has now, unmasked.

    `filters` are parameters of the resource's `list_filters` with the values to list.
    """
    client = resource_client(resource, account_sid, deadline=READ_DEADLINE)
    return client.list_page(cursor, page_size=page_size, parent_sid=parent_sid, filters=filters)


def last_copy(resource: Resource, sid: str) -> Redacted | None:
    """Return the object as this site last stored it, masked, or None."""
    if not resource.is_mirrored:
        return None
    return Flow.objects.filter(sid=sid).values_list("resource", flat=True).first()


def store_result(resource: Resource, snapshot: Redacted | None, event: AuditEvent) -> None:
    """Keep the result of a change that `event` recorded. None is a deletion."""
    if resource.is_mirrored:
        mirror.apply_result(snapshot, event)
    elif confirmed_changes.store_result(resource, snapshot, event):
        announce_update(event.account_sid)


def store_absence(resource: Resource, sid: str, *, account_sid: str, read_seq: int) -> None:
    """Keep that Twilio answered 404 to a request sent after event `read_seq`."""
    if resource.is_mirrored:
        mirror.mark_deleted(sid, account_sid=account_sid, read_seq=read_seq)
    elif confirmed_changes.store_absence(resource, sid, account_sid=account_sid):
        announce_update(account_sid)


def record_response(
    resource: Resource, account_sid: str, operation: str, error: FlexError | None
) -> None:
    """Update the availability of an operation on flows from Twilio's response."""
    if resource.is_mirrored:
        first_contact.record_response(account_sid, operation, error)


def find_restriction(resource: Resource, account_sid: str, operation: str) -> Restriction | None:
    """Return the restriction that prevents an operation, or None.

    What Twilio refuses is only known of flows. Read-only mode holds for every resource.
    """
    availability = restrictions.account_availability(account_sid)
    if resource.is_mirrored or availability.is_read_only:
        return availability.restriction_of(operation)
    return None


def find_concurrent_edit(
    resource: Resource,
    sid: str,
    *,
    account_sid: str,
    before: Redacted,
    requested: Iterable[str],
    after: Redacted,
) -> Observation | None:
    """Return the edit of someone else that the response to our change shows, or None."""
    if not resource.is_mirrored:
        return None
    return drift.find_concurrent_edit(
        sid, account_sid=account_sid, before=before, requested=requested, after=after
    )
