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
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio import labels
from flows.twilio.errors import FlexError, NotSent, RequestRefused
from flows.twilio.resource import Resource

DEADLINE: Final = 8.0  # seconds for one request, with the wait for its turn
TIMEOUT: Final = 30.0  # seconds after which no further request of a refresh is sent
NAME_MAX: Final = 500  # characters, as in the mirror
# Fields that have what a flow can have in place of an object's SID.
REFERENCE_FIELDS: Final = ("unique_name", "phone_number", "sender_id")


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
        self._require_time()
        client = resource_client(resource, self._account_sid, deadline=DEADLINE)
        try:
            snapshot = client.fetch(sid, parent_sid=parent_sid)
        except RequestRefused as refusal:
            if refusal.is_not_found:
                return None
            raise
        return _build_object(resource, redact_fields(snapshot), parent_sid)

    def _list_collection(self, resource: Resource, parent_sid: str) -> Iterator[NamedObject]:
        self._require_time()
        client = resource_client(resource, self._account_sid, deadline=DEADLINE)
        for snapshot in client.list(parent_sid=parent_sid):
            yield _build_object(resource, redact_fields(snapshot), parent_sid)

    def _require_time(self) -> None:
        if time.monotonic() >= self._ends_at:
            raise NotSent("there was no time left to read them")


def _build_object(resource: Resource, fields: Redacted, parent_sid: str) -> NamedObject:
    """Return what the site keeps of an object. Values of an unexpected type become text."""
    references = (fields.get(name) for name in REFERENCE_FIELDS if name in resource.by_name)
    return NamedObject(
        resource=resource.name,
        sid=fields["sid"],
        name=_text_of(fields, resource.name_field)[:NAME_MAX],
        status=_text_of(fields, "status")[:32],
        parent_sid=parent_sid,
        reference=next((_as_text(value)[:NAME_MAX] for value in references), ""),
        revision=_as_revision(fields.get("revision")),
    )


def _text_of(fields: Mapping[str, Any], name: str) -> str:
    return _as_text(fields.get(name))


def _as_text(value: Any) -> str:
    return "" if value is None else labels.value_to_text(value)


def _as_revision(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < 2**31 else None
