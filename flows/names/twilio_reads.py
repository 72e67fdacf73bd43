"""Reads of named objects from Twilio: whole collections, and single objects by their SID.

Nothing in this module writes to the database.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flows.accounts.clients import resource_client
from flows.core.normalization import normalize_text
from flows.names.details import read_details
from flows.redaction.redacted import Redacted, redact_snapshot
from flows.twilio import labels
from flows.twilio.client import ResourceClient
from flows.twilio.errors import FlexError, NotSent, RequestRefused
from flows.twilio.handling_resources import HANDLING_RESOURCES
from flows.twilio.resource import Resource, Snapshot

DEADLINE: Final = 8.0  # seconds for one request, with the wait for its turn
TIMEOUT: Final = 30.0  # seconds after which no further request of a refresh is sent
NAME_MAX: Final = 500  # characters, as in the mirror
# Fields that have what a flow can have in place of an object's SID.
REFERENCE_FIELDS: Final = ("unique_name", "phone_number", "sender_id", "address")
ON, OFF = "on", "off"  # the status of an object that can be turned on and off


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object at Twilio: its SID, its name, and what else the site keeps of it."""

    resource: str
    sid: str
    name: str = ""
    status: str = ""
    parent_sid: str = ""
    reference: str = ""
    revision: int | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def name_folded(self) -> str:
        return normalize_text(self.name)


@dataclass(slots=True)
class Listing:
    """The objects that Twilio lists of a resource. `error` is the first failure, if any.

    A listing with an error lacks objects.
    """

    resource: Resource
    objects: dict[str, NamedObject] = field(default_factory=dict)
    error: FlexError | None = None


class TwilioReader:
    """Reads the named objects of an account, until the time for a refresh is over."""

    def __init__(self, account_sid: str, *, timeout: float = TIMEOUT) -> None:
        self._account_sid = account_sid
        self._ends_at = time.monotonic() + timeout

    def list_objects(self, resource: Resource, parent_sids: Iterable[str] = ("",)) -> Listing:
        """Return the objects in the collections of these parents, or in the only collection."""
        listing = Listing(resource)
        for parent_sid in parent_sids:
            try:
                for listed in self._list_collection(resource, parent_sid):
                    listing.objects[listed.sid] = listed
            except FlexError as error:
                listing.error = listing.error or error
        return listing

    def fetch_object(self, resource: Resource, sid: str, parent_sid: str) -> NamedObject | None:
        """Return an object, or None if Twilio says that it has no such object."""
        try:
            snapshot = self.fetch(HANDLING_RESOURCES.get(resource.name, resource), sid, parent_sid)
        except RequestRefused as refusal:
            if refusal.is_not_found:
                return None
            raise
        return _read_object(resource, snapshot, parent_sid)

    def fetch(self, resource: Resource, sid: str, parent_sid: str = "") -> Snapshot:
        """Return an object as Twilio has it, with its secrets."""
        return self._client(resource).fetch(sid, parent_sid=parent_sid)

    def list_sids(self, resource: Resource, parent_sid: str) -> list[str]:
        """Return the SIDs of the objects in a collection of this parent."""
        return [snapshot["sid"] for snapshot in self._client(resource).list(parent_sid=parent_sid)]

    def _list_collection(self, resource: Resource, parent_sid: str) -> Iterator[NamedObject]:
        client = self._client(HANDLING_RESOURCES.get(resource.name, resource))
        for snapshot in client.list(parent_sid=parent_sid):
            yield _read_object(resource, snapshot, parent_sid)

    def _client(self, resource: Resource) -> ResourceClient:
        """Return a client for one request. Raise `NotSent` if the time is over."""
        if time.monotonic() >= self._ends_at:
            raise NotSent("there was no time left to read them")
        return resource_client(resource, self._account_sid, deadline=DEADLINE)


def _read_object(resource: Resource, snapshot: Snapshot, parent_sid: str) -> NamedObject:
    """Return what the site keeps of an object. Values of an unexpected type become text."""
    # Webhooks are not among the named resource's own fields.
    names = [name for name in resource.by_name if name in snapshot]
    fields = redact_snapshot({name: snapshot[name] for name in names})
    return build_object(resource, fields, read_details(resource.name, snapshot), parent_sid)


def build_object(
    resource: Resource, fields: Redacted, details: dict[str, Any], parent_sid: str = ""
) -> NamedObject:
    """Return what the site keeps of an object whose fields were redacted."""
    references = (fields.get(name) for name in REFERENCE_FIELDS if name in resource.by_name)
    return NamedObject(
        resource=resource.name,
        sid=fields["sid"],
        name=(_text_of(fields, resource.name_field) or resource.key_of(fields))[:NAME_MAX],
        status=_status_of(resource, fields)[:32],
        parent_sid=parent_sid,
        reference=next((_as_text(value)[:NAME_MAX] for value in references), ""),
        revision=as_revision(fields.get("revision")),
        details=details,
    )


def _status_of(resource: Resource, fields: Mapping[str, Any]) -> str:
    """Return the status as Twilio has it, or whether the object is on, or "" if it is not known."""
    if not resource.enabled_field:
        return _text_of(fields, "status")
    name = resource.enabled_field
    is_on = resource.normalize_value(name, fields.get(name))
    if not isinstance(is_on, bool):
        return ""
    return ON if is_on else OFF


def _text_of(fields: Mapping[str, Any], name: str) -> str:
    return _as_text(fields.get(name))


def _as_text(value: Any) -> str:
    return "" if value is None else labels.value_to_text(value)


def as_revision(value: Any) -> int | None:
    """Return the number of a revision, or None for anything else."""
    return value if type(value) is int and abs(value) < 2**31 else None
