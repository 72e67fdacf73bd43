"""Readings of what surrounds flows, one object at a time: definitions, members of services, settings.

A refresh of the names makes a bounded number of them, those that are missing or oldest first. What
isn't read this time keeps its last reading. A refusal ends the readings of its resource only. If
something was never read, a worker makes a refresh with higher limits (`flows.mirror.name_sync`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from flows.names.models import ObjectReading, ResourceName
from flows.names.studio_definitions import summarize_definition
from flows.names.twilio_reads import Listing, TwilioReader, as_revision
from flows.twilio.conversations.conversation_configuration import CONVERSATION_CONFIGURATION
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.service_members import SERVICE_NUMBER, SERVICE_SENDER
from flows.twilio.resource import Resource
from flows.twilio.sids import is_sid
from flows.twilio.studio.studio_definition import STUDIO_DEFINITION
from flows.twilio.studio.studio_flow import STUDIO_FLOW


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """The most Studio definitions and Messaging Services that a refresh reads.

    Each Messaging Service has two lists. A refresh reads fewer definitions if missing Studio Flows
    were asked for, but one at least.
    """

    definitions: int
    services: int


# So many need no wait for a turn, and a sync takes little longer: Twilio's rates are assumed to be
# two fetches and ten lists a second.
LIMITS_OF_A_SYNC: Final = ReadingLimits(definitions=2, services=2)
LIMITS_OF_A_WORKER: Final = ReadingLimits(definitions=60, services=60)  # within a refresh's lease
MAX_SIDS: Final = 2_000  # members of a service that are kept
_MEMBERS: Final = (SERVICE_NUMBER, SERVICE_SENDER)
_DEFAULT_SERVICES: Final = (
    (CONFIGURATION, "chat_service_instance_sid"),
    (CONVERSATION_CONFIGURATION, "default_chat_service_sid"),
)


class SurroundingsReader:
    """The readings of one refresh. `errors` are those of the names' lists so far, by resource.

    Each method returns the results as listings without objects. A resource of which something is
    still to be read has no result, so it doesn't count as known completely.
    """

    def __init__(
        self,
        account_sid: str,
        used: Mapping[str, str],
        reader: TwilioReader,
        errors: Mapping[str, FlexError],
        limits: ReadingLimits,
    ) -> None:
        self._started_at = timezone.now().isoformat()
        self.unread_count = 0  # objects left to a later refresh, although nothing was refused
        self._limits = limits
        self._account_sid = account_sid
        self._used = used
        self._reader = reader
        self._errors = errors
        rows = ObjectReading.objects.filter(account_sid=account_sid)
        self._stored = {(row.sid, row.resource): row for row in rows}
        self._read: list[ObjectReading] = []

    def read_definitions(
        self, studio_flows: Sequence[ResourceName], *, earlier_fetches: int
    ) -> list[Listing]:
        """Read the definitions of Studio Flows that flows use and that changed since."""
        used = [row for row in studio_flows if row.sid in self._used]
        changed = [row for row in used if not self._has_definition(row)]
        changed.sort(key=lambda row: (row.sid, STUDIO_DEFINITION.name) in self._stored)
        if STUDIO_FLOW.name in self._errors:
            return []
        error, limit = None, max(1, self._limits.definitions - earlier_fetches)
        for row in changed[:limit]:
            error = self._attempt(self._read_definition, row.sid)
            if error:
                break
        self._forget(STUDIO_DEFINITION, {row.sid for row in used})
        return self._result(STUDIO_DEFINITION, error, unread_count=len(changed[limit:]))

    def read_members(self, services: Sequence[ResourceName]) -> list[Listing]:
        """Read the numbers and senders of some Messaging Services, the oldest reading first."""
        if MESSAGING_SERVICE.name in self._errors:
            return []
        sids = [row.sid for row in services]
        return [result for resource in _MEMBERS for result in self._read_services(resource, sids)]

    def _read_services(self, resource: Resource, sids: Sequence[str]) -> list[Listing]:
        error = None
        oldest_first = sorted(sids, key=lambda sid: self._age_key(sid, resource))
        for sid in oldest_first[: self._limits.services]:
            error = self._attempt(self._read_service, sid, resource)
            if error:
                break
        self._forget(resource, {*sids})
        unread_count = sum((sid, resource.name) not in self._stored for sid in sids)
        return self._result(resource, error, unread_count=unread_count)

    def read_configurations(self) -> list[Listing]:
        """Read which chat service belongs to Flex, and which is the default of Conversations."""
        results: list[Listing] = []
        for resource, name in _DEFAULT_SERVICES:
            error = self._attempt(self._read_configuration, resource, name)
            results += self._result(resource, error, unread_count=0)
        return results

    def store(self) -> None:
        """Store the readings."""
        ObjectReading.objects.bulk_create(
            self._without_own_changes(),
            update_conflicts=True,
            unique_fields=["account_sid", "sid", "resource"],
            update_fields=["revision", "facts", "read_at"],
        )

    def _without_own_changes(self) -> list[ObjectReading]:
        """Leave out what the site itself changed since the refresh began."""
        rows = ObjectReading.objects.filter(account_sid=self._account_sid)
        changed = {
            (row.sid, row.resource)
            for row in rows
            if isinstance(row.facts, dict) and row.facts.get("changed_at", "") > self._started_at
        }
        return [row for row in self._read if (row.sid, row.resource) not in changed]

    def _has_definition(self, row: ResourceName) -> bool:
        reading = self._stored.get((row.sid, STUDIO_DEFINITION.name))
        return reading is not None and row.revision is not None and reading.revision == row.revision

    def _read_definition(self, sid: str) -> None:
        snapshot = self._reader.fetch(STUDIO_DEFINITION, sid)
        facts = summarize_definition(snapshot.get("definition"))
        revision = as_revision(snapshot.get("revision"))
        self._keep(STUDIO_DEFINITION, sid, facts or {}, revision)

    def _read_service(self, sid: str, resource: Resource) -> None:
        sids = self._reader.list_sids(resource, sid)
        self._keep(resource, sid, {"sids": sorted(sids)[:MAX_SIDS]})

    def _read_configuration(self, resource: Resource, name: str) -> None:
        value = self._reader.fetch(resource, self._account_sid).get(name)
        chat_service_sid = value if is_sid("IS", value) else ""
        self._keep(resource, self._account_sid, {"chat_service_sid": chat_service_sid})

    def _attempt(self, read: Callable[..., None], *arguments: Any) -> FlexError | None:
        """Read an object and return the failure, if any. An object that is gone is none."""
        try:
            read(*arguments)
        except FlexError as error:
            if isinstance(error, RequestRefused) and error.is_not_found:
                return None
            return error
        return None

    def _keep(
        self, resource: Resource, sid: str, facts: dict[str, Any], revision: int | None = None
    ) -> None:
        reading = ObjectReading(
            account_sid=self._account_sid,
            sid=sid,
            resource=resource.name,
            revision=revision,
            facts=facts,
            read_at=timezone.now(),
        )
        self._stored[sid, resource.name] = reading
        self._read.append(reading)

    def _forget(self, resource: Resource, sids: set[str]) -> None:
        """Delete the readings of objects that are gone, or that no flow uses any longer."""
        unused = [
            row
            for row in self._stored.values()
            if row.resource == resource.name and row.sid not in sids and row.pk
        ]
        if unused:
            ObjectReading.objects.filter(pk__in=[row.pk for row in unused]).delete()

    def _age_key(self, sid: str, resource: Resource) -> str:
        """Return what sorts the oldest reading first, and one that was never made before it."""
        row = self._stored.get((sid, resource.name))
        return row.read_at.isoformat() if row else ""

    def _result(
        self, resource: Resource, error: FlexError | None, *, unread_count: int
    ) -> list[Listing]:
        if error or not unread_count:
            return [Listing(resource, error=error)]
        self.unread_count += unread_count
        return []
