"""What Twilio confirmed of the site's own changes, taken over without waiting for a refresh.

An address, the handling of a number's SMS, and a number's membership in a Messaging Service decide who
gets a message. Of everything else that was read with them, the last reading stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from flows.audit.models import AuditEvent
from flows.core.database import close_lost_connection, short_lock_timeout
from flows.names.details import read_details, read_sms_handler
from flows.names.models import ObjectReading, ResourceName
from flows.names.twilio_reads import build_object
from flows.redaction.redacted import Redacted
from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.messaging.service_members import SERVICE_NUMBER
from flows.twilio.messaging.service_membership import SERVICE_MEMBERSHIP
from flows.twilio.resource import Resource

log = logging.getLogger(__name__)


def store_result(resource: Resource, snapshot: Redacted | None, event: AuditEvent) -> bool:
    """Store what a change that `event` recorded made of an object. None is a deletion.

    Return True if the resource is one that is kept. A failure is logged, and the next refresh
    mends it.
    """
    store = _STORES.get(resource.name)
    if store is None:
        return False
    try:
        with short_lock_timeout(), transaction.atomic():
            store(event.account_sid, event.target_sid, snapshot)
    except Exception as error:  # noqa: BLE001 - the change is confirmed all the same
        close_lost_connection()
        # Only the type: a database's message can quote the row.
        log.error("a confirmed change could not be taken over: %s", type(error).__name__)
    return True


def store_absence(resource: Resource, sid: str, *, account_sid: str) -> bool:
    """Store that Twilio has no such object. Return True if the resource is one that is kept."""
    return store_result(resource, None, AuditEvent(account_sid=account_sid, target_sid=sid))


def _store_address(account_sid: str, sid: str, snapshot: Redacted | None) -> None:
    at = timezone.now()
    if snapshot is None:
        rows = ResourceName.objects.filter(account_sid=account_sid, sid=sid)
        rows.filter(gone_at=None).update(gone_at=at, changed_at=at)
        return
    details = read_details(ADDRESS_CONFIGURATION.name, snapshot)
    address = build_object(ADDRESS_CONFIGURATION, snapshot, details)
    ResourceName.objects.update_or_create(
        account_sid=account_sid,
        sid=address.sid,
        defaults={
            **asdict(address),
            "name_folded": address.name_folded,
            "changed_at": at,
            "gone_at": None,
        },
    )


def _store_number(account_sid: str, sid: str, snapshot: Redacted | None) -> None:
    """Store who answers a number's SMS. A number that was never read is left to a refresh."""
    rows = ResourceName.objects.select_for_update().filter(account_sid=account_sid, sid=sid)
    row = rows.first()
    if row is None or snapshot is None:
        return
    row.details = {**_mapping(row.details), **read_sms_handler(snapshot)}
    row.changed_at = timezone.now()
    row.save(update_fields=["details", "changed_at"])


def _store_membership(account_sid: str, sid: str, snapshot: Redacted | None) -> None:
    """Store that a number is in one Messaging Service, or in none.

    A service whose members were never read is left to a refresh.
    """
    service_sid = snapshot.get("service_sid") if snapshot else None
    readings = ObjectReading.objects.select_for_update().filter(
        account_sid=account_sid, resource=SERVICE_NUMBER.name
    )
    for reading in readings:
        listed = _mapping(reading.facts).get("sids")
        before = {*listed} if isinstance(listed, list) else set()
        after = before | {sid} if reading.sid == service_sid else before - {sid}
        if after != before:
            changed_at = timezone.now().isoformat()
            reading.facts = {"sids": sorted(after), "changed_at": changed_at}
            reading.save(update_fields=["facts"])


_STORES: Final[Mapping[str, Callable[[str, str, Redacted | None], None]]] = {
    ADDRESS_CONFIGURATION.name: _store_address,
    PHONE_NUMBER_SETTINGS.name: _store_number,
    SERVICE_MEMBERSHIP.name: _store_membership,
}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
