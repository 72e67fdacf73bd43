"""Refresh of an account's names: they are read from Twilio, compared with the table and stored.

A resource that can't be read keeps its last names, and the others are read all the same. A name
is marked as gone only after Twilio's own "not found" for its SID. Each refresh asks for a few.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from flows.core.database import BATCH_SIZE, short_lock_timeout
from flows.names import readings
from flows.names.models import NameReading, NameRefresh, ResourceName
from flows.names.surroundings import LIMITS_OF_A_SYNC, ReadingLimits, SurroundingsReader
from flows.names.twilio_reads import Listing, NamedObject, TwilioReader
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.chat.chat_service import CHAT_SERVICE
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.conversations.conversation_service import CONVERSATION_SERVICE
from flows.twilio.errors import FlexError
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.resource import Resource
from flows.twilio.sids import is_sid
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE

log = logging.getLogger(__name__)

REFRESH_LEASE: Final = timedelta(minutes=2)  # a refresh that has run for longer is taken for dead
REFRESH_INTERVAL: Final = timedelta(minutes=5)  # a sync reads younger names only on request
MAX_CHECKS: Final = 20  # objects that a refresh asks for by SID, at Twilio's two a second
# Resources that name the same SIDs are read in turn, each only for what the ones before it lack.
# Twilio has deprecated Chat, so its services are read from Conversations first.
KINDS: Final[tuple[tuple[Resource, ...], ...]] = (
    (STUDIO_FLOW,),
    (WORKSPACE,),
    (WORKFLOW,),
    (TASK_CHANNEL,),
    (CONVERSATION_SERVICE, CHAT_SERVICE),
    (INCOMING_PHONE_NUMBER,),
    (WHATSAPP_SENDER,),
    (MESSAGING_SERVICE,),
    (ADDRESS_CONFIGURATION,),
)
_COMPARED_FIELDS: Final = (
    "resource",
    "name",
    "status",
    "parent_sid",
    "reference",
    "revision",
    "details",
)


class RefreshBusy(Exception):
    """Another refresh of the account's names is running."""


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """Result of a refresh: the failed readings, and two numbers of names.

    `names` are those that Twilio has, `changed` those that are new, different or gone.
    Of what surrounds flows, the limits of the refresh left `unread` objects to a later one.
    """

    names: int
    changed: int
    failures: list[NameReading]
    unread: int = 0


def refresh_names(
    account_sid: str, used: Mapping[str, str], limits: ReadingLimits = LIMITS_OF_A_SYNC
) -> RefreshReport:
    """Read all names of an account from Twilio and store the differences.

    `used` has the SIDs that flows point to, each with the SID of its workspace, or "". Raise
    `RefreshBusy` if another refresh of the account is running.
    """
    started_at = timezone.now()
    with short_lock_timeout():
        _claim(account_sid, started_at)
    ended_at = None
    try:
        report = _Refresh(account_sid, used, TwilioReader(account_sid), limits).run()
        ended_at = timezone.now()
        return report
    finally:
        own_refresh = NameRefresh.objects.filter(account_sid=account_sid, started_at=started_at)
        own_refresh.update(started_at=None, **({"ended_at": ended_at} if ended_at else {}))


def needs_refresh(account_sid: str) -> bool:
    """Return True if the names of an account were not read for a while, and are not being read."""
    at = timezone.now()
    state = NameRefresh.objects.filter(account_sid=account_sid).first()
    if state is None:
        return True
    if state.started_at and state.started_at > at - REFRESH_LEASE:
        return False
    return state.ended_at is None or state.ended_at < at - REFRESH_INTERVAL


def _claim(account_sid: str, started_at: datetime) -> None:
    NameRefresh.objects.get_or_create(account_sid=account_sid)
    is_free = Q(started_at=None) | Q(started_at__lt=started_at - REFRESH_LEASE)
    if not NameRefresh.objects.filter(is_free, pk=account_sid).update(started_at=started_at):
        raise RefreshBusy


class _Refresh:
    """One refresh of an account's names."""

    def __init__(
        self,
        account_sid: str,
        used: Mapping[str, str],
        reader: TwilioReader,
        limits: ReadingLimits,
    ) -> None:
        self._account_sid = account_sid
        self._used = used
        self._reader = reader
        self._checks_left = MAX_CHECKS
        self._changed_count = 0
        self._started_at = timezone.now()
        self._stored_sids: set[str] = set()  # what this refresh itself has written
        self._errors: dict[str, FlexError] = {}  # of the listings so far, by resource
        rows = ResourceName.objects.filter(account_sid=account_sid)
        self._rows = {row.sid: row for row in rows}
        self._surroundings = SurroundingsReader(account_sid, used, reader, self._errors, limits)

    def run(self) -> RefreshReport:
        all_listings: list[Listing] = []
        for kind in KINDS:
            listings = self._list(kind)
            self._errors |= {one.resource.name: one.error for one in listings if one.error}
            # The first resource of a kind has the last word.
            objects = {
                sid: named for one in reversed(listings) for sid, named in one.objects.items()
            }
            is_complete = not any(listing.error for listing in listings)
            deleted_objects = self._check_missing(kind, objects) if is_complete else []
            self._store(objects.values(), deleted_objects, timezone.now())
            all_listings += listings
            # Definitions come before workflows, so that what they name is in the later list.
            if kind == (STUDIO_FLOW,):
                all_listings += self._surroundings.read_definitions(
                    self._live(STUDIO_FLOW), earlier_fetches=MAX_CHECKS - self._checks_left
                )
        all_listings += self._surroundings.read_members(self._live(MESSAGING_SERVICE))
        all_listings += self._surroundings.read_configurations()
        self._surroundings.store()
        failures = readings.store_readings(self._account_sid, all_listings, self._started_at)
        names = sum(row.gone_at is None for row in self._rows.values())
        return RefreshReport(
            names, self._changed_count, failures, unread=self._surroundings.unread_count
        )

    def _live(self, resource: Resource) -> list[ResourceName]:
        """Return the objects of a resource that Twilio has, by SID."""
        rows = (self._rows[sid] for sid in sorted(self._rows))
        return [row for row in rows if row.resource == resource.name and not row.gone_at]

    def _list(self, kind: Sequence[Resource]) -> list[Listing]:
        """List the resources of a kind, each after the first only for what is still unnamed."""
        listings: list[Listing] = []
        listed: set[str] = set()
        for resource in kind:
            has_failed = bool(listings and listings[-1].error)
            if listings and not has_failed and not self._missing(kind, listed):
                break
            listing = self._reader.list_objects(resource, self._parent_sids(resource))
            if resource.parent is not None:
                # Without all of their parents, the objects are not all there either.
                listing.error = listing.error or self._errors.get(resource.parent.name)
            listings.append(listing)
            listed |= listing.objects.keys()
        return listings

    def _parent_sids(self, resource: Resource) -> list[str]:
        if resource.parent is None:
            return [""]
        return [row.sid for row in self._live(WORKSPACE)]

    def _missing(self, kind: Sequence[Resource], listed: Iterable[str]) -> list[str]:
        """Return the SIDs of a kind that a listing lacks, and whose absence is not proven.

        Those that flows use come first.
        """
        prefix = kind[0].sid_prefix
        used = [sid for sid in self._used if is_sid(prefix, sid)]
        stored = [sid for sid in sorted(self._rows) if is_sid(prefix, sid)]
        gone_sids = (sid for sid in stored if self._rows[sid].gone_at)
        known_sids = {*listed, *gone_sids}
        return [sid for sid in dict.fromkeys(sorted(used) + stored) if sid not in known_sids]

    def _check_missing(
        self, kind: Sequence[Resource], objects: dict[str, NamedObject]
    ) -> list[NamedObject]:
        """Ask for missing objects by SID. Add those that exist, and return those that don't."""
        deleted_objects = []
        for sid in self._missing(kind, objects):
            parent_sid = self._parent_of(sid) if kind[0].parent else ""
            if kind[0].parent and not kind[0].parent.is_sid(parent_sid):
                continue
            if not self._checks_left:
                break
            self._checks_left -= 1
            try:
                live_object = self._fetch(kind, sid, parent_sid)
            except FlexError as error:
                log.info("A name could not be checked: %s", error)
                break
            if live_object is None:
                deleted_objects.append(self._as_gone(kind[0], sid, parent_sid))
            else:
                objects[sid] = live_object
        return deleted_objects

    def _fetch(self, kind: Sequence[Resource], sid: str, parent_sid: str) -> NamedObject | None:
        fetches = (self._reader.fetch_object(resource, sid, parent_sid) for resource in kind)
        return next(filter(None, fetches), None)

    def _parent_of(self, sid: str) -> str:
        row = self._rows.get(sid)
        return row.parent_sid if row else self._used.get(sid, "")

    def _as_gone(self, resource: Resource, sid: str, parent_sid: str) -> NamedObject:
        """Return a deleted object with its last values."""
        row = self._rows.get(sid)
        if row is None:
            return NamedObject(resource.name, sid, parent_sid=parent_sid)
        return NamedObject(sid=sid, **{name: getattr(row, name) for name in _COMPARED_FIELDS})

    def _store(
        self, objects: Iterable[NamedObject], deleted_objects: Iterable[NamedObject], at: datetime
    ) -> None:
        """Store the objects that differ from the table."""
        changed = [
            *(self._as_row(named, at) for named in objects if self._is_changed(named)),
            *(self._as_row(named, at, gone_at=at) for named in deleted_objects),
        ]
        changed = self._without_own_changes(changed)
        ResourceName.objects.bulk_create(
            changed,
            batch_size=BATCH_SIZE,
            update_conflicts=True,
            unique_fields=["account_sid", "sid"],
            update_fields=[*_COMPARED_FIELDS, "name_folded", "changed_at", "gone_at"],
        )
        self._rows |= {row.sid: row for row in changed}
        self._changed_count += len(changed)

    def _without_own_changes(self, rows: list[ResourceName]) -> list[ResourceName]:
        """Leave out what the site itself changed since the refresh began: its reading may be older."""
        if not rows:
            return rows
        own = ResourceName.objects.filter(
            account_sid=self._account_sid, changed_at__gt=self._started_at
        )
        own_sids = {*own.values_list("sid", flat=True)} - self._stored_sids
        kept_rows = [row for row in rows if row.sid not in own_sids]
        self._stored_sids |= {row.sid for row in kept_rows}
        return kept_rows

    def _is_changed(self, named: NamedObject) -> bool:
        row = self._rows.get(named.sid)
        if row is None or row.gone_at is not None:
            return True
        return any(getattr(row, name) != getattr(named, name) for name in _COMPARED_FIELDS)

    def _as_row(
        self, named: NamedObject, at: datetime, *, gone_at: datetime | None = None
    ) -> ResourceName:
        return ResourceName(
            account_sid=self._account_sid,
            name_folded=named.name_folded,
            changed_at=at,
            gone_at=gone_at,
            **asdict(named),
        )
